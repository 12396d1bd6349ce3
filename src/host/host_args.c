#include "host_args.h"

#include <stdlib.h>
#include <string.h>

/* An option and the setting it is short for. */
struct host_option {
    const char *name, *argument, *key, *help;
};

static const struct host_option host_options[] = {
    {"config", "FILE", "", "configuration file (/etc/gossamer/gossamer.yaml, if it is there)"},
    {"set", "KEY=VALUE", "", "any setting, such as --set log.level=debug; may be repeated"},
    {"name", "NAME", "node.name", "name of this peer"},
    {"data", "DIR", "storage.dir", "data directory: identity, cluster key, store"},
    {"store", "ENGINE", "storage.engine", "rocksdb or memory"},
    {"http", "ADDR[,ADDR]", "http.listen", "where clients connect: ip:port or unix:/path"},
    {"mesh", "ADDR[,ADDR]", "mesh.listen", "where other peers connect: ip:port, UDP and TCP"},
    {"join", "HOST[:PORT],...", "mesh.seeds", "peers of a cluster to join; one is enough"},
    {"help", NULL, "", "this text"},
    {"version", NULL, "", "the version"},
};
#define OPTION_COUNT (sizeof host_options / sizeof host_options[0])

/* A command: one or two words. */
static const struct {
    const char *words, *help;
    enum host_command command;
} host_commands[] = {
    {"run", "be a peer (the default)", HOST_COMMAND_RUN},
    {"config check", "check the configuration and say everything that is wrong",
     HOST_COMMAND_CHECK},
    {"config example", "print every setting with its comment", HOST_COMMAND_EXAMPLE},
    {"config dump", "print the settings in force and where they come from", HOST_COMMAND_DUMP},
    {"keygen", "make a cluster key: keygen FILE, or on standard output", HOST_COMMAND_KEYGEN},
    {"version", "print the version", HOST_COMMAND_VERSION},
    {"help", "this text", HOST_COMMAND_HELP},
};
#define COMMAND_COUNT (sizeof host_commands / sizeof host_commands[0])

void host_args_help(FILE *out)
{
    fputs("Example: two peers of one cluster on this machine.\n"
          "\n"
          "  gossamerd keygen /tmp/cluster.key\n"
          "  gossamerd --data /tmp/a --mesh 127.0.0.1:7441 --http 127.0.0.1:7481 \\\n"
          "            --set mesh.secret_file=/tmp/cluster.key &\n"
          "  gossamerd --data /tmp/b --mesh 127.0.0.1:7442 --http 127.0.0.1:7482 \\\n"
          "            --set mesh.secret_file=/tmp/cluster.key --join 127.0.0.1:7441 &\n"
          "  curl -X PUT --data hello http://127.0.0.1:7481/v1/kv/demo/greeting\n"
          "  curl http://127.0.0.1:7482/v1/kv/demo/greeting\n"
          "\n"
          "Usage: gossamerd [COMMAND] [OPTIONS]\n\nCommands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-24s %s\n", host_commands[i].words, host_commands[i].help);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char text[40];

        snprintf(text, sizeof text, "--%s%s%s", host_options[i].name,
                 host_options[i].argument == NULL ? "" : " ",
                 host_options[i].argument == NULL ? "" : host_options[i].argument);
        fprintf(out, "  %-24s %s\n", text, host_options[i].help);
    }
    fputs(
        "\nSettings come from flags, then GOSSAMER_GROUP__NAME variables, then conf.d, then the\n"
        "file, then defaults. `gossamerd config example` shows them all. No setting is required.\n"
        "SIGTERM stops gracefully and does not leave the cluster.\n",
        out);
}

static const char *host_option_next(void *context)
{
    size_t *at = context;

    return *at == OPTION_COUNT ? NULL : host_options[(*at)++].name;
}

static const char *host_command_next(void *context)
{
    size_t *at = context;

    return *at == COMMAND_COUNT ? NULL : host_commands[(*at)++].words;
}

static bool host_args_fail(FILE *errors, const char *what, const char *word, const char *dashes,
                           const char *near)
{
    fprintf(errors, "error: %s \"%s\"", what, word);
    if (near != NULL)
        fprintf(errors, " (did you mean \"%s%s\"?)", dashes, near);
    fputs("\nhint: gossamerd --help\n", errors);
    return false;
}

