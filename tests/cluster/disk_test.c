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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S4_nearly_full),
    };

    return cmocka_run_group_tests_name("cluster disk", tests, NULL, NULL);
}
