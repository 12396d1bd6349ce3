/* node_hint_keep_test.c: hints outlive the process that made them. */
#include "hint_net.h"

static void test_D12_a_restart_keeps_them(void **state)
{
    struct net *net = hint_formed(3, 3);

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 30, "v");
    net_run(net, 300);
    assert_int_equal(hint_rows(net, 0), 30);
    net_kill(net, 0);
    net_run(net, 500);
    net_boot(net, 0);
    net_run(net, 3000);
    assert_int_equal(hint_count(net, 0), 30);
    net_boot(net, 2);
    hint_run(net, 8000);
    assert_int_equal(hint_count(net, 0), 0);
    assert_int_equal(hint_rows(net, 0), 0);
    assert_true(hint_has(net, 2, "k0") && hint_has(net, 2, "k29"));
    net_delete(net);
}

static void test_what_came_and_went_in_one_tick_is_not_written(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct node *node = net->peers[0].node;
    struct hint_row row = {.owner = id_front(&net->peers[2].identity.id), .made_ms = NET_WALL_MS};
    uint8_t room[STORE_KEY_SIZE_MAX];
    uint32_t writes = net->peers[0].writes;

    (void)state;
    net_run(net, 2000);
    writes = net->peers[0].writes;
    row.key = node_row_key(node, slice_text("n"), slice_text("k"), room);
    row.partition = node_partition_of(node, slice_text("n"), slice_text("k"));
    node_hint_add(node, &row);
    node_hint_lose(node, hint_find(node->hints->books, row.owner, row.key), false);
    node_hint_add(node, &row);
    assert_int_equal(node->hints->gone.size, 0);
    hint_run(net, 400); /* given: there is no such row */
    assert_int_equal(hint_count(net, 0), 0);
    assert_int_equal(net->peers[0].writes, writes);
    net_delete(net);
}

static void test_damaged_rows_are_passed_over(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct store memory = store_memory_ports(net->peers[0].memory);
    struct store_row row = {.family = STORE_HINT,
                            .key = slice_text("12345678 and so on"),
                            .value = slice_text("no record")};

    (void)state;
    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
    net_kill(net, 0);
    net_run(net, 500);
    net_boot(net, 0);
    net_run(net, 3000);
    assert_true(net->peers[0].node->hints->is_loaded);
    assert_int_equal(hint_count(net, 0), 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D12_a_restart_keeps_them),
        cmocka_unit_test(test_what_came_and_went_in_one_tick_is_not_written),
        cmocka_unit_test(test_damaged_rows_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
