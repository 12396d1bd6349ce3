/* network.h: several membership rooms in one process, with an event queue of their own: latency,
 * loss, partitions, pauses. Messages are copied as if they had been spelled. */
#ifndef TEST_SWIM_NETWORK_H
#define TEST_SWIM_NETWORK_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <stdlib.h>

#include "swim_private.h"

#define PEERS_MAX 32
#define PACKETS_MAX 65536
#define PACKET_MESSAGES_MAX 80

enum delivery { DELIVER_PACKET, DELIVER_REFUSED };

struct packet {
    instant at;
    uint64_t sequence;
    enum delivery delivery;
    unsigned from, to;
    bool is_stream;
    struct message *messages; /* owned with the bytes behind slices */
    unsigned count;
    struct packet *next;
};

struct network;

struct peer {
    struct network *network;
    unsigned index;
    struct swim *swim;
    uint8_t key[PUBLIC_KEY_SIZE];
    struct node_id id;
    uint64_t id8, epoch;
    bool is_up, is_paused;
    uint8_t side; /* peers of different sides do not hear each other */
    bool is_deaf; /* what it sends seems refused to it, and it hears nothing */
    uint64_t persisted;
    unsigned deaths_seen, suspects_seen, refutations, twins, strangers, tables, sent;
    unsigned max_messages;
};

struct network {
    struct peer peers[PEERS_MAX];
    unsigned count;
    instant now;
    struct prng prng;
    unsigned loss_percent;
    bool refuses;           /* packets to a peer that is down come back as refused */
    struct packet *packets; /* sorted */
    uint64_t sequence;
    unsigned cell_depth;
};

static inline struct message message_copy(const struct message *message)
{
    struct message copy = *message;
    struct slice *slice = NULL;

    if (copy.kind == MESSAGE_SELF)
        slice = &copy.self.record;
    else if (copy.kind == MESSAGE_RECORD_GET)
        slice = &copy.record_get.subjects;
    else if (copy.kind == MESSAGE_TABLE)
        slice = &copy.table.members;
    if (slice) {
        uint8_t *bytes = malloc(slice->size + 1);

        memcpy(bytes, slice->data, slice->size);
        slice->data = bytes;
    }
    return copy;
}

static inline void message_free(struct message *message)
{
    if (message->kind == MESSAGE_SELF)
        free((void *)(uintptr_t)message->self.record.data);
    else if (message->kind == MESSAGE_RECORD_GET)
        free((void *)(uintptr_t)message->record_get.subjects.data);
    else if (message->kind == MESSAGE_TABLE)
        free((void *)(uintptr_t)message->table.members.data);
}

static inline void packet_free(struct packet *packet)
{
    for (unsigned i = 0; i < packet->count; i++)
        message_free(&packet->messages[i]);
    free(packet->messages);
    free(packet);
}

static inline void network_queue(struct network *network, struct packet *packet)
{
    struct packet **at = &network->packets;

    packet->sequence = network->sequence++;
    while (*at && (*at)->at <= packet->at)
        at = &(*at)->next;
    packet->next = *at;
    *at = packet;
}

/* A test record: the struct itself stands for the signed bytes. */
_Static_assert(sizeof(struct self_record) <= SELF_RECORD_SIZE_MAX, "the struct fits as bytes");

static inline struct self_record record_make(const struct peer *peer, uint64_t incarnation,
                                             uint16_t flags)
{
    struct self_record record;

    memset(&record, 0, sizeof(record)); /* padding too: compared as bytes */
    memcpy(record.public_key, peer->key, sizeof(record.public_key));
    record.incarnation = incarnation;
    record.epoch = peer->epoch;
    record.flags = flags;
    record.address_count = 1;
    record.addresses[0].family = 4;
    record.addresses[0].port = (uint16_t)(peer->index + 1);
    return record;
}

static inline size_t peer_sign(void *context, uint64_t incarnation, uint16_t flags, uint8_t *into,
                               struct self_record *record)
{
    *record = record_make(context, incarnation, flags);
    memcpy(into, record, sizeof(*record));
    return sizeof(*record);
}

