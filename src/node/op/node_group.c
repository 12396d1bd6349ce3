/* node_group.c: one request that is work on many rows. The edge keeps a parent; each row is a
 * child, an ordinary task that is coordinated here or forwarded like any other, so rows are written
 * side by side and the committer gathers them into one batch.
 *
 *   OP_UPDATE, many   LIST: a child per change, the first one alone: it makes the head
 *                     \-- a field to remove --> SWEEP --> LIST
 *   OP_DELETE         SWEEP --> LAST: the head
 *   OP_COLLECTION     HEAD --> PAGE ...                                   (node_collect.c)
 *
 * A sweep reads the rows below a path page by page and removes what it has observed; whoever adds
 * meanwhile is not observed and stays. It fails as a whole when one row fails, and a repeat goes on
 * where it ended, because what is removed is not observed again. */
#include "node_impl.h"
#include "node_parts.h"

#define GROUP_BYTES_MAX (8u << 20) /* names or rows gathered */

/* What a group held; its children answer to nobody. */
void node_group_free(struct node_group *group)
{
    buffer_close(&group->names);
    buffer_close(&group->after);
    buffer_close(&group->rows);
    blob_drop(&group->head);
    *group = (struct node_group){.number = group->number + 1};
}

/* Makes a task the parent of a group. False: no room. */
bool node_group_begin(struct node *node, struct node_task *parent)
{
    struct node_group *group = NULL;

    for (unsigned i = 0; i < NODE_GROUPS_MAX && !group; i++)
        if (!node->groups[i].parent)
            group = &node->groups[i];
    if (!group)
        return false;
    *group = (struct node_group){.number = group->number, .parent = parent};
    buffer_init(&group->names, GROUP_BYTES_MAX);
    buffer_init(&group->after, ROW_NAME_SIZE_MAX);
    buffer_init(&group->rows, GROUP_BYTES_MAX * 4);
    parent->step = STEP_GROUP;
    parent->leads = (uint8_t)(group - node->groups + 1);
    parent->path_size = 0;
    if (parent->op.kind == OP_UPDATE && parent->op.idempotency.size > 0)
        node_once_name(node, parent);
    group->stage = parent->op.kind == OP_COLLECTION ? GROUP_HEAD
                   : parent->op.kind == OP_DELETE   ? GROUP_SWEEP
                                                    : GROUP_LIST;
    heap_set(&node->timers, &parent->timer.in_timers, parent->deadline);
    node_group_run(node, group);
    return true;
}

/* The parent's task ends; children that are out answer to nobody. */
void node_group_end(struct node *node, struct node_task *parent)
{
    struct node_group *group = &node->groups[parent->leads - 1];

    parent->leads = 0;
    node_group_free(group);
}

/* Starts one child. False: all tasks are taken. */
bool node_group_child(struct node *node, struct node_group *group, const struct op *op)
{
    struct node_task *child = node_task_new(node, TASK_CLIENT);

    if (!child)
        return false;
    if (!node_task_keep(child, op)) {
        node_task_end(node, child);
        return false;
    }
    child->group = (uint8_t)(group - node->groups + 1);
    child->group_number = group->number;
    child->deadline = group->parent->deadline;
    heap_set(&node->timers, &child->timer.in_timers, child->deadline);
    node_task_hash(node, child);
    group->open++;
    node_task_begin(node, child);
    return true;
}

/* An op of the parent's for one row. */
struct op node_group_op(const struct node_group *group, enum op_kind kind)
{
    const struct op *op = &group->parent->op;

    return (struct op){.kind = kind,
                       .consistency = op->consistency,
                       .ns = op->ns,
                       .key = op->key,
                       .context =
                           kind == OP_UPDATE || kind == OP_DELETE ? op->context : SLICE_NONE};
}

/* Each row of a request with an idempotency key has a key of its own, made of it. */
static void group_once(struct node *node, const struct node_group *group, struct slice name,
                       struct op *op)
{
    struct slice once = group->parent->op.idempotency;
    size_t size = once.size + name.size;
    struct writer out = writer_over(effects_alloc(node->fx, size + 1), size);
    struct hash16 hash;

    if (once.size == 0)
        return;
    write_slice(&out, once);
    write_slice(&out, name);
    hash = hash_sip128(node->founding.hash_seed, out.data, out.size);
    op->idempotency = effects_copy(node->fx, slice_of(hash.bytes, sizeof(hash.bytes)));
}

/* Starts the change of one row. */
bool node_group_row(struct node *node, struct node_group *group, struct slice name,
                    enum crdt_kind type, struct slice arg)
{
    struct op op = node_group_op(group, OP_UPDATE);

    group_once(node, group, name, &op);
    op.key = name;
    op.type = (uint8_t)type;
    op.body = arg;
    if (type != CRDT_TOMBSTONE && type != CRDT_MVREGISTER && type != CRDT_FLAG)
        op.context = SLICE_NONE;
    return node_group_child(node, group, &op);
}

/* --- what children answer */

/* The route of the first row is told; of the others, who failed: some row was done twice, perhaps.
 */
