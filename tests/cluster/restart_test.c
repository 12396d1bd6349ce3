/* restart_test.c: all five peers are killed with SIGKILL and started again at once: they find each
 * other by the list of members they kept, with and without seeds, and have every key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 500u

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

static void kill_and_start_all(void)
{
    for (unsigned i = 0; i < cluster.count; i++)
        peer_kill(&cluster.peers[i]);
    for (unsigned i = 0; i < cluster.count; i++)
        peer_start(&cluster, &cluster.peers[i]);
}

static void test_D1_restart_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[i % 5]) / 100, 2);
    kill_and_start_all();
    cluster_await_full(&cluster, 5);
    keys_verify(&keys, &cluster);

    for (unsigned i = 0; i < cluster.count; i++)
        cluster.peers[i].seed[0] = 0;
    kill_and_start_all();
    cluster_await_full(&cluster, 5);
    keys_verify(&keys, &cluster);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[i % 5]) / 100, 2);
}

/* SIGTERM ends a peer with status 0 and without leaving: the others go on counting it. */
static void test_graceful_stop(void **state)
{
    struct client *client = &cluster.peers[0].client;
    json_t *summary;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(keys_put(&keys, i, &cluster.peers[4]) / 100, 2);
    assert_int_equal(peer_stop(&cluster.peers[4]), 0);
    summary = client_json(client, "/v1/cluster");
    assert_int_equal(cluster_number(summary, "members.active"), 5);
    assert_int_equal(cluster_number(summary, "members.left"), 0);
    json_decref(summary);
    keys_verify(&keys, &cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D1_restart_all),
        cmocka_unit_test(test_graceful_stop),
    };

    return cmocka_run_group_tests_name("cluster restart", tests, setup, teardown);
}
