/* edge_parse_test.c: the facts of a head, and every way to frame a body twice. */
#include "edge_client.h"
#include "edge_body.h"
#include "edge_head.h"

static struct edge_head head;

static enum status parse(const char *text)
{
    static struct edge_scan scan;
    static llhttp_t parser;

    scan = (struct edge_scan){0};
    assert_int_equal(edge_scan_feed(&scan, (const uint8_t *)text, strlen(text)), STATUS_OK);
    return edge_head_parse(&head, &scan, slice_text(text), &parser);
}

static void test_facts(void **state)
{
    (void)state;
    assert_int_equal(parse("PUT /v1/kv/a/b?c=d HTTP/1.1\r\nHOST: x:1\r\nContent-Length: 12\r\n"
                           "Gossamer-Meta-Owner:  me \r\nX-Other: y\r\nConnection: close\r\n\r\n"),
                     STATUS_OK);
    assert_slice(head.path, "/v1/kv/a/b");
    assert_slice(head.query, "c=d");
    assert_slice(head.fields[EDGE_FIELD_HOST], "x:1");
    assert_int_equal(head.length, 12);
    assert_true(head.has_length && head.is_closing && !head.is_chunked);
    assert_int_equal(head.user_count, 1);
    assert_slice(head.users[0].name, "Owner");
    assert_slice(head.users[0].value, "me");
}

static void test_absolute_target(void **state)
{
    (void)state;
    assert_int_equal(parse("GET http://x:1/a?b HTTP/1.1\r\nHost: x:1\r\n\r\n"), STATUS_OK);
    assert_true(head.is_absolute);
    assert_slice(head.authority, "x:1");
    assert_slice(head.path, "/a");
    assert_int_equal(parse("GET http://x?/a HTTP/1.1\r\nHost: x\r\n\r\n"), STATUS_BAD);
}

static void test_framing(void **state)
{
    static const char *const bad[] = {"Content-Length: 1\r\nContent-Length: 1\r\n",
                                      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                                      "Content-Length: -1\r\n",
                                      "Content-Length: 9007199254740993\r\n",
                                      "Transfer-Encoding: gzip\r\n",
                                      "Transfer-Encoding: gzip, chunked\r\n",
                                      "Host: y\r\n"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "PUT /a HTTP/1.1\r\nHost: x\r\n%s\r\n", bad[i]);
        assert_int_equal(parse(text), STATUS_BAD);
        assert_int_equal(head.problem, PROBLEM_BAD_REQUEST);
        assert_true(head.detail[0] != 0);
    }
    assert_int_equal(parse("PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), STATUS_OK);
    assert_true(head.is_chunked);
    assert_int_equal(parse("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), STATUS_BAD);
}

static void test_nothing_stays_from_the_head_before(void **state)
{
    (void)state;
    assert_int_equal(
        parse("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nGossamer-Meta-A: b\r\n\r\n"),
        STATUS_OK);
    assert_int_equal(parse("GET /a HTTP/1.1\r\n\r\n"), STATUS_OK);
    assert_int_equal(head.fields[EDGE_FIELD_HOST].size, 0);
    assert_int_equal(head.length, 0);
    assert_int_equal(head.user_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_absolute_target),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_nothing_stays_from_the_head_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
