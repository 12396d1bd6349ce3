/* edge_preview_test.c: imagined changes come in as a query, moves go out as JSON. */
#include "edge_client.h"

static struct client client;

static void test_changes(void **state)
{
    static const char *const bad[] = {
        "", "?add=x", "?add=99", "?add=", "?remove=a,", "?weight=a", "?weight=a:65", "?remove=a:1"};
    char line[64];

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/ring/preview?add=2&remove=p1&weight=p2:0.5", ""));
    assert_int_equal(client.op.kind, OP_PREVIEW);
    assert_int_equal(client.op.limit, 2);
    assert_int_equal(client.op.key.size, 10);
    assert_memory_equal(client.op.key.data, "\0\0\2p1\0\x80\2p2", 10);
    client_close(&client);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        client_open(&client, NULL);
        (void)snprintf(line, sizeof line, "GET /v1/ring/preview%s", bad[i]);
        assert_false(client_ask(&client, line, ""));
        assert_has(client_take(&client), "HTTP/1.1 400 ");
        client_close(&client);
    }
}

static void test_moves(void **state)
{
    static const struct result_flow flow = {
        .from = {2, "p1"}, .to = {2, "p2"}, .partitions = 5, .bytes = 700};
    struct result result = {.kind = OP_PREVIEW,
                            .flows = &flow,
                            .flow_count = 1,
                            .moved = 5,
                            .slots = 20,
                            .moved_bytes = 700};
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/ring/preview?remove=p1", ""));
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "\"share\":0.25");
    assert_has(reply, "{\"from\":\"p1\",\"to\":\"p2\",\"partitions\":5,\"bytes\":700}");
    assert_true(client_ask(&client, "GET /v1/ring/preview?remove=px", ""));
    result.status = STATUS_MISSING;
    client_reply(&client, &result);
    assert_has(client_take(&client), "HTTP/1.1 404 ");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes),
                                       cmocka_unit_test(test_moves)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
