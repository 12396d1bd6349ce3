/* quorum_put_test.c: when a put is done, and what is said when it is not. */
#include "quorum_bench.h"

static struct bench bench;
static struct quorum_owner owners[SET_MAX];

static void begin(uint8_t count, enum consistency consistency)
{
    struct quorum_request request = bench_request(1, count, owners);

    request.consistency = consistency;
    request.object = slice_text("object");
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&bench, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(quorum_count(bench.quorum), 0);
    quorum_delete(bench.quorum);
    return 0;
}

static void ack(uint64_t from, enum status status)
{
    quorum_put_ack(bench.quorum, 1, 1, from, status);
}

static void test_two_of_three_are_enough(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    assert_int_equal(bench.object_size, 6);
    bench_expect(&bench, "put:2 put:3");
    ack(3, STATUS_OK);
    ack(3, STATUS_OK); /* said twice counts once */
    bench_expect(&bench, "");
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    bench_expect(&bench, "done:0");
    assert_int_equal(bench.outcome, OUTCOME_NONE);
    assert_int_equal(bench.acks, 2);
    assert_int_equal(bench.required, 2);
    assert_int_equal(bench.total, 3);
    assert_string_equal(bench.roles, "1+ 3+ "); /* 2 was not needed: neither good nor bad */
    ack(2, STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(9));
    bench_expect(&bench, "");
}

/* --- who lacks it, once the client was told */

static void test_D12_owners_that_do_not_answer_in_a_second_are_named(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_stored(bench.quorum, INSTANT_MS(3), 1, STATUS_OK);
    quorum_put_ack(bench.quorum, INSTANT_MS(5), 1, 3, STATUS_OK);
    bench_expect(&bench, "put:2 put:3 done:0");
    assert_int_equal(quorum_count(bench.quorum), 0); /* it does not count as in flight */
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_S(1));
    quorum_cancel(bench.quorum, 1);
    quorum_expire(bench.quorum, INSTANT_S(1) - 1);
    assert_int_equal(bench.spreads, 0);
    quorum_expire(bench.quorum, INSTANT_S(1));
    assert_int_equal(bench.spreads, 1);
    assert_string_equal(bench.lacking, "2-0 ");
    assert_int_equal(bench.told, INSTANT_MS(5));
    quorum_put_ack(bench.quorum, INSTANT_S(2), 1, 2, STATUS_OK);
    assert_int_equal(bench.spreads, 1);
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_NEVER);
}

static void test_a_straggler_that_answers_lacks_nothing(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    ack(3, STATUS_OK);
    ack(2, STATUS_OK);
    assert_int_equal(bench.spreads, 1);
    assert_string_equal(bench.lacking, "");
    begin(3, CONSISTENCY_QUORUM);
    ack(2, STATUS_OK);
    ack(3, STATUS_OK); /* the own commit is the straggler: it is waited for beyond the second */
    quorum_expire(bench.quorum, INSTANT_S(1));
    assert_int_equal(bench.spreads, 1);
    quorum_stored(bench.quorum, INSTANT_S(3), 1, STATUS_OK);
    assert_int_equal(bench.spreads, 2);
    bench_expect(&bench, "put:2 put:3 done:0 put:2 put:3 done:0");
}

static void test_D12_the_lost_the_refusing_and_the_unreachable_are_named_at_once(void **state)
{
    struct quorum_request request = bench_request(1, 5, owners);

    (void)state;
    owners[4].is_reachable = false;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    ack(2, STATUS_OK);
    ack(3, STATUS_OK);
    ack(4, STATUS_NO_SPACE);
    assert_int_equal(bench.spreads, 1);
    assert_string_equal(bench.lacking, "4-32 5-26 ");
    begin(3, CONSISTENCY_QUORUM);
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    ack(2, STATUS_OK);
    quorum_peer_lost(bench.quorum, 1, 3);
    assert_int_equal(bench.spreads, 2);
    assert_string_equal(bench.lacking, "3-36 ");
    bench.log[bench.log_size = 0] = 0;
}

static void test_what_this_peer_does_not_hold_it_cannot_give(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    ack(2, STATUS_OK);
    quorum_stored(bench.quorum, 1, 1, STATUS_NO_SPACE);
    ack(3, STATUS_OVERLOAD);
    assert_int_equal(bench.spreads, 0);
    begin(3, CONSISTENCY_QUORUM); /* layouts differ: it is tried again, with other owners perhaps */
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    ack(2, STATUS_LAYOUT);
    ack(3, STATUS_LAYOUT);
    assert_int_equal(bench.spreads, 0);
    begin(3, CONSISTENCY_QUORUM); /* it will spread all the same */
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(9));
    assert_string_equal(bench.lacking, "2-0 3-0 ");
    bench.log[bench.log_size = 0] = 0;
}

static void test_who_lingers_gives_its_place_up(void **state)
{
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    for (uint32_t id = 1; id <= 5; id++) {
        request.id = id;
        assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
        quorum_stored(bench.quorum, 1, id, STATUS_OK);
        quorum_put_ack(bench.quorum, 1, id, 2, STATUS_OK);
        assert_int_equal(bench.spreads, id == 5); /* there are four places */
    }
    bench.log[bench.log_size = 0] = 0;
}

