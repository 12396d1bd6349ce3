/* backup_test.c: five peers are backed up while writes go on; three others, with fewer partitions,
 * another hash seed and nothing on their disks, get everything back: values, siblings, deletes,
 * expiry, counters. A damaged archive and a shortened one are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 1500u
#define OTHERS 40u /* of each other kind */
#define MEANWHILE_MAX 5000u

static struct cluster cluster;
static struct keys keys;
static char archive[256], log_path[300];

static int run_tool(const char *command, const char *file, const struct cluster *to)
{
    static char path[512], addr[400];
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    size_t at = 0;
    char *argv[] = {path, (char *)(uintptr_t)command, (char *)(uintptr_t)file, "--addr", addr,
                    NULL};

    snprintf(path, sizeof path, "%s/asan/gossamer", build);
    if (access(path, X_OK) != 0)
        snprintf(path, sizeof path, "%s/release/gossamer", build);
    addr[0] = 0;
    for (unsigned i = 0; to && i < to->count; i++)
        at += (size_t)snprintf(addr + at, sizeof addr - at, "%s127.0.0.1:%u", i ? "," : "",
                               to->peers[i].http);
    if (!to)
        argv[3] = "--verify", argv[4] = NULL;
    return proc_start(argv, log_path);
}

static struct client_reply post(struct peer *peer, const char *path)
{
    struct client_request request = {.method = "POST", .path = path, .body = ""};

    return client_ask(&peer->client, &request);
}

static struct client_reply del(struct peer *peer, const char *path)
{
    struct client_request request = {.method = "DELETE", .path = path};

    return client_ask(&peer->client, &request);
}

/* Two values that know the first one and not each other; a deleted key; a mortal one; a counter. */
static void fill_others(void)
{
    char path[96], context[CLIENT_CONTEXT_MAX];

    for (unsigned i = 0; i < OTHERS; i++) {
        struct peer *peer = &cluster.peers[i % 5], *other = &cluster.peers[(i + 2) % 5];

        snprintf(path, sizeof path, "/v1/kv/test/siblings/%u", i);
        snprintf(context, sizeof context, "%s",
                 client_put(&peer->client, path, "old", NULL).context);
        assert_int_equal(client_put(&peer->client, path, "left", context).status / 100, 2);
        assert_int_equal(client_put(&other->client, path, "right", context).status / 100, 2);
        snprintf(path, sizeof path, "/v1/kv/test/deleted/%u", i);
        assert_int_equal(client_put(&peer->client, path, "gone", NULL).status / 100, 2);
        assert_int_equal(del(other, path).status / 100, 2);
        snprintf(path, sizeof path, "/v1/kv/test/mortal/%u?ttl=%s", i, i % 2 ? "1h" : "1s");
        assert_int_equal(client_put(&peer->client, path, "mortal", NULL).status / 100, 2);
        snprintf(path, sizeof path, "/v1/crdt/test/counter/%u?add=%u", i, i + 1);
        assert_int_equal(post(peer, path).status / 100, 2);
        assert_int_equal(post(other, path).status / 100, 2);
    }
}

static void expect_has(struct client_reply reply, const char *part)
{
    char text[4096];

    snprintf(text, sizeof text, "%.*s", (int)reply.body_size, reply.body ? reply.body : "");
    if (reply.status / 100 != 2 && reply.status != 300)
        fail_msg("status %u instead of \"%s\": %s", reply.status, part, text);
    if (!strstr(text, part))
        fail_msg("no \"%s\" in %s", part, text);
}

static void settings_put(void)
{
    const char *body = "{\"replicas\":2,\"ttl\":\"12h\"}";
    const struct client_request request = {.method = "PUT",
                                           .path = "/v1/namespaces/pair",
                                           .fields = "Content-Type: application/json\r\n",
                                           .body = body,
                                           .body_size = strlen(body)};

    assert_int_equal(client_ask(&cluster.peers[0].client, &request).status, 201);
    assert_int_equal(
        client_put(&cluster.peers[0].client, "/v1/kv/pair/k", "two owners", NULL).status, 201);
}

static void verify_settings(void)
{
    struct client *client = &cluster.peers[2].client;

    expect_has(client_get(client, "/v1/namespaces/pair"), "\"replicas\":2");
    expect_has(client_get(client, "/v1/namespaces/pair"), "\"12h\"");
    expect_has(client_get(client, "/v1/kv/pair/k"), "two owners");
}

