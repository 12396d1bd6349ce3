/* A packet from anybody. None opens without the key, and none leaves a trace in the table. The
 * input is also placed behind a true header, so that the fuzzer need not find the key id. */
#include "ensure.h"
#include "hash.h"
#include "seal.h"
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *context, void *into, size_t size)
{
    (void)context;
    memset(into, 7, size);
}

static struct seal *start(struct seal_identity *identity, uint8_t number)
{
    struct seal_entropy entropy = {fill, NULL};
    struct seal_keyring ring;
    uint8_t seed[SEAL_SEED_SIZE] = {number};
    ensure(seal_identity_from_seed(identity, seed) == STATUS_OK);
    seal_keyring_make(&ring, &entropy);
    struct seal_config config = {.identity = identity,
                                 .keyring = &ring,
                                 .epoch = number,
                                 .peers_max = 4,
                                 .entropy = entropy};
    struct seal *seal = seal_new(&config);
    ensure(seal != NULL);
    return seal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seal_identity ours, theirs;
    static struct seal *here, *there;
    uint8_t room[DATAGRAM_SIZE_MAX], packet[DATAGRAM_SIZE_MAX];
    struct writer out = writer_over(packet, sizeof packet);
    struct seal_opened opened;
    if (!here) {
        ensure(sodium_init() >= 0);
        here = start(&ours, 1);
        there = start(&theirs, 2);
        ensure(seal_peer_add(there, ours.public_key) == STATUS_OK);
    }
    ensure(seal_datagram_open(here, slice_of(data, size), room, &opened) != STATUS_OK);
    ensure(seal_datagram(there, id_front(&ours.id), 1, SLICE_NONE, &out) == STATUS_OK);
    out.size = 60;
    write_bytes(&out, data, size < 1000 ? size : 1000);
    ensure(seal_datagram_open(here, writer_done(&out), room, &opened) != STATUS_OK);
    ensure(!seal_peer_known(here, id_front(&theirs.id)));
    return 0;
}
