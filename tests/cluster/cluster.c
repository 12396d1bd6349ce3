#include "cluster.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc.h"

const char *cluster_daemon(void)
{
    static char path[512];
    const char *given = getenv("GOSSAMERD"), *build = getenv("BUILD");

    if (given && given[0])
        return given;
    build = build ? build : "build";
    snprintf(path, sizeof path, "%s/asan/gossamerd", build);
    if (access(path, X_OK) != 0)
        snprintf(path, sizeof path, "%s/release/gossamerd", build);
    return path;
}

static void cluster_key_make(struct cluster *cluster)
{
    char *arguments[] = {(char *)cluster_daemon(), "keygen", cluster->key_file, NULL};
    char log[160];

    snprintf(log, sizeof log, "%s/keygen.log", cluster->directory);
    assert_int_equal(proc_wait(proc_start(arguments, log), 20000), 0);
}

struct peer *cluster_add(struct cluster *cluster, const struct peer *seed)
{
    struct peer *peer = &cluster->peers[cluster->count++];
    char name[sizeof peer->name], directory[sizeof cluster->directory];

    assert_true(cluster->count <= CLUSTER_PEERS_MAX);
    memset(peer, 0, sizeof *peer);
    peer->http = proc_port();
    peer->mesh = proc_port();
    snprintf(name, sizeof name, "peer-%u", cluster->count);
    memcpy(peer->name, name, sizeof name);
    memcpy(directory, cluster->directory, sizeof directory);
    snprintf(peer->directory, sizeof peer->directory, "%s/%s", directory, name);
    snprintf(peer->log, sizeof peer->log, "%s/%s.log", directory, name);
    if (seed)
        snprintf(peer->seed, sizeof peer->seed, "127.0.0.1:%u", seed->mesh);
    peer->client = client_at(peer->http);
    return peer;
}

void peer_start_with(struct cluster *cluster, struct peer *peer, const char *const *extras)
{
    char http[32], mesh[32], key[192], host[48];
    char *argv[24 + CLUSTER_EXTRAS_MAX] = {(char *)cluster_daemon(),
                                           "--name",
                                           peer->name,
                                           "--data",
                                           peer->directory,
                                           "--http",
                                           http,
                                           "--mesh",
                                           mesh,
                                           "--set",
                                           "mesh.profile=local",
                                           "--set",
                                           host,
                                           "--set",
                                           key,
                                           "--set",
                                           "storage.min_free=64MiB"};
    unsigned count = 17;

    assert_int_equal(peer->pid, 0);
    snprintf(http, sizeof http, "127.0.0.1:%u", peer->http);
    snprintf(mesh, sizeof mesh, "127.0.0.1:%u", peer->mesh);
    snprintf(host, sizeof host, "node.host=%s", peer->name);
    snprintf(key, sizeof key, "mesh.secret_file=%s",
             peer->key_file ? peer->key_file : cluster->key_file);
    if (peer->seed[0]) {
        argv[count++] = "--join";
        argv[count++] = peer->seed;
    }
    for (unsigned i = 0; extras && extras[i]; i++) {
        assert_true(i < CLUSTER_EXTRAS_MAX);
        argv[count++] = (char *)extras[i];
    }
    peer->pid = proc_start(argv, peer->log);
}

void peer_start(struct cluster *cluster, struct peer *peer)
{
    peer_start_with(cluster, peer, NULL);
}

void peer_kill(struct peer *peer)
{
    client_close(&peer->client);
    proc_end(peer->pid, SIGKILL);
    peer->pid = 0;
}

int peer_stop(struct peer *peer)
{
    int status;

    client_close(&peer->client);
    status = proc_end(peer->pid, SIGTERM);
    peer->pid = 0;
    return status;
}

bool peer_answers(struct peer *peer)
{
    uint64_t end = proc_now_ms() + 20000;

    while (proc_now_ms() < end && proc_is_running(peer->pid)) {
        if (client_get(&peer->client, "/livez").status == 200)
            return true;
        proc_pause(20);
    }
    return false;
}

void cluster_open(struct cluster *cluster, unsigned count)
{
    memset(cluster, 0, sizeof *cluster);
    scratch_make(cluster->directory);
    snprintf(cluster->key_file, sizeof cluster->key_file, "%s/cluster.key", cluster->directory);
    cluster_key_make(cluster);
    for (unsigned i = 0; i < count; i++)
        peer_start(cluster, cluster_add(cluster, i ? &cluster->peers[0] : NULL));
    cluster_await_full(cluster, count);
}

