/* node_restore.c: rows of an archive come in. Each is merged with whatever its owners hold, durably
 * at W of them, like the write of a coordinator that knows the new state already; no dot is made,
 * so restoring twice changes nothing, and what the cluster knows to be overwritten or deleted stays
 * so. Any peer does this for any row: hash, partition and owners are those of this cluster.
 *
 *   request  rows r1 r2 r3 ...    checked as a whole before the first is written
 *      |---- TASK_ROW r1 --quorum_put--> owners        at most RESTORE_ROWS_MAX at once
 *      |---- TASK_ROW r2 ...
 *      '---- all durable: OK; else why the first one that failed did, when the others have ended
 */
#include "node_impl.h"
#include "node_parts.h"
#include "rows.h"

/* Looks at every row. Stamps of other times move the clock as any peer's do, and no further. */
static bool restore_is_sound(struct node *node, struct slice body)
{
    struct reader in = reader_over(body);
    enum status status;
    struct row row;

    while ((status = row_read(&in, &row)) == STATUS_OK) {
        if (crdt_object_decode(row.object, &node->object_b) != STATUS_OK)
            return false;
        crdt_clock_observe(&node->clock, node->wall_ms, crdt_object_stamp_max(&node->object_b));
    }
    return status == STATUS_END;
}

/* Tells the client when nothing is in work and nothing will be. */
static void restore_settle(struct node *node, struct node_task *task)
{
    struct node_outcome outcome = {.status = task->first_status};
    uint32_t rows = task->rows;

    if (task->open > 0 ||
        (task->first_status == STATUS_OK && task->used < (uint32_t)task->op.body.size))
        return;
    if (!task->is_cancelled)
        node_reply_client(node, &task->op, task->ticket, &outcome)->row_count = rows;
    node_task_end(node, task);
}

/* How many rows may be in work: they take a task here and one where they are stored, and clients
 * go on. */
static uint32_t restore_room(const struct node *node)
{
    uint32_t share = node->config.operations_max / 4;

    return share == 0 ? 1 : share < RESTORE_ROWS_MAX ? share : RESTORE_ROWS_MAX;
}

/* Starts rows while there is room for them. */
static void restore_fill(struct node *node, struct node_task *task)
{
    task->is_filling = true;
    while (task->first_status == STATUS_OK && task->open < restore_room(node) &&
           task->used < task->op.body.size) {
        struct reader in =
            reader_over(slice_of(task->op.body.data + task->used, task->op.body.size - task->used));
        struct op op = {
            .kind = OP_RESTORE, .consistency = task->op.consistency, .replace = task->op.replace};
        struct node_task *child;
        struct row row;

        if (row_read(&in, &row) != STATUS_OK)
            ensure_unreachable(); /* it was read before */
        op.ns = row.ns;
        op.key = row.name;
        child = node_replica_task(node, TASK_ROW, &op, row.object);
        if (!child) {
            if (task->open == 0) /* else those in work make room */
                task->first_status = STATUS_OVERLOAD;
            break;
        }
        task->used += (uint32_t)row_size(&row);
        task->open++;
        child->origin = task->id;
        child->deadline = task->deadline;
        node_task_begin(node, child);
    }
    task->is_filling = false;
}

void node_restore_begin(struct node *node, struct node_task *task)
{
    task->step = STEP_WRITE;
    if (task->op.body.size > RESTORE_BODY_MAX || !restore_is_sound(node, task->op.body)) {
        node_task_fail(node, task, STATUS_BAD);
        return;
    }
    restore_fill(node, task);
    restore_settle(node, task);
}

/* Reads what is there of a row that is to be superseded: a scan of this one row. */
static enum status restore_read(struct node *node, struct node_task *child)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    uint8_t *until = effects_alloc(node->fx, STORE_KEY_SIZE_MAX + 1);
    struct slice row_key = store_key_obj(child->hash_front, child->op.ns, child->op.key, until);

    until[row_key.size] = 0; /* the smallest row key behind it */
    node_coord_request(node, child, &request, owners);
    request.ns = request.key = SLICE_NONE;
    request.from = row_key;
    request.until = slice_of(until, row_key.size + 1);
    request.limit = 1;
    request.bytes_max = SCAN_BYTES_MAX;
    child->step = STEP_READ;
    return quorum_scan(node->quorum, node->now, &request);
}

