/* node_actor_test.c: an owner that lost a row goes on under another clock actor, so that nobody
 * takes what it forgot for discarded. */
#include "net.h"
#include "gc/node_gc.h"
#include "node_parts.h"

static uint32_t partition_of(struct net *net, const char *key)
{
    return node_partition_of(net->peers[0].node, slice_text("n"), slice_text(key));
}

/* Writes `value` beside what is there, through a peer. */
static void beside(struct net *net, unsigned index, const char *key, const char *value)
{
    struct crdt_context context = {0};
    struct op put = net_op(OP_PUT, key, value);
    char token[CONTEXT_SIZE_MAX];
    struct writer out = writer_over(token, sizeof(token));
    struct crdt_scope scope = {net->peers[index].node->founding.hash_seed, put.ns, put.key};

    assert_int_equal(crdt_context_encode(&context, &scope, &out), STATUS_OK);
    put.context = writer_done(&out);
    assert_int_equal(net_do(net, index, &put)->status, STATUS_OK);
}

/* Spoils the row of a key on the disk of a peer. */
static void spoil(struct net *net, unsigned index, const char *key)
{
    struct net_peer *peer = &net->peers[index];
    struct store ports = store_memory_ports(peer->memory);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct store_row row = {.family = STORE_OBJ,
                            .key = node_row_key(peer->node, slice_text("n"), slice_text(key), room),
                            .value = slice_text("no record at all")};

    assert_int_equal(ports.apply(ports.context, &row, 1), STATUS_OK);
    store_recent_clear(peer->node->recent);
}

static void test_D1_a_damaged_row_hides_nothing_others_hold(void **state)
{
    struct net *net = net_formed(3, 3);
    uint64_t before = net->peers[0].node->gc->ended[partition_of(net, "k")];

    (void)state;
    beside(net, 0, "k", "a");
    net_run(net, 100);
    spoil(net, 0, "k");
    beside(net, 0, "k", "b");
    net_run(net, 5000);
    assert_true(net->peers[0].node->gc->ended[partition_of(net, "k")] > before);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net_value(net, i, "k")->values, 2);
    net_delete(net);
}

static void test_an_actor_is_its_openings_until_it_ends(void **state)
{
    struct net *net = net_formed(1, 3);
    struct node *node = net->peers[0].node;
    const struct node_task task = {0};
    uint32_t partition = place_partition(node->place, 0);
    struct dot first = node_actor_dot(node, &task, 0), second;

    (void)state;
    assert_int_equal(first.actor, node->actor);
    node_actor_end(node, partition);
    second = node_actor_dot(node, &task, first.stamp);
    assert_true(second.actor != first.actor && second.stamp > first.stamp);
    assert_true(node_actor_is_ours(node, partition, first.actor));
    assert_true(node_actor_is_ours(node, partition, second.actor));
    assert_false(node_actor_is_ours(node, partition ^ 1, second.actor));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D1_a_damaged_row_hides_nothing_others_hold),
        cmocka_unit_test(test_an_actor_is_its_openings_until_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
