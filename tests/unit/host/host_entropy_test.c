#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_entropy.h"

static void test_bytes_differ(void **state)
{
    struct seal_entropy entropy = host_entropy();
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    entropy.fill(entropy.context, a, sizeof a);
    entropy.fill(entropy.context, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes_differ)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
