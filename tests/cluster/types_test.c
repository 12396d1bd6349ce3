/* types_test.c: CRDT types on real daemons. Three peers count while one of them is killed and comes
 * back: no increment that was acknowledged is lost or counted twice. Then one peer is cut off and
 * both sides change a set at consistency=one: after healing all agree, and adds the other side had
 * not seen have survived its removes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "proc.h"

#define PEERS 3u
#define ROUNDS 300u
#define KILL_AT 90u
#define RESTART_AT 180u

static struct cluster cluster;

static const char *const syncing[] = {"--set", "sync.interval=1s", NULL};

static int setup(void **state)
{
    (void)state;
    cluster_open(&cluster, 0);
    for (unsigned i = 0; i < PEERS; i++)
        peer_start_with(&cluster, cluster_add(&cluster, i ? &cluster.peers[0] : NULL), syncing);
    cluster_await_full(&cluster, PEERS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cluster_close(&cluster);
    return 0;
}

static unsigned update(struct peer *peer, const char *path, const char *body)
{
    struct client_request request = {.method = "POST",
                                     .path = path,
                                     .fields = "Content-Type: application/json\r\n",
                                     .body = body,
                                     .body_size = strlen(body)};

    return client_ask(&peer->client, &request).status;
}

/* --- counting */

static int64_t counted(struct peer *peer)
{
    json_t *document = client_json(&peer->client, "/v1/crdt/types/hits?consistency=all");
    int64_t value = document ? cluster_number(document, "value") : -1;

    json_decref(document);
    return value;
}

static void test_every_increment_counts_once(void **state)
{
    int64_t sure = 0, perhaps = 0, value;

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct peer *peer = &cluster.peers[i % PEERS];
        unsigned status;

        if (i == KILL_AT)
            peer_kill(&cluster.peers[2]);
        if (i == RESTART_AT)
            peer_start_with(&cluster, &cluster.peers[2], syncing);
        if (peer->pid == 0)
            peer = &cluster.peers[0];
        status = update(peer, "/v1/crdt/types/hits?timeout=1s", "{\"counter\":{\"add\":1}}");
        sure += status == 204;
        perhaps += status != 204 && (status == 0 || status >= 500);
    }
    cluster_await_full(&cluster, PEERS);
    value = counted(&cluster.peers[0]);
    printf("%lld increments acknowledged, %lld perhaps, the counter shows %lld\n", (long long)sure,
           (long long)perhaps, (long long)value);
    assert_in_range(sure, ROUNDS / 2, ROUNDS);
    assert_in_range(value, sure, sure + perhaps);
    for (unsigned i = 1; i < PEERS; i++)
        assert_int_equal(counted(&cluster.peers[i]), value);
}

/* --- two sides of a cut */

static void block(struct peer *peer, const char *names)
{
    struct client_request request = {"PUT", "/v1/self/block", "Content-Type: application/json\r\n",
                                     names, strlen(names)};

    assert_int_equal(client_ask(&peer->client, &request).status, 204);
}

static void heal(void)
{
    struct client_request request = {.method = "DELETE", .path = "/v1/self/block"};

    for (unsigned i = 0; i < PEERS; i++)
        assert_int_equal(client_ask(&cluster.peers[i].client, &request).status, 204);
}

/* The members a peer shows at consistency=one, joined by spaces. */
static bool shows(struct peer *peer, const char *expected)
{
    json_t *document = client_json(&peer->client, "/v1/crdt/types/tags?consistency=one"), *member;
    char text[200] = "";
    size_t i, used = 0;

    json_array_foreach(json_object_get(document, "value"), i, member) used += (size_t)snprintf(
        text + used, sizeof text - used, "%s%s", used ? " " : "", json_string_value(member));
    json_decref(document);
    return strcmp(text, expected) == 0;
}

static bool all_show(void *context)
{
    for (unsigned i = 0; i < PEERS; i++)
        if (!shows(&cluster.peers[i], context))
            return false;
    return true;
}

/* Both sides of the cut show their own; another owner of the side may have coordinated. */
static bool sides_show(void *context)
{
    const char *const *sides = context;

    return shows(&cluster.peers[0], sides[0]) && shows(&cluster.peers[2], sides[1]);
}

#define TAGS "/v1/crdt/types/tags"

static void test_adds_survive_removes_that_did_not_see_them(void **state)
{
    static char before[] = "a b c", after[] = "b d e";
    static const char *apart[] = {"c d", "a b e"};

    (void)state;
    assert_int_equal(update(&cluster.peers[0], TAGS, "{\"set\":{\"add\":[\"a\",\"b\",\"c\"]}}"),
                     204);
    cluster_await(all_show, before, 20, "all peers to show a b c");
    for (unsigned i = 0; i < 2; i++)
        block(&cluster.peers[i], "{\"peers\":[\"peer-3\"]}");
    block(&cluster.peers[2], "{\"peers\":[\"peer-1\",\"peer-2\"]}");
    assert_int_equal(update(&cluster.peers[2], TAGS "?consistency=one",
                            "{\"set\":{\"add\":[\"b\",\"e\"],\"remove\":[\"c\"]}}"),
                     204);
    assert_int_equal(update(&cluster.peers[0], TAGS "?consistency=one",
                            "{\"set\":{\"add\":[\"d\"],\"remove\":[\"a\",\"b\"]}}"),
                     204);
    cluster_await(sides_show, apart, 20, "the sides to show c d and a b e");
    heal();
    cluster_await(all_show, after, 60, "all peers to show b d e");
    assert_int_equal(update(&cluster.peers[1], TAGS, "{\"flag\":true}"), 409);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_increment_counts_once),
        cmocka_unit_test(test_adds_survive_removes_that_did_not_see_them),
    };

    return cmocka_run_group_tests_name("cluster types", tests, setup, teardown);
}
