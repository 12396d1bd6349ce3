/* address_test.c: text both ways, what is refused, and the private ranges with their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "bytes.h"
#include "hash.h"

static void test_text_both_ways(void **state)
{
    static const char *const texts[] = {"127.0.0.1:18001",
                                        "255.255.255.255:65535",
                                        "0.0.0.0:0",
                                        "[::1]:5",
                                        "[2001:db8::ff00:42:8329]:443",
                                        "[::ffff:10.1.2.3]:1",
                                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct address address, again;
        char text[ADDRESS_TEXT_MAX];

        assert_true(address_parse(slice_text(texts[i]), &address));
        assert_string_equal(address_format(&address, text), texts[i]);
        assert_true(address_parse(slice_text(text), &again));
        assert_true(address_equal(&address, &again));
    }
}

static void test_everything_else_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        ":",
                                        ":1",
                                        "1.2.3.4",
                                        "1.2.3.4:",
                                        "1.2.3.4:65536",
                                        "1.2.3.4:99999",
                                        "1.2.3.4:01",
                                        "1.2.3.4:+1",
                                        "1.2.3.4: 1",
                                        "1.2.3.4:1 ",
                                        " 1.2.3.4:1",
                                        "1.2.3:1",
                                        "01.2.3.4:1",
                                        "256.1.1.1:1",
                                        "::1:5",
                                        "[::1]",
                                        "[::1]5",
                                        "[::1:5",
                                        "::1]:5",
                                        "[]:5",
                                        "[1.2.3.4]:5",
                                        "[::1%lo]:5",
                                        "host:1",
                                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1",
                                        "none:0"};
    struct address address = {.family = 9};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(address_parse(slice_text(texts[i]), &address));
    assert_false(address_parse(slice_of("1.2.3.4\0x:1", 11), &address));
    assert_false(address_parse(SLICE_NONE, &address));
    assert_int_equal(address.family, 9);
}

static void test_no_address_has_a_text(void **state)
{
    struct address none = {0};
    char text[ADDRESS_TEXT_MAX];

    (void)state;
    assert_string_equal(address_format(&none, text), "none:0");
    assert_false(address_is_loopback_or_private(&none));
}

static bool is_private(const char *text)
{
    struct address address;

    assert_true(address_parse(slice_text(text), &address));
    return address_is_loopback_or_private(&address);
}

static void test_private_ranges(void **state)
{
    static const char *const inside[] = {
        "127.0.0.1:1",   "127.255.255.255:1", "10.0.0.0:1",          "10.255.255.255:1",
        "172.16.0.0:1",  "172.31.255.255:1",  "192.168.0.0:1",       "192.168.255.255:1",
        "169.254.0.1:1", "[::1]:1",           "[fc00::]:1",          "[fdff::1]:1",
        "[fe80::1]:1",   "[febf::1]:1",       "[::ffff:127.0.0.1]:1"};
    static const char *const outside[] = {"126.255.255.255:1",
                                          "128.0.0.0:1",
                                          "9.255.255.255:1",
                                          "11.0.0.0:1",
                                          "172.15.255.255:1",
                                          "172.32.0.0:1",
                                          "192.167.255.255:1",
                                          "192.169.0.0:1",
                                          "169.253.0.1:1",
                                          "169.255.0.1:1",
                                          "0.0.0.0:1",
                                          "8.8.8.8:1",
                                          "[::]:1",
                                          "[::2]:1",
                                          "[fbff::1]:1",
                                          "[fe00::1]:1",
                                          "[fe7f::1]:1",
                                          "[fec0::1]:1",
                                          "[2001:db8::1]:1",
                                          "[::ffff:8.8.8.8]:1"};

    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_true(is_private(inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_false(is_private(outside[i]));
}

static void test_order_uses_every_field(void **state)
{
    struct address a = {.family = 4, .ip = {1}, .port = 5}, b = a;

    (void)state;
    assert_int_equal(address_compare(&a, &b), 0);
    b.port = 6;
    assert_true(address_compare(&a, &b) < 0);
    a.ip[0] = 2;
    assert_true(address_compare(&a, &b) > 0);
    b.family = 6;
    assert_true(address_compare(&a, &b) < 0);
    assert_false(address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_both_ways),
        cmocka_unit_test(test_everything_else_is_refused),
        cmocka_unit_test(test_no_address_has_a_text),
        cmocka_unit_test(test_private_ranges),
        cmocka_unit_test(test_order_uses_every_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
