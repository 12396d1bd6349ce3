/* cli_parse.c: from arguments to a command, its arguments and options; help and did-you-mean. */
#include "cli_room.h"

#include <stdio.h>
#include <stdlib.h>

#define WORD_MAX 63 /* bytes of a word compared for did-you-mean */

unsigned cli_distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    unsigned row[WORD_MAX + 1];

    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned corner = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned change = corner + (a[i - 1] != b[j - 1]);
            unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            corner = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b_size];
}

const char *cli_near(const char *word, const char *(*at)(unsigned index))
{
    const char *best = NULL;
    unsigned best_distance = strlen(word) < 4 ? 2 : 3; /* below: near enough */

    for (unsigned i = 0; at(i); i++) {
        unsigned distance = cli_distance(word, at(i));

        if (distance < best_distance) {
            best_distance = distance;
            best = at(i);
        }
    }
    return best;
}

bool cli_number(const char *text, unsigned long max, unsigned long *number)
{
    unsigned long value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > max / 10)
            return false;
        value = value * 10 + (unsigned long)(*text - '0');
    }
    *number = value;
    return value <= max;
}

bool cli_duration_ms(const char *text, long *ms)
{
    static const struct {
        const char *unit;
        unsigned long ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t digits = strspn(text, "0123456789");
    char number[12];
    unsigned long value;

    if (digits == 0 || digits >= sizeof(number))
        return false;
    memcpy(number, text, digits);
    number[digits] = 0;
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        if (!cli_number(number, 86400000 / units[i].ms, &value))
            return false;
        *ms = (long)(value * units[i].ms);
        return true;
    }
    return false;
}

bool cli_split_key(const char *text, struct slice *ns, struct slice *key)
{
    const char *slash = strchr(text, '/');

    if (!slash || slash == text || !slash[1])
        return false;
    *ns = slice_of(text, (size_t)(slash - text));
    *key = slice_text(slash + 1);
    return true;
}

/* --- help */

static void help_options(unsigned options)
{
    printf("\noptions:\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option_row *row = &cli_options[i];
        char name[64];

        if (!(options >> i & 1))
            continue;
        if (row->letter)
            snprintf(name, sizeof(name), "-%c, --%s %s", row->letter, row->name,
                     row->value ? row->value : "");
        else
            snprintf(name, sizeof(name), "--%s %s", row->name, row->value ? row->value : "");
        printf("  %-32s %s\n", name, row->help);
    }
}

void cli_help_command(const struct cli_command *command)
{
    printf("example: %s\n\n", command->example);
    printf("usage: gossamer %s%s%s [options]\n", command->words, command->arguments[0] ? " " : "",
           command->arguments);
    printf("  %s\n", command->summary);
    help_options(command->options | OPTIONS_COMMON);
}

void cli_help(const char *group)
{
    const struct cli_command *command;

    printf("example: gossamer %s\n\n", group ? "kv put app/greeting hello" : "status");
    printf("usage: gossamer COMMAND [options]\n\ncommands:\n");
    for (unsigned i = 0; (command = cli_command_at(i)); i++) {
        char name[64];

        if (group && strncmp(command->words, group, strlen(group)) != 0)
            continue;
        snprintf(name, sizeof(name), "%s %s", command->words, command->arguments);
        printf("  %-32s %s\n", name, command->summary);
    }
    help_options(OPTIONS_COMMON);
}

/* --- parsing */

static const char *command_words_at(unsigned at)
{
    const struct cli_command *command = cli_command_at(at);

    return command ? command->words : NULL;
}

static const char *option_name_at(unsigned at)
{
    return at < OPTION_COUNT ? cli_options[at].name : NULL;
}

/* Tells whether the words of a command are the first arguments, and how many they are. */
static unsigned command_fits(const struct cli_command *command, const struct cli *cli)
{
    const char *words = command->words;
    unsigned count = 0;

    for (;;) {
        size_t size = strcspn(words, " ");

        if (count == cli->argument_count || strlen(cli->arguments[count]) != size ||
            strncmp(words, cli->arguments[count], size) != 0)
            return 0;
        count++;
        if (!words[size])
            return count;
        words += size + 1;
    }
}

static bool is_group(const char *word)
{
    size_t size = strlen(word);

    for (unsigned i = 0; cli_command_at(i); i++)
        if (strncmp(cli_command_at(i)->words, word, size) == 0 &&
            cli_command_at(i)->words[size] == ' ')
            return true;
    return false;
}

static int parse_unknown(const struct cli *cli)
{
    char words[2 * WORD_MAX + 2], hint[3 * WORD_MAX];
    const char *near;

    snprintf(words, sizeof(words), "%.60s%s%.60s", cli->arguments[0],
             cli->argument_count > 1 && is_group(cli->arguments[0]) ? " " : "",
             cli->argument_count > 1 && is_group(cli->arguments[0]) ? cli->arguments[1] : "");
    near = cli_near(words, command_words_at);
    if (!near && cli->argument_count > 1) {
        snprintf(words, sizeof(words), "%.60s %.60s", cli->arguments[0], cli->arguments[1]);
        near = cli_near(words, command_words_at);
    }
    snprintf(hint, sizeof(hint), near ? "did you mean \"gossamer %s\"?" : "see gossamer --help%s",
             near ? near : "");
    return cli_fail(CLI_USAGE, hint, "unknown command \"%s\"", words);
}

