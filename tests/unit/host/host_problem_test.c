#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_problem.h"

static const char text[] = "node:\n  name: n1\n\treplicsa: 3\n";

static void test_places(void **state)
{
    struct host_problems problems;
    struct host_place at = {"a.yaml", text, 2, 3, 4}, whole = {"VAR", NULL, 0, 0, 0};

    (void)state;
    assert_true(host_problems_init(&problems));
    host_problem(&problems, HOST_ERROR, &at, "wrong %d", 7);
    host_problem(&problems, HOST_WARNING, &whole, "odd");
    assert_string_equal(host_problems_text(&problems), "a.yaml:2:3: error: wrong 7\n"
                                                       "    2 |   name: n1\n"
                                                       "      |   ^~~~\n"
                                                       "VAR: warning: odd\n");
    assert_int_equal(problems.errors, 1);
    assert_int_equal(problems.warnings, 1);
    host_problems_close(&problems);
}

/* A tab before the place is kept, so that the caret stands under it on any screen. */
static void test_tab_and_width(void **state)
{
    struct host_problems problems;
    struct host_place at = {"a", text, 3, 2, 400};

    (void)state;
    assert_true(host_problems_init(&problems));
    host_problem(&problems, HOST_ERROR, &at, "x");
    assert_string_equal(host_problems_text(&problems), "a:3:2: error: x\n"
                                                       "    3 | \treplicsa: 3\n"
                                                       "      | \t^~~~~~~~~~~\n");
    host_problems_close(&problems);
}

static void test_place_beyond_the_text(void **state)
{
    struct host_problems problems;
    struct host_place line = {"a", text, 99, 1, 1}, column = {"a", text, 1, 99, 1};

    (void)state;
    assert_true(host_problems_init(&problems));
    host_problem(&problems, HOST_ERROR, &line, "x");
    host_problem(&problems, HOST_ERROR, &column, "y");
    assert_string_equal(host_problems_text(&problems), "a:99:1: error: x\na:1:99: error: y\n");
    host_problems_close(&problems);
}

static const char *const words[] = {"replicas", "ready_timeout", "name", "zone", NULL};

static const char *next_word(void *context)
{
    unsigned *at = context;

    return words[(*at)++];
}

static const char *suggest(const char *word)
{
    unsigned at = 0;

    return host_suggest(word, next_word, &at);
}

static void test_suggestions(void **state)
{
    char longest[200];

    (void)state;
    assert_string_equal(suggest("replicsa"), "replicas"); /* a swap is one slip */
    assert_string_equal(suggest("nam"), "name");
    assert_string_equal(suggest("zoen"), "zone");
    assert_null(suggest("completely"));
    assert_null(suggest(""));
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_null(suggest(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_tab_and_width),
        cmocka_unit_test(test_place_beyond_the_text),
        cmocka_unit_test(test_suggestions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
