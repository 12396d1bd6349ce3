/* sim_net.c: the network between the peers. Datagrams are delayed, lost, doubled, reordered and
 * damaged; streams keep their order but stall while a path is cut, break, and deliver in pieces. */
#include <stdlib.h>

#include "sim.h"

#define STALL_US INSTANT_MS(100) /* how often a stalled stream tries again */
#define STALLS_MAX 100           /* then the connection breaks: 10 s */
#define CONNECT_TIMEOUT_US INSTANT_S(3)

static uint64_t net_delay(struct sim *sim)
{
    uint64_t delay =
        sim->plan.delay_min_us + prng_below(&sim->rng, 2u * sim->plan.delay_mean_us + 1u);

    if (sim->is_faulty && prng_chance(&sim->rng, 1, 50))
        delay *= 10;
    return delay;
}

static bool net_is_cut(const struct sim *sim, uint32_t from, uint32_t to)
{
    return sim->cut[from][to];
}

static bool net_strikes(struct sim *sim, uint32_t per_thousand)
{
    return sim->is_faulty && per_thousand && prng_chance(&sim->rng, per_thousand, 1000);
}

static void net_send(struct sim *sim, struct sim_node *from, uint32_t to, struct slice bytes)
{
    struct sim_event *event = sim_after(sim, net_delay(sim), SIM_DATAGRAM, bytes);

    event->node = to;
    event->address = sim_address(from->index);
    if (bytes.size && net_strikes(sim, sim->plan.corrupt)) {
        uint8_t *byte = &event->data[prng_below(&sim->rng, bytes.size)];

        *byte = (uint8_t)(*byte ^ (1u << prng_below(&sim->rng, 8)));
    }
    sim_replay_sent(sim, event);
}

static void net_refuse(struct sim *sim, const struct sim_node *from, const struct address *to)
{
    struct sim_event *refused = sim_after(sim, net_delay(sim), SIM_REFUSED, SLICE_NONE);

    refused->node = from->index;
    refused->address = *to;
}

void sim_net_datagram(struct sim *sim, struct sim_node *from, const struct effect *effect)
{
    int to = sim_node_at(sim, &effect->datagram.to);

    if (to < 0)
        sim_replay_reflected(sim, effect);
    if (to < 0 || net_is_cut(sim, from->index, (uint32_t)to) || net_strikes(sim, sim->plan.loss))
        return;
    if (!sim->nodes[to].node && prng_chance(&sim->rng, 1, 2)) {
        net_refuse(sim, from, &effect->datagram.to);
        return;
    }
    if (sim_sick_is_deaf(sim, from->index))
        net_refuse(sim, from, &effect->datagram.to);
    net_send(sim, from, (uint32_t)to, effect->datagram.bytes);
    if (net_strikes(sim, sim->plan.duplicate))
        net_send(sim, from, (uint32_t)to, effect->datagram.bytes);
}

/* --- streams */

static struct sim_conn *net_conn(struct sim *sim, const struct sim_node *peer, link_id link,
                                 unsigned *side)
{
    for (uint32_t i = 0; i < sim->conn_count; i++)
        for (unsigned s = 0; s < 2; s++) {
            struct sim_conn *conn = &sim->conns[i];

            if (conn->is_open && conn->node[s] == peer->index && conn->boot[s] == peer->boot &&
                conn->link[s] == link) {
                *side = s;
                return conn;
            }
        }
    return NULL;
}

static struct sim_conn *net_conn_new(struct sim *sim)
{
    struct sim_conn *conn = NULL;

    for (uint32_t i = 0; i < sim->conn_count && !conn; i++)
        if (!sim->conns[i].is_open)
            conn = &sim->conns[i];
    if (!conn && sim->conn_count == sim->conn_capacity) {
        sim->conn_capacity = sim->conn_capacity ? 2 * sim->conn_capacity : 64;
        sim->conns = realloc(sim->conns, sim->conn_capacity * sizeof(*sim->conns));
        ensure(sim->conns != NULL);
    }
    if (!conn)
        conn = &sim->conns[sim->conn_count++];
    *conn = (struct sim_conn){.is_open = true};
    buffer_init(&conn->bytes[0], 1u << 28);
    buffer_init(&conn->bytes[1], 1u << 28);
    return conn;
}

