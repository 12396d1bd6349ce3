/* node_lag_test.c: what is behind can be seen, in whose copy, and for how long. */
#include "hint_net.h"

static void test_the_time_to_the_last_owner_is_counted(void **state)
{
    struct net *net = hint_formed(3, 3);
    uint64_t before, sum;

    (void)state;
    before = net_metric(net, 0, METRIC_LAG_COUNT);
    hint_write(net, 5, "v");
    net_run(net, 1100);
    assert_int_equal(net_metric(net, 0, METRIC_LAG_COUNT), before + 5);
    assert_int_equal(net_metric(net, 0, METRIC_LAG_10MS), before + 5);
    hint_kill(net, 2);
    hint_write(net, 5, "w");
    net_run(net, 2000);
    assert_int_equal(net_metric(net, 0, METRIC_LAG_COUNT), before + 5); /* not there yet */
    sum = net_metric(net, 0, METRIC_LAG_SUM);
    net_boot(net, 2);
    hint_run(net, 5000);
    assert_int_equal(net_metric(net, 0, METRIC_LAG_ANY), before + 10);
    assert_int_equal(net_metric(net, 0, METRIC_LAG_1S), before + 5);
    assert_true(net_metric(net, 0, METRIC_LAG_SUM) >= sum + 5 * 2000);
    net_delete(net);
}

static void test_what_a_peer_lacks_is_shown(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct op op = {.kind = OP_METRICS};
    uint64_t lag_ms;
    uint32_t hints;

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 7, "v");
    net_run(net, 3000);
    (void)net_do(net, 0, &op);
    assert_int_equal(net_metric(net, 0, METRIC_HINTS_PENDING), 7);
    assert_int_equal(net_metric(net, 0, METRIC_UNCONFIRMED_AGE), 3);
    assert_int_equal(net_metric(net, 0, METRIC_PARTITIONS_UNDER), 8);
    assert_int_equal(net_metric(net, 0, METRIC_PARTITIONS_OK), 0);
    assert_true(net_metric(net, 0, METRIC_PARTITIONS_DIVERGED) > 1);
    node_lag_of(net->peers[0].node, id_front(&net->peers[2].identity.id), &hints, &lag_ms);
    assert_int_equal(hints, 7);
    assert_true(lag_ms >= 3000 && lag_ms < 4000);
    node_lag_of(net->peers[0].node, id_front(&net->peers[1].identity.id), &hints, &lag_ms);
    assert_int_equal(hints, 0);
    assert_int_equal(lag_ms, 0);
    net_boot(net, 2);
    hint_run(net, 5000);
    (void)net_do(net, 0, &op);
    assert_int_equal(net_metric(net, 0, METRIC_UNCONFIRMED_AGE), 0);
    assert_int_equal(net_metric(net, 0, METRIC_PARTITIONS_DIVERGED), 0);
    assert_int_equal(net_metric(net, 0, METRIC_PARTITIONS_OK), 8);
    net_delete(net);
}

static void test_a_lookup_tells_who_remembers_that_an_owner_lacks_the_key(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct op lookup = net_op(OP_LOOKUP, "k0", NULL);
    unsigned hints = 0;

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 1, "v"); /* through peer 0 */
    assert_int_equal(net->reply.route[0], ROLE_EDGE | ROLE_COORD | ROLE_HINT);
    (void)net_do(net, 1, &lookup);
    for (unsigned i = 0; i < 3; i++)
        hints += net->reply.hints[i];
    assert_int_equal(hints, 0); /* peer 1 knows of none */
    lookup.is_verify = true;
    (void)net_do(net, 1, &lookup);
    for (unsigned i = 0; i < 3; i++)
        hints += net->reply.hints[i];
    assert_int_equal(hints, 1);
    assert_int_equal(net->reply.owners, 3);
    net_boot(net, 2);
    hint_run(net, 5000);
    (void)net_do(net, 0, &lookup);
    assert_int_equal(net->reply.hints[0] + net->reply.hints[1] + net->reply.hints[2], 0);
    hint_write(net, 1, "w");
    assert_int_equal(net->reply.route[0], ROLE_EDGE | ROLE_COORD);
    net_delete(net);
}

static void test_keys_with_several_values_are_counted_as_they_come_and_go(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct op op = {.kind = OP_METRICS}, put = net_op(OP_PUT, "k", "b");
    char context[CONTEXT_SIZE_MAX];

    (void)state;
    put.context = slice_of(context, net_put(net, 0, "k", "a")->context_size);
    memcpy(context, net->reply.context, put.context.size);
    (void)net_do(net, 0, &put);
    put.body = slice_text("c");
    (void)net_do(net, 0, &put); /* behind the same value: two stand beside each other */
    net_run(net, 1000);
    for (unsigned i = 0; i < 3; i++) {
        (void)net_do(net, i, &op);
        assert_int_equal(net_metric(net, i, METRIC_SIBLINGS), 1);
    }
    net_kill(net, 1);
    net_run(net, 500);
    net_boot(net, 1);
    net_run(net, 3000);
    (void)net_do(net, 1, &op);
    assert_int_equal(net_metric(net, 1, METRIC_SIBLINGS), 1); /* counted again at a start */
    (void)net_put(net, 0, "k", "d");
    net_run(net, 1000);
    (void)net_do(net, 0, &op);
    assert_int_equal(net_metric(net, 0, METRIC_SIBLINGS), 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_time_to_the_last_owner_is_counted),
        cmocka_unit_test(test_what_a_peer_lacks_is_shown),
        cmocka_unit_test(test_a_lookup_tells_who_remembers_that_an_owner_lacks_the_key),
        cmocka_unit_test(test_keys_with_several_values_are_counted_as_they_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
