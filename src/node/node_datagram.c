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
        {STATUS_UNKNOWN_PEER, METRIC_DROP_UNKNOWN_PEER},
        {STATUS_REPLAY, METRIC_DROP_REPLAY},
        {STATUS_FOREIGN, METRIC_DROP_FOREIGN},
        {STATUS_BAD_SEAL, METRIC_DROP_BAD_SEAL},
    };
    enum metric metric = METRIC_DROP_MALFORMED;

    for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            metric = reasons[i].metric;
    if (status == STATUS_UNKNOWN_KEY)
        node_keys_foreign(node, key_id, &event->datagram.from);
    else
        metric_add(&node->metrics, metric, 1);
}

/* Tells whether a peer is known to be at an address: by its signed record, or because it echoed a
 * cookie from there. */
static bool datagram_is_proved_from(struct node *node, uint64_t id8, const struct address *from)
{
    const struct swim_view *view = swim_find(node->swim, id8);
    const struct node_peer *peer = node_peer(node, id8);

    return (view && address_equal(&view->address, from)) ||
           (peer && address_equal(&peer->proved, from));
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

/* The peer's epoch is proved, and if `is_there`, that it is at `from`. */
static void datagram_proved(struct node *node, const struct seal_opened *opened,
                            const struct address *from, bool is_there)
{
    struct contact contact = {.epoch = opened->epoch};
    struct node_peer *peer = node_peer(node, opened->from);

    if (is_there) {
        node->unproved.address.family = 0;
        if (peer)
            peer->proved = *from;
    }
    if (!node_peer_address(node, opened->from, &contact.address) && !is_there)
        return;
    contact.address = is_there ? *from : contact.address;
    memcpy(contact.public_key, seal_peer_key(node->seal, opened->from), PUBLIC_KEY_SIZE);
    contact.id = hash_node_id(contact.public_key);
    kad_contact_proved(node->kad, node->now, &contact);
    if (!swim_find(node->swim, opened->from) && node_is_in_cell(node, &contact.id))
        node_overlay_ask(node, opened->from, &contact.address);
}

/* Takes the echo of a cookie. It proves the address only if the cookie was sent there: an answer
 * can be caught and sent on from elsewhere. */
static bool datagram_echo(struct node *node, const struct seal_opened *opened,
                          const struct address *from, const struct message *message)
{
    uint64_t echo = message->ack.cookie;
    struct address known;
    bool is_there;

    if (message->kind != MESSAGE_ACK || echo == 0)
        return false;
    is_there = seal_cookie_echoed(node->seal, opened->from, opened->epoch,
                                  echo ^ node_cookie_mask(from), opened->counter);
    if (!is_there && (!node_peer_address(node, opened->from, &known) ||
                      !seal_cookie_echoed(node->seal, opened->from, opened->epoch,
                                          echo ^ node_cookie_mask(&known), opened->counter)))
        return false;
    datagram_proved(node, opened, from, is_there);
    return true;
}

/* One message of a packet that opened. What a recording says has no effect, unless it is no
 * recording: then it echoes our cookie. */
static void datagram_message(struct node *node, struct seal_opened *opened,
                             struct swim_from *sender, const struct message *message)
{
    bool is_unproved;

    opened->is_verified |= datagram_echo(node, opened, &sender->address, message);
    is_unproved = node->unproved.address.family != 0;
    if (opened->is_stale && !opened->is_verified)
        metric_add(&node->metrics, METRIC_DROP_REPLAY, 1);
    else if (!opened->is_verified)
        datagram_unverified(node, opened, &sender->address, message);
    else if (message->kind == MESSAGE_CAST)
        sender->cast = message->cast.depth;
    else if (is_unproved && (message->kind == MESSAGE_PING_REQ || message->kind == MESSAGE_NODES))
        metric_add(&node->metrics, METRIC_DROP_UNVERIFIED, 1); /* would be answered later */
    else
        node_peer_message(node, sender, message);
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
    if (!node->is_swimming) { /* `sys` is being read, which tells what is older than this life */
        metric_add(&node->metrics, METRIC_DROP_UNVERIFIED, 1);
        return;
    }
    if (node_is_blocked(node, opened.from)) {
        metric_add(&node->metrics, METRIC_DROP_BLOCKED, 1);
        return;
    }
    crdt_clock_observe(&node->clock, node->wall_ms, opened.stamp);
    metric_add(&node->metrics, METRIC_MESH_MESSAGES_IN, 1);
    if (!datagram_is_proved_from(node, opened.from, from))
        node->unproved = (struct node_unproved){*from, event->datagram.bytes.size};

    struct swim_from sender = {.id8 = opened.from, .address = *from};
    struct reader in = reader_over(opened.plain);
    struct message message;

    while ((status = wire_datagram_next(&in, &message)) == STATUS_OK)
        datagram_message(node, &opened, &sender, &message);
    if (status == STATUS_BAD)
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, 1);
    if (opened.stamp <= node->clock.last) /* as far ahead as nobody can be made to follow: no */
        seal_floor(node->seal, opened.from, opened.stamp);
    if (!opened.is_stale && (!opened.is_verified || node->unproved.address.family != 0))
        datagram_verify(node, opened.from, from);
}
