/* node_coord.c: this peer is an owner and runs the operation: quorum read, condition, dot, quorum
 * write (protocols.md 7.1). The counting is quorum's, the merging crdt's; here they meet. */
#include "node_impl.h"
#include "node_parts.h"

/* A delete without context covers what a read shows, and a condition is checked against it: both
 * read first. So does what replaces only the dots it finds. */
bool node_coord_reads_first(const struct node_task *task)
{
    return task->op.kind == OP_GET || task->op.condition != 0 ||
           (task->op.kind == OP_DELETE && task->op.context.size == 0) || node_update_observes(task);
}

void node_coord_begin(struct node *node, struct node_task *task)
{
    if (node_once_holds(node, task))
        return;
    node_update_begin(task);
    node_space_complete(node, &task->op);
    node_task_load(node, task);
}

/* The owners of the task's partition as quorum wants them: this peer first, then the best. */
void node_coord_request(struct node *node, struct node_task *task, struct quorum_request *request,
                        struct quorum_owner *room)
{
    struct place_owners owners;
    uint64_t ids[SET_MAX] = {0};
    uint8_t order[SET_MAX];

    place_owners(node->place, place_partition(node->place, task->hash_front), &owners);
    for (uint8_t i = 0; i < owners.count; i++)
        ids[i] = owners.peers[i].id8;
    balance_rank(node->balance, node->now, ids, owners.count, order);
    for (uint8_t i = 0; i < owners.count; i++) {
        uint8_t at = order[i];
        bool is_self = ids[at] == node->self;

        room[i] =
            (struct quorum_owner){.id8 = ids[at],
                                  .is_base = owners.peers[at].is_base,
                                  .is_target = owners.peers[at].is_target,
                                  .is_self = is_self,
                                  .is_reachable = is_self || node_peer_is_reachable(node, ids[at])};
    }
    *request = (struct quorum_request){.id = task->id,
                                       .consistency = task->op.consistency,
                                       .deadline = task->deadline,
                                       .gc = task->gc,
                                       .ns = task->op.ns,
                                       .key = task->op.key,
                                       .owners = room,
                                       .owner_count = owners.count,
                                       .base_count = owners.base_count,
                                       .target_count = owners.target_count};
}

static void coord_read(struct node *node, struct node_task *task, enum status status,
                       struct slice object)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    struct dot wanted[SESSION_ENTRIES_MAX];

    node_coord_request(node, task, &request, owners);
    /* What this peer holds in recovery may be older than a drop: it lends nothing. */
    request.object = node->is_recovering ? SLICE_NONE : object;
    request.gc = node_gc_number(node, task->hash_front);
    request.is_local_counted = !node->is_recovering && !node_task_is_bad(node, task) &&
                               (status == STATUS_OK || status == STATUS_MISSING);
    task->step = STEP_READ;
    status = node_session_read(node, task, &request, wanted);
    if (status == STATUS_OK)
        status = quorum_get(node->quorum, node->now, &request);
    if (status != STATUS_OK && !node_session_waits(node, task, status))
        node_task_fail(node, task, status);
}

/* Puts the task's own write into `object`. OK, or why it is refused. */
static enum status coord_apply(struct node *node, struct node_task *task,
                               struct crdt_object *object)
{
    const struct op *op = &task->op;
    struct crdt_scope scope = {node->founding.hash_seed, op->ns, op->key};
    struct crdt_context *context = NULL;
    struct crdt_value value = {.kind = op->kind == OP_PUT ? CRDT_VALUE : CRDT_TOMBSTONE};
    const struct crdt_object *seen = node_seen(node, op, object);
    uint64_t above = crdt_object_stamp_max(object);
    uint16_t at;

    if (node_session_above(node, op, &above) != STATUS_OK)
        return STATUS_SESSION;
    task->is_created = !crdt_object_winner(seen, &at) || seen->values[at].kind == CRDT_TOMBSTONE;
    if (!node_condition_holds(op, seen))
        return STATUS_PRECONDITION;
    if (op->kind == OP_DELETE && !op->type &&
        (crdt_object_types(seen) & (1u << CRDT_SET | 1u << CRDT_MAP)))
        return STATUS_TYPE; /* the edge removes what is in it first */
    if (op->kind == OP_UPDATE || (op->type && op->type != TYPE_ALL))
        return node_update_apply(node, task, object, above);
    if (op->kind == OP_PUT && (crdt_object_types(seen) & ~(1u << CRDT_VALUE)) != 0)
        return STATUS_TYPE;
    if (op->context.size) {
        context = &node->context;
        if (crdt_context_decode(op->context, &scope, context) != STATUS_OK ||
            crdt_context_guard(context, object, node->clock.last) != STATUS_OK)
            return STATUS_CONTEXT;
        if (crdt_context_stamp_max(context) > above)
            above = crdt_context_stamp_max(context);
    }
    if (!context && (op->condition & CONDITION_MATCH)) {
        /* If-Match names one value: that one is replaced, its siblings stay. */
        context = &node->context;
        crdt_context_of_shown(seen, at, context);
    }
    if (op->kind == OP_DELETE && object->value_count == 0 && !context)
        return STATUS_MISSING;
    if (op->kind == OP_PUT) {
        value.meta = op->meta;
        value.body = op->body;
        value.body_size = (uint32_t)op->body.size;
        value.expires = task->expires = node_expiry(node, op);
    }
    task->dot = node_actor_dot(node, task, above);
    return crdt_object_write(object, context, task->dot.actor, task->dot.stamp, &value);
}

/* Keeps the new state with the task: a retry sends the same bytes under the same dot. */
static enum status coord_encode(struct node *node, struct node_task *task,
                                struct crdt_object *object)
{
    node_space_resolve(node, &task->op, object);

