/* kad_network.h: many kads in one process, joined by a queue of simulated time. */
#ifndef GOSSAMER_KAD_NETWORK_H
#define GOSSAMER_KAD_NETWORK_H

#include <stdlib.h>

#include "heap.h"
#include "kad_fixture.h"
#include "list.h"

#define NETWORK_EVENTS_MAX 65536

struct network;

/* What is due at some time: a message on its way, or the timer of a peer. */
struct network_event {
    struct heap_node in_queue;
    bool is_timer;
    uint32_t to;
    struct contact from;
    struct message message;
    unsigned padding; /* bytes of it */
    struct contact contacts[KAD_BETA];
    unsigned count;
    struct network_event *next_free;
};

struct network_peer {
    struct network *network;
    uint32_t number;
    struct kad *kad;
    struct contact contact;
    bool is_dead;
    struct network_event timer;
    /* of its last lookup */
    bool is_done;
    unsigned hops, queries, steps, count;
    struct contact found[KAD_K];
};

struct network {
    instant now;
    struct prng prng;
    struct heap queue;
    struct network_event *events, *free;
    uint32_t count;
    struct network_peer *peers;
    unsigned loss_percent;
    uint64_t sent;
};

static inline void network_send(struct network_peer *peer, const struct kad_output *output)
{
    static const uint8_t zeros[2048];
    struct network *network = peer->network;
    struct network_event *event = network->free;

    network->sent++;
    if (prng_chance(&network->prng, network->loss_percent, 100))
        return;
    assert_non_null(event);
    network->free = event->next_free;
    memset(event, 0, sizeof *event);
    event->to = output->to->address.port - 1u;
    event->from = peer->contact;
    event->message = output->message;
    event->count = output->count;
    assert_in_range(output->count, 0, KAD_BETA);
    for (unsigned i = 0; i < output->count; i++)
        event->contacts[i] = output->contacts[i];
    if (event->message.kind == MESSAGE_FIND_NODE) {
        assert_in_range(event->message.find_node.padding.size, 0, 1200);
        event->message.find_node.padding.data = zeros;
    }
    heap_set(&network->queue, &event->in_queue,
             network->now + prng_between(&network->prng, 1000, 40000));
}

static inline void network_emit(void *context, const struct kad_output *output)
{
    struct network_peer *peer = context;

    switch (output->kind) {
    case KAD_SEND:
        network_send(peer, output);
        return;
    case KAD_STEP:
        peer->steps++;
        return;
    case KAD_DONE:
        peer->is_done = true;
        peer->hops = output->hops;
        peer->queries = output->queries;
        peer->count = output->count;
        for (unsigned i = 0; i < output->count; i++)
            peer->found[i] = output->contacts[i];
        return;
    }
}

static inline struct node_id network_random_id(struct network *network)
{
    struct node_id id;

    for (unsigned i = 0; i < NODE_ID_SIZE; i++)
        id.bytes[i] = (uint8_t)prng_next(&network->prng);
    return id;
}

static inline void network_wind(struct network_peer *peer)
{
    heap_set(&peer->network->queue, &peer->timer.in_queue, kad_deadline(peer->kad));
}

static inline void network_open_peer(struct network *network, uint32_t number, unsigned cell_depth)
{
    struct network_peer *peer = &network->peers[number];
    struct kad_config config = {.self = network_random_id(network),
                                .seed = prng_next(&network->prng),
                                .cell_depth = cell_depth,
                                .emit = network_emit,
                                .context = peer};

    peer->network = network;
    peer->number = number;
    peer->kad = kad_new(&config);
    peer->contact.id = config.self;
    peer->contact.address = fixture_address(127, 0, (uint8_t)(number >> 8), (uint8_t)number);
    peer->contact.address.port = (uint16_t)(number + 1);
    peer->timer.is_timer = true;
    peer->timer.to = number;
    network_wind(peer);
}

static inline void network_open(struct network *network, uint32_t count, unsigned cell_depth)
{
    memset(network, 0, sizeof *network);
    network->now = 1;
    network->count = count;
    prng_init(&network->prng, count);
    assert_int_equal(heap_init(&network->queue, NETWORK_EVENTS_MAX + count), STATUS_OK);
    network->events = calloc(NETWORK_EVENTS_MAX, sizeof *network->events);
    network->peers = calloc(count, sizeof *network->peers);
    assert_non_null(network->events);
    for (uint32_t i = 0; i < NETWORK_EVENTS_MAX; i++) {
        network->events[i].next_free = network->free;
        network->free = &network->events[i];
    }
    for (uint32_t i = 0; i < count; i++)
        network_open_peer(network, i, cell_depth);
}

