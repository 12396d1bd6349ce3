/* node_space.c: settings of namespaces as this node carries them: what holds for a key, news from
 * others, changes by an operator. The list itself is place's; it travels as the placement list does
 * (told at once, compared by TABLE when digests differ, kept in `sys`), and every peer applies it
 * to what it coordinates, merges and shows. */
#include "node_impl.h"
#include "node_parts.h"

#define ANNOUNCE_MAX 64 /* members told at once; the digest on pings reaches the rest */
#define SPACE_DEFAULT "_default"

/* --- what holds */

void node_space_settings(const struct node *node, struct slice ns, struct space_settings *settings)
{
    *settings = (struct space_settings){.set = SPACE_ALL,
                                        .replicas = node->founding.replicas,
                                        .consistency = CONSISTENCY_QUORUM,
                                        .conflict = CONFLICT_SIBLINGS};
    if (node->spaces)
        place_spaces_apply(node->spaces, ns, settings);
}

static bool space_is_plain(const struct node *node)
{
    return !node->spaces || place_spaces_count(node->spaces) == 0;
}

/* Fills in what a request leaves to its namespace. Asked by whoever coordinates it. */
void node_space_complete(const struct node *node, struct op *op)
{
    struct space_settings settings;

    if (space_is_plain(node))
        return;
    node_space_settings(node, op->ns, &settings);
    if (op->consistency == CONSISTENCY_DEFAULT)
        op->consistency = (enum consistency)settings.consistency;
    if (op->kind == OP_PUT && op->ttl_ms == 0)
        op->ttl_ms = settings.ttl_ms;
}

/* Tells whether of concurrent values of a key only the newest stays. A row of an element belongs to
 * a type that merges by its own rules. */
bool node_space_is_lww(const struct node *node, struct slice ns, struct slice key)
{
    struct space_settings settings;

    if (space_is_plain(node) || (key.size > 0 && memchr(key.data, 0, key.size)))
        return false;
    node_space_settings(node, ns, &settings);
    return settings.conflict == CONFLICT_LWW;
}

/* Applies the namespace's policy to concurrent values. All owners come to the same object, in
 * whatever order they merge. Where there is no room to remember more, siblings stay. */
void node_space_resolve(const struct node *node, const struct op *op, struct crdt_object *object)
{
    if (object->value_count > 1 && node_space_is_lww(node, op->ns, op->key))
        (void)(crdt_object_newest(object) == STATUS_OK);
}

/* --- the list */

static struct slice space_name(const struct space_record *record)
{
    return slice_of(record->name, record->name_size);
}

/* What pings say of all lists together. */
void node_lists_digest(struct node *node)
{
    swim_place_digest(node->swim, place_digest(node->place) + place_spaces_digest(node->spaces));
}

static void space_changed(struct node *node, const struct space_record *record)
{
    node_lists_digest(node);
    node_persist_soon(node);
    node_trace(node, TRACE_NAMESPACE_CHANGED,
               place_spaces_name_hash(node->spaces, space_name(record)), record->settings.set,
               record->stamp);
}

void node_space_received(struct node *node, struct slice bytes)
{
    struct space_record record;

    if (!node->spaces || wire_space_decode(bytes, &record) != STATUS_OK) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, node->spaces != NULL);
        return;
    }
    if (record.stamp > CRDT_STAMP_MAX)
        return;
    crdt_clock_observe(&node->clock, node->wall_ms, record.stamp);
    if (place_spaces_merge(node->spaces, &record) == STATUS_OK)
        space_changed(node, &record);
}

static struct message space_message(struct node *node, const struct space_record *record)
{
    struct writer out =
        writer_over(effects_alloc(node->fx, NAMESPACE_RECORD_SIZE_MAX), NAMESPACE_RECORD_SIZE_MAX);
    struct message message = {.kind = MESSAGE_NAMESPACE};

    if (wire_space_encode(record, &out) == STATUS_OK)
        message.namespace.record = writer_done(&out);
    return message;
}

/* Writes the settings of a name anew: here, to the disk, and to everybody. OK; FULL. */
enum status node_space_write(struct node *node, struct slice name,
                             const struct space_settings *settings, bool is_deleted)
{
    const struct space_record *known = place_spaces_find(node->spaces, name);
    struct space_record record = {.name_size = (uint8_t)name.size,
                                  .is_deleted = is_deleted,
                                  .settings = *settings,
                                  .by = node->self};
    struct message message;
    uint32_t told = 0;
    enum status status;

    ensure(name.size <= NS_SIZE_MAX);
    memcpy(record.name, name.data, name.size);
    record.stamp = crdt_clock_next(&node->clock, node->wall_ms, known ? known->stamp : 0);
    status = place_spaces_merge(node->spaces, &record);
    if (status != STATUS_OK)
        return status;
    space_changed(node, &record);
    node_persist(node);
    message = space_message(node, &record);
    for (uint32_t i = 0; i < swim_count(node->swim) && told < ANNOUNCE_MAX; i++) {
        const struct swim_view *view = swim_at(node->swim, i);
        uint64_t id8 = id_front(&view->id);

        if (id8 == node->self || view->rank >= RANK_DEAD)
            continue;
        (void)node_send_plain(node, id8, &message);
        told++;
    }
    return STATUS_OK;
}

