/* Exit codes, cells of tables, files. */
#include "cli_fixture.h"

static void test_exits(void **state)
{
    (void)state;
    assert_int_equal(cli_exit_of_status(204), CLI_DONE);
    assert_int_equal(cli_exit_of_status(400), CLI_FAILURE);
    assert_int_equal(cli_exit_of_status(401), CLI_REFUSED);
    assert_int_equal(cli_exit_of_status(404), CLI_NOT_FOUND);
    assert_int_equal(cli_exit_of_status(412), CLI_CONFLICT);
    assert_int_equal(cli_exit_of_status(500), CLI_FAILURE);
    assert_int_equal(cli_exit_of_status(503), CLI_UNAVAILABLE);
}

static void test_cells(void **state)
{
    json_t *object = json_loads("{\"s\":\"x\",\"e\":\"\",\"i\":-3,\"r\":1.5,\"t\":true,"
                                "\"n\":null}",
                                0, NULL);
    char room[32];

    (void)state;
    assert_string_equal(cli_text(object, "s", room), "x");
    assert_string_equal(cli_text(object, "e", room), "-");
    assert_string_equal(cli_text(object, "i", room), "-3");
    assert_string_equal(cli_text(object, "r", room), "1.50");
    assert_string_equal(cli_text(object, "t", room), "yes");
    assert_string_equal(cli_text(object, "n", room), "-");
    assert_string_equal(cli_text(object, "absent", room), "-");
    json_decref(object);
}

static void test_files_are_bounded(void **state)
{
    char name[] = "/tmp/gossamer-cli-XXXXXX";
    int fd = mkstemp(name);
    struct buffer small, large;

    (void)state;
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    buffer_init(&large, 11);
    assert_true(cli_read_file(name, &large));
    assert_int_equal(large.size, 10);
    buffer_init(&small, 5);
    assert_false(cli_read_file(name, &small));
    buffer_close(&large);
    buffer_close(&small);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_files_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
