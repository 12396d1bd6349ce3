/* fault_test.c: one peer and what may be wrong around it: its directory, its identity, its keys,
 * its configuration, its clients. Each has a message and an exit status of its own (api.md 12). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

static struct cluster cluster;

/* A cluster of one that is not started yet. */
static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 0);
    (void)cluster_add(&cluster, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static void log_must_have(const struct peer *peer, const char *text)
{
    FILE *file = fopen(peer->log, "re");
    char all[16384];
    size_t size;

    assert_non_null(file);
    size = fread(all, 1, sizeof all - 1, file);
    all[size] = 0;
    fclose(file);
    if (!strstr(all, text))
        fail_msg("the log of %s does not say \"%s\" but: %s", peer->name, text, all);
}

/* The peer ends by itself with this status and says why. */
static void must_refuse(struct peer *peer, int status, const char *text)
{
    int got = proc_wait(peer->pid, 20000);

    if (got >= 0)
        peer->pid = 0;
    if (got != status)
        fail_msg("exit status %d instead of %d (-1: it goes on)", got, status);
    log_must_have(peer, text);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* A peer that has run once, so that its directory is complete. */
static void run_once(struct peer *peer)
{
    peer_start(&cluster, peer);
    assert_true(peer_answers(peer));
    assert_int_equal(peer_stop(peer), 0);
}

static void test_directory_in_use(void **state)
{
    struct peer *first = &cluster.peers[0], *second = cluster_add(&cluster, NULL);

    (void)state;
    peer_start(&cluster, first);
    assert_true(peer_answers(first));
    memcpy(second->directory, first->directory, sizeof second->directory);
    peer_start(&cluster, second);
    must_refuse(second, 75, first->directory);
    assert_int_equal(client_get(&first->client, "/livez").status, 200);
}

/* As root nothing is read-only: there the daemon runs as nobody, by setpriv of util-linux. */
static void test_directory_not_writable(void **state)
{
    struct peer *peer = &cluster.peers[0];
    char directory[160], http[32], mesh[32];
    char *argv[] = {"/usr/bin/setpriv",
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups",
                    (char *)cluster_daemon(),
                    "--data",
                    directory,
                    "--http",
                    http,
                    "--mesh",
                    mesh,
                    NULL};

    (void)state;
    snprintf(directory, sizeof directory, "%s/closed", cluster.directory);
    snprintf(http, sizeof http, "127.0.0.1:%u", peer->http);
    snprintf(mesh, sizeof mesh, "127.0.0.1:%u", peer->mesh);
    assert_int_equal(chmod(cluster.directory, 0755), 0);
    assert_int_equal(mkdir(directory, 0555), 0);
    if (geteuid() == 0 && access(argv[0], X_OK) != 0) {
        printf(
            "SKIP cluster fault directory_not_writable: needs setpriv; apt install util-linux\n");
        return;
    }
    peer->pid = proc_start(geteuid() == 0 ? argv : argv + 4, peer->log);
    must_refuse(peer, 77, directory);
}

static void test_secret_open_to_others(void **state)
{
    char path[192];

    (void)state;
    run_once(&cluster.peers[0]);
    snprintf(path, sizeof path, "%s/cluster.key", cluster.peers[0].directory);
    assert_int_equal(chmod(path, 0644), 0);
    peer_start(&cluster, &cluster.peers[0]);
    must_refuse(&cluster.peers[0], 77, path);
}

static void test_identity_damaged(void **state)
{
    char path[192];

    (void)state;
    run_once(&cluster.peers[0]);
    snprintf(path, sizeof path, "%s/identity.key", cluster.peers[0].directory);
    write_text(path, "not what it was", 0600);
    peer_start(&cluster, &cluster.peers[0]);
    must_refuse(&cluster.peers[0], 65, path);
}

static void test_beyond_loopback_without_token(void **state)
{
    struct peer *peer = &cluster.peers[0];
    char address[48];
    const char *extras[] = {"--set", address, NULL};

    (void)state;
    snprintf(address, sizeof address, "http.listen=0.0.0.0:%u", peer->http);
    peer_start_with(&cluster, peer, extras);
    must_refuse(peer, 78, "token");
}

static void test_port_in_use(void **state)
{
    struct peer *first = &cluster.peers[0], *second = cluster_add(&cluster, NULL);

    (void)state;
    peer_start(&cluster, first);
    assert_true(peer_answers(first));
    second->http = first->http;
    peer_start(&cluster, second);
    must_refuse(second, 69, "127.0.0.1");
}

/* All that is wrong is said at once, each with its place. */
static void test_bad_configuration(void **state)
{
    struct peer *peer = &cluster.peers[0];
    char path[192], place[256];
    const char *extras[] = {"--config", path, NULL};

    (void)state;
    snprintf(path, sizeof path, "%s/bad.yaml", cluster.directory);
    write_text(path,
               "storage:\n"
               "  cache: 64\n"
               "defaults:\n"
               "  replicsa: 3\n",
               0644);
    peer_start_with(&cluster, peer, extras);
    snprintf(place, sizeof place, "%s:4:3: error: unknown key", path);
    must_refuse(peer, 78, place);
    snprintf(place, sizeof place, "%s:2:10: error:", path);
    log_must_have(peer, place);
    log_must_have(peer, "did you mean \"replicas\"?");
}

static void test_usage(void **state)
{
    const char *const extras[] = {"--sotre", "memory", NULL};

    (void)state;
    peer_start_with(&cluster, &cluster.peers[0], extras);
    must_refuse(&cluster.peers[0], 2, "did you mean \"--store\"?");
}

static void test_value_too_large(void **state)
{
    struct peer *peer = &cluster.peers[0];
    size_t size = (1u << 20) + 1;
    char *value = calloc(size, 1);
    struct client_request request = {"PUT", "/v1/kv/test/large", NULL, value, size};
    struct client_reply reply;

    (void)state;
    peer_start(&cluster, peer);
    cluster_await_full(&cluster, 1);
    reply = client_ask(&peer->client, &request);
    assert_int_equal(reply.status, 413);
    assert_non_null(strstr(reply.body, "/problems/too-large"));
    request.body_size = size - 1;
    assert_int_equal(client_ask(&peer->client, &request).status, 201);
    reply = client_get(&peer->client, "/v1/kv/test/large");
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_size, size - 1);
    free(value);
}

/* The peer with another key goes on trying; the summary of the one it talks to names that key. */
static bool names_foreign_key(void *context)
{
    struct peer *peer = context;
    json_t *summary = client_json(&peer->client, "/v1/cluster");
    json_t *key = json_object_get(summary, "key");
    bool is_named = json_is_string(json_object_get(key, "foreign")) &&
                    json_is_string(json_object_get(key, "ours"));

    json_decref(summary);
    return is_named;
}

static void test_W4_wrong_cluster_key(void **state)
{
    static char other[192], log[192];
    char *keygen[] = {(char *)cluster_daemon(), "keygen", other, NULL};
    struct peer *first = &cluster.peers[0], *stranger = cluster_add(&cluster, first);
    json_t *summary;

    (void)state;
    snprintf(other, sizeof other, "%s/other.key", cluster.directory);
    snprintf(log, sizeof log, "%s/keygen.log", cluster.directory);
    assert_int_equal(proc_wait(proc_start(keygen, log), 20000), 0);
    peer_start(&cluster, first);
    assert_true(peer_answers(first));
    stranger->key_file = other;
    peer_start(&cluster, stranger);
    assert_true(peer_answers(stranger));
    cluster_await(names_foreign_key, first, 20, "/v1/cluster names the foreign key");
    assert_true(proc_is_running(stranger->pid));
    summary = client_json(&first->client, "/v1/cluster");
    assert_int_equal(cluster_number(summary, "members.alive"), 1);
    json_decref(summary);
    assert_int_equal(peer_stop(stranger), 0);
}

int main(void)
{
#define FAULT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FAULT(test_directory_in_use),      FAULT(test_directory_not_writable),
        FAULT(test_secret_open_to_others), FAULT(test_identity_damaged),
        FAULT(test_port_in_use),           FAULT(test_beyond_loopback_without_token),
        FAULT(test_bad_configuration),     FAULT(test_usage),
        FAULT(test_value_too_large),       FAULT(test_W4_wrong_cluster_key),
    };

    return cmocka_run_group_tests_name("cluster fault", tests, NULL, NULL);
}
