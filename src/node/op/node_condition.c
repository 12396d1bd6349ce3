/* node_condition.c: If-Match and If-None-Match against what an object shows, and telling why a
 * write is not made. */
#include "node_impl.h"
#include "node_parts.h"

/* Checks a request's conditions against what is there. */
bool node_condition_holds(const struct op *op, const struct crdt_object *object)
{
    uint16_t index;
    bool is_there, is_named = false;
    uint64_t etag = 0;

    if (op->condition == 0)
        return true;
    is_there = crdt_object_winner(object, &index) && object->values[index].kind != CRDT_TOMBSTONE;
    if (is_there)
        etag = crdt_etag(object->values[index].actor, object->values[index].stamp);
    for (uint8_t i = 0; i < op->etag_count; i++)
        is_named |= is_there && op->etags[i] == etag;
    if ((op->condition & CONDITION_EXISTS) && !is_there)
        return false;
    if ((op->condition & CONDITION_ABSENT) && is_there)
        return false;
    if ((op->condition & CONDITION_MATCH) && !is_named)
        return false;
    return !((op->condition & CONDITION_NONE_MATCH) && is_named);
}

/* The write cannot be made: tell why. Deleting what is not there is done already. */
void node_coord_refused(struct node *node, struct node_task *task, enum status status)
{
    struct node_outcome outcome = {.status = status, .outcome = OUTCOME_NOT_STORED};

    metric_add(&node->metrics, METRIC_SIBLINGS_REFUSED, status == STATUS_SIBLING_LIMIT);
    if (status == STATUS_MISSING)
        outcome = (struct node_outcome){.status = STATUS_OK};
    if (status == STATUS_PRECONDITION)
        outcome.object = blob_slice(task->object);
    if (task->is_read_done)
        node_session_next(node, task, NULL, &outcome);
    if (status == STATUS_TYPE)
        outcome.object = node_update_head_of(node, &node->object_a);
    node_finish(node, task, &outcome);
}

/* The token of a write covers what it discarded and its own dot. */
struct slice node_write_context(struct node *node, const struct node_task *task)
{
    struct crdt_scope scope = {node->founding.hash_seed, task->op.ns, task->op.key};
    SCRATCH uint8_t room[CONTEXT_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));

    if (crdt_object_decode(blob_slice(task->object), &node->object_a) != STATUS_OK)
        return SLICE_NONE;
    crdt_context_of_write(&node->object_a, task->dot.actor, task->dot.stamp, &node->context);
    if (crdt_context_encode(&node->context, &scope, &out) != STATUS_OK)
        return SLICE_NONE;
    return effects_copy(node->fx, writer_done(&out));
}
