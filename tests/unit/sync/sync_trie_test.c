/* Sums of fingerprints: order-free, exact, and none left when every row is gone. */
#include "sync_fixture.h"

static struct hash16 print_of(uint64_t number)
{
    return hash_sip128(mesh_seed, &number, sizeof(number));
}

static void test_sums_forget_order(void **state)
{
    static const struct hash16 none;
    struct sync_sum up = {0}, down = {0};

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        struct hash16 a = print_of(i), b = print_of(999 - i);

        sync_sum_change(&up, &none, &a);
        sync_sum_change(&down, &none, &b);
    }
    assert_int_equal(up.count, 1000);
    assert_memory_equal(&up, &down, sizeof(up));
    for (uint64_t i = 0; i < 1000; i++) {
        struct hash16 before = print_of(i), after = print_of(i + 5000);

        sync_sum_change(&up, &before, &after);
    }
    assert_int_equal(up.count, 1000);
    assert_memory_not_equal(&up.sum, &down.sum, sizeof(up.sum));
    for (uint64_t i = 0; i < 1000; i++) {
        struct hash16 gone = print_of(i + 5000);

        sync_sum_change(&up, &gone, &none);
    }
    assert_int_equal(up.count, 0);
    assert_true(sync_print_is_none(&up.sum));
}

static void test_carry_and_borrow_run_through(void **state)
{
    static const struct hash16 none;
    struct hash16 ones, one = {{0}};
    struct sync_sum sum = {0};

    (void)state;
    memset(&ones, 0xFF, sizeof(ones));
    one.bytes[15] = 1;
    sync_sum_change(&sum, &none, &ones);
    sync_sum_change(&sum, &none, &one);
    assert_true(sync_print_is_none(&sum.sum)); /* 2^128 */
    assert_int_equal(sum.count, 2);
    sync_sum_change(&sum, &one, &none);
    assert_memory_equal(&sum.sum, &ones, sizeof(ones));
}

static void test_equal_differences_do_not_cancel(void **state)
{
    static const struct hash16 none;
    struct hash16 print = print_of(1);
    struct sync_sum sum = {0};

    (void)state;
    sync_sum_change(&sum, &none, &print);
    sync_sum_change(&sum, &none, &print);
    assert_false(sync_print_is_none(&sum.sum));
}

static void test_a_row_without_print_is_not_counted(void **state)
{
    static const struct hash16 none;
    struct sync_sum sum = {0};

    (void)state;
    sync_sum_change(&sum, &none, &none);
    assert_int_equal(sum.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_forget_order),
        cmocka_unit_test(test_carry_and_borrow_run_through),
        cmocka_unit_test(test_equal_differences_do_not_cancel),
        cmocka_unit_test(test_a_row_without_print_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
