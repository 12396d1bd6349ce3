/* trace_test.c: every code has a name, a text that fits its integers, and a level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include "trace.h"

static bool text_is_sound(const char *text)
{
    for (const char *brace = strchr(text, '{'); brace; brace = strchr(brace + 1, '{'))
        if (brace[1] < 'a' || brace[1] > 'c' ||
            (brace[2] != '}' && strncmp(brace + 2, ":x}", 3) != 0))
            return false;
    return *text != 0;
}

static void test_table_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < TRACE_COUNT; i++) {
        enum trace_code code = (enum trace_code)i;

        assert_true(text_is_sound(trace_text(code)));
        assert_true(strlen(trace_name(code)) > 0);
        assert_in_range(trace_level_of(code), LEVEL_ERROR, LEVEL_TRACE);
    }
    assert_string_equal(trace_name(TRACE_JOINED), "JOINED");
    assert_int_equal(trace_level_of(TRACE_MEMBER_DEAD), LEVEL_WARN);
}

static void collect(void *context, enum trace_code code, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t *sums = context;

    sums[0] += code;
    sums[1] += a + 10 * b + 100 * c;
}

static void test_point_reaches_the_sink(void **state)
{
    uint64_t sums[2] = {0};
    struct trace_sink sink = {collect, sums}, off = {NULL, NULL};

    (void)state;
    trace_point(&sink, TRACE_JOINED, 1, 2, 3);
    trace_point(&off, TRACE_JOINED, 1, 2, 3);
    trace_point(NULL, TRACE_JOINED, 1, 2, 3);
    assert_int_equal(sums[0], TRACE_JOINED);
    assert_int_equal(sums[1], 321);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_point_reaches_the_sink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
