/* Streams: two ends joined by buffers, however the bytes are cut, and what must not open. */
#include "pair.h"
#include "seal_stream.h"

#define WIRE 200000

struct end {
    struct one one;
    struct seal_stream *stream;
    uint8_t out[WIRE];
    size_t size, taken; /* bytes written, bytes the other end has received */
    bool is_ready, is_tampered;
    size_t tamper_at; /* byte of `out` that changes on its way */
    unsigned records;
    uint8_t last[SEAL_STREAM_PLAIN_MAX];
    size_t last_size;
    uint64_t last_stamp;
};

struct fixture {
    struct end side[2];
};

static void begin(struct fixture *f, const struct seal_keyring *first,
                  const struct seal_keyring *second)
{
    memset(f, 0, sizeof *f);
    for (unsigned i = 0; i < 2; i++) {
        struct end *end = &f->side[i];
        one_start(&end->one, i + 1, 10, i ? second : first);
        end->stream = seal_stream_new(end->one.seal, i == 0);
        struct writer out = writer_over(end->out, WIRE);
        assert_int_equal(seal_stream_begin(end->stream, &out), STATUS_OK);
        end->size = out.size;
    }
}

static void finish(struct fixture *f)
{
    for (unsigned i = 0; i < 2; i++) {
        seal_stream_delete(f->side[i].stream);
        one_stop(&f->side[i].one);
    }
}

static enum status receive(struct end *end, struct slice in)
{
    struct seal_stream_event event;
    do {
        uint8_t room[SEAL_STREAM_HANDSHAKE_MAX];
        struct writer out = writer_over(room, sizeof room);
        enum status status = seal_stream_feed(end->stream, &in, &out, &event);
        memcpy(end->out + end->size, room, out.size);
        end->size += out.size;
        if (status != STATUS_OK)
            return status;
        end->is_ready |= event.kind == SEAL_STREAM_READY;
        if (event.kind == SEAL_STREAM_RECORD) {
            end->records++;
            end->last_size = event.plain.size;
            end->last_stamp = event.stamp;
            memcpy(end->last, event.plain.data, event.plain.size);
        }
    } while (event.kind != SEAL_STREAM_MORE);
    assert_int_equal(in.size, 0);
    return STATUS_OK;
}

