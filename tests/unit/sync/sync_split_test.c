/* Sub-ranges: how many, which one, and that sums know no order. */
#include "sync_fixture.h"

static void test_counts(void **state)
{
    uint32_t last = 0;

    (void)state;
    for (uint32_t rows = 0; rows <= SCAN_ROWS_MAX; rows++) {
        uint32_t count = sync_split_count(rows);

        assert_true(sync_split_is_count(count));
        assert_true(count >= last && count * 8 >= rows);
        last = count;
    }
    assert_int_equal(sync_split_count(61), 8);
    assert_int_equal(sync_split_count(65), 16);
    for (size_t count = 0; count < 300; count++)
        assert_int_equal(sync_split_is_count(count),
                         count == 8 || count == 16 || count == 32 || count == 64 || count == 128);
}

static void test_rows_fall_by_their_key(void **state)
{
    uint8_t room[STORE_KEY_SIZE_MAX], mask[SYNC_MASK_SIZE_MAX] = {0};
    struct slice key = store_key_obj(0x01234567138ABCDE, slice_text("n"), slice_text("k"), room);
    uint64_t front = sync_split_front(key);

    (void)state;
    assert_int_equal(front, 0x0123456713);
    assert_int_equal(sync_split_front(slice_of(room, 7)), 0); /* no row key: no matter */
    assert_false(sync_split_has(mask, 16, front));
    assert_true(sync_split_has(mask, 0, front));
    sync_bit_set(mask, 3);
    assert_true(sync_split_has(mask, 16, front));
    assert_false(sync_split_has(mask, 32, front));
    sync_bit_set(mask, 0x13);
    assert_true(sync_split_has(mask, 32, front));
}

static void test_sums_know_no_order(void **state)
{
    uint64_t up[8] = {0}, down[8] = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        sync_split_add(up, 8, i, hash_sip64(mesh_seed, &i, sizeof(i)));
        uint64_t k = 99 - i;
        sync_split_add(down, 8, k, hash_sip64(mesh_seed, &k, sizeof(k)));
    }
    assert_memory_equal(up, down, sizeof(up));
    sync_split_add(up, 8, 13, 1);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(up[i] - down[i], i == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_rows_fall_by_their_key),
        cmocka_unit_test(test_sums_know_no_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
