/* node_once.c: a write with an Idempotency-Key takes effect once, through whichever peers it is
 * retried (api.md 3.4; decision 0013). Its record is a row beside the key, `key 0 0 'I' op16`, an
 * object like any other in the same partition. Coordinators agree in it without an election:
 *
 *     LOOK (quorum read) --done, same body--> the first result again;  other body: CONFLICT
 *       |  nothing               '--somebody claims--> wait, LOOK again ... until the deadline
 *     CLAIM (quorum write, beside any other claim)
 *       |
 *     LOOK --only our claim--> the write itself --W acknowledgements--> RECORD replaces the claim
 *       '--others as well--> the younger claim is withdrawn, the older one looks again
 *
 * Whoever executes has looked after its claim was at a quorum and saw no other. Of two coordinators
 * one claimed first; the other's look then met that claim. So two never execute. A claim ends by
 * being withdrawn for ever or by the record of its result, and by nothing else while its
 * coordinator may still act: a retry meanwhile is told 503, outcome unknown, rather than counted
 * twice. A coordinator that restarted since acts no more; its claim on a PUT or DELETE is cleared.
 *
 * Every row here expires after ten minutes. */
#include "node_impl.h"
#include "node_parts.h"

#define ONCE_TTL_MS 600000u
#define ONCE_WAIT_MIN INSTANT_MS(20)

/* What a look shows. */
struct once_view {
    bool has_done, has_own, has_other, has_mismatch, is_own_first;
    struct node_record done, other;
    struct dot other_dot;
};

/* --- operations on the record: tasks of their own that report back */

/* `op` on the record row; `replaces` is the one dot it discards, stamp 0: none. `parent` hears of
 * the end, 0: nobody does. The task may be over when this returns. */
static void once_ask(struct node *node, struct node_task *task, struct op *op, struct dot replaces,
                     enum node_once phase)
{
    uint8_t name[NODE_RECORD_NAME_MAX], token[CONTEXT_SIZE_MAX];
    struct writer out = writer_over(token, sizeof(token));
    struct crdt_scope scope = {node->founding.hash_seed, task->op.ns,
                               node_record_row(&task->op, name)};
    struct node_task *child = node_task_new(node, TASK_RECORD);

    op->ns = task->op.ns;
    if (op->key.size == 0)
        op->key = scope.key;
    op->consistency = CONSISTENCY_QUORUM;
    node->context.vector_count = 0;
    node->context.dot_count = replaces.stamp ? 1 : 0;
    node->context.dots[0] = replaces;
    if (op->kind != OP_GET && crdt_context_encode(&node->context, &scope, &out) == STATUS_OK)
        op->context = writer_done(&out); /* an empty one discards nothing: claims stand together */
    if (phase != ONCE_NONE) {
        task->once = phase;
        task->step = STEP_ONCE;
    }
    if (!child || !node_task_keep(child, op)) {
        if (child)
            node_task_end(node, child);
        if (phase != ONCE_NONE)
            node_task_fail(node, task, STATUS_OVERLOAD);
        return;
    }
    child->request = phase == ONCE_NONE ? 0 : task->id;
    child->hash_front = task->hash_front;
    child->deadline = task->deadline;
    heap_set(&node->timers, &child->timer.in_timers, child->deadline + INSTANT_MS(50));
    node_task_begin(node, child);
}

static void once_look(struct node *node, struct node_task *task)
{
    struct op op = {.kind = OP_GET, .has_siblings = true};

    once_ask(node, task, &op, (struct dot){0}, ONCE_LOOK);
}

