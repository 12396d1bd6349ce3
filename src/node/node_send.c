/* node_send.c: the way out. A message becomes bytes (wire), the bytes are sealed (seal) and leave
 * as effects. Datagrams are filled up with gossip. Stream messages are cut into chunks of a
 * record's size at most, so that a large value never holds a short one up for long; the short ones
 * of one turn share a record, because sealing costs by the record more than by the byte. */
#include "node_impl.h"
#include "node_parts.h"

#define NEWS_MAX 64        /* members told at once of a change */
#define STREAM_OVERHEAD 64 /* bytes a sealed record may add: length, tag, stamp */

/* What one datagram is to carry. */
struct send_list {
    const struct message *messages;
    unsigned count;
    bool is_bare; /* nothing is added */
};

/* Fills what is left of a datagram with updates that others should hear of. */
static void send_piggyback(struct node *node, uint64_t to, struct writer *plain)
{
    struct message extra[MESSAGES_PER_DATAGRAM_MAX];
    size_t room = plain->capacity - plain->size;
    unsigned count = swim_piggyback(node->swim, to, room, extra, MESSAGES_PER_DATAGRAM_MAX);

    for (unsigned i = 0; i < count; i++)
        if (wire_datagram_append(plain, &extra[i]) != STATUS_OK)
            break;
}

/* What a cookie is mixed with, so that its echo proves the address it was sent to. */
uint64_t node_cookie_mask(const struct address *address)
{
    uint8_t key[HASH_SEED_SIZE] = {0}, room[3 + sizeof(address->ip)];
    struct writer bytes = writer_over(room, sizeof(room));

    write_u8(&bytes, address->family);
    write_u16(&bytes, address->port);
    write_bytes(&bytes, address->ip, address->family == 4 ? 4 : sizeof(address->ip));
    return hash_sip64(key, bytes.data, bytes.size);
}

/* Spells one message; a PING asks for an echo that proves the receiver's epoch and address. */
static bool send_append(struct node *node, uint64_t to, const struct address *address,
                        struct writer *plain, const struct message *message)
{
    struct message copy = *message;

    if (copy.kind == MESSAGE_PING)
        copy.ping.cookie = seal_cookie(node->seal, to) ^ node_cookie_mask(address);
    return wire_datagram_append(plain, &copy) == STATUS_OK;
}

static void send_packet(struct node *node, uint64_t to, const struct address *address,
                        const struct writer *plain)
{
    struct writer out = writer_over(effects_alloc(node->fx, DATAGRAM_SIZE_MAX), DATAGRAM_SIZE_MAX);

    if (seal_datagram(node->seal, to, node_stamp(node), writer_done(plain), &out) != STATUS_OK)
        return;
    if (address_equal(address, &node->unproved.address)) {
        if (out.size > node->unproved.room)
            return;
        node->unproved.room -= out.size;
    }

    struct effect *effect = effects_push(node->fx, EFFECT_DATAGRAM);

    effect->datagram.to = *address;
    effect->datagram.bytes = writer_done(&out);
    metric_add(&node->metrics, METRIC_MESH_BYTES_OUT, out.size);
    metric_add(&node->metrics, METRIC_MESH_MESSAGES_OUT, 1);
}

static void send_messages(struct node *node, uint64_t to, const struct address *address,
                          const struct send_list *list)
{
    uint8_t room[DATAGRAM_SIZE_MAX];
    struct writer plain = writer_over(room, DATAGRAM_SIZE_MAX - DATAGRAM_OVERHEAD);

    if (node_is_blocked(node, to))
        return;
    for (unsigned i = 0; i < list->count; i++)
        if (!send_append(node, to, address, &plain, &list->messages[i]))
            break;
    if (!list->is_bare && !address_equal(address, &node->unproved.address))
        send_piggyback(node, to, &plain);
    send_packet(node, to, address, &plain);
}

void node_send_datagram(struct node *node, uint64_t to, const struct address *address,
                        const struct message *messages, unsigned count)
{
    send_messages(node, to, address, &(struct send_list){messages, count, false});
}

void node_send_bare(struct node *node, uint64_t to, const struct address *address,
                    const struct message *messages, unsigned count)
{
    send_messages(node, to, address, &(struct send_list){messages, count, true});
}

/* Hands sealed bytes, or those of the handshake, to the driver. */
void node_send_bytes(struct node *node, const struct node_link *link, struct slice bytes)
{
    struct effect *effect;

    if (bytes.size == 0)
        return;
    effect = effects_push(node->fx, EFFECT_STREAM);
    effect->stream.link = link->id;
    effect->stream.bytes = bytes;
    metric_add(&node->metrics, METRIC_MESH_BYTES_OUT, bytes.size);
}

