/* blob_test.c: counts, and that the last drop frees (the leak check of the build watches). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "blob.h"
#include "bytes.h"

static void test_copy_holds_the_bytes(void **state)
{
    char text[] = "value";
    struct blob *blob = blob_copy(slice_text(text));

    (void)state;
    text[0] = 'X';
    assert_true(slice_equal(blob_slice(blob), slice_text("value")));
    blob_drop(&blob);
    assert_null(blob);
}

static void test_last_drop_frees(void **state)
{
    struct blob *first = blob_new(4), *second = blob_take(first);

    (void)state;
    assert_ptr_equal(first, second);
    assert_int_equal(first->references, 2);
    blob_drop(&first);
    assert_null(first);
    assert_int_equal(second->references, 1);
    second->data[3] = 1;
    blob_drop(&second);
}

static void test_nothing_is_a_blob_too(void **state)
{
    struct blob *none = NULL, *empty = blob_copy(SLICE_NONE);

    (void)state;
    assert_null(blob_take(NULL));
    blob_drop(&none);
    assert_int_equal(blob_slice(NULL).size, 0);
    assert_int_equal(blob_slice(empty).size, 0);
    blob_drop(&empty);
}

static void test_impossible_size_is_refused(void **state)
{
    (void)state;
    assert_null(blob_new(SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_holds_the_bytes),
        cmocka_unit_test(test_last_drop_frees),
        cmocka_unit_test(test_nothing_is_a_blob_too),
        cmocka_unit_test(test_impossible_size_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
