/* pair.h: two peers of one cluster with keys made from small numbers. */
#ifndef GOSSAMER_TEST_SEAL_PAIR_H
#define GOSSAMER_TEST_SEAL_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include "ensure.h"
#include "hash.h"
#include "prng.h"
#include "seal.h"

static inline void test_fill(void *context, void *into, size_t size)
{
    uint8_t *bytes = into;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)prng_next(context);
}

struct one {
    struct prng prng;
    struct seal_identity identity;
    struct seal_keyring ring;
    struct seal *seal;
    uint64_t id8, epoch;
};

static inline struct seal_keyring test_ring(uint64_t number)
{
    struct prng prng;
    struct seal_keyring ring;
    struct seal_entropy entropy = {test_fill, &prng};
    prng_init(&prng, number);
    seal_keyring_make(&ring, &entropy);
    return ring;
}

/* one_start starts (or, after one_stop, restarts) peer `number` with a fresh epoch. */
static inline void one_start(struct one *one, uint64_t number, uint64_t epoch,
                             const struct seal_keyring *ring)
{
    uint8_t seed[SEAL_SEED_SIZE] = {0};
    prng_init(&one->prng, number * 1000 + epoch);
    bytes_store_u64(seed, number);
    ensure(seal_identity_from_seed(&one->identity, seed) == STATUS_OK);
    one->ring = *ring;
    one->epoch = epoch;
    one->id8 = id_front(&one->identity.id);
    struct seal_config config = {.identity = &one->identity,
                                 .keyring = ring,
                                 .epoch = epoch,
                                 .peers_max = 4,
                                 .entropy = {test_fill, &one->prng}};
    one->seal = seal_new(&config);
    ensure(one->seal != NULL);
}

static inline void one_stop(struct one *one)
{
    seal_delete(one->seal);
}

static inline void one_knows(struct one *one, const struct one *other)
{
    ensure(seal_peer_add(one->seal, other->identity.public_key) == STATUS_OK);
}

struct packet {
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    size_t size;
};

static inline struct packet one_send(struct one *from, const struct one *to, const char *text)
{
    struct packet packet;
    struct writer out = writer_over(packet.bytes, sizeof packet.bytes);
    ensure(seal_datagram(from->seal, to->id8, 77, slice_text(text), &out) == STATUS_OK);
    packet.size = out.size;
    return packet;
}

static inline enum status one_open(struct one *at, const struct packet *packet,
                                   struct seal_opened *opened)
{
    static uint8_t room[DATAGRAM_SIZE_MAX];
    return seal_datagram_open(at->seal, slice_of(packet->bytes, packet->size), room, opened);
}

/* one_prove makes `at` believe the present epoch of `peer`, as a PING and its ACK do. */
static inline void one_prove(struct one *at, struct one *peer)
{
    struct seal_opened opened;
    uint64_t cookie = seal_cookie(at->seal, peer->id8);
    struct packet ping = one_send(at, peer, "ping");
    ensure(one_open(peer, &ping, &opened) == STATUS_OK);
    struct packet ack = one_send(peer, at, "ack");
    ensure(one_open(at, &ack, &opened) == STATUS_OK);
    ensure(seal_cookie_echoed(at->seal, peer->id8, opened.epoch, cookie, opened.counter));
}

#endif