static inline void peer_transmit(struct peer *peer, const struct swim_output *output)
{
    struct network *network = peer->network;
    struct packet *packet = calloc(1, sizeof(*packet));
    struct message extra[PACKET_MESSAGES_MAX];
    unsigned extras = 0;

    assert_true(output->count > 0);
    if (output->kind == SWIM_SEND && output->may_append)
        extras = swim_piggyback(peer->swim, output->id8, 800, extra, 60);
    packet->messages = calloc(output->count + extras, sizeof(*packet->messages));
    for (unsigned i = 0; i < output->count; i++)
        packet->messages[packet->count++] = message_copy(&output->messages[i]);
    for (unsigned i = 0; i < extras; i++)
        packet->messages[packet->count++] = message_copy(&extra[i]);
    if (packet->count > peer->max_messages)
        peer->max_messages = packet->count;
    packet->is_stream = output->kind == SWIM_SEND_STREAM;
    packet->from = peer->index;
    packet->to = PEERS_MAX;
    for (unsigned i = 0; i < network->count; i++)
        if (network->peers[i].id8 == output->id8 &&
            (packet->is_stream || output->address.port == i + 1))
            packet->to = i;
    packet->at = network->now + prng_between(&network->prng, 500, 5000);
    peer->sent++;
    if (packet->to == PEERS_MAX ||
        (!packet->is_stream && prng_chance(&network->prng, network->loss_percent, 100)))
        packet_free(packet);
    else
        network_queue(network, packet);
}

static inline void peer_send_table(struct peer *peer, const struct swim_output *output)
{
    uint8_t bytes[PEERS_MAX * SWIM_TABLE_ROW_SIZE];
    struct writer writer = writer_over(bytes, sizeof(bytes));
    struct message table = {.kind = MESSAGE_TABLE, .table = {.is_reply = output->is_reply}};
    struct swim_output send = {
        .kind = SWIM_SEND_STREAM, .id8 = output->id8, .messages = &table, .count = 1};

    swim_table_write(peer->swim, &writer);
    assert_false(writer.is_full);
    table.table.members = writer_done(&writer);
    peer->tables++;
    peer_transmit(peer, &send);
}

static inline void peer_emit(void *context, const struct swim_output *output)
{
    struct peer *peer = context;

    switch (output->kind) {
    case SWIM_SEND:
    case SWIM_SEND_STREAM:
        peer_transmit(peer, output);
        break;
    case SWIM_MEMBER:
        assert_true((int)output->rank > output->old_rank || output->rank == RANK_ALIVE ||
                    output->rank == RANK_LEFT);
        peer->deaths_seen += output->rank == RANK_DEAD;
        peer->suspects_seen += output->rank == RANK_SUSPECT;
        break;
    case SWIM_SELF:
        assert_true(output->incarnation > peer->persisted);
        peer->persisted = output->incarnation;
        break;
    case SWIM_TABLE:
        peer_send_table(peer, output);
        break;
    case SWIM_TWIN:
        peer->twins++;
        break;
    case SWIM_STRANGER:
        peer->strangers++;
        break;
    case SWIM_REFUTED:
        peer->refutations++;
        break;
    }
}

static inline void peer_start(struct network *network, unsigned index, uint64_t wall_ms)
{
    static const uint8_t seed[HASH_SEED_SIZE] = {7};
    struct peer *peer = &network->peers[index];

    peer->network = network;
    peer->index = index;
    memset(peer->key, (int)index + 1, sizeof(peer->key));
    peer->id = hash_node_id(peer->key);
    peer->id8 = id_front(&peer->id);
    peer->epoch = prng_next(&network->prng);
    peer->is_up = true;
    peer->swim = swim_new(&(struct swim_config){.self = peer->id,
                                                .profile = PROFILE_LOCAL,
                                                .members_max = PEERS_MAX,
                                                .prng_seed = prng_next(&network->prng),
                                                .cell_depth = network->cell_depth,
                                                .emit = peer_emit,
                                                .sign = peer_sign,
                                                .context = peer});
    assert_non_null(peer->swim);
    swim_seed(peer->swim, seed);
    swim_start(peer->swim, network->now, wall_ms, peer->persisted);
}

static inline struct network *network_new(unsigned count, uint64_t seed)
{
    struct network *network = calloc(1, sizeof(*network));

    network->count = count;
    network->now = INSTANT_S(1);
    prng_init(&network->prng, seed);
    for (unsigned i = 0; i < count; i++)
        peer_start(network, i, 1000);
    return network;
}

static inline void network_delete(struct network *network)
{
    for (unsigned i = 0; i < network->count; i++)
        swim_delete(network->peers[i].swim);
    while (network->packets) {
        struct packet *packet = network->packets;

        network->packets = packet->next;
        packet_free(packet);
    }
    free(network);
}