static void verify_others(void)
{
    char path[96], sum[32];

    for (unsigned i = 0; i < OTHERS; i++) {
        struct peer *peer = &cluster.peers[i % cluster.count];

        snprintf(path, sizeof path, "/v1/kv/test/siblings/%u?siblings=all", i);
        expect_has(client_get(&peer->client, path), "\"left\"");
        expect_has(client_get(&peer->client, path), "\"right\"");
        snprintf(path, sizeof path, "/v1/kv/test/deleted/%u", i);
        assert_int_equal(client_get(&peer->client, path).status, 404);
        snprintf(path, sizeof path, "/v1/kv/test/mortal/%u", i);
        assert_int_equal(client_get(&peer->client, path).status, i % 2 ? 200 : 404);
        snprintf(path, sizeof path, "/v1/crdt/test/counter/%u", i);
        snprintf(sum, sizeof sum, "%u", 2 * (i + 1));
        expect_has(client_get(&peer->client, path), sum);
    }
}

/* Three peers that never heard of the five. */
static void open_another(void)
{
    static const char *const extras[] = {"--set", "cluster.partitions=1024", NULL};

    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < 3; i++) {
        cluster_add(&cluster, i ? &cluster.peers[0] : NULL);
        peer_start_with(&cluster, &cluster.peers[i], extras);
    }
    cluster_await_full(&cluster, 3);
}

/* Takes the archive while new keys are written, until it is complete. */
static void back_up(void)
{
    unsigned written = 0;
    pid_t tool = run_tool("backup", archive, &cluster);

    while (proc_is_running(tool) && written < MEANWHILE_MAX) {
        char path[64];

        snprintf(path, sizeof path, "/v1/kv/during/%u", written);
        assert_int_equal(
            client_put(&cluster.peers[written % 5].client, path, "x", NULL).status / 100, 2);
        written++;
    }
    assert_int_equal(proc_wait(tool, 60000), 0);
    assert_true(written > 0);
    assert_int_equal(proc_wait(run_tool("backup", archive, NULL), 20000), 0); /* --verify */
}

static void copy_archive(char copy[300], const char *suffix)
{
    FILE *from = fopen(archive, "rb"), *into;
    char bytes[4096];
    size_t got;

    snprintf(copy, 300, "%s.%s", archive, suffix);
    into = fopen(copy, "wb");
    assert_true(from && into);
    while ((got = fread(bytes, 1, sizeof bytes, from)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, into), got);
    fclose(from);
    fclose(into);
}

/* Nothing of a file that is not whole gets into the cluster. */
static void refuse_damage(void)
{
    char copy[300];
    FILE *file;

    copy_archive(copy, "damaged");
    file = fopen(copy, "r+b");
    assert_non_null(file);
    fseek(file, 3000, SEEK_SET);
    fputs("xyz", file);
    fclose(file);
    assert_int_equal(proc_wait(run_tool("restore", copy, &cluster), 20000), 1);
    unlink(copy);
    copy_archive(copy, "short");
    assert_int_equal(truncate(copy, 6000), 0);
    assert_int_equal(proc_wait(run_tool("restore", copy, &cluster), 20000), 1);
    unlink(copy);
    assert_int_equal(client_metric(&cluster.peers[0].client, "gossamer_keys"), 0);
}

static void test_S8_everything_comes_back_elsewhere(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[i % 5]) / 100, 2);
    fill_others();
    settings_put();
    back_up();
    cluster_close(&cluster);
    open_another();
    refuse_damage();
    assert_int_equal(proc_wait(run_tool("restore", archive, &cluster), 60000), 0);
    keys_verify(&keys, &cluster);
    verify_others();
    verify_settings();
    assert_int_equal(proc_wait(run_tool("restore", archive, &cluster), 60000), 0); /* again */
    verify_others();
}

static int setup(void **state)
{
    (void)state;
    snprintf(archive, sizeof archive, "/tmp/gossamer-backup-test-%d.gossamer", (int)getpid());
    snprintf(log_path, sizeof log_path, "%s.log", archive);
    cluster_open(&cluster, 5);
    keys_init(&keys, KEYS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keys_free(&keys);
    cluster_close(&cluster);
    unlink(archive);
    unlink(log_path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S8_everything_comes_back_elsewhere, setup, teardown)};

    return cmocka_run_group_tests_name("cluster backup", tests, NULL, NULL);
}
