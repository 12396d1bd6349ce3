/* sim_world.c: the queue of what will happen, and the peers it happens to. A step is an event for
 * one node and the effects it asked for; everything else follows from those. */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define QUEUE_MAX (1u << 20)   /* events waiting */
#define STORM_MAX 200000000ull /* steps of one run: more is a livelock */

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list args;

    if (sim->failure[0])
        return; /* the first one counts */
    va_start(args, format);
    (void)vsnprintf(sim->failure, sizeof(sim->failure), format, args);
    va_end(args);
}

bool sim_is_up(const struct sim_node *peer)
{
    return peer->node != NULL;
}

struct address sim_address(uint32_t node)
{
    struct address address = {.family = 4, .port = (uint16_t)(20000 + node)};

    address.ip[0] = 127;
    address.ip[3] = 1;
    return address;
}

int sim_node_at(const struct sim *sim, const struct address *address)
{
    uint32_t node = (uint32_t)address->port - 20000u;

    return address->port >= 20000 && node < sim->node_count ? (int)node : -1;
}

/* --- time: each peer has a clock of its own */

instant sim_mono(const struct sim *sim, const struct sim_node *peer)
{
    uint64_t lived = sim->now - peer->base;

    return 1000000u + lived + (uint64_t)((int64_t)lived * peer->drift / 1000);
}

uint64_t sim_wall_ms(const struct sim *sim, const struct sim_node *peer)
{
    return (uint64_t)((int64_t)(SIM_WALL_BASE + sim->now / 1000u) + peer->wall_offset_ms);
}

/* How long the world waits for a moment on the peer's clock. */
static uint64_t world_wait(const struct sim *sim, const struct sim_node *peer, instant when)
{
    instant mono = sim_mono(sim, peer);

    if (when <= mono)
        return 0;
    return (when - mono) * 1000u / (uint64_t)(1000 + peer->drift) + 1u;
}

/* --- the queue */

struct sim_event *sim_after(struct sim *sim, uint64_t delay_us, enum sim_kind kind,
                            struct slice bytes)
{
    struct sim_event *event = calloc(1, sizeof(*event) + bytes.size);

    ensure(event != NULL);
    event->kind = kind;
    if (bytes.size)
        memcpy(event->data, bytes.data, bytes.size);
    event->bytes = slice_of(event->data, bytes.size);
    heap_set(&sim->queue, &event->in_queue, sim->now + delay_us);
    return event;
}

/* --- the three things a node is given */

static void world_entropy(void *context, void *into, size_t size)
{
    struct sim_node *peer = context;
    uint8_t *bytes = into;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(&peer->entropy);
}

static void world_trace(void *context, enum trace_code code, uint64_t a, uint64_t b, uint64_t c)
{
    struct sim_node *peer = context;
    struct sim *sim = peer->sim;
    uint64_t words[6] = {sim->trace_hash, peer->index, (uint64_t)code, a, b, c};

    sim->trace_hash = hash_sip64(sim->trace_key, words, sizeof(words));
    if (code == TRACE_MEMBER_DEAD)
        sim_sick_note(sim, peer, a);
    sim->reached[code]++;
    if (code == TRACE_FORGOTTEN && b == 0)
        sim_forget_note(sim, peer, a);
    if (sim->is_verbose)
        fprintf(stderr, "%10.6f peer-%u %s %016llx %llu %llx\n", (double)sim->now / 1e6,
                peer->index, trace_name(code), (unsigned long long)a, (unsigned long long)b,
                (unsigned long long)c);
}

/* --- peers */

