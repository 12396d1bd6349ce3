/* space_test.c: three peers with settings of namespaces: what one is told holds at all and after a
 * restart, values get their life from it and end at all of them, and walks through a listing are
 * whole while a fourth peer joins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define WALK_KEYS 60u
#define PAGE "13"

static struct cluster cluster;

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static unsigned settings_put(struct peer *peer, const char *path, const char *body)
{
    const struct client_request request = {.method = "PUT",
                                           .path = path,
                                           .fields = "Content-Type: application/json\r\n",
                                           .body = body,
                                           .body_size = strlen(body)};

    return client_ask(&peer->client, &request).status;
}

static bool has_settings(void *context)
{
    json_t *json = client_json(&((struct peer *)context)->client, "/v1/namespaces/brief");
    const char *ttl = json_string_value(json_object_get(json, "ttl"));
    bool is_there = ttl && strcmp(ttl, "2s") == 0;

    json_decref(json);
    return is_there;
}

static bool is_gone(void *context)
{
    return client_get(&((struct peer *)context)->client, "/v1/kv/brief/k").status == 404;
}

static void test_N1_T1_settings_hold_everywhere(void **state)
{
    (void)state;
    assert_int_equal(settings_put(&cluster.peers[0], "/v1/namespaces/brief", "{\"ttl\":\"2s\"}"),
                     201);
    for (unsigned i = 0; i < 3; i++)
        cluster_await(has_settings, &cluster.peers[i], 10, "the settings are known");
    assert_int_equal(client_put(&cluster.peers[1].client, "/v1/kv/brief/k", "v", NULL).status, 201);
    assert_int_equal(client_get(&cluster.peers[2].client, "/v1/kv/brief/k").status, 200);
    for (unsigned i = 0; i < 3; i++)
        cluster_await(is_gone, &cluster.peers[i], 10, "the value has expired");
    peer_kill(&cluster.peers[2]);
    peer_start(&cluster, &cluster.peers[2]);
    assert_true(peer_answers(&cluster.peers[2]));
    cluster_await(has_settings, &cluster.peers[2], 10, "the settings are kept");
    cluster_await_full(&cluster, 3);
}

/* One walk, each page at another peer; a refused page is asked for again. */
static unsigned walk(unsigned first)
{
    char path[400] = "/v1/kv/walk?limit=" PAGE, wanted[16];
    unsigned seen = 0, tries = 0;

    for (unsigned page = first; tries < 200; page++) {
        json_t *json = client_json(&cluster.peers[page % 3].client, path), *item;
        const char *next = json_string_value(json_object_get(json, "next"));
        size_t at;

        json_array_foreach(json_object_get(json, "items"), at, item)
        {
            (void)snprintf(wanted, sizeof(wanted), "k%02u", seen++);
            assert_string_equal(json_string_value(json_object_get(item, "key")), wanted);
        }
        if (next)
            (void)snprintf(path, sizeof(path), "/v1/kv/walk?limit=" PAGE "&next=%s", next);
        if (json && !next) {
            json_decref(json);
            return seen;
        }
        tries += json == NULL;
        json_decref(json);
    }
    return 0;
}

static void test_N3_walks_while_a_peer_joins(void **state)
{
    char path[64];
    struct peer *fourth;

    (void)state;
    for (unsigned i = 0; i < WALK_KEYS; i++) {
        (void)snprintf(path, sizeof(path), "/v1/kv/walk/k%02u", i);
        assert_int_equal(client_put(&cluster.peers[i % 3].client, path, "v", NULL).status, 201);
    }
    fourth = cluster_add(&cluster, &cluster.peers[0]);
    peer_start(&cluster, fourth);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(walk(i), WALK_KEYS);
    cluster_await_full(&cluster, 4);
    assert_int_equal(walk(0), WALK_KEYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_N1_T1_settings_hold_everywhere),
                                       cmocka_unit_test(test_N3_walks_while_a_peer_joins)};

    return cmocka_run_group_tests_name("cluster spaces", tests, setup, teardown);
}
