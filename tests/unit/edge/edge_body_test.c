/* edge_body_test.c: chunked bodies, each split at every place. */
#include "edge_client.h"
#include "edge_body.h"
#include "edge_head.h"

static struct edge_body body;

static void begin(uint64_t max, bool is_keeping)
{
    static const char text[] = "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    static llhttp_t parser;
    static struct edge_head head;
    struct edge_scan scan = {0};

    assert_int_equal(edge_scan_feed(&scan, (const uint8_t *)text, sizeof text - 1), STATUS_OK);
    assert_int_equal(edge_head_parse(&head, &scan, slice_text(text), &parser), STATUS_OK);
    edge_body_begin(&body, &parser, max, is_keeping);
}

/* Feeds in two parts, as the connection does: what was not used comes again. */
static enum status feed(const char *text, size_t cut, size_t *used)
{
    size_t first = 0, second = 0;
    enum status status = edge_body_feed(&body, slice_of(text, cut), &first);

    if (status == STATUS_INCOMPLETE)
        status = edge_body_feed(&body, slice_of(text + first, strlen(text) - first), &second);
    *used = first + second;
    return status;
}

static void test_every_split(void **state)
{
    static const char text[] = "3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nA: b\r\n\r\nGET";
    size_t used;

    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        begin(100, true);
        assert_int_equal(feed(text, cut, &used), STATUS_OK);
        assert_int_equal(used, sizeof text - 1 - 3);
        assert_slice(slice_of(body.bytes.data, body.bytes.size), "abc0123456789");
        edge_body_close(&body);
    }
}

static void test_limit(void **state)
{
    size_t used;

    (void)state;
    begin(3, true);
    assert_int_equal(feed("3\r\nabc\r\n0\r\n\r\n", 0, &used), STATUS_OK);
    edge_body_close(&body);
    begin(3, true);
    assert_int_equal(feed("2\r\nab\r\n2\r\n", 0, &used), STATUS_BAD);
    assert_int_equal(body.problem, PROBLEM_TOO_LARGE);
    edge_body_close(&body);
}

static void test_broken(void **state)
{
    static const char *const bad[] = {"\r\n",           "g\r\n",
                                      "3 \r\n",         "3\n",
                                      "3\r\nabcdef",    "3\r\nabc\n\n",
                                      "0\r\n\n",        "0\r\nHost: x\r\n",
                                      "0\r\n a: b\r\n", "0\r\nno colon\r\n"};
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(100, true);
        assert_int_equal(feed(bad[i], 0, &used), STATUS_BAD);
        assert_int_equal(body.problem, PROBLEM_BAD_REQUEST);
        edge_body_close(&body);
    }
}

static void test_discarded_bytes_are_not_kept(void **state)
{
    size_t used;

    (void)state;
    begin(100, false);
    assert_int_equal(feed("3\r\nabc\r\n0\r\n\r\n", 0, &used), STATUS_OK);
    assert_int_equal(body.bytes.size, 0);
    assert_int_equal(body.size, 3);
    edge_body_close(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_discarded_bytes_are_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
