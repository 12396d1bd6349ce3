/* edge_stream_test.c: members as a stream of events: what leaves, in which order, and how it ends.
 */
#include "edge_client.h"
#include "limits.h"

#define ACCEPT "Accept: text/event-stream\r\n"

static const struct result_member peers[] = {{.rank = RANK_ALIVE, .incarnation = 7},
                                             {.rank = RANK_DEAD, .incarnation = 8}};
static const struct result whole = {
    .kind = OP_MEMBERS, .is_more = true, .members = peers, .member_count = 2};
static const struct result change = {
    .kind = OP_MEMBERS, .is_more = true, .members = &peers[1], .member_count = 1};
static struct client client;

static int setup(void **state)
{
    (void)state;
    client_open(&client, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    client_close(&client);
    return 0;
}

/* "1a\r\n" of that many bytes, and then the bytes. */
static const char *take_chunk(const char *text, char *into)
{
    char *end;
    size_t size = strtoul(text, &end, 16);

    assert_memory_equal(end, "\r\n", 2);
    assert_true(strlen(end + 2) >= size + 2);
    memcpy(into, end + 2, size);
    into[size] = 0;
    assert_memory_equal(end + 2 + size, "\r\n", 2);
    return end + 2 + size + 2;
}

static void test_the_whole_and_then_changes(void **state)
{
    static char event[8192];
    const char *text;

    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    assert_true(client.op.is_watch);
    client_reply(&client, &whole);
    text = client_take(&client);
    assert_has(text, "Content-Type: text/event-stream\r\n");
    assert_has(text, "Transfer-Encoding: chunked\r\n");
    text = take_chunk(strstr(text, "\r\n\r\n") + 4, event);
    assert_string_equal(text, "");
    assert_ptr_equal(strstr(event, "event: members\ndata: {\"members\":[{"), event);
    assert_string_equal(event + strlen(event) - 3, "}\n\n");
    client_reply(&client, &change);
    client_reply(&client, &change);
    text = take_chunk(client_take(&client), event);
    assert_ptr_equal(strstr(event, "event: member\ndata: {\"id\""), event);
    assert_has(event, "\"state\":\"dead\"");
    assert_string_equal(take_chunk(text, event), "");
    assert_int_equal(edge_conn_pending(client.conn), 1);
    assert_true(edge_conn_is_stream(client.conn));
}

static void test_others_get_one_answer(void **state)
{
    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", "Accept: */*\r\n"));
    assert_false(client.op.is_watch);
    client_reply(&client, &(struct result){.kind = OP_MEMBERS});
    assert_has(client_take(&client), "Content-Type: application/json");
    assert_true(client_ask(&client, "HEAD /v1/members", ACCEPT));
    assert_false(client.op.is_watch);
}

static void test_too_many_watchers_are_told(void **state)
{
    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    client_reply(&client, &(struct result){.kind = OP_MEMBERS, .status = STATUS_OVERLOAD});
    assert_has(client_take(&client), "HTTP/1.1 503 ");
    assert_true(client_ask(&client, "GET /v1/self", "")); /* the connection goes on */
}

static void test_quiet_streams_get_a_comment(void **state)
{
    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    client_reply(&client, &whole);
    client_take(&client);
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(EDGE_BEAT_S));
    edge_conn_expire(client.conn, INSTANT_S(EDGE_BEAT_S));
    assert_string_equal(client_take(&client), "00000003\r\n:\n\n\r\n");
    assert_int_equal(edge_conn_deadline(client.conn), INSTANT_S(2 * EDGE_BEAT_S));
    assert_false(edge_conn_wants_close(client.conn));
}

static void test_nothing_is_taken_behind_a_stream(void **state)
{
    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    client_reply(&client, &whole);
    assert_false(client_ask(&client, "GET /v1/self", ""));
    assert_true(edge_conn_wants_read(client.conn)); /* to learn that the client goes */
    edge_conn_end(client.conn);
    assert_true(edge_conn_wants_close(client.conn));
}

static void test_earlier_answers_come_first(void **state)
{
    uint32_t before;
    const char *text;

    (void)state;
    assert_true(client_ask(&client, "GET /v1/self", ""));
    before = client.slot;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    client_reply(&client, &whole);
    client_reply(&client, &change);
    assert_int_equal(edge_conn_output(client.conn).size, 0);
    edge_conn_reply(client.conn, before, 0,
                    &(struct result){.kind = OP_SELF, .self = &(struct result_self){.weight = 1}});
    text = client_take(&client);
    assert_has(text, "\"uptime_s\"");
    assert_true(strstr(text, "\"uptime_s\"") < strstr(text, "event: members\n"));
    assert_has(text, "event: member\n");
}

static void test_a_slow_watcher_is_cut(void **state)
{
    unsigned told = 0;

    (void)state;
    assert_true(client_ask(&client, "GET /v1/members", ACCEPT));
    client_reply(&client, &whole);
    while (!edge_conn_wants_close(client.conn) && told < 10000) {
        client_reply(&client, &change);
        told++;
        assert_true(edge_conn_output(client.conn).size < EDGE_WATCH_HIGH + 4096);
    }
    assert_in_range(told, 100, 9999);
    client_reply(&client, &change); /* until the driver has cancelled it */
    assert_int_equal(edge_conn_output(client.conn).size, 0);
}

static void test_old_clients_get_no_chunks(void **state)
{
    const char *text;

    (void)state;
    assert_true(
        client_send(&client, "GET /v1/members HTTP/1.0\r\nHost: localhost\r\n" ACCEPT "\r\n"));
    client_reply(&client, &whole);
    client_reply(&client, &change);
    text = client_take(&client);
    assert_lacks(text, "chunked");
    assert_has(text, "\r\n\r\nevent: members\n");
    assert_has(text, "}\n\nevent: member\n");
    assert_false(edge_conn_wants_close(client.conn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_whole_and_then_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_get_one_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_watchers_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quiet_streams_get_a_comment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_taken_behind_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_earlier_answers_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_slow_watcher_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_clients_get_no_chunks, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
