#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "bytes.h"
#include "store.h"

#define CAPACITY 100u

static const uint8_t seed[HASH_SEED_SIZE] = {7};

static struct blob *blob_text(const char *text)
{
    return blob_copy(slice_text(text));
}

static void test_the_newest_counts(void **state)
{
    struct store_pending *pending = store_pending_new(CAPACITY, seed);
    struct blob *first = blob_text("first"), *second = blob_text("second");

    (void)state;
    assert_null(store_pending_get(pending, slice_text("key")));
    assert_int_equal(store_pending_put(pending, slice_text("key"), first, 1), STATUS_OK);
    assert_ptr_equal(store_pending_get(pending, slice_text("key")), first);
    assert_int_equal(store_pending_put(pending, slice_text("key"), second, 2), STATUS_OK);
    assert_ptr_equal(store_pending_get(pending, slice_text("key")), second);
    assert_int_equal(store_pending_count(pending), 1);
    assert_int_equal(first->references, 1); /* only ours */
    assert_int_equal(second->references, 2);

    store_pending_end(pending, slice_text("key"), 1); /* overtaken: nothing happens */
    assert_ptr_equal(store_pending_get(pending, slice_text("key")), second);
    store_pending_end(pending, slice_text("key"), 2);
    assert_null(store_pending_get(pending, slice_text("key")));
    assert_int_equal(store_pending_count(pending), 0);
    assert_int_equal(second->references, 1);
    store_pending_end(pending, slice_text("key"), 2);
    blob_drop(&first);
    blob_drop(&second);
    store_pending_delete(pending);
}

static void test_the_same_record_again(void **state)
{
    struct store_pending *pending = store_pending_new(CAPACITY, seed);
    struct blob *record = blob_text("record");

    (void)state;
    assert_int_equal(store_pending_put(pending, slice_text("key"), record, 1), STATUS_OK);
    assert_int_equal(store_pending_put(pending, slice_text("key"), record, 2), STATUS_OK);
    assert_int_equal(record->references, 2);
    blob_drop(&record); /* the table's own reference keeps it */
    assert_true(slice_equal(blob_slice(store_pending_get(pending, slice_text("key"))),
                            slice_text("record")));
    store_pending_delete(pending);
}

static void test_full_is_an_answer(void **state)
{
    struct store_pending *pending = store_pending_new(CAPACITY, seed);
    struct blob *record = blob_text("record");
    char key[16];

    (void)state;
    for (unsigned i = 0; i < CAPACITY; i++) {
        snprintf(key, sizeof key, "key %u", i);
        assert_int_equal(store_pending_put(pending, slice_text(key), record, i + 1), STATUS_OK);
    }
    assert_int_equal(store_pending_put(pending, slice_text("more"), record, 1), STATUS_FULL);
    assert_null(store_pending_get(pending, slice_text("more")));
    assert_int_equal(store_pending_put(pending, slice_text("key 3"), record, 500), STATUS_OK);
    for (unsigned i = 0; i < CAPACITY; i++) {
        snprintf(key, sizeof key, "key %u", i);
        assert_ptr_equal(store_pending_get(pending, slice_text(key)), record);
        store_pending_end(pending, slice_text(key), i == 3 ? 500 : i + 1);
        assert_null(store_pending_get(pending, slice_text(key)));
        assert_int_equal(store_pending_count(pending), CAPACITY - 1 - i);
    }
    assert_int_equal(record->references, 1);
    blob_drop(&record);
    store_pending_delete(pending);
}

static void test_nothing_to_delete(void **state)
{
    (void)state;
    store_pending_delete(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_counts),
        cmocka_unit_test(test_the_same_record_again),
        cmocka_unit_test(test_full_is_an_answer),
        cmocka_unit_test(test_nothing_to_delete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
