/* The hot and cold rule, what enters the latency, ejection and trial, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "balance.h"
#include "prng.h"

static struct balance *open_balance(void)
{
    struct balance *balance = balance_new(8);

    assert_non_null(balance);
    return balance;
}

static void finish(struct balance *balance, instant now, uint64_t id8, uint32_t rtt_us, bool is_ok)
{
    struct balance_result result = {.rtt_us = rtt_us, .is_ok = is_ok};

    balance_finished(balance, now, id8, &result);
}

/* A request and its answer. */
static void ask(struct balance *balance, instant now, uint64_t id8, uint32_t rtt_us)
{
    balance_started(balance, now, id8);
    finish(balance, now, id8, rtt_us, true);
}

static void fail_times(struct balance *balance, instant now, uint64_t id8, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        balance_started(balance, now, id8);
        finish(balance, now, id8, 100, false);
    }
}

/* The best of peers 1, 2 and 3. */
static uint64_t best(const struct balance *balance, instant now)
{
    static const uint64_t peers[] = {1, 2, 3};
    uint8_t order[3];

    balance_rank(balance, now, peers, 3, order);
    return peers[order[0]];
}

static void test_rank_is_a_permutation(void **state)
{
    struct balance *balance = open_balance();
    uint64_t peers[14];
    struct prng prng;

    (void)state;
    prng_init(&prng, 5);
    for (unsigned round = 0; round < 500; round++) {
        uint8_t count = (uint8_t)prng_below(&prng, 15), order[14];
        unsigned seen = 0;

        for (unsigned i = 0; i < count; i++)
            peers[i] = prng_below(&prng, 12);
        balance_started(balance, round * 1000, prng_below(&prng, 12));
        finish(balance, round * 1000, prng_below(&prng, 12), (uint32_t)prng_below(&prng, 5000),
               prng_chance(&prng, 1, 2));
        balance_rank(balance, round * 1000, peers, count, order);
        for (unsigned i = 0; i < count; i++)
            seen |= 1u << order[i];
        assert_int_equal(seen, (1u << count) - 1);
    }
    balance_delete(balance);
}

static void test_strangers_go_by_id(void **state)
{
    static const uint64_t peers[] = {9, 3, 7};
    struct balance *balance = open_balance();
    uint8_t order[3];

    (void)state;
    balance_rank(balance, 1, peers, 3, order);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    assert_int_equal(order[2], 0);
    balance_rank(balance, 1, peers, 0, order);
    balance_delete(balance);
}

static void test_cold_by_latency(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    ask(balance, 1000, 1, 900);
    ask(balance, 1000, 2, 300);
    ask(balance, 1000, 3, 600);
    assert_int_equal(best(balance, 1000), 2);
    for (unsigned i = 0; i < 20; i++)
        ask(balance, 1000, 2, 5000); /* it became slow */
    assert_int_equal(best(balance, 1000), 3);
    balance_delete(balance);
}

/* The fastest peer gets hot by our own unanswered requests, without a word from it. */
static void test_own_requests_make_hot(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    ask(balance, 1000, 1, 100);
    ask(balance, 1000, 2, 200);
    ask(balance, 1000, 3, 300);
    for (unsigned i = 0; i < BALANCE_HOT_ABOVE; i++)
        balance_started(balance, 1000, 1);
    assert_int_equal(best(balance, 1000), 1);
    balance_started(balance, 1000, 1);
    assert_int_equal(best(balance, 1000), 2);
    balance_cancelled(balance, 1);
    assert_int_equal(best(balance, 1000), 1);
    balance_delete(balance);
}

static void test_all_hot_go_by_queue(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    for (uint64_t id8 = 1; id8 <= 3; id8++) {
        ask(balance, 1000, id8, (uint32_t)id8 * 100);
        balance_heard(balance, 1000, id8, balance_load_pack(20 - (uint32_t)id8, 0));
    }
    assert_int_equal(best(balance, 1000), 3);
    balance_delete(balance);
}