static void once_put(struct node *node, struct node_task *task, const struct node_record *value,
                     enum node_once phase)
{
    uint8_t room[NODE_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct op op = {.kind = OP_PUT, .ttl_ms = ONCE_TTL_MS};

    node_record_write(&out, value);
    ensure(!out.is_full);
    op.body = writer_done(&out);
    once_ask(node, task, &op, task->claim, phase);
}

static void once_withdraw(struct node *node, struct node_task *task, struct dot claim)
{
    struct op op = {.kind = OP_DELETE};

    once_ask(node, task, &op, claim, ONCE_NONE);
}

/* --- what a look decides */

static bool dot_is_before(struct dot a, struct dot b)
{
    return a.stamp != b.stamp ? a.stamp < b.stamp : a.actor < b.actor;
}

static void once_view_add(struct once_view *view, const struct node_task *task,
                          const struct crdt_value *stored, const struct hash16 *body)
{
    struct dot dot = {stored->actor, stored->stamp};
    struct node_record value;

    if (!node_record_read(stored->body, &value))
        return;
    if (dot.actor == task->claim.actor && dot.stamp == task->claim.stamp) {
        view->has_own = true;
        return;
    }
    view->has_mismatch |= memcmp(&value.body, body, sizeof(*body)) != 0;
    if (value.is_done) {
        view->has_done = true;
        view->done = value;
        return;
    }
    view->has_other = true;
    view->other = value;
    view->other_dot = dot;
    view->is_own_first &= dot_is_before(task->claim, dot);
}

/* Tells whether the peer that claims has restarted since, so that it acts on the claim no more. */
static bool once_is_over(struct node *node, const struct node_record *claim)
{
    const struct swim_view *view = swim_find(node->swim, claim->peer);

    if (claim->peer == node->self)
        return claim->boot < node->boot_counter;
    return view && view->record && claim->boot < view->record->boot_counter;
}

static void once_wait(struct node *node, struct node_task *task)
{
    node_trace(node, TRACE_ONCE_WAITS, task->hash_front, task->waits, 0);
    if (task->waits < 4)
        task->waits++;
    node_task_pause_for(node, task, ONCE_WAIT_MIN << (task->waits - 1));
}

/* Reads what the change of a typed row comes to by now. */
static void once_show(struct node *node, struct node_task *task)
{
    struct op op = {.kind = OP_GET, .has_siblings = true, .key = task->op.key};

    op.key.size += task->path_size;
    once_ask(node, task, &op, (struct dot){0}, ONCE_SHOW);
}

/* The first result, again. */
static void once_replay(struct node *node, struct node_task *task, const struct node_record *done)
{
    struct node_outcome outcome = done->result;

    node_trace(node, TRACE_ONCE_REPLAYED, task->hash_front, 0, 0);
    metric_add(&node->metrics, METRIC_ONCE_REPLAYED, 1);
    outcome.route[outcome.route_count].id8 = node->self;
    outcome.route[outcome.route_count++].roles = ROLE_COORD;
    if (done->dot.stamp)
        node_session_replayed(node, task, done->dot, &outcome);
    if (task->op.shows && node_record_keep(task, &outcome))
        once_show(node, task);
    else
        node_finish(node, task, &outcome);
}

static void once_claim(struct node *node, struct node_task *task)
{
    struct node_record claim = {
        .body = node_record_body(node, task), .peer = node->self, .boot = node->boot_counter};

    once_put(node, task, &claim, ONCE_CLAIM);
}

static void once_contended(struct node *node, struct node_task *task, const struct once_view *view)
{
    node_trace(node, TRACE_ONCE_CONTENDED, task->hash_front, view->has_own, view->is_own_first);
    if (view->has_own && !view->is_own_first) {
        once_withdraw(node, task, task->claim);
        task->claim = (struct dot){0};
    } else if (node_update_is_repeatable(&task->op) && once_is_over(node, &view->other)) {
        once_withdraw(node, task, view->other_dot);
    }
    once_wait(node, task);
}

static void once_looked(struct node *node, struct node_task *task, struct slice object)
{
    struct once_view view = {.is_own_first = true};
    struct hash16 body = node_record_body(node, task);
    struct node_outcome mismatch = {.status = STATUS_MISMATCH, .outcome = OUTCOME_NOT_STORED};

    if (crdt_object_decode(object, &node->object_a) != STATUS_OK) {
        node_task_fail(node, task, STATUS_CORRUPT);
        return;
    }
    for (uint16_t i = 0; i < node->object_a.value_count; i++)
        if (crdt_value_is_live(&node->object_a.values[i], node_wall_ms(node)))
            once_view_add(&view, task, &node->object_a.values[i], &body);
    if (view.has_mismatch) {
        node_finish(node, task, &mismatch);
    } else if (view.has_done) {
        once_replay(node, task, &view.done);
    } else if (view.has_other) {
        once_contended(node, task, &view);
    } else if (!view.has_own ||
               !node_actor_is_ours(node, place_partition(node->place, task->hash_front),
                                   task->claim.actor)) {
        once_claim(node, task);
    } else {
        task->once = ONCE_FREE;
        node_coord_begin(node, task);
    }
}

/* --- the life of the task around it */

/* Tells whether a task waits for its record instead of going on; it may be over then. */
bool node_once_holds(struct node *node, struct node_task *task)
{
    if (task->op.idempotency.size == 0 || task->kind == TASK_RECORD ||
        !node_op_is_write(&task->op) || task->once == ONCE_FREE)
        return false;
    once_look(node, task);
    return true;
}

/* A task is about to end: gives what is to be told, or NULL while the record of its success is
 * still to be written. The write is durable by then; if the record fails, a retry that nobody
 * expects might write the same value once more. */
const struct node_outcome *node_once_closes(struct node *node, struct node_task *task,
                                            const struct node_outcome *outcome)
{
    struct node_record record = {.is_done = true, .result = *outcome};

    if (task->once == ONCE_RECORD || task->once == ONCE_SHOW) {
        struct node_outcome *kept = node_record_kept(node, task);

        if (task->once == ONCE_SHOW && outcome->status != STATUS_OK)
            kept->status = outcome->status;
        if (task->once == ONCE_SHOW)
            kept->object = outcome->object;
        return kept;
    }
    if (task->claim.stamp == 0)
        return outcome;
    if (task->once == ONCE_FREE && outcome->status == STATUS_OK &&
        node_record_keep(task, outcome)) {
        record.body = node_record_body(node, task);
        record.dot = task->dot;
        once_put(node, task, &record, ONCE_RECORD);
        return NULL;
    }
    if (node_update_is_repeatable(&task->op) || outcome->outcome == OUTCOME_NOT_STORED)
        once_withdraw(node, task, task->claim);
    task->claim = (struct dot){0};
    return outcome;
}

/* An operation on the record ended. */
void node_once_heard(struct node *node, struct node_task *child, const struct node_outcome *outcome)
{
    struct node_task *task = node_task_find(node, child->request);
    struct slice object = effects_copy(node->fx, outcome->object);
    struct dot dot = child->dot;

    node_task_end(node, child);
    if (!task || task->step != STEP_ONCE)
        return;
    if (task->once == ONCE_CLAIM && outcome->outcome != OUTCOME_NOT_STORED)
        task->claim = dot; /* also one that may be stored: it is withdrawn if this fails */
    if (task->once == ONCE_RECORD || task->once == ONCE_SHOW) {
        node_finish(node, task, outcome); /* node_once_closes tells what was kept */
    } else if (outcome->status != STATUS_OK) {
        node_task_fail(node, task, outcome->status);
    } else if (task->once == ONCE_CLAIM) {
        once_look(node, task);
    } else {
        once_looked(node, task, object);
    }
}