/* The row as it was at R owners, or nothing: makes the state that takes its place. */
static enum status restore_supersede(struct node *node, struct node_task *child, struct slice rows)
{
    struct reader in = reader_over(rows);
    struct slice present = SLICE_NONE;
    enum status status;
    struct writer out;
    struct blob *made;

    if (reader_left(&in) > 0) {
        (void)read_slice(&in, read_u16(&in));
        present = read_slice(&in, read_u32(&in));
    }
    status = crdt_object_decode(present, &node->object_a);
    if (status == STATUS_OK)
        status = crdt_object_decode(blob_slice(child->object), &node->object_b);
    if (status == STATUS_OK)
        status = node_replace(node, child->op.replace);
    if (status != STATUS_OK)
        return status;
    made = blob_new(crdt_object_size(&node->object_a));
    if (!made)
        return STATUS_MEMORY;
    out = writer_over(made->data, made->size);
    status = crdt_object_encode(&node->object_a, &out);
    ensure(status == STATUS_OK);
    blob_drop(&child->object);
    child->object = made;
    child->is_read_done = true;
    return STATUS_OK;
}

/* One row: this peer counts, its owners store; perhaps it is one of them. */
static void restore_row(struct node *node, struct node_task *child)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    enum status status = STATUS_UNSUPPORTED; /* of another cell: restore there */
    struct frame head = {.request = child->id};
    struct message put = {.kind = MESSAGE_PUT_OBJ};
    bool is_ours = false;

    child->step = STEP_WRITE;
    heap_set(&node->timers, &child->timer.in_timers, child->deadline);
    if (node_key_is_in_cell(node, child->hash_front) && child->op.replace && !child->is_read_done) {
        status = restore_read(node, child);
    } else if (node_key_is_in_cell(node, child->hash_front)) {
        node_coord_request(node, child, &request, owners);
        request.object = blob_slice(child->object);
        request.gc = UINT32_MAX; /* whoever restores wants it, whatever was collected since */
        status = quorum_put(node->quorum, node->now, &request);
        for (uint8_t i = 0; i < request.owner_count; i++)
            is_ours |= owners[i].is_self;
    }
    if (status == STATUS_OVERLOAD)
        node_task_pause(node, child);
    else if (status != STATUS_OK)
        node_restore_ended(node, child, status);
    if (status != STATUS_OK)
        return;
    if (!is_ours) /* or it is only read as yet */
        return;
    put.put_obj = (struct message_put_obj){.layout = place_layout(node->place),
                                           .ns = child->op.ns,
                                           .key = child->op.key,
                                           .object = request.object,
                                           .gc = UINT32_MAX};
    node_replica_asked(node, node->self, &head, &put);
}

/* Begins or takes up again what works on rows: a scan, a restore, one of its rows. */
void node_rows_begin(struct node *node, struct node_task *task)
{
    if (task->kind == TASK_ROW)
        restore_row(node, task);
    else if (task->op.kind == OP_SCAN)
        node_scan_begin(node, task);
    else
        node_restore_begin(node, task);
}

void node_restore_done(struct node *node, struct node_task *child, const struct quorum_output *done)
{
    enum status status = done->status;
    bool is_read = child->step == STEP_READ;

    if (status == STATUS_OK && is_read)
        status = restore_supersede(node, child, done->object);
    if (status == STATUS_LAYOUT || status == STATUS_OVERLOAD) {
        node_task_pause(node, child);
    } else if (status == STATUS_OK && is_read) {
        node_task_number(node, child);
        restore_row(node, child);
    } else {
        node_restore_ended(node, child, status);
    }
}

/* A row is durable, or failed; the next ones take its place. */
void node_restore_ended(struct node *node, struct node_task *child, enum status status)
{
    struct node_task *task = node_task_find(node, child->origin);

    quorum_cancel(node->quorum, child->id);
    if (child->is_carried)
        node_stray_ended(node, child, status);
    node_task_end(node, child);
    if (!task)
        return; /* told already: its time was up */
    task->open--;
    task->rows += status == STATUS_OK;
    if (status != STATUS_OK && task->first_status == STATUS_OK)
        task->first_status = status;
    if (task->is_filling)
        return;
    restore_fill(node, task);
    restore_settle(node, task);
}