static void world_config(struct sim *sim, struct sim_node *peer, struct node_config *config)
{
    char name[16], host[16];

    (void)snprintf(name, sizeof(name), "peer-%u", peer->index);
    (void)snprintf(host, sizeof(host), "host-%u", peer->index % sim->plan.hosts);
    *config = (struct node_config){.identity = &peer->identity,
                                   .keyring = &peer->keyring,
                                   .name = label_make(slice_text(name)),
                                   .host = label_make(slice_text(host)),
                                   .zone = label_make(slice_text("z")),
                                   .weight = 256,
                                   .address_count = 1,
                                   .http_port = (uint16_t)(17000 + peer->index),
                                   .profile = PROFILE_LOCAL,
                                   .replicas = sim->plan.replicas,
                                   .partition_bits = sim->plan.partition_bits,
                                   .cell_depth = sim->plan.cell_depth,
                                   .seeds = peer->index == 0 ? "" : "127.0.0.1:20000",
                                   .members_max = SIM_PEERS_MAX + 8,
                                   .operations_max = sim->plan.mass ? 2048 : 256,
                                   .links_max = 4 * SIM_PEERS_MAX,
                                   .recent_rows = sim->plan.cold ? 1 : 64,
                                   .value_max = VALUE_SIZE_DEFAULT,
                                   .request_timeout_ms = 2000,
                                   .clock_drift = sim->plan.skew ? 250 : 0,
                                   .sync_interval_ms = sim->plan.sync_ms ? sim->plan.sync_ms : 5000,
                                   .hints_count_max = sim->plan.hints,
                                   .hints_age_max_ms = 3u * 3600 * 1000,
                                   .gc_interval_ms = sim->plan.gc_ms,
                                   .forget_after_ms = 1000ull * sim->plan.forget_s,
                                   .forget_every_ms = 1000ull * sim->plan.forget_s,
                                   .scrub_period_s = sim->plan.has_rot ? 5 : 0,
                                   .tables = sim->tables};
    config->addresses[0] = sim_address(peer->index);
}

void sim_boot(struct sim *sim, struct sim_node *peer)
{
    struct node_config config;
    struct node_ports ports = {
        .store = peer->store, .entropy = {world_entropy, peer}, .trace = {world_trace, peer}};
    struct event opened = {.kind = EVENT_OPENED};

    if (peer->node || peer->is_removed)
        return;
    peer->boot++;
    peer->base = sim->now;
    prng_init(&peer->entropy, sim->seed * 1000003u + peer->index * 1009u + peer->boot);
    memset(peer->seen, 0, sizeof(peer->seen));
    world_config(sim, peer, &config);
    if (node_new(&peer->node, &config, &ports) != STATUS_OK)
        ensure_unreachable();
    peer->disk.boot_counter++;
    opened.opened.boot_counter = peer->disk.boot_counter;
    opened.opened.actor =
        hash_actor(&peer->identity.id, peer->disk.boot_counter, prng_next(&peer->entropy));
    opened.opened.is_recovering = peer->down_since == INSTANT_NEVER;
    sim_step(sim, peer, &opened);
}

void sim_crash(struct sim *sim, struct sim_node *peer, bool is_wiped)
{
    bool is_torn, is_suspect;

    if (!peer->node)
        return;
    is_suspect = sim->rot && node_is_recovering(peer->node); /* the daemon notes it on disk */
    sim->crashes++;
    sim_client_lost(sim, peer);
    sim_ttl_lost(sim, peer);
    sim_rows_lost(sim, peer);
    sim_space_lost(sim, peer);
    sim_replicas_lost(sim, peer);
    sim_types_lost(sim, peer);
    sim_mass_lost(sim, peer);
    sim_keys_lost(sim, peer);
    sim_net_crashed(sim, peer);
    node_delete(peer->node);
    peer->node = NULL;
    peer->timer = NULL; /* the event finds another life and does nothing */
    is_torn = sim_disk_crash(sim, peer, is_wiped);
    /* INSTANT_NEVER is the mark of a store that may lack rows: it opens in recovery. */
    peer->down_since = is_torn || is_wiped || is_suspect ? INSTANT_NEVER : sim->now;
}

/* --- effects */

static void world_seeds(struct sim *sim, struct sim_node *peer)
{
    struct sim_event *event = sim_after(sim, prng_below(&sim->rng, 5000), SIM_SEEDS, SLICE_NONE);

    event->node = peer->index;
    event->boot = peer->boot;
}

