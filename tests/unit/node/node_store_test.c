/* node_store_test.c: reads in flight when the disk is slow. */
#include "net.h"
#include "node_parts.h"

static void test_D9_reads_of_a_slow_disk_leave_room_for_a_reopening(void **state)
{
    struct net *net = net_formed(1, 3);
    struct node *node = net->peers[0].node;
    struct event timer = {.kind = EVENT_TIMER};
    char key[16];

    (void)state;
    net->peers[0].is_cold = true;
    for (unsigned i = 0; i <= node->reads.capacity; i++) {
        struct op op = net_op(OP_GET, key, NULL);

        (void)snprintf(key, sizeof(key), "k%u", i);
        op.key = slice_text(key);
        (void)net_ask(net, 0, &op);
        if (pool_used(&node->tasks) < node->tasks.capacity)
            continue;
        net->now += INSTANT_S(3); /* the clients have given up, the disk has not answered */
        net_step(net, &net->peers[0], &timer);
    }
    net_opened(net, 0);
    net_run(net, 100);
    assert_int_equal(node->phase, NODE_OPEN);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D9_reads_of_a_slow_disk_leave_room_for_a_reopening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
