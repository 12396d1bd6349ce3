/* edge_kv_test.c: requests become ops. */
#include "edge_client.h"

static void test_put(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "PUT /v1/kv/app/a%2Fb%25?consistency=one&timeout=3s",
                            "Content-Length: 4\r\nGossamer-Context: AQ-_\r\n"));
    assert_true(client_send(&client, "a\r\nb"));
    assert_int_equal(client.op.kind, OP_PUT);
    assert_slice(client.op.ns, "app");
    assert_slice(client.op.key, "a/b%");
    assert_slice(client.op.context, "AQ-_");
    assert_slice(client.op.body, "a\r\nb");
    assert_int_equal(client.op.consistency, CONSISTENCY_ONE);
    assert_int_equal(client.op.timeout_ms, 3000);
    client_close(&client);
}

static void test_nothing_stays_from_the_request_before(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "PUT /v1/kv/app/a?timeout=3s",
                           "If-Match: *\r\nGossamer-Context: AQ\r\n"));
    assert_true(client_ask(&client, "DELETE /v1/kv/app/a", ""));
    assert_int_equal(client.op.kind, OP_DELETE);
    assert_int_equal(client.op.timeout_ms, 0);
    assert_int_equal(client.op.condition, 0);
    assert_int_equal(client.op.context.size, 0);
    assert_int_equal(client.op.meta.size, 0);
    client_close(&client);
}

static void test_a_time_to_live(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "PUT /v1/kv/app/a?ttl=30s", ""));
    assert_true(client.op.ttl_ms == 30000);
    assert_true(client_ask(&client, "POST /v1/kv/app?ttl=3650d", ""));
    assert_true(client.op.ttl_ms == TTL_MAX_MS);
    assert_true(client_ask(&client, "PUT /v1/kv/app/a", ""));
    assert_true(client.op.ttl_ms == 0);
    client_close(&client);
}

static void test_siblings(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/app/a", ""));
    assert_false(client.op.has_siblings);
    assert_true(client_ask(&client, "GET /v1/kv/app/a?siblings=all", ""));
    assert_true(client.op.has_siblings);
    assert_true(client_ask(&client, "GET /v1/kv/app/a?sibling=%22AAAAAAAAACo%22", ""));
    assert_false(client.op.has_siblings);
    client_close(&client);
}

static void test_listing_goes_on_where_it_ended(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/app?next=n1.aW1nLzc", ""));
    assert_int_equal(client.op.kind, OP_LIST);
    assert_slice(client.op.after, "img/7");
    assert_int_equal(client.op.limit, LIST_LIMIT_DEFAULT);
    client_close(&client);
}

static void test_post_makes_a_key(void **state)
{
    struct client client;
    char location[128];

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "POST /v1/kv/app", ""));
    assert_int_equal(client.op.key.size, 26);
    snprintf(location, sizeof location, "HTTP/1.1 201 Created\r\n");
    client_reply(&client, &(struct result){.kind = OP_PUT});
    assert_has(client_take(&client), location);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_nothing_stays_from_the_request_before),
        cmocka_unit_test(test_a_time_to_live),
        cmocka_unit_test(test_siblings),
        cmocka_unit_test(test_listing_goes_on_where_it_ended),
        cmocka_unit_test(test_post_makes_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
