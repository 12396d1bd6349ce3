/* Packets: W1 to W4 and W8 of security.md in short form. */
#include "pair.h"
#include <stdlib.h>

struct fixture {
    struct seal_keyring ring;
    struct one a, b;
};

static int setup(void **state)
{
    static struct fixture f;
    f.ring = test_ring(9);
    one_start(&f.a, 1, 100, &f.ring);
    one_start(&f.b, 2, 200, &f.ring);
    one_knows(&f.a, &f.b);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    one_stop(&f->a);
    one_stop(&f->b);
    return 0;
}

static void stranger_says_hello(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct packet packet = one_send(&f->a, &f->b, "hello");
    assert_int_equal(packet.size, 20 + 40 + 8 + 5 + 16);
    packet.bytes[packet.size - 1] ^= 1;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_BAD_SEAL);
    assert_false(seal_peer_known(f->b.seal, f->a.id8)); /* no state before it opens */
    packet.bytes[packet.size - 1] ^= 1;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_OK);
    assert_true(seal_peer_known(f->b.seal, f->a.id8));
    assert_true(slice_equal(opened.plain, slice_text("hello")));
    assert_true(opened.from == f->a.id8 && opened.epoch == 100 && opened.counter == 1);
    assert_true(opened.stamp == 77 && !opened.is_verified && opened.key_id == f->ring.keys[0].id);
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_REPLAY);
}

static void what_is_old_is_opened_as_stale(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct packet first = one_send(&f->a, &f->b, "one"), second;

    seal_floor(f->b.seal, 0, 78); /* packets of the fixture are stamped 77 */
    assert_int_equal(one_open(&f->b, &first, &opened), STATUS_UNKNOWN_PEER);
    assert_false(seal_peer_known(f->b.seal, f->a.id8));
    one_knows(&f->b, &f->a);
    assert_int_equal(one_open(&f->b, &first, &opened), STATUS_OK);
    assert_true(opened.is_stale && !opened.is_verified);
    one_prove(&f->b, &f->a); /* it echoes a cookie: no recording can */
    second = one_send(&f->a, &f->b, "two");
    assert_int_equal(one_open(&f->b, &second, &opened), STATUS_OK);
    assert_true(opened.is_verified && !opened.is_stale);
    seal_floor(f->a.seal, f->b.id8, 78); /* of one peer alone */
    second = one_send(&f->b, &f->a, "three");
    assert_int_equal(one_open(&f->a, &second, &opened), STATUS_OK);
    assert_true(opened.is_stale);
}

/* The newer process of a peer keeps its place as candidate when its older one is played again. */
static void what_is_old_displaces_no_candidate(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct one newer;
    struct packet old = one_send(&f->a, &f->b, "old"), new;

    one_knows(&f->b, &f->a);
    one_start(&newer, 1, 101, &f->ring);
    one_knows(&newer, &f->b);
    new = one_send(&newer, &f->b, "new");
    assert_int_equal(one_open(&f->b, &new, &opened), STATUS_OK);
    assert_false(opened.is_stale);
    seal_floor(f->b.seal, f->a.id8, 78);
    assert_int_equal(one_open(&f->b, &old, &opened), STATUS_OK);
    assert_true(opened.is_stale);
    assert_true(seal_cookie_echoed(f->b.seal, f->a.id8, 101, seal_cookie(f->b.seal, f->a.id8), 1));
    one_stop(&newer);
}

static void hello_ends_and_returns(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    one_knows(&f->b, &f->a);
    one_prove(&f->b, &f->a);
    one_prove(&f->a, &f->b);
    unsigned plain = 0;
    struct packet packet = one_send(&f->a, &f->b, "x");
    for (; packet.size == 20 + 8 + 1 + 16; plain++) {
        assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_OK);
        assert_true(opened.is_verified);
        packet = one_send(&f->a, &f->b, "x");
    }
    assert_int_equal(plain, 8); /* b stays silent: it may have forgotten us */
    assert_int_equal(packet.size, 60 + 8 + 1 + 16);
    struct packet answer = one_send(&f->b, &f->a, "y");
    assert_int_equal(one_open(&f->a, &answer, &opened), STATUS_OK);
    assert_int_equal(one_send(&f->a, &f->b, "x").size, 20 + 8 + 1 + 16);
}