/* Prints the last 4 KiB of a log. */
static void peer_log_print(const struct peer *peer)
{
    FILE *file = fopen(peer->log, "re");
    char text[4097];
    size_t size;

    if (!file)
        return;
    if (fseek(file, -4096, SEEK_END) != 0)
        rewind(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = 0;
    fclose(file);
    fprintf(stderr, "--- end of the log of %s:\n%s\n", peer->name, text);
}

static bool peer_log_has(const struct peer *peer, const char *word)
{
    FILE *file = fopen(peer->log, "re");
    char line[4096];
    bool is_found = false;

    while (file && !is_found && fgets(line, sizeof line, file))
        is_found = strstr(line, word) != NULL;
    if (file)
        fclose(file);
    return is_found;
}

void cluster_close(struct cluster *cluster)
{
    bool is_sanitized = false;

    for (unsigned i = 0; i < cluster->count; i++) {
        struct peer *peer = &cluster->peers[i];
        bool is_bad = peer_log_has(peer, "Sanitizer") || peer_log_has(peer, "runtime error:");

        client_close(&peer->client);
        is_sanitized = is_sanitized || is_bad;
        if (is_bad || (peer->pid && !proc_is_running(peer->pid)))
            peer_log_print(peer);
        if (peer->pid)
            peer_kill(peer);
    }
    if (!getenv("CLUSTER_KEEP"))
        scratch_remove(cluster->directory);
    else
        fprintf(stderr, "kept %s\n", cluster->directory);
    assert_false(is_sanitized);
}

/* --- waiting */

int64_t cluster_number(const json_t *document, const char *path)
{
    char name[64];

    while (document) {
        size_t size = strcspn(path, ".");

        snprintf(name, sizeof name, "%.*s", (int)size, path);
        document = json_object_get(document, name);
        if (path[size] == 0)
            break;
        path += size + 1;
    }
    if (json_is_boolean(document))
        return json_is_true(document);
    return json_is_integer(document) ? (int64_t)json_integer_value(document) : -1;
}

void cluster_await(cluster_condition *is_true, void *context, unsigned seconds, const char *what)
{
    uint64_t end = proc_now_ms() + seconds * 1000u;

    while (!is_true(context)) {
        if (proc_now_ms() >= end)
            fail_msg("not within %u s: %s", seconds, what);
        proc_pause(50);
    }
}

static bool peer_is_full(struct peer *peer, unsigned alive)
{
    json_t *summary = client_json(&peer->client, "/v1/cluster");
    bool is_full = cluster_number(summary, "members.alive") == (int64_t)alive &&
                   cluster_number(summary, "members.active") == (int64_t)alive &&
                   cluster_number(summary, "partitions.moving") == 0 &&
                   cluster_number(summary, "ready") == 1;

    json_decref(summary);
    return is_full;
}

void cluster_await_full(struct cluster *cluster, unsigned alive)
{
    uint64_t end = proc_now_ms() + 60000;

    for (unsigned i = 0; i < cluster->count; i++) {
        struct peer *peer = &cluster->peers[i];

        while (peer->pid && !peer_is_full(peer, alive)) {
            if (proc_now_ms() >= end || !proc_is_running(peer->pid)) {
                struct client_reply reply = client_get(&peer->client, "/v1/cluster");

                peer_log_print(peer);
                fail_msg("%s does not see %u peers; its /v1/cluster: %s", peer->name, alive,
                         reply.status ? reply.body : "no answer");
            }
            proc_pause(50);
        }
    }
}

/* --- keys */

void keys_init(struct keys *keys, unsigned count)
{
    *keys = (struct keys){count, calloc(count, 1), 0};
    assert_non_null(keys->is_acknowledged);
}

void keys_free(struct keys *keys)
{
    free(keys->is_acknowledged);
}

static void keys_text(char path[64], char value[256], unsigned i)
{
    int size = snprintf(value, 256, "value of key %u:", i);

    snprintf(path, 64, "/v1/kv/test/some/key%u", i);
    memset(value + size, 'a' + (int)(i % 26), i % 200);
    value[(unsigned)size + i % 200] = 0;
}

unsigned keys_put(struct keys *keys, unsigned i, struct peer *peer)
{
    char path[64], value[256];
    struct client_reply reply;

    keys_text(path, value, i);
    reply = client_put(&peer->client, path, value, NULL);
    if (reply.status / 100 == 2 && !keys->is_acknowledged[i]) {
        keys->is_acknowledged[i] = 1;
        keys->acknowledged++;
    }
    return reply.status;
}

static void keys_verify_one(unsigned i, struct peer *peer)
{
    uint64_t end = proc_now_ms() + 20000;
    char path[64], value[256];
    struct client_reply reply;

    keys_text(path, value, i);
    do {
        reply = client_get(&peer->client, path);
        if (reply.status == 503 || reply.status == 0)
            proc_pause(100);
    } while ((reply.status == 503 || reply.status == 0) && proc_now_ms() < end);
    if (reply.status != 200 || reply.body_size != strlen(value) ||
        memcmp(reply.body, value, reply.body_size) != 0)
        fail_msg("key %u at %s: status %u, body \"%.*s\" instead of \"%s\"", i, peer->name,
                 reply.status, (int)reply.body_size, reply.body ? reply.body : "", value);
}

void keys_verify(const struct keys *keys, struct cluster *cluster)
{
    for (unsigned p = 0; p < cluster->count; p++)
        for (unsigned i = 0; cluster->peers[p].pid && i < keys->count; i++)
            if (keys->is_acknowledged[i])
                keys_verify_one(i, &cluster->peers[p]);
}