/* Hands the record of `from` to `to`, as JOIN does. */
static inline void network_introduce(struct network *network, unsigned to, unsigned from)
{
    struct slice bytes = swim_own_record(network->peers[from].swim);
    struct self_record record;

    memcpy(&record, bytes.data, sizeof(record));
    swim_receive_record(network->peers[to].swim, network->now, NULL, &record, bytes);
}

static inline void packet_refuse(struct network *network, struct peer *sender, struct peer *to)
{
    struct self_record record = record_make(to, 1, 0);

    if (sender->is_up)
        swim_refused(sender->swim, network->now, &record.addresses[0]);
}

static inline void packet_deliver(struct network *network, struct packet *packet)
{
    struct peer *to = &network->peers[packet->to], *sender = &network->peers[packet->from];
    struct swim_from from = {.id8 = sender->id8, .is_stream = packet->is_stream};

    if (sender->is_deaf)
        packet_refuse(network, sender, to);
    if (!to->is_up && network->refuses)
        packet_refuse(network, sender, to);
    if (!to->is_up || to->is_deaf)
        return;
    from.address.family = 4;
    from.address.port = (uint16_t)(packet->from + 1);
    if (to->side != sender->side)
        return;
    for (unsigned i = 0; i < packet->count; i++) {
        const struct message *message = &packet->messages[i];

        if (message->kind == MESSAGE_CAST) {
            from.cast = message->cast.depth;
        } else if (message->kind == MESSAGE_SELF) {
            struct self_record record;

            memcpy(&record, message->self.record.data, sizeof(record));
            swim_receive_record(to->swim, network->now, &from, &record, message->self.record);
        } else {
            swim_receive(to->swim, network->now, &from, message);
        }
    }
}

/* Runs until `until`. A paused peer keeps its packets and misses its timers. */
static inline void network_run(struct network *network, instant until)
{
    while (network->now < until) {
        instant next = network->packets ? network->packets->at : INSTANT_NEVER;

        for (unsigned i = 0; i < network->count; i++)
            if (network->peers[i].is_up && !network->peers[i].is_paused)
                next = instant_min(next, swim_deadline(network->peers[i].swim));
        if (next > until)
            break;
        if (next > network->now)
            network->now = next;
        while (network->packets && network->packets->at <= network->now) {
            struct packet *packet = network->packets;

            network->packets = packet->next;
            if (network->peers[packet->to].is_paused) {
                packet->at = until + 1;
                network_queue(network, packet);
                continue;
            }
            packet_deliver(network, packet);
            packet_free(packet);
        }
        for (unsigned i = 0; i < network->count; i++) {
            struct peer *peer = &network->peers[i];

            if (peer->is_up && !peer->is_paused &&
                instant_is_due(swim_deadline(peer->swim), network->now))
                swim_expire(peer->swim, network->now, network->now);
        }
    }
    network->now = until;
}

static inline void network_run_for(struct network *network, uint64_t us)
{
    network_run(network, network->now + us);
}

/* Everybody joins through the first. */
static inline struct network *network_joined(unsigned count, uint64_t seed)
{
    struct network *network = network_new(count, seed);

    for (unsigned i = 1; i < count; i++) {
        network_introduce(network, 0, i);
        network_introduce(network, i, 0);
    }
    network_run_for(network, INSTANT_S(10));
    return network;
}

static inline int network_rank(struct network *network, unsigned viewer, unsigned subject)
{
    const struct swim_view *view =
        swim_find(network->peers[viewer].swim, network->peers[subject].id8);

    return view ? (int)view->rank : -1;
}

/* How many peers that are up see `subject` with `rank`. */
static inline unsigned network_seen(struct network *network, unsigned subject, int rank)
{
    unsigned count = 0;

    for (unsigned i = 0; i < network->count; i++)
        if (i != subject && network->peers[i].is_up)
            count += network_rank(network, i, subject) == rank;
    return count;
}

static inline bool network_is_equal(struct network *network)
{
    uint64_t digest = 0;

    for (unsigned i = 0; i < network->count; i++) {
        if (!network->peers[i].is_up)
            continue;
        if (digest == 0)
            digest = swim_digest(network->peers[i].swim);
        if (swim_digest(network->peers[i].swim) != digest)
            return false;
    }
    return true;
}

#endif
