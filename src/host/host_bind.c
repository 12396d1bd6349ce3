#include "host_bind.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ensure.h"
#include "hash.h"
#include "host_socket.h"

#define SOCKET_DEFAULT "/run/gossamer/api.sock"
#define PORT_TRIES 16 /* a free TCP port may be taken for UDP: another one is drawn */

const char *host_bind_text(const struct host_endpoint *endpoint, char text[128])
{
    char address[ADDRESS_TEXT_MAX];

    if (endpoint->path[0] != 0)
        snprintf(text, 128, "unix:%s", endpoint->path);
    else
        snprintf(text, 128, "http://%s", address_format(&endpoint->address, address));
    return text;
}

/* Every text of the setting was parsed once already. */
static struct host_endpoint host_bind_endpoint(const struct host_value *value, unsigned index)
{
    struct host_endpoint endpoint;
    char why[HOST_WHY_SIZE];

    ensure(host_endpoint_parse(value->items[index], &endpoint, why));
    return endpoint;
}

int host_bind_check(const struct host_config *config, bool has_token, struct host_log *log)
{
    const struct host_value *listen = &config->values[SETTING_HTTP_LISTEN];
    const struct host_value *hosts = &config->values[SETTING_HTTP_HOSTS];
    bool is_plain_allowed = host_config_number(config, SETTING_HTTP_ALLOW_PLAINTEXT) != 0;

    for (unsigned i = 0; i < hosts->count; i++) {
        if (strcmp(hosts->items[i], "*") == 0 && !has_token) {
            host_log(log, LEVEL_ERROR,
                     "refused for safety: http.hosts \"*\" needs "
                     "http.admin_token_file");
            return HOST_EXIT_CONFIG;
        }
    }
    for (unsigned i = 0; i < listen->count; i++) {
        struct host_endpoint endpoint = host_bind_endpoint(listen, i);

        if (endpoint.path[0] != 0 || host_socket_is_loopback(&endpoint.address))
            continue;
        if (!has_token) {
            host_log(log, LEVEL_ERROR,
                     "refused for safety: http.listen %s reaches beyond this machine without a "
                     "token. Listen at 127.0.0.1, or set http.admin_token_file",
                     listen->items[i]);
            return HOST_EXIT_CONFIG;
        }
        if (!is_plain_allowed) {
            host_log(log, LEVEL_ERROR,
                     "refused for safety: http.listen %s reaches beyond this machine without TLS. "
                     "Listen at 127.0.0.1 behind a TLS proxy, or set http.allow_plaintext: true",
                     listen->items[i]);
            return HOST_EXIT_CONFIG;
        }
    }
    return HOST_EXIT_OK;
}

static int host_bind_fail(struct host_sockets *sockets, struct host_log *log, const char *what,
                          const char *text)
{
    int error = errno;

    host_log(log, LEVEL_ERROR, "%s: cannot listen at %s: %s%s", what, text, strerror(error),
             error == EADDRINUSE ? "; another process does (see: ss -tulpn)" : "");
    host_bind_close(sockets);
    return HOST_EXIT_BIND;
}

/* One port for both: TCP first, then UDP at the same. */
static bool host_bind_pair(struct host_sockets *sockets, const struct address *address)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        struct address bound, same;
        int tcp = host_socket_open(address, SOCK_STREAM, &bound), udp;

        if (tcp < 0)
            return false;
        udp = host_socket_open(&bound, SOCK_DGRAM, &same);
        if (udp >= 0) {
            sockets->tcp[sockets->mesh_count] = tcp;
            sockets->udp[sockets->mesh_count] = udp;
            sockets->mesh[sockets->mesh_count++] = bound;
            return true;
        }
        close(tcp);
        if (address->port != 0)
            return false;
    }
    return false;
}

static int host_bind_mesh(struct host_sockets *sockets, const struct host_config *config,
                          struct host_log *log)
{
    const struct host_value *listen = &config->values[SETTING_MESH_LISTEN];

