/* node_task.c: the life of a piece of work on one key, from the request to the answer.
 *
 *              +-> AWAY (another owner coordinates) --------------------+
 *   START -----+                                                        +--> finish
 *              +-> [LOAD] -> READ (quorum) -> [LOAD] -> WRITE (quorum) -+
 *                     ^                                    |
 *                     +------------- PAUSE <---------------+  layouts differed: tables are compared
 *
 * Whoever coordinates is an owner; an edge that is none forwards once. */
#include "gc/node_gc.h"
#include "hint/node_hint.h"
#include "node_parts.h"

#define PAUSE_US INSTANT_MS(20) /* while tables are compared: a few round trips */
#define GRACE_US INSTANT_MS(50) /* quorum ends an operation itself; this is behind it */

/* Gives a task a request number that no answer of the past can carry: its place in the pool and a
 * serial number. Nothing is ever used again, however late an answer comes; the serial begins at a
 * number drawn at the start, so that an answer to our last life is none to this one. */
void node_task_number(struct node *node, struct node_task *task)
{
    task->id = ++node->serial * node->tasks.capacity + pool_index(&node->tasks, task);
}

struct node_task *node_task_new(struct node *node, enum node_task_kind kind)
{
    struct node_task *task = pool_take(&node->tasks);

    if (!task)
        return NULL;
    node_task_number(node, task);
    task->kind = kind;
    task->timer.kind = TIMER_TASK;
    task->started = node->now;
    list_init(&task->in_load);
    return task;
}

struct node_task *node_task_find(struct node *node, uint64_t id)
{
    struct node_task *task = pool_at(&node->tasks, (uint32_t)(id % node->tasks.capacity));

    return id != 0 && task->id == id ? task : NULL;
}

void node_task_end(struct node *node, struct node_task *task)
{
    heap_remove(&node->timers, &task->timer.in_timers);
    list_remove(&task->in_load);
    blob_drop(&task->memory);
    blob_drop(&task->object);
    blob_drop(&task->done);
    task->id = 0;
    pool_give(&node->tasks, task);
}

/* Copies what an op's slices point at, so that it outlives the event. */
bool node_task_keep(struct node_task *task, const struct op *op)
{
    struct slice *parts[] = {&task->op.ns,    &task->op.key,     &task->op.prefix,
                             &task->op.after, &task->op.context, &task->op.meta,
                             &task->op.body,  &task->op.session, &task->op.idempotency};
    size_t size = 0, at = 0;

    task->op = *op;
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        size += parts[i]->size;
    task->memory = blob_new(size);
    if (!task->memory)
        return false;
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i]->size)
            memcpy(task->memory->data + at, parts[i]->data, parts[i]->size);
        parts[i]->data = task->memory->data + at;
        at += parts[i]->size;
    }
    return true;
}

void node_task_hash(struct node *node, struct node_task *task)
{
    task->hash_front = node_front(node, task->op.ns, task->op.key);
}

/* The deadline of the whole request; every hop and every try lies within it. */
void node_task_timed(struct node *node, struct node_task *task, uint32_t timeout_ms)
{
    if (timeout_ms == 0)
        timeout_ms = node->config.request_timeout_ms;
    if (timeout_ms > REQUEST_TIMEOUT_MAX_MS)
        timeout_ms = REQUEST_TIMEOUT_MAX_MS; /* a peer's word: the edge refuses more */
    task->deadline = node->now + INSTANT_MS(timeout_ms);
    heap_set(&node->timers, &task->timer.in_timers, task->deadline + GRACE_US);
}

bool node_task_is_write(const struct node_task *task)
{
    return node_op_is_write(&task->op);
}

/* Tells whether a task runs an operation here, for whomever. */
static bool task_coordinates(const struct node_task *task)
{
    return task->kind == TASK_CLIENT || task->kind == TASK_OP || task->kind == TASK_RECORD;
}

/* Decides who coordinates. */
void node_task_begin(struct node *node, struct node_task *task)
{
    struct place_owners owners;

    task->step = STEP_START;
    node_update_reset(task);
    if (node->phase != NODE_OPEN || !node->is_founded) {
        node_task_fail(node, task, STATUS_NOT_READY);
        return;
    }
    if (node->stray.version != 0 && task->op.key.size > 0)
        node_task_hash(node, task); /* its namespace may be of another class by now */
    if (node_list_asks_all(node, task))
        return;
    if (!node_key_is_in_cell(node, task->hash_front)) {
        node_locate(node, task);
        return;
    }
    place_owners(node->place, place_partition(node->place, task->hash_front), &owners);
    if (owners.base_count == 0) {
        node_task_fail(node, task, STATUS_NOT_READY);
        return;
    }
    for (uint8_t i = 0; i < owners.count; i++) {
        if (owners.peers[i].id8 != node->self || !owners.peers[i].is_base)
            continue;
        if (task->kind == TASK_CLIENT && ((node->is_draining && owners.base_count > 1) ||
                                          (node->is_read_only && node_task_is_write(task))))
            break;
        node_coord_begin(node, task);
        return;
    }
    if (task->kind == TASK_CLIENT)
        node_forward(node, task, &owners);
    else
        node_task_fail(node, task, node->is_read_only ? STATUS_READ_ONLY : STATUS_NOT_OWNER);
}