static void bounds(void **state)
{
    struct fixture *f = *state;
    static uint8_t plain[DATAGRAM_SIZE_MAX], room[DATAGRAM_SIZE_MAX + 1];
    struct writer out = writer_over(room, DATAGRAM_SIZE_MAX);
    struct slice most = slice_of(plain, DATAGRAM_SIZE_MAX - DATAGRAM_OVERHEAD);
    struct slice over = slice_of(plain, most.size + 1);
    assert_int_equal(seal_datagram(f->a.seal, f->b.id8, 0, over, &out), STATUS_FULL);
    assert_int_equal(out.size, 0);
    assert_int_equal(seal_datagram(f->a.seal, f->b.id8, 0, most, &out), STATUS_OK);
    assert_int_equal(out.size, DATAGRAM_SIZE_MAX);
    assert_int_equal(seal_datagram(f->a.seal, f->b.id8, 0, SLICE_NONE, &out), STATUS_FULL);
    assert_int_equal(seal_datagram(f->a.seal, 1234, 0, SLICE_NONE, &out), STATUS_UNKNOWN_PEER);
}

static void mutations(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct prng prng;
    prng_init(&prng, 4);
    one_knows(&f->b, &f->a);
    struct packet hello = one_send(&f->a, &f->b, "something to say");
    one_prove(&f->b, &f->a);
    one_prove(&f->a, &f->b);
    struct packet plain = one_send(&f->a, &f->b, "something more to say");
    for (unsigned i = 0; i < 100000; i++) {
        struct packet packet = i & 1 ? hello : plain;
        size_t at = prng_below(&prng, packet.size);
        if (i % 16 == 0)
            packet.size = at;
        else
            packet.bytes[at] ^= (uint8_t)prng_between(&prng, 1, 255);
        assert_int_not_equal(one_open(&f->b, &packet, &opened), STATUS_OK);
    }
    assert_int_equal(one_open(&f->b, &plain, &opened), STATUS_OK); /* no window had moved */
}

static void refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct packet good = one_send(&f->a, &f->b, "x"), packet = good;
    packet.bytes[0]++;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_FOREIGN);
    packet = good;
    packet.bytes[1] |= 2;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_BAD);
    packet = good;
    packet.bytes[2] ^= 1;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_UNKNOWN_KEY);
    assert_int_equal(opened.key_id, f->ring.keys[0].id ^ 0x100);
    packet = good;
    packet.bytes[1] = 0;
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_UNKNOWN_PEER);
    packet = good;
    packet.bytes[4] ^= 1; /* the hello's key is not this sender's */
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_BAD);
    assert_int_equal(one_open(&f->a, &good, &opened), STATUS_BAD_SEAL); /* sent back */
}

#define RECORDED 300

/* A recording, in order or shuffled, to its receiver, to it restarted, to a third peer and to
 * another cluster with the same key, is never believed. */
static void recordings(void **state)
{
    struct fixture *f = *state;
    struct packet *tape = calloc(RECORDED, sizeof *tape);
    struct seal_opened opened;
    struct prng prng;
    struct one c, d;
    struct seal_keyring other = f->ring;
    other.cluster_id[0] ^= 1;
    one_start(&c, 3, 300, &f->ring);
    one_start(&d, 2, 400, &other); /* b's key in another cluster */
    prng_init(&prng, 1);
    one_knows(&f->b, &f->a);
    one_knows(&c, &f->a);
    one_knows(&d, &f->a);
    one_prove(&f->b, &f->a);
    for (unsigned i = 0; i < RECORDED; i++) {
        tape[i] = one_send(&f->a, &f->b, "news");
        assert_int_equal(one_open(&f->b, &tape[i], &opened), STATUS_OK);
        assert_true(opened.is_verified);
    }
    for (unsigned round = 0; round < 3; round++, prng_shuffle(&prng, tape, RECORDED, sizeof *tape))
        for (unsigned i = 0; i < RECORDED; i++) {
            assert_int_equal(one_open(&f->b, &tape[i], &opened), STATUS_REPLAY);
            assert_int_equal(one_open(&c, &tape[i], &opened), STATUS_BAD_SEAL);
            assert_int_equal(one_open(&d, &tape[i], &opened), STATUS_BAD_SEAL);
        }
    one_stop(&f->b);
    one_start(&f->b, 2, 201, &f->ring);
    one_knows(&f->b, &f->a);
    for (unsigned i = 0; i < RECORDED; i++)
        assert_true(one_open(&f->b, &tape[i], &opened) != STATUS_OK || !opened.is_verified);
    one_prove(&f->b, &f->a); /* the live sender proves itself: the floor is above the tape */
    for (unsigned i = 0; i < RECORDED; i++)
        assert_int_equal(one_open(&f->b, &tape[i], &opened), STATUS_REPLAY);
    one_stop(&c);
    one_stop(&d);
    free(tape);
}

