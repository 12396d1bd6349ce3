#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bytes.h"
#include "store.h"

static enum status open_in(enum store_family family, const char *key, struct slice record)
{
    struct slice body;

    return store_record_open(family, slice_text(key), record, &body);
}

static void test_a_record_opens(void **state)
{
    static const char *const bodies[] = {"", "x", "a longer body, longer than the header"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct blob *record =
            store_record_write(STORE_OBJ, slice_text("key"), slice_text(bodies[i]));
        struct slice body;

        assert_non_null(record);
        assert_int_equal(record->size, STORE_RECORD_HEADER + strlen(bodies[i]));
        assert_int_equal(store_record_open(STORE_OBJ, slice_text("key"), blob_slice(record), &body),
                         STATUS_OK);
        assert_true(slice_equal(body, slice_text(bodies[i])));
        assert_true(body.size == 0 || body.data == record->data + STORE_RECORD_HEADER);
        blob_drop(&record);
    }
}

static void test_the_wrong_place_is_found(void **state)
{
    struct blob *record = store_record_write(STORE_OBJ, slice_text("key"), slice_text("body"));

    (void)state;
    assert_int_equal(open_in(STORE_OBJ, "key", blob_slice(record)), STATUS_OK);
    assert_int_equal(open_in(STORE_OBJ, "kez", blob_slice(record)), STATUS_CORRUPT);
    assert_int_equal(open_in(STORE_OBJ, "ke", blob_slice(record)), STATUS_CORRUPT);
    assert_int_equal(open_in(STORE_SYS, "key", blob_slice(record)), STATUS_CORRUPT);
    blob_drop(&record);
}

static void test_every_flipped_bit_is_found(void **state)
{
    struct blob *record = store_record_write(STORE_SYS, slice_text("key"), slice_text("some body"));

    (void)state;
    for (size_t bit = 0; bit < record->size * 8; bit++) {
        record->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_in(STORE_SYS, "key", blob_slice(record)), STATUS_CORRUPT);
        record->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_in(STORE_SYS, "key", blob_slice(record)), STATUS_OK);
    blob_drop(&record);
}

static void test_every_prefix_is_found(void **state)
{
    struct blob *record = store_record_write(STORE_IDX, slice_text("key"), slice_text("body"));

    (void)state;
    for (size_t size = 0; size < record->size; size++)
        assert_int_equal(open_in(STORE_IDX, "key", slice_of(record->data, size)), STATUS_CORRUPT);
    blob_drop(&record);
}

static void test_an_endless_row_key_is_corrupt(void **state)
{
    uint8_t key[STORE_KEY_SIZE_MAX + 1] = {0};
    struct slice body;
    struct blob *record = store_record_write(STORE_OBJ, slice_of(key, sizeof key - 1), SLICE_NONE);

    (void)state;
    assert_int_equal(
        store_record_open(STORE_OBJ, slice_of(key, sizeof key - 1), blob_slice(record), &body),
        STATUS_OK);
    assert_int_equal(
        store_record_open(STORE_OBJ, slice_of(key, sizeof key), blob_slice(record), &body),
        STATUS_CORRUPT);
    blob_drop(&record);
}

/* What lies on disks already must open after every change of the code. */
static void test_a_golden_record(void **state)
{
    struct blob *record = store_record_write(STORE_OBJ, slice_text("key"), slice_text("body"));

    (void)state;
    assert_int_equal((uint32_t)(bytes_load_u64(record->data) >> 32), 0x2b9d3097);
    blob_drop(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_opens),
        cmocka_unit_test(test_the_wrong_place_is_found),
        cmocka_unit_test(test_every_flipped_bit_is_found),
        cmocka_unit_test(test_every_prefix_is_found),
        cmocka_unit_test(test_an_endless_row_key_is_corrupt),
        cmocka_unit_test(test_a_golden_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