/* Layouts differed. Whoever knew less was sent the newest record, ahead of what we send now: so at
 * once first. If that was not all, tables are compared, and we try less and less often. */
void node_task_pause(struct node *node, struct node_task *task)
{
    uint64_t pause = task->pauses ? INSTANT_MS(1) << (task->pauses - 1u) : 0;

    if (task->pauses < 6)
        task->pauses++;
    node_task_pause_for(node, task, pause < PAUSE_US ? pause : PAUSE_US);
}

void node_task_pause_for(struct node *node, struct node_task *task, uint64_t pause_us)
{
    if (node->now + pause_us >= task->deadline) {
        node_task_fail(node, task, STATUS_DEADLINE);
        return;
    }
    node_task_number(node, task); /* a late refusal of this try must not count in the next */
    task->was_sent |= task->is_sent;
    task->step = STEP_PAUSE;
    heap_set(&node->timers, &task->timer.in_timers, node->now + pause_us);
}

void node_task_expired(struct node *node, struct node_task *task)
{
    if (task->step == STEP_PAUSE) {
        heap_set(&node->timers, &task->timer.in_timers, task->deadline + GRACE_US);
        node_task_begin(node, task);
        return;
    }
    if (task->leads) {
        node_group_expired(node, task);
        return;
    }
    if (task->step == STEP_AWAY && node->now < task->deadline) {
        node_forward_again(node, task);
        return;
    }
    if (task->op.kind == OP_LOOKUP)
        node_verify_finish(node, task);
    else if (task->op.kind == OP_JOBS)
        node_jobs_finish(node, task);
    else if (task->op.kind == OP_KEYS)
        node_keys_look(node, task, true);
    else if (task_coordinates(task) || task->kind == TASK_ROW)
        node_task_fail(node, task, STATUS_DEADLINE);
    else if (task->kind == TASK_HINT)
        node_hint_ended(node, task, STATUS_DEADLINE);
    else
        node_task_end(node, task);
}

/* Looks at the row a task needs and goes on, now or when it was read from disk. */
void node_task_load(struct node *node, struct node_task *task)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice object, row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, room);
    enum status status = STATUS_COLD;

    if (!node_row_read(node, row_key))
        status = node_row_get(node, row_key, node_task_merges(task), &object);
    if (status != STATUS_COLD) {
        node_task_row(node, task, status, object);
        return;
    }
    task->step = STEP_LOAD;
    if (!node_row_wait(node, task, row_key))
        node_task_row(node, task, STATUS_OVERLOAD, SLICE_NONE);
}

/* A cold row has come. What was queued meanwhile is newer than the disk. */
void node_task_loaded(struct node *node, struct node_task *task, enum status status,
                      struct slice object)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice queued, row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, room);

    if (node_task_merges(task) && store_pending_get(node->pending, row_key)) {
        status = node_row_get(node, row_key, true, &queued);
        object = queued;
    }
    node_task_row(node, task, status, object);
}

void node_task_row(struct node *node, struct node_task *task, enum status status,
                   struct slice object)
{
    if (status == STATUS_CORRUPT)
        node_task_found_bad(node, task);
    switch (task->kind) {
    case TASK_CLIENT:
    case TASK_OP:
    case TASK_RECORD:
        node_coord_row(node, task, status, object);
        break;
    case TASK_PUT:
    case TASK_MERGE:
    case TASK_REPAIR:
    case TASK_MEND:
        node_replica_merge(node, task, status, object);
        break;
    case TASK_SETTLE:
        node_gc_settle_row(node, task, status, object);
        break;
    case TASK_GET:
        node_replica_show(node, task, status, object);
        break;
    case TASK_GIVE:
        node_batch_row(node, task, status, object);
        node_task_end(node, task);
        break;
    case TASK_HINT:
        node_hint_row(node, task, status, object);
        break;
    case TASK_ROW: /* it loads nothing */
        break;
    }
}

void node_task_stored(struct node *node, uint64_t id, enum status status)
{
    struct node_task *task = node_task_find(node, id);

    if (!task)
        return;
    if (task->step == STEP_COMMIT)
        node_update_committed(node, task, status);
    else if (task_coordinates(task))
        quorum_stored(node->quorum, node->now, id, status);
    else
        node_replica_stored(node, task, status);
}
