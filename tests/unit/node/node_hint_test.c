/* node_hint_test.c: what an owner misses is remembered, held against collection, and goes where the
 * owners are. */
#include "hint_net.h"

#include "gc/node_gc.h"

static void test_writes_that_all_acknowledge_leave_nothing(void **state)
{
    struct net *net = hint_formed(3, 3);
    uint32_t writes;

    (void)state;
    hint_write(net, 1, "v");
    net_run(net, 2000);
    writes = net->peers[0].writes;
    hint_write(net, 20, "v");
    net_run(net, 50);
    assert_int_equal(net->peers[0].writes, writes + 20); /* not one commit more */
    assert_int_equal(net->traces[TRACE_HINT_MADE], 0);
    assert_int_equal(hint_rows(net, 0), 0);
    net_delete(net);
}

static void test_D12_an_owner_that_comes_back_is_given_what_it_missed(void **state)
{
    struct net *net = hint_formed(3, 3);

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 100, "v");
    hint_write(net, 100, "w"); /* overwritten: still one hint a row */
    assert_int_equal(hint_count(net, 0), 100);
    assert_int_equal(net_metric(net, 0, METRIC_HINTS_PENDING), 100);
    net_run(net, 3000);
    assert_int_equal(hint_count(net, 0), 100);
    assert_int_equal(hint_rows(net, 0), 100);
    net_boot(net, 2);
    hint_run(net, 5000);
    assert_int_equal(hint_count(net, 0), 0);
    assert_int_equal(hint_rows(net, 0), 0);
    assert_int_equal(net->traces[TRACE_HINT_GIVEN], 100);
    assert_true(hint_has(net, 2, "k0") && hint_has(net, 2, "k99"));
    assert_int_equal(net_metric(net, 0, METRIC_HINTS_PENDING), 0);
    assert_int_equal(net_metric(net, 0, METRIC_HINTS_DROPPED), 0);
    net_delete(net);
}

static void test_D12_silence_is_remembered_after_a_second(void **state)
{
    struct net *net = hint_formed(3, 3);

    (void)state;
    net->peers[2].is_held = true; /* alive, and its disk does not answer */
    hint_write(net, 1, "v");
    assert_int_equal(hint_count(net, 0), 0);
    hint_run(net, 1100);
    assert_int_equal(hint_count(net, 0), 1);
    net->peers[2].is_held = false;
    hint_run(net, 8000);
    assert_int_equal(hint_count(net, 0), 0);
    assert_true(hint_has(net, 2, "k0"));
    net_delete(net);
}

static void test_D5_nothing_is_collected_while_an_owner_lacks_a_write(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct node *node = net->peers[0].node;
    uint64_t owners[REPLICAS_MAX], absent;
    struct hint_row row = {.owner = id_front(&net->peers[2].identity.id)};
    uint8_t room[STORE_KEY_SIZE_MAX];
    uint32_t partition = node_partition_of(node, slice_text("n"), slice_text("k0"));

    (void)state;
    hint_write(net, 1, "v");
    assert_int_equal(node_gc_owners(node, partition, owners, &absent), 3);
    row.key = node_row_key(node, slice_text("n"), slice_text("k0"), room);
    row.partition = partition;
    row.made_ms = NET_WALL_MS;
    node_hint_add(node, &row);
    assert_int_equal(node_gc_owners(node, partition, owners, &absent), 0);
    assert_int_equal(absent, 0);
    assert_int_equal(node_gc_owners(node, partition ^ 1, owners, &absent), 3);
    hint_drop(node->hints->books, 0, hint_find(node->hints->books, row.owner, row.key), false);
    assert_int_equal(node_gc_owners(node, partition, owners, &absent), 3);
    node->hints->is_loaded = false; /* rows of another process were not read yet */
    assert_int_equal(node_gc_owners(node, partition, owners, &absent), 0);
    node->hints->is_loaded = true;
    net_delete(net);
}

static void test_equal_copies_make_hints_needless(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct node *node = net->peers[0].node;

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 10, "v");
    net_boot(net, 2);
    hint_owner_find(node->hints->books, id_front(&net->peers[2].identity.id))->pause =
        INSTANT_NEVER; /* it comes by anti-entropy */
    net_run(net, 8000);
    assert_int_equal(net->traces[TRACE_HINT_SETTLED], 10);
    assert_int_equal(hint_count(net, 0), 0);
    assert_int_equal(hint_rows(net, 0), 0);
    net_delete(net);
}

static void test_D12_a_round_under_way_settles_nothing_that_is_missed_since(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct node *node = net->peers[0].node;
    struct node_peer *peer = node_peer(node, id_front(&net->peers[2].identity.id));
    instant begun;

    (void)state;
    hint_run(net, 500);
    node->fx = &net->fx;
    peer->sync_at = 0;
    node_sync_tick(node);
    begun = peer->pulled_at;
    assert_int_equal(begun, node->now);
    node->now = net->now += INSTANT_MS(1);
    peer->sync_at = 0;
    node_sync_tick(node); /* one with this peer runs already */
    assert_int_equal(peer->pulled_at, begun);
    effects_reset(&net->fx);
    node->fx = NULL;
    net_delete(net);
}

static void test_too_many_or_too_old_are_left_to_anti_entropy(void **state)
{
    struct net *net = hint_formed(3, 3);

    (void)state;
    net->peers[0].node->config.hints_count_max = 0; /* read when books are made only */
    hint_kill(net, 2);
    hint_write(net, 5, "v");
    assert_int_equal(hint_count(net, 0), 5);
    net_run(net, 61000);
    assert_int_equal(net->traces[TRACE_HINT_OLD], 5);
    assert_int_equal(hint_count(net, 0), 0);
    assert_int_equal(net_metric(net, 0, METRIC_HINTS_DROPPED), 5);
    assert_true(hints_are_lost(net->peers[0].node->hints->books));
    net_boot(net, 2);
    net_run(net, 8000);
    assert_false(hints_are_lost(net->peers[0].node->hints->books));
    assert_true(hint_has(net, 2, "k4"));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_that_all_acknowledge_leave_nothing),
        cmocka_unit_test(test_D12_an_owner_that_comes_back_is_given_what_it_missed),
        cmocka_unit_test(test_D12_silence_is_remembered_after_a_second),
        cmocka_unit_test(test_D5_nothing_is_collected_while_an_owner_lacks_a_write),
        cmocka_unit_test(test_equal_copies_make_hints_needless),
        cmocka_unit_test(test_D12_a_round_under_way_settles_nothing_that_is_missed_since),
        cmocka_unit_test(test_too_many_or_too_old_are_left_to_anti_entropy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
