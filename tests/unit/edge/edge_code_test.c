/* edge_code_test.c: entity tags and cursors there and back, conditions, made keys. */
#include "edge_client.h"
#include "edge_room.h"

static void test_etag_round_trip(void **state)
{
    (void)state;
    for (uint64_t etag = 1; etag; etag = etag << 5 | (etag & 3)) {
        uint8_t room[16];
        struct buffer buffer = {.data = room, .capacity = sizeof room, .max = sizeof room};
        struct edge_out out;
        uint64_t again;

        edge_out_begin(&out, &buffer, 13);
        edge_put_etag(&out, etag);
        assert_true(edge_etag_parse(slice_of(room + 1, 11), &again));
        assert_int_equal(again, etag);
        if (etag >> 58)
            break;
    }
}

static void test_bad_etags(void **state)
{
    static const char *const bad[] = {"", "AAAAAAAAAA", "AAAAAAAAAAAA", "AAAAAAAAAA!",
                                      "AAAAAAAAAAB"};
    uint64_t etag;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(edge_etag_parse(slice_text(bad[i]), &etag));
}

static void test_base64_decodes_only_the_one_spelling(void **state)
{
    uint8_t room[64];
    struct buffer buffer = {.data = room, .capacity = sizeof room, .max = sizeof room};
    struct slice decoded;

    (void)state;
    assert_true(edge_base64_decode(&buffer, slice_text("aGVsbG8"), &decoded));
    assert_slice(decoded, "hello");
    assert_false(edge_base64_decode(&buffer, slice_text("aGVsbG9"), &decoded));
    assert_false(edge_base64_decode(&buffer, slice_text("a"), &decoded));
    assert_false(edge_base64_decode(&buffer, slice_text("aGVsbG8="), &decoded));
}

static void condition(const char *field, uint8_t bits, unsigned tags)
{
    struct client client;

    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/a/b", field));
    assert_int_equal(client.op.condition, bits);
    assert_int_equal(client.op.etag_count, tags);
    client_close(&client);
}

static void test_conditions(void **state)
{
    (void)state;
    condition("If-Match: *\r\n", CONDITION_EXISTS, 0);
    condition("If-None-Match: *\r\n", CONDITION_ABSENT, 0);
    condition("If-Match: \"AAAAAAAAACo\"\r\n", CONDITION_MATCH, 1);
    condition("If-Match: \"other\"\r\n", CONDITION_MATCH, 0);
    condition("If-Match: W/\"AAAAAAAAACo\"\r\n", CONDITION_MATCH, 0);
    condition("If-None-Match: W/\"AAAAAAAAACo\", \"AAAAAAAAACs\"\r\n", CONDITION_NONE_MATCH, 2);
}

static void test_made_keys_rise(void **state)
{
    struct client client;
    char last[EDGE_MADE_KEY_SIZE] = "", key[EDGE_MADE_KEY_SIZE];

    (void)state;
    client_open(&client, NULL);
    for (unsigned i = 0; i < 5000; i++) {
        if (i % 100 == 0)
            edge_set_wall(client.edge, CLIENT_WALL_MS + i);
        edge_made_key(client.edge, key);
        assert_true(memcmp(last, key, sizeof key) < 0);
        memcpy(last, key, sizeof key);
    }
    edge_set_wall(client.edge, 1); /* the clock was set back */
    edge_made_key(client.edge, key);
    assert_true(memcmp(last, key, sizeof key) < 0);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_etag_round_trip),
        cmocka_unit_test(test_bad_etags),
        cmocka_unit_test(test_base64_decodes_only_the_one_spelling),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_made_keys_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
