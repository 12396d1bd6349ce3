/* The score: fixed values, shares by weight, no bias of the draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "place.h"

static const uint8_t seed[HASH_SEED_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Scores are part of the protocol: peers of two versions must agree on owners. The figures were
 * computed by a second implementation, with decimal logarithms of 60 digits. */
static void test_scores_never_change(void **state)
{
    (void)state;
    assert_int_equal(place_score(seed, 1, 0, 256), 441587574784);
    assert_int_equal(place_score(seed, 0x0123456789abcdef, 16383, 256), 1910327615744);
    assert_int_equal(place_score(seed, UINT64_MAX, 65535, 1), 563783647100928);
    assert_int_equal(place_score(seed, 7, 7, 16384), 61660660788);
}

static void test_score_divides_by_weight(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < 1000; p++) {
        uint64_t one = place_score(seed, 42, p, 1);

        assert_int_equal(place_score(seed, 42, p, 256), one / 256);
        assert_int_equal(place_score(seed, 42, p, UINT16_MAX), one / UINT16_MAX);
        assert_true(one < 1ull << 54);
    }
}

static void test_every_input_matters(void **state)
{
    uint8_t other[HASH_SEED_SIZE] = {0};

    (void)state;
    assert_true(place_score(seed, 1, 1, 256) != place_score(other, 1, 1, 256));
    assert_true(place_score(seed, 1, 1, 256) != place_score(seed, 2, 1, 256));
    assert_true(place_score(seed, 1, 1, 256) != place_score(seed, 1, 2, 256));
    assert_true(place_score(seed, 1, 2, 256) != place_score(seed, 2, 1, 256));
}

/* The first of four peers with weights 1, 1, 2, 4 wins in proportion to its weight. */
static void test_first_rank_is_proportional_to_weight(void **state)
{
    static const uint16_t weights[4] = {256, 256, 512, 1024};
    unsigned wins[4] = {0};

    (void)state;
    for (uint32_t p = 0; p < 16384; p++) {
        unsigned best = 0;

        for (unsigned i = 1; i < 4; i++)
            if (place_score(seed, i, p, weights[i]) < place_score(seed, best, p, weights[best]))
                best = i;
        wins[best]++;
    }
    for (unsigned i = 0; i < 4; i++) {
        unsigned ideal = 16384u * weights[i] / 2048u;

        assert_in_range(wins[i], ideal * 95 / 100, ideal * 105 / 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scores_never_change),
        cmocka_unit_test(test_score_divides_by_weight),
        cmocka_unit_test(test_every_input_matters),
        cmocka_unit_test(test_first_rank_is_proportional_to_weight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
