/* node_forward.c: this peer is the edge and owns no copy: one owner runs the operation for us. It
 * goes to one owner at a time; an owner that stays silent for a third of the time left, breaks its
 * link or declines is followed by the next. Repeating is safe: a PUT that ran twice shows its
 * equal values once, and deletes are idempotent. Nobody forwards what was forwarded.
 *
 * A write without a context discards whatever it finds when it takes effect, so one owner must be
 * done with it before the next begins: it is told the end of its turn, less MARGIN, as the deadline
 * and what comes after that is dropped (decision 0024). Until then nobody else is asked, also when
 * the link breaks. */
#include "node_impl.h"
#include "node_parts.h"

#define TRY_US_MIN INSTANT_MS(50) /* an owner gets at least this long */
#define MARGIN 8                  /* of a turn: for the way there, and clocks that run apart */

/* Tells whether an owner that was silent must be done before the next is asked. */
static bool forward_takes_turns(const struct op *op)
{
    return node_op_is_write(op) && op->context.size == 0 && node_once_may_repeat(op);
}

/* How long an owner gets of the time that is left, in microseconds. */
static uint64_t forward_turn(const struct op *op, uint64_t left)
{
    uint64_t third = left / 3 > TRY_US_MIN ? left / 3 : TRY_US_MIN;

    return node_once_may_repeat(op) && third < left ? third : left;
}

static bool forward_was_tried(const struct node_task *task, uint64_t id8)
{
    for (uint8_t i = 0; i < task->tries; i++)
        if (task->tried[i] == id8)
            return true;
    return false;
}

static void forward_finished(struct node *node, struct node_task *task, bool is_ok, uint32_t load)
{
    struct balance_result result = {.rtt_us = (uint32_t)(node->now - task->sent),
                                    .load = load,
                                    .has_load = is_ok,
                                    .is_ok = is_ok};

    balance_finished(node->balance, node->now, task->away, &result);
    task->away = 0;
}

bool node_forward_to(struct node *node, struct node_task *task, uint64_t to)
{
    const struct op *op = &task->op;
    uint8_t etags[8 * OP_ETAGS_MAX];
    uint64_t left = task->deadline > node->now ? task->deadline - node->now : 0;
    uint64_t turn = forward_turn(op, left);
    instant until = forward_takes_turns(op) ? node->now + turn - turn / MARGIN : task->deadline;
    struct frame head = {.priority = 1, .request = task->id, .deadline_ms = node_late_spell(until)};
    struct message message = {.kind = MESSAGE_OP,
                              .op = {.kind = (uint8_t)op->kind,
                                     .consistency = (uint8_t)op->consistency,
                                     .layout = place_layout(node->place),
                                     .condition = op->condition,
                                     .etags = slice_of(etags, 8u * op->etag_count),
                                     .ns = op->ns,
                                     .key = op->key,
                                     .type = op->type,
                                     .shows = op->shows,
                                     .context = op->context,
                                     .meta = op->meta,
                                     .body = op->body,
                                     .ttl_ms = op->ttl_ms,
                                     .session = op->session,
                                     .idempotency = op->idempotency}};

    for (uint8_t i = 0; i < op->etag_count; i++)
        bytes_store_u64(etags + 8 * i, op->etags[i]);
    if (left < 1000 || !node_send(node, to, &head, &message))
        return false;
    task->away = to;
    task->is_out = node_peer(node, to)->link->state == LINK_READY;
    task->sent = node->now;
    task->step = STEP_AWAY;
    if (task->tries < sizeof(task->tried) / sizeof(task->tried[0]))
        task->tried[task->tries++] = to;
    balance_started(node->balance, node->now, to);
    metric_add(&node->metrics, METRIC_FORWARDED, 1);
    heap_set(&node->timers, &task->timer.in_timers, node->now + turn);
    return true;
}

