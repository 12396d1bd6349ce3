/* node_settings.c: what an operator asks about settings of namespaces: to see them, to set or
 * delete them. The list and its way to the others are node_space.c's. A change that would give keys
 * another meaning or another place has to see first that there are none. */
#include "node_impl.h"
#include "node_parts.h"

#define SPACE_DEFAULT "_default"

static void space_show(struct node *node, const struct space_record *record,
                       struct result_space *shown)
{
    shown->name = effects_copy(node->fx, slice_of(record->name, record->name_size));
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

/* Tells whether replicas are asked for that cannot be: for the cluster as a whole they are fixed
 * by its founding, for a namespace where there are no numbers for classes. */
static bool space_is_fixed(const struct node *node, const struct op *op)
{
    return op->space.set & SPACE_REPLICAS && op->space.replicas != node->founding.replicas &&
           (slice_equal(op->ns, slice_text(SPACE_DEFAULT)) || !place_has_classes(node->place));
}

static void space_put(struct node *node, const struct op *op, struct result *result)
{
    result->is_created = !space_is_there(place_spaces_find(node->spaces, op->ns));
    if (space_is_fixed(node, op))
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

/* Tells whether a request has to see first that the namespace is empty. */
bool node_space_asks_all(const struct node *node, const struct op *op)
{
    return op->kind == OP_SPACE_DELETE ||
           (op->kind == OP_SPACE_PUT && node->phase == NODE_OPEN && node->is_founded &&
            !space_is_fixed(node, op) && node_space_moves(node, op->ns, &op->space, false));
}

/* The end of a change that had to look first. */
static void space_end(struct node *node, struct node_task *task, enum status status)
{
    const struct space_settings none = {0};
    struct node_outcome outcome = {.status = status};

    if (task->op.kind == OP_SPACE_PUT && status == STATUS_OK) {
        if (!task->is_cancelled)
            space_put(node, &task->op, node_reply_client(node, &task->op, task->ticket, &outcome));
        node_task_end(node, task);
        return;
    }
    if (status == STATUS_OK)
        outcome.status = node_space_write(node, task->op.ns, &none, true);
    node_finish(node, task, &outcome);
}

/* Back to the defaults, or to other replicas. Keys that were written under other settings must not
 * change their meaning, nor their place, so the namespace has to be empty, and that is a listing.
 */
void node_space_change(struct node *node, struct node_task *task)
{
    if (task->op.kind == OP_SPACE_DELETE &&
        !space_is_there(place_spaces_find(node->spaces, task->op.ns))) {
        space_end(node, task, STATUS_MISSING);
    } else if (slice_equal(task->op.ns, slice_text(SPACE_DEFAULT))) {
        space_end(node, task, STATUS_OK);
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
    space_end(node, task, status);
}
