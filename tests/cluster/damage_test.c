/* damage_test.c: the store of one stopped peer is damaged, and strangers shout at the mesh port of
 * a running one. Nothing wrong is ever served, nobody crashes, memory stays flat. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "cluster.h"
#include "proc.h"

#define KEYS 300u
#define VICTIM 1u
#define FLIPS 8u
#define JUNK 20000u

static struct cluster cluster;
static struct keys keys;
static const char *const syncing[] = {"--set", "sync.interval=1s", NULL};

/* A sanitized daemon keeps what it has freed for a while; memory could not be seen to be flat. */
static void shorten_quarantine(void)
{
    const char *options = getenv("ASAN_OPTIONS");
    char text[512];

    snprintf(text, sizeof text, "%s%squarantine_size_mb=2", options ? options : "",
             options ? ":" : "");
    setenv("ASAN_OPTIONS", text, 1);
}

static int setup(void **state)
{
    (void)state;
    shorten_quarantine();
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < 3; i++)
        peer_start_with(&cluster, cluster_add(&cluster, i ? &cluster.peers[0] : NULL), syncing);
    cluster_await_full(&cluster, 3);
    keys_init(&keys, KEYS);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[i % 3]) / 100, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keys_free(&keys);
    cluster_close(&cluster);
    return 0;
}

/* Flips bits in the second half of a file, where rows and records are. */
static void flip(const char *path)
{
    FILE *file = fopen(path, "r+e");
    long size;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    for (unsigned i = 0; size > 0 && i < FLIPS; i++) {
        long at = size / 2 + (size - size / 2) * (long)i / FLIPS;
        int byte;

        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        byte = fgetc(file);
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_true(fputc(byte ^ 1 << i % 8, file) != EOF);
    }
    assert_int_equal(fclose(file), 0);
}

/* Damages every file of the store whose name begins or ends like this; returns how many. */
static unsigned damage(const struct peer *peer, const char *begin, const char *end)
{
    char database[160], path[512];
    struct dirent *entry;
    unsigned count = 0;
    DIR *directory;

    snprintf(database, sizeof database, "%s/db", peer->directory);
    directory = opendir(database);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        size_t size = strlen(entry->d_name), length = strlen(end);

        if (strncmp(entry->d_name, begin, strlen(begin)) != 0 || size < length ||
            strcmp(entry->d_name + size - length, end) != 0 || entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", database, entry->d_name);
        flip(path);
        count++;
    }
    closedir(directory);
    return count;
}

/* The peer comes back from a damaged store and holds all keys again: with three peers everybody
 * owns everything. */
static bool is_refilled(void *context)
{
    return client_metric(&((struct peer *)context)->client, "gossamer_keys") >= (int64_t)KEYS;
}

static void damage_and_return(const char *begin, const char *end, bool is_graceful)
{
    struct peer *victim = &cluster.peers[VICTIM];
    unsigned count;

    if (is_graceful)
        assert_int_equal(peer_stop(victim), 0);
    else
        peer_kill(victim);
    count = damage(victim, begin, end);
    printf("%u files %s*%s damaged\n", count, begin, end);
    assert_true(count > 0);
    peer_start_with(&cluster, victim, syncing);
    cluster_await_full(&cluster, 3);
    keys_verify(&keys, &cluster);
    cluster_await(is_refilled, victim, 30, "the damaged peer holds every key again");
}

static void test_S2_damaged_log(void **state)
{
    (void)state;
    damage_and_return("", ".log", false);
}

static void test_S2_damaged_tables(void **state)
{
    (void)state;
    damage_and_return("", ".sst", true);
}

static void test_S2_damaged_manifest(void **state)
{
    (void)state;
    damage_and_return("MANIFEST", "", true);
}

