/* host_run.c: the life of one peer, from settings to exit status. The order of a start is that of
 * protocols.md part 1: lock -> identity -> boot record -> store -> everything else; no packet and
 * no write before the boot record is durable. */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "hash.h"
#include "host_bind.h"
#include "host_clock.h"
#include "host_entropy.h"
#include "host_notify.h"
#include "host_room.h"
#include "host_secret.h"
#include "host_setup.h"
#include "place.h"

#define TABLES_MAX 2u /* partition tables kept: base and target */

static void host_trace(void *context, enum trace_code code, uint64_t a, uint64_t b, uint64_t c)
{
    struct host *host = context;
    uint64_t numbers[3] = {a, b, c};

    host_log_trace(&host->log, host->wall_ms, code, numbers);
}

static int host_exit_of(enum status status)
{
    if (status == STATUS_PERMISSION)
        return HOST_EXIT_PERMISSION;
    if (status == STATUS_BUSY)
        return HOST_EXIT_BUSY;
    if (status == STATUS_CORRUPT || status == STATUS_FOREIGN || status == STATUS_UNSUPPORTED)
        return HOST_EXIT_DATA;
    return HOST_EXIT_FAILURE;
}

/* The list of seeds as one text. */
static char *host_join_seeds(const struct host_config *config)
{
    const struct host_value *seeds = &config->values[SETTING_MESH_SEEDS];
    size_t size = 1;
    char *text;

    for (unsigned i = 0; i < seeds->count; i++)
        size += strlen(seeds->items[i]) + 1;
    text = calloc(1, size);
    for (unsigned i = 0; text != NULL && i < seeds->count; i++) {
        size_t used = strlen(text);

        snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ",", seeds->items[i]);
    }
    return text;
}

/* --- the steps of a start; each returns HOST_EXIT_OK or the status to leave with */

static int host_start_directory(struct host *host)
{
    char path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE] = "";
    enum status status;

    host_setup_directory(host->config, path);
    status = host_directory_open(&host->directory, path, detail);
    if (status != STATUS_OK) {
        host_log(&host->log, LEVEL_ERROR, "%s", detail);
        return host_exit_of(status);
    }
    return host_setup_keys(host);
}

/* The memory engine forgets: after its first start, rows may be missing that others counted on. */
static int host_start_storage(struct host *host, bool *is_recovering)
{
    struct host_storage_config config = host_setup_storage(host);
    char detail[HOST_DETAIL_SIZE] = "";
    enum status status = host_storage_open(&host->storage, &config, is_recovering, detail);

    if (status != STATUS_OK) {
        host_log(&host->log, LEVEL_ERROR, "cannot open the store: %s", detail);
        return host_exit_of(status);
    }
    if (*is_recovering)
        host_log(&host->log, LEVEL_WARN, "the store lacks rows: %s", detail);
    *is_recovering |= config.is_memory && host->directory.boot.counter > 1;
    return HOST_EXIT_OK;
}

static int host_start_node(struct host *host, const struct host_sockets *sockets)
{
    struct node_config config;
    struct node_ports ports = {
        .store = host_storage_ports(host->storage),
        .entropy = host_entropy(),
        .trace = {.emit = host_trace, .context = host},
    };
    enum status status;

    host->tables = place_cache_new(TABLES_MAX);
    if (host->tables == NULL)
        return HOST_EXIT_FAILURE;
    config = host_setup_node(host, sockets);
    status = node_new(&host->node, &config, &ports);
    if (status == STATUS_OK)
        return HOST_EXIT_OK;
    host_log(&host->log, LEVEL_ERROR, "cannot make the peer: %s", status_text(status));
    return HOST_EXIT_FAILURE;
}

/* The sockets are taken over by the three that use them. */
static int host_start_rooms(struct host *host, struct host_sockets *sockets, const char *token)
{
    struct edge_config config = host_setup_edge(host, token);

    host->edge = edge_new(&config);
    host->udp = host_udp_open(host, sockets->udp, sockets->mesh_count);
    host->links = host_links_open(host, sockets->tcp, sockets->mesh_count, HOST_LINKS_MAX);
    sockets->mesh_count = 0;
    host->http = host_http_open(host, sockets->http, sockets->http_is_unix, sockets->http_count);
    sockets->http_count = 0;
    host->resolve = host_resolve_open(host);
    if (host->edge && host->udp && host->links && host->http && host->resolve)
        return HOST_EXIT_OK;
    host_log(&host->log, LEVEL_ERROR, "out of memory");
    return HOST_EXIT_FAILURE;
}

/* --- what a start tells */

