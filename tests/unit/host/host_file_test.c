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
#include "scratch.h"

static void test_replace_and_read(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE], bytes[8];
    struct stat info;
    size_t size;

    (void)state;
    scratch_make(directory);
    assert_ptr_equal(host_file_path(path, directory, "name"), path);
    assert_int_equal(host_file_read(path, bytes, sizeof bytes, &size), STATUS_MISSING);
    assert_int_equal(host_file_replace(directory, "name", slice_text("one")), STATUS_OK);
    assert_int_equal(host_file_replace(directory, "name", slice_text("second")), STATUS_OK);
    assert_int_equal(host_file_read(path, bytes, sizeof bytes, &size), STATUS_OK);
    assert_true(slice_equal(slice_of(bytes, size), slice_text("second")));
    assert_int_equal(host_file_read(path, bytes, 6, &size), STATUS_OK);
    assert_int_equal(host_file_read(path, bytes, 5, &size), STATUS_TOO_LARGE);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    scratch_remove(directory);
}

/* What a crash left under the temporary name must not be written through. */
static void test_a_left_over_temporary_file(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE], victim[HOST_PATH_SIZE], bytes[8];
    size_t size;

    (void)state;
    scratch_make(directory);
    assert_int_equal(host_file_replace(directory, "victim", slice_text("kept")), STATUS_OK);
    assert_non_null(host_file_path(victim, directory, "victim"));
    assert_non_null(host_file_path(path, directory, "name.new"));
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(host_file_replace(directory, "name", slice_text("new")), STATUS_OK);
    assert_int_equal(host_file_read(victim, bytes, sizeof bytes, &size), STATUS_OK);
    assert_true(slice_equal(slice_of(bytes, size), slice_text("kept")));
    assert_int_equal(access(path, F_OK), -1);
    scratch_remove(directory);
}

static void test_where_nothing_can_be_written(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    char *name = calloc(1, HOST_PATH_SIZE + 1);

    (void)state;
    scratch_make(directory);
    assert_non_null(host_file_path(path, directory, "absent"));
    assert_int_equal(host_file_replace(path, "name", slice_text("x")), STATUS_IO);
    assert_int_equal(host_file_sync_directory(path), STATUS_IO);
    assert_int_equal(host_file_sync_directory(directory), STATUS_OK);
    memset(name, 'n', HOST_PATH_SIZE);
    assert_null(host_file_path(path, directory, name));
    free(name);
    scratch_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_and_read),
        cmocka_unit_test(test_a_left_over_temporary_file),
        cmocka_unit_test(test_where_nothing_can_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