static int parse_option(struct cli *cli, const char *text, const char *next, bool *took_next)
{
    bool is_long = text[1] == '-';
    const char *name = text + (is_long ? 2 : 1), *equals = is_long ? strchr(name, '=') : NULL;
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    char word[WORD_MAX + 1], hint[2 * WORD_MAX];
    const char *near;

    *took_next = false;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option_row *row = &cli_options[i];
        bool is_it = is_long ? strlen(row->name) == size && strncmp(row->name, name, size) == 0
                             : row->letter && name[0] == row->letter && !name[1];

        if (!is_it)
            continue;
        if (!row->value && equals)
            return cli_fail(CLI_USAGE, NULL, "--%s takes no value", row->name);
        if (row->value && !equals && !next)
            return cli_fail(CLI_USAGE, NULL, "--%s needs a value: %s", row->name, row->value);
        *took_next = row->value && !equals;
        cli->options[i] = !row->value ? "" : equals ? equals + 1 : next;
        return CLI_DONE;
    }
    snprintf(word, sizeof(word), "%.*s", (int)(size < WORD_MAX ? size : WORD_MAX), name);
    near = cli_near(word, option_name_at);
    snprintf(hint, sizeof(hint), near ? "did you mean \"--%s\"?" : "see gossamer --help%s",
             near ? near : "");
    return cli_fail(CLI_USAGE, hint, "unknown option \"%.60s\"", text);
}

static int parse_words(struct cli *cli, int argc, char **argv)
{
    bool only_arguments = false, took_next;

    for (int i = 1; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1] &&
                   !(argv[i][1] >= '0' && argv[i][1] <= '9')) { /* -5 is a number */
            int code = parse_option(cli, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &took_next);

            if (code != CLI_DONE)
                return code;
            i += took_next;
        } else if (cli->argument_count == CLI_ARGUMENTS_MAX) {
            return cli_fail(CLI_USAGE, NULL, "too many arguments");
        } else {
            cli->arguments[cli->argument_count++] = argv[i];
        }
    }
    return CLI_DONE;
}

static int parse_check_options(struct cli *cli)
{
    const char *output = cli->options[OPTION_OUTPUT], *addr = cli->options[OPTION_ADDR];

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (cli->options[i] && !((cli->command->options | OPTIONS_COMMON) >> i & 1))
            return cli_fail(CLI_USAGE, NULL, "\"gossamer %s\" takes no --%s", cli->command->words,
                            cli_options[i].name);
    if (output && strcmp(output, "json") != 0 && strcmp(output, "table") != 0)
        return cli_fail(CLI_USAGE, "-o table, or -o json", "unknown output \"%s\"", output);
    cli->is_json = output && strcmp(output, "json") == 0;
    cli->timeout_ms = 10000;
    if (cli->options[OPTION_TIMEOUT] &&
        !cli_duration_ms(cli->options[OPTION_TIMEOUT], &cli->timeout_ms))
        return cli_fail(CLI_USAGE, "such as 500ms, 10s or 1m", "\"%s\" is no duration",
                        cli->options[OPTION_TIMEOUT]);
    if (!addr)
        addr = getenv("GOSSAMER_ADDR");
    cli->addresses = addr && addr[0] ? addr : CLI_ADDRESS_DEFAULT;
    return CLI_DONE;
}

static int parse_help(struct cli *cli)
{
    bool is_asked = cli->options[OPTION_HELP] != NULL;
    const char *group = cli->argument_count ? cli->arguments[0] : NULL;

    cli->command = NULL;
    if (group && !is_group(group) && strcmp(group, "help") != 0)
        return parse_unknown(cli);
    if (group && is_group(group) && cli->argument_count > 1)
        return parse_unknown(cli);
    cli_help(group && is_group(group) ? group : NULL);
    return is_asked || (group && strcmp(group, "help") == 0) ? CLI_DONE : CLI_USAGE;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
    int code = parse_words(cli, argc, argv);
    unsigned words = 0;

    if (code != CLI_DONE)
        return code;
    for (unsigned i = 0; words == 0 && (cli->command = cli_command_at(i)); i++)
        words = command_fits(cli->command, cli);
    if (words == 0)
        return parse_help(cli);
    if (cli->options[OPTION_HELP]) {
        cli_help_command(cli->command);
        cli->command = NULL;
        return CLI_DONE;
    }
    cli->argument_count -= words;
    memmove(cli->arguments, cli->arguments + words,
            cli->argument_count * sizeof(cli->arguments[0]));
    if (cli->argument_count < cli->command->arguments_min ||
        cli->argument_count > cli->command->arguments_max)
        return cli_fail(CLI_USAGE, cli->command->example, "usage: gossamer %s %s",
                        cli->command->words, cli->command->arguments);
    return parse_check_options(cli);
}
