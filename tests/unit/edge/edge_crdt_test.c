/* edge_crdt_test.c: requests for typed keys become ops. */
#include "edge_client.h"

static void test_reads_cover_all_they_show(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/crdt/app/a/b?consistency=all", ""));
    assert_int_equal(client.op.kind, OP_COLLECTION);
    assert_int_equal(client.op.limit, 1000);
    assert_true(client.op.has_siblings);
    assert_slice(client.op.key, "a/b");
    assert_int_equal(client.op.consistency, CONSISTENCY_ALL);
    client_close(&client);
}

static void test_pages_members_and_fields(void **state)
{
    static const char *const bad[] = {
        "?next=n1.YQ", "?next=n2.YQ&start_after=a", "?start_after=",      "?member=",
        "?limit=0",    "?member=a&field=b",         "?member=a&limit=10", "?field=%01"};
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/crdt/app/k?start_after=a&limit=7", ""));
    assert_slice(client.op.body, "a");
    assert_int_equal(client.op.limit, 7);
    assert_true(client_ask(&client, "GET /v1/crdt/app/k?next=n2.A2E", ""));
    assert_slice(client.op.after, "\3a");
    assert_true(client_ask(&client, "GET /v1/crdt/app/k?member=al%20ice", ""));
    assert_int_equal(client.op.kind, OP_GET);
    assert_int_equal(client.op.key.size, 9);
    assert_memory_equal(client.op.key.data, "k\0\3al ice", 9);
    assert_true(client_ask(&client, "GET /v1/crdt/app/k?field=visits", ""));
    assert_int_equal(client.op.kind, OP_COLLECTION);
    assert_int_equal(client.op.prefix.size, 8);
    assert_memory_equal(client.op.prefix.data, "\4visits\0", 8);
    client_close(&client);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[100];

        client_open(&client, NULL);
        snprintf(line, sizeof line, "GET /v1/crdt/app/k%s", bad[i]);
        assert_false(client_ask(&client, line, ""));
        assert_non_null(strstr(client_take(&client), " 400 "));
        client_close(&client);
    }
}

static void test_deletes_name_a_type(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "DELETE /v1/crdt/app/a", ""));
    assert_int_equal(client.op.type, 0);
    assert_true(client.op.is_many);
    assert_true(client_ask(&client, "DELETE /v1/crdt/app/a?type=counter", ""));
    assert_int_equal(client.op.kind, OP_DELETE);
    assert_int_equal(client.op.type, TYPE_COUNTER);
    client_close(&client);
    client_open(&client, NULL);
    assert_false(client_ask(&client, "DELETE /v1/crdt/app/a?type=count", ""));
    assert_non_null(strstr(client_take(&client), " 400 "));
    assert_false(
        client_ask(&client, "DELETE /v1/crdt/app/a?type=flag", "Gossamer-Context: AQ\r\n"));
    assert_non_null(strstr(client_take(&client), " 400 "));
    client_close(&client);
}

static void test_an_update_may_want_its_value(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(
        client_ask(&client, "POST /v1/crdt/app/a?add=1&return=body", "Gossamer-Context: AQ\r\n"));
    assert_true(client.op.shows);
    assert_slice(client.op.context, "AQ");
    assert_true(client_ask(&client, "POST /v1/crdt/app/a?add=1", ""));
    assert_false(client.op.shows);
    assert_false(client_ask(&client, "POST /v1/crdt/app/a?add=1", "If-Match: *\r\n"));
    assert_false(client_ask(&client, "PUT /v1/crdt/app/a", ""));
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_cover_all_they_show),
        cmocka_unit_test(test_pages_members_and_fields),
        cmocka_unit_test(test_deletes_name_a_type),
        cmocka_unit_test(test_an_update_may_want_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