static void test_stale_load_is_not_believed(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    for (uint64_t id8 = 1; id8 <= 3; id8++)
        ask(balance, 1000, id8, (uint32_t)id8 * 100);
    balance_heard(balance, 1000, 1, balance_load_pack(50, 0));
    assert_int_equal(best(balance, INSTANT_MS(900)), 2);
    assert_int_equal(best(balance, INSTANT_MS(1100)), 1);
    balance_delete(balance);
}

static void test_load_word(void **state)
{
    struct balance *balance = open_balance();
    struct balance_result result = {
        .rtt_us = 100, .is_ok = true, .has_load = true, .load = balance_load_pack(9, 0)};

    (void)state;
    assert_int_equal(balance_load_pack(3, 160), 3u << 16 | 10);
    assert_int_equal(balance_load_pack(UINT32_MAX, UINT32_MAX), UINT32_MAX);
    ask(balance, 1000, 2, 200);
    ask(balance, 1000, 3, 300);
    balance_started(balance, 1000, 1);
    balance_finished(balance, 1000, 1, &result);
    assert_int_equal(best(balance, 1000), 2); /* 1 is faster, and hot by its own account */
    balance_delete(balance);
}

/* A peer that fails in no time must not look like the fastest. */
static void test_fast_failures_do_not_attract(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    for (uint64_t id8 = 1; id8 <= 3; id8++)
        ask(balance, 1000, id8, 2000);
    balance_started(balance, 1000, 1);
    finish(balance, 1000, 1, 5, false);
    assert_int_equal(best(balance, 1000), 2);
    balance_delete(balance);
}

/* B8: a slow peer is left, but not for ever. */
static void test_slow_peer_is_tried_again(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    ask(balance, 1000, 1, 100000);
    ask(balance, 1000, 2, 2000);
    ask(balance, 1000, 3, 3000);
    for (instant now = 1000; now < INSTANT_S(50); now += INSTANT_MS(500)) {
        assert_true(best(balance, now) != 1);
        ask(balance, now, 2, 2000);
        ask(balance, now, 3, 3000);
    }
    assert_int_equal(best(balance, INSTANT_S(90)), 2); /* all faded alike: the order stays */
    for (instant now = INSTANT_S(50); now < INSTANT_S(90); now += INSTANT_MS(500)) {
        ask(balance, now, 2, 2000);
        ask(balance, now, 3, 3000);
    }
    assert_int_equal(best(balance, INSTANT_S(90)), 1);
    balance_delete(balance);
}

static void test_fifth_failure_ejects(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    fail_times(balance, 1000, 1, BALANCE_FAILURES_MAX - 1);
    assert_false(balance_is_ejected(balance, 1000, 1));
    ask(balance, 1000, 1, 100); /* in a row means in a row */
    fail_times(balance, 1000, 1, BALANCE_FAILURES_MAX - 1);
    assert_false(balance_is_ejected(balance, 1000, 1));
    fail_times(balance, 1000, 1, 1);
    assert_true(balance_is_ejected(balance, 1000, 1));
    assert_true(balance_is_ejected(balance, INSTANT_S(1) + 999, 1));
    assert_false(balance_is_ejected(balance, INSTANT_S(1) + 1000, 1));
    balance_delete(balance);
}

/* One request at a time after the ejection; its end decides. */
static void test_trial_decides(void **state)
{
    struct balance *balance = open_balance();
    instant now = 1000;

    (void)state;
    fail_times(balance, now, 1, BALANCE_FAILURES_MAX);
    for (unsigned times = 2; times <= 40; times++) {
        unsigned seconds = times < 30 ? times : 30;

        now += INSTANT_S(31);
        assert_false(balance_is_ejected(balance, now, 1));
        balance_started(balance, now, 1);
        assert_true(balance_is_ejected(balance, now, 1)); /* the trial is under way */
        finish(balance, now, 1, 100, false);
        assert_true(balance_is_ejected(balance, now + INSTANT_S(seconds) - 1, 1));
        assert_false(balance_is_ejected(balance, now + INSTANT_S(seconds), 1));
    }
    now += INSTANT_S(31);
    ask(balance, now, 1, 100);
    fail_times(balance, now, 1, BALANCE_FAILURES_MAX - 1);
    assert_false(balance_is_ejected(balance, now, 1)); /* a clean slate */
    fail_times(balance, now, 1, 1);
    assert_false(balance_is_ejected(balance, now + INSTANT_S(1), 1));
    balance_delete(balance);
}

