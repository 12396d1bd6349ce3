/* chaos.c: five real daemons on this machine, clients that go on asking, and faults from a seed.
 * Then everything is healed, every key read at every peer, and the checkers of tests/history judge
 * what the clients were told. When something is wrong the history stays, with logs and stores.
 *
 *   CHAOS_MINUTES=30   how long faults go on        CHAOS_SEED=n   repeats a schedule
 *   GOSSAMERD=path     the daemon under test        CLUSTER_KEEP=1 keeps the directory always
 *   CHAOS_CONSISTENCY=one   promises less than is checked: the run has to fail, a check of itself
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>

#include <cmocka.h>

#include "check_all.h"
#include "fault.h"
#include "ground.h"
#include "proc.h"
#include "workload.h"

#define MINUTES_DEFAULT 30
#define GAP_MAX_S 15.0     /* testing.md 7: while a majority is connected */
#define CONVERGE_MAX_S 60u /* D3 */
#define AGREE_KEYS 200u    /* sibling keys asked about, the newest */

static struct cluster cluster;
static struct recorder recorder;
static struct workload workload;
static struct fault fault;
static struct ground ground;
static struct check_all verdicts;
static char history_path[128];
static uint64_t healed_ms; /* when the last fault was taken back */

static uint64_t chaos_number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text && text[0] ? strtoull(text, NULL, 10) : fallback;
}

static int setup(void **state)
{
    (void)state;
    ground_open(&ground);
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < FAULT_PEERS; i++) {
        struct peer *peer = cluster_add(&cluster, i ? &cluster.peers[0] : NULL);

        ground_disk(&ground, peer);
        peer_start_with(&cluster, peer, fault_arguments());
    }
    cluster_await_full(&cluster, FAULT_PEERS);
    snprintf(history_path, sizeof history_path, "%s/history.jsonl", cluster.directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < cluster.count; i++)
        if (cluster.peers[i].pid)
            peer_kill(&cluster.peers[i]);
    ground_close(&ground, &cluster, getenv("CLUSTER_KEEP") != NULL);
    cluster_close(&cluster);
    return 0;
}

/* --- convergence */

static bool chaos_agrees(const char *key, unsigned peer)
{
    char path[128];
    json_t *lookup;
    bool is_agreed;

    snprintf(path, sizeof path, "/v1/ring/lookup?ns=chaos&key=%s&verify=true", key);
    lookup = client_json(&cluster.peers[peer].client, path);
    is_agreed = json_is_true(json_object_get(lookup, "agree"));
    json_decref(lookup);
    return is_agreed;
}

static bool chaos_is_agreed(void *context)
{
    unsigned *next = context, keys = atomic_load(&workload.sibling_ops) / WORKLOAD_SIBLING_OPS;
    char key[48];

    keys = (keys + 1) * WORKLOAD_SIBLING_SLOTS;
    for (; *next < WORKLOAD_REGISTER_KEYS + (keys < AGREE_KEYS ? keys : AGREE_KEYS); ++*next) {
        if (*next < WORKLOAD_REGISTER_KEYS)
            snprintf(key, sizeof key, CHECK_PREFIX_REGISTER "%u", *next);
        else
            snprintf(key, sizeof key, CHECK_PREFIX_SIBLINGS "%u",
                     keys - 1 - (*next - WORKLOAD_REGISTER_KEYS));
        if (!chaos_agrees(key, *next % FAULT_PEERS))
            return false;
    }
    return true;
}

/* --- the report */

static void report_faults(void)
{
    printf("faults:");
    for (unsigned i = 0; i < FAULT_KINDS; i++)
        printf(" %u %s%s", fault.counts[i], fault_name((enum fault_kind)i),
               i + 1 < FAULT_KINDS ? "," : "");
    printf("; %u SIGKILLs in all, %u peers ended by themselves\n", fault.kills, fault.died);
}

static void report_operations(void)
{
    static const char *const names[] = {"PUT", "GET", "DELETE"};

    for (unsigned i = 0; i < 3; i++)
        printf("%-6s %7u ok, %6u failed for certain, %6u unknown\n", names[i],
               recorder.counts[i][HISTORY_OK], recorder.counts[i][HISTORY_FAIL],
               recorder.counts[i][HISTORY_INFO]);
    printf("longest time without a success while a majority was connected: %.1f s "
           "(writes alone: %.1f s)\n",
           (double)recorder.gap / 1e9, (double)recorder.write_gap / 1e9);
}

