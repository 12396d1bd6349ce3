/* edge_pace_test.c: how long heads, bodies, idle clients and silent ones may take. */
#include "edge_client.h"
#include "limits.h"

#define GET_KEY "GET /v1/kv/app/k HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LIVE "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
static const struct result MISSING = {.kind = OP_GET, .status = STATUS_MISSING};

static void test_slow_head_times_out(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(10));
    assert_int_equal(edge_conn_receive(client.conn, INSTANT_S(3), slice_text("GET /")), STATUS_OK);
    assert_int_equal(edge_conn_receive(client.conn, INSTANT_S(9), slice_text("l")), STATUS_OK);
    assert_false(edge_conn_next(client.conn, &client.op, &client.slot));
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(13));
    edge_conn_expire(client.conn, INSTANT_S(13) - 1);
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    edge_conn_expire(client.conn, INSTANT_S(13));
    assert_has(client_take(&client), "HTTP/1.1 408 ");
    assert_true(edge_conn_wants_close(client.conn));
    client_close(&client);
}

static void test_slow_body_times_out(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "PUT /v1/kv/app/k", "Content-Length: 900\r\n"));
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(20));
    edge_conn_expire(client.conn, INSTANT_S(20));
    assert_has(client_take(&client), "HTTP/1.1 408 ");
    assert_int_equal(edge_conn_receive(client.conn, 0, slice_text("x")), STATUS_CLOSED);
    client_close(&client);
}

static void test_idle_connection_ends_silently(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    client_send(&client, LIVE);
    client_take(&client);
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(60));
    edge_conn_expire(client.conn, INSTANT_S(60));
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    assert_true(edge_conn_wants_close(client.conn));
    client_close(&client);
}

static void test_waiting_for_the_core_has_no_deadline(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_send(&client, GET_KEY));
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_NEVER);
    edge_conn_reply(client.conn, client.slot, INSTANT_S(100), &MISSING);
    client_take(&client);
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(160));
    client_close(&client);
}

static void test_client_that_takes_nothing_is_cut(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    client_send(&client, LIVE);
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(30));
    edge_conn_sent(client.conn, 1);
    edge_conn_expire(client.conn, INSTANT_S(30)); /* it took a byte: another 30 s */
    assert_true(edge_conn_output(client.conn).size > 0);
    edge_conn_expire(client.conn, INSTANT_S(60));
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    assert_true(edge_conn_wants_close(client.conn));
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_head_times_out),
        cmocka_unit_test(test_slow_body_times_out),
        cmocka_unit_test(test_idle_connection_ends_silently),
        cmocka_unit_test(test_waiting_for_the_core_has_no_deadline),
        cmocka_unit_test(test_client_that_takes_nothing_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