/* (epoch, sender, counter) is the nonce: none repeats when a peer leaves the table and returns. */
static void numbers_never_repeat(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct packet packet = one_send(&f->a, &f->b, "x");
        uint64_t now = bytes_load_u64(packet.bytes + 12);
        assert_true(now > last);
        last = now;
        if (i % 7 == 0) {
            seal_peer_remove(f->a.seal, f->b.id8);
            one_knows(&f->a, &f->b);
        }
    }
}

/* Who seals with another key than our primary is answered in kind, except now and then. */
static void who_is_behind_is_answered_in_kind(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct seal_keyring ahead = f->ring, fresh = test_ring(77);
    struct packet packet;
    unsigned in_kind = 0;

    one_knows(&f->b, &f->a);
    packet = one_send(&f->b, &f->a, "old");
    assert_int_equal(seal_keyring_add(&ahead, fresh.keys[0].key), STATUS_OK);
    assert_int_equal(seal_keyring_use(&ahead, fresh.keys[0].id), STATUS_OK);
    seal_keyring_set(f->a.seal, &ahead);
    assert_int_equal(one_open(&f->a, &packet, &opened), STATUS_OK);
    for (unsigned i = 0; i < 16; i++) {
        packet = one_send(&f->a, &f->b, "answer");
        in_kind += one_open(&f->b, &packet, &opened) == STATUS_OK;
    }
    assert_int_equal(in_kind, 14);
    seal_keyring_set(f->b.seal, &ahead);
    packet = one_send(&f->b, &f->a, "new");
    assert_int_equal(one_open(&f->a, &packet, &opened), STATUS_OK);
    assert_int_equal(opened.key_id, fresh.keys[0].id);
    packet = one_send(&f->a, &f->b, "new");
    assert_int_equal(one_open(&f->b, &packet, &opened), STATUS_OK);
    assert_int_equal(opened.key_id, fresh.keys[0].id);
}

static void rotation(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct seal_keyring both = f->ring, fresh = test_ring(77);
    assert_int_equal(seal_keyring_add(&both, fresh.keys[0].key), STATUS_OK);
    memcpy(fresh.cluster_id, f->ring.cluster_id, CLUSTER_ID_SIZE);
    struct packet old = one_send(&f->a, &f->b, "old"), late = one_send(&f->a, &f->b, "late");
    seal_keyring_set(f->a.seal, &fresh);
    struct packet new = one_send(&f->a, &f->b, "new");
    assert_int_equal(one_open(&f->b, &new, &opened), STATUS_UNKNOWN_KEY);
    seal_keyring_set(f->b.seal, &both);
    assert_int_equal(one_open(&f->b, &new, &opened), STATUS_OK);
    assert_int_equal(one_open(&f->b, &old, &opened), STATUS_OK);
    seal_keyring_set(f->b.seal, &fresh);
    assert_int_equal(one_open(&f->b, &late, &opened), STATUS_UNKNOWN_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stranger_says_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_old_is_opened_as_stale, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_old_displaces_no_candidate, setup, teardown),
        cmocka_unit_test_setup_teardown(hello_ends_and_returns, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(recordings, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_never_repeat, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_behind_is_answered_in_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(rotation, setup, teardown)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
