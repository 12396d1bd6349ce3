#include "host_setup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "host_keyring.h"
#include "host_secret.h"

#define TOKEN_SIZE_MIN 32u
#define MARK_INTERVAL_MS 1000u
#define MEMBERS_MAX CELL_MAX /* one full view */
#define OPERATIONS_MAX 4096u

/* --- files */

void host_setup_directory(const struct host_config *config, char *path)
{
    const char *set = host_config_text(config, SETTING_STORAGE_DIR);
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (set[0] != 0)
        snprintf(path, HOST_PATH_SIZE, "%s", set);
    else if (geteuid() == 0 || home == NULL || access("/var/lib/gossamer", W_OK) == 0)
        snprintf(path, HOST_PATH_SIZE, "/var/lib/gossamer");
    else if (data != NULL && data[0] == '/')
        snprintf(path, HOST_PATH_SIZE, "%s/gossamer", data);
    else
        snprintf(path, HOST_PATH_SIZE, "%s/.local/share/gossamer", home);
}

/* A relative name is looked for among the credentials systemd hands over, then where we are. */
static const char *host_secret_path(const char *name, char path[HOST_PATH_SIZE])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    if (name[0] != '/' && credentials != NULL && host_file_path(path, credentials, name) != NULL &&
        access(path, R_OK) == 0)
        return path;
    snprintf(path, HOST_PATH_SIZE, "%s", name);
    return path;
}

static int host_secret_exit(enum status status)
{
    return status == STATUS_PERMISSION ? HOST_EXIT_PERMISSION : HOST_EXIT_CONFIG;
}

int host_setup_token(const struct host_config *config, char *token, struct host_log *log)
{
    const char *name = host_config_text(config, SETTING_HTTP_ADMIN_TOKEN_FILE);
    char path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    enum status status;
    size_t size = 0;

    token[0] = 0;
    if (name[0] == 0)
        return HOST_EXIT_OK;
    status =
        host_secret_read(host_secret_path(name, path), token, HOST_TOKEN_SIZE - 1, &size, detail);
    if (status != STATUS_OK) {
        host_log(log, LEVEL_ERROR, "http.admin_token_file: %s", detail);
        return host_secret_exit(status);
    }
    while (size > 0 && isspace((unsigned char)token[size - 1]))
        size--;
    token[size] = 0;
    if (size >= TOKEN_SIZE_MIN && strlen(token) == size && strpbrk(token, " \t\r\n") == NULL)
        return HOST_EXIT_OK;
    host_log(log, LEVEL_ERROR,
             "http.admin_token_file: %s must hold one word of at least %u characters. "
             "Try: head -c 24 /dev/urandom | base64 > %s",
             path, TOKEN_SIZE_MIN, path);
    return HOST_EXIT_CONFIG;
}

/* --- the cluster key */

int host_setup_keys(struct host *host)
{
    const char *set = host_config_text(host->config, SETTING_MESH_SECRET_FILE);
    char path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    enum status status;

    if (set[0] != 0)
        set = host_secret_path(set, path);
    status =
        host_keyring_open(&host->keyring, host->directory.path, set, host->seeds[0] != 0, detail);
    if (status == STATUS_OK)
        return HOST_EXIT_OK;
    host_log(&host->log, LEVEL_ERROR, "mesh.secret_file: %s%s", detail,
             status == STATUS_MISSING && set[0] != 0 ? ". Make one: gossamerd keygen FILE" : "");
    return status == STATUS_CORRUPT ? HOST_EXIT_DATA : host_secret_exit(status);
}

/* --- names */

/* Makes a host name fit: lower case, the first part only. */
static struct label host_name_made(const char *text)
{
    char name[NAME_SIZE_MAX + 1];
    size_t size = 0;

    for (; *text != 0 && *text != '.' && size < NAME_SIZE_MAX; text++) {
        int letter = tolower((unsigned char)*text);

        if (isalnum(letter) || letter == '-')
            name[size++] = (char)letter;
    }
    return label_make(slice_of(name, size));
}

void host_setup_names(const struct host *host, struct label *name, struct label *machine)
{
    const char *name_set = host_config_text(host->config, SETTING_NODE_NAME);
    const char *host_set = host_config_text(host->config, SETTING_NODE_HOST);
    char text[256] = "";

    if (gethostname(text, sizeof text - 1) != 0)
        text[0] = 0;
    *name = name_set[0] != 0 ? label_make(slice_text(name_set)) : host_name_made(text);
    *machine = host_set[0] != 0 ? label_make(slice_text(host_set)) : host_name_made(text);
    if (name->size == 0 || !islower((unsigned char)name->text[0])) {
        snprintf(text, sizeof text, "peer-%08x",
                 (unsigned)(id_front(&host->directory.identity.id) >> 32));
        *name = label_make(slice_text(text));
    }
    if (machine->size == 0)
        *machine = *name;
}

/* --- what the rooms are told */

static uint64_t host_number(const struct host *host, enum host_setting_id id)
{
    return host_config_number(host->config, id);
}

