/* disk_test.c: disks that are nearly full, and disks that fail. New values are refused with a
 * reason, reads and deletes go on, and it is over by itself when there is room again. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 40u
#define MARGIN (4ull << 30) /* bytes: others use this disk, too */

static struct cluster cluster;

static unsigned put(struct peer *peer, const char *path)
{
    return client_put(&peer->client, path, "v", NULL).status;
}

static bool is_accepted(void *context)
{
    return put(context, "/v1/kv/n/again") / 100 == 2;
}

/* A file that takes up most of what is free. */
static int fill(const char *path, unsigned long long bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    if (posix_fallocate(fd, 0, (off_t)bytes) == 0)
        return fd;
    close(fd);
    unlink(path);
    return -1;
}

static void test_S4_nearly_full(void **state)
{
    char setting[64], path[256];
    const char *const extras[] = {"--set", setting, NULL};
    struct client_request gone = {.method = "DELETE", .path = "/v1/kv/n/k1"};
    struct client_reply reply;
    unsigned long long room;
    struct statvfs info;
    int fd;

    (void)state;
    cluster_open(&cluster, 0);
    assert_int_equal(statvfs(cluster.directory, &info), 0);
    room = (unsigned long long)info.f_bavail * info.f_frsize;
    (void)snprintf(setting, sizeof setting, "storage.min_free=%lluMiB", (room - MARGIN) >> 20);
    (void)snprintf(path, sizeof path, "%s/ballast", cluster.directory);
    for (unsigned i = 0; i < 3; i++)
        peer_start_with(&cluster, cluster_add(&cluster, i ? &cluster.peers[0] : NULL), extras);
    cluster_await_full(&cluster, 3);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "/v1/kv/n/k%u", i);
        assert_int_equal(put(&cluster.peers[i % 3], key) / 100, 2);
    }
    fd = room > 3 * MARGIN ? fill(path, 2 * MARGIN) : -1;
    if (fd < 0) {
        printf("SKIP cluster disk nearly full: no room for ballast\n");
        cluster_close(&cluster);
        return;
    }
    reply = client_put(&cluster.peers[1].client, "/v1/kv/n/new", "v", NULL);
    assert_int_equal(reply.status, 507);
    assert_non_null(strstr(reply.body, "storage.min_free"));
    assert_non_null(strstr(reply.body, "not-stored"));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(client_get(&cluster.peers[i].client, "/v1/kv/n/k2").status, 200);
    reply = client_ask(&cluster.peers[2].client, &gone);
    assert_int_equal(reply.status / 100, 2);
    assert_int_equal(client_get(&cluster.peers[0].client, "/v1/kv/n/k1").status, 404);
    close(fd);
    unlink(path);
    cluster_await(is_accepted, &cluster.peers[0], 10, "writes are taken again");
    cluster_close(&cluster);
}

/* --- syncs that fail */

static void touch(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* S3: whether a commit that failed to sync is there nobody knows: it is not told as done by that
 * peer, which goes on under a new clock actor. On a disk that goes on failing it stops with 74. */
static void test_S3_a_failed_sync_is_of_unknown_outcome(void **state)
{
    const char *shim = getenv("EIO_SHIM");
    char when[160];
    struct client_request all = {
        .method = "PUT", .path = "/v1/kv/n/k7?consistency=all", .body = "w", .body_size = 1};
    struct client_reply reply;
    struct peer *victim;

    (void)state;
    if (!shim) {
        printf("SKIP cluster disk failed sync: EIO_SHIM names no library; use make cluster\n");
        return;
    }
    cluster_open(&cluster, 0);
    (void)snprintf(when, sizeof when, "%s/eio", cluster.directory);
    for (unsigned i = 0; i < 3; i++) {
        if (i == 1) {
            setenv("EIO_WHEN", when, 1);
            setenv("LD_PRELOAD", shim, 1);
        }
        peer_start(&cluster, cluster_add(&cluster, i ? &cluster.peers[0] : NULL));
        unsetenv("LD_PRELOAD");
    }
    victim = &cluster.peers[1];
    cluster_await_full(&cluster, 3);
    assert_int_equal(put(victim, "/v1/kv/n/k7") / 100, 2);
    touch(when, "");
    reply = client_ask(&cluster.peers[0].client, &all);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "stored-partial"));
    assert_int_not_equal(access(when, F_OK), 0); /* the sync did fail */
    cluster_await(is_accepted, victim, 10, "the peer takes writes again");
    reply = client_get(&victim->client, "/v1/kv/n/k7");
    assert_int_equal(reply.status, 200);
    assert_true(reply.body[0] == 'v' || reply.body[0] == 'w');
    touch(when, "for good");
    (void)put(victim, "/v1/kv/n/last"); /* two others store it, or it is unknown */
    assert_int_equal(proc_wait(victim->pid, 20000), 74);
    victim->pid = 0;
    assert_int_equal(client_get(&cluster.peers[0].client, "/v1/kv/n/k7").status, 200);
    assert_int_equal(unlink(when), 0);
    peer_start(&cluster, victim); /* the disk was changed: what it holds is still good */
    cluster_await_full(&cluster, 3);
    assert_int_equal(client_get(&victim->client, "/v1/kv/n/again").status, 200);
    cluster_close(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S4_nearly_full),
        cmocka_unit_test(test_S3_a_failed_sync_is_of_unknown_outcome),
    };

    return cmocka_run_group_tests_name("cluster disk", tests, NULL, NULL);
}