/* The key file is replaced as a whole, or, if the peer dies before, not. */
static void world_keyring(struct sim *sim, struct sim_node *peer, const struct effect *effect)
{
    struct slice ring = slice_of(effect->keyring.ring, sizeof(*effect->keyring.ring));
    struct sim_event *event = sim_after(sim, sim->plan.disk_us, SIM_KEYRING, ring);

    event->node = peer->index;
    event->boot = peer->boot;
}

static void world_keyring_kept(struct sim *sim, struct sim_node *peer,
                               const struct sim_event *event)
{
    struct event kept = {.kind = EVENT_KEYRING};

    memcpy(&peer->keyring, event->bytes.data, sizeof(peer->keyring));
    kept.keyring.stamp = peer->keyring.stamp;
    kept.keyring.by = peer->keyring.by;
    sim_step(sim, peer, &kept);
}

static void world_reopen(struct sim *sim, struct sim_node *peer)
{
    struct event opened = {.kind = EVENT_OPENED};

    peer->disk.is_failed = false;
    opened.opened.is_recovering = sim_rot_reopen(peer);
    peer->disk.boot_counter++;
    opened.opened.boot_counter = peer->disk.boot_counter;
    opened.opened.actor =
        hash_actor(&peer->identity.id, peer->disk.boot_counter, prng_next(&peer->entropy));
    sim_step(sim, peer, &opened);
}

/* Performs one effect. What it leads to comes back as an event, later. */
static void world_effect(struct sim *sim, struct sim_node *peer, const struct effect *effect,
                         bool *is_reopening, bool *is_stopping)
{
    switch (effect->kind) {
    case EFFECT_DATAGRAM:
        sim_net_datagram(sim, peer, effect);
        break;
    case EFFECT_CONNECT:
        sim_net_connect(sim, peer, effect);
        break;
    case EFFECT_CLOSE:
        sim_net_closed(sim, peer, effect->link.link);
        break;
    case EFFECT_STREAM:
        sim_net_stream(sim, peer, effect);
        break;
    case EFFECT_WRITE:
        sim_disk_write(sim, peer, effect);
        break;
    case EFFECT_READ:
        sim_disk_read(sim, peer, effect);
        break;
    case EFFECT_REPLY:
        sim_client_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_ttl_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_rows_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_space_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_replicas_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_types_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_mass_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        sim_keys_reply(sim, peer, effect->reply.ticket, effect->reply.result);
        break;
    case EFFECT_RESOLVE:
        world_seeds(sim, peer);
        break;
    case EFFECT_KEYRING:
        world_keyring(sim, peer, effect);
        break;
    case EFFECT_REOPEN:
        *is_reopening = true;
        break;
    case EFFECT_STOP:
        *is_stopping = true;
        peer->is_stopped = effect->stop.reason == STATUS_CLOSED;
        break;
    }
}

static void world_timer(struct sim *sim, struct sim_node *peer)
{
    instant due = node_deadline(peer->node);

    if (peer->timer) {
        heap_remove(&sim->queue, &peer->timer->in_queue);
        free(peer->timer);
        peer->timer = NULL;
    }
    if (due == INSTANT_NEVER)
        return;
    peer->timer = sim_after(sim, world_wait(sim, peer, due), SIM_TIMER, SLICE_NONE);
    peer->timer->node = peer->index;
    peer->timer->boot = peer->boot;
}

void sim_step(struct sim *sim, struct sim_node *peer, struct event *event)
{
    struct effects *fx = &sim->fx;
    bool is_reopening = false, is_stopping = false;
    uint64_t words[5] = {sim->trace_hash, sim->now, peer->index, (uint64_t)event->kind, 0};

    ensure(peer->node != NULL && fx->count == 0);
    event->now = sim_mono(sim, peer);
    event->wall_ms = sim_wall_ms(sim, peer);
    node_step(peer->node, event, fx);
    node_flush(peer->node, fx);
    words[4] = fx->count;
    sim->trace_hash = hash_sip64(sim->trace_key, words, sizeof(words));
    sim->steps++;
    if (sim->steps > STORM_MAX)
        sim_fail(sim, "LIVE: more than %llu steps", (unsigned long long)STORM_MAX);
    for (uint32_t i = 0; i < fx->count; i++)
        world_effect(sim, peer, &fx->items[i], &is_reopening, &is_stopping);
    effects_reset(fx);
    world_timer(sim, peer);
    if (is_stopping && peer->is_stopped) {
        sim_stopped(sim, peer);
    } else if (is_stopping) {
        uint64_t last = node_member_incarnation(peer->node, &peer->identity.id);

        if (last > peer->disk.incarnation_used) /* LEFT was said since the last sample */
            peer->disk.incarnation_used = last;
        peer->is_removed = true;
        sim_crash(sim, peer, false);
    } else if (is_reopening) {
        world_reopen(sim, peer);
    }
}

