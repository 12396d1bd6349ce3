/* edge_scan_test.c: raw lines, with every prefix of a head at a guard page. */
#include "edge_client.h"
#include "edge_head.h"

static enum status scan(struct edge_scan *result, const char *text)
{
    *result = (struct edge_scan){0};
    return edge_scan_feed(result, (const uint8_t *)text, strlen(text));
}

static void test_complete_head(void **state)
{
    static const char head[] = "DELETE /a?b HTTP/1.0\r\nHost: x\r\n\r\n";
    struct edge_scan result;

    (void)state;
    assert_int_equal(scan(&result, head), STATUS_OK);
    assert_int_equal(result.at, sizeof head - 1);
    assert_int_equal(result.method, EDGE_DELETE);
    assert_true(result.is_http10);
    assert_int_equal(result.target_at, 7);
    assert_int_equal(result.target_size, 4);
}

static void test_stops_behind_the_head(void **state)
{
    struct edge_scan result;

    (void)state;
    assert_int_equal(scan(&result, "GET / HTTP/1.1\r\nA: b\r\n\r\n\x01\n"), STATUS_OK);
    assert_int_equal(result.at, 24);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        enum edge_problem problem;
    } rows[] = {
        {"GET / HTTP/1.1\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\n a: b\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\n: b\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/1.1\r\na b: c\r\n", PROBLEM_BAD_REQUEST},
        {"GET  / HTTP/1.1\r\n", PROBLEM_BAD_REQUEST},
        {"GET / HTTP/3.0\r\n", PROBLEM_VERSION_NOT_SUPPORTED},
        {"GET /\x80 HTTP/1.1\r\n", PROBLEM_BAD_REQUEST},
        {"\x01", PROBLEM_BAD_REQUEST},
    };
    struct edge_scan result;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(scan(&result, rows[i].text), STATUS_BAD);
        assert_int_equal(result.problem, rows[i].problem);
        assert_true(result.detail[0] != 0);
    }
}

/* A prefix is incomplete, and the rest completes it, wherever the cut is. */
static void test_every_split(void **state)
{
    static const char head[] = "PUT /v1/kv/a/b HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n";

    (void)state;
    for (size_t cut = 0; cut < sizeof head - 1; cut++) {
        struct edge_scan result = {0};

        assert_int_equal(edge_scan_feed(&result, (const uint8_t *)head, cut), STATUS_INCOMPLETE);
        assert_int_equal(result.at, cut);
        assert_int_equal(edge_scan_feed(&result, (const uint8_t *)head, sizeof head - 1),
                         STATUS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_head),
        cmocka_unit_test(test_stops_behind_the_head),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
