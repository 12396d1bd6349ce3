/* front_test.c: what a row key begins with: classes are ranges of their own, and back and forth is
 * one arithmetic. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "front.h"
#include "prng.h"

static void test_partitions_are_ranges(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= PARTITION_BITS_MAX; bits++) {
        const struct front_cut cut = {.bits = bits};
        uint64_t next = 0, first, last;

        for (uint32_t partition = 0; partition < front_count(&cut); partition++) {
            front_range(&cut, partition, &first, &last);
            assert_true(first == next && last >= first);
            assert_int_equal(front_partition(&cut, first), partition);
            assert_int_equal(front_partition(&cut, last), partition);
            assert_int_equal(front_class(&cut, last), front_partition_class(&cut, partition));
            next = last + 1;
        }
        assert_true(next == 0); /* nothing is between them, and nothing behind */
    }
}

static void test_a_key_keeps_its_class(void **state)
{
    const struct front_cut cut = {.bits = 14};
    struct prng rng;

    (void)state;
    prng_init(&rng, 7);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t hash = prng_next(&rng) | (i % 3 ? 0 : UINT64_C(0xffffffff00000000));
        unsigned class = i % FRONT_CLASSES;
        uint64_t front = front_of(&cut, hash, class);
        uint32_t partition = front_partition(&cut, front);

        assert_int_equal(front_class(&cut, front), class);
        assert_int_equal(front_of(&cut, front, 0) == front, class == 0);
        assert_in_range(partition, front_class_first(&cut, class),
                        front_class_first(&cut, class) + front_class_count(&cut, class) - 1);
        if (class > 0) /* spread by the leading bits of the hash, as in class 0 */
            assert_int_equal(partition - front_class_first(&cut, class), hash >> 53);
    }
}

static void test_where_there_are_none(void **state)
{
    const struct front_cut most = {.bits = PARTITION_BITS_MAX},
                           cell = {.bits = 10, .cell_depth = 3};

    (void)state;
    assert_false(front_has_classes(&most));
    assert_false(front_has_classes(&cell));
    assert_int_equal(front_count(&most), 65536);
    assert_int_equal(front_count(&cell), 1024);
    assert_int_equal(front_mark(front_of(&cell, UINT64_MAX, 0)), 0);
    assert_int_equal(front_partition(&cell, UINT64_MAX), 1023);
    assert_int_equal(front_count(&(struct front_cut){.bits = 14}), 30720);
    assert_int_equal(front_count(&(struct front_cut){.bits = 15}), 61440);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partitions_are_ranges),
        cmocka_unit_test(test_a_key_keeps_its_class),
        cmocka_unit_test(test_where_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
