/* edge_render_test.c: heads and problem bodies. */
#include "edge_client.h"

static const char *ask(struct client *client, const char *line, const struct result *result)
{
    if (client_ask(client, line, ""))
        client_reply(client, result);
    return client_take(client);
}

static void test_route_field(void **state)
{
    struct result result = {.kind = OP_DELETE, .acks = 2, .total = 3, .route_count = 3};
    struct client client;

    (void)state;
    result.route[0] = (struct route_hop){label_make(slice_text("peer-1")), ROLE_EDGE};
    result.route[1] = (struct route_hop){label_make(slice_text("peer-4")), ROLE_COORD};
    result.route[2] =
        (struct route_hop){label_make(slice_text("p\r\nX: y")), ROLE_REPLICA | ROLE_FAILED};
    client_open(&client, NULL);
    assert_has(ask(&client, "DELETE /v1/kv/a/b", &result),
               "Gossamer-Route: peer-1;edge, peer-4;coord, p_____y;replica;failed\r\n");
    result.route[0].roles = ROLE_EDGE | ROLE_COORD;
    result.route_count = 1;
    assert_has(ask(&client, "DELETE /v1/kv/a/b", &result), "Gossamer-Route: peer-1;edge;coord\r\n");
    result.route[0] = result.route[1];
    assert_has(ask(&client, "DELETE /v1/kv/a/b", &result),
               "Gossamer-Route: peer-1;edge, peer-4;coord\r\n");
    client_close(&client);
}

static void test_problem_body(void **state)
{
    struct result result = {.kind = OP_PUT,
                            .status = STATUS_DEADLINE,
                            .acks = 1,
                            .required = 2,
                            .total = 3,
                            .outcome = OUTCOME_PARTIAL};
    struct client client;
    const char *reply;
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    reply = ask(&client, "PUT /v1/kv/a/b?timeout=2s", &result);
    assert_has(reply, "HTTP/1.1 503 ");
    assert_has(reply, "\r\nRetry-After: 1\r\n");
    assert_has(reply, "\r\nGossamer-Acks: 1/3\r\n");
    json = client_json(reply);
    assert_string_equal(json_string_value(json_object_get(json, "type")),
                        "/problems/quorum-timeout");
    assert_string_equal(json_string_value(json_object_get(json, "instance")), "/v1/kv/a/b");
    assert_string_equal(json_string_value(json_object_get(json, "peer")), "peer-1");
    assert_string_equal(json_string_value(json_object_get(json, "outcome")), "stored-partial");
    assert_true(json_is_false(json_object_get(json, "definite")));
    assert_int_equal(json_integer_value(json_object_get(json, "acks")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "required")), 2);
    assert_true(json_is_true(json_object_get(json, "retryable")));
    json_decref(json);
    client_close(&client);
}

static void test_outcomes(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_has(ask(&client, "PUT /v1/kv/a/b",
                   &(struct result){
                       .kind = OP_PUT, .status = STATUS_PRECONDITION, .etag = 42, .total = 3}),
               "ETag: \"AAAAAAAAACo\"\r\n");
    assert_has(ask(&client, "PUT /v1/kv/a/b",
                   &(struct result){.kind = OP_PUT, .status = STATUS_PRECONDITION}),
               "\"outcome\":\"not-stored\",\"definite\":true");
    assert_has(
        ask(&client, "DELETE /v1/kv/a/b", &(struct result){.kind = OP_DELETE, .status = STATUS_IO}),
        "\"outcome\":\"unknown\",\"definite\":false");
    assert_lacks(
        ask(&client, "GET /v1/kv/a/b", &(struct result){.kind = OP_GET, .status = STATUS_DEADLINE}),
        "outcome");
    client_close(&client);
}

static void test_a_status_has_its_own_reason(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_has(
        ask(&client, "GET /v1/kv/a/b", &(struct result){.kind = OP_GET, .status = STATUS_DEADLINE}),
        "HTTP/1.1 503 Service Unavailable\r\n");
    client_close(&client);
    client_open(&client, NULL);
    assert_has(ask(&client, "GET /nowhere", NULL), "HTTP/1.1 404 Not Found\r\n");
    client_close(&client);
}

static void test_head_of_a_problem_has_no_body(void **state)
{
    struct client client;
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    reply = ask(&client, "HEAD /nowhere", NULL);
    assert_has(reply, "Content-Length: ");
    assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route_field),
        cmocka_unit_test(test_problem_body),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_a_status_has_its_own_reason),
        cmocka_unit_test(test_head_of_a_problem_has_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
