/* node_sums_test.c: what a peer that stops in good order leaves to its next start, and what one
 * that died leaves. */
#include "net.h"
#include "node_parts.h"

#define PARTITIONS 8u

static void check_equal(struct net *net, unsigned a, unsigned b)
{
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        uint32_t rows[2];
        struct hash16 sums[2] = {node_fingerprint(net->peers[a].node, p, &rows[0]),
                                 node_fingerprint(net->peers[b].node, p, &rows[1])};

        assert_memory_equal(&sums[0], &sums[1], sizeof(sums[0]));
        assert_int_equal(rows[0], rows[1]);
    }
}

static struct net *filled(unsigned keys)
{
    struct net *net = net_formed(2, 3);
    char key[16];

    for (unsigned i = 0; i < keys; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % 2, key, "v")->status, STATUS_OK);
    }
    net_run(net, 200);
    return net;
}

static void stop(struct net *net, unsigned index)
{
    struct event event = {.kind = EVENT_STOP};
    uint32_t stops = net->peers[index].stops;

    net_step(net, &net->peers[index], &event);
    net_run(net, 50);
    assert_int_equal(net->peers[index].stops, stops + 1);
    net_kill(net, index);
    net_run(net, 10);
}

/* Boots, and runs until the peer is open: the reads of `sys` are over. */
static void boot_open(struct net *net, unsigned index)
{
    net_boot(net, index);
    for (unsigned i = 0; i < 100 && net->peers[index].node->phase != NODE_OPEN; i++)
        net_run(net, 1);
    assert_int_equal(net->peers[index].node->phase, NODE_OPEN);
}

static void test_sums_of_a_good_stop_are_taken_over(void **state)
{
    struct net *net = filled(40);
    uint64_t bytes = net->peers[1].node->bytes;

    (void)state;
    stop(net, 1);
    boot_open(net, 1);
    assert_int_equal(net->traces[TRACE_SUMS_KEPT], 1);
    assert_int_equal(node_uncounted(net->peers[1].node), 0);
    assert_int_equal(net->peers[1].node->keys, 40);
    assert_int_equal(net->peers[1].node->bytes, bytes);
    check_equal(net, 0, 1);
    net_delete(net);
}

static void test_sums_count_in_the_very_next_opening_only(void **state)
{
    struct net *net = filled(40);

    (void)state;
    stop(net, 1);
    boot_open(net, 1);
    net_run(net, 3000);
    assert_int_equal(net_put(net, 0, "later", "v")->status, STATUS_OK);
    net_run(net, 100);
    net_kill(net, 1);
    net_run(net, 10);
    boot_open(net, 1);
    assert_int_equal(net->traces[TRACE_SUMS_KEPT], 1); /* of the first start */
    assert_int_equal(node_uncounted(net->peers[1].node),
                     place_partition_max(net->peers[1].node->place));
    net_run(net, 3000);
    assert_int_equal(node_uncounted(net->peers[1].node), 0);
    assert_int_equal(net->peers[1].node->keys, 41);
    check_equal(net, 0, 1);
    net_delete(net);
}

static void test_a_lost_page_means_to_count(void **state)
{
    struct net *net = filled(10);
    uint8_t name[] = {'s', 'u', 'm', 's', '/', 0, 0};
    struct store_row row = {
        .family = STORE_SYS, .is_delete = true, .key = slice_of(name, sizeof(name))};
    struct store memory = store_memory_ports(net->peers[1].memory);

    (void)state;
    stop(net, 1);
    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
    boot_open(net, 1);
    assert_int_equal(net->traces[TRACE_SUMS_KEPT], 0);
    assert_int_equal(node_uncounted(net->peers[1].node),
                     place_partition_max(net->peers[1].node->place));
    net_delete(net);
}

/* Nobody who was not counted is compared, and who waits for it learns nothing. */
static void test_who_is_not_counted_is_not_compared(void **state)
{
    struct net *net = filled(40);
    struct node *node;

    (void)state;
    net_kill(net, 1);
    net_run(net, 10);
    boot_open(net, 1);
    node = net->peers[1].node;
    node->recount.generation++; /* a page that never comes */
    node->recount.is_reading = true;
    net_run(net, 5000);
    assert_true(node_uncounted(node) > 0);
    assert_false(node_is_counted(node));
    assert_int_equal(net_put(net, 1, "served", "v")->status, STATUS_OK);
    list_for_each (&net->peers[0].node->peer_list, link) /* no round with it came to its end */
        assert_true(list_entry(link, struct node_peer, in_peers)->synced_at <
                    net->now - INSTANT_S(4));
    node->recount.is_reading = false;
    heap_set(&node->timers, &node->recount.timer.in_timers, node->now);
    net_run(net, 5000);
    assert_int_equal(node_uncounted(node), 0);
    check_equal(net, 0, 1);
    net_delete(net);
}

static void test_a_good_stop_while_counting_keeps_nothing(void **state)
{
    struct net *net = filled(10);
    struct event event = {.kind = EVENT_STOP};

    (void)state;
    net_kill(net, 1);
    net_run(net, 10);
    boot_open(net, 1);
    assert_true(node_uncounted(net->peers[1].node) > 0);
    net_step(net, &net->peers[1], &event);
    assert_int_equal(net->peers[1].stops, 1);
    net_kill(net, 1);
    net_run(net, 10);
    boot_open(net, 1);
    assert_int_equal(node_uncounted(net->peers[1].node),
                     place_partition_max(net->peers[1].node->place));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_of_a_good_stop_are_taken_over),
        cmocka_unit_test(test_sums_count_in_the_very_next_opening_only),
        cmocka_unit_test(test_a_lost_page_means_to_count),
        cmocka_unit_test(test_who_is_not_counted_is_not_compared),
        cmocka_unit_test(test_a_good_stop_while_counting_keeps_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
