/* flips_test.c: bits flip and files end early in the data directory of one of three real peers, a
 * few accidents per round, while it is down; then it is started and asked for everything. It must
 * never answer with something nobody wrote, deny what was acknowledged or show what was deleted,
 * and it holds everything again soon or stops with 65 and a message; then its directory is emptied,
 * as the message says, and it refills.
 *
 *   FLIPS=2000       accidents in all (32; `make flips` 2,000)      FLIPS_SEED=7  which
 *
 * consistency=one promises one owner's copy, which may be an old one, and a peer in recovery says
 * so with 503; what it does say must have been written to that key. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "prng.h"
#include "proc.h"

#define KEYS 600u
#define CHANGES 30u /* writes and deletes per round: some rows are in the log, not in tables */
#define PER_ROUND 8u
#define FILES_MAX 256
#define VICTIM 1u
#define REPAIR_S 60u
#define EXIT_DAMAGED 65

static struct cluster cluster;
static struct prng rng;

/* What may be read of a key: all versions written to it so far; the last acknowledged one, and
 * those tried after it. An odd version is a delete. */
static struct {
    unsigned acknowledged, tried;
} known[KEYS];

static struct {
    unsigned flips, cuts, rounds, stops, asides, one_older, one_unsure;
    int64_t corrupt, repaired;
} total;

static char accidents[PER_ROUND][400];
static unsigned accident_count;

static void say_accidents(void)
{
    for (unsigned i = 0; i < accident_count; i++)
        fprintf(stderr, "round %u: %s\n", total.rounds, accidents[i]);
}

