/* node_keys_test.c: the cluster's keys change while it runs, and nobody is shut out by it. */
#include "keys.h"
#include "node_parts.h"

static void test_who_was_away_comes_back(void **state)
{
    struct net *net = net_formed(3, 3);
    uint16_t first, second;

    (void)state;
    (void)step(net, 0, KEY_LIST, 0);
    first = net->reply.key_ids[0];
    net_kill(net, 2);
    net_run(net, 20000);
    assert_int_equal(step(net, 0, KEY_INSTALL, 0)->status, STATUS_OK); /* that is always safe */
    assert_int_equal(net->reply.key_missing, 1);
    second = net->reply.key_ids[1];
    assert_int_equal(step(net, 1, KEY_USE, second)->status, STATUS_CONFLICT);
    assert_int_equal(net->reply.key_missing, 1);
    assert_int_equal(forced(net, 1, KEY_USE, second)->status, STATUS_OK);
    assert_int_equal(step(net, 1, KEY_REMOVE, first)->status, STATUS_CONFLICT);
    net_run(net, 10000);
    assert_int_equal(net->peers[2].keyring.count, 1); /* its file is as old as its death */
    net_boot(net, 2);
    net_run(net, 20000);
    assert_int_equal(step(net, 2, KEY_LIST, 0)->status, STATUS_OK);
    assert_int_equal(net->reply.key_missing, 0);
    assert_int_equal(net->reply.key_ids[0], second);
    assert_rings(net, &net->reply);
    assert_int_equal(step(net, 0, KEY_REMOVE, first)->status, STATUS_OK);
    assert_rings(net, &net->reply);
    net_delete(net);
}

static void test_who_is_left_behind_is_told(void **state)
{
    struct net *net = net_formed(3, 3);
    uint16_t first;
    const struct seal_keyring *now;

    (void)state;
    (void)step(net, 0, KEY_LIST, 0);
    first = net->reply.key_ids[0];
    net_kill(net, 2);
    net_run(net, 20000);
    (void)step(net, 0, KEY_INSTALL, 0);
    assert_int_equal(forced(net, 0, KEY_USE, net->reply.key_ids[1])->status, STATUS_OK);
    assert_int_equal(forced(net, 0, KEY_REMOVE, first)->status, STATUS_OK);
    net_boot(net, 2);
    net_run(net, 20000);
    assert_true(net_metric(net, 2, METRIC_DROP_UNKNOWN_KEY) > 0);
    now = &net->peers[0].keyring;
    assert_int_equal(net->peers[2].node->key_state.seen, now->keys[0].id);
    net_kill(net, 2);
    net->peers[2].keyring = *now; /* the way back: a new key file */
    net_boot(net, 2);
    net_run(net, 20000);
    assert_int_equal(step(net, 2, KEY_LIST, 0)->key_missing, 0);
    net_delete(net);
}

static void test_acknowledged_is_on_the_disk(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    net->peers[1].key_write = STATUS_NO_SPACE;
    assert_int_equal(step(net, 0, KEY_INSTALL, 0)->status, STATUS_OK);
    assert_int_equal(net->reply.key_missing, 1);
    assert_int_equal(net->peers[1].keyring.count, 1);
    assert_int_equal(step(net, 2, KEY_USE, net->reply.key_ids[1])->status, STATUS_CONFLICT);
    net->peers[1].key_write = STATUS_OK;
    net_run(net, 3000); /* it is tried again */
    assert_int_equal(step(net, 2, KEY_LIST, 0)->key_missing, 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_was_away_comes_back),
                                       cmocka_unit_test(test_who_is_left_behind_is_told),
                                       cmocka_unit_test(test_acknowledged_is_on_the_disk)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
