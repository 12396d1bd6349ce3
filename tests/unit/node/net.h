/* net.h: up to five real nodes joined by direct delivery: what one asks for happens to the others
 * a simulated millisecond later, in order and without loss. Tests hold back writes, make reads
 * cold, fail commits, cut and kill. The simulator tests the same nodes in a hostile world; this is
 * for saying exactly what one of them answers to one event. */
#ifndef TEST_NODE_NET_H
#define TEST_NODE_NET_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "node_impl.h"
#include "rows.h"

#define NET_PEERS 5
#define NET_ITEMS 8192
#define NET_LINKS 256
#define NET_VALUES 8
#define NET_PORT 20000
#define NET_WALL_MS 1790000000000ull
#define NET_FOREVER 60000u /* ms: what has not happened by then never will */

enum net_kind {
    NET_DATAGRAM,
    NET_UP,
    NET_STREAM,
    NET_DOWN,
    NET_STORED,
    NET_LOADED,
    NET_SEEDS,
    NET_KEYRING,
};

/* Something that will happen to a peer. Owns its bytes and rows. */
struct net_item {
    enum net_kind kind;
    instant due;
    unsigned peer, life, from;
    link_id link;
    uint64_t ticket;
    uint8_t *bytes;
    size_t size;
    struct store_row *rows;
    uint32_t count;
    struct store_range range;
    bool is_point;
};

/* What a client was told, copied out of the effect. */
struct net_reply {
    ticket ticket;
    enum status status;
    enum outcome outcome;
    bool is_created, is_truncated, is_true;
    unsigned types;
    int64_t number;
    uint32_t elements;
    char paths[64][32]; /* of elements */
    size_t path_sizes[64];
    int64_t numbers[64];
    uint8_t acks, required;
    uint32_t keys, key_missing; /* ids of the ring; members that have not acknowledged it */
    uint16_t key_ids[SEAL_KEYS_MAX];
    uint64_t etag, expires_ms; /* expiry: of the write, or of the winner */
    uint32_t values, items, owners, members, rows_stored, partition;
    uint8_t route_count, route[ROUTE_MAX]; /* roles, the edge first */
    uint32_t hints[NET_PEERS];             /* of the owners of a lookup */
    char bodies[NET_VALUES][64];
    uint64_t etags[NET_VALUES];
    char names[64][32]; /* keys of a listing, names of rows */
    struct {
        uint16_t values;
        bool is_gone;                 /* its only value is a tombstone */
    } rows[64];                       /* of a scan */
    uint8_t next[STORE_KEY_SIZE_MAX]; /* of a scan */
    size_t next_size;
    char context[CONTEXT_SIZE_MAX];
    size_t context_size;
    char session[SESSION_SIZE_MAX];
    size_t session_size;
    uint64_t modified_ms; /* of the winner */
    struct result_job jobs[16];
    uint32_t job_count;
};

struct net_peer {
    struct net *net;
    unsigned index, life;
    struct node *node; /* NULL while down */
    struct seal_identity identity;
    struct prng entropy;
    struct store_memory *memory;
    struct store store;
    uint64_t boots;
    struct seal_keyring keyring; /* its key file */
    enum status key_write;       /* what writing that file comes to */
    const char *seeds;
    instant sleeps_until;     /* nothing happens to it before: what comes waits */
    bool is_cold, is_held;    /* reads go to the disk; commits wait for net_release */
    enum status commit;       /* what the next commits come to */
    uint32_t reopens, stops;  /* effects seen */
    uint32_t writes, replies; /* same */
};

struct net {
    struct net_peer peers[NET_PEERS];
    unsigned count;
    uint8_t replicas;
    uint32_t forget_after_ms; /* 0: never */
    instant now;
    struct effects fx;
    struct seal_keyring keyring;
    struct place_cache *tables;
    struct net_item items[NET_ITEMS];
    uint32_t first, last; /* of items: they are handled in the order they were asked for */
    struct {
        bool is_open[2]; /* per side: what was sent before a close still arrives */
        unsigned peer[2];
        link_id link[2];
    } links[NET_LINKS];
    link_id inbound;
    bool cut[NET_PEERS][NET_PEERS];
    uint64_t wall_ahead_ms[NET_PEERS]; /* how far a peer's clock is wrong */
    ticket tickets;
    struct net_reply reply; /* the latest */
    uint8_t packed[65536];  /* rows of the latest scan */
    size_t packed_size;
    uint64_t traces[TRACE_COUNT];
};