void node_forward(struct node *node, struct node_task *task, const struct place_owners *owners)
{
    uint64_t ids[SET_MAX] = {0};
    uint8_t order[SET_MAX], count = 0;

    for (uint8_t i = 0; i < owners->count; i++) {
        uint64_t id8 = owners->peers[i].id8;

        if (owners->peers[i].is_base && id8 != node->self && !forward_was_tried(task, id8) &&
            node_peer_is_reachable(node, id8))
            ids[count++] = id8;
    }
    balance_rank(node->balance, node->now, ids, count, order);
    for (uint8_t i = 0; i < count; i++)
        if (node_forward_to(node, task, ids[order[i]]))
            return;
    if (node_session_restarts(node, task))
        return;
    node_task_fail(node, task, task->tries > 0 ? STATUS_DEADLINE : STATUS_UNREACHABLE);
}

/* The present try is over without an answer: the next owner. */
void node_forward_again(struct node *node, struct node_task *task)
{
    bool was_away = task->away != 0;

    if (was_away)
        forward_finished(node, task, false, 0);
    if (was_away && !node_once_may_repeat(&task->op)) {
        node_task_fail(node, task, STATUS_DEADLINE); /* it may have been counted */
        return;
    }
    heap_set(&node->timers, &task->timer.in_timers, task->deadline);
    node_task_begin(node, task);
}

/* The link to a peer broke, or never stood. What may have arrived there may still be done. */
void node_forward_lost(struct node *node, uint64_t peer, bool was_ready)
{
    for (uint32_t i = 0; i < node->tasks.capacity; i++) {
        struct node_task *task = pool_at(&node->tasks, i);

        if (task->id != 0 && task->step == STEP_AWAY && task->away == peer &&
            !((task->is_out || was_ready) && forward_takes_turns(&task->op)))
            node_forward_again(node, task);
    }
}

/* Statuses with which an owner declines before anything was stored: another one may do it. */
static bool forward_is_declined(const struct message_op_reply *reply)
{
    enum status status = status_from_wire(reply->status);

    if (reply->outcome != OUTCOME_NONE && reply->outcome != OUTCOME_NOT_STORED)
        return false;
    return status == STATUS_NOT_OWNER || status == STATUS_LAYOUT || status == STATUS_NOT_READY ||
           status == STATUS_READ_ONLY || status == STATUS_OVERLOAD ||
           (status == STATUS_DEADLINE && reply->outcome == OUTCOME_NOT_STORED);
}

static void forward_outcome(struct node *node, const struct message_op_reply *reply,
                            struct node_outcome *outcome)
{
    struct reader in = reader_over(reply->route);

    *outcome = (struct node_outcome){.status = status_from_wire(reply->status),
                                     .outcome = (enum outcome)(reply->outcome & 3u),
                                     .acks = reply->acks,
                                     .required = reply->required,
                                     .total = reply->total,
                                     .is_created = reply->created,
                                     .etag = reply->etag,
                                     .expires = reply->expires,
                                     .context = reply->context,
                                     .session = reply->session,
                                     .object = reply->object};
    (void)node;
    while (reader_left(&in) >= 9 && outcome->route_count < ROUTE_MAX) {
        outcome->route[outcome->route_count].id8 = read_u64(&in);
        outcome->route[outcome->route_count].roles = read_u8(&in);
        if (outcome->route[outcome->route_count].roles & ROLE_FAILED)
            outcome->absent = outcome->route[outcome->route_count].id8;
        outcome->route_count++;
    }
}

