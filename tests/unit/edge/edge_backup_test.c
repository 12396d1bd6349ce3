/* edge_backup_test.c: rows out in pages with a cursor, rows in. */
#include <stdlib.h>

#include "edge_client.h"
#include "rows.h"

static void test_a_page_and_the_way_to_the_next(void **state)
{
    struct result_item items[2] = {
        {.ns = slice_text("n"), .key = slice_text("a"), .object = slice_text("object-a")},
        {.ns = slice_text("n"), .key = slice_text("b"), .object = slice_text("object-b")},
    };
    struct result result = {.kind = OP_SCAN,
                            .item_count = 2,
                            .items = items,
                            .is_truncated = true,
                            .partition = 7,
                            .partition_count = 16,
                            .next = slice_text("row key")};
    struct client client;
    const char *reply, *body;
    struct reader in;
    struct row row;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "POST /v1/backup?ns=n", ""));
    assert_int_equal(client.op.kind, OP_SCAN);
    assert_true(client.op.is_onward);
    assert_int_equal(client.op.partition, 0);
    assert_slice(client.op.ns, "n");
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "HTTP/1.1 200 OK\r\n");
    assert_has(reply, "Content-Type: application/vnd.gossamer.rows\r\n");
    assert_has(reply, "Gossamer-Rows: 2\r\n");
    assert_has(reply, "Gossamer-Partitions: 7/16\r\n");
    assert_has(reply, "Gossamer-Next: b1.AAAAB3JvdyBrZXk\r\n");
    assert_has(reply, "Content-Length: 34\r\n");
    body = strstr(reply, "\r\n\r\n") + 4;
    in = reader_over(slice_of(body, 34));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(row_read(&in, &row), STATUS_OK);
        assert_true(slice_equal(row.name, items[i].key));
        assert_true(slice_equal(row.object, items[i].object));
    }
    assert_true(
        client_ask(&client, "POST /v1/backup?ns=n&timeout=30s&after=b1.AAAAB3JvdyBrZXk", ""));
    assert_int_equal(client.op.partition, 7);
    assert_slice(client.op.after, "row key");
    assert_int_equal(client.op.timeout_ms, 30000);
    result = (struct result){.kind = OP_SCAN, .partition = 15, .partition_count = 16};
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "Gossamer-Partitions: 16/16\r\n");
    assert_lacks(reply, "Gossamer-Next");
    client_close(&client);
}

static void test_a_page_that_cannot_be_read_is_no_page(void **state)
{
    struct result result = {.kind = OP_SCAN,
                            .status = STATUS_UNREACHABLE,
                            .acks = 1,
                            .required = 2,
                            .total = 3,
                            .partition_count = 16};
    struct client client;
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "POST /v1/backup", ""));
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "HTTP/1.1 503 ");
    assert_has(reply, "/problems/quorum-unreachable");
    assert_has(reply, "1 of 2 required owners");
    assert_lacks(reply, "consistency=one");
    client_close(&client);
}

static void test_what_no_page_gave_is_refused(void **state)
{
    static const char *const lines[] = {"POST /v1/backup?after=",
                                        "POST /v1/backup?after=b1.",
                                        "POST /v1/backup?after=b1.AAA",
                                        "POST /v1/backup?after=n1.AAAABw",
                                        "POST /v1/backup?after=b1.%20%20",
                                        "POST /v1/backup?ns=a/b",
                                        "POST /v1/restore?replace=1",
                                        "POST /v1/restore?replace=0000000000000000",
                                        "POST /v1/restore?replace=000000000000000G",

                                        "POST /v1/backup?timeout=0s"};
    struct client client;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        client_open(&client, NULL);
        assert_false(client_ask(&client, lines[i], ""));
        assert_has(client_take(&client), "HTTP/1.1 400 ");
        client_close(&client);
    }
    client_open(&client, "secret");
    assert_false(client_ask(&client, "POST /v1/backup", ""));
    assert_has(client_take(&client), "HTTP/1.1 401 ");
    assert_false(client_ask(&client, "POST /v1/restore", ""));
    assert_has(client_take(&client), "HTTP/1.1 401 ");
    client_close(&client);
}

/* A page may be larger than any value. */
static void test_rows_come_in(void **state)
{
    static uint8_t bytes[8000], object[7000];
    struct writer out = writer_over(bytes, sizeof bytes);
    struct result result = {.kind = OP_RESTORE, .row_count = 2};
    struct client client;
    char fields[60];

    (void)state;
    row_write(&out, &(struct row){slice_text("n"), slice_text("a"), slice_of(object, 7000)});
    row_write(&out, &(struct row){slice_text("n"), slice_text("b"), slice_of(object, 1)});
    client_open(&client, NULL); /* values of at most 1,000 bytes */
    snprintf(fields, sizeof fields, "Content-Length: %zu\r\n", out.size);
    assert_false(client_ask(&client, "POST /v1/restore?timeout=5s", fields));
    assert_true(edge_conn_wants_read(client.conn));
    assert_int_equal(edge_conn_receive(client.conn, 0, writer_done(&out)), STATUS_OK);
    assert_true(edge_conn_next(client.conn, &client.op, &client.slot));
    assert_int_equal(client.op.kind, OP_RESTORE);
    assert_int_equal(client.op.timeout_ms, 5000);
    assert_true(slice_equal(client.op.body, writer_done(&out)));
    assert_int_equal(client.op.replace, 0);
    client_reply(&client, &result);
    assert_has(client_take(&client), "{\"rows\":2}");
    assert_true(client_ask(&client, "POST /v1/restore?replace=00000000000000ff", ""));
    assert_int_equal(client.op.replace, 255);
    client_reply(&client, &result);
    client_close(&client);
}

static void test_what_is_no_rows_is_refused(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "POST /v1/restore", "Content-Length: 5\r\n"));
    assert_false(client_send(&client, "\1nxxx"));
    assert_has(client_take(&client), "HTTP/1.1 400 ");
    assert_false(client_ask(&client, "POST /v1/restore", "Content-Length: 99999999\r\n"));
    assert_has(client_take(&client), "HTTP/1.1 413 ");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_and_the_way_to_the_next),
        cmocka_unit_test(test_a_page_that_cannot_be_read_is_no_page),
        cmocka_unit_test(test_what_no_page_gave_is_refused),
        cmocka_unit_test(test_rows_come_in),
        cmocka_unit_test(test_what_is_no_rows_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
