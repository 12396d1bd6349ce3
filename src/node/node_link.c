/* node_link.c: TCP connections between peers.
 *
 *   FREE --dial--> DIALING --LINK_UP--> SHAKING --handshake--> READY --idle, failure--> FREE
 *   FREE --LINK_UP inbound------------> SHAKING
 *
 * Frames sent before READY wait in the link's queue. When a link ends, whoever waited for an answer
 * over it is told: quorum, sync and the forwarded tasks. */
#include "node_impl.h"
#include "node_parts.h"

#define LINK_SHAKE_US INSTANT_S(5)  /* protocols.md 10.2: five seconds to READY */
#define LINK_IDLE_US INSTANT_S(120) /* same: idle links close */
#define LINK_HANDSHAKE_ROOM SEAL_STREAM_HANDSHAKE_MAX

static struct slice link_key(const link_id *id)
{
    return slice_of(id, sizeof(*id));
}

struct node_link *node_link_find(struct node *node, link_id id)
{
    return map_get(&node->link_by_id, link_key(&id));
}

static struct node_link *link_new(struct node *node, link_id id, enum node_link_state state)
{
    struct node_link *link = pool_take(&node->links);

    if (!link)
        return NULL;
    link->id = id;
    if (map_put(&node->link_by_id, link_key(&id), link) != STATUS_OK) {
        pool_give(&node->links, link);
        return NULL;
    }
    link->timer.kind = TIMER_LINK;
    link->state = state;
    link->used = node->now;
    link->late.drift = node->config.clock_drift ? node->config.clock_drift : CLOCK_DRIFT;
    buffer_init(&link->part, FRAME_BODY_MAX);
    buffer_init(&link->queue, NODE_LINK_QUEUE_MAX);
    buffer_init(&link->packed, SEAL_STREAM_PLAIN_MAX);
    list_init(&link->in_packed);
    heap_set(&node->timers, &link->timer.in_timers, node->now + LINK_SHAKE_US);
    metric_add(&node->metrics, METRIC_MESH_LINKS, 1);
    return link;
}

/* Forgets a link on our side. The driver has closed it, or is told to by node_link_close. */
static void link_free(struct node *node, struct node_link *link, enum status reason)
{
    uint64_t peer = link->peer;
    bool is_join = link->is_join, was_ready = link->state == LINK_READY;
    struct address address = link->address;
    struct node_peer *known = peer ? node_peer(node, peer) : NULL;

    node_trace(node, TRACE_LINK_CLOSED, link->id, peer, reason);
    if (known && known->link == link)
        known->link = NULL;
    map_remove(&node->link_by_id, link_key(&link->id));
    heap_remove(&node->timers, &link->timer.in_timers);
    list_remove(&link->in_packed);
    seal_stream_delete(link->stream);
    buffer_close(&link->part);
    buffer_close(&link->queue);
    buffer_close(&link->packed);
    link->state = LINK_FREE;
    pool_give(&node->links, link);
    metric_add(&node->metrics, METRIC_MESH_LINKS, (uint64_t)-1);
    if (is_join)
        node_join_failed(node, &address, reason);
    if (known && !known->link)
        node_peer_lost(node, peer, was_ready);
}

void node_link_close(struct node *node, struct node_link *link, enum status reason)
{
    node_send_packed(node, link); /* it may be the reason for closing */
    effects_push(node->fx, EFFECT_CLOSE)->link.link = link->id;
    link_free(node, link, reason);
}

struct node_link *node_link_dial(struct node *node, const struct address *address)
{
    struct node_link *link = link_new(node, ++node->link_next, LINK_DIALING);

    if (!link)
        return NULL;
    link->address = *address;

    struct effect *effect = effects_push(node->fx, EFFECT_CONNECT);

    effect->link.link = link->id;
    effect->link.address = *address;
    return link;
}

struct node_link *node_link_for(struct node *node, uint64_t id8)
{
    struct node_peer *peer = node_peer(node, id8);
    struct address address;

    if (!peer || id8 == node->self || node_is_blocked(node, id8))
        return NULL;
    if (peer->link)
        return peer->link;
    if (!node_peer_address(node, id8, &address))
        return NULL;
    peer->link = node_link_dial(node, &address);
    if (peer->link)
        peer->link->peer = id8;
    return peer->link;
}

/* Begins the handshake on a connection that stands. */
void node_link_up(struct node *node, const struct event *event)
{
    link_id id = event->link.link;
    bool is_inbound = (id & LINK_INBOUND) != 0;
    struct node_link *link =
        is_inbound ? link_new(node, id, LINK_SHAKING) : node_link_find(node, id);
    struct writer out =
        writer_over(effects_alloc(node->fx, LINK_HANDSHAKE_ROOM), LINK_HANDSHAKE_ROOM);

    if (!link) {
        effects_push(node->fx, EFFECT_CLOSE)->link.link = id;
        return;
    }
    if (is_inbound)
        link->address = event->link.address;
    link->state = LINK_SHAKING;
    link->stream = seal_stream_new(node->seal, !is_inbound);
    if (!link->stream)
        node_link_close(node, link, STATUS_MEMORY);
    else if (seal_stream_begin(link->stream, &out) != STATUS_OK)
        node_link_close(node, link, STATUS_BAD_SEAL);
    else
        node_send_bytes(node, link, writer_done(&out));
}

void node_link_down(struct node *node, const struct event *event)
{
    struct node_link *link = node_link_find(node, event->link.link);

    if (!link)
        return;
    if (link->state == LINK_READY)
        swim_doubt(node->swim, node->now, link->peer);
    else if (link->state == LINK_DIALING && link->peer && event->link.reason != STATUS_OVERLOAD)
        swim_refused(node->swim, node->now, &link->address);
    node_keys_refused(node, link);
    link_free(node, link, event->link.reason);
}

