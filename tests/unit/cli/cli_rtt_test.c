/* cli_rtt_test.c: every member is asked at the address it tells. */
#include "cli_fixture.h"

static void test_every_member_is_asked(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "rtt", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "peer-1");
    assert_has(told.out, "peer-2");
    assert_has(told.out, "1.5");
    tool(&told, "rtt", "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "[{\"peer\":\"peer-2\",\"rtt_ms\":1.5,\"deviation_ms\":null,"
                         "\"from\":\"peer-1\"}]");
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_member_is_asked)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
