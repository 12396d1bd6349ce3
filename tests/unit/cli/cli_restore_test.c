/* cli_restore_test.c: rows are sent only from an archive that is whole. */
#include "cli_fixture.h"

static char name[40];

static void archive_make(const char *addr)
{
    struct told told;
    int fd;

    snprintf(name, sizeof(name), "/tmp/gossamer-res-XXXXXX");
    fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    tool(&told, "backup", name, "--addr", addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
}

static void test_rows_are_sent(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    archive_make(stub.addr);
    tool(&told, "restore", name, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "restored 2 rows");
    assert_has(told.err, "restore 2/2");
    tool(&told, "restore", name, "--ns", "n", "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "\"rows\":1,");
    tool(&told, "restore", name, "--ns", "nothing", "--addr", stub.addr, NULL);
    assert_has(told.out, "restored 0 rows");
    tool(&told, "restore", name, "--replace", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    stub_close(&stub);
    unlink(name);
}

static void test_nothing_is_sent_of_a_damaged_file(void **state)
{
    struct stub stub;
    struct told told;
    FILE *file;

    (void)state;
    stub_open(&stub);
    archive_make(stub.addr);
    stub_close(&stub);
    file = fopen(name, "r+b");
    fseek(file, -3, SEEK_END);
    fputc('x', file);
    fclose(file);
    tool(&told, "restore", name, "--addr", "127.0.0.1:1", NULL); /* it is not even asked */
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "is damaged");
    assert_int_equal(truncate(name, 90), 0);
    tool(&told, "restore", name, "--addr", "127.0.0.1:1", NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "cut short");
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sent),
        cmocka_unit_test(test_nothing_is_sent_of_a_damaged_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
