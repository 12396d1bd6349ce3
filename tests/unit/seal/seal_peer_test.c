/* The table: who is known, what a cookie proves, which epoch is believed. */
#include "pair.h"

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
    one_knows(&f.b, &f.a);
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

static void table(void **state)
{
    struct fixture *f = *state;
    struct seal_identity other;
    uint8_t seed[32] = {9}, bad[32] = {0};
    assert_int_equal(seal_peer_add(f->a.seal, f->b.identity.public_key), STATUS_OK);
    assert_int_equal(seal_peer_add(f->a.seal, f->a.identity.public_key), STATUS_BAD);
    assert_int_equal(seal_peer_add(f->a.seal, bad), STATUS_BAD);
    for (int i = 0; i < 4; i++) {
        seed[0]++;
        assert_int_equal(seal_identity_from_seed(&other, seed), STATUS_OK);
        assert_int_equal(seal_peer_add(f->a.seal, other.public_key),
                         i < 3 ? STATUS_OK : STATUS_FULL);
    }
    assert_memory_equal(seal_peer_key(f->a.seal, f->b.id8), f->b.identity.public_key, 32);
    seal_peer_remove(f->a.seal, f->b.id8);
    assert_false(seal_peer_known(f->a.seal, f->b.id8));
    assert_null(seal_peer_key(f->a.seal, f->b.id8));
    assert_int_equal(seal_cookie(f->a.seal, f->b.id8), 0);
    assert_int_equal(seal_peer_add(f->a.seal, other.public_key), STATUS_OK);
}

static void cookie_is_good_once(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct packet early = one_send(&f->b, &f->a, "early"), ack = one_send(&f->b, &f->a, "ack");
    uint64_t cookie = seal_cookie(f->a.seal, f->b.id8);
    assert_int_not_equal(cookie, 0);
    assert_int_equal(cookie, seal_cookie(f->a.seal, f->b.id8));
    assert_false(seal_cookie_echoed(f->a.seal, f->b.id8, 200, cookie, 2)); /* no such epoch yet */
    assert_int_equal(one_open(&f->a, &ack, &opened), STATUS_OK);
    assert_false(opened.is_verified);
    assert_false(seal_cookie_echoed(f->a.seal, f->b.id8, 200, cookie ^ 1, 2));
    assert_false(seal_cookie_echoed(f->a.seal, f->b.id8, 201, cookie, 2));
    assert_true(seal_cookie_echoed(f->a.seal, f->b.id8, 200, cookie, opened.counter));
    assert_false(seal_cookie_echoed(f->a.seal, f->b.id8, 200, cookie, opened.counter));
    assert_int_not_equal(cookie, seal_cookie(f->a.seal, f->b.id8));
    assert_int_equal(one_open(&f->a, &early, &opened), STATUS_REPLAY); /* below the floor */
    struct packet next = one_send(&f->b, &f->a, "next");
    assert_int_equal(one_open(&f->a, &next, &opened), STATUS_OK);
    assert_true(opened.is_verified);
}

static void cookie_does_not_return_with_the_peer(void **state)
{
    struct fixture *f = *state;
    uint64_t cookie = seal_cookie(f->a.seal, f->b.id8);
    seal_peer_remove(f->a.seal, f->b.id8);
    one_knows(&f->a, &f->b);
    assert_int_not_equal(cookie, seal_cookie(f->a.seal, f->b.id8));
}

/* A recording of an older process displaces the candidate only, and the epoch before is refused. */
static void old_epochs(void **state)
{
    struct fixture *f = *state;
    struct seal_opened opened;
    struct packet first = one_send(&f->b, &f->a, "of 200");
    one_stop(&f->b);
    one_start(&f->b, 2, 201, &f->ring);
    one_knows(&f->b, &f->a);
    struct packet second = one_send(&f->b, &f->a, "of 201");
    one_prove(&f->a, &f->b);
    assert_int_equal(one_open(&f->a, &first, &opened), STATUS_OK); /* never seen, not believed */
    assert_false(opened.is_verified);
    struct packet live = one_send(&f->b, &f->a, "live");
    assert_int_equal(one_open(&f->a, &live, &opened), STATUS_OK);
    assert_true(opened.is_verified);
    one_stop(&f->b);
    one_start(&f->b, 2, 202, &f->ring);
    one_knows(&f->b, &f->a);
    one_prove(&f->a, &f->b);
    assert_int_equal(one_open(&f->a, &second, &opened), STATUS_REPLAY); /* retired */
    assert_int_not_equal(one_open(&f->a, &live, &opened), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, setup, teardown),
        cmocka_unit_test_setup_teardown(cookie_is_good_once, setup, teardown),
        cmocka_unit_test_setup_teardown(cookie_does_not_return_with_the_peer, setup, teardown),
        cmocka_unit_test_setup_teardown(old_epochs, setup, teardown)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