    struct blob *bytes = blob_new(crdt_object_size(object));
    struct writer out;

    if (!bytes)
        return STATUS_MEMORY;
    out = writer_over(bytes->data, bytes->size);
    if (crdt_object_encode(object, &out) != STATUS_OK)
        ensure_unreachable();
    blob_drop(&task->object);
    task->object = bytes;
    return STATUS_OK;
}

static void coord_send(struct node *node, struct node_task *task, const struct hash16 *before)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    enum status status;

    node_coord_request(node, task, &request, owners);
    request.object = blob_slice(task->object);
    task->step = STEP_WRITE;
    status = quorum_put(node->quorum, node->now, &request);
    if (status != STATUS_OK) {
        node_task_fail(node, task, status);
        return;
    }
    task->is_sent = true;
    status = node_write_object(node, task, request.object, &node->object_a, before);
    if (status == STATUS_OK)
        return;
    node_actor_end(
        node,
        place_partition(node->place, task->hash_front)); /* others may hold what this row lacks */
    quorum_stored(node->quorum, node->now, task->id, status);
}

/* Tells whether there is nothing to remove although this peer acknowledges nothing new: what a
 * quorum was found to hold, or nothing at all. A tombstone that lies at fewer owners, of a removal
 * that failed half way or is on its way to the disk, is written once more under its own dot. */
static bool coord_is_gone(const struct node_task *task, const struct crdt_object *object,
                          const struct crdt_object *read)
{
    return object->entry_count == 0 || (task->is_settled && crdt_object_dominates(read, object));
}

static void coord_write(struct node *node, struct node_task *task, enum status status,
                        struct slice row)
{
    struct crdt_object *object = &node->object_a, *more = &node->object_b;
    struct hash16 before = {{0}};
    struct slice kept;
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];

    crdt_object_clear(object);
    if (status == STATUS_OK && crdt_object_decode(row, object) != STATUS_OK)
        status = STATUS_CORRUPT;
    if (status == STATUS_CORRUPT && node_update_commits_first(task)) {
        node_task_fail(node, task, status); /* our own totals are in it */
        return;
    }
    task->was_dead = status == STATUS_OK && crdt_object_is_dead(object, 0);
    task->was_split = status == STATUS_OK && node_object_is_split(object);
    if (status == STATUS_OK)
        before = crdt_object_fingerprint(
            node->founding.hash_seed,
            store_key_obj(task->hash_front, task->op.ns, task->op.key, room), object);
    if (status != STATUS_OK && status != STATUS_MISSING && status != STATUS_CORRUPT) {
        node_task_fail(node, task, status);
        return;
    }
    if (!node_gc_forgets(node, task, object))
        return;
    kept = blob_slice(task->object);
    /* What a quorum showed, or what an earlier try of this very write made. */
    status = crdt_object_decode(kept, more);
    if (status == STATUS_OK)
        status = crdt_object_merge(object, more);
    if (status == STATUS_OK && !task->is_written) {
        status = coord_apply(node, task, object);
        task->is_written = status == STATUS_OK;
        if (status == STATUS_MISSING && !coord_is_gone(task, object, more)) {
            task->dot = (struct dot){0};
            task->is_settled = false; /* of what was read, not of what is written now */
            status = STATUS_OK;
        }
    }
    if (status == STATUS_OK)
        status = coord_encode(node, task, object);
    if (status != STATUS_OK) {
        node_coord_refused(node, task, status);
        return;
    }
    if (node_update_commits_first(task))
        node_update_commit(node, task, &before);
    else
        coord_send(node, task, &before);
}

void node_coord_row(struct node *node, struct node_task *task, enum status status,
                    struct slice object)
{
    enum node_update_next next = node_update_next(node, task, status, object);

    if (next == UPDATE_ELEMENT)
        node_update_element(node, task);
    else if (next == UPDATE_READ || (node_coord_reads_first(task) && !task->is_read_done))
        coord_read(node, task, status, object);
    else
        coord_write(node, task, status, object);
}

/* quorum has counted. `done` lives in the arena of this step. */
void node_coord_done(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    struct node_outcome outcome = {0};

    if (done->status == STATUS_LAYOUT) {
        node_task_pause(node, task);
        return;
    }
    if (task->step == STEP_READ && node_session_waits(node, task, done->status))
        return;
    node_quorum_outcome(node, done, &outcome);
    if (task->step == STEP_WRITE && done->status == STATUS_OK && done->lacking > 0 && node->hints)
        outcome.route[0].roles |= ROLE_HINT;
    if (task->step == STEP_READ && done->status == STATUS_OK && task->op.kind != OP_GET) {
        task->gc = done->gc;
        blob_drop(&task->object);
        task->object = blob_copy(done->object);
        task->is_read_done = true;
        task->is_settled = done->is_settled;
        node_task_load(node, task);
        return;
    }
    if (task->step == STEP_READ)
        outcome.object = done->object;
    if (task->step == STEP_READ && done->status != STATUS_OK && task->op.kind != OP_GET)
        outcome.outcome = OUTCOME_NOT_STORED; /* it failed while reading: nothing was written */
    if (task->step == STEP_WRITE && done->status == STATUS_OK && task->path_size) {
        node_update_element(node, task); /* its head is there now */
        return;
    }
    if (task->step == STEP_WRITE && done->status == STATUS_OK && task->op.shows)
        outcome.object = blob_slice(task->object);
    if (task->step == STEP_WRITE && done->status == STATUS_OK && task->dot.stamp != 0) {
        outcome.is_created = task->is_created;
        outcome.etag = crdt_etag(task->dot.actor, task->dot.stamp);
        outcome.expires = task->expires;
        outcome.context = node_write_context(node, task);
    }
    node_session_next(node, task, done, &outcome);
    node_finish(node, task, &outcome);
}