static void test_S2_refill_refused(void **state)
{
    static const char *const extras[] = {"--set", "storage.refill=false", NULL};
    struct peer *victim = &cluster.peers[VICTIM];
    int status;

    (void)state;
    peer_kill(victim);
    assert_true(damage(victim, "MANIFEST", "") > 0);
    peer_start_with(&cluster, victim, extras);
    status = proc_wait(victim->pid, 20000);
    victim->pid = status < 0 ? victim->pid : 0;
    assert_int_equal(status, 65);
    peer_start_with(&cluster, victim, syncing);
    cluster_await_full(&cluster, 3);
    keys_verify(&keys, &cluster);
}

/* --- strangers */

static int64_t drops(struct peer *peer)
{
    static const char *const reasons[] = {"bad_seal", "unknown_key", "unknown_peer", "replay",
                                          "foreign",  "malformed",   "unverified"};
    int64_t sum = 0;

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char name[96];
        int64_t value;

        snprintf(name, sizeof name, "gossamer_security_drops_total{reason=\"%s\"}", reasons[i]);
        value = client_metric(&peer->client, name);
        assert_true(value >= 0);
        sum += value;
    }
    return sum;
}

static void send_junk(uint16_t port, const struct capture *capture, unsigned i)
{
    uint8_t bytes[2048];
    const uint8_t *real = capture->bytes[i % CAPTURE_COUNT];
    size_t size = (size_t)rand_r(&i) % sizeof bytes;

    for (size_t at = 0; at < size; at++)
        bytes[at] = (uint8_t)rand_r(&i);
    if (capture->count && i % 4 == 0) /* the beginning of a real one, then noise or nothing */
        memcpy(bytes, real, size < 20 ? size : 20);
    capture_send(port, bytes, size);
}

/* W1, W13: junk, replayed and truncated datagrams are dropped and counted. */
static void test_W1_junk_datagrams(void **state)
{
    static struct capture capture;
    struct peer *peer = &cluster.peers[0];
    int fd = capture_open();
    int64_t before, after, replays;
    uint64_t memory;

    (void)state;
    if (fd < 0)
        printf("SKIP cluster damage replays: needs packet capture; run as root\n");
    else
        capture_take(fd, &capture, peer->mesh, 10000);
    for (unsigned i = 0; i < JUNK / 10; i++)
        send_junk(peer->mesh, &capture, i);
    before = drops(peer);
    replays = client_metric(&peer->client, "gossamer_security_drops_total{reason=\"replay\"}");
    memory = proc_rss(peer->pid);
    for (unsigned i = 0; i < JUNK; i++) {
        send_junk(peer->mesh, &capture, i);
        if (i % 100 == 0)
            proc_pause(1);
    }
    for (unsigned i = 0; i < capture.count; i++) {
        capture_send(peer->mesh, capture.bytes[i], capture.sizes[i]);
        capture_send(peer->mesh, capture.bytes[i], capture.sizes[i] / 2);
    }
    proc_pause(200);
    after = drops(peer);
    replays =
        client_metric(&peer->client, "gossamer_security_drops_total{reason=\"replay\"}") - replays;
    printf("%lld of %u datagrams counted, %lld of %u replays, memory %+lld KiB\n",
           (long long)(after - before), JUNK, (long long)replays, capture.count,
           (long long)proc_rss(peer->pid) - (long long)memory);
    assert_true(after - before >= (int64_t)JUNK / 2);
    assert_true(fd < 0 || (capture.count > 0 && replays > 0));
    assert_true(proc_rss(peer->pid) < memory + 8192);
    cluster_await_full(&cluster, 3);
    keys_verify(&keys, &cluster);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_W1_junk_datagrams), cmocka_unit_test(test_S2_damaged_log),
        cmocka_unit_test(test_S2_damaged_tables), cmocka_unit_test(test_S2_damaged_manifest),
        cmocka_unit_test(test_S2_refill_refused),
    };

    return cmocka_run_group_tests_name("cluster damage", tests, setup, teardown);
}
