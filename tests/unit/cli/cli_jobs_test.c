/* What moves, and weights. */
#include "cli_fixture.h"

static void test_jobs(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "jobs", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "join-peer-4");
    assert_has(told.out, "3.0 MiB");
    assert_has(told.out, "1.5 KiB/s");
    tool(&told, "jobs", "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "\"peers_silent\":0");
    tool(&told, "jobs", "--watch", "--addr", stub.addr, NULL); /* ends when nothing is left */
    assert_int_equal(told.code, CLI_DONE);
    stub_close(&stub);
}

static void test_weights(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "weight", "peer-4", "1.5", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "weight", "peer-4", "65", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    tool(&told, "weight", "peer/4", "1", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    stub_close(&stub);
}

static void test_preview(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "ring", "preview", "add=1", "weight=p:2", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "25.0 %");
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_jobs), cmocka_unit_test(test_weights),
                                       cmocka_unit_test(test_preview)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
