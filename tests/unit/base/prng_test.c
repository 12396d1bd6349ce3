/* prng_test.c: the published sequence, bounds, and rough uniformity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "prng.h"

/* xoshiro256** of state {1, 2, 3, 4}: the first three results follow by hand from the paper. */
static void test_known_sequence(void **state)
{
    struct prng prng = {{1, 2, 3, 4}};

    (void)state;
    assert_true(prng_next(&prng) == 11520u);
    assert_true(prng_next(&prng) == 0u);
    assert_true(prng_next(&prng) == 1509978240u);
}

/* splitmix64 of seed 0 begins so (Steele, Lea, Flood 2014, reference implementation). */
static void test_seed_is_spread(void **state)
{
    struct prng zero, one;

    (void)state;
    prng_init(&zero, 0);
    prng_init(&one, 1);
    assert_true(zero.state[0] == 0xe220a8397b1dcdafu);
    assert_true(zero.state[1] == 0x6e789e6aa1b965f4u);
    assert_memory_not_equal(&zero, &one, sizeof zero);
    assert_true(prng_next(&zero) != prng_next(&one));
}

static void test_below_is_uniform(void **state)
{
    struct prng prng;
    unsigned counts[7] = {0};

    (void)state;
    prng_init(&prng, 42);
    for (int i = 0; i < 70000; i++)
        counts[prng_below(&prng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
    for (int i = 0; i < 100; i++) {
        assert_true(prng_below(&prng, 1) == 0);
        assert_true(prng_below(&prng, (UINT64_MAX >> 1) + 2) <= (UINT64_MAX >> 1) + 1);
    }
}

static void test_between_holds_both_ends(void **state)
{
    struct prng prng;
    unsigned seen = 0;

    (void)state;
    prng_init(&prng, 7);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = prng_between(&prng, 5, 8);

        assert_in_range(value, 5, 8);
        seen |= 1u << (value - 5);
    }
    assert_int_equal(seen, 15);
    assert_true(prng_between(&prng, 9, 9) == 9);
    prng_between(&prng, 0, UINT64_MAX);
}

static void test_chance(void **state)
{
    struct prng prng;
    unsigned hits = 0;

    (void)state;
    prng_init(&prng, 7);
    for (int i = 0; i < 10000; i++) {
        hits += prng_chance(&prng, 1, 4);
        assert_false(prng_chance(&prng, 0, 4));
        assert_true(prng_chance(&prng, 4, 4));
    }
    assert_in_range(hits, 2300, 2700);
}

static void test_jitter_stays_within_percent(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 7);
    for (int i = 0; i < 1000; i++)
        assert_in_range(prng_jitter(&prng, 1000, 10), 900, 1100);
    assert_true(prng_jitter(&prng, 0, 50) == 0);
    assert_true(prng_jitter(&prng, 77, 0) == 77);
    assert_true(prng_jitter(&prng, UINT64_MAX, 100) <= UINT64_MAX);
}

/* Every permutation of three comes up about equally often. */
static void test_shuffle_is_fair(void **state)
{
    struct prng prng;
    unsigned counts[27] = {0}, kinds = 0;

    (void)state;
    prng_init(&prng, 3);
    for (int i = 0; i < 6000; i++) {
        uint16_t items[3] = {0, 1, 2};

        prng_shuffle(&prng, items, 3, sizeof *items);
        assert_int_equal(items[0] + items[1] + items[2], 3);
        counts[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    for (int i = 0; i < 27; i++) {
        if (counts[i]) {
            kinds++;
            assert_in_range(counts[i], 850, 1150);
        }
    }
    assert_int_equal(kinds, 6);
    prng_shuffle(&prng, NULL, 0, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sequence),   cmocka_unit_test(test_seed_is_spread),
        cmocka_unit_test(test_below_is_uniform), cmocka_unit_test(test_between_holds_both_ends),
        cmocka_unit_test(test_chance),           cmocka_unit_test(test_jitter_stays_within_percent),
        cmocka_unit_test(test_shuffle_is_fair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