/* Failures of requests sent before the ejection do not lengthen it. */
static void test_late_failures_do_not_count_twice(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        balance_started(balance, 1000, 1);
    for (unsigned i = 0; i < 50; i++)
        finish(balance, 1000, 1, 100, false);
    assert_false(balance_is_ejected(balance, INSTANT_S(1) + 1000, 1));
    balance_delete(balance);
}

static void test_ejected_come_last(void **state)
{
    static const uint64_t peers[] = {1, 2, 3};
    struct balance *balance = open_balance();
    uint8_t order[3];

    (void)state;
    fail_times(balance, 1000, 1, BALANCE_FAILURES_MAX);
    for (unsigned i = 0; i < 40; i++)
        balance_started(balance, 1000, 2);
    ask(balance, 1000, 3, UINT32_MAX);
    balance_rank(balance, 1000, peers, 3, order);
    assert_int_equal(order[2], 0);
    balance_delete(balance);
}

/* B8: when most look ill, it is rather us. */
static void test_most_ejected_means_health_is_ignored(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    ask(balance, 1000, 3, 5000000);
    ask(balance, 1000, 2, 1);
    fail_times(balance, 1000, 1, BALANCE_FAILURES_MAX);
    assert_int_equal(best(balance, 1000), 2);
    fail_times(balance, 1000, 2, BALANCE_FAILURES_MAX);
    assert_true(balance_is_ejected(balance, 1000, 1) && balance_is_ejected(balance, 1000, 2));
    assert_true(best(balance, 1000) != 3); /* the only one in, and by far the slowest */
    balance_delete(balance);
}

static void test_records_are_bounded(void **state)
{
    struct balance *balance = balance_new(2);

    (void)state;
    ask(balance, 1, 10, 100);
    ask(balance, 2, 20, 100);
    fail_times(balance, 3, 10, BALANCE_FAILURES_MAX); /* 20 is now the oldest */
    balance_started(balance, 4, 30);
    assert_true(balance_is_ejected(balance, 5, 10));
    balance_started(balance, 6, 10);
    balance_started(balance, 7, 40); /* both are busy: 40 goes unobserved */
    assert_int_equal(balance_in_flight(balance, 40), 0);
    finish(balance, 8, 40, 100, true);
    assert_int_equal(balance_in_flight(balance, 10), 1);
    assert_int_equal(balance_in_flight(balance, 30), 1);
    balance_forget(balance, 30);
    balance_forget(balance, 99);
    assert_int_equal(balance_in_flight(balance, 30), 0);
    balance_started(balance, 9, 40);
    assert_int_equal(balance_in_flight(balance, 40), 1);
    balance_delete(balance);
    balance_delete(NULL);
}

static void test_unmatched_ends_are_harmless(void **state)
{
    struct balance *balance = open_balance();

    (void)state;
    balance_cancelled(balance, 1);
    balance_heard(balance, 1, 1, UINT32_MAX);
    finish(balance, 1, 1, 100, true);
    balance_cancelled(balance, 1);
    finish(balance, 1, 1, 100, true);
    assert_int_equal(balance_in_flight(balance, 1), 0);
    balance_delete(balance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rank_is_a_permutation),
        cmocka_unit_test(test_strangers_go_by_id),
        cmocka_unit_test(test_cold_by_latency),
        cmocka_unit_test(test_own_requests_make_hot),
        cmocka_unit_test(test_all_hot_go_by_queue),
        cmocka_unit_test(test_stale_load_is_not_believed),
        cmocka_unit_test(test_load_word),
        cmocka_unit_test(test_fast_failures_do_not_attract),
        cmocka_unit_test(test_slow_peer_is_tried_again),
        cmocka_unit_test(test_fifth_failure_ejects),
        cmocka_unit_test(test_trial_decides),
        cmocka_unit_test(test_late_failures_do_not_count_twice),
        cmocka_unit_test(test_ejected_come_last),
        cmocka_unit_test(test_most_ejected_means_health_is_ignored),
        cmocka_unit_test(test_records_are_bounded),
        cmocka_unit_test(test_unmatched_ends_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
