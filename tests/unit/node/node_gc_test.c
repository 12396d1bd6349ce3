/* node_gc_test.c: tombstones go when every owner has them, and only then. */
#include "gc_net.h"

static uint64_t rows_of(struct net *net, unsigned index)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_range range = {.family = STORE_IDX, .rows_max = 1000, .bytes_max = 1u << 20};
    static struct net_page page;

    page.count = 0;
    (void)memory.scan(memory.context, &range, net_visit, &page);
    return page.count;
}

static void test_D5_deleted_keys_leave_nothing_behind(void **state)
{
    struct net *net = gc_formed(3);

    (void)state;
    gc_deleted(net, 12);
    assert_int_equal(net_put(net, 0, "kept", "v")->status, STATUS_OK);
    net_run(net, 3000);
    assert_int_equal(gc_left(net, 1), 12);
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 10000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(gc_left(net, i), 0);
        assert_int_equal(net->peers[i].node->keys, 1);
        assert_int_equal(rows_of(net, i), 1);
    }
    assert_int_equal(net_value(net, 2, "k3")->status, STATUS_MISSING);
    assert_int_equal(net_value(net, 2, "kept")->status, STATUS_OK);
    /* The number outlives the process: what was read before is refused after a restart, too. */
    net_kill(net, 1);
    for (unsigned i = 0; i < 3; i++)
        net->cut[1][i] = net->cut[i][1] = true; /* nobody tells it again */
    net_boot(net, 1);
    net_run(net, 40);
    assert_true(sync_standing(net->peers[1].node->sync, gc_partition(net, "k3"))->number > 0);
    net_delete(net);
}

static void test_D5_an_owner_that_is_away_keeps_all_tombstones(void **state)
{
    struct net *net = gc_formed(3);
    uint64_t absent;

    (void)state;
    gc_deleted(net, 6);
    net_run(net, 3000);
    net_kill(net, 2);
    net_run(net, 8000);
    for (unsigned i = 0; i < 2; i++)
        gc_on(net, i);
    net_run(net, 10000);
    assert_int_equal(node_tombstones(net->peers[0].node, &absent), 6);
    assert_int_equal(absent, gc_id(net, 2));
    assert_int_equal(net->traces[TRACE_GC_DROPPED], 0);
    net_boot(net, 2);
    net_run(net, 100);
    gc_on(net, 2);
    net_run(net, 15000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(gc_left(net, i), 0);
    net_delete(net);
}

static void test_a_key_written_again_lives_on(void **state)
{
    struct net *net = gc_formed(3);

    (void)state;
    gc_deleted(net, 4);
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 1000);
    assert_int_equal(net_put(net, 1, "k2", "again")->status, STATUS_OK);
    net_run(net, 10000);
    assert_int_equal(net_value(net, 0, "k2")->values, 1);
    assert_string_equal(net->reply.bodies[0], "again");
    assert_int_equal(gc_left(net, 0), 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D5_deleted_keys_leave_nothing_behind),
        cmocka_unit_test(test_D5_an_owner_that_is_away_keeps_all_tombstones),
        cmocka_unit_test(test_a_key_written_again_lives_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