/* Seals the frames that wait as one record. */
void node_send_packed(struct node *node, struct node_link *link)
{
    size_t size = link->packed.size + STREAM_OVERHEAD;
    struct slice plain = slice_of(link->packed.data, link->packed.size);
    struct writer out;

    list_remove(&link->in_packed);
    if (plain.size == 0)
        return;
    bytes_store_u64(link->packed.data, node->now);
    out = writer_over(effects_alloc(node->fx, size), size);
    if (seal_stream_seal(link->stream, node_stamp(node), plain, &out) == STATUS_OK) {
        link->used = node->now;
        node_send_bytes(node, link, writer_done(&out));
    } /* else the link is on its way out: LINK_DOWN follows */
    buffer_clear(&link->packed, FRAME_CHUNK_MAX);
}

/* Begins the next record, if it is not begun: when it leaves is filled in then. */
bool node_send_open(struct node *node, struct node_link *link)
{
    static const uint8_t sent[RECORD_SENT_SIZE];

    if (!list_is_empty(&link->in_packed))
        return true;
    list_push_back(&node->packed, &link->in_packed);
    return buffer_append(&link->packed, sent, sizeof(sent));
}

/* One frame in clear: packed into the next record, or kept until the handshake is over. */
static bool send_frame(struct node *node, struct node_link *link, struct slice plain)
{
    uint8_t size[4];
    struct writer header = writer_over(size, sizeof(size));

    if (link->state == LINK_READY) {
        if (link->packed.size + plain.size > SEAL_STREAM_PLAIN_MAX)
            node_send_packed(node, link);
        return node_send_open(node, link) && buffer_append(&link->packed, plain.data, plain.size);
    }
    write_u32(&header, (uint32_t)plain.size);
    return buffer_append(&link->queue, size, sizeof(size)) &&
           buffer_append(&link->queue, plain.data, plain.size);
}

void node_send_queued(struct node *node, struct node_link *link)
{
    struct reader in = reader_over(slice_of(link->queue.data, link->queue.size));

    while (reader_left(&in) > 0) {
        uint32_t size = read_u32(&in);

        (void)send_frame(node, link, read_slice(&in, size));
    }
    buffer_close(&link->queue);
    buffer_init(&link->queue, NODE_LINK_QUEUE_MAX);
}

bool node_send_link(struct node *node, struct node_link *link, const struct frame *head,
                    const struct message *message)
{
    size_t size = wire_stream_size(message);
    uint8_t *body = effects_alloc(node->fx, size + 1);
    struct writer out = writer_over(body, size);
    SCRATCH uint8_t plain[FRAME_HEADER_SIZE + FRAME_CHUNK_MAX];
    size_t at = 0;

    if (wire_stream_encode(&out, message) != STATUS_OK)
        return false;
    do {
        size_t chunk = size - at > FRAME_CHUNK_MAX ? FRAME_CHUNK_MAX : size - at;
        struct frame frame = *head;
        struct writer writer = writer_over(plain, sizeof(plain));

        frame.type = (uint8_t)message->kind;
        frame.length = (uint32_t)chunk;
        if (at + chunk < size)
            frame.flags |= FRAME_MORE;
        wire_frame_write(&writer, &frame);
        write_bytes(&writer, body + at, chunk);
        if (!send_frame(node, link, writer_done(&writer)))
            return false;
        at += chunk;
    } while (at < size);
    metric_add(&node->metrics, METRIC_MESH_MESSAGES_OUT, 1);
    return true;
}

bool node_send(struct node *node, uint64_t to, const struct frame *head,
               const struct message *message)
{
    struct node_link *link = node_link_for(node, to);

    return link && node_send_link(node, link, head, message);
}

bool node_send_plain(struct node *node, uint64_t to, const struct message *message)
{
    struct frame head = {.priority = 0};

    return node_send(node, to, &head, message);
}

void node_send_reply(struct node *node, uint64_t to, uint64_t request,
                     const struct message *message)
{
    struct frame head = {.flags = FRAME_REPLY, .priority = 1, .request = request};

    (void)node_send(node, to, &head, message);
}

/* News for everybody: members are told at once, the digest on pings reaches the rest. */
void node_send_all(struct node *node, const struct message *message)
{
    uint32_t told = 0;

    for (uint32_t i = 0; i < swim_count(node->swim) && told < NEWS_MAX; i++) {
        const struct swim_view *view = swim_at(node->swim, i);
        uint64_t id8 = id_front(&view->id);

        if (id8 == node->self || view->rank >= RANK_DEAD)
            continue;
        (void)node_send_plain(node, id8, message);
        told++;
    }
}