#define NET_MAYBE __attribute__((unused)) static

NET_MAYBE uint32_t net_operations_max = 64; /* of peers that are made from now on */

static void net_step(struct net *net, struct net_peer *peer, struct event *event);

#include "net_world.h" /* uses what is above */

/* --- what tests say */

/* Runs for so many simulated milliseconds. */
NET_MAYBE void net_run(struct net *net, unsigned ms)
{
    instant until = net->now + INSTANT_MS(ms);

    while (net->now < until) {
        net->now += INSTANT_MS(1);
        while (net_turn(net))
            ;
        for (unsigned i = 0; i < net->count; i++) {
            struct net_peer *peer = &net->peers[i];
            struct event timer = {.kind = EVENT_TIMER};

            if (peer->node && peer->sleeps_until <= net->now &&
                node_deadline(peer->node) <= net->now)
                net_step(net, peer, &timer);
        }
    }
}

static void net_config(struct net *net, struct net_peer *peer, struct node_config *config)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "peer-%u", peer->index);
    *config = (struct node_config){.identity = &peer->identity,
                                   .keyring = &peer->keyring,
                                   .name = label_make(slice_text(name)),
                                   .host = label_make(slice_text(name)),
                                   .zone = label_make(slice_text("z")),
                                   .weight = 256,
                                   .address_count = 1,
                                   .profile = PROFILE_LOCAL,
                                   .replicas = net->replicas,
                                   .partition_bits = 3,
                                   .seeds = peer->seeds[0] ? "seeds" : "",
                                   .members_max = 16,
                                   .operations_max = net_operations_max,
                                   .links_max = 32,
                                   .recent_rows = 1,
                                   .value_max = VALUE_SIZE_DEFAULT,
                                   .request_timeout_ms = 2000,
                                   .sync_interval_ms = 1000,
                                   .hints_count_max = 1000,
                                   .hints_age_max_ms = 60000,
                                   .forget_after_ms = net->forget_after_ms,
                                   .forget_every_ms = net->forget_after_ms,
                                   .tables = net->tables};
    config->addresses[0] = net_address(peer->index);
}

/* Tells the peer that its store is open, as the driver does at a start and after REOPEN. */
NET_MAYBE void net_opened(struct net *net, unsigned index)
{
    struct net_peer *peer = &net->peers[index];
    struct event opened = {.kind = EVENT_OPENED};

    opened.opened.boot_counter = ++peer->boots;
    opened.opened.actor = hash_actor(&peer->identity.id, peer->boots, prng_next(&peer->entropy));
    net_step(net, peer, &opened);
}

/* Makes the peer's node, closed as yet. */
NET_MAYBE void net_make(struct net *net, unsigned index)
{
    struct net_peer *peer = &net->peers[index];
    struct node_ports ports = {
        .store = peer->store, .entropy = {net_entropy, peer}, .trace = {net_trace, peer}};
    struct node_config config;

    net_config(net, peer, &config);
    assert_int_equal(node_new(&peer->node, &config, &ports), STATUS_OK);
    peer->life++;
}

NET_MAYBE void net_boot(struct net *net, unsigned index)
{
    net_make(net, index);
    net_opened(net, index);
}

/* The process dies; its connections break, and what was not committed is lost. */
NET_MAYBE void net_kill(struct net *net, unsigned index)
{
    node_delete(net->peers[index].node);
    net->peers[index].node = NULL;
    for (int at = 0; at < NET_LINKS; at++)
        for (unsigned side = 0; side < 2; side++)
            if (net->links[at].is_open[side] && net->links[at].peer[side] == index)
                net_close(net, index, net->links[at].link[side]);
}

