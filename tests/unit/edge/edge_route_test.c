/* edge_route_test.c: the table as clients see it. */
#include "edge_client.h"

static void expect(const char *line, const char *status, const char *part)
{
    struct client client;
    const char *reply;

    client_open(&client, NULL);
    assert_false(client_ask(&client, line, ""));
    reply = client_take(&client);
    assert_has(reply, status);
    assert_has(reply, part);
    client_close(&client);
}

static void test_unknown_and_reserved(void **state)
{
    (void)state;
    expect("GET /v1", " 404 ", "not-found");
    expect("GET /v1/kv", " 404 ", "not-found");
    expect("GET /v1/batch", " 501 ", "not-implemented");
    expect("PATCH /v1/jobs/1", " 501 ", "not-implemented");
    expect("GET /v1/tokens", " 501 ", "not-implemented");
    expect("POST /v1/cluster/invite", " 501 ", "not-implemented");
}

static void test_methods(void **state)
{
    (void)state;
    expect("POST /v1/kv/app/k", " 405 ", "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n");
    expect("PUT /livez", " 405 ", "Allow: GET, HEAD, OPTIONS\r\n");
    expect("GET /v1/cluster/leave", " 405 ", "Allow: POST, OPTIONS\r\n");
    expect("OPTIONS /v1/kv/app", " 204 ", "Allow: GET, HEAD, POST, DELETE, OPTIONS\r\n");
    expect("OPTIONS /nowhere", " 404 ", "not-found");
}

static void test_every_op_has_a_route(void **state)
{
    static const struct {
        const char *line;
        enum op_kind kind;
    } rows[] = {
        {"GET /v1/kv/a/b", OP_GET},
        {"HEAD /v1/kv/a/b", OP_GET},
        {"PUT /v1/kv/a/b", OP_PUT},
        {"DELETE /v1/kv/a/b", OP_DELETE},
        {"POST /v1/kv/a", OP_PUT},
        {"GET /v1/kv/a", OP_LIST},
        {"GET /v1/self", OP_SELF},
        {"GET /v1/members", OP_MEMBERS},
        {"GET /v1/members/x", OP_MEMBERS},
        {"GET /v1/rtt", OP_MEMBERS},
        {"GET /v1/cluster", OP_CLUSTER},
        {"GET /readyz", OP_READY},
        {"GET /metrics", OP_METRICS},
        {"DELETE /v1/self/block", OP_BLOCK},
        {"POST /v1/cluster/leave", OP_LEAVE},
        {"POST /v1/backup", OP_SCAN},
        {"POST /v1/restore", OP_RESTORE},
        {"GET /v1/ring/lookup?ns=a&key=b", OP_LOOKUP},
        {"GET /v1/overlay/lookup?ns=a&key=b", OP_OVERLAY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client client;

        client_open(&client, NULL);
        assert_true(client_ask(&client, rows[i].line, ""));
        assert_int_equal(client.op.kind, rows[i].kind);
        client_close(&client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_and_reserved),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_every_op_has_a_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