void node_forward_answered(struct node *node, uint64_t peer, const struct frame *frame,
                           const struct message *message)
{
    const struct message_op_reply *reply = &message->op_reply;
    struct node_task *task = node_task_find(node, frame->request);
    struct node_outcome outcome;

    if (!task || task->step != STEP_AWAY || task->away != peer)
        return; /* an answer that came after we had gone elsewhere */
    if (status_from_wire(reply->status) == STATUS_DEADLINE && node->now < task->deadline &&
        forward_takes_turns(&task->op) && reply->outcome != OUTCOME_NOT_STORED)
        return; /* its turn is as good as over, and it may be stored: as if it were silent */
    forward_finished(node, task, true, reply->load);
    if (forward_is_declined(reply)) {
        enum status status = status_from_wire(reply->status);

        task->tries--; /* nothing was stored there */
        if (status == STATUS_NOT_OWNER || status == STATUS_LAYOUT) {
            node_place_differs(node, peer);
            node_task_pause(node, task);
            return;
        }
        task->tried[task->tries++] = peer;
        node_task_begin(node, task);
        return;
    }
    if (node_session_elsewhere(node, task, status_from_wire(reply->status)))
        return;
    forward_outcome(node, reply, &outcome);
    if (outcome.outcome == OUTCOME_NOT_STORED && task->tries > 1)
        outcome.outcome = OUTCOME_UNKNOWN; /* an owner that stayed silent may have stored it */
    task->tries--;                         /* this one answered, those before it did not */
    node_finish(node, task, &outcome);
}

/* An operation came when nobody waited for it any more: another owner may have done it since. The
 * answer is for an edge that waits all the same, because we think its words late that are not. */
static void forward_came_late(struct node *node, uint64_t peer, const struct frame *frame,
                              int32_t late_ms)
{
    struct message late = {.kind = MESSAGE_OP_REPLY,
                           .op_reply = {.status = STATUS_DEADLINE, .outcome = OUTCOME_NOT_STORED}};

    metric_add(&node->metrics, METRIC_FORWARDED_LATE, 1);
    node_trace(node, TRACE_OP_LATE, peer, (uint64_t)late_ms, frame->request);
    node_send_reply(node, peer, frame->request, &late);
}

void node_forward_arrived(struct node *node, const struct node_link *link,
                          const struct frame *frame, const struct message *message)
{
    struct frame timed = *frame;
    int32_t left = node_late_left(&link->late, frame->deadline_ms);

    if (frame->deadline_ms != 0 && left <= 0) {
        forward_came_late(node, link->peer, frame, -left);
        return;
    }
    timed.deadline_ms = frame->deadline_ms ? (uint32_t)left : 0;
    node_task_asked(node, link->peer, &timed, message);
}

/* Another edge asks us, an owner, to run an operation; `deadline_ms` is how long it waits yet. */
void node_task_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message)
{
    const struct message_op *asked = &message->op;
    struct op op = {.kind = (enum op_kind)asked->kind,
                    .type = asked->type,
                    .shows = asked->shows,
                    .consistency = (enum consistency)asked->consistency,
                    .condition = asked->condition,
                    .ns = asked->ns,
                    .key = asked->key,
                    .context = asked->context,
                    .meta = asked->meta,
                    .body = asked->body,
                    .ttl_ms = asked->ttl_ms,
                    .session = asked->session,
                    .idempotency = asked->idempotency};
    struct node_task *task;

    if ((op.kind != OP_GET && op.kind != OP_PUT && op.kind != OP_DELETE && op.kind != OP_UPDATE) ||
        !store_name_is_sound(op.key) || !node_update_is_sound(&op))
        return;
    for (; op.etag_count < asked->etags.size / 8; op.etag_count++)
        op.etags[op.etag_count] = bytes_load_u64(asked->etags.data + 8 * op.etag_count);
    if (node->place && asked->layout != place_layout(node->place))
        node_place_differs(node, peer);
    task = node_task_new(node, TASK_OP);
    if (!task || !node_task_keep(task, &op)) {
        struct message busy = {
            .kind = MESSAGE_OP_REPLY,
            .op_reply = {.status = STATUS_OVERLOAD, .outcome = OUTCOME_NOT_STORED}};

        if (task)
            node_task_end(node, task);
        node_send_reply(node, peer, frame->request, &busy);
        return;
    }
    task->origin = peer;
    task->request = frame->request;
    if (node->is_founded)
        node_task_hash(node, task);
    node_task_timed(node, task, frame->deadline_ms);
    node_task_begin(node, task);
}
