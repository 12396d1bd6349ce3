/* Arguments: distances, durations, options, what is said about mistakes. */
#include "cli_fixture.h"

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(cli_distance("", ""), 0);
    assert_int_equal(cli_distance("abc", ""), 3);
    assert_int_equal(cli_distance("members", "memebrs"), 2);
    assert_int_equal(cli_distance("kv get", "kv gt"), 1);
    assert_int_equal(cli_distance("kitten", "sitting"), 3);
}

static void test_durations(void **state)
{
    long ms = 0;

    (void)state;
    assert_true(cli_duration_ms("250ms", &ms));
    assert_int_equal(ms, 250);
    assert_true(cli_duration_ms("30s", &ms));
    assert_int_equal(ms, 30000);
    assert_true(cli_duration_ms("5m", &ms));
    assert_int_equal(ms, 300000);
    assert_false(cli_duration_ms("30", &ms));
    assert_false(cli_duration_ms("s", &ms));
    assert_false(cli_duration_ms("-1s", &ms));
    assert_false(cli_duration_ms("99999999999s", &ms));
    assert_false(cli_duration_ms("9999h", &ms));
}

static void test_keys(void **state)
{
    struct slice ns, key;

    (void)state;
    assert_true(cli_split_key("app/a/b", &ns, &key));
    assert_int_equal(ns.size, 3);
    assert_int_equal(key.size, 3);
    assert_false(cli_split_key("app", &ns, &key));
    assert_false(cli_split_key("/a", &ns, &key));
    assert_false(cli_split_key("app/", &ns, &key));
}

static void test_mistakes_are_named(void **state)
{
    struct told told;

    (void)state;
    tool(&told, "memebrs", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    assert_has(told.err, "did you mean \"gossamer members\"?");
    tool(&told, "kv", "gte", "a/b", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    assert_has(told.err, "did you mean \"gossamer kv get\"?");
    tool(&told, "members", "--adr", "x", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    assert_has(told.err, "did you mean \"--addr\"?");
    tool(&told, "members", "--limit", "3", NULL);
    assert_has(told.err, "takes no --limit");
    tool(&told, "members", "-o", "xml", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    tool(&told, "members", "-o", NULL);
    assert_has(told.err, "needs a value");
    tool(&told, "kv", "get", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    assert_has(told.err, "usage: gossamer kv get NS/KEY");
    tool(&told, "members", "--timeout", "soon", NULL);
    assert_has(told.err, "no duration");
    tool(&told, "kv", NULL);
    assert_int_equal(told.code, CLI_USAGE);
    assert_has(told.out, "kv import");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_mistakes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
