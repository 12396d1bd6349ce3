/* edge_date_test.c: days against known ones, and against a plain count of days. */
#include "edge_client.h"
#include "edge_room.h"

static void expect(uint64_t ms, const char *http, const char *rfc3339)
{
    char text[30] = "";
    struct buffer buffer;
    struct edge_out out;

    edge_date_http(ms, text);
    assert_string_equal(text, http);
    buffer_init(&buffer, 100);
    edge_out_begin(&out, &buffer, 1);
    edge_date_put(&out, ms);
    assert_true(edge_out_end(&out, 0));
    assert_slice(slice_of(buffer.data, buffer.size), rfc3339);
    buffer_close(&buffer);
}

static void test_known_days(void **state)
{
    (void)state;
    expect(0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z");
    expect(951782399999, "Mon, 28 Feb 2000 23:59:59 GMT", "2000-02-28T23:59:59.999Z");
    expect(951782400000, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.000Z");
    expect(951868800000, "Wed, 01 Mar 2000 00:00:00 GMT", "2000-03-01T00:00:00.000Z");
    expect(1795257600123, "Sat, 21 Nov 2026 10:40:00 GMT", "2026-11-21T10:40:00.123Z");
    expect(4107542400000, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00.000Z");
    expect(UINT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.999Z");
}

/* Every day of four centuries follows the one before. */
static void test_every_day(void **state)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = 1970, month = 1, day = 1;
    char expected[12];

    (void)state;
    for (uint64_t at = 0; at < 146097; at++) {
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        uint8_t room[64];
        struct buffer buffer = {.data = room, .capacity = sizeof room, .max = sizeof room};
        struct edge_out out;

        edge_out_begin(&out, &buffer, 24);
        edge_date_put(&out, at * 86400000);
        snprintf(expected, sizeof expected, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
        assert_memory_equal(room, expected, 10);
        if (++day > lengths[month - 1] + (month == 2 && is_leap)) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_days),
        cmocka_unit_test(test_every_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
