#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_log.h"

static char text[4000];

static void begin(struct host_log *log, enum host_log_format format)
{
    memset(text, 0, sizeof text);
    host_log_init(log, fmemopen(text, sizeof text, "w"), LEVEL_DEBUG, format);
    log->is_journal = false;
    log->peer = (struct label){.size = 2, .text = "n1"};
}

static void test_formats(void **state)
{
    struct host_log log;

    (void)state;
    begin(&log, HOST_LOG_LOGFMT);
    host_log_line(&log, 1500, LEVEL_WARN, "say \"x\"\n", 0);
    fclose(log.out);
    assert_string_equal(
        text, "ts=1970-01-01T00:00:01.500Z level=warn msg=\"say \\\"x\\\"\\u000a\" peer=n1\n");
    begin(&log, HOST_LOG_JSON);
    host_log_line(&log, 0, LEVEL_ERROR, "a\\b", 7);
    fclose(log.out);
    assert_string_equal(text, "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"msg\":"
                              "\"a\\\\b\",\"peer\":\"n1\",\"repeated\":7}\n");
    begin(&log, HOST_LOG_HUMAN);
    host_log_line(&log, 3723004, LEVEL_INFO, "hi\033[0m", 0);
    fclose(log.out);
    assert_string_equal(text, "01:02:03.004 info  hi?[0m\n"); /* no escapes from outside */
    begin(&log, HOST_LOG_AUTO);
    assert_int_equal(log.format, HOST_LOG_LOGFMT); /* not a terminal */
    log.is_journal = true;
    host_log_line(&log, 0, LEVEL_ERROR, "x", 0);
    fclose(log.out);
    assert_int_equal(strncmp(text, "<3>ts=", 6), 0);
}

static void test_levels(void **state)
{
    struct host_log log;

    (void)state;
    begin(&log, HOST_LOG_LOGFMT);
    log.level = LEVEL_WARN;
    host_log(&log, LEVEL_INFO, "hidden");
    host_log(&log, LEVEL_WARN, "shown %d", 5);
    fclose(log.out);
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "msg=\"shown 5\""));
}

static unsigned count_lines(void)
{
    unsigned count = 0;

    for (const char *at = text; *at != 0; at++)
        count += *at == '\n';
    return count;
}

static void test_trace_points(void **state)
{
    struct host_log log;
    uint64_t numbers[3] = {0xabc, 42, 7};

    (void)state;
    begin(&log, HOST_LOG_LOGFMT);
    host_log_trace(&log, 5000, TRACE_MEMBER_ALIVE, numbers);
    fflush(log.out);
    assert_non_null(strstr(text, "member 0000000000000abc is alive, incarnation 42"));
    for (unsigned i = 0; i < 40; i++)
        host_log_trace(&log, 5001, TRACE_MEMBER_ALIVE, numbers);
    host_log_trace(&log, 5002, TRACE_MEMBER_LEFT, numbers); /* another site */
    fflush(log.out);
    assert_int_equal(count_lines(), HOST_LOG_RATE + 1);
    host_log_trace(&log, 6000, TRACE_MEMBER_ALIVE, numbers);
    fclose(log.out);
    assert_non_null(strstr(text, "repeated=31"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_trace_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
