/* node_recount_page_test.c: rows that are written while the page they are in is read. */
#include "net.h"
#include "node_parts.h"

/* Nobody waits until a partition is at rest: a row on its way to the disk counts as it was. */
static void test_rows_under_way_count_as_they_were(void **state)
{
    struct net *net = net_formed(2, 3);
    struct node *node = net->peers[1].node;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % 2, key, "v")->status, STATUS_OK);
    }
    net_run(net, 100);
    net->peers[1].is_held = true; /* the disk takes its time with commits */
    for (unsigned i = 10; i < 24; i++) {
        struct op put = net_op(OP_PUT, key, "w");

        (void)snprintf(key, sizeof(key), "k%02u", i);
        (void)net_ask(net, 0, &put);
    }
    net_run(net, 5);
    node_recount_all(node);
    net_run(net, 100);
    assert_int_equal(node_uncounted(node), 0);
    assert_int_equal(node->keys, 20); /* what is not committed is not there */
    net->peers[1].is_held = false;
    net_run(net, 3000);
    assert_int_equal(node_uncounted(node), 0);
    assert_true(net->traces[TRACE_RECOUNT_NOTED] > 0);
    assert_int_equal(node->keys, 24);
    for (uint32_t p = 0; p < place_partition_max(node->place); p++) {
        uint32_t rows[2];
        struct hash16 a = node_fingerprint(net->peers[0].node, p, &rows[0]);
        struct hash16 b = node_fingerprint(node, p, &rows[1]);

        assert_int_equal(rows[0], rows[1]);
        assert_memory_equal(&a, &b, sizeof(a));
    }
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_under_way_count_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