static void net_tell(struct sim *sim, uint64_t delay, enum sim_kind kind, uint32_t conn,
                     unsigned side)
{
    struct sim_event *event = sim_after(sim, delay, kind, SLICE_NONE);

    event->conn = conn;
    event->direction = (uint8_t)side;
    event->node = sim->conns[conn].node[side];
    event->boot = sim->conns[conn].boot[side];
    event->link = sim->conns[conn].link[side];
}

static void net_free(struct sim_conn *conn)
{
    buffer_close(&conn->bytes[0]);
    buffer_close(&conn->bytes[1]);
    conn->is_open = false;
}

/* Breaks a connection: whoever still lives hears of it, `except` excluded. */
static void net_break(struct sim *sim, struct sim_conn *conn, int except)
{
    for (unsigned side = 0; side < 2; side++) {
        struct sim_node *peer = &sim->nodes[conn->node[side]];

        if ((int)side != except && peer->node && peer->boot == conn->boot[side] && conn->link[side])
            net_tell(sim, net_delay(sim), SIM_LINK_DOWN, (uint32_t)(conn - sim->conns), side);
    }
    net_free(conn);
}

void sim_net_connect(struct sim *sim, struct sim_node *from, const struct effect *effect)
{
    int to = sim_node_at(sim, &effect->link.address);
    struct sim_conn *conn = net_conn_new(sim);
    uint32_t index = (uint32_t)(conn - sim->conns);
    bool is_cut = to < 0 || net_is_cut(sim, from->index, (uint32_t)to) ||
                  net_is_cut(sim, (uint32_t)to, from->index);

    conn->node[0] = from->index;
    conn->boot[0] = from->boot;
    conn->link[0] = effect->link.link;
    conn->node[1] = to < 0 ? from->index : (uint32_t)to;
    conn->is_slow = net_strikes(sim, sim->plan.slow);
    if (is_cut || !sim->nodes[to].node) {
        net_tell(sim, is_cut ? CONNECT_TIMEOUT_US : net_delay(sim), SIM_LINK_DOWN, index, 0);
        net_free(conn);
        return;
    }
    conn->boot[1] = sim->nodes[to].boot;
    conn->link[1] = LINK_INBOUND | ++sim->nodes[to].inbound;
    net_tell(sim, net_delay(sim), SIM_LINK_UP, index, 0);
}

static void net_schedule(struct sim *sim, struct sim_conn *conn, unsigned direction, uint64_t delay)
{
    if (conn->is_scheduled[direction])
        return;
    conn->is_scheduled[direction] = true;
    net_tell(sim, delay, SIM_STREAM, (uint32_t)(conn - sim->conns), !direction);
}

void sim_net_stream(struct sim *sim, struct sim_node *from, const struct effect *effect)
{
    unsigned side;
    struct sim_conn *conn = net_conn(sim, from, effect->stream.link, &side);

    if (!conn)
        return; /* LINK_DOWN is on its way */
    if (!buffer_append(&conn->bytes[side], effect->stream.bytes.data, effect->stream.bytes.size))
        ensure_unreachable();
    net_schedule(sim, conn, side, net_delay(sim));
}

void sim_net_closed(struct sim *sim, struct sim_node *from, link_id link)
{
    unsigned side;
    struct sim_conn *conn = net_conn(sim, from, link, &side);

    if (conn)
        net_break(sim, conn, (int)side);
}

static bool net_is_current(const struct sim *sim, const struct sim_event *event)
{
    const struct sim_node *peer = &sim->nodes[event->node];
    const struct sim_conn *conn = &sim->conns[event->conn];
    unsigned side = event->direction;

    return peer->node && peer->boot == event->boot && conn->is_open &&
           conn->node[side] == event->node && conn->link[side] == event->link;
}