/* `count` peers that are made, not opened. seeds[i] lists the digits of the peers i is told of. */
NET_MAYBE struct net *net_new(unsigned count, uint8_t replicas, const char *const *seeds)
{
    struct net *net = calloc(1, sizeof(*net));

    assert_true(sodium_init() >= 0);
    net->count = count;
    net->replicas = replicas;
    net->now = INSTANT_S(1);
    net->tables = place_cache_new(8);
    assert_int_equal(seal_keyring_add(&net->keyring, (const uint8_t[SEAL_KEY_SIZE]){7}), STATUS_OK);
    effects_init(&net->fx);
    for (unsigned i = 0; i < count; i++) {
        struct net_peer *peer = &net->peers[i];
        uint8_t seed[SEAL_SEED_SIZE] = {(uint8_t)(i + 1)};

        peer->net = net;
        peer->index = i;
        peer->seeds = seeds[i];
        peer->commit = STATUS_OK;
        peer->key_write = STATUS_OK;
        peer->keyring = net->keyring;
        peer->memory = store_memory_new(64u << 20);
        peer->store = (struct store){.get = net_get, .release = net_unpin, .context = peer};
        prng_init(&peer->entropy, i + 1);
        assert_int_equal(seal_identity_from_seed(&peer->identity, seed), STATUS_OK);
        net_make(net, i);
    }
    return net;
}

NET_MAYBE void net_delete(struct net *net)
{
    for (unsigned i = 0; i < net->count; i++) {
        node_delete(net->peers[i].node);
        store_memory_delete(net->peers[i].memory);
    }
    for (; net->first != net->last; net->first++)
        net_item_free(&net->items[net->first % NET_ITEMS]);
    effects_close(&net->fx);
    place_cache_delete(net->tables);
    free(net);
}

/* `count` peers that know the first, opened, and ready. */
NET_MAYBE struct net *net_formed(unsigned count, uint8_t replicas)
{
    static const char *const seeds[NET_PEERS] = {"", "0", "0", "0", "0"};
    struct net *net = net_new(count, replicas, seeds);

    for (unsigned i = 0; i < count; i++)
        net_opened(net, i);
    for (unsigned ms = 0; ms < NET_FOREVER; ms += 100) {
        bool is_settled = true;

        net_run(net, 100);
        for (unsigned i = 0; i < count; i++)
            is_settled &= node_is_ready(net->peers[i].node) &&
                          node_place_state(net->peers[i].node) == PLACE_ACTIVE &&
                          node_digest(net->peers[i].node) == node_digest(net->peers[0].node);
        if (is_settled)
            return net;
    }
    fail_msg("%u peers do not form a cluster", count);
    return NULL;
}

/* Hands an operation to a peer and returns its ticket. */
NET_MAYBE ticket net_ask(struct net *net, unsigned index, const struct op *op)
{
    struct event request = {.kind = EVENT_REQUEST};

    request.request.ticket = ++net->tickets;
    request.request.op = *op;
    net_step(net, &net->peers[index], &request);
    return net->tickets;
}

/* The same, and runs until it is answered. */
NET_MAYBE const struct net_reply *net_do(struct net *net, unsigned index, const struct op *op)
{
    ticket asked = net_ask(net, index, op);

    for (unsigned ms = 0; ms < NET_FOREVER && net->reply.ticket != asked; ms++)
        net_run(net, 1);
    assert_int_equal(net->reply.ticket, asked);
    return &net->reply;
}

NET_MAYBE struct op net_op(enum op_kind kind, const char *key, const char *body)
{
    return (struct op){.kind = kind,
                       .ns = slice_text("n"),
                       .key = slice_text(key),
                       .body = body ? slice_text(body) : SLICE_NONE};
}

NET_MAYBE const struct net_reply *net_put(struct net *net, unsigned index, const char *key,
                                          const char *body)
{
    struct op op = net_op(OP_PUT, key, body);

    return net_do(net, index, &op);
}

NET_MAYBE const struct net_reply *net_value(struct net *net, unsigned index, const char *key)
{
    struct op op = net_op(OP_GET, key, NULL);

    return net_do(net, index, &op);
}

NET_MAYBE uint64_t net_metric(struct net *net, unsigned index, enum metric metric)
{
    return node_metrics(net->peers[index].node)->values[metric];
}

#endif
