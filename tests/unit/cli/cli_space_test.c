/* Settings of namespaces. */
#include "cli_fixture.h"

static void test_settings(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "namespaces", "list", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "lww");
    tool(&told, "namespaces", "show", "app", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "12h");
    /* What is not named stays: the stub accepts the whole only. */
    tool(&told, "namespaces", "set", "app", "consistency=one", "conflict=default", "--addr",
         stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "namespaces", "set", "app", "nonsense", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    tool(&told, "namespaces", "del", "app", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "namespaces", "show", "none", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_NOT_FOUND);
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
