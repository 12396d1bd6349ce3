/* Commands that change the peer. */
#include "cli_fixture.h"

static void test_bodies(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "join", "x:1", "y:2", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "block", "p1,,p2", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "unblock", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "leave", "-o", "json", "--addr", stub.addr, NULL);
    assert_string_equal(told.out, "{\"state\":\"leaving\"}\n");
    stub_close(&stub);
}

static void test_raw_requests(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "curl", "/version", "--addr", stub.addr, NULL);
    assert_string_equal(told.out, "{\"version\":\"9\"}\n");
    tool(&told, "curl", "/v1/kv/app/z", "-X", "PUT", "-d", "v", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "curl", "/locked", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_REFUSED);
    assert_has(told.out, "No token");
    tool(&told, "curl", "version", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bodies),
                                       cmocka_unit_test(test_raw_requests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
