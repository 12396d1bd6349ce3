/* logint_test.c: against the C library (tests may use floating point), and the exact points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "logint.h"

static void test_powers_of_two_are_exact(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++)
        assert_true(logint_log2_q32(UINT64_C(1) << i) == (uint64_t)i << 32);
}

static void test_log2_is_close_everywhere(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < 200000; value++) {
        double error = log2((double)value) - (double)logint_log2_q32(value) / 4294967296.0;

        assert_true(error > -1e-12 && error < 1.0 / 2147483648.0);
    }
    assert_true(logint_log2_q32(UINT64_MAX) >> 32 == 63);
}

static void test_log2_never_falls(void **state)
{
    uint64_t before = 0;

    (void)state;
    for (uint64_t value = UINT64_MAX - 1000; value != 0; value++) {
        assert_true(logint_log2_q32(value) >= before);
        before = logint_log2_q32(value);
    }
}

static void test_log10_is_truncated(void **state)
{
    uint64_t power = 1;

    (void)state;
    for (uint32_t i = 0; i <= 19; i++, power *= 10)
        assert_int_equal(logint_log10_milli(power), i * 1000);
    assert_int_equal(logint_log10_milli(2), 301);
    assert_int_equal(logint_log10_milli(999), 2999);
    for (uint64_t value = 1; value < 100000; value++)
        assert_int_equal(logint_log10_milli(value),
                         (uint32_t)floor(1000.0 * log10((double)value) + 1e-9));
    assert_int_equal(logint_log10_milli(UINT64_MAX), 19265);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_powers_of_two_are_exact),
        cmocka_unit_test(test_log2_is_close_everywhere),
        cmocka_unit_test(test_log2_never_falls),
        cmocka_unit_test(test_log10_is_truncated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
