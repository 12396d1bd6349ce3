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
#include "host_file.h"
#include "host_mark.h"
#include "scratch.h"

static const struct host_mark sample = {7, 12, 3456, true};

static void test_what_was_written_is_read(void **state)
{
    char directory[SCRATCH_SIZE];
    struct host_mark mark;

    (void)state;
    scratch_make(directory);
    assert_int_equal(host_mark_read(directory, &mark), STATUS_MISSING);
    assert_int_equal(host_mark_write(directory, &sample), STATUS_OK);
    assert_int_equal(host_mark_read(directory, &mark), STATUS_OK);
    assert_true(mark.commit == 7 && mark.manifest_number == 12 && mark.manifest_size == 3456);
    assert_true(mark.is_recovering);
    scratch_remove(directory);
}

static void test_every_flip_and_prefix_is_found(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    uint8_t bytes[128];
    struct host_mark mark;
    size_t size;

    (void)state;
    scratch_make(directory);
    assert_int_equal(host_mark_write(directory, &sample), STATUS_OK);
    assert_non_null(host_file_path(path, directory, "mark"));
    assert_int_equal(host_file_read(path, bytes, sizeof bytes, &size), STATUS_OK);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x10;
        assert_int_equal(host_file_replace(directory, "mark", slice_of(bytes, size)), STATUS_OK);
        assert_int_equal(host_mark_read(directory, &mark), STATUS_CORRUPT);
        bytes[i] ^= 0x10;
        assert_int_equal(host_file_replace(directory, "mark", slice_of(bytes, i)), STATUS_OK);
        assert_int_equal(host_mark_read(directory, &mark), STATUS_CORRUPT);
    }
    assert_int_equal(host_file_replace(directory, "mark", slice_of(bytes, size + 1)), STATUS_OK);
    assert_int_equal(host_mark_read(directory, &mark), STATUS_CORRUPT);
    scratch_remove(directory);
}

static void test_look_follows_current(void **state)
{
    static const char *const odd[] = {"", "\n", "MANIFEST-", "../../etc/passwd\n",
                                      "OTHER-000012\n"};
    char directory[SCRATCH_SIZE];
    struct host_mark mark;

    (void)state;
    scratch_make(directory);
    host_mark_look(directory, &mark);
    assert_true(mark.manifest_number == 0 && mark.manifest_size == 0);
    assert_int_equal(host_file_replace(directory, "CURRENT", slice_text("MANIFEST-000012\n")),
                     STATUS_OK);
    host_mark_look(directory, &mark);
    assert_true(mark.manifest_number == 12 && mark.manifest_size == 0);
    assert_int_equal(host_file_replace(directory, "MANIFEST-000012", slice_text("12345")),
                     STATUS_OK);
    host_mark_look(directory, &mark);
    assert_true(mark.manifest_number == 12 && mark.manifest_size == 5);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(host_file_replace(directory, "CURRENT", slice_text(odd[i])), STATUS_OK);
        host_mark_look(directory, &mark);
        assert_true(mark.manifest_number == 0);
    }
    scratch_remove(directory);
}

static void test_ahead(void **state)
{
    struct host_mark mark = {5, 10, 100, false};

    (void)state;
    assert_false(host_mark_is_ahead(&mark, &(struct host_mark){5, 10, 100, false}));
    assert_false(host_mark_is_ahead(&mark, &(struct host_mark){6, 11, 1, false}));
    assert_false(host_mark_is_ahead(&mark, &(struct host_mark){5, 10, 101, false}));
    assert_true(host_mark_is_ahead(&mark, &(struct host_mark){4, 10, 100, false}));
    assert_true(host_mark_is_ahead(&mark, &(struct host_mark){5, 9, 1000, false}));
    assert_true(host_mark_is_ahead(&mark, &(struct host_mark){5, 10, 99, false}));
    assert_true(host_mark_is_ahead(&mark, &(struct host_mark){0, 0, 0, false}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_every_flip_and_prefix_is_found),
        cmocka_unit_test(test_look_follows_current),
        cmocka_unit_test(test_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
