/* sim_replay.c: profile `replay`: somebody records every packet that arrives anywhere, and sends
 * all of them again: in order, shuffled, to receivers that have just restarted, and into another
 * cluster whose peers have the same identities and the same cluster key. Nothing may come of it: no
 * effect, no trace, no change of anything that can be seen of a node (W1).
 *
 * While recording, some packets arrive first from an address that is not their sender's, and the
 * original is lost: to such an address never goes more than came from it (W7).
 *
 * REPLAY_PACKETS (20000) says how many packets are recorded; `make replay` takes a million. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define FALSE_PORTS 40000u /* where forged senders are: nobody answers there */
#define FALSE_COUNT 20000u

struct replay_packet {
    struct address from;
    uint32_t to;
    uint32_t size;
    uint8_t *bytes; /* owned */
};

struct sim_replay {
    struct replay_packet *packets; /* owned */
    uint32_t count, limit;
    bool is_recording;
    struct prng rng;
    uint32_t forged;            /* packets from false addresses */
    size_t credit[FALSE_COUNT]; /* bytes that came from each, less those that went there */
};

void sim_replay_draw(uint64_t seed, struct sim_plan *plan)
{
    const char *wanted = getenv("REPLAY_PACKETS");
    struct prng rng;

    prng_init(&rng, seed ^ 0x9e91a7ull);
    plan->replay = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 20000;
    plan->peers = (uint32_t)prng_between(&rng, 5, 10);
    plan->hosts = plan->peers;
    plan->clients = 0;
    plan->skew = 0;
}

void sim_replay_open(struct sim *sim)
{
    if (sim->plan.replay == 0)
        return;
    sim->replay = calloc(1, sizeof(*sim->replay));
    ensure(sim->replay != NULL);
    sim->replay->limit = sim->plan.replay;
    sim->replay->packets = calloc(sim->replay->limit, sizeof(*sim->replay->packets));
    ensure(sim->replay->packets != NULL);
    sim->replay->is_recording = true;
    prng_init(&sim->replay->rng, sim->seed ^ 0x9e91a8ull);
}

void sim_replay_close(struct sim *sim)
{
    for (uint32_t i = 0; sim->replay && i < sim->replay->count; i++)
        free(sim->replay->packets[i].bytes);
    if (sim->replay)
        free(sim->replay->packets);
    free(sim->replay);
}

/* --- recording */

void sim_replay_sent(struct sim *sim, struct sim_event *event)
{
    struct sim_replay *replay = sim->replay;

    if (replay && sim->is_faulty && prng_chance(&replay->rng, 1, 40))
        event->address.port = (uint16_t)(FALSE_PORTS + replay->forged++ % FALSE_COUNT);
}

void sim_replay_arrived(struct sim *sim, const struct sim_event *event)
{
    struct sim_replay *replay = sim->replay;
    struct replay_packet *packet;

    if (!replay)
        return;
    if (event->address.port >= FALSE_PORTS)
        replay->credit[event->address.port - FALSE_PORTS] = event->bytes.size;
    if (!replay->is_recording || replay->count == replay->limit)
        return;
    packet = &replay->packets[replay->count++];
    *packet = (struct replay_packet){
        .from = event->address, .to = event->node, .size = (uint32_t)event->bytes.size};
    packet->bytes = malloc(event->bytes.size + 1);
    ensure(packet->bytes != NULL);
    memcpy(packet->bytes, event->bytes.data, event->bytes.size);
}

void sim_replay_reflected(struct sim *sim, const struct effect *effect)
{
    uint32_t port = effect->datagram.to.port;
    size_t *credit =
        port >= FALSE_PORTS && sim->replay ? &sim->replay->credit[port - FALSE_PORTS] : NULL;

    if (!credit)
        return;
    if (effect->datagram.bytes.size > *credit)
        sim_fail(sim, "W7: %zu bytes leave for an address that sent %zu and proved nothing",
                 effect->datagram.bytes.size, *credit);
    else
        *credit -= effect->datagram.bytes.size;
}

/* --- playing */

/* Hands a node an event, now. */
static void replay_step(struct sim *sim, struct sim_node *peer, struct event *event)
{
    event->now = sim_mono(sim, peer);
    event->wall_ms = sim_wall_ms(sim, peer);
    node_step(peer->node, event, &sim->fx);
    node_flush(peer->node, &sim->fx);
}

/* All that can be seen of a node now, but what it counts as refused. */
static uint64_t replay_state(struct sim *sim, struct sim_node *peer)
{
    struct event nothing = {.kind = EVENT_CANCEL, .cancel = {.ticket = UINT64_MAX}};
    const struct metrics *metrics;

    uint64_t words[METRIC_COUNT + 2 * SIM_PEERS_MAX + 8] = {0};
    uint32_t count = 0;

    replay_step(sim, peer, &nothing); /* gauges go by the time of the last step */
    metrics = node_metrics(peer->node);
    words[count++] = node_deadline(peer->node);
    words[count++] = node_digest(peer->node);
    words[count++] = node_layout(peer->node);
    words[count++] = node_place_state(peer->node);
    words[count++] = node_is_ready(peer->node) + 2u * node_is_recovering(peer->node);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        const struct node_id *id = &sim->nodes[i].identity.id;

        words[count++] = (uint64_t)(node_member_rank(peer->node, id) + 1);
        words[count++] = node_member_incarnation(peer->node, id);
    }
    for (unsigned i = 0; i < METRIC_COUNT; i++)
        if (i != METRIC_MESH_BYTES_IN && i != METRIC_MESH_MESSAGES_IN &&
            (i < METRIC_DROP_BAD_SEAL || i > METRIC_DROP_HANDSHAKE))
            words[count++] = metrics->values[i];
    return hash_sip64(sim->trace_key, words, count * sizeof(words[0]));
}

