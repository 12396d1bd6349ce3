/* node_store.c: tickets for reads and writes, and the one way an object reaches the disk. Two rules
 * of visibility: a merge sees what is queued (store_pending), or two writes of one turn would lose
 * each other; a client sees only what is committed, or a crash could take back what it read. */
#include "gc/node_gc.h"
#include "node_parts.h"

/* The record of a row as merges see it, or as clients do. The bytes live until effects_reset.
 * OK, MISSING, COLD, CORRUPT, IO. */
enum status node_row_get(struct node *node, struct slice row_key, bool is_merge,
                         struct slice *object)
{
    struct store_pin pin = {0};
    struct blob *known = is_merge ? store_pending_get(node->pending, row_key) : NULL;
    enum status status;

    *object = SLICE_NONE;
    if (!known)
        known = store_recent_get(node->recent, row_key);
    if (known && known->size == 0)
        return STATUS_MISSING; /* its deletion is queued */
    if (known) {
        effects_hold_blob(node->fx, blob_take(known));
        if (known->size == 0)
            return STATUS_MISSING; /* its drop is on the way */
        return store_record_open(STORE_OBJ, row_key, blob_slice(known), object);
    }
    status = node->ports.store.get(node->ports.store.context, STORE_OBJ, row_key, &pin);
    if (status == STATUS_CORRUPT)
        node_store_damaged(node);
    if (status != STATUS_OK)
        return status;
    effects_hold_pin(node->fx, &node->ports.store, pin);
    metric_add(&node->metrics, METRIC_STORE_READ_CACHE, 1);
    return store_record_open(STORE_OBJ, row_key, pin.value, object);
}

/* --- writes */

struct node_write *node_write_start(struct node *node, const struct store_row *rows, uint32_t count)
{
    struct node_write *write = pool_take(&node->writes);

    if (!write)
        return NULL;
    write->ticket = (++node->write_ticket << 32) | pool_index(&node->writes, write);

    struct effect *effect = effects_push(node->fx, EFFECT_WRITE);

    effect->write.write = write->ticket;
    effect->write.rows = rows;
    effect->write.count = count;
    metric_add(&node->metrics, METRIC_STORE_COMMITS, 1);
    metric_add(&node->metrics, METRIC_STORE_COMMIT_ROWS, count);
    return write;
}

/* Rows of our own (`sys`): nobody waits for them. */
void node_write_rows(struct node *node, const struct store_row *rows, uint32_t count)
{
    if (!node->is_read_only && count > 0 && !node_write_start(node, rows, count))
        node->is_dirty = true; /* again at the next tick */
}

/* Deletes make room in the end, and repairs hold what was promised: they may use what is kept free
 * when new values may not (security.md S4). Else a full cluster could not be emptied. */
static bool write_is_relief(const struct node_task *task, const struct crdt_object *object)
{
    bool has_value = false;

    for (unsigned i = 0; i < object->value_count; i++)
        has_value |= object->values[i].kind != CRDT_TOMBSTONE;
    return !has_value || task->kind == TASK_MERGE || task->kind == TASK_REPAIR ||
           task->kind == TASK_MEND;
}

/* Writes `object` (encoded as `bytes`) for the key of a task: the object row, and the index row
 * where a key has none yet, in one batch. `before` is the fingerprint of what it replaces, zero for
 * nothing. OK; OVERLOAD; READ_ONLY. The task hears node_task_stored. */
