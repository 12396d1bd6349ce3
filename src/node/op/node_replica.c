/* node_replica.c: work another peer asks of this one as a replica: merge its object, show our copy.
 * Arrival is a merge, so order and repetition do not matter; an acknowledgement means durable. */
#include "gc/node_gc.h"
#include "node_parts.h"

/* What is shown of a row, and the partition's number when it was read. */
struct replica_copy {
    struct slice object;
    uint32_t gc;
};

/* What the asker's layout makes of its question: a write counted under one layout must not be
 * acknowledged by a peer that acts under another. */
enum status node_replica_admits(struct node *node, uint64_t peer, uint64_t layout)
{
    if (node->phase != NODE_OPEN || !node->is_founded)
        return STATUS_NOT_READY;
    if (layout != place_layout(node->place)) {
        node_place_differs(node, peer);
        return STATUS_LAYOUT;
    }
    return STATUS_OK;
}

static void replica_ack(struct node *node, uint64_t to, uint64_t request, enum status status)
{
    struct message ack = {.kind = MESSAGE_PUT_ACK,
                          .put_ack = {.status = (uint8_t)status,
                                      .layout = node->place ? place_layout(node->place) : 0,
                                      .load = node_load(node)}};

    if (to == node->self) { /* a row that is restored and ours as well */
        quorum_stored(node->quorum, node->now, request, status);
        return;
    }
    if (request != 0) /* read repair and hand-off are not acknowledged */
        node_send_reply(node, to, request, &ack);
}

static void replica_answer(struct node *node, uint64_t to, uint64_t request, enum status status,
                           const struct replica_copy *copy)
{
    struct message obj = {.kind = MESSAGE_OBJ,
                          .obj = {.status = (uint8_t)status,
                                  .layout = node->place ? place_layout(node->place) : 0,
                                  .load = node_load(node),
                                  .object = copy->object,
                                  .gc = copy->gc}};

    if (to == node->self) { /* a lookup that verifies asks this peer as well */
        struct frame frame = {.flags = FRAME_REPLY, .request = request};

        node_quorum_answered(node, to, &frame, &obj);
        return;
    }
    node_send_reply(node, to, request, &obj);
}

/* A task for one key; `object` is what is to be merged, empty when nothing is. NULL: no room. */
struct node_task *node_replica_task(struct node *node, enum node_task_kind kind,
                                    const struct op *op, struct slice object)
{
    struct node_task *task = node_task_new(node, kind);

    if (!task)
        return NULL;
    task->object = blob_copy(object);
    if (!task->object || !node_task_keep(task, op)) {
        node_task_end(node, task);
        return NULL;
    }
    node_task_hash(node, task);
    task->deadline = INSTANT_NEVER; /* it ends with the store's answer */
    return task;
}

static void replica_put(struct node *node, uint64_t peer, uint64_t request,
                        const struct message_put_obj *put)
{
    enum status status = node_replica_admits(node, peer, put->layout);
    struct node_task *task = NULL;

    if (status == STATUS_OK && node->is_read_only)
        status = STATUS_READ_ONLY;
    if (status == STATUS_OK) {
        struct op op = {.ns = put->ns, .key = put->key};

        task = node_replica_task(node, TASK_PUT, &op, put->object);
        status = task ? STATUS_OK : STATUS_OVERLOAD;
    }
    if (status != STATUS_OK) {
        replica_ack(node, peer, request, status);
        return;
    }
    task->origin = peer;
    task->request = request;
    task->gc = put->gc;
    node_task_load(node, task);
}

static void replica_get(struct node *node, uint64_t peer, uint64_t request,
                        const struct message_get_obj *get)
{
    enum status status = node_replica_admits(node, peer, get->layout);
    struct node_task *task = NULL;

    if (status == STATUS_OK && node->is_recovering)
        status = STATUS_RECOVERING;
    if (status == STATUS_OK) {
        struct op op = {.ns = get->ns, .key = get->key};

        task = node_replica_task(node, TASK_GET, &op, SLICE_NONE);
        status = task ? STATUS_OK : STATUS_OVERLOAD;
    }
    if (status != STATUS_OK) {
        replica_answer(node, peer, request, status, &(struct replica_copy){0});
        return;
    }
    task->origin = peer;
    task->request = request;
    task->digest = get->digest;
    node_task_load(node, task);
}

void node_replica_asked(struct node *node, uint64_t peer, const struct frame *frame,
                        const struct message *message)
{
    bool is_put = message->kind == MESSAGE_PUT_OBJ;

    if (!store_name_is_sound(is_put ? message->put_obj.key : message->get_obj.key))
        return; /* no row may have this name */
    node->jobs.asked++;
    if (is_put && frame->priority == FRAME_PRIORITY_MAX && node->is_recovering)
        node_trace(node, TRACE_HINT_MENDS, peer, 0, 0);
    if (is_put)
        replica_put(node, peer, frame->request, &message->put_obj);
    else
        replica_get(node, peer, frame->request, &message->get_obj);
}

