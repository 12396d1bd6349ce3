/* host_setup.h: settings made into what the rooms are told. */
#ifndef GOSSAMER_HOST_SETUP_H
#define GOSSAMER_HOST_SETUP_H

#include "host_bind.h"
#include "host_room.h"

#define HOST_TOKEN_SIZE 512 /* bytes of an admin token, its zero included */

/* host_setup_directory writes the data directory into `path` (HOST_PATH_SIZE bytes). */
void host_setup_directory(const struct host_config *config, char *path);
/* host_setup_token reads http.admin_token_file into `token` (HOST_TOKEN_SIZE bytes, "" when none is
 * configured). HOST_EXIT_OK, _PERMISSION or _CONFIG with a line that says why. */
int host_setup_token(const struct host_config *config, char *token, struct host_log *log);
/* host_setup_keys reads the cluster key, or makes it when this peer founds a cluster. HOST_EXIT_OK,
 * _PERMISSION, _DATA or _CONFIG with a line. */
int host_setup_keys(struct host *host);
/* host_setup_name gives the peer's name and that of its machine. */
void host_setup_names(const struct host *host, struct label *name, struct label *machine);
/* host_setup_storage, _node and _edge fill what the rooms are told; what they point at lives as
 * long as the host. */
struct host_storage_config host_setup_storage(struct host *host);
struct node_config host_setup_node(struct host *host, const struct host_sockets *sockets);
struct edge_config host_setup_edge(struct host *host, const char *token);

#endif
