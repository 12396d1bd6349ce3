/* edge_space_test.c: settings of namespaces as JSON, in and out. */
#include "edge_client.h"

static struct client client;

static bool put_body(const char *body)
{
    char fields[64];

    (void)snprintf(fields, sizeof(fields), "Content-Length: %zu\r\n", strlen(body));
    assert_false(client_ask(&client, "PUT /v1/namespaces/app", fields));
    return client_send(&client, body);
}

static void refused(const char *body, const char *status, const char *words)
{
    const char *reply;

    client_open(&client, NULL);
    assert_false(put_body(body));
    reply = client_take(&client);
    assert_has(reply, status);
    assert_has(reply, words);
    client_close(&client);
}

static void test_settings_are_read(void **state)
{
    (void)state;
    client_open(&client, NULL);
    assert_true(put_body("{\"consistency\":\"one\",\"conflict\":\"lww\",\"ttl\":\"12h\","
                         "\"replicas\":3}"));
    assert_int_equal(client.op.kind, OP_SPACE_PUT);
    assert_slice(client.op.ns, "app");
    assert_int_equal(client.op.space.set, SPACE_ALL);
    assert_int_equal(client.op.space.consistency, CONSISTENCY_ONE);
    assert_int_equal(client.op.space.conflict, CONFLICT_LWW);
    assert_int_equal(client.op.space.replicas, 3);
    assert_true(client.op.space.ttl_ms == 43200000);
    assert_true(put_body("{\"ttl\":\"none\",\"conflict\":null}"));
    assert_int_equal(client.op.space.set, SPACE_TTL);
    assert_true(client.op.space.ttl_ms == 0);
    assert_true(put_body("{}"));
    assert_int_equal(client.op.space.set, 0);
    assert_true(client_ask(&client, "DELETE /v1/namespaces/_default", ""));
    assert_int_equal(client.op.kind, OP_SPACE_DELETE);
    assert_slice(client.op.ns, "_default");
    client_close(&client);
}

static void test_what_has_no_effect_is_refused(void **state)
{
    (void)state;
    refused("{\"sloppy\":true}", " 501 ", "no effect yet");
    refused("{\"quota_bytes\":0}", " 501 ", "quota_bytes");
    refused("{\"balance\":null}", " 501 ", "balance");
    refused("{\"replica\":3}", " 400 ", "unknown-parameter");
    refused("{\"replicas\":8}", " 400 ", "1 to 7");
    refused("{\"replicas\":\"3\"}", " 400 ", "1 to 7");
    refused("{\"conflict\":\"newest\"}", " 400 ", "siblings");
    refused("{\"consistency\":2}", " 400 ", "quorum");
    refused("{\"ttl\":\"1ms\"}", " 400 ", "1s to 3650d");
    refused("{\"ttl\":\"1s\",\"ttl\":\"2s\"}", " 400 ", "JSON");
    refused("[]", " 400 ", "object");
    client_open(&client, NULL);
    assert_false(client_ask(&client, "GET /v1/namespaces/_other", ""));
    assert_has(client_take(&client), " 403 ");
    client_close(&client);
}

static const struct result_space app = {.name = {(const uint8_t *)"app", 3},
                                        .own = {SPACE_TTL | SPACE_CONFLICT, 0, 0, 2, 5400000},
                                        .full = {SPACE_ALL, 3, 2, 2, 5400000}};

static const char *answer(const char *line, struct result *result)
{
    assert_true(client_ask(&client, line, ""));
    result->kind = client.op.kind;
    client_reply(&client, result);
    return client_take(&client);
}

static void test_answers(void **state)
{
    struct result result = {.space_count = 1, .spaces = &app};
    const char *reply;
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    reply = answer("GET /v1/namespaces/app", &result);
    assert_has(reply, " 200 OK\r\n");
    json = client_json(reply);
    assert_string_equal(json_string_value(json_object_get(json, "ttl")), "90m");
    assert_string_equal(json_string_value(json_object_get(json, "conflict")), "lww");
    assert_string_equal(json_string_value(json_object_get(json, "consistency")), "quorum");
    assert_int_equal(json_integer_value(json_object_get(json, "replicas")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "set")), 2);
    json_decref(json);
    json = client_json(answer("GET /v1/namespaces", &result));
    assert_int_equal(json_array_size(json_object_get(json, "namespaces")), 1);
    json_decref(json);
    result.is_created = true;
    assert_true(put_body("{}"));
    result.kind = OP_SPACE_PUT;
    client_reply(&client, &result);
    assert_has(client_take(&client), " 201 Created\r\n");
    result.space_count = 0;
    assert_has(answer("DELETE /v1/namespaces/app", &result), " 204 ");
    result.status = STATUS_CONFLICT;
    assert_has(answer("DELETE /v1/namespaces/app", &result), "there are keys in the namespace");
    result.status = STATUS_MISSING;
    assert_has(answer("GET /v1/namespaces/app", &result), " 404 ");
    assert_true(put_body("{\"replicas\":5}"));
    result.kind = OP_SPACE_PUT;
    result.status = STATUS_CONFLICT;
    client_reply(&client, &result);
    assert_has(client_take(&client), "replicas change while it is empty");
    result.status = STATUS_UNSUPPORTED;
    assert_true(put_body("{\"replicas\":5}"));
    client_reply(&client, &result);
    assert_has(client_take(&client), " 501 ");
    result.status = STATUS_FULL;
    assert_true(put_body("{}"));
    client_reply(&client, &result);
    assert_has(client_take(&client), " 409 ");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_are_read),
        cmocka_unit_test(test_what_has_no_effect_is_refused),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
