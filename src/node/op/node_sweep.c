/* node_sweep.c: the children of a request about many rows: one per change of a list, or one per row
 * that lies below a path. */
#include "node_impl.h"
#include "node_parts.h"

#define GROUP_CHILDREN_MAX 32 /* rows of one request in work: a share of the tasks */

/* `key 0 path` behind which the sweep, or the page of a reader, begins. */
bool node_group_after(struct node_group *group, struct slice path)
{
    static const uint8_t zero = 0;

    buffer_clear(&group->after, ROW_NAME_SIZE_MAX);
    return buffer_append(&group->after, group->parent->op.key.data, group->parent->op.key.size) &&
           buffer_append(&group->after, &zero, 1) &&
           buffer_append(&group->after, path.data, path.size);
}

bool node_group_scan(struct node *node, struct node_group *group, uint32_t limit)
{
    struct op op = node_group_op(group, OP_SCAN);

    op.after = slice_of(group->after.data, group->after.size);
    op.limit = limit;
    return node_group_child(node, group, &op);
}

/* The path in a row name of the group's collection. */
struct slice node_group_path(const struct node_group *group, struct slice name)
{
    size_t skip = group->parent->op.key.size + 1;

    return name.size > skip ? slice_of(name.data + skip, name.size - skip) : SLICE_NONE;
}

/* Keeps the names of rows to remove: with something live, or gone, but not yet at a quorum. */
static void sweep_keep(struct node *node, struct node_group *group, const struct result_item *item)
{
    struct crdt_object *object = &node->object_c;
    uint8_t size[2] = {(uint8_t)(item->key.size >> 8), (uint8_t)item->key.size};

    if (crdt_object_decode(item->object, object) != STATUS_OK)
        return;
    (void)crdt_object_expire(object, node_wall_ms(node));
    if (crdt_object_types(object) == 0 && !item->is_apart)
        return;
    if (!buffer_append(&group->names, size, 2) ||
        !buffer_append(&group->names, item->key.data, item->key.size))
        group->sum.status = STATUS_MEMORY;
}

/* A page of rows has come, in the arena of this step. */
void node_group_scanned(struct node *node, const struct node_task *child, const struct result *page)
{
    struct node_group *group = node_group_of(node, child->group, child->group_number);

    if (!group)
        return;
    group->is_last = !page->is_truncated;
    for (uint32_t i = 0; i < page->item_count && !group->is_last_row; i++) {
        struct slice path = node_group_path(group, page->items[i].key);

        if (path.size == 0 || (path.data[0] != CRDT_SET && path.data[0] != CRDT_MAP))
            continue; /* a record beside the key (decision 0013), no element */
        if (!slice_has_prefix(path, group->prefix))
            group->is_last = group->is_last_row = true;
        else if (group->stage == GROUP_PAGE)
            node_collect_row(node, group, &page->items[i]);
        else
            sweep_keep(node, group, &page->items[i]);
    }
    if (!group->is_last) {
        struct slice ns, name;
        uint64_t front;

        if (store_key_split(page->next, &front, &ns, &name) != STATUS_OK ||
            !node_group_after(group, node_group_path(group, name)))
            group->sum.status = STATUS_CORRUPT;
    }
    group->is_last_row = false;
}

static bool sweep_begin(struct node_group *group, struct slice prefix)
{
    group->prefix = prefix;
    group->is_last = false;
    group->name_at = 0;
    buffer_clear(&group->names, 0);
    return node_group_after(group, prefix);
}

/* One step of a sweep; false: wait. */
bool node_sweep_step(struct node *node, struct node_group *group)
{
    struct reader in;

    if (group->after.size == 0 && !sweep_begin(group, SLICE_NONE))
        return false;
    in = reader_over(slice_of(group->names.data, group->names.size));
    in.at = group->name_at;
    if (reader_left(&in) > 0) {
        struct slice name = read_slice(&in, read_u16(&in));

        if (group->open >= GROUP_CHILDREN_MAX ||
            !node_group_row(node, group, name, CRDT_TOMBSTONE, SLICE_NONE))
            return false;
        group->name_at = in.at;
        return true;
    }
    if (group->open > 0)
        return false;
    if (group->is_last) {
        group->stage = group->parent->op.kind == OP_DELETE ? GROUP_LAST : GROUP_LIST;
        return true;
    }
    group->name_at = 0;
    buffer_clear(&group->names, 0);
    return node_group_scan(node, group, 0);
}

/* --- the list of an update */

bool node_sweep_list(struct node *node, struct node_group *group)
{
    struct op *op = &group->parent->op;
    struct reader in = reader_over(op->body);
    struct slice path, arg;
    uint8_t name[ROW_NAME_SIZE_MAX], type;
    struct writer out = writer_over(name, sizeof(name));

    in.at = group->at;
    if (reader_left(&in) == 0 && group->open == 0 && op->shows) {
        group->stage = GROUP_HEAD; /* return=body */
        return true;
    }
    if (reader_left(&in) == 0 || group->open >= GROUP_CHILDREN_MAX ||
        (group->oks == 0 && group->open > 0))
        return false;
    path = read_slice(&in, read_u16(&in));
    type = read_u8(&in);
    arg = read_slice(&in, read_u32(&in));
    ensure(!in.is_bad);
    if (type == CRDT_TOMBSTONE && path.size > 0 && path.data[path.size - 1] == 0) {
        if (group->open > 0)
            return false;
        group->at = in.at;
        group->stage = GROUP_SWEEP;
        return sweep_begin(group, path);
    }
    write_slice(&out, op->key);
    if (path.size > 0) {
        write_u8(&out, 0);
        write_slice(&out, path);
    }
    if (!node_group_row(node, group, writer_done(&out), (enum crdt_kind)type, arg))
        return false;
    group->at = in.at;
    return true;
}
