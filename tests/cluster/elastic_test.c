/* elastic_test.c: three peers become five and three again while clients write: no request fails,
 * nothing acknowledged is lost, and former owners are rid of what they own no more. ELASTIC_SHOW=1
 * prints how long writes took at rest and while data moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define FIRST 3u /* peers that stay */
#define LAST 5u
#define KEYS 20000u
#define AT_REST 600u

static struct cluster cluster;
static struct keys keys;
static unsigned written;
static uint32_t took_us[KEYS];

static int setup(void **state)
{
    (void)state;
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

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* One more key through a peer that stays; it must succeed. */
static void write_one(void)
{
    uint64_t begun = now_us();

    assert_true(written < KEYS);
    assert_int_equal(keys_put(&keys, written, &cluster.peers[written % FIRST]) / 100, 2);
    took_us[written++] = (uint32_t)(now_us() - begun);
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

static int by_time(const void *a, const void *b)
{
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

static void show(const char *when, unsigned from)
{
    unsigned count = written - from;

    if (!getenv("ELASTIC_SHOW") || count == 0)
        return;
    qsort(took_us + from, count, sizeof(*took_us), by_time);
    printf("%s: %u writes, median %u us, p99 %u us\n", when, count, took_us[from + count / 2],
           took_us[from + count * 99 / 100]);
}

static void test_D1_three_to_five_to_three(void **state)
{
    struct client_request leave = {.method = "POST", .path = "/v1/cluster/leave", .body = ""};
    unsigned from;

    (void)state;
    while (written < AT_REST)
        write_one();
    show("at rest", 0);
    from = written;
    for (unsigned alive = FIRST + 1; alive <= LAST; alive++) {
        peer_start(&cluster, cluster_add(&cluster, &cluster.peers[0]));
        write_until(alive, 60);
    }
    show("3 to 5", from);
    cluster_await(has_three_copies, NULL, 60, "former owners have dropped their rows");
    from = written;
    for (unsigned alive = LAST - 1; alive >= FIRST; alive--) {
        struct peer *leaver = &cluster.peers[alive];

        assert_int_equal(client_ask(&leaver->client, &leave).status, 202);
        client_close(&leaver->client);
        write_until(alive, 60);
        assert_int_equal(proc_wait(leaver->pid, 60000), 0);
        leaver->pid = 0;
    }
    show("5 to 3", from);
    keys_verify(&keys, &cluster);
    cluster_await(has_three_copies, NULL, 60, "three copies of every key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_D1_three_to_five_to_three, setup, teardown)};

    return cmocka_run_group_tests_name("cluster elastic", tests, NULL, NULL);
}
