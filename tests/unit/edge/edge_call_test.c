/* edge_call_test.c: what is decided from a head alone. */
#include "edge_client.h"

static void expect(const char *line, const char *fields, const char *part)
{
    struct client client;

    client_open(&client, NULL);
    assert_false(client_ask(&client, line, fields));
    assert_has(client_take(&client), part);
    client_close(&client);
}

static void test_expectations(void **state)
{
    (void)state;
    expect("GET /livez", "Expect: 100-Continue\r\n", "HTTP/1.1 200 ");
    expect("GET /livez", "Expect: something\r\n", "HTTP/1.1 417 ");
}

static void test_body_limits_of_routes(void **state)
{
    (void)state;
    expect("PUT /v1/kv/app/k", "Content-Length: 1001\r\n", "at most 1000 bytes");
    expect("PUT /nowhere", "Content-Length: 1001\r\n", "HTTP/1.1 413 ");
}

static void test_trace_id(void **state)
{
    (void)state;
    expect("GET /nowhere",
           "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
           "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"");
    expect("GET /nowhere",
           "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\r\n",
           "\"trace_id\":\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_body_limits_of_routes),
        cmocka_unit_test(test_trace_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
