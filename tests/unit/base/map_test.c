/* map_test.c: put, replace, bound, remove, and iteration by insertion across growth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "bytes.h"
#include "map.h"

static const uint8_t seed[HASH_SEED_SIZE] = {1, 2, 3};

static void test_put_get_replace_remove(void **state)
{
    struct map map;
    int one, two;
    char key[] = "key";

    (void)state;
    map_init(&map, 2, seed);
    assert_null(map_get(&map, slice_text("key")));
    assert_int_equal(map_put(&map, slice_text(key), &one), STATUS_OK);
    key[0] = 'X'; /* the map has its own copy */
    assert_ptr_equal(map_get(&map, slice_text("key")), &one);
    assert_int_equal(map_put(&map, slice_text("key"), &two), STATUS_OK);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(map_remove(&map, slice_text("key")), &two);
    assert_null(map_remove(&map, slice_text("key")));
    assert_int_equal(map.count, 0);
    map_close(&map);
}

static void test_full_map_still_replaces(void **state)
{
    struct map map;
    int value, other;

    (void)state;
    map_init(&map, 1, seed);
    assert_int_equal(map_put(&map, slice_text("a"), &value), STATUS_OK);
    assert_int_equal(map_put(&map, slice_text("b"), &value), STATUS_FULL);
    assert_int_equal(map_put(&map, slice_text("a"), &other), STATUS_OK);
    assert_ptr_equal(map_get(&map, slice_text("a")), &other);
    map_close(&map);
}

static void test_keys_are_bytes_with_a_length(void **state)
{
    struct map map;
    int a, b, c;

    (void)state;
    map_init(&map, 3, seed);
    assert_int_equal(map_put(&map, slice_of("k\0x", 3), &a), STATUS_OK);
    assert_int_equal(map_put(&map, slice_of("k\0y", 3), &b), STATUS_OK);
    assert_int_equal(map_put(&map, SLICE_NONE, &c), STATUS_OK);
    assert_ptr_equal(map_get(&map, slice_of("k\0x", 3)), &a);
    assert_ptr_equal(map_get(&map, slice_of("k\0y", 3)), &b);
    assert_ptr_equal(map_get(&map, SLICE_NONE), &c);
    assert_null(map_get(&map, slice_text("k")));
    map_close(&map);
}

static void test_iteration_is_by_insertion(void **state)
{
    static int values[500];
    struct map map;
    const struct map_entry *at = NULL;
    struct slice key;
    void *value;
    int seen = 0;

    (void)state;
    map_init(&map, 500, seed);
    for (int i = 0; i < 500; i++) {
        char text[16];

        snprintf(text, sizeof text, "key-%d", i * 7919 % 500);
        assert_int_equal(map_put(&map, slice_text(text), &values[i]), STATUS_OK);
    }
    assert_ptr_equal(map_remove(&map, slice_text("key-0")), &values[0]);
    while ((at = map_next(&map, at, &key, &value))) {
        seen++;
        assert_ptr_equal(value, &values[seen]);
        assert_ptr_equal(map_get(&map, key), value);
    }
    assert_int_equal(seen, 499);
    assert_non_null(map_next(&map, NULL, NULL, NULL));
    map_close(&map);
    assert_null(map_next(&map, NULL, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_replace_remove),
        cmocka_unit_test(test_full_map_still_replaces),
        cmocka_unit_test(test_keys_are_bytes_with_a_length),
        cmocka_unit_test(test_iteration_is_by_insertion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
