/* edge_kv_reply_test.c: results become answers. */
#include "edge_client.h"

static struct client client;

static const char *ask(const char *line, const struct result *result)
{
    assert_true(client_ask(&client, line, ""));
    client_reply(&client, result);
    return client_take(&client);
}

static void test_value(void **state)
{
    struct result_value value = {
        .etag = 42, .modified_ms = CLIENT_WALL_MS, .body = slice_of("a\0b", 3)};
    struct result result = {.kind = OP_GET,
                            .acks = 2,
                            .total = 3,
                            .value_count = 1,
                            .values = &value,
                            .context = slice_text("AQ")};
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    reply = ask("GET /v1/kv/a/b", &result);
    assert_has(reply, "HTTP/1.1 200 OK\r\n");
    assert_has(reply, "ETag: \"AAAAAAAAACo\"\r\n");
    assert_has(reply, "Gossamer-Context: AQ\r\n");
    assert_has(reply, "Gossamer-Modified: 2026-11-21T10:40:00.000Z\r\n");
    assert_has(reply, "Gossamer-Acks: 2/3\r\n");
    assert_lacks(reply, "Gossamer-Siblings");
    assert_memory_equal(strstr(reply, "\r\n\r\n") + 4, "a\0b", 3);
    result.context = slice_text("AQ\r\nX: y");
    assert_lacks(ask("GET /v1/kv/a/b", &result), "X: y");
    client_close(&client);
}

static void test_no_value(void **state)
{
    struct result result = {.kind = OP_GET,
                            .status = STATUS_MISSING,
                            .acks = 2,
                            .total = 3,
                            .context = slice_text("AQ")};
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    reply = ask("GET /v1/kv/a/b", &result);
    assert_has(reply, "HTTP/1.1 404 ");
    assert_has(reply, "Gossamer-Context: AQ\r\n");
    result.status = STATUS_NOT_MODIFIED;
    result.etag = 42;
    reply = ask("GET /v1/kv/a/b", &result);
    assert_has(reply, "HTTP/1.1 304 ");
    assert_has(reply, "ETag: \"AAAAAAAAACo\"\r\n");
    assert_lacks(reply, "Content-Length");
    client_close(&client);
}

static void test_all_siblings(void **state)
{
    static const uint8_t meta[] = {4, 0, 8, 'o', 'w', 'n', ':', ' ', 'm', 'e', '!'};
    struct result_value values[3] = {
        {.etag = 1,
         .expires_ms = 1000,
         .body = slice_text("</script>"),
         .meta = {meta, sizeof meta}},
        {.etag = 2, .body = slice_of("\xff\x00", 2)},
        {.etag = 3, .is_tombstone = true},
    };
    struct result result = {
        .kind = OP_GET, .value_count = 3, .values = values, .context = slice_text("AQ")};
    const char *reply;
    json_t *json, *list;

    (void)state;
    client_open(&client, NULL);
    reply = ask("GET /v1/kv/a/b?siblings=all", &result);
    assert_has(reply, "HTTP/1.1 300 ");
    assert_lacks(reply, "</script>");
    json = client_json(reply);
    list = json_object_get(json, "values");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(json_object_get(json, "context")), "AQ");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "data")),
                        "</script>");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(json_array_get(list, 0), "meta"), "own")),
        "me!");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "expires")),
                        "1970-01-01T00:00:01.000Z");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "data_b64")),
                        "/wA=");
    assert_true(json_is_true(json_object_get(json_array_get(list, 2), "tombstone")));
    json_decref(json);
    result.value_count = 1;
    assert_has(ask("GET /v1/kv/a/b?siblings=all", &result), "HTTP/1.1 200 OK\r\n");
    client_close(&client);
}

static void test_writes(void **state)
{
    struct result result = {.kind = OP_PUT, .acks = 2, .total = 3, .etag = 42, .is_created = true};
    const char *text;

    (void)state;
    client_open(&client, NULL);
    assert_has(ask("PUT /v1/kv/a/b", &result), "HTTP/1.1 201 Created\r\n");
    result.is_created = false;
    text = ask("PUT /v1/kv/a/b", &result);
    assert_has(text, "HTTP/1.1 204 No Content\r\n");
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n"); /* H1: nothing follows */
    result.expires_ms = 1000;
    assert_has(ask("PUT /v1/kv/a/b", &result), "Gossamer-Expires: 1970-01-01T00:00:01.000Z\r\n");
    result.expires_ms = 0;
    assert_lacks(ask("PUT /v1/kv/a/b", &result), "Gossamer-Expires");
    assert_false(client_ask(&client, "PUT /v1/kv/a/b?return=body",
                            "Content-Type: text/css\r\nContent-Length: 2\r\n"));
    assert_true(client_send(&client, "hi"));
    client_reply(&client, &result);
    assert_has(client_take(&client), "Content-Type: text/css\r\nCache-Control: no-store\r\n"
                                     "Content-Length: 2\r\n\r\nhi");
    result.kind = OP_DELETE;
    assert_has(ask("DELETE /v1/kv/a/b", &result), "HTTP/1.1 204 No Content\r\n");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_no_value),
        cmocka_unit_test(test_all_siblings),
        cmocka_unit_test(test_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
