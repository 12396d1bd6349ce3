/* Tables, or the body as it came. */
#include "cli_fixture.h"

static void test_tables(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "members", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "NAME");
    assert_has(told.out, "peer-1");
    assert_has(told.out, "0.25");
    tool(&told, "status", "--addr", stub.addr, NULL);
    assert_has(told.out, "healthy\n");
    assert_has(told.out, "5 alive");
    assert_has(told.out, "away        peer-9; peer-9 waits for more (gossamer forget PEER)\n");
    assert_has(told.out, "warning: two\n   next: three");
    tool(&told, "ring", "lookup", "app/a/b", "--verify", "--addr", stub.addr, NULL);
    assert_has(told.out, "partition 7");
    assert_has(told.out, "peer-3");
    tool(&told, "overlay", "lookup", "app/a", "--addr", stub.addr, NULL);
    assert_has(told.out, "10.0.0.1:7440");
    stub_close(&stub);
}

static void test_json_is_the_body(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "ring", "lookup", "app/a/b", "-o", "json", "--addr", stub.addr, NULL);
    assert_string_equal(told.out,
                        "{\"partition\":7,\"owners\":[{\"rank\":0,\"peer\":\"peer-3\"}]}\n");
    stub_close(&stub);
}

static void test_health_and_version(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "health", "--wait", "1s", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "[+]store ok");
    tool(&told, "version", "--addr", stub.addr, NULL);
    assert_has(told.out, "gossamer " GOSSAMER_VERSION);
    assert_has(told.out, "{\"version\":\"9\"}");
    stub_close(&stub);
    tool(&told, "health", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    tool(&told, "health", "--wait", "soon", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_json_is_the_body),
        cmocka_unit_test(test_health_and_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