/* The connection stands: the dialler hears it, the listener a moment later by its first bytes. */
void sim_net_up(struct sim *sim, struct sim_event *event)
{
    struct sim_conn *conn = &sim->conns[event->conn];
    struct event up = {.kind = EVENT_LINK_UP};

    if (!net_is_current(sim, event))
        return;

    struct sim_node *dialler = &sim->nodes[conn->node[0]], *listener = &sim->nodes[conn->node[1]];
    uint32_t listener_boot = conn->boot[1];
    link_id inbound = conn->link[1];

    if (!listener->node || listener->boot != listener_boot) {
        net_break(sim, conn, -1);
        return;
    }
    conn->is_up = true;
    up.link.link = conn->link[0];
    up.link.address = sim_address(listener->index);
    sim_step(sim, dialler, &up);
    if (!listener->node || listener->boot != listener_boot)
        return;
    up = (struct event){.kind = EVENT_LINK_UP};
    up.link.link = inbound;
    up.link.address = sim_address(dialler->index);
    up.link.address.port = 1;
    sim_step(sim, listener, &up);
}

static void net_down(struct sim *sim, struct sim_event *event)
{
    struct sim_node *peer = &sim->nodes[event->node];
    struct event down = {.kind = EVENT_LINK_DOWN};

    if (!peer->node || peer->boot != event->boot)
        return;
    down.link.link = event->link;
    down.link.reason = STATUS_CLOSED;
    sim_step(sim, peer, &down);
}

/* Hands over what has come, all of it or a piece. */
static void net_stream(struct sim *sim, struct sim_event *event)
{
    struct sim_conn *conn = &sim->conns[event->conn];
    unsigned side = event->direction, direction = !side;
    struct sim_node *peer = &sim->nodes[event->node];
    struct event bytes = {.kind = EVENT_STREAM};
    size_t size;
    uint8_t *copy;

    if (!net_is_current(sim, event))
        return;
    conn->is_scheduled[direction] = false;
    if (peer->paused_until > sim->now) {
        net_schedule(sim, conn, direction, peer->paused_until - sim->now);
        return;
    }
    if (net_is_cut(sim, conn->node[direction], conn->node[side])) {
        if (++conn->stalls > STALLS_MAX)
            net_break(sim, conn, -1);
        else
            net_schedule(sim, conn, direction, STALL_US);
        return;
    }
    conn->stalls = 0;
    if (net_strikes(sim, sim->plan.reset)) {
        net_break(sim, conn, -1);
        return;
    }
    size = conn->bytes[direction].size;
    if (conn->is_slow)
        size = size < 40 ? size : 1 + prng_below(&sim->rng, size);
    else if (size > 1 && sim->is_faulty && prng_chance(&sim->rng, 1, 10))
        size = 1 + prng_below(&sim->rng, size);
    copy = malloc(size + 1);
    ensure(copy != NULL);
    memcpy(copy, conn->bytes[direction].data, size);
    buffer_consume(&conn->bytes[direction], size);
    if (conn->bytes[direction].size)
        net_schedule(sim, conn, direction, 1 + prng_below(&sim->rng, 500));
    bytes.stream.link = event->link;
    bytes.stream.bytes = slice_of(copy, size);
    sim_step(sim, peer, &bytes);
    free(copy);
}

void sim_net_deliver(struct sim *sim, struct sim_event *event)
{
    if (event->kind == SIM_LINK_DOWN)
        net_down(sim, event);
    else
        net_stream(sim, event);
}

void sim_net_crashed(struct sim *sim, struct sim_node *peer)
{
    for (uint32_t i = 0; i < sim->conn_count; i++)
        for (unsigned side = 0; side < 2; side++)
            if (sim->conns[i].is_open && sim->conns[i].node[side] == peer->index &&
                sim->conns[i].boot[side] == peer->boot) {
                net_break(sim, &sim->conns[i], (int)side);
                break;
            }
}

void sim_net_heal(struct sim *sim)
{
    memset(sim->cut, 0, sizeof(sim->cut));
}

void sim_net_close(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conn_count; i++)
        if (sim->conns[i].is_open)
            net_free(&sim->conns[i]);
    free(sim->conns);
}
