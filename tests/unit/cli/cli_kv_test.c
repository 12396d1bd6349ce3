/* Values through the tool: bytes stay bytes, lists follow their pages, problems become exits. */
#include "cli_fixture.h"

static void test_put_get_delete(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "kv", "put", "app/x y", "hello", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.err, "created app/x y");
    assert_string_equal(told.out, "");
    tool(&told, "kv", "get", "app/x y", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_string_equal(told.out, "hello"); /* not a byte more */
    tool(&told, "kv", "del", "app/x y", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "kv", "get", "app/x y", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_NOT_FOUND);
    assert_string_equal(told.out, "");
    stub_close(&stub);
}

static void test_put_a_file(void **state)
{
    char name[] = "/tmp/gossamer-cli-XXXXXX", at[64];
    int fd = mkstemp(name);
    struct stub stub;
    struct told told;

    (void)state;
    assert_int_equal(write(fd, "a\0b\n", 4), 4);
    close(fd);
    stub_open(&stub);
    snprintf(at, sizeof(at), "@%s", name);
    tool(&told, "kv", "put", "app/f", at, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, "kv", "get", "app/f", "--addr", stub.addr, NULL);
    assert_memory_equal(told.out, "a\0b\n", 5);
    unlink(name);
    tool(&told, "kv", "put", "app/f", at, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "cannot read");
    stub_close(&stub);
}

static void test_problems(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "kv", "put", "app/quorum", "x", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_UNAVAILABLE);
    assert_has(told.err, "error: Write quorum not reached: 1 of 2 (503)");
    assert_has(told.err, "hint: repeat the same PUT");
    tool(&told, "kv", "put", "app/quorum", "x", "--addr", stub.addr, "-o", "json", NULL);
    assert_has(told.out, "\"status\":503");
    tool(&told, "kv", "get", "app", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    stub_close(&stub);
}

static void test_list(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    tool(&told, "kv", "ls", "app", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "KEY");
    assert_has(told.out, "\na");
    assert_has(told.out, "\nb"); /* of the second page */
    tool(&told, "kv", "ls", "app", "--limit", "1", "--addr", stub.addr, NULL);
    assert_null(strstr(told.out, "\nb"));
    assert_has(told.err, "more keys");
    tool(&told, "kv", "ls", "app", "-o", "json", "--addr", stub.addr, NULL);
    assert_memory_equal(told.out, "{\"items\":", 9);
    tool(&told, "kv", "ls", "app", "--limit", "0", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_USAGE);
    stub_close(&stub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_delete),
        cmocka_unit_test(test_put_a_file),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
