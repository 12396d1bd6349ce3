/* Importing: every record stored and read back; what differs or fails is told. */
#include "cli_fixture.h"

static void import_file(char name[32], const char *text)
{
    int fd;

    snprintf(name, 32, "/tmp/gossamer-cli-XXXXXX");
    fd = mkstemp(name);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void test_store_and_verify(void **state)
{
    char name[32];
    struct stub stub;
    struct told told;

    (void)state;
    import_file(name, "Package: a\nV: 1\n\nPackage: b\nV: 2\n\nPackage: c\nV: 3\n");
    stub_open(&stub);
    tool(&told, "kv", "import", name, "--verify", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "stored 3 of 3 records");
    assert_has(told.out, "verified 3 of 3 records");
    tool(&told, "kv", "get", "packages/b", "--addr", stub.addr, NULL);
    assert_string_equal(told.out, "Package: b\nV: 2");
    stub_close(&stub);
    unlink(name);
}

static void test_differences_and_failures_are_told(void **state)
{
    char name[32];
    struct stub stub;
    struct told told;

    (void)state;
    import_file(name, "good\t1\nliar\t2\n");
    stub_open(&stub);
    tool(&told, "kv", "import", name, "--verify", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_PARTIAL);
    assert_has(told.err, "packages/liar");
    assert_has(told.err, "the value differs");
    unlink(name);
    import_file(name, "quorum\t1\n");
    tool(&told, "kv", "import", name, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "(503)");
    tool(&told, "kv", "import", name, "--connections", "0", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    unlink(name);
    tool(&told, "kv", "import", name, "--addr", stub.addr, NULL);
    assert_has(told.err, "cannot read");
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_and_verify),
        cmocka_unit_test(test_differences_and_failures_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
