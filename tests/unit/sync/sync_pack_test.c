/* Lists from outside: every prefix, bad keys, wrong order, too many. */
#include "sync_fixture.h"

static const struct sync_range all;

static size_t pack(uint8_t *room, size_t size, enum sync_shape shape, uint32_t count)
{
    struct writer out = writer_over(room, size);

    for (uint32_t i = 0; i < count; i++) {
        uint8_t key_room[STORE_KEY_SIZE_MAX];
        char name[16];
        int name_size = snprintf(name, sizeof(name), "k%03u", i);
        struct slice key =
            store_key_obj(1, slice_text("ns"), slice_of(name, (size_t)name_size), key_room);

        write_u16(&out, (uint16_t)key.size);
        write_slice(&out, key);
        if (shape == SYNC_OBJECTS) {
            write_u32(&out, 3);
            write_bytes(&out, "abc", 3);
        }
    }
    assert_false(out.is_full);
    return out.size;
}

static void test_every_prefix(void **state)
{
    (void)state;
    for (enum sync_shape shape = SYNC_KEYS; shape <= SYNC_OBJECTS; shape++) {
        uint8_t room[1024];
        size_t size = pack(room, sizeof(room), shape, 5), good = 0;

        assert_true(sync_pack_check(slice_of(room, size), shape, 5, &all));
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut + 1); /* the sanitizer watches its end */

            memcpy(copy, room, cut);
            good += sync_pack_check(slice_of(copy, cut), shape, 5, &all);
            free(copy);
        }
        assert_int_equal(good, 5); /* exactly the lists of 0 to 4 items */
    }
}

static void test_bounds_and_order(void **state)
{
    uint8_t room[1024];
    size_t size = pack(room, sizeof(room), SYNC_KEYS, 4), one = size / 4;
    struct slice keys = slice_of(room, size);
    struct slice last = slice_of(room + 3 * one + 2, one - 2);
    struct slice first = slice_of(room + 2, one - 2);
    struct sync_range behind_first = {.after = first}, to_last = {.until = last};
    struct sync_range to_first = {.until = first};

    (void)state;
    assert_false(sync_pack_check(keys, SYNC_KEYS, 3, &all));
    assert_false(sync_pack_check(keys, SYNC_KEYS, 4, &behind_first));
    assert_false(sync_pack_check(keys, SYNC_KEYS, 4, &to_first));
    assert_true(sync_pack_check(keys, SYNC_KEYS, 4, &to_last));
    assert_true(sync_pack_check(slice_of(room + one, size - one), SYNC_KEYS, 4, &behind_first));
    assert_true(sync_pack_ascends(keys));
    memmove(room + one, room, one); /* twice the same key */
    assert_false(sync_pack_ascends(keys));
}

static void test_one_fetch(void **state)
{
    static uint8_t room[SYNC_FETCH_MAX * 64];
    size_t size = pack(room, sizeof(room), SYNC_KEYS, SYNC_FETCH_MAX + 5);
    size_t one = size / (SYNC_FETCH_MAX + 5);

    (void)state;
    assert_int_equal(sync_pack_end(slice_of(room, size)), one * SYNC_FETCH_MAX);
    assert_int_equal(sync_pack_end(slice_of(room, one * 3)), one * 3);
    assert_int_equal(sync_pack_end(SLICE_NONE), 0);
}

static void test_keys_no_store_holds(void **state)
{
    static const uint8_t no_zero[] = {0, 10, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b'};
    static const uint8_t too_short[] = {0, 3, 1, 2, 3};
    static const uint8_t empty[] = {0, 0};

    (void)state;
    assert_false(sync_pack_check(slice_of(no_zero, sizeof(no_zero)), SYNC_KEYS, 9, &all));
    assert_false(sync_pack_check(slice_of(too_short, sizeof(too_short)), SYNC_KEYS, 9, &all));
    assert_false(sync_pack_check(slice_of(empty, sizeof(empty)), SYNC_KEYS, 9, &all));
}

static void test_partitions(void **state)
{
    static const uint8_t good[] = {0, 1, 0, 2, 0, 63};
    static const uint8_t twice[] = {0, 1, 0, 1};

    (void)state;
    assert_true(sync_pack_partitions(SLICE_NONE, 64));
    assert_true(sync_pack_partitions(slice_of(good, 6), 64));
    assert_false(sync_pack_partitions(slice_of(good, 6), 63));
    assert_false(sync_pack_partitions(slice_of(good, 5), 64));
    assert_false(sync_pack_partitions(slice_of(twice, 4), 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_prefix),        cmocka_unit_test(test_bounds_and_order),
        cmocka_unit_test(test_keys_no_store_holds), cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_one_fetch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
