/* Bytes of anybody on a new connection. The first input byte chooses the side, whether a true
 * preamble goes before, and how the bytes are cut. Nobody becomes ready without the key, and what
 * is held of it is bounded. */
#include "ensure.h"
#include "seal.h"
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *context, void *into, size_t size)
{
    (void)context;
    memset(into, 7, size);
}

static struct seal *start(void)
{
    static struct seal_identity identity;
    struct seal_entropy entropy = {fill, NULL};
    struct seal_keyring ring;
    uint8_t seed[SEAL_SEED_SIZE] = {1};
    ensure(sodium_init() >= 0 && seal_identity_from_seed(&identity, seed) == STATUS_OK);
    seal_keyring_make(&ring, &entropy);
    struct seal_config config = {
        .identity = &identity, .keyring = &ring, .epoch = 1, .peers_max = 4, .entropy = entropy};
    struct seal *seal = seal_new(&config);
    ensure(seal != NULL);
    return seal;
}

static enum status feed(struct seal_stream *stream, struct slice in)
{
    uint8_t room[SEAL_STREAM_HANDSHAKE_MAX];
    struct writer out = writer_over(room, sizeof room);
    struct seal_stream_event event;
    enum status status = seal_stream_feed(stream, &in, &out, &event);
    ensure(event.kind == SEAL_STREAM_MORE && !out.is_full);
    ensure(status != STATUS_OK || in.size == 0);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seal *seal;
    uint8_t preamble[8];
    struct writer out = writer_over(preamble, sizeof preamble);
    if (!seal)
        seal = start();
    uint8_t choice = size ? data[0] : 0;
    struct seal_stream *stream = seal_stream_new(seal, choice & 1);
    ensure(stream != NULL && seal_stream_begin(stream, &out) == STATUS_OK);
    enum status status = choice & 2 ? feed(stream, writer_done(&out)) : STATUS_OK;
    size_t piece = choice & 4 ? 1 : choice & 8 ? 37 : size;
    for (size_t at = 1; at < size && status == STATUS_OK; at += piece)
        status = feed(stream, slice_of(data + at, size - at < piece ? size - at : piece));
    ensure(seal_stream_peer_key(stream) == NULL);
    seal_stream_delete(stream);
    return 0;
}
