#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bytes.h"
#include "host_read.h"

static void fill(struct store_memory *memory)
{
    struct store store = store_memory_ports(memory);
    struct store_row rows[] = {
        {.family = STORE_SYS,
         .is_delete = false,
         .key = slice_text("a"),
         .value = slice_text("one")},
        {.family = STORE_SYS, .is_delete = false, .key = slice_text("b"), .value = SLICE_NONE},
        {.family = STORE_SYS,
         .is_delete = false,
         .key = slice_text("c"),
         .value = slice_text("three")},
    };

    assert_int_equal(store.apply(store.context, rows, 3), STATUS_OK);
}

static void expect_row(const struct host_read *read, uint32_t at, const char *key,
                       const char *value)
{
    assert_true(at < read->count);
    assert_true(slice_equal(read->rows[at].key, slice_text(key)));
    assert_true(slice_equal(read->rows[at].value, slice_text(value)));
}

static void test_point(void **state)
{
    struct store_memory *memory = store_memory_new(UINT64_MAX);
    struct store store = store_memory_ports(memory);
    char key[] = "a";
    struct store_range range = {.family = STORE_SYS, .from = slice_text(key)};
    struct host_read *read = host_read_new(7, true, &range);

    (void)state;
    fill(memory);
    key[0] = 'x'; /* the bound was copied */
    host_read_run(read, &store);
    assert_int_equal(read->read, 7);
    assert_int_equal(read->status, STATUS_OK);
    assert_int_equal(read->count, 1);
    expect_row(read, 0, "a", "one");
    host_read_delete(read);
    read = host_read_new(8, true, &range);
    host_read_run(read, &store);
    assert_int_equal(read->status, STATUS_MISSING);
    assert_int_equal(read->count, 0);
    host_read_delete(read);
    store_memory_delete(memory);
}

static void test_range(void **state)
{
    struct store_memory *memory = store_memory_new(UINT64_MAX);
    struct store store = store_memory_ports(memory);
    struct store_range range = {.family = STORE_SYS, .bytes_max = UINT32_MAX};
    struct host_read *read = host_read_new(1, false, &range);

    (void)state;
    fill(memory);
    host_read_run(read, &store);
    assert_int_equal(read->status, STATUS_END);
    assert_int_equal(read->count, 3);
    expect_row(read, 0, "a", "one");
    expect_row(read, 1, "b", "");
    expect_row(read, 2, "c", "three");
    host_read_delete(read);
    range.from = slice_text("b");
    range.until = slice_text("c");
    read = host_read_new(1, false, &range);
    host_read_run(read, &store);
    assert_int_equal(read->status, STATUS_END);
    assert_int_equal(read->count, 1);
    expect_row(read, 0, "b", "");
    host_read_delete(read);
    store_memory_delete(memory);
}

/* The buffers grow under the rows; a page is never longer than SCAN_ROWS_MAX. */
static void test_a_long_page(void **state)
{
    struct store_memory *memory = store_memory_new(UINT64_MAX);
    struct store store = store_memory_ports(memory);
    struct store_range range = {.family = STORE_IDX, .rows_max = UINT32_MAX};
    struct host_read *read;
    char key[16];

    (void)state;
    range.bytes_max = UINT32_MAX;
    for (unsigned i = 0; i < SCAN_ROWS_MAX + 5; i++) {
        struct store_row row = {.family = STORE_IDX};

        snprintf(key, sizeof key, "%08u", i);
        row.key = row.value = slice_text(key);
        assert_int_equal(store.apply(store.context, &row, 1), STATUS_OK);
    }
    read = host_read_new(1, false, &range);
    host_read_run(read, &store);
    assert_int_equal(read->status, STATUS_OK);
    assert_int_equal(read->count, SCAN_ROWS_MAX);
    for (unsigned i = 0; i < SCAN_ROWS_MAX; i++) {
        snprintf(key, sizeof key, "%08u", i);
        expect_row(read, i, key, key);
    }
    host_read_delete(read);
    store_memory_delete(memory);
}

static void test_never_run(void **state)
{
    struct store_range range = {.family = STORE_SYS};
    struct host_read *read = host_read_new(1, true, &range);

    (void)state;
    assert_int_equal(read->status, STATUS_IO); /* what its asker hears when the store is gone */
    host_read_delete(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_point),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_a_long_page),
        cmocka_unit_test(test_never_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
