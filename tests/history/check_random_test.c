/* check_random_test.c: tens of thousands of small histories from a fixed seed, judged by the
 * checkers and by trying everything. The two must agree in every single one. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "brute.h"
#include "check.h"
#include "prng.h"
#include "story.h"

#define ROUNDS 25000u
#define ROUNDS_ZONES 100000u

/* Fills times[0 .. 2 count) with 1 .. 2 count in random order. */
static void draw_times(struct prng *prng, uint64_t *times, unsigned count)
{
    for (unsigned i = 0; i < 2 * count; i++)
        times[i] = i + 1;
    prng_shuffle(prng, times, 2 * count, sizeof *times);
}

/* Two to six operations on one key: at most `put_max` writes, one after the other if there is a
 * single writer; one in six never ends. Reads show one of the values or nothing. */
static void draw_history(struct prng *prng, struct history *history, unsigned put_max)
{
    static const char *const names[] = {"", "a", "b", "c", "d"};
    unsigned count = (unsigned)prng_between(prng, 2, 6), puts = 0;
    uint64_t times[2 * BRUTE_OPS];
    uint32_t values[5];

    history_init(history);
    draw_times(prng, times, count);
    for (unsigned i = 0; i < 5; i++)
        values[i] = history_text(history, names[i]);
    for (unsigned i = 0; i < count; i++) {
        uint64_t a = times[2 * i], b = times[2 * i + 1], inv = a < b ? a : b, ret = a < b ? b : a;

        if (puts < put_max && prng_chance(prng, 1, 2))
            story_put(history, values[++puts], inv, prng_chance(prng, 1, 6) ? HISTORY_NEVER : ret);
        else
            story_get(history, values[prng_below(prng, put_max + 1)], inv, ret);
    }
}

static void test_zones_are_search(void **state)
{
    struct prng prng;
    unsigned atomic = 0;

    (void)state;
    prng_init(&prng, 1);
    for (unsigned i = 0; i < ROUNDS_ZONES; i++) {
        struct history history;
        struct check_zones found;

        draw_history(&prng, &history, 4);
        check_zones(&history, "", &found);
        if (check_zones_is_good(&found) != brute_is_atomic(&history))
            fail_msg("round %u: zones say %d", i, check_zones_is_good(&found));
        atomic += check_zones_is_good(&found);
        history_free(&history);
    }
    assert_in_range(atomic, ROUNDS_ZONES / 50,
                    ROUNDS_ZONES / 2); /* both verdicts are well represented */
}

static void test_regular_is_definition(void **state)
{
    struct prng prng;
    unsigned regular = 0;

    (void)state;
    prng_init(&prng, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct history history;
        struct check_register found;

        draw_history(&prng, &history, 3);
        check_register(&history, "", &found);
        if (check_register_is_good(&found) != brute_is_regular(&history))
            fail_msg("round %u: the checker says %d", i, check_register_is_good(&found));
        regular += check_register_is_good(&found);
        history_free(&history);
    }
    assert_in_range(regular, ROUNDS / 50, ROUNDS / 2);
}

static void test_set_is_definition(void **state)
{
    struct prng prng;
    unsigned good = 0;

    (void)state;
    prng_init(&prng, 3);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct history history;
        struct check_set found;

        draw_history(&prng, &history, 1);
        check_set(&history, "", &found);
        if (check_set_is_good(&found) != brute_is_set(&history))
            fail_msg("round %u: the checker says %d", i, check_set_is_good(&found));
        good += check_set_is_good(&found);
        history_free(&history);
    }
    assert_in_range(good, ROUNDS / 20, ROUNDS * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones_are_search),
        cmocka_unit_test(test_regular_is_definition),
        cmocka_unit_test(test_set_is_definition),
    };

    return cmocka_run_group_tests_name("history random", tests, NULL, NULL);
}