static bool host_args_add(struct host_args *args, const char *key, const char *text,
                          const char *source, FILE *errors)
{
    int id = host_setting_find(key);

    if (id < 0) {
        const char *dot = strrchr(key, '.');
        char group[64] = "", near[64], full[160];

        if (dot != NULL)
            snprintf(group, sizeof group, "%.*s", (int)(dot - key), key);
        if (!host_setting_suggest(group, dot == NULL ? key : dot + 1, near))
            return host_args_fail(errors, "unknown setting", key, "", NULL);
        snprintf(full, sizeof full, "%s%s%s", group, dot == NULL ? "" : ".", near);
        return host_args_fail(errors, "unknown setting", key, "", full);
    }
    if (args->set_count == HOST_SOURCES_MAX / 2)
        return host_args_fail(errors, "too many options at", source, "", NULL);
    snprintf(args->sources[args->set_count], sizeof args->sources[0], "%s", source);
    args->sets[args->set_count].id = id;
    args->sets[args->set_count].text = text;
    args->sets[args->set_count].source = args->sources[args->set_count];
    args->set_count++;
    return true;
}

/* --set KEY=VALUE */
static bool host_args_set(struct host_args *args, const char *text, FILE *errors)
{
    const char *equals = strchr(text, '=');
    char key[64], source[80];

    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof key)
        return host_args_fail(errors, "--set wants KEY=VALUE, not", text, "", NULL);
    snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
    snprintf(source, sizeof source, "--set %s", key);
    return host_args_add(args, key, equals + 1, source, errors);
}

static bool host_args_option(struct host_args *args, const struct host_option *option,
                             const char *value, FILE *errors)
{
    char source[32];

    if (strcmp(option->name, "help") == 0)
        args->command = HOST_COMMAND_HELP;
    else if (strcmp(option->name, "version") == 0)
        args->command = HOST_COMMAND_VERSION;
    else if (strcmp(option->name, "config") == 0)
        args->config = value;
    else if (strcmp(option->name, "set") == 0)
        return host_args_set(args, value, errors);
    else {
        snprintf(source, sizeof source, "--%s", option->name);
        return host_args_add(args, option->key, value, source, errors);
    }
    return true;
}

/* Reads "--name value" or "--name=value" at argv[*at]. */
static bool host_args_flag(struct host_args *args, char **argv, int *at, FILE *errors)
{
    const char *word = argv[*at];
    const char *name = strcmp(word, "-h") == 0       ? "help"
                       : strncmp(word, "--", 2) == 0 ? word + 2
                                                     : word;
    size_t size = strcspn(name, "=");
    const struct host_option *option = NULL;
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    char text[64];
    size_t walk = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strlen(host_options[i].name) == size && strncmp(host_options[i].name, name, size) == 0)
            option = &host_options[i];
    if (option == NULL) {
        snprintf(text, sizeof text, "%.*s", (int)(size < 60 ? size : 60), name);
        return host_args_fail(errors, "unknown option", word, "--",
                              host_suggest(text, host_option_next, &walk));
    }
    if (option->argument == NULL && value != NULL)
        return host_args_fail(errors, "no value is taken by", word, "", NULL);
    if (option->argument != NULL && value == NULL) {
        value = argv[*at + 1];
        if (value == NULL)
            return host_args_fail(errors, "a value is missing after", word, "", NULL);
        ++*at;
    }
    return host_args_option(args, option, value, errors);
}

/* Reads a command of one or two words at argv[*at]. */
static bool host_args_command(struct host_args *args, char **argv, int *at, FILE *errors)
{
    char text[64];
    size_t walk = 0;
    bool is_two = strcmp(argv[*at], "config") == 0 && argv[*at + 1] != NULL;

    snprintf(text, sizeof text, "%s%s%s", argv[*at], is_two ? " " : "",
             is_two ? argv[*at + 1] : "");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(host_commands[i].words, text) != 0)
            continue;
        args->command = host_commands[i].command;
        *at += is_two;
        if (args->command == HOST_COMMAND_KEYGEN && argv[*at + 1] != NULL &&
            argv[*at + 1][0] != '-')
            args->argument = argv[++*at];
        return true;
    }
    return host_args_fail(errors, "unknown command", text, "",
                          host_suggest(text, host_command_next, &walk));
}

bool host_args_read(struct host_args *args, int argc, char **argv, FILE *errors)
{
    bool has_command = false;

    *args = (struct host_args){0};
    for (int i = 1; i < argc; i++) {
        bool is_flag = argv[i][0] == '-';

        if (!is_flag && has_command)
            return host_args_fail(errors, "unexpected argument", argv[i], "", NULL);
        has_command |= !is_flag;
        if (is_flag ? !host_args_flag(args, argv, &i, errors)
                    : !host_args_command(args, argv, &i, errors))
            return false;
    }
    return true;
}

void host_args_apply(const struct host_args *args, struct host_config *config)
{
    for (unsigned i = 0; i < args->set_count; i++)
        host_config_set(config, args->sets[i].id, args->sets[i].text, args->sets[i].source);
}
