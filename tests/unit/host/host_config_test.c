#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_config.h"
#include "host_yaml.h"

static void test_table(void **state)
{
    char near[64];

    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct host_setting *setting = host_setting((enum host_setting_id)i);

        assert_int_equal(host_setting_find(setting->key), i); /* no key stands twice */
        assert_true(setting->help[0] != 0);
        assert_false(host_setting_is_group(setting->key));
    }
    assert_int_equal(host_setting_find("node"), -1);
    assert_true(host_setting_is_group("http.tls"));
    assert_false(host_setting_is_group(""));
    assert_false(host_setting_is_group("htt"));
    assert_true(host_setting_suggest("", "stroage", near));
    assert_string_equal(near, "storage");
    assert_true(host_setting_suggest("http.tls", "certfile", near));
    assert_string_equal(near, "cert_file");
    assert_false(host_setting_suggest("node", "something_else", near));
}

static void test_defaults(void **state)
{
    struct host_config *config = host_config_new();

    (void)state;
    assert_string_equal(host_config_text(config, SETTING_MESH_LISTEN), "[::]:7440");
    assert_true(host_config_number(config, SETTING_HTTP_VALUE_MAX) == 1u << 20);
    assert_true(host_config_number(config, SETTING_NODE_WEIGHT) == 256);
    assert_string_equal(host_config_text(config, SETTING_NODE_NAME), "");
    assert_false(host_config_is_set(config, SETTING_HTTP_VALUE_MAX));
    host_config_delete(config);
}

static void test_set(void **state)
{
    struct host_config *config = host_config_new();
    const struct host_value *seeds = &config->values[SETTING_MESH_SEEDS];

    (void)state;
    host_config_set(config, SETTING_MESH_SEEDS, "a:1, b ,,[::1]:3", "--join");
    assert_int_equal(seeds->count, 3);
    assert_string_equal(seeds->items[1], "b");
    host_config_set(config, SETTING_MESH_SEEDS, "[x, 'y']", "VARIABLE");
    assert_int_equal(seeds->count, 2);
    assert_string_equal(seeds->items[1], "y");
    assert_string_equal(seeds->from, "VARIABLE");
    host_config_set(config, SETTING_HTTP_LISTEN, "[::1]:80", "--http");
    assert_string_equal(host_config_text(config, SETTING_HTTP_LISTEN), "[::1]:80");
    assert_int_equal(config->problems.errors, 0);
    host_config_set(config, SETTING_HTTP_IDLE_TIMEOUT, "60", "--set http.idle_timeout");
    assert_int_equal(config->problems.errors, 1);
    assert_non_null(strstr(host_problems_text(&config->problems),
                           "--set http.idle_timeout: error: http.idle_timeout: a duration needs"));
    host_config_set(config, SETTING_HTTP_UI, "false", "--set http.ui");
    assert_int_equal(config->problems.warnings, 1); /* no effect yet */
    host_config_delete(config);
}

static void test_too_long_a_list(void **state)
{
    struct host_config *config = host_config_new();
    char text[2 * HOST_ITEMS_MAX + 8] = "";

    (void)state;
    for (unsigned i = 0; i <= HOST_ITEMS_MAX; i++)
        memcpy(text + 2 * i, "a,", 3);
    host_config_set(config, SETTING_MESH_SEEDS, text, "--join");
    assert_int_equal(config->problems.errors, 1);
    assert_int_equal(config->values[SETTING_MESH_SEEDS].count, HOST_ITEMS_MAX);
    host_config_delete(config);
}

/* What dump and example print can be read back, and says the same. */
static void test_printing_round_trip(void **state)
{
    struct host_config *first = host_config_new(), *second = host_config_new();
    char *text = NULL, *again = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    host_config_set(first, SETTING_NODE_NAME, "n1", "--name");
    host_config_set(first, SETTING_MESH_SEEDS, "a:1,[::1]:2", "--join");
    host_config_dump(first, out);
    fclose(out);
    assert_non_null(strstr(text, "name: n1  # --name\n"));
    host_yaml_text(second, text, "dump");
    assert_int_equal(second->problems.errors, 0);
    for (int i = 0; i < SETTING_COUNT; i++)
        assert_string_equal(host_config_text(first, (enum host_setting_id)i),
                            host_config_text(second, (enum host_setting_id)i));
    out = open_memstream(&again, &size);
    host_config_example(out);
    fclose(out);
    host_yaml_text(second, again, "example");
    assert_int_equal(second->problems.errors, 0);
    assert_non_null(strstr(again, "# value_max: 1MiB\n"));
    free(text);
    free(again);
    host_config_delete(first);
    host_config_delete(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_too_long_a_list),
        cmocka_unit_test(test_printing_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
