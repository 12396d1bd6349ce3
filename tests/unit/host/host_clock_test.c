#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_clock.h"

static void test_clocks(void **state)
{
    instant before = host_clock_now(), after = host_clock_now();

    (void)state;
    assert_true(before != 0 && after >= before);
    assert_true(host_clock_wall_ms() > 1700000000000u); /* milliseconds, after 2023 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clocks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
