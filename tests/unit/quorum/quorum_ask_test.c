/* quorum_ask_test.c: whom a read asks, and when one more. */
#include "quorum_bench.h"

static struct bench bench;
static struct quorum_owner owners[SET_MAX];

static int setup(void **state)
{
    (void)state;
    bench_init(&bench, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    quorum_delete(bench.quorum);
    return 0;
}

static void test_as_many_as_are_needed_and_one_more_at_a_time(void **state)
{
    struct quorum_request request = bench_request(1, 5, owners);

    (void)state;
    request.is_local_counted = false; /* the local copy, owner 1, must not vote */
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "get:2 get:3 get:4");
    quorum_expire(bench.quorum, INSTANT_S(2) / 8 - 1);
    bench_expect(&bench, "");
    quorum_expire(bench.quorum, INSTANT_S(2) / 8);
    bench_expect(&bench, "get:5");
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_S(2)); /* nobody is left */
}

static void test_a_failure_is_followed_at_once(void **state)
{
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "get:2");
    quorum_peer_lost(bench.quorum, 1, 2);
    bench_expect(&bench, "get:3");
}

/* The hedge waits long enough for a disk even when little time is left. */
static void test_the_hedge_is_not_hasty(void **state)
{
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    request.deadline = INSTANT_MS(40);
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_MS(10));
}

int main(void)
{
#define ASK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        ASK_TEST(test_as_many_as_are_needed_and_one_more_at_a_time),
        ASK_TEST(test_a_failure_is_followed_at_once),
        ASK_TEST(test_the_hedge_is_not_hasty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
