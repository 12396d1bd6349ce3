/* node_gc_turn_test.c: a round begins when a row of a partition may be over, not before. */
#include "gc_net.h"

#define MANY 16000 /* in eight partitions: two rounds each */

/* No tombstone is ever written: the time of expiry alone brings the round. */
static void test_T1_rows_that_only_expire_are_collected(void **state)
{
    struct net *net = gc_formed(3);
    struct op put = net_op(OP_PUT, "", "v");
    char key[16];

    (void)state;
    put.ttl_ms = 5000;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(key, sizeof(key), "e%u", i);
        put.key = slice_text(key);
        assert_int_equal(net_do(net, i % 3, &put)->status, STATUS_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 1000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net->peers[i].node->keys, 20);
    net_run(net, 30000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net->peers[i].node->keys, 0);
    net_delete(net);
}

/* More rows of each partition than one round takes. Until they are collected nothing is sent about
 * them: no row is pulled, none repaired. */
static void test_T1_many_rows_that_expired_at_once(void **state)
{
    struct net *net = gc_formed(3);
    struct op put = net_op(OP_PUT, "", "v");
    char key[16];

    (void)state;
    put.ttl_ms = 3600000;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof(key), "e%u", i);
        put.key = slice_text(key);
        assert_int_equal(net_do(net, i % 3, &put)->status, STATUS_OK);
    }
    for (unsigned i = 0; i < 3; i++)
        net->wall_ahead_ms[i] += put.ttl_ms;
    net_run(net, 60000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net->peers[i].node->keys, MANY);
        assert_int_equal(net_metric(net, i, METRIC_SYNC_REPAIRED), 0);
        assert_int_equal(net_metric(net, i, METRIC_READ_REPAIRS), 0);
        gc_on(net, i);
    }
    net_run(net, 15000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net->peers[i].node->keys, 0);
    net_delete(net);
}

static void test_a_partition_is_due_at_its_earliest_row(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    struct crdt_object *object = &node->object_a;
    struct crdt_value value = {.kind = CRDT_VALUE};

    (void)state;
    crdt_object_clear(object);
    assert_int_equal(crdt_object_write(object, NULL, 1, 1, &value), STATUS_OK);
    node_gc_note(node, 3, object);
    assert_int_equal(node->gc->due[3], 0); /* it lives for ever */
    value.expires = node->wall_ms + 9000;
    assert_int_equal(crdt_object_write(object, NULL, 1, 2, &value), STATUS_OK);
    node_gc_note(node, 3, object);
    value.expires = node->wall_ms + 5000;
    assert_int_equal(crdt_object_write(object, NULL, 1, 3, &value), STATUS_OK);
    node_gc_note(node, 3, object);
    value.expires = node->wall_ms + 7000;
    assert_int_equal(crdt_object_write(object, NULL, 1, 4, &value), STATUS_OK);
    node_gc_note(node, 3, object);
    assert_true(node->gc->due[3] == node->wall_ms + 5000);
    assert_false(node_gc_is_due(node, 3));
    node->wall_ms += 5000;
    assert_true(node_gc_is_due(node, 3));
    assert_false(node_gc_is_due(node, 4));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T1_rows_that_only_expire_are_collected),
        cmocka_unit_test(test_T1_many_rows_that_expired_at_once),
        cmocka_unit_test(test_a_partition_is_due_at_its_earliest_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
