/* edge_meta_test.c: stored fields come back as they were, and nothing splits a reply. */
#include "edge_client.h"
#include "edge_room.h"

static void test_round_trip(void **state)
{
    struct client client;
    struct result_value value = {.etag = 5};
    struct result result = {.kind = OP_GET, .value_count = 1, .values = &value};
    uint8_t meta[256];
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "PUT /v1/kv/a/b",
                           "Content-Type: text/plain; charset=utf-8\r\nContent-Encoding: gzip\r\n"
                           "Cache-Control: max-age=5\r\nGossamer-Meta-Owner: me\r\n"
                           "gossamer-meta-b: \xc3\xa9\r\n"));
    assert_true(client.op.meta.size < sizeof meta);
    memcpy(meta, client.op.meta.data, client.op.meta.size);
    value.meta = slice_of(meta, client.op.meta.size);
    client_reply(&client, &(struct result){.kind = OP_PUT});
    client_take(&client);
    assert_true(client_ask(&client, "GET /v1/kv/a/b", ""));
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
    assert_has(reply, "\r\nContent-Encoding: gzip\r\n");
    assert_has(reply, "\r\nCache-Control: max-age=5\r\n");
    assert_has(reply, "\r\nGossamer-Meta-Owner: me\r\n");
    assert_has(reply, "\r\nGossamer-Meta-b: \xc3\xa9\r\n");
    assert_lacks(reply, "no-store");
    client_close(&client);
}

static void put(const char *meta, size_t size, char text[512])
{
    struct buffer buffer;
    struct edge_out out;

    buffer_init(&buffer, 500);
    edge_out_begin(&out, &buffer, 100);
    edge_meta_put(&out, slice_of(meta, size));
    assert_true(edge_out_end(&out, 0));
    memcpy(text, buffer.data, buffer.size);
    text[buffer.size] = 0;
    buffer_close(&buffer);
}

static void test_hostile_meta(void **state)
{
    char text[512];

    (void)state;
    put("\x01\x00\x04"
        "a\r\nb"
        "\x04\x00\x06"
        "x: \r\ny",
        16, text);
    assert_string_equal(text,
                        "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n");
    put("\x01\x00\x09"
        "abc",
        6, text); /* shorter than it says */
    assert_string_equal(text,
                        "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n");
    put("\x01\x00\x01"
        "a"
        "\x01\x00\x01"
        "b",
        8, text);
    assert_string_equal(text, "Content-Type: a\r\nCache-Control: no-store\r\n");
    put("", 0, text);
    assert_has(text, "octet-stream");
}

static void test_find(void **state)
{
    (void)state;
    assert_slice(edge_meta_find(slice_of("\x04\x00\x01x\x01\x00\x01y", 8), META_CONTENT_TYPE), "y");
    assert_int_equal(edge_meta_find(slice_of("\x04\x00\x01x", 4), META_CONTENT_TYPE).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_hostile_meta),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
