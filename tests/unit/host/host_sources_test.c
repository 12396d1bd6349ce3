#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "host_args.h"
#include "scratch.h"

static char scratch[SCRATCH_SIZE];

static void write_file(const char *name, const char *text)
{
    char path[SCRATCH_SIZE + 64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", scratch, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Loads with --config, an environment and one more argument; returns the exit status. */
static int load(struct host_config *config, char **environment, char *more)
{
    char path[SCRATCH_SIZE + 64];
    char *argv[] = {"gossamerd", "--config", path, more, NULL};

    snprintf(path, sizeof path, "%s/main.yaml", scratch);
    return host_config_load(config, more == NULL ? 3 : 4, argv, environment);
}

static void test_precedence(void **state)
{
    char *none[] = {NULL};
    char *some[] = {"GOSSAMER_NODE__ZONE=env", "GOSSAMER_LOG__LEVEL=debug", NULL};
    struct host_config *config = host_config_new();
    char path[SCRATCH_SIZE + 64];

    (void)state;
    scratch_make(scratch);
    snprintf(path, sizeof path, "%s/conf.d", scratch);
    mkdir(path, 0700);
    write_file("main.yaml", "node: { name: main, zone: main, host: main }\n");
    write_file("conf.d/20.yaml", "node: { host: twenty, zone: twenty }\n");
    write_file("conf.d/10.yaml", "node: { host: ten }\n");
    write_file("conf.d/30.txt", "not read");
    assert_int_equal(load(config, none, NULL), HOST_RUN);
    assert_string_equal(host_config_text(config, SETTING_NODE_NAME), "main");
    assert_string_equal(host_config_text(config, SETTING_NODE_HOST), "twenty");
    assert_int_equal(load(config, some, "--name=flag"), HOST_RUN);
    assert_string_equal(host_config_text(config, SETTING_NODE_NAME), "flag");
    assert_string_equal(host_config_text(config, SETTING_NODE_ZONE), "env");
    assert_true(host_config_number(config, SETTING_LOG_LEVEL) == 3);
    assert_string_equal(config->values[SETTING_NODE_ZONE].from, "GOSSAMER_NODE__ZONE");
    host_config_delete(config);
    scratch_remove(scratch);
}

static void test_environment(void **state)
{
    char *variables[] = {"GOSSAMER_HTTP__TLS__CERT_FILE=x", "GOSSAMER_NODE__NMAE=x",       "HOME=/",
                         "GOSSAMER_ADDR=http://x",          "GOSSAMER_MESH__SEEDS=[a, b]", NULL};
    struct host_config *config = host_config_new();

    (void)state;
    host_environment_apply(config, variables);
    assert_int_equal(config->problems.errors, 0);
    assert_int_equal(config->problems.warnings, 2);
    assert_non_null(strstr(host_problems_text(&config->problems),
                           "GOSSAMER_NODE__NMAE: warning: there is no setting \"node.nmae\" (did "
                           "you mean \"node.name\"?)"));
    assert_int_equal(config->values[SETTING_MESH_SEEDS].count, 2);
    host_config_delete(config);
}

static void test_exit_statuses(void **state)
{
    char *none[] = {NULL};
    struct host_config *config = host_config_new();
    char path[SCRATCH_SIZE + 64];
    char *keygen[] = {"gossamerd", "keygen", path, NULL};
    struct stat info;

    (void)state;
    scratch_make(scratch);
    assert_int_equal(load(config, none, NULL), HOST_EXIT_CONFIG); /* no such file */
    assert_int_equal(load(config, none, "--wrong"), HOST_EXIT_USAGE);
    snprintf(path, sizeof path, "%s/key", scratch);
    assert_int_equal(host_config_load(config, 3, keygen, none), HOST_EXIT_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(host_config_load(config, 3, keygen, none), HOST_EXIT_FAILURE); /* never over */
    host_config_delete(config);
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_exit_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
