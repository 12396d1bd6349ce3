/* recover_test.c: a data directory that is older than what its peer has promised, or gone. The
 * others remember; the peer notices, does not count in reads until it has compared itself, and has
 * everything again. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 180u
#define BEHIND "older than peers remember"

static struct cluster cluster;
static struct keys keys;
static unsigned written;
static const char *const syncing[] = {"--set", "sync.interval=1s", NULL};

static void write_more(unsigned count)
{
    for (unsigned end = written + count; written < end; written++)
        assert_int_equal(keys_put(&keys, written, &cluster.peers[written % 3]) / 100, 2);
}

static void start(unsigned index)
{
    peer_start_with(&cluster, &cluster.peers[index], syncing);
}

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < 3; i++) {
        (void)cluster_add(&cluster, i ? &cluster.peers[0] : NULL);
        start(i);
    }
    cluster_await_full(&cluster, 3);
    keys_init(&keys, KEYS);
    written = 0;
    write_more(60);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keys_free(&keys);
    cluster_close(&cluster);
    return 0;
}

static void run(char *const argv[])
{
    char log[160];

    (void)snprintf(log, sizeof log, "%s/run.log", cluster.directory);
    assert_int_equal(proc_wait(proc_start(argv, log), 20000), 0);
}

static void copy(const char *from, const char *to)
{
    char *argv[] = {"/bin/cp", "-a", (char *)from, (char *)to, NULL};

    run(argv);
}

static void drop(const char *path)
{
    char *argv[] = {"/bin/rm", "-rf", (char *)path, NULL};

    run(argv);
}

/* How often the log of a peer says that its directory is behind. */
static unsigned behind_count(const struct peer *peer)
{
    FILE *file = fopen(peer->log, "re");
    char line[4096];
    unsigned count = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, BEHIND) != NULL;
    (void)fclose(file);
    return count;
}

static bool has_all(void *context)
{
    struct peer *peer = context;

    return client_metric(&peer->client, "gossamer_keys") == (int64_t)written;
}

static bool is_trusted(void *context)
{
    json_t *summary = client_json(&((struct peer *)context)->client, "/v1/cluster");
    json_t *warnings = json_object_get(summary, "warnings"), *warning;
    bool is_recovering = !summary;
    size_t at;

    json_array_foreach(warnings, at, warning)
    {
        const char *code = json_string_value(json_object_get(warning, "code"));

        is_recovering |= code && strcmp(code, "recovering") == 0;
    }
    json_decref(summary);
    return !is_recovering;
}

/* Starts the victim, which must notice, and have everything soon. */
static void must_notice(unsigned index)
{
    struct peer *victim = &cluster.peers[index];
    unsigned before = behind_count(victim);

    start(index);
    cluster_await_full(&cluster, 3);
    cluster_await(has_all, victim, 30, "the peer holds every key again");
    cluster_await(is_trusted, victim, 30, "the peer counts again");
    assert_int_equal(behind_count(victim), before + 1);
    keys_verify(&keys, &cluster);
}

/* S5: a copy that is one opening old has the boot counter that the next opening had. */
static void roll_back(unsigned index)
{
    struct peer *peer = &cluster.peers[index];
    char old[160];

    (void)snprintf(old, sizeof old, "%s/old", cluster.directory);
    assert_int_equal(peer_stop(peer), 0);
    copy(peer->directory, old);
    start(index);
    cluster_await_full(&cluster, 3);
    assert_int_equal(behind_count(peer), 0); /* an ordinary restart */
    write_more(60);
    peer_kill(peer);
    drop(peer->directory);
    copy(old, peer->directory);
    must_notice(index);
    write_more(60);
    assert_int_equal(peer_stop(peer), 0); /* once more: the counter of the last opening again */
    drop(peer->directory);
    copy(old, peer->directory);
    must_notice(index);
    assert_int_equal(peer_stop(peer), 0);
    start(index);
    cluster_await_full(&cluster, 3);
    assert_int_equal(behind_count(peer), 2); /* an ordinary restart again */
}

static void test_S5_rolled_back(void **state)
{
    (void)state;
    roll_back(1);
}

/* Who knows no seeds asks those it remembers. */
static void test_S5_founder_rolled_back(void **state)
{
    (void)state;
    roll_back(0);
}

/* D15: nothing is left but the key that makes it the same peer. */
static void test_D15_wiped(void **state)
{
    struct peer *victim = &cluster.peers[1];
    struct dirent *entry;
    DIR *entries;

    (void)state;
    write_more(60);
    peer_kill(victim);
    entries = opendir(victim->directory);
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        char path[512];

        (void)snprintf(path, sizeof path, "%s/%.200s", victim->directory, entry->d_name);
        if (entry->d_name[0] != '.' && strstr(entry->d_name, ".key") == NULL)
            drop(path);
    }
    closedir(entries);
    must_notice(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S5_rolled_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_S5_founder_rolled_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_D15_wiped, setup, teardown),
    };

    return cmocka_run_group_tests_name("cluster recover", tests, NULL, NULL);
}
