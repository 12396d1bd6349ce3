/* partition_test.c: peers 1 and 2 are cut from 3, 4 and 5 by their block lists. For every key one
 * side has its quorum and the other has not: that side answers 503 and says what became of the
 * write. After healing all owners agree; what was written on both sides at consistency=one shows as
 * siblings at every peer, until somebody who has seen them all writes with their context. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define KEYS 30u

static struct cluster cluster;

static const char *const syncing[] = {"--set", "sync.interval=1s", NULL};

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < 5; i++)
        peer_start_with(&cluster, cluster_add(&cluster, i ? &cluster.peers[0] : NULL), syncing);
    cluster_await_full(&cluster, 5);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static void block(struct peer *peer, const char *names)
{
    struct client_request request = {"PUT", "/v1/self/block", "Content-Type: application/json\r\n",
                                     names, strlen(names)};

    assert_int_equal(client_ask(&peer->client, &request).status, 204);
}

static void part(void)
{
    for (unsigned i = 0; i < 5; i++)
        block(&cluster.peers[i], i < 2 ? "{\"peers\":[\"peer-3\",\"peer-4\",\"peer-5\"]}"
                                       : "{\"peers\":[\"peer-1\",\"peer-2\"]}");
}

static void heal(void)
{
    struct client_request request = {.method = "DELETE", .path = "/v1/self/block"};

    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(client_ask(&cluster.peers[i].client, &request).status, 204);
}

/* Every peer sees only its own side alive. */
static bool is_parted(void *context)
{
    bool is_parted = true;

    (void)context;
    for (unsigned i = 0; i < 5 && is_parted; i++) {
        json_t *summary = client_json(&cluster.peers[i].client, "/v1/cluster");

        is_parted = cluster_number(summary, "members.alive") == (i < 2 ? 2 : 3);
        json_decref(summary);
    }
    return is_parted;
}

static bool outcome_is(const struct client_reply *reply, const char *const *outcomes)
{
    json_t *problem = json_loadb(reply->body, reply->body_size, 0, NULL);
    const char *outcome = json_string_value(json_object_get(problem, "outcome"));
    bool is_definite = json_is_true(json_object_get(problem, "definite")), is_found = false;

    for (; *outcomes && outcome; outcomes++)
        is_found = is_found || strcmp(outcome, *outcomes) == 0;
    if (outcome && is_definite != (strcmp(outcome, "not-stored") == 0))
        is_found = false;
    json_decref(problem);
    return is_found;
}

/* Writes key i through one peer; true when it was acknowledged, otherwise it must be a 503 that
 * says what became of it. */
static bool put_honest(struct peer *peer, unsigned i, const char *value)
{
    static const char *const outcomes[] = {"not-stored", "stored-partial", "unknown", NULL};
    char path[96];
    struct client_reply reply;

    snprintf(path, sizeof path, "/v1/kv/part/key%u?timeout=1s", i);
    reply = client_put(&peer->client, path, value, NULL);
    if (reply.status / 100 == 2)
        return true;
    if (reply.status != 503 || !outcome_is(&reply, outcomes))
        fail_msg("%s answers %u: %s", peer->name, reply.status, reply.body ? reply.body : "");
    return false;
}

static bool is_agreed(void *context)
{
    char path[96];
    bool is_agreed = true;

    (void)context;
    for (unsigned i = 0; i < KEYS && is_agreed; i++) {
        json_t *lookup;

        snprintf(path, sizeof path, "/v1/ring/lookup?ns=part&key=key%u&verify=true", i);
        lookup = client_json(&cluster.peers[i % 5].client, path);
        is_agreed = json_is_true(json_object_get(lookup, "agree"));
        json_decref(lookup);
    }
    return is_agreed;
}

