/* host.h: the daemon around the core: configuration, then a libev loop that drives one node with
 * sockets, a store and time. The program is three calls; everything else is private to the room. */
#ifndef GOSSAMER_HOST_H
#define GOSSAMER_HOST_H

/* How the daemon ends (api.md 12). */
enum host_exit {
    HOST_EXIT_OK = 0,
    HOST_EXIT_FAILURE = 1,
    HOST_EXIT_USAGE = 2,
    HOST_EXIT_DATA = 65,       /* data directory damaged, or of another cluster */
    HOST_EXIT_BIND = 69,       /* an address cannot be listened at */
    HOST_EXIT_LOST = 74,       /* the store is lost and storage.required is set */
    HOST_EXIT_BUSY = 75,       /* the data directory is in use */
    HOST_EXIT_PERMISSION = 77, /* not writable, or a secret that others could read */
    HOST_EXIT_CONFIG = 78,     /* configuration error, or refused for safety */
};

/* Not an exit status: host_config_load has loaded a configuration to run. */
#define HOST_RUN (-1)

struct host_config;

/* host_config_new makes the default configuration; NULL without memory. The caller deletes it. */
struct host_config *host_config_new(void);
void host_config_delete(struct host_config *config);
/* host_config_load reads arguments, environment and files, and performs the commands that only
 * print (help, version, config check, example and dump, keygen). `environment` is a NULL-terminated
 * list of NAME=value. HOST_RUN: call host_run. Else the exit status; problems have been printed. */
int host_config_load(struct host_config *config, int argc, char **argv, char **environment);
/* host_run is the life of the peer: it returns the exit status after a signal or a graceful leave.
 * libsodium must have been initialised and jansson seeded before. */
int host_run(const struct host_config *config);

#endif
