/* profile_test.c: the numbers of a profile fit each other. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "profile.h"

static void test_numbers_of_a_profile_fit_each_other(void **state)
{
    (void)state;
    for (int profile = PROFILE_LOCAL; profile <= PROFILE_WAN; profile++) {
        const struct profile_numbers *numbers = profile_numbers((enum profile)profile);

        assert_true(numbers->timeout_low_us > 0);
        assert_true(numbers->timeout_low_us <= numbers->timeout_high_us);
        assert_true(4 * numbers->timeout_high_us <= 3 * numbers->period_us);
        assert_true(numbers->refused_us <= numbers->suspicion_factor * numbers->period_us);
        assert_true(numbers->gossip_us < numbers->period_us);
        assert_in_range(numbers->fan_out, 1, 4); /* room for so many in one tick */
        assert_true(numbers->suspicion_span >= 1);
        assert_true(numbers->differ_us > numbers->gossip_us);
    }
}

static void test_patience_grows_with_distance(void **state)
{
    const struct profile_numbers *local = profile_numbers(PROFILE_LOCAL);
    const struct profile_numbers *lan = profile_numbers(PROFILE_LAN);
    const struct profile_numbers *wan = profile_numbers(PROFILE_WAN);

    (void)state;
#define NUMBER(name, a, b, c) assert_true(local->name <= lan->name && lan->name <= wan->name);
#include "profile.def"
#undef NUMBER
    assert_true(local->period_us < lan->period_us && lan->period_us < wan->period_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_a_profile_fit_each_other),
        cmocka_unit_test(test_patience_grows_with_distance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