/* D1, D3, D14: exactly one side has the quorum of a key, and it is its value that survives. */
static void test_D14_quorum_on_one_side(void **state)
{
    bool is_major[KEYS];
    unsigned minor_count = 0;

    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        assert_true(put_honest(&cluster.peers[i % 5], i, "before"));
    part();
    cluster_await(is_parted, NULL, 30, "each side sees only itself alive");
    for (unsigned i = 0; i < KEYS; i++) {
        bool is_minor = put_honest(&cluster.peers[i % 2], i, "minor");

        is_major[i] = put_honest(&cluster.peers[2 + i % 3], i, "major");
        assert_true(is_minor != is_major[i]);
        minor_count += is_minor;
    }
    printf("the side of two had the quorum of %u of %u keys\n", minor_count, KEYS);
    assert_true(minor_count > 0 && minor_count < KEYS);
    heal();
    cluster_await_full(&cluster, 5);
    cluster_await(is_agreed, NULL, 30, "all owners hold the same");
    for (unsigned p = 0; p < 5; p++)
        for (unsigned i = 0; i < KEYS; i++) {
            char path[64];
            struct client_reply reply;

            snprintf(path, sizeof path, "/v1/kv/part/key%u?siblings=all", i);
            reply = client_get(&cluster.peers[p].client, path);
            assert_true(reply.status == 200 || reply.status == 300);
            assert_non_null(strstr(reply.body, is_major[i] ? "major" : "minor"));
        }
}

/* A key with owners on both sides has taken two values; their context is left in `context`. */
static bool siblings_seen(struct peer *peer, const char *path, char *context)
{
    char all[96];
    struct client_reply reply;

    snprintf(all, sizeof all, "%s?siblings=all", path);
    reply = client_get(&peer->client, all);
    memcpy(context, reply.context, sizeof reply.context);
    return reply.status == 300 && strstr(reply.body, "left") && strstr(reply.body, "right");
}

struct resolved {
    const char *path;
};

static bool is_resolved(void *context)
{
    const struct resolved *resolved = context;
    bool is_single = true;
    char all[96];

    snprintf(all, sizeof all, "%s?siblings=all", resolved->path);
    for (unsigned i = 0; i < 5 && is_single; i++) {
        struct client_reply reply = client_get(&cluster.peers[i].client, all);

        is_single =
            reply.status == 200 && reply.body_size == 6 && memcmp(reply.body, "merged", 6) == 0;
    }
    return is_single;
}

static void test_D3_siblings_and_context(void **state)
{
    unsigned both = 0;
    char context[CLIENT_CONTEXT_MAX], path[64], one[96];
    bool is_both[KEYS];

    (void)state;
    part();
    cluster_await(is_parted, NULL, 30, "each side sees only itself alive");
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned left, right;

        snprintf(one, sizeof one, "/v1/kv/sib/key%u?consistency=one", i);
        left = client_put(&cluster.peers[i % 2].client, one, "left", NULL).status;
        right = client_put(&cluster.peers[2 + i % 3].client, one, "right", NULL).status;
        is_both[i] = left / 100 == 2 && right / 100 == 2;
        both += is_both[i];
    }
    printf("%u of %u keys have owners on both sides\n", both, KEYS);
    assert_true(both > 0);
    heal();
    cluster_await_full(&cluster, 5);
    for (unsigned i = 0; i < KEYS; i++) {
        if (!is_both[i])
            continue;
        snprintf(path, sizeof path, "/v1/kv/sib/key%u", i);
        for (unsigned p = 0; p < 5; p++)
            if (!siblings_seen(&cluster.peers[p], path, context))
                fail_msg("key %u at peer %u: both values should be siblings", i, p + 1);
        assert_int_equal(client_put(&cluster.peers[i % 5].client, path, "merged", context).status,
                         204);
        cluster_await(is_resolved, &(struct resolved){path}, 10, "the merged value everywhere");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D14_quorum_on_one_side),
        cmocka_unit_test(test_D3_siblings_and_context),
    };

    return cmocka_run_group_tests_name("cluster partition", tests, setup, teardown);
}