/* --- running */

static void world_seeds_come(struct sim *sim, struct sim_node *peer)
{
    struct address seed = sim_address(0);
    struct event seeds = {.kind = EVENT_SEEDS, .seeds = {&seed, 1}};

    sim_step(sim, peer, &seeds);
}

static void world_due(struct sim *sim, struct sim_node *peer)
{
    struct event timer = {.kind = EVENT_TIMER};

    peer->timer = NULL;
    sim_step(sim, peer, &timer);
}

static void world_datagram(struct sim *sim, struct sim_node *peer, const struct sim_event *event)
{
    struct event arrived = {.kind = EVENT_DATAGRAM};

    sim_replay_arrived(sim, event);
    arrived.datagram.from = event->address;
    arrived.datagram.bytes = event->bytes;
    sim_step(sim, peer, &arrived);
}

static void world_refused(struct sim *sim, struct sim_node *peer, const struct sim_event *event)
{
    struct event refused = {.kind = EVENT_REFUSED};

    refused.refused.address = event->address;
    sim_step(sim, peer, &refused);
}

/* A client, an operator or the rot acts. */
static void world_act(struct sim *sim, const struct sim_event *event)
{
    if (event->kind == SIM_KEYS)
        sim_keys_act(sim);
    else if (event->kind == SIM_ROT)
        sim_rot_act(sim);
    else if (event->kind == SIM_CLIENT)
        sim_client_act(sim, event->node);
    else if (event->kind == SIM_READER)
        sim_rows_act(sim);
    else if (event->kind == SIM_SPACE)
        sim_space_act(sim, event->node);
    else if (event->kind == SIM_MORTAL)
        sim_ttl_act(sim, event->node);
    else if (event->kind == SIM_RETRY)
        sim_retry_act(sim, event->node);
    else if (event->kind == SIM_REPLICAS)
        sim_replicas_act(sim, event->node);
    else if (event->kind == SIM_TYPED)
        sim_types_act(sim, event->node);
    else if (event->kind == SIM_MASS)
        sim_mass_act(sim, event->node);
    else if (event->kind == SIM_SESSION)
        sim_session_act(sim, event->node);
}

static void world_happen(struct sim *sim, struct sim_event *event)
{
    struct sim_node *peer = &sim->nodes[event->node];

    switch (event->kind) {
    case SIM_TIMER:
        world_due(sim, peer);
        break;
    case SIM_DATAGRAM:
        world_datagram(sim, peer, event);
        break;
    case SIM_REFUSED:
        world_refused(sim, peer, event);
        break;
    case SIM_STORED:
        sim_disk_synced(sim, peer, event);
        break;
    case SIM_LOADED:
        sim_disk_loaded(sim, peer, event);
        break;
    case SIM_SEEDS:
        world_seeds_come(sim, peer);
        break;
    case SIM_KEYRING:
        world_keyring_kept(sim, peer, event);
        break;
    case SIM_BOOT:
        sim_boot(sim, peer);
        break;
    case SIM_LINK_UP:
        sim_net_up(sim, event);
        break;
    case SIM_LINK_DOWN:
    case SIM_STREAM:
        sim_net_deliver(sim, event);
        break;
    case SIM_FAULT:
    case SIM_RESUME:
        break;
    default:
        world_act(sim, event);
        break;
    }
}

