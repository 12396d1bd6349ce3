/* cli_settings_test.c: settings of namespaces go into an archive and come out of it; where there
 * are keys the replicas stay. */
#include "cli_fixture.h"

static void test_settings_travel(void **state)
{
    char name[40] = "/tmp/gossamer-set-XXXXXX";
    struct stub stub;
    struct told told;
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    stub_open(&stub);
    tool(&told, "backup", name, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, ": 2 rows, ");
    tool(&told, "restore", name, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.err, "there are keys in full, so its replicas stay");
    tool(&told, "restore", name, "--ns", "n", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_null(strstr(told.err, "full"));
    stub_close(&stub);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings_travel)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
