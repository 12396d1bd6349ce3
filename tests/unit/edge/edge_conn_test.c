/* edge_conn_test.c: order, back-pressure, time and the end of a connection. */
#include "edge_client.h"
#include "limits.h"

#define GET_KEY "GET /v1/kv/app/k HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LIVE "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
static const struct result MISSING = {.kind = OP_GET, .status = STATUS_MISSING};

static void test_answers_leave_in_order(void **state)
{
    struct client client;
    struct op op;
    uint32_t slots[2];
    const char *text;

    (void)state;
    client_open(&client, NULL);
    assert_int_equal(edge_conn_receive(client.conn, 0, slice_text(GET_KEY LIVE GET_KEY LIVE)), 0);
    assert_true(edge_conn_next(client.conn, &op, &slots[0]));
    assert_true(edge_conn_next(client.conn, &op, &slots[1]));
    assert_false(edge_conn_next(client.conn, &op, &client.slot));
    assert_int_equal(edge_conn_pending(client.conn), 2);
    edge_conn_reply(client.conn, slots[1], 0, &MISSING);
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    edge_conn_reply(client.conn, slots[0], 0, &MISSING);
    text = strstr(client_take(&client), "404");
    text = strstr(text + 3, "HTTP/1.1 200");
    text = strstr(text + 3, "HTTP/1.1 404");
    assert_non_null(strstr(text + 3, "HTTP/1.1 200"));
    assert_int_equal(edge_conn_pending(client.conn), 0);
    client_close(&client);
}

static void test_slices_of_an_op_live_until_its_answer(void **state)
{
    struct client client;
    struct op first, other;
    uint32_t slot, slots[40];

    (void)state;
    client_open(&client, NULL);
    assert_true(client_send(&client, GET_KEY));
    first = client.op;
    slot = client.slot;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(edge_conn_receive(client.conn, 0, slice_text(GET_KEY)), STATUS_OK);
        assert_true(edge_conn_next(client.conn, &other, &slots[i]));
    }
    assert_slice(first.key, "k");
    edge_conn_reply(client.conn, slot, 0, &MISSING);
    for (unsigned i = 40; i > 0; i--)
        edge_conn_reply(client.conn, slots[i - 1], 0, &MISSING);
    client_close(&client);
}

static void test_pipeline_is_bounded(void **state)
{
    struct client client;
    struct op op;
    uint32_t slot, first = 0;
    unsigned count = 0;

    (void)state;
    client_open(&client, NULL);
    for (unsigned i = 0; i < EDGE_PIPELINE_MAX + 5; i++)
        assert_int_equal(edge_conn_receive(client.conn, 0, slice_text(GET_KEY)), STATUS_OK);
    while (edge_conn_next(client.conn, &op, &slot))
        first = count++ ? first : slot;
    assert_int_equal(count, EDGE_PIPELINE_MAX);
    assert_false(edge_conn_wants_read(client.conn));
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_NEVER); /* not the client's fault */
    edge_conn_reply(client.conn, first, 0, &MISSING);
    assert_true(edge_conn_wants_read(client.conn));
    assert_true(edge_conn_next(client.conn, &op, &slot));
    client_close(&client);
}

static void test_unsent_output_stops_reading(void **state)
{
    static uint8_t value[EDGE_OUTPUT_HIGH + 1];
    struct result_value values = {.etag = 1, .body = {value, sizeof value}, .size = sizeof value};
    struct client client;
    struct op op;
    uint32_t slot;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_send(&client, GET_KEY));
    assert_int_equal(edge_conn_receive(client.conn, 0, slice_text(GET_KEY)), STATUS_OK);
    client_reply(&client, &(struct result){.kind = OP_GET, .value_count = 1, .values = &values});
    assert_false(edge_conn_wants_read(client.conn));
    assert_false(edge_conn_next(client.conn, &op, &slot));
    while (edge_conn_output(client.conn).size)
        edge_conn_sent(client.conn, (edge_conn_output(client.conn).size + 1) / 2);
    assert_true(edge_conn_wants_read(client.conn));
    assert_true(edge_conn_next(client.conn, &op, &slot));
    client_close(&client);
}

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

static void test_end_of_input_answers_what_was_asked(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_send(&client, GET_KEY));
    edge_conn_end(client.conn);
    assert_false(edge_conn_wants_close(client.conn));
    client_reply(&client, &MISSING);
    assert_has(client_take(&client), "404");
    assert_true(edge_conn_wants_close(client.conn));
    client_close(&client);
}

static void test_end_of_input_inside_a_body(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "PUT /v1/kv/app/k", "Content-Length: 9\r\n"));
    edge_conn_end(client.conn);
    assert_true(edge_conn_wants_close(client.conn));
    client_close(&client);
}

static void test_continue_waits_for_earlier_answers(void **state)
{
    struct client client;
    uint32_t slot;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_send(&client, GET_KEY));
    slot = client.slot;
    assert_false(
        client_ask(&client, "PUT /v1/kv/app/k", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    edge_conn_reply(client.conn, slot, 0, &MISSING);
    assert_has(client_take(&client), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(client_send(&client, "hi"));
    assert_slice(client.op.body, "hi");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_leave_in_order),
        cmocka_unit_test(test_slices_of_an_op_live_until_its_answer),
        cmocka_unit_test(test_pipeline_is_bounded),
        cmocka_unit_test(test_unsent_output_stops_reading),
        cmocka_unit_test(test_slow_head_times_out),
        cmocka_unit_test(test_slow_body_times_out),
        cmocka_unit_test(test_idle_connection_ends_silently),
        cmocka_unit_test(test_waiting_for_the_core_has_no_deadline),
        cmocka_unit_test(test_client_that_takes_nothing_is_cut),
        cmocka_unit_test(test_end_of_input_answers_what_was_asked),
        cmocka_unit_test(test_end_of_input_inside_a_body),
        cmocka_unit_test(test_continue_waits_for_earlier_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
