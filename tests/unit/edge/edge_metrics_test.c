/* edge_metrics_test.c: every metric stands once, under one HELP and one TYPE. */
#include "edge_client.h"
#include "edge_room.h"

static void test_text(void **state)
{
    struct metrics tables[2] = {0};
    struct edge_config config = {.version = "9", .metrics = {&tables[0], NULL, &tables[1]}};
    struct buffer buffer;
    struct edge_out out;
    char *text;

    (void)state;
    tables[0].values[METRIC_KEYS] = 40;
    tables[1].values[METRIC_KEYS] = 2;
    tables[0].values[METRIC_LAG_1S] = 3;
    tables[0].values[METRIC_LAG_SUM] = 12045;
    tables[0].values[METRIC_LAG_COUNT] = 4;
    buffer_init(&buffer, 1u << 20);
    edge_out_begin(&out, &buffer, 16);
    edge_metrics_put(&out, &config);
    edge_put_char(&out, 0);
    assert_true(edge_out_end(&out, 0));
    text = (char *)buffer.data;
    assert_has(text, "gossamer_build_info{version=\"9\"} 1\n");
    assert_has(text, "# TYPE gossamer_keys gauge\ngossamer_keys 42\n");
    assert_has(text, "gossamer_members{state=\"dead\"} 0\n");
    assert_has(text, "# TYPE gossamer_replication_lag_seconds histogram\n"
                     "gossamer_replication_lag_seconds_bucket{le=\"0.01\"} 0\n");
    assert_has(text, "gossamer_replication_lag_seconds_bucket{le=\"1\"} 3\n");
    assert_has(text, "gossamer_replication_lag_seconds_sum 12.045\n"
                     "gossamer_replication_lag_seconds_count 4\n");
    for (char *line = text; (line = strstr(line, "# TYPE ")) != NULL; line++) {
        char name[80] = "\n# TYPE ";
        size_t size = strcspn(line + 7, " ");

        snprintf(name, sizeof name, "\n# TYPE %.*s ", (int)size, line + 7);
        assert_null(strstr(line + 1, name)); /* rows of one metric stand together */
    }
    buffer_close(&buffer);
}

static void test_answers_are_counted_by_class(void **state)
{
    struct client client;

    (void)state;
    client_open(&client, NULL);
    client_ask(&client, "GET /livez", "");
    client_ask(&client, "GET /nowhere", "");
    client_ask(&client, "GET /v1/events", "");
    assert_int_equal(client.metrics.values[METRIC_HTTP_REQUESTS_2XX], 1);
    assert_int_equal(client.metrics.values[METRIC_HTTP_REQUESTS_4XX], 1);
    assert_int_equal(client.metrics.values[METRIC_HTTP_REQUESTS_5XX], 1);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_answers_are_counted_by_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
