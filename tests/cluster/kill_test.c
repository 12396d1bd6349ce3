/* kill_test.c: five peers; 2,000 keys are written through all of them in turn while one is killed
 * with SIGKILL and started again. Then every acknowledged key is read from every peer, and what the
 * others remembered for the one that was away is given (D12). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 2000u
#define KILL_AT 600u
#define RESTART_AT 1200u
#define VICTIM 2u

static struct cluster cluster;
static struct keys keys;
static int64_t missed; /* hints when the victim comes back */
static pid_t watcher;  /* a curl that stays: the members as peer-1 tells them */
static char told[160]; /* the file it writes to */

static void watch(void)
{
    char url[64], accept[] = "Accept: text/event-stream", curl[] = "curl", options[] = "-sNH";
    char *argv[] = {curl, options, accept, url, NULL};

    snprintf(told, sizeof told, "%s/members", cluster.directory);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1/members", cluster.peers[0].http);
    watcher = proc_start(argv, told);
}

/* The next event about the victim in that state; NULL when there is none behind `at`. */
static const char *find_event(const char *at, const char *state)
{
    char start[64];

    snprintf(start, sizeof start, "\"name\":\"%s\",\"state\":\"%s\"", cluster.peers[VICTIM].name,
             state);
    return at ? strstr(at + 1, start) : NULL;
}

/* The whole list, then that the victim is dead; with `back` also that it is alive again. */
static bool is_told(void *back)
{
    static char text[1 << 20];
    FILE *file = fopen(told, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    const char *dead;

    if (file)
        fclose(file);
    text[size] = 0;
    dead = find_event(strstr(text, "event: members\n"), "dead");
    return back ? find_event(dead, "alive") != NULL : dead != NULL;
}

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 5);
    keys_init(&keys, KEYS);
    watch();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keys_free(&keys);
    proc_end(watcher, SIGTERM);
    cluster_close(&cluster);
    return 0;
}

/* What the peers that run remember that others lack. */
static int64_t hints(void)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < 5; i++)
        if (cluster.peers[i].pid != 0)
            sum += client_metric(&cluster.peers[i].client, "gossamer_hints_pending");
    return sum;
}

static bool no_hints(void *context)
{
    (void)context;
    return hints() == 0;
}

/* Writes all keys; returns how many were refused by peers that ran. */
static unsigned write_all(void)
{
    missed = 0;
    unsigned refused = 0;

    for (unsigned i = 0; i < KEYS; i++) {
        struct peer *peer = &cluster.peers[i % 5];

        if (i == KILL_AT)
            peer_kill(&cluster.peers[VICTIM]);
        if (i == RESTART_AT) {
            cluster_await(is_told, NULL, 30, "the stream of members tells of the death");
            missed = hints();
            peer_start(&cluster, &cluster.peers[VICTIM]);
        }
        if (peer->pid == 0)
            peer = &cluster.peers[(i + 1) % 5];
        if (keys_put(&keys, i, peer) / 100 != 2 && peer != &cluster.peers[VICTIM])
            refused++;
    }
    return refused;
}

/* D1: no acknowledged write is lost; the other four go on all the time. */
static void test_D1_kill_one_of_five(void **state)
{
    uint64_t begin = proc_now_ms();
    unsigned refused = write_all();

    (void)state;
    printf("%u of %u writes acknowledged in %.1f s, %u refused by peers that ran\n",
           keys.acknowledged, KEYS, (double)(proc_now_ms() - begin) / 1000, refused);
    assert_true(keys.acknowledged >= KEYS * 9 / 10);
    assert_true(refused <= KEYS / 100);
    keys_verify(&keys, &cluster);
    cluster_await_full(&cluster, 5);
    keys_verify(&keys, &cluster);
    printf("%lld rows were remembered for it\n", (long long)missed); /* 600 writes, 3 of 5 own */
    assert_true(missed > 100 && missed <= 600);
    cluster_await(no_hints, NULL, 30, "no hints are left");
    cluster_await(is_told, &cluster, 30, "the stream of members tells that it is back");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_D1_kill_one_of_five, setup, teardown)};

    return cmocka_run_group_tests_name("cluster kill", tests, NULL, NULL);
}
