/* node_task_test.c: request numbers, and who answers for a piece of work whatever becomes of it. */
#include "net.h"

static void test_request_numbers_never_reach_zero_nor_repeat_early(void **state)
{
    struct net *net = net_formed(1, 3);
    struct node *node = net->peers[0].node;

    (void)state;
    node->task_generation = (uint32_t)((1ull << 32) / node->tasks.capacity) - 3;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_numbers_never_reach_zero_nor_repeat_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
