/* node.c: the one switch. An event comes in, one line says which file handles it, what the rooms
 * said is settled, and that is the step. Nothing in here waits, reads a clock, or knows a protocol.
 *
 * Time is a field of the event; the next time anything is due is one getter. Every room with
 * deadlines answers the same two questions, X_deadline and X_expire, always in the same order, so
 * that equal events make equal effects. */
#include "hint/node_hint.h"
#include "node_parts.h"

void node_trace(struct node *node, enum trace_code code, uint64_t a, uint64_t b, uint64_t c)
{
    trace_point(&node->ports.trace, code, a, b, c);
}

uint64_t node_stamp(struct node *node)
{
    return crdt_clock_next(&node->clock, node->wall_ms, 0);
}

static void node_timer_due(struct node *node, struct node_timer *timer)
{
    switch (timer->kind) {
    case TIMER_TASK:
        node_task_expired(node, list_entry(timer, struct node_task, timer));
        break;
    case TIMER_LINK:
        node_link_expired(node, list_entry(timer, struct node_link, timer));
        break;
    case TIMER_JOIN:
        node_join_start(node);
        break;
    case TIMER_PERSIST:
        node_keys_tick(node);
        node_persist(node);
        break;
    case TIMER_SYNC:
        node_sync_tick(node);
        break;
    case TIMER_MOVE:
        node_move_tick(node);
        break;
    case TIMER_HAND:
        node_hand_tick(node);
        break;
    case TIMER_GC:
        node_gc_tick(node);
        break;
    case TIMER_FORGET:
        node_forget_tick(node);
        break;
    case TIMER_SCRUB:
        node_scrub_tick(node);
        break;
    case TIMER_MEND:
        node_mend_tick(node);
        break;
    case TIMER_COUNT:
        node_recount_tick(node);
        break;
    case TIMER_HINT:
        node_hint_tick(node);
        break;
    case TIMER_STRAY:
        node_stray_tick(node);
        break;
    }
}

static void node_expire(struct node *node)
{
    struct heap_node *first;

    if (instant_is_due(swim_deadline(node->swim), node->now))
        swim_expire(node->swim, node->now, node_stamp(node));
    node_settle(node);
    if (instant_is_due(kad_deadline(node->kad), node->now))
        kad_expire(node->kad, node->now);
    if (instant_is_due(quorum_deadline(node->quorum), node->now))
        quorum_expire(node->quorum, node->now);
    if (node->sync && instant_is_due(sync_deadline(node->sync), node->now))
        sync_expire(node->sync, node->now);
    node_settle(node);
    while ((first = heap_first(&node->timers)) && first->when <= node->now) {
        heap_remove(&node->timers, first);
        node_timer_due(node, list_entry(first, struct node_timer, in_timers));
        node_settle(node);
    }
}

/* Requests that need other peers become tasks; the rest is answered at once. */
static void node_request(struct node *node, const struct event *event)
{
    const struct op *op = &event->request.op;
    ticket asker = event->request.ticket;
    struct node_task *task;

    if (op->kind >= OP_SELF && op->kind != OP_OVERLAY && op->kind != OP_LEAVE &&
        op->kind != OP_SCAN && op->kind != OP_RESTORE && op->kind != OP_UPDATE &&
        op->kind != OP_COLLECTION && op->kind != OP_JOBS && op->kind != OP_WEIGHT &&
        op->kind != OP_KEYS && !node_space_asks_all(node, op)) {
        node_query(node, op, asker);
        return;
    }
    if (node->phase != NODE_OPEN || !node->is_founded || op->kind == OP_LEAVE ||
        (op->kind == OP_LOOKUP && !op->is_verify)) {
        node_request_plain(node, op, asker);
        return;
    }
    if (!node_session_is_good(node, op)) {
        struct node_outcome foreign = {.status = STATUS_SESSION, .outcome = OUTCOME_NOT_STORED};

        (void)node_reply_client(node, op, asker, &foreign);
        return;
    }
    if (node_local_get(node, op, asker))
        return;
    ensure(node_update_is_sound(op));
    task = node_task_new(node, TASK_CLIENT);
    if (!task || !node_task_keep(task, op)) {
        struct node_outcome busy = {.status = STATUS_OVERLOAD, .outcome = OUTCOME_NOT_STORED};

        if (task)
            node_task_end(node, task);
        (void)node_reply_client(node, op, asker, &busy);
        return;
    }
    task->ticket = asker;
    node->jobs.asked += op->kind <= OP_LOOKUP || op->kind == OP_UPDATE;
    node_task_timed(node, task, op->timeout_ms);
    if (op->kind == OP_LIST) {
        node_list_begin(node, task);
    } else if (op->kind == OP_SPACE_DELETE || op->kind == OP_SPACE_PUT) {
        node_space_change(node, task);
    } else if (op->kind == OP_LOOKUP) {
        node_verify_begin(node, task);
    } else if (op->kind == OP_JOBS) {
        node_jobs_begin(node, task);
    } else if (op->kind == OP_KEYS) {
        node_keys_begin(node, task);
    } else if (op->kind == OP_WEIGHT) {
        node_weight_begin(node, task);
    } else if (op->kind == OP_OVERLAY) {
        node_overlay_begin(node, task);
    } else if (op->kind == OP_COLLECTION || op->is_many) {
        if (!node_group_begin(node, task))
            node_task_fail(node, task, STATUS_OVERLOAD);
    } else {
        node_task_hash(node, task);
        node_once_name(node, task);
        node_task_begin(node, task);
    }
}