static inline void network_close(struct network *network)
{
    for (uint32_t i = 0; i < network->count; i++)
        kad_delete(network->peers[i].kad);
    free(network->peers);
    free(network->events);
    heap_close(&network->queue);
}

static inline void network_deliver(struct network *network, struct network_event *event)
{
    struct network_peer *peer = &network->peers[event->to];

    if (event->message.kind == MESSAGE_FIND_NODE) {
        kad_receive_find(peer->kad, network->now, &event->from, &event->message.find_node);
    } else {
        struct kad_nodes nodes = {.seq = event->message.nodes.seq,
                                  .target = event->message.nodes.target,
                                  .contacts = event->contacts,
                                  .count = event->count};

        if (kad_receive_nodes(peer->kad, network->now, &event->from, &nodes) != STATUS_OK)
            return; /* too late */
    }
}

/* Handles everything due up to `until`. */
static inline void network_run(struct network *network, instant until)
{
    while (heap_deadline(&network->queue) <= until) {
        struct network_event *event =
            list_entry(heap_first(&network->queue), struct network_event, in_queue);
        struct network_peer *peer = &network->peers[event->to];

        assert_true(event->in_queue.when >= network->now);
        network->now = event->in_queue.when;
        heap_remove(&network->queue, &event->in_queue);
        if (!peer->is_dead && event->is_timer)
            kad_expire(peer->kad, network->now);
        else if (!peer->is_dead)
            network_deliver(network, event);
        if (!peer->is_dead)
            network_wind(peer);
        if (!event->is_timer) {
            event->next_free = network->free;
            network->free = event;
        }
    }
    network->now = until;
}

static inline void network_lookup(struct network *network, uint32_t number,
                                  const struct node_id *target, const struct contact *seed)
{
    struct network_peer *peer = &network->peers[number];
    struct kad_request request = {
        .lookup = 1, .target = *target, .seeds = seed, .seed_count = seed ? 1 : 0};

    peer->is_done = false;
    peer->steps = 0;
    assert_int_equal(kad_lookup(peer->kad, network->now, &request), STATUS_OK);
    network_wind(peer);
}

/* Each peer joins by one peer that is there already, 50 ms after the one before. */
static inline void network_join_all(struct network *network)
{
    for (uint32_t i = 1; i < network->count; i++) {
        uint32_t seed = (uint32_t)prng_below(&network->prng, i);

        network_lookup(network, i, &network->peers[i].contact.id, &network->peers[seed].contact);
        network_run(network, network->now + INSTANT_MS(50));
    }
}

/* The truly nearest live peers, `number` itself left out; returns how many. */
static inline unsigned network_nearest(const struct network *network, uint32_t number,
                                       const struct node_id *target,
                                       const struct node_id *nearest[KAD_K])
{
    unsigned count = 0;

    for (uint32_t i = 0; i < network->count; i++) {
        const struct node_id *id = &network->peers[i].contact.id;
        unsigned at = count;

        if (i == number || network->peers[i].is_dead)
            continue;
        for (; at > 0 && id_closer(target, id, nearest[at - 1]); at--)
            if (at < KAD_K)
                nearest[at] = nearest[at - 1];
        if (at < KAD_K)
            nearest[at] = id;
        count += count < KAD_K;
    }
    return count;
}

/* How many of them the last lookup of `number` found; `wanted` is how many there are to find. */
static inline unsigned network_recall(const struct network *network, uint32_t number,
                                      const struct node_id *target, unsigned *wanted)
{
    const struct network_peer *asker = &network->peers[number];
    const struct node_id *nearest[KAD_K];
    unsigned found = 0;

    *wanted = network_nearest(network, number, target, nearest);
    for (unsigned i = 0; i < *wanted; i++)
        for (unsigned j = 0; j < asker->count; j++)
            found += id_equal(&asker->found[j].id, nearest[i]);
    return found;
}

#endif
