/* node_datagram.c: one UDP packet on its way in: open it, see whether the sender's epoch is proved,
 * hand its messages to the rooms. What does not open costs one counter and no memory. */
#include "node_impl.h"
#include "node_parts.h"

#define VERIFY_US INSTANT_MS(200) /* between two PINGs of our own that prove an epoch */

static void datagram_refused(struct node *node, enum status status, const struct event *event,
                             uint16_t key_id)
{
    static const struct {
        enum status status;
        enum metric metric;
    } reasons[] = {
        {STATUS_UNKNOWN_KEY, METRIC_DROP_UNKNOWN_KEY},
        {STATUS_UNKNOWN_PEER, METRIC_DROP_UNKNOWN_PEER},
        {STATUS_REPLAY, METRIC_DROP_REPLAY},
        {STATUS_FOREIGN, METRIC_DROP_FOREIGN},
        {STATUS_BAD_SEAL, METRIC_DROP_BAD_SEAL},
    };
    enum metric metric = METRIC_DROP_MALFORMED;

    for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            metric = reasons[i].metric;
    metric_add(&node->metrics, metric, 1);
    if (status == STATUS_UNKNOWN_KEY) {
        node->key_id_seen = key_id;
        node->key_from = event->datagram.from;
    }
}

/* Asks a peer whose epoch is not proved yet to echo a fresh cookie. */
static void datagram_verify(struct node *node, uint64_t from, const struct address *address)
{
    struct node_peer *peer = node_peer(node, from);
    struct message ping = {.kind = MESSAGE_PING, .ping = {.target = from}};

    if (!peer || peer->verify_at > node->now)
        return;
    peer->verify_at = node->now + VERIFY_US;
    node_send_bare(node, from, address, &ping, 1);
}

/* An unproved sender gets its PING answered and may prove itself; nothing else it says counts. */
static void datagram_unverified(struct node *node, const struct seal_opened *opened,
                                const struct address *from, const struct message *message)
{
    if (message->kind == MESSAGE_PING && message->ping.target == node->self) {
        struct message ack = {.kind = MESSAGE_ACK,
                              .ack = {.seq = message->ping.seq,
                                      .target = node->self,
                                      .digest = 0,
                                      .cookie = message->ping.cookie}};

        node_send_bare(node, opened->from, from, &ack, 1);
    } else {
        metric_add(&node->metrics, METRIC_DROP_UNVERIFIED, 1);
    }
}

static void datagram_proved(struct node *node, const struct seal_opened *opened,
                            const struct address *from)
{
    struct contact contact = {.address = *from, .epoch = opened->epoch};

    memcpy(contact.public_key, seal_peer_key(node->seal, opened->from), PUBLIC_KEY_SIZE);
    contact.id = hash_node_id(contact.public_key);
    kad_contact_proved(node->kad, node->now, &contact);
    if (!swim_find(node->swim, opened->from) && node_is_in_cell(node, &contact.id)) {
        uint8_t subject[8];
        struct message get = {.kind = MESSAGE_RECORD_GET,
                              .record_get = {.subjects = slice_of(subject, sizeof(subject))}};

        bytes_store_u64(subject, opened->from);
        node_send_bare(node, opened->from, from, &get, 1);
    }
}

void node_datagram(struct node *node, const struct event *event)
{
    struct seal_opened opened = {0};
    const struct address *from = &event->datagram.from;
    enum status status =
        seal_datagram_open(node->seal, event->datagram.bytes, node->datagram, &opened);

    metric_add(&node->metrics, METRIC_MESH_BYTES_IN, event->datagram.bytes.size);
    if (status != STATUS_OK) {
        datagram_refused(node, status, event, opened.key_id);
        return;
    }
    if (node_is_blocked(node, opened.from)) {
        metric_add(&node->metrics, METRIC_DROP_BLOCKED, 1);
        return;
    }
    crdt_clock_observe(&node->clock, node->wall_ms, opened.stamp);
    metric_add(&node->metrics, METRIC_MESH_MESSAGES_IN, 1);

    struct reader in = reader_over(opened.plain);
    struct message message;
    bool is_verified = opened.is_verified;
    struct swim_from sender = {.id8 = opened.from, .address = *from};

    while ((status = wire_datagram_next(&in, &message)) == STATUS_OK) {
        if (message.kind == MESSAGE_ACK && seal_cookie_echoed(node->seal, opened.from, opened.epoch,
                                                              message.ack.cookie, opened.counter)) {
            is_verified = true;
            datagram_proved(node, &opened, from);
        }
        if (is_verified)
            node_peer_message(node, &sender, &message);
        else
            datagram_unverified(node, &opened, from, &message);
    }
    if (status == STATUS_BAD)
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, 1);
    if (!is_verified)
        datagram_verify(node, opened.from, from);
}
