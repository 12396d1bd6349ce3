#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_yaml.h"
#include "scratch.h"

/* Reads a text and returns what is wrong with it; the caller frees. */
static char *problems_of(const char *text)
{
    struct host_config *config = host_config_new();
    char *copy;

    host_yaml_text(config, text, "f");
    copy = strdup(host_problems_text(&config->problems));
    host_config_delete(config);
    return copy;
}

static void expect(const char *text, const char *problems)
{
    char *found = problems_of(text);

    assert_string_equal(found, problems);
    free(found);
}

static void test_every_problem_in_one_run(void **state)
{
    (void)state;
    expect("defaults:\n  replicsa: 3\nhttp: { idle_timeout: 60, value_max: 9GiB }\nmesh: hello\n",
           "f:2:3: error: unknown key \"replicsa\" (did you mean \"replicas\"?)\n"
           "    2 |   replicsa: 3\n"
           "      |   ^~~~~~~~\n"
           "f:3:23: error: http.idle_timeout: a duration needs a unit: write it as 250ms, 2s, 5m, "
           "1h or 7d\n"
           "    3 | http: { idle_timeout: 60, value_max: 9GiB }\n"
           "      |                       ^~\n"
           "f:3:38: error: http.value_max: must be from 1KiB to 8MiB\n"
           "    3 | http: { idle_timeout: 60, value_max: 9GiB }\n"
           "      |                                      ^~~~\n"
           "f:4:1: error: \"mesh\" is a group: its settings stand indented below it\n"
           "    4 | mesh: hello\n"
           "      | ^~~~\n");
}

static void test_not_yaml(void **state)
{
    char *found = problems_of("node: {name: a\n  }}\n");

    (void)state;
    assert_non_null(strstr(found, "f:2:4: error: "));
    free(found);
    found = problems_of("node: {name: a, name: b}\n");
    assert_non_null(strstr(found, "f:1:17: error: duplicate key"));
    free(found);
    found = problems_of("- a\n- b\n");
    assert_non_null(strstr(found, "error: expected settings"));
    free(found);
}

static void test_values_of_another_shape(void **state)
{
    char *found = problems_of("node: { name: [a], zone: &z q, host: *z }\n");

    (void)state;
    assert_non_null(strstr(found, "expected a single value"));
    assert_non_null(strstr(found, "aliases are not allowed"));
    free(found);
}

static void test_nothing_is_a_configuration(void **state)
{
    (void)state;
    expect("", "");
    expect("# nothing but words\n", "");
    expect("---\n", "");
    expect("node:\nmesh: ~\nhttp: { value_max: }\n", "");
}

static void test_strict(void **state)
{
    struct host_config *config = host_config_new();

    (void)state;
    host_yaml_text(config, "nodes: {}\nstrict: false\n", "f");
    assert_int_equal(config->problems.errors, 0);
    assert_int_equal(config->problems.warnings, 1);
    host_config_delete(config);
}

static void test_values(void **state)
{
    struct host_config *config = host_config_new();

    (void)state;
    host_yaml_text(config,
                   "mesh: { seeds: [a, \"b:1\"], listen: 127.0.0.1:1 }\n"
                   "http:\n  listen:\n    - \"127.0.0.1:2\"\n    - unix:/tmp/s\n",
                   "f");
    assert_string_equal(host_problems_text(&config->problems), "");
    assert_int_equal(config->values[SETTING_MESH_SEEDS].count, 2);
    assert_string_equal(config->values[SETTING_MESH_SEEDS].items[1], "b:1");
    assert_string_equal(host_config_text(config, SETTING_MESH_LISTEN), "127.0.0.1:1");
    assert_int_equal(config->values[SETTING_HTTP_LISTEN].count, 2);
    assert_string_equal(config->values[SETTING_HTTP_LISTEN].from, "f");
    host_config_delete(config);
}

/* Whatever stands in a file, reading it ends. */
static void test_every_prefix(void **state)
{
    static const char text[] = "node: { name: \"a\\x41\", tags: {x: !!int 1} }\nmesh:\n  seeds: "
                               "[&a b, *a, {c: d}]\n? {k: v}\n: |\n  block\n...\n";

    (void)state;
    for (size_t size = 0; size < sizeof text; size++) {
        char prefix[sizeof text] = "";

        memcpy(prefix, text, size);
        free(problems_of(prefix));
    }
}

static void test_files(void **state)
{
    struct host_config *config = host_config_new();
    char scratch[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
    FILE *file;

    (void)state;
    scratch_make(scratch);
    snprintf(path, sizeof path, "%s/c.yaml", scratch);
    host_yaml_file(config, path);
    assert_int_equal(config->problems.errors, 1); /* not there */
    file = fopen(path, "w");
    fputs("node: { name: filed }\n", file);
    fclose(file);
    host_yaml_file(config, path);
    assert_int_equal(config->problems.errors, 1);
    assert_string_equal(host_config_text(config, SETTING_NODE_NAME), "filed");
    file = fopen(path, "w");
    fwrite("a: \0b", 1, 5, file);
    fclose(file);
    host_yaml_file(config, path);
    assert_int_equal(config->problems.errors, 2);
    host_config_delete(config);
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_problem_in_one_run),
        cmocka_unit_test(test_not_yaml),
        cmocka_unit_test(test_values_of_another_shape),
        cmocka_unit_test(test_nothing_is_a_configuration),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
