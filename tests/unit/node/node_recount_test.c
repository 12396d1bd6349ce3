/* node_recount_test.c: a partition is counted again while it is written to. */
#include "net.h"
#include "node_parts.h"

static void check_sums(struct net *net, bool are_equal)
{
    bool equal = true;

    for (uint32_t p = 0; p < 8; p++) {
        uint32_t rows[2];
        struct hash16 a = node_fingerprint(net->peers[0].node, p, &rows[0]);
        struct hash16 b = node_fingerprint(net->peers[1].node, p, &rows[1]);

        equal &= memcmp(&a, &b, sizeof(a)) == 0 && rows[0] == rows[1];
    }
    assert_int_equal(equal, are_equal);
}

static void test_sums_are_right_again_under_writes(void **state)
{
    struct net *net = net_formed(2, 3);
    struct node *node = net->peers[1].node;
    struct hash16 junk = {{7}}, none = {{0}};
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % 2, key, "v")->status, STATUS_OK);
    }
    net_run(net, 100);
    check_sums(net, true);
    for (uint32_t p = 0; p < 8; p++) { /* what a damaged row leaves behind */
        sync_change(node->sync, p, &none, &junk);
        node->keys++;
    }
    check_sums(net, false);
    for (uint32_t p = 0; p < 8; p++)
        node_recount(node, p);
    for (unsigned i = 0; i < 60; i++) { /* old keys and new ones, while it counts */
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % 2, key, "w")->status, STATUS_OK);
    }
    net_run(net, 2000);
    assert_true(net->traces[TRACE_RECOUNTED] >= 8);
    check_sums(net, true);
    assert_int_equal(node->keys, 60);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_are_right_again_under_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
