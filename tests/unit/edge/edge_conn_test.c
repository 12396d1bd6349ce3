/* edge_conn_test.c: order, back-pressure and the end of a connection. */
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
        cmocka_unit_test(test_end_of_input_answers_what_was_asked),
        cmocka_unit_test(test_end_of_input_inside_a_body),
        cmocka_unit_test(test_continue_waits_for_earlier_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
