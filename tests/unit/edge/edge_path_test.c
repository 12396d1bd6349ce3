/* edge_path_test.c: decoding once, and what is a key. */
#include "edge_client.h"
#include "edge_room.h"

static void test_decode(void **state)
{
    uint8_t room[64];
    struct buffer buffer = {.data = room, .capacity = sizeof room, .max = sizeof room};
    struct slice decoded;

    (void)state;
    assert_true(edge_percent_decode(&buffer, slice_text("a%2fb%2Fc+%25"), &decoded));
    assert_slice(decoded, "a/b/c+%");
    assert_false(edge_percent_decode(&buffer, slice_text("%"), &decoded));
    assert_false(edge_percent_decode(&buffer, slice_text("%a"), &decoded));
    assert_false(edge_percent_decode(&buffer, slice_text("%ag"), &decoded));
}

static void test_utf8(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "a\x1f",
                                      "\x7f",
                                      "\n"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(edge_is_utf8(slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(edge_is_utf8(slice_text(bad[i])));
    assert_false(edge_is_utf8(slice_of("\0", 1)));
}

/* Every code point there is, and every pair of bytes, against the definition. */
static void test_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0x80; code <= 0x10ffff; code += code < 0x10000 ? 1 : 97) {
        uint8_t text[4];
        size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

        for (size_t i = size; i > 1; i--)
            text[i - 1] = (uint8_t)(0x80 | (code >> 6 * (size - i) & 63));
        text[0] = (uint8_t)((size == 2   ? 0xc0u
                             : size == 3 ? 0xe0u
                                         : 0xf0u) |
                            code >> 6 * (size - 1));
        assert_int_equal(edge_is_utf8(slice_of(text, size)), code < 0xd800 || code > 0xdfff);
    }
}

static void test_namespaces(void **state)
{
    static const struct {
        const char *target;
        const char *status;
    } rows[] = {{"GET /v1/kv/a.b_c-9/k", NULL},
                {"GET /v1/kv/-a/k", " 400 "},
                {"GET /v1/kv/_a/k", " 403 "},
                {"GET /v1/kv/a%41/k", " 400 "},
                {"GET /v1/kv/a~/k", " 400 "}};
    struct client client;

    (void)state;
    client_open(&client, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(client_ask(&client, rows[i].target, ""), rows[i].status == NULL);
        if (rows[i].status)
            assert_has(client_take(&client), rows[i].status);
        else
            client_reply(&client, &(struct result){.kind = OP_GET, .status = STATUS_MISSING});
        client_take(&client);
    }
    client_close(&client);
}

/* H4: a path is never normalised, however its dots and slashes are spelled. */
static void test_dots_are_letters(void **state)
{
    static const char *const keys[] = {"..%2fb", "%2e%2e%2Fb", "../b"};
    struct client client;

    (void)state;
    client_open(&client, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char line[64];

        snprintf(line, sizeof line, "GET /v1/kv/a/%s", keys[i]);
        assert_true(client_ask(&client, line, ""));
        assert_slice(client.op.key, "../b");
        client_reply(&client, &(struct result){.kind = OP_GET, .status = STATUS_MISSING});
        client_take(&client);
    }
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),           cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_every_code_point), cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_dots_are_letters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
