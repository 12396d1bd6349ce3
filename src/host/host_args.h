/* host_args.h: the command line of gossamerd. Options stand in one table, from which parsing, help
 * and suggestions are made. */
#ifndef GOSSAMER_HOST_ARGS_H
#define GOSSAMER_HOST_ARGS_H

#include "host_config.h"

enum host_command {
    HOST_COMMAND_RUN,
    HOST_COMMAND_CHECK,
    HOST_COMMAND_EXAMPLE,
    HOST_COMMAND_DUMP,
    HOST_COMMAND_KEYGEN,
    HOST_COMMAND_VERSION,
    HOST_COMMAND_HELP,
};

/* What the arguments say. Values of settings are applied later, after files and environment. */
struct host_args {
    enum host_command command;
    const char *config;   /* --config, or NULL */
    const char *argument; /* of keygen: the file to make, or NULL */
    struct {
        int id;             /* of the setting */
        const char *text;   /* borrowed from argv */
        const char *source; /* how it was spelled, for messages */
    } sets[HOST_SOURCES_MAX];
    unsigned set_count;
    char sources[HOST_SOURCES_MAX][48];
};

/* host_args_read reads arguments. False: a message with a hint is on `errors`, exit with usage. */
bool host_args_read(struct host_args *args, int argc, char **argv, FILE *errors);
/* host_args_apply sets what the flags set. */
void host_args_apply(const struct host_args *args, struct host_config *config);
/* host_args_help prints the help, which begins with an example. */
void host_args_help(FILE *out);

/* host_environment_apply sets what GOSSAMER_GROUP__NAME=value variables say. */
void host_environment_apply(struct host_config *config, char **environment);
/* host_files_apply reads the configuration file and then conf.d beside it, in name order. `path`
 * NULL: /etc/gossamer/gossamer.yaml, if it is there. */
void host_files_apply(struct host_config *config, const char *path);

#endif