static struct check_all chaos_judge(void)
{
    struct history history;
    struct check_all all = {0, 1};
    char why[160] = "cannot be opened";
    FILE *file = fopen(history_path, "re");

    if (!file || !history_load(&history, file, why, sizeof why)) {
        printf("%s: %s\n", history_path, why);
    } else {
        all = check_all(&history, stdout);
        history_free(&history);
    }
    if (file)
        fclose(file);
    return all;
}

static void chaos_demand(bool is_met, const char *what)
{
    printf("%s %s\n", is_met ? "ok  " : "FAIL", what);
    verdicts.passed += is_met;
    verdicts.failed += !is_met;
}

static void chaos_run(uint64_t seed, uint64_t minutes)
{
    const char *consistency = getenv("CHAOS_CONSISTENCY");

    workload.recorder = &recorder;
    workload.consistency = consistency && consistency[0] ? consistency : "quorum";
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++)
        workload.ports[i] = cluster.peers[i].http;
    recorder_open(&recorder, history_path, seed);
    fault = (struct fault){.cluster = &cluster, .recorder = &recorder, .ground = &ground};
    fault_init(&fault, seed);
    recorder_majority(&recorder, true);
    workload_start(&workload, seed);
    fault.end_ms = proc_now_ms() + minutes * 60000;
    while (proc_now_ms() < fault.end_ms)
        fault_next(&fault);
    healed_ms = proc_now_ms();
    recorder_majority(&recorder, false);
    workload_stop(&workload);
}

/* Healed: everybody sees everybody, owners agree, every key is read at every peer. */
static unsigned chaos_settle(void)
{
    unsigned next = 0, unread;

    cluster_await_full(&cluster, FAULT_PEERS);
    printf("healed: all see all after %.1f s", (double)(proc_now_ms() - healed_ms) / 1000);
    fflush(stdout);
    cluster_await(chaos_is_agreed, &next, CONVERGE_MAX_S, "all owners of all keys agree");
    printf(", owners agree after %.1f s", (double)(proc_now_ms() - healed_ms) / 1000);
    fflush(stdout);
    unread = workload_read_all(&workload);
    printf(", all keys read at all peers after %.1f s, %u not readable\n",
           (double)(proc_now_ms() - healed_ms) / 1000, unread);
    return unread;
}

static void test_chaos(void **state)
{
    uint64_t seed = chaos_number("CHAOS_SEED", 0), minutes;
    bool was_kept = getenv("CLUSTER_KEEP") != NULL;
    unsigned unread;

    (void)state;
    if (seed == 0 && getrandom(&seed, 4, 0) != 4)
        fail();
    minutes = chaos_number("CHAOS_MINUTES", MINUTES_DEFAULT);
    printf("CHAOS_SEED=%" PRIu64 " CHAOS_MINUTES=%" PRIu64 "; %s; all kept in %s on failure\n",
           seed, minutes, cluster_daemon(), cluster.directory);
    setenv("CLUSTER_KEEP", "1", 1); /* until everything has turned out well */
    chaos_run(seed, minutes);
    unread = chaos_settle();
    recorder_close(&recorder);
    report_faults();
    report_operations();
    verdicts = chaos_judge();
    chaos_demand(unread == 0, "every key is readable at every peer");
    chaos_demand(fault.died == 0, "no peer ended by itself");
    chaos_demand((double)recorder.gap / 1e9 <= GAP_MAX_S, "a majority always serves within 15 s");
    assert_int_equal(verdicts.failed, 0);
    if (!was_kept)
        unsetenv("CLUSTER_KEEP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chaos, setup, teardown)};

    int failed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    failed = cmocka_run_group_tests_name("chaos", tests, NULL, NULL);
    if (failed && verdicts.failed == 0)
        verdicts.failed = 1; /* something went wrong on the way */
    printf("%u passed, %u failed\n", verdicts.passed, verdicts.failed);
    return failed;
}
