/* Addresses, escapes, and peers that are not there. */
#include "cli_fixture.h"

static void test_addresses(void **state)
{
    struct cli_peer peers[CLI_ADDRESSES_MAX];

    (void)state;
    assert_int_equal(cli_peers_parse("127.0.0.1:7480,http://b:1/,unix:/run/x.sock", peers), 3);
    assert_string_equal(peers[0].base, "http://127.0.0.1:7480");
    assert_string_equal(peers[1].base, "http://b:1");
    assert_string_equal(peers[2].socket, "/run/x.sock");
    assert_string_equal(peers[2].base, "http://localhost");
    assert_int_equal(cli_peers_parse("a b", peers), 0);
    assert_int_equal(cli_peers_parse("user@host", peers), 0);
    assert_int_equal(cli_peers_parse("unix:", peers), 0);
}

static void test_escapes(void **state)
{
    char room[64];
    struct writer out = writer_over(room, sizeof(room));

    (void)state;
    cli_escape(&out, slice_text("a/b ?%\xC3\xA9"), true);
    room[out.size] = 0;
    assert_string_equal(room, "a/b%20%3F%25%C3%A9");
    out = writer_over(room, sizeof(room));
    cli_escape(&out, slice_text("a/b&"), false);
    room[out.size] = 0;
    assert_string_equal(room, "a%2Fb%26");
}

static void test_nobody_there(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    stub_open(&stub);
    stub_close(&stub);
    tool(&told, "members", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_UNREACHABLE);
    assert_has(told.err, "cannot reach gossamerd");
    assert_has(told.err, "hint:");
    tool(&told, "members", "--addr", "unix:/nowhere/x.sock", NULL);
    assert_int_equal(told.code, CLI_UNREACHABLE);
    assert_has(told.err, "/nowhere/x.sock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_nobody_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
