/* keys_test.c: the cluster key of three real peers is rotated under load while one of them is
 * down: it comes back with the key file of its death, learns the new keys, and no write fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cluster.h"

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

static unsigned step(struct peer *peer, const char *method, const char *path)
{
    const struct client_request request = {.method = method, .path = path};

    return client_ask(&peer->client, &request).status;
}

/* The id of the key at `place` in the ring as a peer tells it; "" when there is none. */
static void key_id(struct peer *peer, size_t place, char id[8])
{
    json_t *json = client_json(&peer->client, "/v1/cluster/keys");
    const char *text = json_string_value(
        json_object_get(json_array_get(json_object_get(json, "keys"), place), "id"));

    (void)snprintf(id, 8, "%s", text ? text : "");
    json_decref(json);
}

static bool is_complete(void *context)
{
    json_t *json = client_json(&((struct peer *)context)->client, "/v1/cluster/keys");
    bool is_it = json_is_true(json_object_get(json, "complete")) &&
                 json_array_size(json_object_get(json, "members")) == 3;

    json_decref(json);
    return is_it;
}

/* The key file of a peer, and that only its owner may read it. */
static size_t key_file(const struct peer *peer, char *text, size_t size)
{
    char path[256];
    struct stat stat_of;
    FILE *file;
    size_t got;

    (void)snprintf(path, sizeof(path), "%s/cluster.key", peer->directory);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    file = fopen(path, "r");
    assert_non_null(file);
    got = fread(text, 1, size - 1, file);
    text[got] = 0;
    (void)fclose(file);
    return got;
}

/* No log shows any key. */
static void assert_no_key_in_logs(const char *file)
{
    for (const char *at = file; (at = strstr(at, "\nkey ")) != NULL; at++) {
        char key[65];

        (void)snprintf(key, sizeof(key), "%.64s", at + 5);
        for (unsigned i = 0; i < 3; i++) {
            FILE *log = fopen(cluster.peers[i].log, "r");
            char line[4096];

            assert_non_null(log);
            while (fgets(line, sizeof(line), log))
                assert_null(strstr(line, key));
            (void)fclose(log);
        }
    }
}

static void test_W6_a_peer_that_was_away_survives_a_rotation(void **state)
{
    struct peer *peers = cluster.peers;
    char first[8], second[8], path[64], text[600], others[600];

    (void)state;
    key_id(&peers[0], 0, first);
    peer_kill(&peers[2]);
    assert_int_equal(step(&peers[0], "POST", "/v1/cluster/keys"), 200);
    key_id(&peers[1], 1, second);
    assert_int_equal(strlen(second), 4);
    (void)snprintf(path, sizeof(path), "/v1/cluster/keys/%s/use", second);
    assert_int_equal(step(&peers[1], "PUT", path), 409);
    (void)snprintf(path, sizeof(path), "/v1/cluster/keys/%s/use?force=true", second);
    assert_int_equal(step(&peers[1], "PUT", path), 200);
    (void)snprintf(path, sizeof(path), "/v1/cluster/keys/%s", first);
    assert_int_equal(step(&peers[1], "DELETE", path), 409);
    assert_int_equal(client_put(&peers[0].client, "/v1/kv/app/k", "v", NULL).status, 201);
    peer_start(&cluster, &peers[2]);
    assert_true(peer_answers(&peers[2]));
    cluster_await_full(&cluster, 3);
    cluster_await(is_complete, &peers[2], 20, "all have the keys");
    assert_int_equal(step(&peers[2], "DELETE", path), 200);
    cluster_await(is_complete, &peers[0], 10, "all have dropped the old key");
    assert_int_equal(client_get(&peers[2].client, "/v1/kv/app/k").status, 200);
    (void)key_file(&peers[0], text, sizeof(text));
    for (unsigned i = 1; i < 3; i++) {
        (void)key_file(&peers[i], others, sizeof(others));
        assert_string_equal(others, text);
    }
    assert_no_key_in_logs(text);
    peer_kill(&peers[1]); /* and a start with nothing but the new key */
    peer_start(&cluster, &peers[1]);
    cluster_await_full(&cluster, 3);
    assert_int_equal(client_get(&peers[1].client, "/v1/kv/app/k").status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_W6_a_peer_that_was_away_survives_a_rotation)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