/* Carries bytes both ways in pieces of at most `piece` until nothing moves; the first failure. */
static enum status carry(struct fixture *f, size_t piece, struct prng *prng)
{
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        for (unsigned i = 0; i < 2; i++) {
            struct end *from = &f->side[i], *to = &f->side[1 - i];
            size_t size = prng ? prng_between(prng, 1, piece) : piece;
            size = size < from->size - from->taken ? size : from->size - from->taken;
            if (size == 0)
                continue;
            is_moving = true;
            if (from->is_tampered && from->tamper_at - from->taken < size)
                from->out[from->tamper_at] ^= 1;
            enum status status = receive(to, slice_of(from->out + from->taken, size));
            from->taken += size;
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status say(struct end *end, uint64_t stamp, struct slice plain)
{
    struct writer out = writer_over(end->out + end->size, WIRE - end->size);
    enum status status = seal_stream_seal(end->stream, stamp, plain, &out);
    end->size += out.size;
    return status;
}

static void talk(size_t piece, struct prng *prng)
{
    static struct fixture f;
    static uint8_t big[SEAL_STREAM_PLAIN_MAX + 1];
    struct seal_keyring ring = test_ring(1);
    begin(&f, &ring, &ring);
    assert_int_equal(say(&f.side[0], 1, SLICE_NONE), STATUS_NOT_READY);
    assert_null(seal_stream_peer_key(f.side[0].stream));
    assert_int_equal(carry(&f, piece, prng), STATUS_OK);
    assert_true(f.side[0].size == 8 + 48 + 96 + 24 && f.side[1].size == 8 + 128 + 24 + 27);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(f.side[i].is_ready);
        assert_int_equal(f.side[i].records, 0);
        assert_memory_equal(seal_stream_peer_key(f.side[i].stream),
                            f.side[1 - i].one.identity.public_key, 32);
        assert_int_equal(seal_stream_key_id_seen(f.side[i].stream), ring.keys[0].id);
    }
    for (unsigned i = 0; i < 2; i++) {
        memset(big, (int)i + 1, sizeof big);
        assert_int_equal(say(&f.side[i], 6, slice_text("small")), STATUS_OK);
        assert_int_equal(say(&f.side[i], 7, slice_of(big, sizeof big)), STATUS_TOO_LARGE);
        size_t before = f.side[i].size;
        assert_int_equal(say(&f.side[i], 7, slice_of(big, sizeof big - 1)), STATUS_OK);
        assert_int_equal(f.side[i].size - before, sizeof big - 1 + SEAL_STREAM_OVERHEAD);
    }
    assert_int_equal(carry(&f, piece, prng), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(f.side[i].records, 2);
        assert_int_equal(f.side[i].last_size, SEAL_STREAM_PLAIN_MAX);
        assert_true(f.side[i].last_stamp == 7 && f.side[i].last[9] == 2 - i);
    }
    finish(&f);
}

static void any_split(void **state)
{
    (void)state;
    struct prng prng;
    prng_init(&prng, 3);
    talk(1, NULL);
    talk(WIRE, NULL);
    for (unsigned i = 0; i < 30; i++)
        talk(i < 15 ? 50 : 9000, &prng);
}

static void wrong_key_is_named(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring one = test_ring(1), two = test_ring(2);
    begin(&f, &one, &two); /* of another cluster, too */
    assert_int_equal(carry(&f, 100, NULL), STATUS_UNKNOWN_KEY);
    assert_int_equal(seal_stream_key_id_seen(f.side[0].stream), two.keys[0].id);
    finish(&f);
    memcpy(two.cluster_id, one.cluster_id, CLUSTER_ID_SIZE);
    begin(&f, &one, &two);
    assert_int_equal(carry(&f, 100, NULL), STATUS_UNKNOWN_KEY);
    assert_int_equal(seal_stream_key_id_seen(f.side[1].stream), one.keys[0].id);
    assert_int_equal(say(&f.side[1], 1, SLICE_NONE), STATUS_CLOSED);
    assert_int_equal(receive(&f.side[1], slice_text("more")), STATUS_CLOSED);
    finish(&f);
}

/* In the middle of a rotation: whoever of the two is behind, and whoever dials. */
static void one_key_in_common_is_enough(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring old = test_ring(1), fresh = test_ring(2), ahead;
    const struct seal_keyring *rings[4][2] = {
        {&old, &ahead}, {&ahead, &old}, {&ahead, &ahead}, {&old, &old}};

    ahead = old;
    assert_int_equal(seal_keyring_add(&ahead, fresh.keys[0].key), STATUS_OK);
    assert_int_equal(seal_keyring_use(&ahead, fresh.keys[0].id), STATUS_OK);
    for (unsigned i = 0; i < 4; i++) {
        uint16_t id = i == 2 ? fresh.keys[0].id : old.keys[0].id;

        begin(&f, rings[i][0], rings[i][1]);
        assert_int_equal(carry(&f, 100, NULL), STATUS_OK);
        for (unsigned side = 0; side < 2; side++)
            assert_int_equal(seal_stream_key_id(f.side[side].stream), id);
        finish(&f);
    }
}

static void same_key_other_cluster_or_secret(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring one = test_ring(1), two = one;
    two.cluster_id[3] ^= 1;
    begin(&f, &one, &two);
    assert_int_equal(carry(&f, 100, NULL), STATUS_BAD_SEAL);
    assert_false(f.side[0].is_ready || f.side[1].is_ready);
    finish(&f);
    two = one;
    two.keys[0].key[3] ^= 1; /* claims the id without having the key */
    begin(&f, &one, &two);
    assert_int_equal(carry(&f, 100, NULL), STATUS_BAD_SEAL);
    assert_false(f.side[0].is_ready || f.side[1].is_ready);
    finish(&f);
}

static void rings_in_rotation(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring one = test_ring(1), two = test_ring(2);
    memcpy(two.cluster_id, one.cluster_id, CLUSTER_ID_SIZE);
    uint8_t key[32];
    memcpy(key, one.keys[0].key, 32);
    assert_int_equal(seal_keyring_add(&one, two.keys[0].key), STATUS_OK);
    assert_int_equal(seal_keyring_add(&two, key), STATUS_OK);
    begin(&f, &one, &two);
    assert_int_equal(carry(&f, 100, NULL), STATUS_OK);
    assert_true(f.side[0].is_ready && f.side[1].is_ready);
    finish(&f);
}

/* Whoever claims another's Ed25519 key, on either side, is refused. */
static void wrong_identity(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring ring = test_ring(1);
    for (unsigned liar = 0; liar < 2; liar++) {
        begin(&f, &ring, &ring);
        memcpy(f.side[liar].one.identity.public_key, f.side[1 - liar].one.identity.public_key, 32);
        assert_int_equal(carry(&f, 100, NULL), STATUS_BAD_SEAL);
        assert_false(f.side[1 - liar].is_ready);
        finish(&f);
    }
}

/* One changed bit anywhere in the handshake or the first record: no record is ever accepted from
 * that side. Only a greater length is not refused: it waits for bytes that never come. */
static void every_byte_changed(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring ring = test_ring(1);
    /* preamble, handshake messages, header, the confirmation, and the record "abc" */
    const size_t sizes[2] = {8 + 48 + 96 + 24 + 30, 8 + 128 + 24 + 27 + 30};
    for (unsigned side = 0; side < 2; side++) {
        unsigned waiting = 0;
        for (size_t at = 0; at < sizes[side]; at++) {
            begin(&f, &ring, &ring);
            f.side[side].tamper_at = at;
            f.side[side].is_tampered = true;
            enum status status = carry(&f, 1, NULL);
            if (status == STATUS_OK && say(&f.side[side], 1, slice_text("abc")) == STATUS_OK)
                status = carry(&f, 1, NULL);
            waiting += status == STATUS_OK;
            assert_int_equal(f.side[1 - side].records, 0);
            finish(&f);
        }
        assert_true(waiting <= 4);
    }
}

static void key_changes_by_itself(void **state)
{
    (void)state;
    static struct fixture f;
    struct seal_keyring ring = test_ring(1);
    begin(&f, &ring, &ring);
    assert_int_equal(carry(&f, WIRE, NULL), STATUS_OK);
    uint8_t key[32];
    const uint64_t hours[] = {1, 1, 2, 2};
    for (unsigned i = 0; i < 4; i++) {
        struct seal_stream *stream = f.side[0].stream;
        memcpy(key, stream->push.k, 32);
        if (i == 3)
            stream->pushed = STREAM_REKEY_BYTES;
        assert_int_equal(say(&f.side[0], hours[i] * STREAM_REKEY_MS << 16, slice_text("x")),
                         STATUS_OK);
        assert_int_equal(memcmp(key, stream->push.k, 32) != 0, i >= 2);
    }
    assert_int_equal(carry(&f, WIRE, NULL), STATUS_OK);
    assert_int_equal(f.side[1].records, 4);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_split),
                                       cmocka_unit_test(wrong_key_is_named),
                                       cmocka_unit_test(one_key_in_common_is_enough),
                                       cmocka_unit_test(same_key_other_cluster_or_secret),
                                       cmocka_unit_test(rings_in_rotation),
                                       cmocka_unit_test(wrong_identity),
                                       cmocka_unit_test(every_byte_changed),
                                       cmocka_unit_test(key_changes_by_itself)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