struct host_storage_config host_setup_storage(struct host *host)
{
    return (struct host_storage_config){
        .is_memory = host_number(host, SETTING_STORAGE_ENGINE) == 1,
        .memory_max = host_number(host, SETTING_STORAGE_MEMORY_MAX),
        .directory = host->directory.path,
        .cache_size = host_number(host, SETTING_STORAGE_CACHE),
        .min_free = host_number(host, SETTING_STORAGE_MIN_FREE),
        .commit_ops = (uint32_t)host_number(host, SETTING_STORAGE_COMMIT_OPS),
        .commit_bytes = (uint32_t)host_number(host, SETTING_STORAGE_COMMIT_BYTES),
        .mark_interval_ms = MARK_INTERVAL_MS,
        .is_compressed = host_number(host, SETTING_STORAGE_COMPRESSION) == 1,
        .may_refill = host_number(host, SETTING_STORAGE_REFILL) != 0,
        .wake = host_wake_loop,
        .wake_context = host,
    };
}

static uint8_t host_log2(uint64_t power)
{
    uint8_t bits = 0;

    while (power > 1) {
        power >>= 1;
        bits++;
    }
    return bits;
}

static uint16_t host_http_port(const struct host_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->http_count; i++)
        if (!sockets->http_is_unix[i])
            return sockets->http_at[i].address.port;
    return 0;
}

/* What namespace `_default` of a new cluster sets: only what differs from what is built in. */
static struct space_settings host_defaults(const struct host *host)
{
    struct space_settings defaults = {0};
    uint64_t consistency = host_number(host, SETTING_DEFAULTS_CONSISTENCY) + CONSISTENCY_ONE;
    uint64_t conflict = host_number(host, SETTING_DEFAULTS_CONFLICT) + CONFLICT_SIBLINGS;

    if (consistency != CONSISTENCY_QUORUM) {
        defaults.set |= SPACE_CONSISTENCY;
        defaults.consistency = (uint8_t)consistency;
    }
    if (conflict != CONFLICT_SIBLINGS) {
        defaults.set |= SPACE_CONFLICT;
        defaults.conflict = (uint8_t)conflict;
    }
    if (host_config_is_set(host->config, SETTING_DEFAULTS_TTL)) {
        defaults.set |= SPACE_TTL;
        defaults.ttl_ms = host_number(host, SETTING_DEFAULTS_TTL);
    }
    return defaults;
}

struct node_config host_setup_node(struct host *host, const struct host_sockets *sockets)
{
    const char *zone = host_config_text(host->config, SETTING_NODE_ZONE);
    struct node_config node = {
        .identity = &host->directory.identity,
        .keyring = &host->keyring,
        .zone = label_make(slice_text(zone)),
        .weight = (uint16_t)host_number(host, SETTING_NODE_WEIGHT),
        .address_count = (uint8_t)sockets->advertised_count,
        .http_port = host_http_port(sockets),
        .profile = (enum profile)host_number(host, SETTING_MESH_PROFILE),
        .replicas = (uint8_t)host_number(host, SETTING_DEFAULTS_REPLICAS),
        .defaults = host_defaults(host),
        .partition_bits = host_log2(host_number(host, SETTING_CLUSTER_PARTITIONS)),
        .seeds = host->seeds,
        .members_max = MEMBERS_MAX,
        .operations_max = OPERATIONS_MAX,
        .links_max = HOST_LINKS_MAX,
        .recent_rows = host_number(host, SETTING_STORAGE_ENGINE) == 1 ? 1 : HOST_RECENT_ROWS,
        .value_max = (uint32_t)host_number(host, SETTING_HTTP_VALUE_MAX),
        .request_timeout_ms = (uint32_t)host_number(host, SETTING_HTTP_REQUEST_TIMEOUT),
        .sync_interval_ms = (uint32_t)host_number(host, SETTING_SYNC_INTERVAL),
        .hints_count_max = (uint32_t)host_number(host, SETTING_HINTS_COUNT_MAX),
        .hints_age_max_ms = host_number(host, SETTING_HINTS_AGE_MAX),
        .gc_interval_ms = 200, /* a few partitions a second, eight times that when much waits */
        .forget_after_ms = host_number(host, SETTING_CLUSTER_FORGET_AFTER),
        .scrub_period_s = (uint32_t)(host_number(host, SETTING_STORAGE_SCRUB_PERIOD) / 1000),
        .sync_rate = host_number(host, SETTING_SYNC_RATE_MAX),
        .rebalance_rate = host_number(host, SETTING_REBALANCE_RATE_MAX),
        .is_rebalance_paused = host_number(host, SETTING_REBALANCE_RATE_MAX) == 0,
        .tables = host->tables,
    };

    host_setup_names(host, &node.name, &node.host);
    memcpy(node.addresses, sockets->advertised, sizeof node.addresses);
    return node;
}

struct edge_config host_setup_edge(struct host *host, const char *token)
{
    const struct host_value *hosts = &host->config->values[SETTING_HTTP_HOSTS];
    struct edge_config edge = {
        .name = host->log.peer,
        .version = GOSSAMER_VERSION,
        .value_max = (uint32_t)host_number(host, SETTING_HTTP_VALUE_MAX),
        .hosts = (const char *const *)hosts->items,
        .host_count = hosts->count,
        .admin_token = token,
        .header_timeout_us = INSTANT_MS(host_number(host, SETTING_HTTP_HEADER_TIMEOUT)),
        .idle_timeout_us = INSTANT_MS(host_number(host, SETTING_HTTP_IDLE_TIMEOUT)),
        .pipeline_max = HOST_PIPELINE_MAX,
        .write_timeout_us = INSTANT_MS(host_number(host, SETTING_HTTP_WRITE_TIMEOUT)),
        .metrics = {&host->edge_metrics, &host->node_metrics, &host->metrics},
    };

    host_random(&edge.seed, sizeof edge.seed);
    return edge;
}
