/* The table of commands: every one has an example, and its help begins with it. */
#include "cli_fixture.h"

static void test_every_help_begins_with_an_example(void **state)
{
    const struct cli_command *command;
    struct told told;

    (void)state;
    for (unsigned i = 0; (command = cli_command_at(i)); i++) {
        char words[64], *second;

        snprintf(words, sizeof(words), "%s", command->words);
        second = strchr(words, ' ');
        if (second)
            *second++ = 0;
        if (second)
            tool(&told, words, second, "--help", NULL);
        else
            tool(&told, words, "--help", NULL);
        assert_int_equal(told.code, CLI_DONE);
        assert_memory_equal(told.out, "example: ", 9);
        assert_has(told.out, command->example);
        assert_has(told.out, "--addr");
        assert_true(command->arguments_min <= command->arguments_max);
    }
    assert_null(cli_command_at(10000));
    tool(&told, "help", NULL);
    assert_int_equal(told.code, CLI_DONE);
    tool(&told, NULL);
    assert_int_equal(told.code, CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_help_begins_with_an_example),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
