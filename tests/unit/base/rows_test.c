/* rows_test.c: packed rows: what is written is read, and nothing else is. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>

#include "limits.h"
#include "rows.h"

static uint8_t bytes[8192];

static struct row row(const char *ns, const char *name, const char *object)
{
    return (struct row){slice_text(ns), slice_text(name), slice_text(object)};
}

static void test_what_is_written_is_read(void **state)
{
    struct row a = row("n", "key", "object"), b = row("other", "", "x"), got;
    struct writer out = writer_over(bytes, sizeof(bytes));
    struct reader in;

    (void)state;
    b.name = slice_of("set\0element", 11);
    row_write(&out, &a);
    assert_int_equal(out.size, row_size(&a));
    row_write(&out, &b);
    in = reader_over(writer_done(&out));
    assert_int_equal(row_read(&in, &got), STATUS_OK);
    assert_true(slice_equal(got.ns, a.ns) && slice_equal(got.name, a.name));
    assert_true(slice_equal(got.object, a.object));
    assert_int_equal(row_read(&in, &got), STATUS_OK);
    assert_true(slice_equal(got.name, b.name));
    assert_int_equal(row_read(&in, &got), STATUS_END);
    assert_false(in.is_bad);
}

static void test_a_row_is_written_whole_or_not(void **state)
{
    struct row a = row("n", "key", "object");

    (void)state;
    for (size_t room = 0; room < row_size(&a); room++) {
        struct writer out = writer_over(bytes, room);

        row_write(&out, &a);
        assert_true(out.is_full);
        assert_int_equal(out.size, 0);
    }
    for (unsigned part = 0; part < 3; part++) {
        struct row none = row(part == 0 ? "" : "n", part == 1 ? "" : "k", part == 2 ? "" : "o");
        struct writer out = writer_over(bytes, sizeof(bytes));

        row_write(&out, &none);
        assert_true(out.is_full);
    }
}

/* Every way to cut it, at the end of memory that must not be passed. */
static void test_what_is_cut_is_bad(void **state)
{
    struct row a = row("n", "key", "object"), got;
    struct writer out = writer_over(bytes, sizeof(bytes));

    (void)state;
    row_write(&out, &a);
    for (size_t size = 1; size < out.size; size++) {
        uint8_t *exact = malloc(size);
        struct reader in;

        assert_non_null(exact);
        memcpy(exact, bytes, size);
        in = reader_over(slice_of(exact, size));
        assert_int_equal(row_read(&in, &got), STATUS_BAD);
        assert_int_equal(got.object.size, 0);
        assert_int_equal(row_read(&in, &got), STATUS_BAD);
        free(exact);
    }
}

/* Spells a row whatever its parts are. */
static enum status read_of(struct slice ns, struct slice name, size_t object)
{
    static uint8_t room[ROW_NAME_SIZE_MAX + NS_SIZE_MAX + 64];
    struct writer out = writer_over(room, sizeof(room));
    struct reader in;
    struct row got;

    write_u8(&out, (uint8_t)ns.size);
    write_slice(&out, ns);
    write_u16(&out, (uint16_t)name.size);
    write_slice(&out, name);
    write_u32(&out, (uint32_t)object);
    for (size_t i = 0; i < object && i < 8; i++)
        write_u8(&out, 'o');
    assert_false(out.is_full);
    in = reader_over(writer_done(&out));
    return row_read(&in, &got);
}

static void test_names_have_bounds(void **state)
{
    static uint8_t long_[ROW_NAME_SIZE_MAX + 1];
    struct slice ns = slice_text("n"), key = slice_text("k");

    (void)state;
    memset(long_, 'x', sizeof(long_));
    assert_int_equal(read_of(ns, key, 1), STATUS_OK);
    assert_int_equal(read_of(ns, key, 0), STATUS_BAD);
    assert_int_equal(read_of(ns, key, OBJECT_SIZE_MAX + 1), STATUS_BAD);
    assert_int_equal(read_of(SLICE_NONE, key, 1), STATUS_BAD);
    assert_int_equal(read_of(slice_of("a\0b", 3), key, 1), STATUS_BAD);
    assert_int_equal(read_of(slice_of(long_, NS_SIZE_MAX), key, 1), STATUS_OK);
    assert_int_equal(read_of(slice_of(long_, NS_SIZE_MAX + 1), key, 1), STATUS_BAD);
    assert_int_equal(read_of(ns, SLICE_NONE, 1), STATUS_BAD);
    assert_int_equal(read_of(ns, slice_of("\0path", 5), 1), STATUS_BAD);
    assert_int_equal(read_of(ns, slice_of(long_, KEY_SIZE_MAX), 1), STATUS_OK);
    assert_int_equal(read_of(ns, slice_of(long_, KEY_SIZE_MAX + 1), 1), STATUS_BAD);
    long_[KEY_SIZE_MAX] = 0;
    assert_int_equal(read_of(ns, slice_of(long_, ROW_NAME_SIZE_MAX), 1), STATUS_OK);
    assert_int_equal(read_of(ns, slice_of(long_, ROW_NAME_SIZE_MAX + 1), 1), STATUS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_row_is_written_whole_or_not),
        cmocka_unit_test(test_what_is_cut_is_bad),
        cmocka_unit_test(test_names_have_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
