/* edge_summary_test.c: the sentence and its warnings; /readyz. */
#include "edge_client.h"

static struct client client;

static const char *ask(const char *line, const struct result *result)
{
    assert_true(client_ask(&client, line, ""));
    client_reply(&client, result);
    return client_take(&client);
}

static void test_summary(void **state)
{
    struct result_cluster cluster = {
        .alive = 5, .replicas = 3, .is_founded = true, .is_ready = true};
    struct result result = {.kind = OP_CLUSTER, .cluster = &cluster};

    (void)state;
    client_open(&client, NULL);
    assert_has(ask("GET /v1/cluster", &result), "\"health\":\"healthy\"");
    assert_has(ask("GET /v1/cluster", &result), "\"warnings\":[]");
    cluster.alive = 2;
    cluster.dead = 1;
    cluster.key_id_seen = 0xbeef;
    assert_has(ask("GET /v1/cluster", &result), "\"code\":\"too-few-peers\"");
    assert_has(ask("GET /v1/cluster", &result), "\"code\":\"members-dead\"");
    assert_has(ask("GET /v1/cluster", &result), "\"foreign\":\"000000000000beef\"");
    assert_has(ask("GET /v1/cluster", &result), "\"pending\":0,\"dropped\":0");
    cluster.hints = 12;
    cluster.hints_for = label_make(slice_text("peer-3"));
    cluster.unconfirmed_ms = 4500;
    cluster.are_hints_lost = true;
    cluster.siblings = 7;
    assert_has(ask("GET /v1/cluster", &result),
               "\"hints\":{\"pending\":12,\"dropped\":0,\"waiting_for\":\"peer-3\",\"lag_s\":4.5}");
    assert_has(ask("GET /v1/cluster", &result), "\"siblings\":7");
    assert_has(ask("GET /v1/cluster", &result), "\"code\":\"hints-dropped\"");
    cluster.away_count = 1;
    cluster.away[0] = label_make(slice_text("peer-4"));
    assert_has(ask("GET /v1/cluster", &result), "\"away\":[\"peer-4\"]");
    cluster.partitions_unavailable = 1;
    assert_has(ask("GET /v1/cluster", &result), "cannot reach their quorum");
    client_close(&client);
}

static void test_ready(void **state)
{
    struct result_cluster cluster = {.is_founded = true};
    struct result result = {.kind = OP_READY, .cluster = &cluster};
    const char *reply;

    (void)state;
    client_open(&client, NULL);
    assert_has(ask("GET /readyz", &result), "\r\n\r\nok\n");
    cluster.seeds_silent = 1;
    assert_has(ask("GET /readyz?verbose", &result), "[-]degraded: seeds are silent\nok degraded\n");
    result.status = STATUS_NOT_READY;
    reply = ask("GET /readyz", &result);
    assert_has(reply, "HTTP/1.1 503 ");
    assert_has(reply, "/problems/not-ready");
    assert_has(reply, "Retry-After: 1");
    assert_has(ask("GET /readyz?verbose", &result), "not ready\n");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
