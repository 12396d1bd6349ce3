/* node_collect.c: reading a set or a map in pages. The head says what the key is; then rows of
 * elements are read with a quorum, as a backup reads them, until a page is full of live ones.
 *
 * The context of a page names, per actor, the newest write among its rows. It covers every add that
 * was acknowledged before the page was read, wherever in the collection it is, and nothing that was
 * begun after it: stamps of one actor rise from row to row. (Those beyond the clock's limit do not;
 * they are left out, which costs a member that stays, never one that goes.) */
#include "node_impl.h"
#include "node_parts.h"

#define COLLECT_DEFAULT 1000 /* rows of a page (api.md 5) */

static uint32_t collect_limit(const struct node_group *group)
{
    uint32_t limit = group->parent->op.limit;

    return limit == 0 || limit > LIST_LIMIT_MAX ? COLLECT_DEFAULT : limit;
}

/* Keeps a row with something live: path length u16 | path | length u32 | object. One more than the
 * page holds is kept, to know that there is one. */
void node_collect_row(struct node *node, struct node_group *group, const struct result_item *item)
{
    struct crdt_object *object = &node->object_c;
    struct slice path = node_group_path(group, item->key);
    uint8_t head[6];
    struct writer out = writer_over(head, sizeof(head));

    if (group->row_count > collect_limit(group))
        return;
    if (crdt_object_decode(item->object, object) != STATUS_OK) {
        group->sum.status = STATUS_CORRUPT;
        return;
    }
    (void)crdt_object_expire(object, node_wall_ms(node));
    if (crdt_object_types(object) == 0)
        return;
    write_u16(&out, (uint16_t)path.size);
    write_u32(&out, (uint32_t)item->object.size);
    if (!buffer_append(&group->rows, head, 6) ||
        !buffer_append(&group->rows, path.data, path.size) ||
        !buffer_append(&group->rows, item->object.data, item->object.size))
        group->is_full = true; /* of bytes: the page ends here */
    else
        group->row_count++;
}

/* Where the first page begins: behind the cursor, or behind a member or a field. */
static bool collect_start(struct node_group *group, unsigned types)
{
    const struct op *op = &group->parent->op;
    uint8_t path[PATH_SIZE_MAX];
    struct writer out = writer_over(path, sizeof(path));

    group->prefix = op->prefix;
    if (op->kind == OP_COLLECTION && op->body.size > 0) {
        bool is_map = (types & 1u << CRDT_MAP) != 0;

        write_u8(&out, is_map ? CRDT_MAP : CRDT_SET);
        write_slice(&out, op->body);
        if (is_map)
            write_u8(&out, 1); /* behind all rows of this field */
    } else {
        write_slice(&out, slice_compare(op->after, op->prefix) > 0 ? op->after : op->prefix);
    }
    return !out.is_full && node_group_after(group, writer_done(&out));
}

static unsigned collect_types(struct node *node, const struct node_group *group)
{
    if (crdt_object_decode(blob_slice(group->head), &node->object_c) != STATUS_OK)
        return 0;
    (void)crdt_object_expire(&node->object_c, node_wall_ms(node));
    return crdt_object_types(&node->object_c);
}

bool node_collect_step(struct node *node, struct node_group *group)
{
    uint32_t limit = collect_limit(group);
    unsigned types;

    if (group->stage == GROUP_HEAD && !group->is_asked) {
        struct op op = node_group_op(group, OP_GET);

        group->is_asked = true;
        return node_group_child(node, group, &op);
    }
    if (group->open > 0)
        return false;
    if (group->stage == GROUP_HEAD) {
        types = collect_types(node, group);
        group->stage = GROUP_PAGE;
        group->is_last = types != 0 && !(types & (1u << CRDT_SET | 1u << CRDT_MAP));
        if (!group->is_last && !collect_start(group, types))
            group->sum.status = STATUS_TOO_LARGE;
        return true;
    }
    if (group->is_last || group->is_full || group->row_count > limit)
        return false;
    return node_group_scan(node, group, limit + 1 - group->row_count);
}

/* --- showing */

