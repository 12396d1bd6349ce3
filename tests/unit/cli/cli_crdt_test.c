/* Typed keys through the tool: a command is one update, a value is plain text. */
#include "cli_fixture.h"

static void test_a_counter(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "crdt", "incr", "app/hits", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.err, "updated app/hits");
    tool(&told, "crdt", "get", "app/hits", "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "{\"value\":{\"counter\":{\"add\":1}}}");
    tool(&told, "crdt", "incr", "app/hits", "-5", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "crdt", "get", "app/hits", "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "{\"value\":{\"counter\":{\"add\":-5}}}");
    tool(&told, "crdt", "incr", "app/hits", "1.5", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    tool(&told, "crdt", "del", "app/hits", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "crdt", "get", "app/hits", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_NOT_FOUND);
    stub_close(&stub);
}

static void sent(struct stub *stub, const char *body)
{
    struct told told;

    tool(&told, "crdt", "get", "app/k", "-o", "json", "--addr", stub->addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, body);
}

static void test_each_command_is_one_update(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "crdt", "sadd", "app/k", "a", "b", "--addr", stub.addr, NULL);
    sent(&stub, "{\"set\":{\"add\":[\"a\",\"b\"]}}");
    tool(&told, "crdt", "srem", "app/k", "a", "--addr", stub.addr, NULL);
    sent(&stub, "{\"set\":{\"remove\":[\"a\"]}}");
    tool(&told, "crdt", "hset", "app/k", "f", "v", "--addr", stub.addr, NULL);
    sent(&stub, "{\"map\":{\"update\":{\"f\":{\"register\":{\"set\":\"v\"}}}}}");
    tool(&told, "crdt", "hdel", "app/k", "f", "--addr", stub.addr, NULL);
    sent(&stub, "{\"map\":{\"remove\":[\"f\"]}}");
    tool(&told, "crdt", "flag", "app/k", "true", "--addr", stub.addr, NULL);
    sent(&stub, "{\"flag\":true}");
    tool(&told, "crdt", "flag", "app/k", "yes", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    tool(&told, "crdt", "set", "app/k", "v", "--addr", stub.addr, NULL);
    sent(&stub, "{\"register\":{\"set\":\"v\"}}");
    tool(&told, "crdt", "observe", "app/k", "u1", "--addr", stub.addr, NULL);
    sent(&stub, "{\"hll\":{\"add\":[\"u1\"]}}");
    stub_close(&stub);
}

static void test_lists_follow_their_pages(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "crdt", "get", "app/pages", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_string_equal(told.out, "a\nb\n");
    tool(&told, "crdt", "get", "app/map", "--addr", stub.addr, NULL);
    assert_string_equal(told.out, "tags\t[\"x\"]\nvisits\t7\n");
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter),
        cmocka_unit_test(test_each_command_is_one_update),
        cmocka_unit_test(test_lists_follow_their_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