#define EXPECT(is_true, ...)                                                                       \
    do {                                                                                           \
        if (!(is_true)) {                                                                          \
            say_accidents();                                                                       \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

static struct peer *victim(void)
{
    return &cluster.peers[VICTIM];
}

static void start(struct peer *peer)
{
    static const char *const extras[] = {
        "--set", "sync.interval=1s",    "--set", "storage.scrub_period=3s",
        "--set", "storage.cache=16MiB", NULL};

    peer_start_with(&cluster, peer, extras);
}

/* --- keys */

static unsigned value_of(unsigned key, unsigned version, char text[512])
{
    int size = snprintf(text, 512, "key %u version %u:", key, version);
    unsigned more = (key * 7 + version * 13) % 300;

    memset(text + size, 'a' + (int)((key + version) % 26), more);
    return (unsigned)size + more;
}

static void change(unsigned key, struct peer *through)
{
    char path[64], text[512];
    unsigned version = known[key].tried + 1, size = value_of(key, version, text);
    struct client_request request = {.method = version & 1 ? "DELETE" : "PUT", .path = path};
    struct client_reply reply;

    if (!(version & 1)) {
        request.body = text;
        request.body_size = size;
    }
    (void)snprintf(path, sizeof path, "/v1/kv/test/key%05u", key);
    known[key].tried = version;
    reply = client_ask(&through->client, &request);
    if (reply.status / 100 == 2 || (version & 1 && reply.status == 404))
        known[key].acknowledged = version;
}

/* The version an answer shows: that of its value; UINT32_MAX: nobody wrote this to that key. */
static unsigned shown(unsigned key, const struct client_reply *reply)
{
    char text[512];

    for (unsigned version = 2; version <= known[key].tried; version += 2)
        if (value_of(key, version, text) == reply->body_size &&
            memcmp(text, reply->body, reply->body_size) == 0)
            return version;
    return UINT32_MAX;
}

static bool is_denied(unsigned key, const struct client_reply *reply)
{
    unsigned version = known[key].acknowledged;

    if (reply->status != 404)
        return false;
    for (; version <= known[key].tried; version++)
        if (version & 1)
            return false; /* its delete was tried */
    return true;
}

/* One owner's copy: written to this key some time; a 404 only if it was deleted some time. */
static void check_one(unsigned key, struct peer *peer, bool is_repaired)
{
    char path[80];
    struct client_reply reply;
    unsigned version;

    (void)snprintf(path, sizeof path, "/v1/kv/test/key%05u?consistency=one", key);
    reply = client_get(&peer->client, path);
    if (reply.status == 503 && !is_repaired) {
        total.one_unsure++;
        return;
    }
    EXPECT(reply.status == 200 || reply.status == 404 || reply.status == 300,
           "key %u at %s with one: status %u, %.300s", key, peer->name, reply.status,
           reply.body ? reply.body : "");
    if (reply.status == 404) {
        EXPECT(!is_denied(key, &reply) || (!is_repaired && known[key].tried > 2),
               "key %u at %s with one: denied, version %u is acknowledged", key, peer->name,
               known[key].acknowledged);
        total.one_older += is_denied(key, &reply);
        return;
    }
    version = shown(key, &reply);
    EXPECT(version != UINT32_MAX, "key %u at %s with one: never written: %.*s", key, peer->name,
           (int)reply.body_size, reply.body);
    total.one_older += version < known[key].acknowledged;
    EXPECT(version >= known[key].acknowledged || !is_repaired,
           "key %u at %s with one: version %u after all was repaired, %u is acknowledged", key,
           peer->name, version, known[key].acknowledged);
}

static void check_quorum(unsigned key, struct peer *peer)
{
    uint64_t end = proc_now_ms() + 20000;
    char path[64];
    struct client_reply reply;

    (void)snprintf(path, sizeof path, "/v1/kv/test/key%05u", key);
    while (reply = client_get(&peer->client, path), reply.status == 503 || reply.status == 0) {
        EXPECT(proc_now_ms() < end, "key %u at %s: status %u for 20 s: %.300s", key, peer->name,
               reply.status, reply.status ? reply.body : "");
        proc_pause(50);
    }
    EXPECT(reply.status == 200 || reply.status == 404, "key %u at %s: status %u, %.300s", key,
           peer->name, reply.status, reply.body);
    EXPECT(!is_denied(key, &reply), "key %u at %s: denied, version %u is acknowledged", key,
           peer->name, known[key].acknowledged);
    EXPECT(reply.status == 404 ||
               (shown(key, &reply) != UINT32_MAX && shown(key, &reply) >= known[key].acknowledged),
           "key %u at %s: version %u acknowledged, answer %.*s", key, peer->name,
           known[key].acknowledged, (int)reply.body_size, reply.body);
}

/* Every live key is listed, and no deleted one. */
static void check_listing(struct peer *peer)
{
    static uint8_t is_listed[KEYS];
    uint64_t end = proc_now_ms() + 20000;
    char path[256] = "/v1/kv/test?limit=500";

    memset(is_listed, 0, sizeof is_listed);
    for (;;) {
        json_t *page = client_json(&peer->client, path), *item;
        const char *next = json_string_value(json_object_get(page, "next"));
        size_t at;

        EXPECT(page || proc_now_ms() < end, "no listing at %s for 20 s", peer->name);
        json_array_foreach(json_object_get(page, "items"), at, item)
        {
            const char *name = json_string_value(json_object_get(item, "key"));
            unsigned long key = name && strlen(name) == 8 ? strtoul(name + 3, NULL, 10) : KEYS;

            EXPECT(key < KEYS, "a key is listed that nobody wrote: %s", name ? name : "none");
            is_listed[key] = 1;
        }
        if (next)
            (void)snprintf(path, sizeof path, "/v1/kv/test?limit=500&next=%s", next);
        json_decref(page);
        if (page && !next)
            break;
        if (!page)
            proc_pause(50);
    }
    for (unsigned key = 0; key < KEYS; key++) {
        bool is_open = known[key].tried > known[key].acknowledged;

        EXPECT(is_open || is_listed[key] == !(known[key].acknowledged & 1),
               "key %u at %s: version %u is acknowledged, and it is%s listed", key, peer->name,
               known[key].acknowledged, is_listed[key] ? "" : " not");
    }
}

static void check_all(bool is_repaired)
{
    for (unsigned key = 0; key < KEYS; key++)
        check_one(key, victim(), is_repaired);
    for (unsigned key = 0; key < KEYS; key++)
        check_quorum(key, &cluster.peers[(key + total.rounds) % 3]);
    check_listing(&cluster.peers[total.rounds % 3]);
    check_listing(victim());
}

/* --- accidents */

struct files {
    char paths[FILES_MAX][256];
    off_t sizes[FILES_MAX];
    unsigned count;
    off_t size;
};

static void collect(const char *directory, struct files *files)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL && files->count < FILES_MAX) {
        char *path = files->paths[files->count];
        struct stat info;

        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".corrupt-") != NULL)
            continue;
        (void)snprintf(path, sizeof files->paths[0], "%s/%.100s", directory, entry->d_name);
        if (stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode)) {
            char below[256];

            memcpy(below, path, sizeof below);
            collect(below, files);
        } else if (info.st_size > 0) {
            files->sizes[files->count++] = info.st_size;
            files->size += info.st_size;
        }
    }
    closedir(entries);
}

