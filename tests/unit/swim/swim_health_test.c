/* swim_health_test.c: local health stays in its bounds and lengthens times. */
#include "network.h"

static void test_health_has_bounds_and_scales(void **state)
{
    struct swim swim = {0};

    (void)state;
    swim_health_better(&swim);
    assert_int_equal(swim_health(&swim), 0);
    assert_int_equal(swim_scaled(&swim, 500), 500);
    swim_health_worse(&swim, 3);
    swim_health_better(&swim);
    assert_int_equal(swim_health(&swim), 2);
    assert_int_equal(swim_scaled(&swim, 500), 1500);
    swim_health_worse(&swim, 100);
    assert_int_equal(swim_health(&swim), SWIM_HEALTH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_health_has_bounds_and_scales)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
