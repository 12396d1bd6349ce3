/* edge_query_test.c: parameters, their values and the hints for wrong ones. */
#include "edge_client.h"
#include "edge_room.h"

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(edge_distance(slice_text("limit"), slice_text("limit"), 2), 0);
    assert_int_equal(edge_distance(slice_text("limti"), slice_text("limit"), 2), 2);
    assert_int_equal(edge_distance(slice_text("limt"), slice_text("limit"), 2), 1);
    assert_int_equal(edge_distance(slice_text("colour"), slice_text("limit"), 2), 3);
    assert_int_equal(edge_distance(slice_text("0123456789012345678901234"), slice_text("a"), 2), 3);
}

static void expect(const char *line, const char *part)
{
    struct client client;

    client_open(&client, NULL);
    assert_false(client_ask(&client, line, ""));
    assert_has(client_take(&client), part);
    client_close(&client);
}

static void test_refusals(void **state)
{
    (void)state;
    expect("GET /v1/kv/a/b?consistncy=one", "did you mean \\\"consistency\\\"?");
    expect("GET /v1/kv/a/b?x=1", "this route takes: consistency timeout");
    expect("GET /v1/self?x=1", "this route takes no parameters");
    expect("GET /v1/kv/a/b?timeout=1s&timeout=1s", "is repeated");
    expect("GET /v1/kv/a/b?consistency=two", "it takes: one quorum all");
    expect("GET /v1/kv/a/b?timeout=", "no duration");
    expect("GET /v1/kv/a/b?timeout=1y", "no duration");
    expect("GET /v1/kv/a/b?timeout=4294967296ms", "no duration");
    expect("GET /v1/kv/a?limit=", "no number");
    expect("PUT /v1/kv/a/b?sloppy=true", "not-implemented");
}

static void test_values(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/kv/a/b?consistency=all&timeout=250ms&", ""));
    assert_int_equal(client.op.consistency, CONSISTENCY_ALL);
    assert_int_equal(client.op.timeout_ms, 250);
    assert_true(client_ask(&client, "GET /v1/kv/a?prefix=%C3%A9&limit=7&start_after=x", ""));
    assert_slice(client.op.prefix, "\xc3\xa9");
    assert_slice(client.op.after, "x");
    assert_int_equal(client.op.limit, 7);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
