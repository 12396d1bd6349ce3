/* edge_crdt_reply_test.c: answers about typed keys. */
#include "edge_client.h"

static const char *reply(struct client *client, const char *line, const struct result *result)
{
    client_open(client, NULL);
    assert_true(client_ask(client, line, ""));
    client_reply(client, result);
    return client_take(client);
}

static void expect(const char *line, const struct result *result, const char *status,
                   const char *body)
{
    struct client client;
    const char *text = reply(&client, line, result);

    if (!strstr(text, status) || !strstr(text, body))
        fail_msg("expected %s and %s in: %s", status, body, text);
    client_close(&client);
}

#define GET "GET /v1/crdt/app/k"
#define ADD "POST /v1/crdt/app/k?add=1"

static void test_each_type_is_shown(void **state)
{
    const struct result_value values[] = {
        {.etag = 1, .type = TYPE_MVREGISTER, .body = slice_text("v1")},
        {.etag = 2, .type = TYPE_MVREGISTER, .body = slice_text("v2")}};
    struct result result = {.kind = OP_GET,
                            .acks = 2,
                            .total = 3,
                            .types = 1u << TYPE_COUNTER,
                            .number = -42,
                            .context = slice_text("AQEo"),
                            .values = values,
                            .value_count = 2};

    (void)state;
    expect(GET, &result, " 200 ", "{\"type\":\"counter\",\"value\":-42,\"context\":\"AQEo\"}");
    result.types = 1u << TYPE_MVREGISTER;
    expect(GET, &result, " 200 ", "\"value\":[\"v1\",\"v2\"]");
    result.types = 1u << TYPE_FLAG;
    expect(GET, &result, " 200 ", "\"value\":false");
    result.is_true = true;
    expect(GET, &result, " 200 ", "\"value\":true");
    result.types = 1u << TYPE_HLL;
    result.number = 10234;
    expect(GET, &result, " 200 ", "{\"type\":\"hll\",\"value\":10234,");
    result.types = 1u << TYPE_COUNTER | 1u << TYPE_FLAG;
    expect(
        GET, &result, " 300 ",
        "{\"parts\":[{\"type\":\"counter\",\"value\":10234},{\"type\":\"flag\",\"value\":true}]");
    result.types = 1u << TYPE_COUNTER;
    result.is_beyond = true;
    expect(GET, &result, " 409 ", "counter-overflow");
    result = (struct result){.kind = OP_GET, .status = STATUS_MISSING};
    expect(GET, &result, " 404 ", "not-found");
}

#define ELEMENT(text) .path = {(const uint8_t *)text, sizeof(text) - 1}

static void test_sets_and_maps_are_documents(void **state)
{
    const struct result_value v = {.type = TYPE_REGISTER, .body = slice_text("v")};
    const struct result_element members[] = {{ELEMENT("\3a")}, {ELEMENT("\3b")}};
    const struct result_element fields[] = {
        {ELEMENT("\4deep\0\4in\0\5"), .types = 1u << TYPE_COUNTER, .number = 7},
        {ELEMENT("\4deep\0\4on\0\6"), .types = 1u << TYPE_FLAG, .is_true = true},
        {ELEMENT("\4name\0\7"), .types = 1u << TYPE_REGISTER, .values = &v, .value_count = 1},
        {ELEMENT("\4tags\0\3x"), .types = 1u << TYPE_VALUE},
        {ELEMENT("\4tags\0\3y"), .types = 1u << TYPE_VALUE},
        {ELEMENT("\4cut"), .types = 1u << TYPE_VALUE}, /* no row of ours */
    };
    struct result result = {.kind = OP_COLLECTION,
                            .types = 1u << TYPE_SET,
                            .elements = members,
                            .element_count = 2,
                            .context = slice_text("AQ")};

    (void)state;
    expect(GET, &result, " 200 ",
           "{\"type\":\"set\",\"value\":[\"a\",\"b\"],\"context\":\"AQ\",\"next\":null}");
    result.is_truncated = true;
    expect(GET, &result, " 200 ", "\"next\":\"n2.A2I\"");
    result.element_count = 0;
    expect(GET, &result, " 200 ", "\"value\":[]");
    result = (struct result){
        .kind = OP_COLLECTION, .types = 1u << TYPE_MAP, .elements = fields, .element_count = 6};
    expect(GET, &result, " 200 ",
           "\"value\":{\"deep\":{\"in\":7,\"on\":true},\"name\":\"v\",\"tags\":[\"x\",\"y\"]}");
    expect(GET "?field=tags", &result, " 200 ", "\"value\":[\"x\",\"y\"]");
    expect(GET "?field=none", &result, " 404 ", "no such field");
    result = (struct result){.kind = OP_GET, .types = 1u << TYPE_VALUE};
    expect(GET "?member=a", &result, " 200 ", "{\"present\":true,");
    result.status = STATUS_MISSING;
    expect(GET "?member=a", &result, " 200 ", "{\"present\":false,");
}

static void test_other_types_are_named_on_both_routes(void **state)
{
    struct result result = {.kind = OP_GET, .types = 1u << TYPE_VALUE};

    (void)state;
    expect(GET, &result, " 409 ", "holds a value; this request is about a CRDT type");
    expect(GET, &result, " 409 ", "/v1/kv/app/KEY");
    result.types = 1u << TYPE_COUNTER;
    expect("GET /v1/kv/app/k", &result, " 409 ", "holds a counter; this request is about a value");
    expect("GET /v1/kv/app/k", &result, " 409 ", "/v1/crdt/app/KEY");
    result = (struct result){.kind = OP_UPDATE,
                             .status = STATUS_TYPE,
                             .outcome = OUTCOME_NOT_STORED,
                             .types = 1u << TYPE_SET};
    expect(ADD, &result, " 409 ", "holds a set; this request is about a counter");
    expect(ADD, &result, " 409 ", "\"outcome\":\"not-stored\"");
    expect("PUT /v1/kv/app/k", &result, " 409 ", "holds a set; this request is about a value");
}

static void test_updates(void **state)
{
    struct result result = {
        .kind = OP_UPDATE, .acks = 2, .total = 3, .types = 1u << TYPE_COUNTER, .number = 7};

    (void)state;
    expect(ADD, &result, " 204 ", "Gossamer-Acks: 2/3");
    expect(ADD "&return=body", &result, " 200 ", "\"value\":7");
    result = (struct result){.kind = OP_UPDATE, .status = STATUS_OVERFLOW};
    expect(ADD, &result, " 409 ", "counter-overflow");
    result =
        (struct result){.kind = OP_UPDATE, .status = STATUS_DEADLINE, .outcome = OUTCOME_UNKNOWN};
    expect(ADD, &result, " 503 ", "\"outcome\":\"unknown\"");
    result = (struct result){.kind = OP_DELETE};
    expect("DELETE /v1/crdt/app/k", &result, " 204 ", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_is_shown),
        cmocka_unit_test(test_sets_and_maps_are_documents),
        cmocka_unit_test(test_other_types_are_named_on_both_routes),
        cmocka_unit_test(test_updates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