static void replay_one(struct sim *sim, struct sim_node *peer, const struct replay_packet *packet)
{
    struct event event = {.kind = EVENT_DATAGRAM};
    uint64_t trace = sim->trace_hash;

    event.datagram.from = packet->from;
    event.datagram.bytes = slice_of(packet->bytes, packet->size);
    replay_step(sim, peer, &event);
    if (sim->fx.count > 0 || sim->trace_hash != trace)
        sim_fail(sim, "W1: peer-%u reacts to a recorded packet (effect %u of %u)", peer->index,
                 sim->fx.count ? sim->fx.items[0].kind : 0u, sim->fx.count);
    effects_reset(&sim->fx);
}

/* Everything that was recorded for a peer, or all peers (-1), now. */
static void replay_all(struct sim *sim, const struct sim_replay *replay, int to, const char *how)
{
    uint64_t before[SIM_PEERS_MAX] = {0};

    for (uint32_t i = 0; i < sim->node_count; i++)
        before[i] = sim->nodes[i].node ? replay_state(sim, &sim->nodes[i]) : 0;
    for (uint32_t i = 0; i < replay->count && !sim->failure[0]; i++) {
        const struct replay_packet *packet = &replay->packets[i];
        struct sim_node *peer = &sim->nodes[packet->to];

        if (peer->node && peer->paused_until <= sim->now && (to < 0 || packet->to == (uint32_t)to))
            replay_one(sim, peer, packet);
    }
    for (uint32_t i = 0; i < sim->node_count && !sim->failure[0]; i++)
        if (sim->nodes[i].node && replay_state(sim, &sim->nodes[i]) != before[i])
            sim_fail(sim, "W1: recorded packets (%s) change the state of peer-%u", how, i);
}

/* Runs for some seconds in which peers die, return and stand still, until enough is recorded. */
static void replay_record(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    struct sim_replay *replay = sim->replay;

    sim->is_faulty = true;
    while (!sim->failure[0] && replay->count < replay->limit) {
        struct sim_node *peer = &sim->nodes[prng_below(&replay->rng, sim->node_count)];

        samples(sim, sim->now + prng_between(&replay->rng, INSTANT_S(2), INSTANT_S(12)));
        if (sim->failure[0] || !peer->node || peer->paused_until > sim->now)
            continue;
        if (prng_chance(&replay->rng, 1, 3)) {
            peer->paused_until = sim->now + prng_between(&replay->rng, 1, INSTANT_S(2));
            continue;
        }
        sim_crash(sim, peer, false);
        sim_after(sim, prng_between(&replay->rng, 1, INSTANT_S(3)), SIM_BOOT, SLICE_NONE)->node =
            peer->index;
    }
    replay->is_recording = false;
    sim->is_faulty = false;
    samples(sim, sim->now + INSTANT_S(10));
}

/* Each peer once: at the first moment of its new life, a little later, and when all is well. */
static void replay_restarts(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    static const uint64_t waits[] = {1000, INSTANT_MS(50), INSTANT_S(1), INSTANT_S(8)};

    for (uint32_t i = 0; i < sim->node_count && !sim->failure[0]; i++) {
        struct sim_node *peer = &sim->nodes[i];

        sim_crash(sim, peer, false);
        samples(sim, sim->now + prng_between(&sim->replay->rng, 1, INSTANT_S(2)));
        sim_boot(sim, peer);
        for (unsigned k = 0; k < sizeof(waits) / sizeof(waits[0]) && !sim->failure[0]; k++) {
            samples(sim, sim->now + waits[k]);
            replay_all(sim, sim->replay, (int)i, "after a restart");
        }
    }
}

static void replay_elsewhere(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    struct sim *other = calloc(1, sizeof(*other));
    struct sim_plan plan = sim->plan;

    ensure(other != NULL);
    plan.replay = 0;
    sim_open(other, sim->seed, &plan);
    for (uint32_t i = 0; i < other->node_count; i++) {
        memset(other->nodes[i].keyring.cluster_id, 0x5a, CLUSTER_ID_SIZE);
        sim_boot(other, &other->nodes[i]);
    }
    samples(other, INSTANT_S(15));
    replay_all(other, sim->replay, -1, "of another cluster");
    if (other->failure[0])
        sim_fail(sim, "%s (another cluster)", other->failure);
    sim_close(other);
    free(other);
}

void sim_replay_play(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    struct sim_replay *replay = sim->replay;

    replay_record(sim, samples);
    replay_all(sim, replay, -1, "in order");
    samples(sim, sim->now + INSTANT_S(3));
    prng_shuffle(&replay->rng, replay->packets, replay->count, sizeof(*replay->packets));
    replay_all(sim, replay, -1, "shuffled");
    replay_restarts(sim, samples);
    if (!sim->failure[0])
        replay_elsewhere(sim, samples);
    if (!sim->failure[0] && !sim_check_is_settled(sim))
        samples(sim, sim->now + INSTANT_S(30));
    if (!sim->failure[0] && !sim_check_is_settled(sim))
        sim_fail(sim, "LIVE: the cluster is not whole after the packets were played");
    printf("replayed %u packets of %u peers, %u forged addresses\n", replay->count, sim->node_count,
           replay->forged);
}