/* One accident in eight befalls any file, the others any byte. */
static unsigned draw_file(const struct files *files)
{
    off_t at = (off_t)prng_below(&rng, (uint64_t)files->size);
    unsigned file = 0;

    if (prng_chance(&rng, 1, 8))
        return (unsigned)prng_below(&rng, files->count);
    while (file + 1 < files->count && at >= files->sizes[file])
        at -= files->sizes[file++];
    return file;
}

static void befall(void)
{
    static struct files files;
    unsigned file;
    off_t at;

    files = (struct files){.count = 0};
    collect(victim()->directory, &files);
    file = draw_file(&files);
    at = (off_t)prng_below(&rng, (uint64_t)files.sizes[file]);
    if (prng_chance(&rng, 1, 8)) {
        assert_int_equal(truncate(files.paths[file], at), 0);
        (void)snprintf(accidents[accident_count++], sizeof accidents[0], "%s cut to %lld",
                       files.paths[file], (long long)at);
        total.cuts++;
        return;
    }
    unsigned bit = (unsigned)prng_below(&rng, 8);
    FILE *stream = fopen(files.paths[file], "r+e");
    int byte;

    assert_non_null(stream);
    assert_int_equal(fseek(stream, at, SEEK_SET), 0);
    byte = fgetc(stream);
    assert_int_equal(fseek(stream, at, SEEK_SET), 0);
    assert_true(fputc(byte ^ (1 << bit), stream) != EOF);
    assert_int_equal(fclose(stream), 0);
    (void)snprintf(accidents[accident_count++], sizeof accidents[0], "%s byte %lld bit %u",
                   files.paths[file], (long long)at, bit);
    total.flips++;
}

static void run(char *const argv[])
{
    char log[160];

    (void)snprintf(log, sizeof log, "%s/run.log", cluster.directory);
    assert_int_equal(proc_wait(proc_start(argv, log), 20000), 0);
}

/* Empties the directory but for what makes it the same peer, kept elsewhere as an operator does. */
static void empty(bool is_all)
{
    char from[160], to[160], pattern[300];
    char *drop[] = {"/bin/sh", "-c", pattern, NULL};
    char *copy[] = {"/bin/cp", "-p", from, to, NULL};

    (void)snprintf(pattern, sizeof pattern, is_all ? "rm -rf %s/*" : "rm -rf %s/db.corrupt-*",
                   victim()->directory);
    run(drop);
    (void)snprintf(from, sizeof from, "%s/identity.key", cluster.directory);
    (void)snprintf(to, sizeof to, "%s/identity.key", victim()->directory);
    if (is_all)
        run(copy);
}

/* --- one round */

/* Starts the victim; if it stops instead, as documented, empties its directory and starts again. */
static void start_victim(void)
{
    start(victim());
    if (!peer_answers(victim())) {
        int status = proc_wait(victim()->pid, 20000);

        EXPECT(status == EXIT_DAMAGED, "the peer stopped with %d", status);
        total.stops++;
        victim()->pid = 0;
        empty(true);
        start(victim());
        EXPECT(peer_answers(victim()), "an emptied peer does not start");
    }
}

