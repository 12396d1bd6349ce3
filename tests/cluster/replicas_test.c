/* replicas_test.c: five peers, a namespace with five replicas and one with one. Two peers are
 * killed: everything in the first is still read and written at a quorum, of the second only what
 * the dead held cannot be read, and nothing of it is taken for missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"

#define KEYS 40u

static struct cluster cluster;

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 5);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static unsigned replicas_put(unsigned peer, const char *ns, const char *body)
{
    char path[64];
    struct client_request request = {.method = "PUT",
                                     .path = path,
                                     .fields = "Content-Type: application/json\r\n",
                                     .body = body,
                                     .body_size = strlen(body)};

    (void)snprintf(path, sizeof(path), "/v1/namespaces/%s", ns);
    return client_ask(&cluster.peers[peer].client, &request).status;
}

static const char *key_path(const char *ns, unsigned key)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "/v1/kv/%s/k%u", ns, key);
    return path;
}

/* Every peer knows both numbers. */
static bool is_known(void *context)
{
    bool is_all = true;

    (void)context;
    for (unsigned i = 0; i < 5; i++) {
        json_t *wide = client_json(&cluster.peers[i].client, "/v1/namespaces/wide");
        json_t *narrow = client_json(&cluster.peers[i].client, "/v1/namespaces/narrow");

        is_all &= cluster_number(wide, "replicas") == 5 && cluster_number(narrow, "replicas") == 1;
        json_decref(wide);
        json_decref(narrow);
    }
    return is_all;
}

static size_t owners_of(unsigned peer, const char *ns)
{
    char path[96];
    json_t *json;
    size_t count;

    (void)snprintf(path, sizeof(path), "/v1/ring/lookup?ns=%s&key=k1", ns);
    json = client_json(&cluster.peers[peer].client, path);
    count = json_array_size(json_object_get(json, "owners"));
    json_decref(json);
    return count;
}

static void test_a_namespace_has_its_own_number_of_owners(void **state)
{
    (void)state;
    assert_int_equal(replicas_put(0, "wide", "{\"replicas\":5}"), 201);
    assert_int_equal(replicas_put(1, "narrow", "{\"replicas\":1}"), 201);
    assert_int_equal(replicas_put(1, "_default", "{\"replicas\":5}"), 501);
    cluster_await(is_known, NULL, 10, "the replicas are known");
    for (unsigned i = 0; i < KEYS; i++) {
        assert_int_equal(
            client_put(&cluster.peers[i % 5].client, key_path("wide", i), "v", NULL).status, 201);
        assert_int_equal(
            client_put(&cluster.peers[i % 5].client, key_path("narrow", i), "v", NULL).status, 201);
    }
    assert_int_equal(owners_of(2, "wide"), 5);
    assert_int_equal(owners_of(2, "narrow"), 1);
    assert_int_equal(owners_of(2, "other"), 3);
    assert_int_equal(replicas_put(2, "wide", "{\"replicas\":3}"), 409);
    assert_int_equal(replicas_put(2, "wide", "{\"ttl\":\"none\"}"), 200); /* and they stay five */
    assert_int_equal(owners_of(3, "wide"), 5);
}

static void test_two_of_five_may_die(void **state)
{
    unsigned answered = 0;

    (void)state;
    peer_kill(&cluster.peers[3]);
    peer_kill(&cluster.peers[4]);
    for (unsigned i = 0; i < KEYS; i++) {
        struct client_reply got = client_get(&cluster.peers[i % 3].client, key_path("wide", i));
        unsigned status = client_get(&cluster.peers[i % 3].client, key_path("narrow", i)).status;

        assert_int_equal(got.status, 200);
        assert_true(status == 200 || status == 503 || status == 504);
        answered += status == 200;
        assert_int_equal(
            client_put(&cluster.peers[i % 3].client, key_path("wide", i), "w", NULL).status, 204);
    }
    assert_in_range(answered, 1, KEYS - 1);
    peer_start(&cluster, &cluster.peers[3]);
    peer_start(&cluster, &cluster.peers[4]);
    assert_true(peer_answers(&cluster.peers[3]) && peer_answers(&cluster.peers[4]));
    cluster_await_full(&cluster, 5);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(client_get(&cluster.peers[4].client, key_path("narrow", i)).status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_namespace_has_its_own_number_of_owners),
        cmocka_unit_test(test_two_of_five_may_die)};

    return cmocka_run_group_tests_name("cluster replicas", tests, setup, teardown);
}
