/* edge_page_test.c: pages of the peer itself. */
#include "edge_client.h"
#include "edge_problem.h"

static struct client client;

static const char *ask(const char *line)
{
    assert_false(client_ask(&client, line, ""));
    return client_take(&client);
}

static void test_pages(void **state)
{
    json_t *json;

    (void)state;
    client_open(&client, NULL);
    assert_has(ask("GET /livez"), "\r\n\r\nok\n");
    assert_has(ask("GET /livez?verbose"), "[+]loop ok\n");
    assert_has(ask("GET /"), "curl http://HERE/v1/members\n");
    json = client_json(ask("GET /version"));
    assert_string_equal(json_string_value(json_object_get(json, "version")), "1.2.3");
    json_decref(json);
    client_close(&client);
}

static void test_every_problem_has_a_page(void **state)
{
    (void)state;
    client_open(&client, NULL);
    for (enum edge_problem i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        char line[80];

        snprintf(line, sizeof line, "GET /problems/%s", edge_problem_row(i)->slug);
        assert_has(ask(line), edge_problem_row(i)->text);
        assert_has(ask("GET /problems"), line + 4);
    }
    assert_has(ask("GET /problems/nothing"), " 404 ");
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_every_problem_has_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
