/* store_recent_test.c: what is kept, what takes its place, what is let go. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "store.h"

static const uint8_t seed[HASH_SEED_SIZE] = {1, 2, 3};

static void put(struct store_recent *recent, const char *key, const char *record)
{
    struct blob *row_key = blob_copy(slice_text(key)), *value = blob_copy(slice_text(record));

    store_recent_put(recent, row_key, value);
    blob_drop(&row_key); /* the table holds references of its own */
    blob_drop(&value);
}

static bool holds(const struct store_recent *recent, const char *key, const char *record)
{
    struct blob *found = store_recent_get(recent, slice_text(key));

    return found && slice_equal(blob_slice(found), slice_text(record));
}

static void test_newest_is_found(void **state)
{
    struct store_recent *recent = store_recent_new(64, seed);

    (void)state;
    assert_null(store_recent_get(recent, slice_text("a")));
    put(recent, "a", "1");
    assert_true(holds(recent, "a", "1"));
    put(recent, "a", "2");
    assert_true(holds(recent, "a", "2"));
    store_recent_clear(recent);
    assert_null(store_recent_get(recent, slice_text("a")));
    store_recent_delete(recent);
}

static void test_slots_are_shared_not_mixed_up(void **state)
{
    struct store_recent *recent = store_recent_new(1, seed);

    (void)state;
    put(recent, "a", "1");
    put(recent, "b", "2"); /* there is one slot only */
    assert_null(store_recent_get(recent, slice_text("a")));
    assert_true(holds(recent, "b", "2"));
    store_recent_delete(recent);
    store_recent_delete(NULL);
}

static void test_large_record_leaves_nothing_stale(void **state)
{
    struct store_recent *recent = store_recent_new(64, seed);
    static char large[8000];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(large); i++)
        large[i] = 'x';
    put(recent, "a", "1");
    put(recent, "a", large);
    assert_null(store_recent_get(recent, slice_text("a")));
    store_recent_delete(recent);
}

static void test_two_keys_share_a_set(void **state)
{
    struct store_recent *recent = store_recent_new(2, seed); /* one set */
    static char large[8000];

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    put(recent, "a", "1");
    put(recent, "b", "2");
    assert_true(holds(recent, "a", "1") && holds(recent, "b", "2"));
    put(recent, "a", "3"); /* in its place again, and now the newer one */
    assert_true(holds(recent, "a", "3") && holds(recent, "b", "2"));
    put(recent, "c", large); /* not kept: nobody has to go for it */
    assert_true(holds(recent, "a", "3") && holds(recent, "b", "2"));
    put(recent, "c", "4");
    assert_true(holds(recent, "a", "3") && holds(recent, "c", "4"));
    assert_null(store_recent_get(recent, slice_text("b")));
    put(recent, "a", large);
    assert_null(store_recent_get(recent, slice_text("a")));
    assert_true(holds(recent, "c", "4"));
    store_recent_delete(recent);
}

static void test_many_keys_stay_bounded(void **state)
{
    struct store_recent *recent = store_recent_new(16, seed);
    unsigned found = 0;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "key-%u", i);
        put(recent, key, key);
        assert_true(holds(recent, key, key));
    }
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "key-%u", i);
        found += store_recent_get(recent, slice_text(key)) != NULL;
    }
    assert_in_range(found, 1, 16);
    store_recent_delete(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_is_found),
        cmocka_unit_test(test_slots_are_shared_not_mixed_up),
        cmocka_unit_test(test_large_record_leaves_nothing_stale),
        cmocka_unit_test(test_two_keys_share_a_set),
        cmocka_unit_test(test_many_keys_stay_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