static void context_add(struct crdt_context *context, const struct crdt_object *object)
{
    for (unsigned i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i];
        unsigned at = 0;

        if (value->stamp & 1)
            continue; /* of the far sequence: it says nothing about other rows */
        while (at < context->vector_count && context->vector[at].actor != value->actor)
            at++;
        if (at == OBJECT_ENTRIES_MAX)
            continue;
        if (at == context->vector_count)
            context->vector[context->vector_count++] = (struct dot){value->actor, 0};
        if (value->stamp > context->vector[at].stamp)
            context->vector[at].stamp = value->stamp;
    }
}

/* Reads an element's row as a client sees it. */
static void collect_element(struct node *node, struct slice object, struct result_element *element)
{
    struct crdt_object *row = &node->object_c;
    uint16_t order[OBJECT_VALUES_MAX], count;
    struct result_value *values;
    struct result shown = {0};

    if (crdt_object_decode(object, row) != STATUS_OK)
        ensure_unreachable(); /* it was decoded when it was kept */
    (void)crdt_object_expire(row, node_wall_ms(node));
    context_add(&node->context, row);
    node_update_show(row, &shown);
    element->types = shown.types;
    element->is_true = shown.is_true;
    element->number = shown.number;
    if (!(shown.types & (1u << CRDT_REGISTER | 1u << CRDT_MVREGISTER)))
        return;
    count = crdt_object_siblings(row, order);
    values = effects_alloc(node->fx, (count + 1u) * sizeof(*values));
    for (uint16_t i = 0; i < count; i++)
        node_value_show(&row->values[order[i]], &values[i]);
    element->values = values;
    element->value_count = count;
}

/* Fills the elements of a page, and its context. */
static void collect_fill(struct node *node, const struct node_group *group, struct result *result)
{
    struct slice rows = effects_copy(node->fx, slice_of(group->rows.data, group->rows.size));
    uint32_t count = group->row_count, limit = collect_limit(group);
    struct result_element *elements = effects_alloc(node->fx, (count + 1) * sizeof(*elements));
    struct reader in = reader_over(rows);

    result->is_truncated = count > limit || group->is_full || !group->is_last;
    count = count > limit ? limit : count;
    for (uint32_t i = 0; i < count; i++) {
        size_t path_size = read_u16(&in), size = read_u32(&in);

        elements[i].path = read_slice(&in, path_size);
        collect_element(node, read_slice(&in, size), &elements[i]);
    }
    result->elements = elements;
    result->element_count = count;
}

/* Shows what a reader asked for, when it is all there; its task ends. False: it is no reader, or
 * its read failed. */
bool node_collect_show(struct node *node, struct node_group *group)
{
    struct node_task *parent = group->parent;
    struct crdt_scope scope = {node->founding.hash_seed, parent->op.ns, parent->op.key};
    struct node_outcome outcome = group->sum;
    struct writer out;
    struct result *result;
    struct op op = parent->op;

    if (group->stage != GROUP_PAGE || outcome.status != STATUS_OK)
        return false;
    outcome.object = effects_copy(node->fx, blob_slice(group->head));
    op.ns = effects_copy(node->fx, op.ns);
    op.key = effects_copy(node->fx, op.key);
    op.session = effects_copy(node->fx, op.session);
    op.kind = OP_GET;
    op.has_siblings = true;
    if (!parent->is_cancelled) {
        result = node_reply_client(node, &op, parent->ticket, &outcome);
        result->took_ms = (uint32_t)((node->now - parent->started) / 1000u);
        if (collect_types(node, group) == 0 ||
            (result->types & (1u << CRDT_SET | 1u << CRDT_MAP))) {
            node->context.vector_count = node->context.dot_count = 0;
            context_add(&node->context, &node->object_c);
            collect_fill(node, group, result);
            out = writer_over(effects_alloc(node->fx, CONTEXT_SIZE_MAX), CONTEXT_SIZE_MAX);
            if (crdt_context_encode(&node->context, &scope, &out) == STATUS_OK)
                result->context = writer_done(&out);
        }
        /* Elements that were added while the head was deleted are there all the same. */
        if (result->element_count > 0 && result->types == 0) {
            result->types = 1u << result->elements[0].path.data[0];
            result->status = STATUS_OK;
        }
    }
    node_group_end(node, parent);
    node_task_end(node, parent);
    return true;
}