/* --- comparing tables with one peer */

/* The list in brief, for TABLE. */
struct slice node_space_brief(struct node *node)
{
    uint32_t count = node->spaces ? place_spaces_count(node->spaces) : 0;
    struct writer out = writer_over(effects_alloc(node->fx, 16u * count + 1), 16u * count);

    for (uint32_t i = 0; i < count; i++) {
        const struct space_record *record = place_spaces_at(node->spaces, i);

        write_u64(&out, place_spaces_name_hash(node->spaces, space_name(record)));
        write_u64(&out, record->stamp);
    }
    return writer_done(&out);
}

/* Sends the records of ours that the brief list lacks or has older. */
void node_space_tell(struct node *node, uint64_t peer, struct slice brief)
{
    for (uint32_t i = 0; node->spaces && i < place_spaces_count(node->spaces); i++) {
        const struct space_record *record = place_spaces_at(node->spaces, i);
        uint64_t name = place_spaces_name_hash(node->spaces, space_name(record));
        struct reader in = reader_over(brief);
        bool is_known = false;

        while (reader_left(&in) >= 16) {
            uint64_t hash = read_u64(&in), stamp = read_u64(&in);

            is_known |= hash == name && stamp >= record->stamp;
        }
        if (!is_known) {
            struct message message = space_message(node, record);

            (void)node_send_plain(node, peer, &message);
        }
    }
}

/* --- what an operator asks */

static void space_show(struct node *node, const struct space_record *record,
                       struct result_space *shown)
{
    shown->name = effects_copy(node->fx, space_name(record));
    shown->own = record->settings;
    node_space_settings(node, shown->name, &shown->full);
}

static bool space_is_there(const struct space_record *record)
{
    return record && !record->is_deleted;
}

static void space_list(struct node *node, struct result *result)
{
    uint32_t count = place_spaces_count(node->spaces);
    struct result_space *rows = effects_alloc(node->fx, count * sizeof(*rows) + 1);

    for (uint32_t i = 0; i < count; i++)
        if (space_is_there(place_spaces_at(node->spaces, i)))
            space_show(node, place_spaces_at(node->spaces, i), &rows[result->space_count++]);
    result->spaces = rows;
}

static void space_get(struct node *node, struct slice name, struct result *result)
{
    const struct space_record *record = place_spaces_find(node->spaces, name);
    struct result_space *row = effects_alloc(node->fx, sizeof(*row));

    if (!space_is_there(record)) {
        result->status = STATUS_MISSING;
        return;
    }
    space_show(node, record, row);
    result->spaces = row;
    result->space_count = 1;
}

static void space_put(struct node *node, const struct op *op, struct result *result)
{
    result->is_created = !space_is_there(place_spaces_find(node->spaces, op->ns));
    if ((op->space.set & SPACE_REPLICAS) && op->space.replicas != node->founding.replicas)
        result->status = STATUS_UNSUPPORTED;
    else
        result->status = node_space_write(node, op->ns, &op->space, false);
    if (result->status == STATUS_OK)
        space_get(node, op->ns, result);
}

/* Questions that need no other peer. `result` is already under way to the client. */
void node_space_query(struct node *node, const struct op *op, struct result *result)
{
    if (node->phase != NODE_OPEN || !node->is_founded)
        result->status = STATUS_NOT_READY;
    else if (op->kind == OP_SPACE_LIST)
        space_list(node, result);
    else if (op->kind == OP_SPACE_GET)
        space_get(node, op->ns, result);
    else
        space_put(node, op, result);
}

static void space_deleted(struct node *node, struct node_task *task, enum status status)
{
    const struct space_settings none = {0};
    struct node_outcome outcome = {.status = status};

    if (status == STATUS_OK)
        outcome.status = node_space_write(node, task->op.ns, &none, true);
    node_finish(node, task, &outcome);
}

/* Back to the defaults. Keys that were written under other settings must not change their meaning,
 * so the namespace has to be empty, and that is a listing. */
void node_space_delete(struct node *node, struct node_task *task)
{
    if (!space_is_there(place_spaces_find(node->spaces, task->op.ns))) {
        space_deleted(node, task, STATUS_MISSING);
    } else if (slice_equal(task->op.ns, slice_text(SPACE_DEFAULT))) {
        space_deleted(node, task, STATUS_OK);
    } else {
        task->op.limit = 1;
        node_list_begin(node, task);
    }
}

void node_space_listed(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    enum status status = done->status;

    if (status == STATUS_OK && done->item_count > 0)
        status = STATUS_CONFLICT;
    space_deleted(node, task, status);
}
