/* node_verify.c: a lookup that asks every owner which version it holds, so that a person can see
 * whether they agree. Rows wait in the task's object until all have answered or time is up. */
#include "node_impl.h"
#include "node_parts.h"

struct result_owner *node_verify_rows(const struct node_task *task, uint32_t *count)
{
    *count = (uint32_t)(task->object->size / sizeof(struct result_owner));
    return (struct result_owner *)(void *)task->object->data;
}

/* Shows what came and ends the task. */
void node_verify_finish(struct node *node, struct node_task *task)
{
    struct node_outcome outcome = {.status = STATUS_OK};
    struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);
    uint32_t count;

    node_query_owners(node, &task->op, result);
    (void)node_verify_rows(task, &count);
    if (result->owner_count == count)
        result->owners = (const struct result_owner *)(const void *)effects_copy(
                             node->fx, blob_slice(task->object))
                             .data;
    node_task_end(node, task);
}

static void verify_ask(struct node *node, const struct node_task *task, uint64_t id8)
{
    struct frame head = {.priority = 1, .request = task->id};
    struct message get = {
        .kind = MESSAGE_GET_OBJ,
        .get_obj = {.layout = place_layout(node->place), .ns = task->op.ns, .key = task->op.key}};

    if (id8 == node->self)
        node_replica_asked(node, id8, &head, &get);
    else
        (void)node_send(node, id8, &head, &get); /* silence shows as DEADLINE */
}

void node_verify_begin(struct node *node, struct node_task *task)
{
    struct result asked = {.kind = OP_LOOKUP};
    struct result_owner *rows;
    uint64_t id = task->id;
    uint32_t count;

    node_query_owners(node, &task->op, &asked);
    task->step = STEP_LIST;
    task->object = blob_copy(slice_of(asked.owners, asked.owner_count * sizeof(*rows)));
    if (!task->object) {
        node_task_fail(node, task, STATUS_MEMORY);
        return;
    }
    rows = node_verify_rows(task, &count);
    for (uint32_t i = 0; i < count; i++) {
        rows[i].answer = STATUS_DEADLINE;
        rows[i].hints = 0; /* this peer's own are told like those of others */
    }
    heap_set(&node->timers, &task->timer.in_timers, task->deadline);
    for (uint32_t i = 0; i < asked.owner_count; i++)
        node_lag_ask(node, task, id_front(&asked.owners[i].id));
    for (uint32_t i = 0; i < asked.owner_count && node_task_find(node, id); i++)
        verify_ask(node, task, id_front(&asked.owners[i].id));
}

/* One owner's copy. False: this is no lookup's answer. */
bool node_verify_answered(struct node *node, uint64_t request, const struct quorum_answer *answer)
{
    struct node_task *task = node_task_find(node, request);
    struct crdt_object *object = &node->object_b;
    struct result_owner *rows;
    uint32_t count, open = 0;
    uint16_t index;

    if (!task || task->op.kind != OP_LOOKUP || task->kind != TASK_CLIENT)
        return false;
    rows = node_verify_rows(task, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (id_front(&rows[i].id) == answer->from && rows[i].answer == STATUS_DEADLINE) {
            rows[i].answer =
                answer->status == STATUS_NOT_MODIFIED ? STATUS_MISSING : answer->status;
            if (answer->status == STATUS_OK &&
                crdt_object_decode(answer->object, object) == STATUS_OK &&
                crdt_object_winner(object, &index))
                rows[i].etag = crdt_etag(object->values[index].actor, object->values[index].stamp);
        }
        open += rows[i].answer == STATUS_DEADLINE;
    }
    if (open == 0)
        node_verify_finish(node, task);
    return true;
}
