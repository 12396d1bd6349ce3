/* node_keys_ask_test.c: a rotation through any peer, acknowledged by all. */
#include "keys.h"
#include "node_parts.h"

static void test_a_rotation(void **state)
{
    struct net *net = net_formed(3, 3);
    uint16_t first, second;

    (void)state;
    assert_int_equal(step(net, 1, KEY_LIST, 0)->status, STATUS_OK);
    first = net->reply.key_ids[0];
    assert_int_equal(net->reply.keys, 1);
    assert_int_equal(net->reply.key_missing, 0);
    assert_int_equal(step(net, 0, KEY_INSTALL, 0)->status, STATUS_OK);
    assert_int_equal(net->reply.key_missing, 0);
    assert_int_equal(net->reply.keys, 2);
    second = net->reply.key_ids[1];
    assert_rings(net, &net->reply);
    assert_int_equal(step(net, 2, KEY_REMOVE, first)->status, STATUS_CONFLICT); /* the primary */
    assert_int_equal(step(net, 2, KEY_USE, 1)->status, STATUS_MISSING);
    assert_int_equal(step(net, 2, KEY_USE, second)->status, STATUS_OK);
    assert_int_equal(net->reply.key_ids[0], second);
    assert_rings(net, &net->reply);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    assert_int_equal(step(net, 1, KEY_REMOVE, first)->status, STATUS_OK);
    assert_int_equal(net->reply.keys, 1);
    assert_int_equal(net->reply.key_missing, 0);
    assert_rings(net, &net->reply);
    net_run(net, 10000); /* links of the old key are gone */
    assert_int_equal(net_put(net, 2, "k", "w")->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net_metric(net, i, METRIC_DROP_UNKNOWN_KEY), 0);
    net_delete(net);
}

static void test_four_at_most(void **state)
{
    struct net *net = net_formed(2, 2);

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(step(net, i % 2, KEY_INSTALL, 0)->status, STATUS_OK);
    assert_int_equal(net->reply.keys, 4);
    assert_int_equal(step(net, 0, KEY_INSTALL, 0)->status, STATUS_FULL);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_rotation),
                                       cmocka_unit_test(test_four_at_most)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
