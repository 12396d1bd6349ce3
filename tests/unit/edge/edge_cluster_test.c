/* edge_cluster_test.c: administrative requests become ops. */
#include "edge_client.h"

static struct client client;

static bool send_json(const char *line, const char *body)
{
    char fields[64];

    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", strlen(body));
    return client_ask(&client, line, fields) || client_send(&client, body);
}

static void test_lists(void **state)
{
    (void)state;
    client_open(&client, NULL);
    assert_true(send_json("PUT /v1/self/block", "{\"peers\":[\"peer-2\",\"9c41b07e\"]}"));
    assert_int_equal(client.op.kind, OP_BLOCK);
    assert_slice(client.op.key, "peer-2,9c41b07e");
    assert_true(send_json("PUT /v1/self/block", "{\"peers\":[]}"));
    assert_int_equal(client.op.key.size, 0);
    assert_true(client_ask(&client, "DELETE /v1/self/block", ""));
    assert_int_equal(client.op.key.size, 0);
    assert_true(send_json("POST /v1/cluster/join", "{\"seeds\":[\"[::1]:18001\",\"n2\"]}"));
    assert_int_equal(client.op.kind, OP_JOIN);
    assert_slice(client.op.key, "[::1]:18001,n2");
    client_close(&client);
}

#define AN_ID "70451163390b682c70451163390b682c70451163390b682c70451163390b682c"

static void test_forget_and_drain(void **state)
{
    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "DELETE /v1/members/" AN_ID, ""));
    assert_has(client_take(&client), "HTTP/1.1 400 ");
    assert_false(client_ask(&client, "DELETE /v1/members/peer-1?confirm=peer-1", ""));
    assert_has(client_take(&client), "HTTP/1.1 400 ");
    assert_true(client_ask(&client, "DELETE /v1/members/" AN_ID "?confirm=" AN_ID, ""));
    assert_int_equal(client.op.kind, OP_FORGET);
    assert_int_equal(client.op.key.size, NODE_ID_SIZE);
    assert_int_equal(client.op.key.data[1], 0x45);
    assert_true(client_ask(&client, "POST /v1/self/drain", "Content-Length: 0\r\n"));
    assert_int_equal(client.op.kind, OP_DRAIN);
    assert_true(client.op.is_on);
    assert_true(client_ask(&client, "DELETE /v1/self/drain", ""));
    assert_false(client.op.is_on);
    client_close(&client);
}

static void test_bad_lists(void **state)
{
    static const char *const bad[] = {"{}",
                                      "{\"seeds\":[]}",
                                      "{\"seeds\":\"a\"}",
                                      "{\"seeds\":[\"a b\"]}",
                                      "{\"seeds\":[\"\"]}",
                                      "{\"seeds\":[\"a\"],\"x\":1}",
                                      "{\"seeds\":[null]}",
                                      "nonsense"};

    (void)state;
    client_open(&client, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(send_json("POST /v1/cluster/join", bad[i]));
        assert_has(client_take(&client), "HTTP/1.1 400 ");
    }
    client_close(&client);
}

static void test_lookups(void **state)
{
    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/ring/lookup?ns=a&key=b%2Fc&verify=true", ""));
    assert_true(client.op.is_verify);
    assert_slice(client.op.ns, "a");
    assert_slice(client.op.key, "b/c");
    assert_true(client_ask(&client,
                           "GET /v1/overlay/lookup?id="
                           "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
                           ""));
    assert_int_equal(client.op.key.size, 32);
    assert_memory_equal(client.op.key.data, "\0\xff\0\xff", 4);
    assert_int_equal(client.op.ns.size, 0);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_forget_and_drain),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_lookups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