static void node_cancel(struct node *node, ticket asker)
{
    for (uint32_t i = 0; i < node->tasks.capacity; i++) {
        struct node_task *task = pool_at(&node->tasks, i);

        if (task->id != 0 && task->kind == TASK_CLIENT && task->ticket == asker)
            task->is_cancelled = true; /* a write already sent goes on */
    }
    node_watch_cancel(node, asker);
    if (node->leave_ticket == asker)
        node->leave_ticket = 0;
}

void node_step(struct node *node, const struct event *event, struct effects *effects)
{
    if (node->phase == NODE_STOPPED)
        return;
    ensure(event->now >= node->now);
    node->now = event->now;
    node->wall_ms = event->wall_ms;
    node->fx = effects;
    node->unproved.address.family = 0;
    switch (event->kind) {
    case EVENT_OPENED:
        node_opened(node, event);
        break;
    case EVENT_SEEDS:
        node_join_seeds(node, event);
        break;
    case EVENT_DATAGRAM:
        node_datagram(node, event);
        break;
    case EVENT_REFUSED:
        swim_refused(node->swim, node->now, &event->refused.address);
        break;
    case EVENT_LINK_UP:
        node_link_up(node, event);
        break;
    case EVENT_LINK_DOWN:
        node_link_down(node, event);
        break;
    case EVENT_STREAM:
        node_link_bytes(node, event);
        break;
    case EVENT_LINK_ROOM: /* bulk transfer is paced by its own windows for now */
        break;
    case EVENT_REQUEST:
        node_request(node, event);
        break;
    case EVENT_CANCEL:
        node_cancel(node, event->cancel.ticket);
        break;
    case EVENT_STORED:
        node_stored(node, event);
        break;
    case EVENT_LOADED:
        node_loaded(node, event);
        break;
    case EVENT_KEYRING:
        node_keys_saved(node, event);
        break;
    case EVENT_TIMER:
        node_expire(node);
        break;
    case EVENT_STOP:
        node_sums_stop(node);
        break;
    }
    node_settle(node);
    node->fx = NULL;
}

void node_flush(struct node *node, struct effects *effects)
{
    struct list *at;

    node->fx = effects;
    while ((at = list_pop_front(&node->packed)))
        node_send_packed(node, list_entry(at, struct node_link, in_packed));
    node->fx = NULL;
}

instant node_deadline(const struct node *node)
{
    instant due = heap_deadline(&node->timers);

    if (node->phase == NODE_STOPPED || node->phase == NODE_CLOSED)
        return INSTANT_NEVER;
    due = instant_min(due, swim_deadline(node->swim));
    due = instant_min(due, kad_deadline(node->kad));
    due = instant_min(due, quorum_deadline(node->quorum));
    return node->sync ? instant_min(due, sync_deadline(node->sync)) : due;
}