    for (unsigned i = 0; i < listen->count; i++) {
        struct host_endpoint endpoint = host_bind_endpoint(listen, i);

        if (endpoint.path[0] != 0 || i == HOST_BIND_MAX) {
            host_log(log, LEVEL_ERROR, "mesh.listen: %s is not possible; at most %u IP addresses",
                     listen->items[i], HOST_BIND_MAX);
            host_bind_close(sockets);
            return HOST_EXIT_CONFIG;
        }
        if (!host_bind_pair(sockets, &endpoint.address))
            return host_bind_fail(sockets, log, "mesh.listen", listen->items[i]);
    }
    return HOST_EXIT_OK;
}

/* The socket of the machine's own peer, where the directory is ours to write in; the second peer of
 * a machine does without. */
static void host_bind_default_path(struct host_sockets *sockets, const struct host_config *config)
{
    struct host_endpoint endpoint = {.path = SOCKET_DEFAULT};
    int fd = -1;

    if (!host_config_is_set(config, SETTING_HTTP_LISTEN) && sockets->http_count < HOST_BIND_MAX)
        fd = host_socket_open_path(endpoint.path);
    if (fd < 0)
        return;
    sockets->http[sockets->http_count] = fd;
    sockets->http_is_unix[sockets->http_count] = true;
    sockets->http_at[sockets->http_count++] = endpoint;
}

static int host_bind_http(struct host_sockets *sockets, const struct host_config *config,
                          struct host_log *log)
{
    const struct host_value *listen = &config->values[SETTING_HTTP_LISTEN];

    for (unsigned i = 0; i < listen->count; i++) {
        struct host_endpoint endpoint = host_bind_endpoint(listen, i);
        bool is_unix = endpoint.path[0] != 0;
        int fd = -1;

        errno = EMFILE;
        if (i < HOST_BIND_MAX)
            fd = is_unix ? host_socket_open_path(endpoint.path)
                         : host_socket_open(&endpoint.address, SOCK_STREAM, &endpoint.address);
        if (fd < 0)
            return host_bind_fail(sockets, log, "http.listen", listen->items[i]);
        sockets->http[sockets->http_count] = fd;
        sockets->http_is_unix[sockets->http_count] = is_unix;
        sockets->http_at[sockets->http_count++] = endpoint;
    }
    host_bind_default_path(sockets, config);
    return HOST_EXIT_OK;
}

static int host_bind_advertise(struct host_sockets *sockets, const struct host_config *config,
                               struct host_log *log)
{
    const struct host_value *wanted = &config->values[SETTING_MESH_ADVERTISE];

    for (unsigned i = 0; i < wanted->count; i++) {
        struct host_endpoint endpoint = host_bind_endpoint(wanted, i);

        if (endpoint.path[0] != 0 || host_socket_is_any(&endpoint.address) ||
            i == SELF_ADDRESSES_MAX) {
            host_log(log, LEVEL_ERROR,
                     "mesh.advertise: %s is no address others can reach; at most %d are told",
                     wanted->items[i], SELF_ADDRESSES_MAX);
            host_bind_close(sockets);
            return HOST_EXIT_CONFIG;
        }
        sockets->advertised[sockets->advertised_count++] = endpoint.address;
    }
    for (unsigned i = 0; wanted->count == 0 && i < sockets->mesh_count && i < SELF_ADDRESSES_MAX;
         i++)
        sockets->advertised[sockets->advertised_count++] = host_socket_advertise(&sockets->mesh[i]);
    return HOST_EXIT_OK;
}

int host_bind(struct host_sockets *sockets, const struct host_config *config, struct host_log *log)
{
    int status;

    *sockets = (struct host_sockets){0};
    status = host_bind_mesh(sockets, config, log);
    if (status == HOST_EXIT_OK)
        status = host_bind_http(sockets, config, log);
    if (status == HOST_EXIT_OK)
        status = host_bind_advertise(sockets, config, log);
    return status;
}

void host_bind_close(struct host_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->mesh_count; i++) {
        close(sockets->udp[i]);
        close(sockets->tcp[i]);
    }
    for (unsigned i = 0; i < sockets->http_count; i++)
        close(sockets->http[i]);
    sockets->mesh_count = sockets->http_count = 0;
}
