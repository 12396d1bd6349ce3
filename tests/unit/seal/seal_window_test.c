/* The window against a plain set of numbers, and its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "prng.h"
#include "seal_window.h"

#define SPACE 6000

static void edges(void **state)
{
    (void)state;
    for (uint64_t top = 1; top < 2100; top += top < 1020 || top > 1030 ? 37 : 1) {
        struct seal_window window = {0};
        seal_window_accept(&window, top);
        for (uint64_t n = 0; n <= top + 1100; n++)
            assert_int_equal(seal_window_allows(&window, n),
                             n > 0 && n != top && (n > top || top - n < SEAL_WINDOW_BITS));
    }
}

static void every_jump(void **state)
{
    (void)state;
    for (uint64_t jump = 1; jump < 2100; jump++) {
        struct seal_window window = {0};
        for (uint64_t n = 1; n <= 64; n++)
            seal_window_accept(&window, n);
        seal_window_accept(&window, 64 + jump);
        for (uint64_t n = 1; n <= 64; n++)
            assert_false(seal_window_allows(&window, n));
        for (uint64_t n = 65; n < 64 + jump; n++)
            assert_int_equal(seal_window_allows(&window, n), 64 + jump - n < SEAL_WINDOW_BITS);
        assert_true(seal_window_allows(&window, UINT64_MAX));
    }
}

static void against_a_set(void **state)
{
    (void)state;
    struct prng prng;
    static bool seen[SPACE];
    struct seal_window window = {0};
    uint64_t top = 0;
    prng_init(&prng, 5);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t base = (uint64_t)i * (SPACE - 1100) / 200000;
        uint64_t n = base + prng_below(&prng, 1100);
        bool expected = n > 0 && !seen[n] && (n > top || top - n < SEAL_WINDOW_BITS);
        assert_int_equal(seal_window_allows(&window, n), expected);
        if (expected) {
            seal_window_accept(&window, n);
            seen[n] = true;
            top = n > top ? n : top;
        }
    }
}

static void floor_refuses(void **state)
{
    (void)state;
    struct seal_window window = {0};
    seal_window_accept(&window, 100);
    seal_window_raise(&window, 90);
    seal_window_raise(&window, 50);
    assert_false(seal_window_allows(&window, 90));
    assert_true(seal_window_allows(&window, 91));
    assert_false(seal_window_allows(&window, 100));
    seal_window_raise(&window, 200);
    assert_false(seal_window_allows(&window, 200));
    assert_true(seal_window_allows(&window, 201));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(edges), cmocka_unit_test(every_jump),
                                       cmocka_unit_test(against_a_set),
                                       cmocka_unit_test(floor_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
