/* node_weight.c: a peer's share of the data, changed while it serves. Only the peer itself writes
 * its record, so that two changes never race: any peer passes a client's wish on to it.
 *
 *   edge                             the peer
 *    |--- WEIGHT weight ---------------->|  ACTIVE -> WEIGHING (place.h): target moves
 *    |<-- WEIGHT_ACK status -------------|  heirs pull (node_heir.c), then ACTIVE: base moves
 *
 * The new weight stands in the record, so a restart goes on where it was. Asking for another weight
 * meanwhile moves the target again; asking for the old one takes the change back. */
#include "node_impl.h"
#include "node_parts.h"

/* Tells whether somebody else stores something. */
static bool weight_has_others(const struct node *node)
{
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);

        if (id_front(&record->id) != node->self && record->weight > 0 &&
            (record->state == PLACE_ACTIVE || record->state == PLACE_WEIGHING))
            return true;
    }
    return false;
}

/* OK: the peer has this weight or is on its way to it. CONFLICT: it is joining or leaving, or
 * nobody would be left who stores anything. NOT_READY. */
static enum status weight_set(struct node *node, uint16_t weight)
{
    const struct place_record *record = node->place ? place_find(node->place, node->self) : NULL;

    if (!record || node->phase != NODE_OPEN)
        return STATUS_NOT_READY;
    if (node->is_leaving || (record->state != PLACE_ACTIVE && record->state != PLACE_WEIGHING) ||
        (weight == 0 && !weight_has_others(node)))
        return STATUS_CONFLICT;
    if (weight == (record->state == PLACE_WEIGHING ? record->weight_next : record->weight))
        return STATUS_OK;
    node_trace(node, TRACE_WEIGHS, record->weight, weight, 0);
    node_place_weigh(node, weight);
    return STATUS_OK;
}

/* A client asks for a weight of the peer that `key` names. */
void node_weight_begin(struct node *node, struct node_task *task)
{
    uint64_t id8 = node_peer_named(node, task->op.key);
    struct frame head = {.priority = 1, .request = task->id};
    struct message ask = {.kind = MESSAGE_WEIGHT, .weight = {.weight = task->op.weight}};
    struct node_outcome outcome = {.status = STATUS_MISSING};

    task->step = STEP_LIST;
    if (id8 && id8 != node->self) {
        if (!node_send(node, id8, &head, &ask))
            node_task_fail(node, task, STATUS_UNREACHABLE);
        return; /* WEIGHT_ACK follows, or the deadline */
    }
    if (id8)
        outcome.status = weight_set(node, task->op.weight);
    node_finish(node, task, &outcome);
}

void node_weight_message(struct node *node, uint64_t peer, const struct frame *frame,
                         const struct message *message)
{
    struct message ack = {.kind = MESSAGE_WEIGHT_ACK};
    struct node_task *task = node_task_find(node, frame->request);
    struct node_outcome outcome = {.status = status_from_wire(message->weight_ack.status)};

    if (message->kind == MESSAGE_WEIGHT) {
        ack.weight_ack.status = (uint8_t)weight_set(node, message->weight.weight);
        node_send_reply(node, peer, frame->request, &ack);
    } else if (task && task->kind == TASK_CLIENT && task->op.kind == OP_WEIGHT) {
        node_finish(node, task, &outcome);
    }
}
