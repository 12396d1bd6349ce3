/* edge_test.c: what all connections share. */
#include "edge_client.h"

static void test_date_follows_the_wall(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    client_ask(&client, "GET /livez", "");
    assert_has(client_take(&client), "Date: Sat, 21 Nov 2026 10:40:00 GMT\r\n");
    edge_set_wall(client.edge, CLIENT_WALL_MS + 1000);
    client_ask(&client, "GET /livez", "");
    assert_has(client_take(&client), "Date: Sat, 21 Nov 2026 10:40:01 GMT\r\n");
    client_close(&client);
}

static void test_connections_are_counted(void **state)
{
    struct client client;
    struct edge_conn *other;

    (void)state;
    client_open(&client, NULL);
    other = edge_conn_new(client.edge, false, 0);
    assert_int_equal(client.metrics.values[METRIC_HTTP_CONNECTIONS], 2);
    edge_conn_delete(other);
    assert_int_equal(client.metrics.values[METRIC_HTTP_CONNECTIONS], 1);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_date_follows_the_wall),
        cmocka_unit_test(test_connections_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