static void test_the_local_commit_alone_is_enough_for_one(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_ONE);
    ack(1, STATUS_OK); /* nobody but the store speaks for this peer */
    bench_expect(&bench, "put:2 put:3");
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    bench_expect(&bench, "done:0");
}

static void test_strangers_do_not_count(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    ack(4, STATUS_OK);
    ack(0, STATUS_OK);
    quorum_put_ack(bench.quorum, 1, 2, 2, STATUS_OK);
    ack(2, STATUS_OK);
    bench_expect(&bench, "put:2 put:3");
    ack(3, STATUS_OK);
    bench_expect(&bench, "done:0");
}

static void test_nothing_is_sent_without_a_quorum(void **state)
{
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    owners[1].is_reachable = owners[2].is_reachable = false;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_UNREACHABLE);
    bench_expect(&bench, "");
    request.consistency = CONSISTENCY_ONE;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    bench_expect(&bench, "done:0");
    assert_string_equal(bench.roles, "1+ ");
}

/* Base 1 2 3, target 1 4 5: two of each. */
static void test_a_moving_partition_needs_both_sets(void **state)
{
    struct quorum_request request = bench_request(1, 5, owners);

    (void)state;
    request.base_count = request.target_count = 3;
    owners[3].is_base = owners[4].is_base = false;
    owners[1].is_target = owners[2].is_target = false;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "put:2 put:3 put:4 put:5");
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    ack(2, STATUS_OK);
    ack(3, STATUS_OK);
    bench_expect(&bench, "");
    ack(4, STATUS_NO_SPACE);
    ack(5, STATUS_OK);
    bench_expect(&bench, "done:0");
    assert_string_equal(bench.roles, "1+ 2+ 3+ 4-32 5+ ");
    owners[3].is_reachable = owners[4].is_reachable = false;
    assert_int_equal(quorum_put(bench.quorum, 0, &request), STATUS_UNREACHABLE);
}

static void test_a_full_cluster_is_certainly_not_stored(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_stored(bench.quorum, 1, 1, STATUS_NO_SPACE);
    ack(2, STATUS_NO_SPACE);
    bench_expect(&bench, "put:2 put:3"); /* the third may still make it partial */
    ack(3, STATUS_READ_ONLY);
    bench_expect(&bench, "done:32");
    assert_int_equal(bench.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(bench.acks, 0);
}

static void test_one_copy_somewhere_is_partial(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_stored(bench.quorum, 1, 1, STATUS_NO_SPACE);
    ack(2, STATUS_NO_SPACE);
    ack(3, STATUS_OK);
    bench_expect(&bench, "put:2 put:3 done:32");
    assert_int_equal(bench.outcome, OUTCOME_PARTIAL);
}

static void test_a_broken_link_is_unknown(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_peer_lost(bench.quorum, 1, 2);
    quorum_stored(bench.quorum, 1, 1, STATUS_UNKNOWN_OUTCOME);
    bench_expect(&bench, "put:2 put:3 done:26");
    assert_int_equal(bench.outcome, OUTCOME_UNKNOWN);
}

static void test_silence_until_the_deadline(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    quorum_expire(bench.quorum, INSTANT_S(2));
    bench_expect(&bench, "put:2 put:3 done:17");
    assert_int_equal(bench.outcome, OUTCOME_UNKNOWN);
    assert_string_equal(bench.roles, "1-17 2-17 3-17 ");
    begin(3, CONSISTENCY_QUORUM);
    ack(3, STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(2));
    bench_expect(&bench, "put:2 put:3 done:17");
    assert_int_equal(bench.outcome, OUTCOME_PARTIAL);
}

static void test_layout_only_when_nothing_else_helps(void **state)
{
    (void)state;
    begin(3, CONSISTENCY_QUORUM);
    ack(2, STATUS_LAYOUT);
    bench_expect(&bench, "put:2 put:3");
    ack(3, STATUS_OK);
    quorum_stored(bench.quorum, 1, 1, STATUS_OK);
    bench_expect(&bench, "done:0");
    begin(3, CONSISTENCY_QUORUM);
    ack(2, STATUS_LAYOUT);
    ack(3, STATUS_NOT_OWNER);
    bench_expect(&bench, "put:2 put:3 done:15");
}

int main(void)
{
#define PUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PUT_TEST(test_two_of_three_are_enough),
        PUT_TEST(test_D12_owners_that_do_not_answer_in_a_second_are_named),
        PUT_TEST(test_a_straggler_that_answers_lacks_nothing),
        PUT_TEST(test_D12_the_lost_the_refusing_and_the_unreachable_are_named_at_once),
        PUT_TEST(test_what_this_peer_does_not_hold_it_cannot_give),
        PUT_TEST(test_who_lingers_gives_its_place_up),
        PUT_TEST(test_the_local_commit_alone_is_enough_for_one),
        PUT_TEST(test_strangers_do_not_count),
        PUT_TEST(test_nothing_is_sent_without_a_quorum),
        PUT_TEST(test_a_moving_partition_needs_both_sets),
        PUT_TEST(test_a_full_cluster_is_certainly_not_stored),
        PUT_TEST(test_one_copy_somewhere_is_partial),
        PUT_TEST(test_a_broken_link_is_unknown),
        PUT_TEST(test_silence_until_the_deadline),
        PUT_TEST(test_layout_only_when_nothing_else_helps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