static void group_route(struct node_outcome *sum, const struct node_outcome *row)
{
    bool is_first = sum->route_count == 0;

    for (uint8_t i = 0; i < row->route_count; i++) {
        bool is_known = !is_first && !(row->route[i].roles & ROLE_FAILED);

        for (uint8_t k = 0; k < sum->route_count && !is_known; k++)
            is_known = sum->route[k].id8 == row->route[i].id8 &&
                       sum->route[k].roles == row->route[i].roles;
        if (!is_known && sum->route_count < ROUTE_MAX)
            sum->route[sum->route_count++] = row->route[i];
    }
}

static void group_sum(struct node_group *group, enum op_kind kind,
                      const struct node_outcome *outcome)
{
    struct node_outcome *sum = &group->sum;

    if (outcome->status == STATUS_OK) {
        group->oks += kind == OP_UPDATE || kind == OP_DELETE;
        if (outcome->total > 0) {
            if (sum->total == 0 || outcome->acks < sum->acks)
                sum->acks = outcome->acks;
            sum->required = outcome->required;
            sum->total = outcome->total;
        }
        group_route(sum, outcome);
        return;
    }
    if (outcome->outcome > sum->outcome)
        sum->outcome = outcome->outcome;
    if (sum->status != STATUS_OK)
        return;
    sum->status = outcome->status;
    sum->absent = outcome->absent;
    sum->required = outcome->required;
    sum->total = outcome->total;
    if (outcome->status == STATUS_TYPE)
        group->head = blob_copy(outcome->object);
}

/* Tells the outcome of all; the parent's task ends. */
void node_group_finish(struct node *node, struct node_group *group)
{
    struct node_task *parent = group->parent;
    struct node_outcome outcome = group->sum;

    outcome.object = effects_copy(node->fx, blob_slice(group->head));
    if (outcome.status != STATUS_OK && parent->op.kind != OP_COLLECTION && group->oks > 0) {
        outcome.outcome = OUTCOME_PARTIAL;
        /* an answer below 500 would say that nothing was applied */
        if (outcome.status == STATUS_TYPE || outcome.status == STATUS_OVERFLOW ||
            outcome.status == STATUS_CONTEXT || outcome.status == STATUS_SIBLING_LIMIT ||
            outcome.status == STATUS_TOO_LARGE)
            outcome.status = STATUS_UNKNOWN_OUTCOME;
    } else if (outcome.status == STATUS_OK) {
        outcome.outcome = OUTCOME_NONE;
    }
    node_group_end(node, parent);
    node_finish(node, parent, &outcome);
}

/* Time is up. What is out may still happen. */
void node_group_expired(struct node *node, struct node_task *parent)
{
    struct node_group *group = &node->groups[parent->leads - 1];

    if (group->sum.status == STATUS_OK)
        group->sum.status = STATUS_DEADLINE;
    if (parent->op.kind != OP_COLLECTION)
        group->sum.outcome = OUTCOME_UNKNOWN;
    node_group_finish(node, group);
}

struct node_group *node_group_of(struct node *node, unsigned index, uint32_t number)
{
    struct node_group *group = &node->groups[index - 1];

    return group->parent && group->number == number ? group : NULL;
}

/* A child has ended. `outcome` lives in the arena of this step. */
void node_group_heard(struct node *node, struct node_group *group, enum op_kind kind,
                      const struct node_outcome *outcome)
{
    group->open--;
    group_sum(group, kind, outcome);
    if (group->stage == GROUP_HEAD && outcome->status == STATUS_OK) {
        blob_drop(&group->head);
        group->head = blob_copy(outcome->object);
    }
    node_group_run(node, group);
}

/* Does one thing that is due; false: there is none. */
static bool group_step(struct node *node, struct node_group *group)
{
    struct op last;

    if (group->sum.status != STATUS_OK)
        return false;
    switch (group->stage) {
    case GROUP_LIST:
        return node_sweep_list(node, group);
    case GROUP_SWEEP:
        return node_sweep_step(node, group);
    case GROUP_LAST:
        last = node_group_op(group, OP_DELETE);
        last.type = group->parent->op.type ? group->parent->op.type : TYPE_ALL;
        if (!node_group_child(node, group, &last))
            return false;
        group->stage = GROUP_DONE;
        return true;
    case GROUP_HEAD:
    case GROUP_PAGE:
        return node_collect_step(node, group);
    case GROUP_DONE:
        return false;
    }
    ensure_unreachable();
}

/* Starts what can be started, and finishes when nothing is out any more. */
void node_group_run(struct node *node, struct node_group *group)
{
    uint32_t number = group->number;

    if (group->is_running)
        return; /* a child that ended at once: the loop below goes on */
    group->is_running = true;
    while (group_step(node, group))
        ;
    group->is_running = false;
    if (group->parent && group->number == number && group->open == 0 &&
        !node_collect_show(node, group)) {
        if (group->sum.status == STATUS_OK && group->stage != GROUP_DONE &&
            (group->stage != GROUP_LIST || group->at < group->parent->op.body.size))
            group->sum.status = STATUS_OVERLOAD; /* no child could be started */
        node_group_finish(node, group);
    }
}
