/* cli.h: the command line tool `gossamer`: asks one peer over HTTP and shows the answer. Results go
 * to standard output, talk to standard error (api.md 12). */
#ifndef GOSSAMER_CLI_H
#define GOSSAMER_CLI_H

/* What a shell learns. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILURE = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_CONFLICT = 4,    /* conflict or precondition */
    CLI_UNREACHABLE = 5, /* cannot connect, or timeout */
    CLI_UNAVAILABLE = 6, /* no quorum */
    CLI_REFUSED = 7,     /* authentication */
    CLI_PARTIAL = 8,     /* some of many succeeded */
};

/* cli_run does what the arguments say (argv[0] is the program) and returns an enum cli_exit. */
int cli_run(int argc, char **argv);

#endif
