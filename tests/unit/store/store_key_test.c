#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bytes.h"
#include "front.h"
#include "store.h"

static void test_obj_layout(void **state)
{
    static const uint8_t expected[] = {1, 2, 3, 4, 5, 'a', 'p', 'p', 0, 'k', '/', 0, 'x'};
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key =
        store_key_obj(0x0102030405060708u, slice_text("app"), slice_of("k/\0x", 4), room);

    (void)state;
    assert_true(slice_equal(key, slice_of(expected, sizeof expected)));
}

static void test_idx_layout(void **state)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = store_key_idx(slice_text("app"), slice_text("k"), room);

    (void)state;
    assert_true(slice_equal(key, slice_of("app\0k", 5)));
}

static void test_split_returns_what_was_written(void **state)
{
    uint8_t ns[NS_SIZE_MAX], name[ROW_NAME_SIZE_MAX], room[STORE_KEY_SIZE_MAX];

    (void)state;
    memset(ns, 'n', sizeof ns);
    memset(name, 0, sizeof name); /* zero bytes in a path are no end */
    memset(name, 'k', 300);
    for (size_t i = 1; i <= NS_SIZE_MAX; i += 21) {
        for (size_t j = 1; j <= ROW_NAME_SIZE_MAX; j += 208) {
            struct slice key =
                store_key_obj(UINT64_MAX - (i << 24), slice_of(ns, i), slice_of(name, j), room);
            struct slice found_ns, found_key;
            uint64_t front;

            assert_int_equal(store_key_split(key, &front, &found_ns, &found_key), STATUS_OK);
            assert_true(front == (UINT64_MAX - (i << 24)) >> 24 << 24);
            assert_true(slice_equal(found_ns, slice_of(ns, i)));
            assert_true(slice_equal(found_key, slice_of(name, j)));
        }
    }
}

static void test_split_refuses(void **state)
{
    uint8_t row[STORE_KEY_SIZE_MAX + 1];
    struct slice ns, key;
    uint64_t front;

    (void)state;
    memset(row, 'a', sizeof row);
    for (size_t size = 0; size <= sizeof row; size++) /* no zero byte anywhere */
        assert_int_equal(store_key_split(slice_of(row, size), &front, &ns, &key), STATUS_BAD);
    row[5 + NS_SIZE_MAX] = 0;
    row[5 + NS_SIZE_MAX + 1 + KEY_SIZE_MAX] = 0;
    assert_int_equal(store_key_split(slice_of(row, STORE_KEY_SIZE_MAX), &front, &ns, &key),
                     STATUS_OK);
    assert_int_equal(store_key_split(slice_of(row, sizeof row), &front, &ns, &key), STATUS_BAD);
    row[5 + NS_SIZE_MAX + 1 + KEY_SIZE_MAX] = 'a';
    row[5 + NS_SIZE_MAX + 1 + KEY_SIZE_MAX + 1] = 0; /* the key before the path is too long */
    assert_int_equal(store_key_split(slice_of(row, STORE_KEY_SIZE_MAX), &front, &ns, &key),
                     STATUS_BAD);
    row[5 + NS_SIZE_MAX + 1 + KEY_SIZE_MAX + 1] = 'a';
    row[5 + NS_SIZE_MAX] = 'a';
    row[5 + NS_SIZE_MAX + 1] = 0; /* the namespace is one byte too long */
    assert_int_equal(store_key_split(slice_of(row, 100), &front, &ns, &key), STATUS_BAD);
    row[5 + NS_SIZE_MAX + 1] = 'a';
    row[5] = 0; /* the key is one byte too long */
    assert_int_equal(store_key_split(slice_of(row, 5 + 1 + KEY_SIZE_MAX + 1), &front, &ns, &key),
                     STATUS_BAD);
    row[6] = 0; /* there is no key before the path */
    assert_int_equal(store_key_split(slice_of(row, 40), &front, &ns, &key), STATUS_BAD);
}

static void test_row_names(void **state)
{
    static const char name[] = "set\0mem\0ber";
    uint8_t longest[ROW_NAME_SIZE_MAX + 1];
    struct slice element = slice_of(name, sizeof name - 1);

    (void)state;
    assert_true(slice_equal(store_name_key(element), slice_text("set")));
    assert_true(slice_equal(store_name_key(slice_text("key")), slice_text("key")));
    assert_true(store_name_is_element(element));
    assert_true(store_name_is_element(slice_of("set", 4))); /* the empty path */
    assert_false(store_name_is_element(slice_text("set")));
    assert_true(store_name_is_sound(element) && store_name_is_sound(slice_text("k")));
    assert_false(store_name_is_sound(SLICE_NONE));
    assert_false(store_name_is_sound(slice_of("\0member", 7)));
    memset(longest, 'k', sizeof longest);
    assert_true(store_name_is_sound(slice_of(longest, KEY_SIZE_MAX)));
    assert_false(store_name_is_sound(slice_of(longest, KEY_SIZE_MAX + 1)));
    longest[KEY_SIZE_MAX] = 0;
    assert_true(store_name_is_sound(slice_of(longest, ROW_NAME_SIZE_MAX)));
    assert_false(store_name_is_sound(slice_of(longest, ROW_NAME_SIZE_MAX + 1)));
}

static void test_partitions_tile_the_family(void **state)
{
    uint8_t bounds[16];
    const struct front_cut cut = {.bits = 5};
    uint64_t end = 0;

    (void)state;
    for (uint32_t partition = 0; partition < front_count(&cut); partition++) {
        bool is_bounded = store_key_partition(0, 0, 5, partition, bounds);

        assert_true(bytes_load_u64(bounds) == end);
        assert_true(is_bounded == (partition + 1 < front_count(&cut)));
        end = bytes_load_u64(bounds + 8);
    }
    assert_true(end == 0);
}

static void test_partition_inside_a_cell(void **state)
{
    uint8_t bounds[16];

    (void)state;
    /* bits of the prefix behind the depth do not count */
    assert_true(store_key_partition(0xafffffffffffffffu, 4, 4, 0x3, bounds));
    assert_true(bytes_load_u64(bounds) == 0xa300000000000000u);
    assert_true(bytes_load_u64(bounds + 8) == 0xa400000000000000u);
    assert_true(store_key_partition(0x7000000000000000u, 4, 4, 0xf, bounds));
    assert_true(bytes_load_u64(bounds + 8) == 0x8000000000000000u);
    assert_false(store_key_partition(0xf000000000000000u, 4, 4, 0xf, bounds));
    assert_true(bytes_load_u64(bounds) == 0xff00000000000000u);
}

static void test_partition_extremes(void **state)
{
    uint8_t bounds[16];

    (void)state;
    assert_false(store_key_partition(UINT64_MAX, 0, 0, 0, bounds)); /* the whole family */
    assert_true(bytes_load_u64(bounds) == 0);
    assert_true(store_key_partition(0, 24, 16, 7, bounds));
    assert_true(bytes_load_u64(bounds) == 7u << 24 && bytes_load_u64(bounds + 8) == 8u << 24);
    assert_false(store_key_partition(UINT64_MAX, 24, 16, 0xffff, bounds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obj_layout),
        cmocka_unit_test(test_idx_layout),
        cmocka_unit_test(test_split_returns_what_was_written),
        cmocka_unit_test(test_split_refuses),
        cmocka_unit_test(test_row_names),
        cmocka_unit_test(test_partitions_tile_the_family),
        cmocka_unit_test(test_partition_inside_a_cell),
        cmocka_unit_test(test_partition_extremes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
