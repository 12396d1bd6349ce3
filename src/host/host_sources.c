/* host_sources.c: where settings come from besides the command line, and the commands that only
 * look at them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "host_args.h"
#include "host_entropy.h"
#include "host_identity.h"
#include "host_yaml.h"
#include "seal.h"

#define FILE_DEFAULT "/etc/gossamer/gossamer.yaml"
#define VARIABLE_PREFIX "GOSSAMER_"

/* --- environment */

/* GOSSAMER_MESH__LISTEN is mesh.listen. */
static void host_variable_key(const char *name, size_t size, char *key, size_t room)
{
    size_t used = 0;

    for (size_t i = 0; i < size && used + 1 < room; i++) {
        bool is_dot = name[i] == '_' && i + 1 < size && name[i + 1] == '_';

        key[used++] =
            is_dot ? '.' : (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
        i += is_dot;
    }
    key[used] = 0;
}

/* Variables of the command line tool and of scripts have no group and are not ours. */
static void host_variable_apply(struct host_config *config, const char *variable)
{
    const char *equals = strchr(variable, '=');
    char key[64], name[80], near[64];
    struct host_place place = {.source = name};
    const char *dot;
    int id;

    if (equals == NULL)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(equals - variable), variable);
    host_variable_key(name + strlen(VARIABLE_PREFIX), strlen(name) - strlen(VARIABLE_PREFIX), key,
                      sizeof key);
    id = host_setting_find(key);
    dot = strrchr(key, '.');
    if (id >= 0) {
        host_config_set(config, id, equals + 1, name);
    } else if (dot != NULL) {
        char group[64];

        snprintf(group, sizeof group, "%.*s", (int)(dot - key), key);
        if (host_setting_suggest(group, dot + 1, near))
            host_problem(&config->problems, HOST_WARNING, &place,
                         "there is no setting \"%s\" (did you mean \"%s.%s\"?)", key, group, near);
        else
            host_problem(&config->problems, HOST_WARNING, &place, "there is no setting \"%s\"",
                         key);
    }
}

void host_environment_apply(struct host_config *config, char **environment)
{
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0)
            host_variable_apply(config, *environment);
}

/* --- files */

static int host_is_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".yaml") == 0;
}

void host_files_apply(struct host_config *config, const char *path)
{
    const char *main_path = path == NULL ? FILE_DEFAULT : path;
    const char *slash = strrchr(main_path, '/');
    struct dirent **entries = NULL;
    char directory[HOST_PATH_SIZE / 2], file[HOST_PATH_SIZE];
    int count;

    if (path != NULL || access(main_path, F_OK) == 0)
        host_yaml_file(config, main_path);
    snprintf(directory, sizeof directory, "%.*sconf.d",
             slash == NULL ? 0 : (int)(slash - main_path) + 1, main_path);
    count = scandir(directory, &entries, host_is_yaml, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof file, "%s/%s", directory, entries[i]->d_name);
        host_yaml_file(config, file);
        free(entries[i]);
    }
    free(entries);
}

/* --- commands */

/* Makes a cluster key: into a new file of mode 0600, or on standard output. */
static int host_keygen(const char *path)
{
    struct seal_entropy entropy = host_entropy();
    struct seal_keyring ring;
    uint8_t text[SEAL_KEYRING_TEXT_MAX];
    struct writer out = writer_over(text, sizeof text);
    FILE *file = stdout;
    bool is_written;

    seal_keyring_make(&ring, &entropy);
    if (seal_keyring_write(&ring, &out) != STATUS_OK)
        return HOST_EXIT_FAILURE;
    if (path != NULL) {
        umask(077);
        file = fopen(path, "wx");
        if (file == NULL) {
            fprintf(stderr, "error: cannot make %s: %s\n", path, strerror(errno));
            return HOST_EXIT_FAILURE;
        }
    }
    is_written = fwrite(text, 1, out.size, file) == out.size;
    is_written &= (path == NULL ? fflush(file) : fclose(file)) == 0;
    seal_keyring_wipe(&ring);
    host_wipe(text, sizeof text);
    return is_written ? HOST_EXIT_OK : HOST_EXIT_FAILURE;
}

/* Reads every source and prints what is wrong; false when something is. */
static bool host_config_gather(struct host_config *config, const struct host_args *args,
                               char **environment)
{
    host_files_apply(config, args->config);
    host_environment_apply(config, environment);
    host_args_apply(args, config);
    fputs(host_problems_text(&config->problems), stderr);
    return config->problems.errors == 0;
}

int host_config_load(struct host_config *config, int argc, char **argv, char **environment)
{
    struct host_args *args = calloc(1, sizeof *args);
    int status = HOST_EXIT_OK;

    if (args == NULL || !host_args_read(args, argc, argv, stderr)) {
        free(args);
        return HOST_EXIT_USAGE;
    }
    if (args->command == HOST_COMMAND_HELP)
        host_args_help(stdout);
    else if (args->command == HOST_COMMAND_VERSION)
        puts("gossamerd " GOSSAMER_VERSION);
    else if (args->command == HOST_COMMAND_EXAMPLE)
        host_config_example(stdout);
    else if (args->command == HOST_COMMAND_KEYGEN)
        status = host_keygen(args->argument);
    else if (!host_config_gather(config, args, environment))
        status = HOST_EXIT_CONFIG;
    else if (args->command == HOST_COMMAND_RUN)
        status = HOST_RUN;
    else if (args->command == HOST_COMMAND_DUMP)
        host_config_dump(config, stdout);
    else
        puts("the configuration is good");
    free(args);
    return status;
}
