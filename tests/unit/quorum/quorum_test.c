/* quorum_test.c: required numbers, pools, timers, cancelling. */
#include "quorum_bench.h"

static void test_required_numbers(void **state)
{
    (void)state;
    for (uint8_t n = 1; n <= REPLICAS_MAX; n++) {
        assert_int_equal(quorum_required(CONSISTENCY_ONE, n), 1);
        assert_int_equal(quorum_required(CONSISTENCY_QUORUM, n), n / 2 + 1);
        assert_int_equal(quorum_required(CONSISTENCY_DEFAULT, n), n / 2 + 1);
        assert_int_equal(quorum_required(CONSISTENCY_ALL, n), n);
    }
    for (unsigned c = CONSISTENCY_DEFAULT; c <= CONSISTENCY_ALL; c++)
        assert_int_equal(quorum_required((enum consistency)c, 0), 0);
}

static void test_a_full_pool_is_an_answer(void **state)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    struct bench bench;

    (void)state;
    bench_init(&bench, 2);
    for (uint32_t id = 1; id <= 2; id++) {
        request = bench_request(id, 3, owners);
        assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    }
    request = bench_request(3, 3, owners);
    bench_expect(&bench, "put:2 put:3 put:2 put:3");
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OVERLOAD);
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OVERLOAD);
    bench_expect(&bench, "");
    /* A cancelled operation ends without a word and makes room. */
    quorum_cancel(bench.quorum, 1);
    quorum_cancel(bench.quorum, 77);
    quorum_put_ack(bench.quorum, 0, 1, 2, STATUS_OK);
    quorum_put_ack(bench.quorum, 0, 1, 3, STATUS_OK);
    bench_expect(&bench, "");
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    assert_int_equal(quorum_count(bench.quorum), 2);
    quorum_delete(bench.quorum);
}

static void test_deadlines_fire_in_order(void **state)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    struct bench bench;

    (void)state;
    bench_init(&bench, 8);
    assert_true(quorum_deadline(bench.quorum) == INSTANT_NEVER);
    for (uint32_t id = 1; id <= 3; id++) {
        request = bench_request(id, 1, owners);
        request.deadline = INSTANT_MS(100) * (4 - id);
        assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    }
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_MS(100));
    quorum_expire(bench.quorum, INSTANT_MS(100) - 1);
    bench_expect(&bench, "");
    quorum_expire(bench.quorum, INSTANT_MS(200));
    bench_expect(&bench, "done:17 done:17");
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_MS(300));
    quorum_delete(bench.quorum);
}

static void test_what_is_late_already_is_not_begun(void **state)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request = bench_request(1, 3, owners);
    struct bench bench;

    (void)state;
    bench_init(&bench, 2);
    assert_int_equal(quorum_put(bench.quorum, request.deadline, &request), STATUS_DEADLINE);
    assert_int_equal(quorum_get(bench.quorum, request.deadline, &request), STATUS_DEADLINE);
    bench_expect(&bench, "");
    assert_int_equal(quorum_count(bench.quorum), 0);
    quorum_delete(bench.quorum);
}

static void test_a_lost_peer_ends_its_part_in_everything(void **state)
{
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    struct bench bench;

    (void)state;
    bench_init(&bench, 8);
    request = bench_request(1, 3, owners);
    request.consistency = CONSISTENCY_ALL;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    request = bench_request(2, 3, owners);
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "put:2 put:3 get:2");
    quorum_peer_lost(bench.quorum, 1, 2);
    bench_expect(&bench, "done:26 get:3");
    assert_int_equal(bench.outcome, OUTCOME_UNKNOWN);
    quorum_peer_lost(bench.quorum, 1, 9);
    bench_expect(&bench, "");
    quorum_delete(bench.quorum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_required_numbers),
        cmocka_unit_test(test_a_full_pool_is_an_answer),
        cmocka_unit_test(test_deadlines_fire_in_order),
        cmocka_unit_test(test_what_is_late_already_is_not_begun),
        cmocka_unit_test(test_a_lost_peer_ends_its_part_in_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