enum status node_write_object(struct node *node, struct node_task *task, struct slice bytes,
                              const struct crdt_object *object, const struct hash16 *before)
{
    static const struct hash16 none;
    SCRATCH uint8_t key[STORE_KEY_SIZE_MAX];
    struct slice row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, key);
    struct store_row *rows = effects_alloc(node->fx, 2 * sizeof(*rows));

    if (node->is_read_only || node->phase != NODE_OPEN)
        return STATUS_READ_ONLY;
    if (node_row_is_stray(node, row_key))
        return STATUS_LAYOUT; /* its namespace changed while it waited */

    struct blob *record = store_record_write(STORE_OBJ, row_key, bytes);
    /* What is queued may still be refused, and its index row with it. */
    bool is_indexed =
        store_name_is_element(task->op.key) ||
        (memcmp(before, &none, sizeof(none)) != 0 && !store_pending_get(node->pending, row_key));
    struct node_write *write = record ? node_write_start(node, rows, is_indexed ? 1 : 2) : NULL;

    if (!write) {
        blob_drop(&record);
        return STATUS_OVERLOAD;
    }
    if (store_pending_put(node->pending, row_key, record, write->ticket) != STATUS_OK)
        ensure_unreachable(); /* as many places as writes */
    effects_hold_blob(node->fx, record);
    write->row_key = blob_copy(row_key);
    ensure(write->row_key != NULL);
    write->record = blob_take(record);
    write->is_object = true;
    write->task = task->id;
    write->partition = place_partition(node->place, task->hash_front);
    write->before = *before;
    write->had_before = memcmp(before, &none, sizeof(none)) != 0;
    write->after = crdt_object_fingerprint(node->founding.hash_seed, row_key, object);
    write->was_dead = task->was_dead;
    write->is_dead = crdt_object_is_dead(object, 0);
    write->was_split = task->was_split;
    write->is_split = node_object_is_split(object);
    node_gc_touch(node, write->partition, row_key);
    node_gc_note(node, write->partition, object);
    write->bytes = row_key.size + record->size;
    rows[0] = (struct store_row){
        .family = STORE_OBJ, .key = blob_slice(write->row_key), .value = blob_slice(record)};
    rows[0].key = effects_copy(node->fx, rows[0].key);
    if (!is_indexed)
        rows[1] = (struct store_row){.family = STORE_IDX, .key = store_key_listed(rows[0].key)};
    rows[0].may_use_reserve = rows[1].may_use_reserve = write_is_relief(task, object);
    return STATUS_OK;
}

/* A row is no more what somebody may be reading from the disk. */
void node_row_changed(struct node *node, struct slice row_key)
{
    struct node_read *read = node_row_read(node, row_key);

    if (read)
        read->is_stale = true;
}

/* Opens the store again once what is on its way is through. Nothing is written before. */
void node_store_reopen(struct node *node)
{
    node->is_read_only = true;
    if (!node->is_reopening && pool_used(&node->writes) == 0) {
        node->is_reopening = true;
        effects_push(node->fx, EFFECT_REOPEN);
    }
}

/* A commit failed or its outcome is unknown: this actor ends. Nothing is written again before the
 * store is reopened under a new one, so no dot can name two values. */
static void write_unknown(struct node *node)
{
    node_trace(node, TRACE_STORE_FAILED, 0, 0, 0);
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_store_reopen(node);
}

void node_stored(struct node *node, const struct event *event)
{
    struct node_write *write = pool_at(&node->writes, (uint32_t)event->stored.write);

    if (!write || write->ticket != event->stored.write)
        return;

    struct node_write done = *write;
    enum status status = event->stored.status;

    write->ticket = 0;
    write->row_key = write->record = NULL;
    pool_give(&node->writes, write);
    if (status != STATUS_OK && status != STATUS_NO_SPACE)
        node->is_read_only = true;
    if (status == STATUS_NO_SPACE)
        status = node_write_refused(node, &done);
    if (done.is_object)
        node_row_stored(node, &done, status);
    if (done.gc)
        node_gc_stored(node, &done, status);
    node_task_stored(node, done.task, status);
    if (event->stored.status != STATUS_OK && event->stored.status != STATUS_NO_SPACE)
        write_unknown(node);
    else if (node->is_read_only && !node->is_reopening)
        node_store_reopen(node);
    if (node->phase == NODE_ENDING)
        node_sums_step(node, event->stored.status);
}
