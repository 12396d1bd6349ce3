/* elastic_test.c: three peers become six and three again while clients write, then one changes its
 * weight: no request fails, nothing acknowledged is lost, former owners are rid of what they own no
 * more, and what moved is hardly more than it had to be. How long writes take meanwhile is measured
 * by tests/bench/elastic.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define FIRST 3u /* peers that stay */
#define LAST 6u
#define KEYS 20000u
#define AT_REST 200u
#define QUIET 3000u /* keys that are there before a newcomer comes */

static struct cluster cluster;
static struct keys keys;
static unsigned written;

static int setup(void **state)
{
    (void)state;
    written = 0;
    cluster_open(&cluster, FIRST);
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

/* One more key through a peer that stays; it must succeed. */
static void write_one(void)
{
    assert_true(written < KEYS);
    assert_int_equal(keys_put(&keys, written, &cluster.peers[written % FIRST]) / 100, 2);
    written++;
}

/* Writes until every peer sees so many owners and nothing moves. */
static void write_until(unsigned alive, unsigned seconds)
{
    uint64_t end = proc_now_ms() + 1000u * seconds;

    for (bool is_settled = false; !is_settled;) {
        assert_true(proc_now_ms() < end);
        for (unsigned i = 0; i < 50; i++)
            write_one();
        is_settled = true;
        for (unsigned p = 0; p < FIRST; p++) {
            json_t *summary = client_json(&cluster.peers[p].client, "/v1/cluster");

            is_settled &= summary && cluster_number(summary, "members.active") == alive &&
                          cluster_number(summary, "partitions.moving") == 0;
            json_decref(summary);
        }
    }
}

static int64_t rows(void)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < cluster.count; i++)
        if (cluster.peers[i].pid)
            sum += client_metric(&cluster.peers[i].client, "gossamer_keys");
    return sum;
}

/* Three copies of every key, and no fourth anywhere. */
static bool has_three_copies(void *context)
{
    (void)context;
    return rows() == (int64_t)(3u * written);
}

/* The job of this kind, seen through a peer that has no part in it; NULL: there is none. */
static json_t *job_of(const char *id)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/v1/jobs/%s", id);
    return client_json(&cluster.peers[0].client, path);
}

static void weigh(struct peer *peer, const char *body)
{
    char path[64];
    struct client_request request = {
        .method = "PUT", .path = path, .body = body, .body_size = strlen(body)};

    (void)snprintf(path, sizeof(path), "/v1/members/%s/weight", peer->name);
    assert_int_equal(client_ask(&cluster.peers[0].client, &request).status, 202);
}

static bool is_seen(void *context)
{
    json_t *job = job_of(context);
    bool is_there = job != NULL;

    json_decref(job);
    return is_there;
}

/* K8, and that each row comes once: a newcomer takes its share, from whoever has it. */
static void test_K8_little_is_moved(void **state)
{
    struct peer *newcomer;
    int64_t taken, held;

    (void)state;
    while (written < QUIET)
        write_one();
    newcomer = cluster_add(&cluster, &cluster.peers[0]);
    peer_start(&cluster, newcomer);
    cluster_await(is_seen, "join-peer-4", 60, "the job of the newcomer is seen");
    cluster_await_full(&cluster, FIRST + 1);
    taken = client_metric(&newcomer->client, "gossamer_sync_keys_repaired_total");
    held = client_metric(&newcomer->client, "gossamer_keys");
    assert_in_range(held, 1, QUIET * 3 * 12 / (4 * 10)); /* of three copies of each a fourth */
    assert_in_range(taken, held, held + held / 5);
    assert_false(is_seen("join-peer-4"));
}

static void test_D1_three_to_six_to_three(void **state)
{
    struct client_request leave = {.method = "POST", .path = "/v1/cluster/leave", .body = ""};

    (void)state;
    while (written < AT_REST)
        write_one();
    for (unsigned alive = FIRST + 1; alive <= LAST; alive++) {
        peer_start(&cluster, cluster_add(&cluster, &cluster.peers[0]));
        write_until(alive, 60);
    }
    cluster_await(has_three_copies, NULL, 60, "former owners have dropped their rows");
    for (unsigned alive = LAST - 1; alive >= FIRST; alive--) {
        struct peer *leaver = &cluster.peers[alive];

        assert_int_equal(client_ask(&leaver->client, &leave).status, 202);
        client_close(&leaver->client);
        write_until(alive, 60);
        assert_int_equal(proc_wait(leaver->pid, 60000), 0);
        leaver->pid = 0;
    }
    weigh(&cluster.peers[1], "{\"weight\":0}");
    write_until(FIRST, 60);
    weigh(&cluster.peers[1], "{\"weight\":1}");
    write_until(FIRST, 60);
    keys_verify(&keys, &cluster);
    cluster_await(has_three_copies, NULL, 60, "three copies of every key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_K8_little_is_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_D1_three_to_six_to_three, setup, teardown)};

    return cmocka_run_group_tests_name("cluster elastic", tests, NULL, NULL);
}
