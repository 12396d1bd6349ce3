/* node_message.c: which room hears which message. One line per kind; the work is elsewhere. */
#include "node_impl.h"
#include "node_parts.h"

/* A signed self record: checked here, so that swim only ever sees genuine ones. */
bool node_record_received(struct node *node, const struct swim_from *from, struct slice bytes,
                          uint64_t *id8)
{
    struct self_record record;
    struct slice part, signature;
    struct node_id id;

    if (wire_self_decode(bytes, node->keyring.cluster_id, &record, &part, &signature) !=
        STATUS_OK) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, 1);
        return false;
    }
    id = hash_node_id(record.public_key);
    *id8 = id_front(&id);
    if (swim_knows_record(node->swim, *id8, bytes)) {
        /* the very bytes we hold: no need to verify them again */
    } else if (seal_record_verify(record.public_key, part, signature.data) != STATUS_OK) {
        metric_add(&node->metrics, METRIC_DROP_SIGNATURE, 1);
        return false;
    }
    if (*id8 != node->self && seal_peer_add(node->seal, record.public_key) != STATUS_OK)
        return false; /* no room to seal for it, so it cannot be a member of this view */
    swim_receive_record(node->swim, node->now, from, &record, bytes);
    return true;
}

/* Messages that may come by datagram or by stream alike, and records. */
void node_peer_message(struct node *node, const struct swim_from *sender,
                       const struct message *message)
{
    uint64_t subject;

    switch (message->kind) {
    case MESSAGE_PING:
    case MESSAGE_ACK:
    case MESSAGE_PING_REQ:
    case MESSAGE_NACK:
    case MESSAGE_UPDATE:
    case MESSAGE_RECORD_GET:
        swim_receive(node->swim, node->now, sender, message);
        break;
    case MESSAGE_SELF:
        (void)node_record_received(node, sender, message->self.record, &subject);
        break;
    case MESSAGE_PLACE:
        node_place_received(node, message->place.record);
        break;
    case MESSAGE_NAMESPACE:
        node_space_received(node, message->namespace.record);
        break;
    case MESSAGE_FIND_NODE:
    case MESSAGE_NODES:
        node_overlay_message(node, sender->id8, &sender->address, message);
        break;
    default: /* a kind that only streams carry, in a datagram: wire refused it already */
        break;
    }
}

/* Who gives its rows away, who is given up, whose share changes, how far all that is, and
 * who has nothing astray. */
static bool message_of_placement(struct node *node, uint64_t peer, const struct frame *frame,
                                 const struct message *message)
{
    if (message->kind == MESSAGE_HAND_OFFER)
        node_take_offered(node, peer, &message->hand_offer);
    else if (message->kind == MESSAGE_HAND_TAKEN)
        node_hand_taken(node, peer, &message->hand_taken);
    else if (message->kind == MESSAGE_FORGET_ASK)
        node_forget_asked(node, peer, &message->forget_ask);
    else if (message->kind == MESSAGE_FORGET_ACK)
        node_forget_acked(node, peer, &message->forget_ack);
    else if (message->kind == MESSAGE_WEIGHT || message->kind == MESSAGE_WEIGHT_ACK)
        node_weight_message(node, peer, frame, message);
    else if (message->kind == MESSAGE_JOBS)
        node_jobs_message(node, peer, frame, message);
    else if (message->kind == MESSAGE_KEYRING)
        node_keys_received(node, peer, &message->keyring);
    else if (message->kind == MESSAGE_KEYS)
        node_keys_asked(node, peer, frame, &message->keys);
    else if (message->kind == MESSAGE_SWEPT_ASK || message->kind == MESSAGE_SWEPT)
        node_classes_message(node, peer, message);
    else
        return false;
    return true;
}

void node_message(struct node *node, struct node_link *link, const struct frame *frame,
                  const struct message *message)
{
    uint64_t peer = link->peer;
    const struct swim_from sender = {.id8 = peer, .address = link->address, .is_stream = true};

    switch (message->kind) {
    case MESSAGE_TABLE:
        node_table_received(node, &sender, message);
        break;
    case MESSAGE_JOIN:
    case MESSAGE_JOINED:
        node_join_message(node, link, message);
        break;
    case MESSAGE_OP:
        node_forward_arrived(node, link, frame, message);
        break;
    case MESSAGE_PUT_OBJ:
    case MESSAGE_GET_OBJ:
        node_replica_asked(node, peer, frame, message);
        break;
    case MESSAGE_LIST:
        node_list_asked(node, peer, frame, message);
        break;
    case MESSAGE_SCAN:
        node_scan_asked(node, peer, frame, message);
        break;
    case MESSAGE_OP_REPLY:
        node_forward_answered(node, peer, frame, message);
        break;
    case MESSAGE_PUT_ACK:
    case MESSAGE_OBJ:
    case MESSAGE_ROWS:
    case MESSAGE_SCANNED:
        node_quorum_answered(node, peer, frame, message);
        break;
    case MESSAGE_HINT_ASK:
        node_lag_asked(node, peer, frame, &message->hint_ask);
        break;
    case MESSAGE_HINT_KEPT:
        node_lag_answered(node, frame->request, &message->hint_kept);
        break;
    case MESSAGE_LOCATE:
    case MESSAGE_LOCATED:
        node_locate_message(node, peer, frame, message);
        break;
    case MESSAGE_AE_ROOT:
    case MESSAGE_AE_DIFF:
    case MESSAGE_AE_NODES:
    case MESSAGE_AE_LEAF_GET:
    case MESSAGE_AE_LEAF:
    case MESSAGE_AE_FETCH:
    case MESSAGE_AE_ITEMS:
    case MESSAGE_AE_DONE:
        if (node->sync && node_is_counted(node))
            sync_receive(node->sync, node->now, peer, place_layout(node->place), message);
        break;
    case MESSAGE_GC_ASK:
    case MESSAGE_GC_ANSWER:
    case MESSAGE_GC_DROP:
    case MESSAGE_GC_LEVEL:
        node_gc_message(node, peer, message);
        break;
    default:
        if (!message_of_placement(node, peer, frame, message))
            node_peer_message(node, &sender, message);
        break;
    }
}
