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
#include "host_secret.h"
#include "scratch.h"

static void test_random_differs(void **state)
{
    uint8_t one[300] = {0}, other[300] = {0};

    (void)state;
    host_random(one, sizeof one);
    host_random(other, sizeof other);
    assert_memory_not_equal(one, other, sizeof one);
    host_wipe(one, sizeof one);
    for (size_t i = 0; i < sizeof one; i++)
        assert_int_equal(one[i], 0);
}

static void test_a_secret_is_for_its_owner(void **state)
{
    static const mode_t open_to_others[] = {0640, 0604, 0610, 0601, 0660, 0777};
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    uint8_t bytes[8];
    size_t size;

    (void)state;
    scratch_make(directory);
    assert_non_null(host_file_path(path, directory, "key"));
    assert_int_equal(host_secret_read(path, bytes, sizeof bytes, &size, detail), STATUS_MISSING);
    assert_non_null(strstr(detail, path));
    assert_int_equal(host_file_replace(directory, "key", slice_text("secret")), STATUS_OK);
    assert_int_equal(host_secret_read(path, bytes, sizeof bytes, &size, detail), STATUS_OK);
    assert_true(slice_equal(slice_of(bytes, size), slice_text("secret")));
    assert_int_equal(host_secret_read(path, bytes, 5, &size, detail), STATUS_TOO_LARGE);
    for (size_t i = 0; i < sizeof open_to_others / sizeof open_to_others[0]; i++) {
        assert_int_equal(chmod(path, open_to_others[i]), 0);
        assert_int_equal(host_secret_read(path, bytes, sizeof bytes, &size, detail),
                         STATUS_PERMISSION);
        assert_non_null(strstr(detail, "chmod 600"));
        assert_int_equal(size, 0);
    }
    assert_int_equal(host_secret_read(directory, bytes, sizeof bytes, &size, detail), STATUS_IO);
    scratch_remove(directory);
}

static void test_explain_names_the_cure(void **state)
{
    char detail[HOST_DETAIL_SIZE];

    (void)state;
    assert_int_equal(host_explain(STATUS_PERMISSION, "/etc", "cannot write", detail),
                     STATUS_PERMISSION);
    assert_non_null(strstr(detail, "cannot write /etc"));
    assert_non_null(strstr(detail, "belongs to root"));
    assert_non_null(strstr(detail, "sudo chown -R "));
    assert_int_equal(host_explain(STATUS_MISSING, "/nowhere", "cannot open", detail), STATUS_IO);
    assert_non_null(strstr(detail, "cannot open /nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_differs),
        cmocka_unit_test(test_a_secret_is_for_its_owner),
        cmocka_unit_test(test_explain_names_the_cure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
