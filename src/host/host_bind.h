/* host_bind.h: every socket the daemon listens at, opened before anything else is made so that an
 * address in use is found early. */
#ifndef GOSSAMER_HOST_BIND_H
#define GOSSAMER_HOST_BIND_H

#include "host_config.h"
#include "host_log.h"
#include "message.h"

#define HOST_BIND_MAX 4u /* listeners of one kind; no reason but a bound */

struct host_sockets {
    int udp[HOST_BIND_MAX], tcp[HOST_BIND_MAX]; /* of the mesh, in pairs on one port */
    struct address mesh[HOST_BIND_MAX];
    unsigned mesh_count;
    int http[HOST_BIND_MAX];
    bool http_is_unix[HOST_BIND_MAX];
    struct host_endpoint http_at[HOST_BIND_MAX]; /* with the port that was bound */
    unsigned http_count;
    struct address advertised[SELF_ADDRESSES_MAX];
    unsigned advertised_count;
};

/* host_bind_check refuses what is unsafe: clients beyond this machine without a token, or without
 * encryption unless that is allowed. HOST_EXIT_OK or HOST_EXIT_CONFIG, with a line that names the
 * remedy. */
int host_bind_check(const struct host_config *config, bool has_token, struct host_log *log);
/* host_bind opens every socket and finds the addresses to advertise. HOST_EXIT_OK, HOST_EXIT_BIND
 * or HOST_EXIT_CONFIG with a line that says why; nothing is left open then. */
int host_bind(struct host_sockets *sockets, const struct host_config *config, struct host_log *log);
/* host_bind_close closes what nobody has taken over: set the counts to 0 when they are. */
void host_bind_close(struct host_sockets *sockets);
/* host_bind_text writes an endpoint for people into `text` (128 bytes) and returns it. */
const char *host_bind_text(const struct host_endpoint *endpoint, char text[128]);

#endif