/* The victim counts, nothing waits, and all three hold the same. */
static bool is_repaired(void *context)
{
    int64_t keys[3];

    (void)context;
    for (unsigned i = 0; i < 3; i++) {
        struct client *client = &cluster.peers[i].client;
        json_t *summary = client_json(client, "/v1/cluster");
        bool is_well = summary && json_array_size(json_object_get(summary, "warnings")) == 0 &&
                       cluster_number(summary, "partitions.differing") == 0;

        json_decref(summary);
        keys[i] = client_metric(client, "gossamer_keys");
        if (!is_well || client_metric(client, "gossamer_store_quarantined") != 0)
            return false;
    }
    return keys[0] == keys[1] && keys[1] == keys[2];
}

static void await_repair(void)
{
    uint64_t end = proc_now_ms() + REPAIR_S * 1000u;

    while (!is_repaired(NULL)) {
        if (proc_now_ms() >= end || !proc_is_running(victim()->pid)) {
            struct client_reply reply = client_get(&victim()->client, "/v1/cluster");

            EXPECT(false, "not repaired within %u s; %s", REPAIR_S,
                   reply.status ? reply.body : "no answer");
        }
        proc_pause(50);
    }
}

/* Stores that were kept aside: what could be read of them was copied, the rest came from others. */
static unsigned count_asides(void)
{
    DIR *entries = opendir(victim()->directory);
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL)
        count += strstr(entry->d_name, ".corrupt-") != NULL;
    closedir(entries);
    return count;
}

static void round_of(unsigned count)
{
    for (unsigned i = 0; i < CHANGES; i++)
        change((unsigned)prng_below(&rng, KEYS), &cluster.peers[prng_below(&rng, 3)]);
    if (total.rounds % 2)
        peer_kill(victim());
    else
        EXPECT(peer_stop(victim()) == 0, "SIGTERM");
    accident_count = 0;
    empty(false);
    for (unsigned i = 0; i < count; i++)
        befall();
    start_victim();
    check_all(false);
    await_repair();
    check_all(true);
    total.corrupt += client_metric(&victim()->client, "gossamer_store_corrupt_total");
    total.repaired += client_metric(&victim()->client, "gossamer_store_repaired_total");
    total.asides += count_asides();
    total.rounds++;
}

static void test_S1_flips(void **state)
{
    const char *given = getenv("FLIPS"), *seed = getenv("FLIPS_SEED");
    unsigned flips = given ? (unsigned)strtoul(given, NULL, 10) : 32;
    uint64_t began = proc_now_ms();
    char path[200], to[200];
    char *copy[] = {"/bin/cp", "-p", path, to, NULL};

    (void)state;
    prng_init(&rng, seed ? strtoull(seed, NULL, 10) : 1);
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < 3; i++)
        start(cluster_add(&cluster, i ? &cluster.peers[0] : NULL));
    cluster_await_full(&cluster, 3);
    (void)snprintf(path, sizeof path, "%s/identity.key", victim()->directory);
    (void)snprintf(to, sizeof to, "%s/identity.key", cluster.directory);
    run(copy);
    for (unsigned key = 0; key < KEYS; key++) {
        known[key].tried = 1;
        change(key, &cluster.peers[key % 3]);
    }
    for (unsigned done = 0; done < flips; done += PER_ROUND) {
        round_of(flips - done < PER_ROUND ? flips - done : PER_ROUND);
        if (total.rounds % 25 == 0)
            printf("%u accidents, %llu s\n", total.flips + total.cuts,
                   (unsigned long long)(proc_now_ms() - began) / 1000);
        (void)fflush(stdout);
    }
    printf("%u bits flipped, %u files cut in %u rounds, %llu s\n", total.flips, total.cuts,
           total.rounds, (unsigned long long)(proc_now_ms() - began) / 1000);
    printf("damage met %lld times while it ran, %lld rows replaced, %u stores kept aside, %u stops "
           "with %d; with one: %u answers older, %u unsure\n",
           (long long)total.corrupt, (long long)total.repaired, total.asides, total.stops,
           EXIT_DAMAGED, total.one_older, total.one_unsure);
    cluster_close(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S1_flips),
    };

    return cmocka_run_group_tests_name("cluster flips", tests, NULL, NULL);
}