/* Events for a peer that is down, in another life, or paused do not happen (now). */
static bool world_is_for_nobody(struct sim *sim, const struct sim_event *event)
{
    const struct sim_node *peer = &sim->nodes[event->node];
    bool is_personal = event->kind == SIM_TIMER || event->kind == SIM_STORED ||
                       event->kind == SIM_LOADED || event->kind == SIM_SEEDS ||
                       event->kind == SIM_KEYRING;

    if (is_personal)
        return !peer->node || peer->boot != event->boot;
    return (event->kind == SIM_DATAGRAM || event->kind == SIM_REFUSED) && !peer->node;
}

static bool world_is_paused(struct sim *sim, struct sim_event *event)
{
    struct sim_node *peer = &sim->nodes[event->node];
    bool is_step = event->kind == SIM_TIMER || event->kind == SIM_STORED ||
                   event->kind == SIM_LOADED || event->kind == SIM_SEEDS ||
                   event->kind == SIM_KEYRING || event->kind == SIM_DATAGRAM ||
                   event->kind == SIM_REFUSED;

    if (!is_step || peer->paused_until <= sim->now)
        return false;
    /* The socket is drained before the timers: that is what the daemon does, too. */
    heap_set(&sim->queue, &event->in_queue,
             peer->paused_until + (event->kind == SIM_TIMER ? 1u : 0u));
    return true;
}

void sim_run(struct sim *sim, instant until)
{
    struct heap_node *first;

    while (!sim->failure[0] && (first = heap_first(&sim->queue)) && first->when <= until) {
        struct sim_event *event = (struct sim_event *)(void *)first;

        sim->now = first->when;
        if (world_is_paused(sim, event))
            continue;
        heap_remove(&sim->queue, first);
        if (!world_is_for_nobody(sim, event))
            world_happen(sim, event);
        free(event);
    }
    if (sim->now < until)
        sim->now = until;
}

void sim_open(struct sim *sim, uint64_t seed, const struct sim_plan *plan)
{
    memset(sim, 0, sizeof(*sim));
    sim->seed = seed;
    sim->plan = *plan;
    sim->node_count = plan->peers;
    prng_init(&sim->rng, seed);
    if (heap_init(&sim->queue, QUEUE_MAX) != STATUS_OK)
        ensure_unreachable();
    effects_init(&sim->fx);
    sim->tables = place_cache_new(16);
    if (seal_keyring_add(&sim->keyring, (const uint8_t[SEAL_KEY_SIZE]){7}) != STATUS_OK)
        ensure_unreachable();
    for (uint32_t i = 0; i < plan->peers; i++) {
        struct sim_node *peer = &sim->nodes[i];
        uint8_t id_seed[SEAL_SEED_SIZE] = {1};

        peer->sim = sim;
        peer->index = i;
        peer->keyring = sim->keyring;
        bytes_store_u64(id_seed + 8, seed);
        bytes_store_u64(id_seed + 16, i);
        if (seal_identity_from_seed(&peer->identity, id_seed) != STATUS_OK)
            ensure_unreachable();
        sim_disk_open(peer);
    }
    sim_gc_open(sim);
    sim_stop_open(sim);
    sim_replay_open(sim);
}

void sim_close(struct sim *sim)
{
    struct heap_node *first;

    for (uint32_t i = 0; i < sim->node_count; i++) {
        node_delete(sim->nodes[i].node);
        sim_disk_close(&sim->nodes[i]);
    }
    while ((first = heap_first(&sim->queue))) {
        heap_remove(&sim->queue, first);
        free(first);
    }
    sim_net_close(sim);
    sim_check_close(sim);
    sim_rot_close(sim);
    sim_ttl_close(sim);
    sim_rows_close(sim);
    sim_space_close(sim);
    sim_replicas_close(sim);
    sim_types_close(sim);
    sim_mass_close(sim);
    sim_sessions_close(sim);
    sim_retry_close(sim);
    sim_gc_close(sim);
    sim_replay_close(sim);
    sim_keys_close(sim);
    heap_close(&sim->queue);
    effects_close(&sim->fx);
    place_cache_delete(sim->tables);
}