/* Shows our committed copy, unless the asker holds the same. */
void node_replica_show(struct node *node, struct node_task *task, enum status status,
                       struct slice object)
{
    struct crdt_object *ours = &node->object_a;
    struct hash16 digest;

    if (status == STATUS_OK && crdt_object_decode(object, ours) != STATUS_OK)
        status = STATUS_CORRUPT;
    if (node_task_is_bad(node, task))
        status = STATUS_CORRUPT;
    if (status == STATUS_MISSING)
        crdt_object_clear(ours);
    if (status == STATUS_OK || status == STATUS_MISSING) {
        digest = crdt_object_digest(ours);
        if (memcmp(&digest, &task->digest, sizeof(digest)) == 0)
            status = STATUS_NOT_MODIFIED;
    }
    struct replica_copy copy = {.object = status == STATUS_OK ? object : SLICE_NONE,
                                .gc = node_gc_number(node, task->hash_front)};

    replica_answer(node, task->origin, task->request, status, &copy);
    node_task_end(node, task);
}

/* Tells whoever waits for a merge how it went, and ends the task. */
void node_replica_stored(struct node *node, struct node_task *task, enum status status)
{
    if (task->kind == TASK_PUT)
        replica_ack(node, task->origin, task->request, status);
    if (task->kind == TASK_MERGE)
        node_batch_row(node, task, status, SLICE_NONE);
    if (task->kind == TASK_MEND)
        node_mend_ended(node, task, status);
    node_task_end(node, task);
}

/* Tells whether the row will be merged into (queued state counts) or shown (only committed). */
bool node_task_merges(const struct node_task *task)
{
    switch (task->kind) {
    case TASK_CLIENT:
    case TASK_OP:
    case TASK_RECORD:
        return node_task_is_write(task) && (task->is_read_done || !node_coord_reads_first(task));
    case TASK_PUT:
    case TASK_MERGE:
    case TASK_REPAIR:
    case TASK_MEND:
    case TASK_SETTLE:
        return true;
    case TASK_GET:
    case TASK_GIVE:
    case TASK_HINT:
    case TASK_ROW:
        return false;
    }
    ensure_unreachable();
}

/* Merges the asker's object into ours and writes the result if that changed anything. */
void node_replica_merge(struct node *node, struct node_task *task, enum status status,
                        struct slice row)
{
    struct crdt_object *ours = &node->object_a, *theirs = &node->object_b;
    struct hash16 before = {{0}};
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, room);

    if (task->kind == TASK_MEND && task->object->size == 0) {
        node_mend_gone(node, task, status);
        return;
    }
    crdt_object_clear(ours);
    if (status == STATUS_OK && crdt_object_decode(row, ours) != STATUS_OK)
        status = STATUS_CORRUPT;
    if (status == STATUS_OK)
        before = crdt_object_fingerprint(node->founding.hash_seed, row_key, ours);
    task->was_dead = status == STATUS_OK && crdt_object_is_dead(ours, 0);
    task->was_split = status == STATUS_OK && node_object_is_split(ours);
    if (status == STATUS_MISSING || status == STATUS_CORRUPT)
        status = STATUS_OK; /* a damaged row is replaced by what others hold */
    if (status == STATUS_OK && crdt_object_decode(blob_slice(task->object), theirs) != STATUS_OK)
        status = STATUS_BAD;
    if (status == STATUS_OK && crdt_object_dominates(ours, theirs) &&
        !store_pending_get(node->pending, row_key)) {
        node_replica_stored(node, task, STATUS_OK); /* durable here already */
        return;
    }
    if (status == STATUS_OK && node_gc_is_purging(node, task->hash_front))
        status = STATUS_RECOVERING;
    if (status == STATUS_OK && node_gc_is_stale(node, task->origin, task->hash_front, task->gc))
        status = STATUS_STALE;
    if (status == STATUS_OK)
        status = crdt_object_merge(ours, theirs);
    if (status == STATUS_OK) {
        node_space_resolve(node, &task->op, ours);

        size_t size = crdt_object_size(ours);
        struct writer out = writer_over(effects_alloc(node->fx, size), size);

        if (crdt_object_encode(ours, &out) != STATUS_OK)
            ensure_unreachable();
        task->step = STEP_WRITE;
        status = node_write_object(node, task, writer_done(&out), ours, &before);
    }
    if (status != STATUS_OK)
        node_replica_stored(node, task, status);
}

/* A quorum read found our copy stale. */
void node_repair_local(struct node *node, const struct quorum_output *repair)
{
    struct op op = {.ns = repair->ns, .key = repair->key};
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_task *task;

    if (node_row_is_bad(node, node_row_key(node, op.ns, op.key, room)))
        return; /* it waits for more than this read has seen */
    task = node_replica_task(node, TASK_REPAIR, &op, repair->object);
    if (!task)
        return;
    task->gc = repair->gc;
    metric_add(&node->metrics, METRIC_READ_REPAIRS, 1);
    node_task_load(node, task);
}
