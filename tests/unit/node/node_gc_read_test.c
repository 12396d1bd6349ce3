/* node_gc_read_test.c: a round drops rows as it read them, and reads only its partition. */
#include "gc_net.h"

static void test_a_row_written_after_it_was_read_is_kept(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    uint32_t partition = gc_partition(net, "k0");
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice row_key = node_row_key(node, slice_text("n"), slice_text("k0"), room);
    struct gc_round *round = node_gc_begin(node, partition, node->self);

    (void)state;
    assert_non_null(round);
    assert_null(node_gc_begin(node, partition, node->self)); /* one round a partition */
    round->item_count = 2;
    round->items[0].front = bytes_load_u64(row_key.data);
    round->items[1].front = round->items[0].front + 1;
    node_gc_touch(node, partition, row_key);
    assert_true(round->items[0].is_kept);
    assert_false(round->items[1].is_kept);
    node_gc_end(round);
    assert_null(node_gc_round_of(node, partition));
    net_delete(net);
}

static void test_a_range_of_another_partition_is_none(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    uint32_t partition = gc_partition(net, "k0");
    uint8_t room[STORE_KEY_SIZE_MAX], other[STORE_KEY_SIZE_MAX];
    struct slice row_key = node_row_key(node, slice_text("n"), slice_text("k0"), room), strange;
    struct gc_round *round = node_gc_begin(node, partition, node->self);
    char key[16] = "x0";

    (void)state;
    for (unsigned i = 1; gc_partition(net, key) == partition; i++)
        (void)snprintf(key, sizeof(key), "x%u", i);
    strange = node_row_key(node, slice_text("n"), slice_text(key), other);
    assert_true(node_gc_range_of(node, round, row_key, row_key));
    assert_false(node_gc_range_of(node, round, row_key, strange));
    assert_false(node_gc_range_of(node, round, strange, strange));
    assert_false(node_gc_range_of(node, round, SLICE_NONE, SLICE_NONE));
    node_gc_end(round);
    net_delete(net);
}

static void test_more_rows_than_a_round_takes_go_in_several(void **state)
{
    struct net *net = gc_formed(1);
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
        if (i % 3)
            gc_delete(net, 0, key);
    }
    net_run(net, 3000);
    gc_on(net, 0);
    net_run(net, 20000);
    assert_int_equal(gc_left(net, 0), 0);
    assert_int_equal(net->peers[0].node->keys, 20);
    net_delete(net);
}

/* A partition with more rows than a round reads: the next round goes on behind them. */
static void test_a_long_partition_is_read_in_parts(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    uint32_t partition = gc_partition(net, "k0");
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct store_row row = {.key = node_row_key(node, slice_text("n"), slice_text("k0"), room)};
    struct gc_round *round = node_gc_begin(node, partition, node->self);
    struct event event = {
        .kind = EVENT_LOADED, .now = node->now, .wall_ms = node->wall_ms}; /* a page, and more */
    struct effects effects;

    (void)state;
    effects_init(&effects);
    node->fx = &effects;
    event.loaded.status = STATUS_OK;
    event.loaded.rows = &row;
    event.loaded.count = 1;
    node_gc_range(node, round, NULL);
    round->pages = GC_PAGES_MAX - 1;
    node_gc_read(node, round);
    assert_int_equal(effects.count, 1);
    event.loaded.read = effects.items[0].read.read;
    node_step(node, &event, &effects);
    assert_null(node_gc_round_of(node, partition));
    assert_int_equal(node->gc->going, partition + 1);
    assert_true(slice_compare(slice_of(node->gc->after.bytes, node->gc->after.size), row.key) > 0);
    effects_close(&effects);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_written_after_it_was_read_is_kept),
        cmocka_unit_test(test_a_range_of_another_partition_is_none),
        cmocka_unit_test(test_more_rows_than_a_round_takes_go_in_several),
        cmocka_unit_test(test_a_long_partition_is_read_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
