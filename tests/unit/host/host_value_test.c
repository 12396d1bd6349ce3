#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hash.h"
#include "host_value.h"

static bool parse(enum host_kind kind, uint64_t high, const char *text, uint64_t *number)
{
    struct host_setting setting = {"k", kind, "", 2, high, 0, "one|two|three", ""};
    char why[HOST_WHY_SIZE] = "";
    bool is_good = host_value_parse(&setting, text, number, why);

    assert_true(is_good || why[0] != 0); /* every refusal says why */
    return is_good;
}

static void test_sizes_and_durations(void **state)
{
    uint64_t number;

    (void)state;
    assert_true(parse(KIND_SIZE, 1ull << 50, "64KiB", &number) && number == 65536);
    assert_true(parse(KIND_SIZE, 1ull << 50, "3TiB", &number) && number == 3ull << 40);
    assert_true(parse(KIND_SIZE, 1ull << 50, "9B", &number) && number == 9);
    assert_true(parse(KIND_RATE, 1ull << 50, "32MiB/s", &number) && number == 32u << 20);
    assert_false(parse(KIND_RATE, 1ull << 50, "0", &number)); /* below the least */
    assert_false(parse(KIND_SIZE, 1ull << 50, "32MiB/s", &number));
    assert_true(parse(KIND_DURATION, 1ull << 50, "250ms", &number) && number == 250);
    assert_true(parse(KIND_DURATION, 1ull << 50, "7d", &number) && number == 604800000);
    assert_false(parse(KIND_SIZE, 1ull << 50, "64", &number)); /* a bare number */
    assert_false(parse(KIND_SIZE, 1ull << 50, "64KB", &number));
    assert_false(parse(KIND_SIZE, 1ull << 50, "KiB", &number));
    assert_false(parse(KIND_SIZE, 1ull << 50, "-1B", &number));
    assert_false(parse(KIND_SIZE, 1ull << 50, "1.5KiB", &number));
    assert_false(parse(KIND_SIZE, 1ull << 50, "1B", &number));                     /* below 2 */
    assert_false(parse(KIND_SIZE, 1ull << 50, "999999TiB", &number));              /* above */
    assert_false(parse(KIND_SIZE, UINT64_MAX - 1, "999999999999999TiB", &number)); /* overflow */
    assert_false(parse(KIND_SIZE, 1ull << 50, "9999999999999999999999B", &number));
    assert_false(parse(KIND_DURATION, 1ull << 50, "0", &number)); /* a number, but below 2 */
}

static void test_counts(void **state)
{
    uint64_t number;

    (void)state;
    assert_true(parse(KIND_COUNT, 10, "7", &number) && number == 7);
    assert_false(parse(KIND_COUNT, 10, "11", &number));
    assert_false(parse(KIND_COUNT, 10, "7s", &number));
    assert_true(parse(KIND_POWER, 4096, "1024", &number) && number == 1024);
    assert_false(parse(KIND_POWER, 4096, "1000", &number));
}

static void test_weights(void **state)
{
    uint64_t number;

    (void)state;
    assert_true(parse(KIND_WEIGHT, 0, "1", &number) && number == 256);
    assert_true(parse(KIND_WEIGHT, 0, "0.5", &number) && number == 128);
    assert_true(parse(KIND_WEIGHT, 0, "0", &number) && number == 0);
    assert_true(parse(KIND_WEIGHT, 0, "64", &number) && number == 16384);
    assert_false(parse(KIND_WEIGHT, 0, "64.1", &number));
    assert_false(parse(KIND_WEIGHT, 0, "1.", &number));
    assert_false(parse(KIND_WEIGHT, 0, "1.23456", &number));
    assert_false(parse(KIND_WEIGHT, 0, "-1", &number));
}

static void test_choices_and_words(void **state)
{
    uint64_t number;
    char longest[65];

    (void)state;
    assert_true(parse(KIND_CHOICE, 0, "three", &number) && number == 2);
    assert_false(parse(KIND_CHOICE, 0, "thre", &number));
    assert_false(parse(KIND_CHOICE, 0, "one|two", &number));
    assert_true(parse(KIND_BOOL, 0, "true", &number) && number == 1);
    assert_true(parse(KIND_BOOL, 0, "false", &number) && number == 0);
    assert_false(parse(KIND_BOOL, 0, "yes", &number));
    assert_true(parse(KIND_NAME, 0, "peer-1", &number));
    assert_false(parse(KIND_NAME, 0, "1peer", &number));
    assert_false(parse(KIND_NAME, 0, "Peer", &number));
    memset(longest, 'a', 64);
    longest[64] = 0;
    assert_false(parse(KIND_NAME, 0, longest, &number));
    assert_false(parse(KIND_LABEL, 0, longest, &number));
    assert_true(parse(KIND_LABEL, 0, longest + 1, &number));
    assert_false(parse(KIND_LABEL, 0, "a b", &number));
    assert_false(parse(KIND_LABEL, 0, "", &number));
    assert_false(parse(KIND_PATH, 0, "", &number));
}

static void expect_endpoint(const char *text, const char *address)
{
    struct host_endpoint endpoint;
    char why[HOST_WHY_SIZE], room[ADDRESS_TEXT_MAX];

    assert_true(host_endpoint_parse(text, &endpoint, why));
    assert_string_equal(address_format(&endpoint.address, room), address);
    assert_string_equal(endpoint.path, "");
}

static void test_endpoints(void **state)
{
    static const char *const bad[] = {
        "",       "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "[::1]",
        "::1:80", "host:80",   "unix:",      "1.2.3:4",         "127.0.0.1:http"};
    struct host_endpoint endpoint;
    char why[HOST_WHY_SIZE], longest[200] = "unix:/";

    (void)state;
    expect_endpoint("127.0.0.1:7480", "127.0.0.1:7480");
    expect_endpoint("[::1]:1", "[::1]:1");
    expect_endpoint("localhost:9", "127.0.0.1:9");
    expect_endpoint(":7440", "[::]:7440");
    assert_true(host_endpoint_parse("unix:/run/x.sock", &endpoint, why));
    assert_string_equal(endpoint.path, "/run/x.sock");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(host_endpoint_parse(bad[i], &endpoint, why));
    memset(longest + 6, 'x', 150);
    assert_false(host_endpoint_parse(longest, &endpoint, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_durations),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_choices_and_words),
        cmocka_unit_test(test_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
