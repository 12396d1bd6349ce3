#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_args.h"

#define ARGV_MAX 16

/* Reads arguments separated by spaces; what is said goes to `said`. */
static bool read_args(struct host_args *args, char *line, char *said, size_t room)
{
    char *argv[ARGV_MAX + 1] = {"gossamerd"}, *rest = line, *word;
    FILE *errors = fmemopen(said, room, "w");
    int argc = 1;
    bool is_good;

    while ((word = strsep(&rest, " ")) != NULL && argc < ARGV_MAX)
        if (word[0] != 0)
            argv[argc++] = word;
    argv[argc] = NULL;
    is_good = host_args_read(args, argc, argv, errors);
    fclose(errors);
    return is_good;
}

static void expect_bad(const char *text, const char *message)
{
    struct host_args args;
    char line[200], said[400] = "";

    snprintf(line, sizeof line, "%s", text);
    assert_false(read_args(&args, line, said, sizeof said));
    assert_non_null(strstr(said, message));
    assert_non_null(strstr(said, "hint: gossamerd --help"));
}

static void expect_command(const char *text, enum host_command command)
{
    struct host_args args;
    char line[200], said[400] = "";

    snprintf(line, sizeof line, "%s", text);
    assert_true(read_args(&args, line, said, sizeof said));
    assert_int_equal(args.command, command);
}

static void test_commands(void **state)
{
    (void)state;
    expect_command("", HOST_COMMAND_RUN);
    expect_command("run", HOST_COMMAND_RUN);
    expect_command("config check --config f", HOST_COMMAND_CHECK);
    expect_command("--name n config dump", HOST_COMMAND_DUMP);
    expect_command("version", HOST_COMMAND_VERSION);
    expect_command("--version", HOST_COMMAND_VERSION);
    expect_command("-h", HOST_COMMAND_HELP);
    expect_command("keygen /tmp/k", HOST_COMMAND_KEYGEN);
}

static void test_mistakes(void **state)
{
    (void)state;
    expect_bad("--hlep", "unknown option \"--hlep\" (did you mean \"--help\"?)");
    expect_bad("-x", "unknown option \"-x\"");
    expect_bad("-", "unknown option \"-\"");
    expect_bad("--stroe=memory", "did you mean \"--store\"?");
    expect_bad("--store", "a value is missing after \"--store\"");
    expect_bad("--help=1", "no value is taken by");
    expect_bad("--set log.lvel=debug", "did you mean \"log.level\"?");
    expect_bad("--set log.level", "--set wants KEY=VALUE");
    expect_bad("config chekc", "did you mean \"config check\"?");
    expect_bad("config", "unknown command \"config\"");
    expect_bad("run more", "unexpected argument \"more\"");
}

static void test_settings(void **state)
{
    struct host_config *config = host_config_new();
    struct host_args args;
    char said[100] = "";
    char line[] = "--store=memory --join a:1,b:2 --set node.name=x --set node.name=n2 --http "
                  "127.0.0.1:0 --config c";

    (void)state;
    assert_true(read_args(&args, line, said, sizeof said));
    assert_string_equal(args.config, "c");
    host_args_apply(&args, config);
    assert_int_equal(config->problems.errors, 0);
    assert_true(host_config_number(config, SETTING_STORAGE_ENGINE) == 1);
    assert_int_equal(config->values[SETTING_MESH_SEEDS].count, 2);
    assert_string_equal(host_config_text(config, SETTING_NODE_NAME), "n2"); /* the last counts */
    assert_string_equal(config->values[SETTING_NODE_NAME].from, "--set node.name");
    host_config_delete(config);
}

static void test_help_begins_with_an_example(void **state)
{
    char text[8000] = "";
    FILE *out = fmemopen(text, sizeof text, "w");

    (void)state;
    host_args_help(out);
    fclose(out);
    assert_int_equal(strncmp(text, "Example: ", 9), 0);
    assert_non_null(strstr(text, "--join HOST[:PORT]"));
    assert_non_null(strstr(text, "config check"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_help_begins_with_an_example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
