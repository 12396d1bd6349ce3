/* grow_test.c: a sixth peer joins by one seed and takes its share; another leaves gracefully and
 * ends by itself; all keys are there without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 600u
#define LEAVER 1u

static struct cluster cluster;
static struct keys keys;

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 5);
    keys_init(&keys, KEYS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    keys_free(&keys);
    cluster_close(&cluster);
    return 0;
}

static bool has_keys(void *context)
{
    return client_metric(&((struct peer *)context)->client, "gossamer_keys") > 0;
}

static void test_D15_grow_and_shrink(void **state)
{
    struct client_request leave = {.method = "POST", .path = "/v1/cluster/leave", .body = ""};
    struct peer *sixth, *leaver = &cluster.peers[LEAVER];

    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[i % 5]) / 100, 2);
    sixth = cluster_add(&cluster, &cluster.peers[3]);
    peer_start(&cluster, sixth);
    cluster_await_full(&cluster, 6);
    cluster_await(has_keys, sixth, 30, "the sixth peer holds its share");
    keys_verify(&keys, &cluster);

    assert_int_equal(client_ask(&leaver->client, &leave).status, 202);
    client_close(&leaver->client);
    assert_int_equal(proc_wait(leaver->pid, 60000), 0);
    leaver->pid = 0;
    cluster_await_full(&cluster, 5);
    keys_verify(&keys, &cluster);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[2 + i % 4]) / 100, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_D15_grow_and_shrink, setup, teardown)};

    return cmocka_run_group_tests_name("cluster grow", tests, NULL, NULL);
}
