/* The cluster's keys as people see and change them. */
#include "cli_fixture.h"

static void test_keys(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "keys", "list", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "key 00ab  primary\nkey cdef\n");
    assert_has(told.out, "peer-1");
    tool(&told, "keys", "add", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_PARTIAL); /* somebody has not acknowledged it */
    assert_has(told.out, "silent");
    tool(&told, "keys", "use", "cdef", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_CONFLICT);
    tool(&told, "keys", "use", "cdef", "--force", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "keys", "remove", "cdef", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "keys", "remove", "../x", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
