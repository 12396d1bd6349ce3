/* edge_auth_test.c: every route but the open ones wants the token; generated names of Host. */
#include "edge_client.h"

static void test_token_on_every_closed_route(void **state)
{
    static const char *const closed[] = {
        "GET /v1/kv/a/b",    "HEAD /v1/kv/a/b", "PUT /v1/kv/a/b",        "DELETE /v1/kv/a/b",
        "POST /v1/kv/a",     "GET /v1/kv/a",    "GET /v1/self",          "GET /v1/members",
        "GET /v1/cluster",   "GET /metrics",    "GET /v1/members/x",     "POST /v1/cluster/leave",
        "POST /v1/batch",    "GET /ui/",        "DELETE /v1/self/block", "POST /v1/cluster/join",
        "PUT /v1/self/block"};
    static const char *const open[] = {
        "GET /livez",    "GET /version",           "GET /",
        "GET /problems", "GET /problems/conflict", "OPTIONS /v1/kv/a/b"};
    struct client client;

    (void)state;
    client_open(&client, "sesame");
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        assert_false(client_ask(&client, closed[i], ""));
        assert_has(client_take(&client), "HTTP/1.1 401 ");
        assert_false(client_ask(&client, closed[i], "Authorization: Bearer sesama\r\n"));
        assert_has(client_take(&client), "HTTP/1.1 401 ");
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        assert_false(client_ask(&client, open[i], ""));
        assert_has(client_take(&client), "HTTP/1.1 20");
    }
    assert_true(client_ask(&client, "GET /v1/self", "Authorization: Bearer sesame\r\n"));
    client_close(&client);
}

static void expect_host(const char *host, const char *status)
{
    struct client client;
    char text[256];

    client_open(&client, NULL);
    snprintf(text, sizeof text, "GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    assert_false(client_send(&client, text));
    assert_has(client_take(&client), status);
    client_close(&client);
}

static void test_hosts(void **state)
{
    (void)state;
    expect_host("10.1.2.3:65535", " 200 ");
    expect_host("[fe80::1]:80", " 200 ");
    expect_host("LocalHost", " 200 ");
    expect_host("evil.com", " 421 ");
    expect_host("1.2.3", " 421 ");
    expect_host("1.2.3.4.5", " 421 ");
    expect_host("1.2.3.999", " 421 ");
    expect_host("a b", " 400 ");
    expect_host("localhost:99999", " 400 ");
    expect_host("localhost:123456", " 400 ");
    expect_host("[::1", " 400 ");
    expect_host("[1]", " 400 ");
}

static void test_writes_of_other_sites(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    assert_false(client_ask(&client, "DELETE /v1/kv/a/b", "Origin: https://evil.com\r\n"));
    assert_has(client_take(&client), " 403 ");
    assert_false(client_ask(&client, "DELETE /v1/kv/a/b", "Sec-Fetch-Site: none\r\n"));
    assert_has(client_take(&client), " 403 ");
    assert_true(client_ask(&client, "DELETE /v1/kv/a/b", "Origin: https://localhost\r\n"));
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_on_every_closed_route),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_writes_of_other_sites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