/* The other side has proved its identity: bind the link to the peer. */
static enum status link_ready(struct node *node, struct node_link *link)
{
    const uint8_t *key = seal_stream_peer_key(link->stream);
    struct node_id id = hash_node_id(key);
    uint64_t id8 = id_front(&id);
    struct node_peer *peer = node_peer(node, id8);

    if (id8 == node->self)
        return STATUS_OURSELVES;
    if (!peer || node_is_blocked(node, id8) || (link->peer && link->peer != id8) ||
        seal_peer_add(node->seal, key) != STATUS_OK)
        return STATUS_PERMISSION;
    link->peer = id8;
    link->state = LINK_READY;
    if (!peer->link || peer->link->state != LINK_READY) {
        struct node_link *other = peer->link;

        peer->link = link;
        if (other && other != link && other->queue.size) {
            /* Both dialled at once: what waited for the other link leaves by this one. */
            if (!buffer_append(&link->queue, other->queue.data, other->queue.size))
                return STATUS_OVERLOAD;
            buffer_clear(&other->queue, 0);
        }
    }
    heap_set(&node->timers, &link->timer.in_timers, node->now + LINK_IDLE_US);
    node_trace(node, TRACE_LINK_OPENED, link->id, id8, 0);
    node_send_queued(node, link);
    (void)node_send_open(node, link); /* at once, for what it tells of our clock */
    if (link->is_join)
        node_join_linked(node, link);
    return STATUS_OK;
}

/* Tells whether a link, which lies in a pool, is the one it was: a message may have closed it. */
static bool link_is(const struct node_link *link, link_id id)
{
    return link->state != LINK_FREE && link->id == id;
}

/* One frame; the chunks of a message follow each other without a gap. Anything but OK: the peer
 * breaks the rules. */
static enum status link_frame(struct node *node, struct node_link *link, const struct frame *frame,
                              struct slice body)
{
    struct message message = {0};
    link_id id = link->id;
    enum status status;

    if ((frame->flags & FRAME_MORE) || link->part.size) {
        if (!buffer_append(&link->part, body.data, body.size))
            return STATUS_TOO_LARGE;
        if (frame->flags & FRAME_MORE)
            return STATUS_OK;
        body = slice_of(link->part.data, link->part.size);
    }
    link->used = node->now;
    status = wire_stream_decode(frame->type, body, &message);
    if (status == STATUS_BAD) {
        metric_add(&node->metrics, METRIC_DROP_MALFORMED, 1);
        return STATUS_BAD;
    }
    metric_add(&node->metrics, METRIC_MESH_MESSAGES_IN, 1);
    if (status == STATUS_OK)
        node_message(node, link, frame, &message);
    if (link_is(link, id))
        buffer_clear(&link->part, FRAME_CHUNK_MAX);
    return STATUS_OK;
}

/* One record: when it left, and whole frames. `plain` ends with the link. */
static enum status link_record(struct node *node, struct node_link *link, struct slice plain)
{
    link_id id = link->id;
    enum status status = STATUS_OK;
    struct reader in = reader_over(plain);

    node_late_heard(&link->late, node->now, read_u64(&in));
    while (status == STATUS_OK && link_is(link, id) && reader_left(&in) > 0) {
        struct slice rest = slice_of(in.data + in.at, reader_left(&in)), body;
        struct frame frame;

        if (wire_frame_read(rest, &frame) != STATUS_OK)
            return STATUS_BAD;
        (void)read_slice(&in, wire_frame_size(&frame));
        body = read_slice(&in, frame.length);
        status = in.is_bad ? STATUS_BAD : link_frame(node, link, &frame, body);
    }
    return in.is_bad ? STATUS_BAD : status;
}

static void link_refuse(struct node *node, struct node_link *link, enum status status)
{
    if (status == STATUS_UNKNOWN_KEY)
        node_keys_refused(node, link);
    else
        metric_add(&node->metrics, METRIC_DROP_HANDSHAKE, 1);
    node_link_close(node, link, status);
}

void node_link_bytes(struct node *node, const struct event *event)
{
    link_id id = event->stream.link;
    struct slice in = event->stream.bytes;
    struct node_link *link = node_link_find(node, id);

    metric_add(&node->metrics, METRIC_MESH_BYTES_IN, in.size);
    while (link && link_is(link, id) && link->stream) {
        size_t room = link->state == LINK_READY ? 16 : LINK_HANDSHAKE_ROOM;
        struct writer out = writer_over(effects_alloc(node->fx, room), room);
        struct seal_stream_event step = {0};
        enum status status = seal_stream_feed(link->stream, &in, &out, &step);

        if (out.size)
            link->late.asked = node->now;
        node_send_bytes(node, link, writer_done(&out));
        if (status != STATUS_OK) {
            link_refuse(node, link, status);
            return;
        }
        if (step.kind == SEAL_STREAM_MORE)
            return;
        if (step.kind == SEAL_STREAM_RECORD)
            crdt_clock_observe(&node->clock, node->wall_ms, step.stamp);

        status = step.kind == SEAL_STREAM_READY ? link_ready(node, link)
                                                : link_record(node, link, step.plain);
        if (link_is(link, id) && status != STATUS_OK) {
            node_link_close(node, link, status);
            return;
        }
    }
}

void node_link_expired(struct node *node, struct node_link *link)
{
    if (link->state == LINK_READY && !link->is_retired && link->used + LINK_IDLE_US > node->now)
        heap_set(&node->timers, &link->timer.in_timers, link->used + LINK_IDLE_US);
    else
        node_link_close(node, link, STATUS_DEADLINE);
}
