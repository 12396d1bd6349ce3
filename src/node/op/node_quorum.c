/* node_quorum.c: between quorum and the other owners: its questions become messages, their messages
 * answers, and what it says becomes work for whoever runs the operation. */
#include "hint/node_hint.h"
#include "node_parts.h"

void node_quorum_send(struct node *node, const struct quorum_output *ask)
{
    struct frame head = {
        .priority = 1, .request = ask->id, .deadline_ms = node_late_spell(ask->deadline)};
    struct message message = {.kind = MESSAGE_NONE};

    if (ask->kind == QUORUM_SEND_PUT && ask->id == 0 &&
        ask->gc < node_gc_number_of(node, ask->ns, ask->key)) {
        /* What was read before a drop is not sent after it. */
        node_trace(node, TRACE_GC_REPAIR_SKIPPED, node_partition_of(node, ask->ns, ask->key),
                   ask->gc, 0);
        return;
    }
    if (ask->kind == QUORUM_SEND_PUT)
        message = (struct message){.kind = MESSAGE_PUT_OBJ,
                                   .put_obj = {.layout = place_layout(node->place),
                                               .ns = ask->ns,
                                               .key = ask->key,
                                               .object = ask->object,
                                               .gc = ask->gc}};
    else
        message = (struct message){.kind = MESSAGE_GET_OBJ,
                                   .get_obj = {.layout = place_layout(node->place),
                                               .digest = ask->digest,
                                               .ns = ask->ns,
                                               .key = ask->key}};
    if (ask->kind == QUORUM_SEND_PUT && ask->id == 0) {
        metric_add(&node->metrics, METRIC_READ_REPAIRS, 1);
        node_trace(node, TRACE_READ_REPAIR, ask->to, 0, 0);
    }
    (void)node_send(node, ask->to, &head, &message); /* silence is a failure quorum understands */
}

void node_quorum_fact(struct node *node, const struct quorum_output *fact)
{
    struct node_task *task = node_task_find(node, fact->id);

    switch (fact->kind) {
    case QUORUM_DONE:
        if (task && task->step == STEP_LIST)
            node_list_done(node, task, fact);
        else if (task && task->step == STEP_SCAN)
            node_scan_done(node, task, fact);
        else if (task && task->kind == TASK_ROW)
            node_restore_done(node, task, fact);
        else if (task && task->kind == TASK_MEND)
            node_mend_read(node, task, fact);
        else if (task)
            node_coord_done(node, task, fact);
        break;
    case QUORUM_SEND_LIST:
        node_list_send(node, fact);
        break;
    case QUORUM_SEND_SCAN:
        node_scan_send(node, fact);
        break;
    case QUORUM_REPAIR_LOCAL:
        node_repair_local(node, fact);
        break;
    case QUORUM_SEND_PUT:
    case QUORUM_SEND_GET:
    case QUORUM_SPREAD:
        break;
    }
}

/* An owner's answer to a part of an operation we coordinate. */
void node_quorum_answered(struct node *node, uint64_t peer, const struct frame *frame,
                          const struct message *message)
{
    struct quorum_answer answer = {.from = peer};
    uint64_t layout = 0;

    if (message->kind == MESSAGE_PUT_ACK) {
        answer.status = status_from_wire(message->put_ack.status);
        layout = message->put_ack.layout;
        balance_heard(node->balance, node->now, peer, message->put_ack.load);
        if (answer.status == STATUS_STALE)
            answer.status = STATUS_LAYOUT;
        if (!node_hint_answered(node, peer, frame->request, answer.status))
            quorum_put_ack(node->quorum, node->now, frame->request, peer, answer.status);
    } else if (message->kind == MESSAGE_OBJ) {
        answer.status = status_from_wire(message->obj.status);
        answer.object = message->obj.object;
        layout = message->obj.layout;
        balance_heard(node->balance, node->now, peer, message->obj.load);
        answer.gc = message->obj.gc;
        if (!node_verify_answered(node, frame->request, &answer)) {
            if (node_gc_is_apart(node, frame->request, &answer))
                answer.status = STATUS_LAYOUT;
            quorum_get_answer(node->quorum, node->now, frame->request, &answer);
        }
    } else if (message->kind == MESSAGE_SCANNED) {
        answer.status = status_from_wire(message->scanned.status);
        answer.items = message->scanned.items;
        answer.is_last = message->scanned.is_last;
        answer.reach = message->scanned.reach;
        layout = message->scanned.layout;
        quorum_scanned(node->quorum, node->now, frame->request, &answer);
    } else {
        answer.status = status_from_wire(message->rows.status);
        answer.items = message->rows.items;
        answer.is_last = message->rows.is_last;
        layout = message->rows.layout;
        quorum_rows(node->quorum, node->now, frame->request, &answer);
    }
    if (answer.status == STATUS_LAYOUT && node->place && layout != place_layout(node->place))
        node_place_differs(node, peer);
}

/* What quorum says of an operation, as it is told to whoever asked. Of the owners that failed, one
 * that failed for the reason given is named. */
void node_quorum_outcome(struct node *node, const struct quorum_output *done,
                         struct node_outcome *outcome)
{
    outcome->status = done->status;
    outcome->outcome = done->outcome;
    outcome->acks = done->acks;
    outcome->required = done->required;
    outcome->total = done->total;
    outcome->route[outcome->route_count].id8 = node->self;
    outcome->route[outcome->route_count++].roles = ROLE_COORD;
    for (uint8_t i = 0; i < done->role_count && outcome->route_count < ROUTE_MAX; i++) {
        const struct quorum_role *role = &done->roles[i];

        if (role->id8 != node->self) {
            outcome->route[outcome->route_count].id8 = role->id8;
            outcome->route[outcome->route_count++].roles =
                role->is_answered ? ROLE_REPLICA : ROLE_FAILED;
        }
        if (!role->is_answered && (outcome->absent == 0 || role->status == done->status))
            outcome->absent = role->id8;
    }
}
