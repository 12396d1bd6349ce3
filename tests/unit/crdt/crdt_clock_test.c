/* crdt_clock_test.c: stamps rise, are never issued twice, and the future stays out of the clock. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"
#include "prng.h"

#define YEAR_MS (365ull * 24 * 3600 * 1000)

static void test_stamps_follow_the_wall(void **state)
{
    struct crdt_clock clock = {0};
    uint64_t first = crdt_clock_next(&clock, 1000, 0);
    uint64_t second = crdt_clock_next(&clock, 1000, 0);

    (void)state;
    assert_int_equal(crdt_stamp_ms(first), 1000);
    assert_true(second > first);
    assert_int_equal(crdt_stamp_ms(second), 1000);
    assert_int_equal(crdt_stamp_ms(crdt_clock_next(&clock, 2000, 0)), 2000);
    /* The wall goes back, the clock does not. */
    assert_true(crdt_clock_next(&clock, 5, 0) > crdt_stamp_of(2000));
}

static void test_a_full_counter_carries(void **state)
{
    struct crdt_clock clock = {.last = crdt_stamp_of(7) + 0xfffe};

    (void)state;
    assert_int_equal(crdt_clock_next(&clock, 7, 0), crdt_stamp_of(8));
}

static void test_observe_stops_a_minute_ahead(void **state)
{
    struct crdt_clock clock = {0};

    (void)state;
    crdt_clock_observe(&clock, 1000, crdt_stamp_of(5000));
    assert_int_equal(clock.last, crdt_stamp_of(5000));
    crdt_clock_observe(&clock, 1000, crdt_stamp_of(4000));
    assert_int_equal(clock.last, crdt_stamp_of(5000));
    crdt_clock_observe(&clock, 1000, crdt_stamp_of(YEAR_MS));
    assert_int_equal(crdt_stamp_ms(clock.last), 1000 + CRDT_CLOCK_AHEAD_MS);
    crdt_clock_observe(&clock, 1000, UINT64_MAX);
    assert_int_equal(crdt_stamp_ms(clock.last), 1000 + CRDT_CLOCK_AHEAD_MS);
}

static void test_a_key_from_the_future_does_not_move_the_clock(void **state)
{
    struct crdt_clock clock = {0};
    uint64_t future = crdt_stamp_of(YEAR_MS);
    uint64_t first = crdt_clock_next(&clock, 1000, future);
    uint64_t second = crdt_clock_next(&clock, 1000, future);

    (void)state;
    assert_true(first > future);
    assert_true(second > first);
    assert_int_equal(crdt_stamp_ms(crdt_clock_next(&clock, 1000, 0)), 1000);
    /* Within the limit a key does move it. */
    assert_true(crdt_clock_next(&clock, 1000, crdt_stamp_of(30000)) > crdt_stamp_of(30000));
    assert_int_equal(crdt_stamp_ms(clock.last), 30000);
}

static void test_the_top_of_the_range_does_not_wrap(void **state)
{
    struct crdt_clock clock = {0};

    (void)state;
    assert_true(crdt_clock_next(&clock, UINT64_MAX, 0) <= CRDT_STAMP_MAX);
    assert_true(crdt_clock_next(&clock, 0, UINT64_MAX) == UINT64_MAX);
    assert_true(crdt_clock_next(&clock, 0, CRDT_STAMP_MAX - 1) > CRDT_STAMP_MAX - 1);
}

static int stamp_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void test_no_stamp_is_issued_twice(void **state)
{
    static uint64_t stamps[20000];
    const unsigned count = sizeof(stamps) / sizeof(stamps[0]);
    struct crdt_clock clock = {0};
    struct prng prng;

    (void)state;
    prng_init(&prng, 3);
    for (unsigned i = 0; i < count; i++) {
        uint64_t wall = prng_below(&prng, 4) * 50000 + prng_below(&prng, 3);
        uint64_t above = prng_below(&prng, 2) == 0 ? 0 : crdt_stamp_of(prng_below(&prng, 400000));

        if (i > 0 && prng_below(&prng, 3) == 0)
            above = stamps[prng_below(&prng, i)];
        crdt_clock_observe(&clock, wall, crdt_stamp_of(prng_below(&prng, 200000)));
        stamps[i] = crdt_clock_next(&clock, wall, above);
        assert_true(stamps[i] > above);
    }
    qsort(stamps, count, sizeof(stamps[0]), stamp_compare);
    for (unsigned i = 1; i < count; i++)
        assert_true(stamps[i] != stamps[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stamps_follow_the_wall),
        cmocka_unit_test(test_a_full_counter_carries),
        cmocka_unit_test(test_observe_stops_a_minute_ahead),
        cmocka_unit_test(test_a_key_from_the_future_does_not_move_the_clock),
        cmocka_unit_test(test_the_top_of_the_range_does_not_wrap),
        cmocka_unit_test(test_no_stamp_is_issued_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
