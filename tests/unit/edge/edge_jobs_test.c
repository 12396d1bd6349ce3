/* edge_jobs_test.c: weights come in as JSON numbers, jobs go out as objects. */
#include "edge_client.h"

static struct client client;

static bool put_weight(const char *body)
{
    char fields[64];

    (void)snprintf(fields, sizeof(fields), "Content-Length: %zu\r\n", strlen(body));
    assert_false(client_ask(&client, "PUT /v1/members/peer-2/weight", fields));
    return client_send(&client, body);
}

static void test_weights(void **state)
{
    static const char *const bad[] = {"{\"weight\":65}",        "{\"weight\":1.001}",
                                      "{\"weight\":-1}",        "{\"weight\":\"1\"}",
                                      "{\"weight\":1e-7}",      "{}",
                                      "{\"weight\":1,\"x\":1}", "{\"weight\":0.12345678901}"};

    (void)state;
    client_open(&client, NULL);
    assert_true(put_weight("{\"weight\":2}"));
    assert_int_equal(client.op.kind, OP_WEIGHT);
    assert_slice(client.op.key, "peer-2");
    assert_int_equal(client.op.weight, 512);
    assert_true(put_weight("{\"weight\":0.00390625}"));
    assert_int_equal(client.op.weight, 1);
    assert_true(put_weight("{\"weight\":64}"));
    assert_int_equal(client.op.weight, 16384);
    client_close(&client);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        client_open(&client, NULL);
        assert_false(put_weight(bad[i]));
        assert_has(client_take(&client), "HTTP/1.1 400 ");
        client_close(&client);
    }
}

static void test_refusals(void **state)
{
    struct result result = {.kind = OP_WEIGHT, .status = STATUS_CONFLICT};

    (void)state;
    client_open(&client, NULL);
    assert_true(put_weight("{\"weight\":0}"));
    client_reply(&client, &result);
    assert_has(client_take(&client), "joining or leaving");
    assert_true(put_weight("{\"weight\":0}"));
    result.status = STATUS_OK;
    client_reply(&client, &result);
    assert_has(client_take(&client), "HTTP/1.1 202 ");
    client_close(&client);
}

static const struct result_job job = {.kind = JOB_JOIN,
                                      .name = {6, "peer-4"},
                                      .of = {6, "peer-4"},
                                      .done = 1000,
                                      .total = 4000,
                                      .rate = 500,
                                      .parts_done = 3,
                                      .parts_total = 12,
                                      .since_s = 2};

static void test_jobs(void **state)
{
    struct result result = {
        .kind = OP_JOBS, .status = STATUS_OK, .jobs = &job, .job_count = 1, .silent_count = 1};
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_true(client_ask(&client, "GET /v1/jobs", ""));
    assert_int_equal(client.op.kind, OP_JOBS);
    client_reply(&client, &result);
    reply = client_take(&client);
    assert_has(reply, "\"id\":\"join-peer-4\"");
    assert_has(reply, "\"eta_s\":6");
    assert_has(reply, "\"peers_silent\":1");
    assert_true(client_ask(&client, "GET /v1/jobs/join-peer-4", ""));
    client_reply(&client, &result);
    assert_has(client_take(&client), "\"state\":\"running\"");
    assert_true(client_ask(&client, "GET /v1/jobs/leave-peer-4", ""));
    client_reply(&client, &result);
    assert_has(client_take(&client), "HTTP/1.1 404 ");
    assert_false(client_ask(&client, "DELETE /v1/jobs/join-peer-4", ""));
    assert_has(client_take(&client), "HTTP/1.1 501 ");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_weights),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_jobs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