static void host_tell_mesh(struct host *host, const struct host_sockets *sockets)
{
    char text[ADDRESS_TEXT_MAX];
    bool is_set = host_config_is_set(host->config, SETTING_MESH_ADVERTISE);

    for (unsigned i = 0; i < sockets->mesh_count; i++)
        host_log(&host->log, LEVEL_INFO, "mesh at %s, UDP and TCP (mesh.listen)",
                 address_format(&sockets->mesh[i], text));
    for (unsigned i = 0; i < sockets->advertised_count; i++)
        host_log(&host->log, LEVEL_INFO, "others are told %s (%s)",
                 address_format(&sockets->advertised[i], text),
                 is_set ? "mesh.advertise" : "change it with mesh.advertise");
}

static void host_tell(struct host *host, const struct host_sockets *sockets)
{
    bool is_memory = host_config_number(host->config, SETTING_STORAGE_ENGINE) == 1;
    char text[128], id[2 * NODE_ID_SIZE + 1];

    for (unsigned i = 0; i < NODE_ID_SIZE; i++)
        snprintf(id + 2 * i, 3, "%02x", host->directory.identity.id.bytes[i]);
    host_log(&host->log, LEVEL_INFO, "gossamerd %s, peer %s, id %s", GOSSAMER_VERSION,
             host->log.peer.text, id);
    host_log(&host->log, LEVEL_INFO, "store %s, data directory %s",
             is_memory ? "memory (forgets at a restart)" : "rocksdb", host->directory.path);
    host_tell_mesh(host, sockets);
    for (unsigned i = 0; i < sockets->http_count; i++)
        host_log(&host->log, LEVEL_INFO, "clients at %s (http.listen)",
                 host_bind_text(&sockets->http_at[i], text));
    if (host->seeds[0] != 0)
        host_log(&host->log, LEVEL_INFO, "joining through %s (mesh.seeds)", host->seeds);
}

/* --- life */

static int host_start(struct host *host, struct host_sockets *sockets, char *token)
{
    bool is_recovering = false;
    struct label machine;
    int exit = host_setup_token(host->config, token, &host->log);

    if (exit == HOST_EXIT_OK)
        exit = host_bind_check(host->config, token[0] != 0, &host->log);
    if (exit == HOST_EXIT_OK)
        exit = host_start_directory(host);
    if (exit == HOST_EXIT_OK && !host_loop_open(host))
        exit = HOST_EXIT_FAILURE;
    if (exit == HOST_EXIT_OK)
        exit = host_bind(sockets, host->config, &host->log);
    if (exit == HOST_EXIT_OK)
        exit = host_start_storage(host, &is_recovering);
    if (exit != HOST_EXIT_OK)
        return exit;
    host_setup_names(host, &host->log.peer, &machine);
    host_tell(host, sockets);
    exit = host_start_node(host, sockets);
    if (exit == HOST_EXIT_OK)
        exit = host_start_rooms(host, sockets, token);
    if (exit != HOST_EXIT_OK)
        return exit;
    host_refresh(host);
    host_opened(host, is_recovering);
    return HOST_EXIT_OK;
}

static void host_end(struct host *host)
{
    host_http_close(host->http);
    host_resolve_close(host->resolve);
    host_udp_close(host->udp);
    host_links_close(host->links);
    if (host->loop != NULL)
        effects_reset(&host->effects); /* pins go back before the store does */
    edge_delete(host->edge);
    node_delete(host->node);
    host_storage_close(host->storage);
    if (host->tables != NULL)
        place_cache_delete(host->tables);
    host_loop_close(host);
    if (host->directory.path[0] != 0)
        host_directory_close(&host->directory);
    seal_keyring_wipe(&host->keyring);
    free(host->seeds);
}

int host_run(const struct host_config *config)
{
    struct host *host = calloc(1, sizeof *host);
    struct host_sockets sockets = {0};
    char token[HOST_TOKEN_SIZE] = "";
    int exit;

    if (host == NULL)
        return HOST_EXIT_FAILURE;
    /* A core file would hold the cluster key; nobody else may look into the process either. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    umask(077);
    host->config = config;
    host->directory.lock = -1;
    host->seeds = host_join_seeds(config);
    host->wall_ms = host_clock_wall_ms();
    host_log_init(&host->log, stderr,
                  (enum trace_level)host_config_number(config, SETTING_LOG_LEVEL),
                  (enum host_log_format)host_config_number(config, SETTING_LOG_FORMAT));
    exit = host->seeds == NULL ? HOST_EXIT_FAILURE : host_start(host, &sockets, token);
    if (exit == HOST_EXIT_OK) {
        host_signals_start(host);
        host_notify("READY=1");
        host_loop_run(host);
        host_signals_stop(host);
        exit = host->exit;
        host_log(&host->log, LEVEL_INFO, "stopped");
    }
    host_bind_close(&sockets);
    host_end(host);
    host_wipe(token, sizeof token);
    free(host);
    return exit;
}
