/* node_farewell_test.c: who leaves stops when those who stay know it. */
#include "net.h"
#include "node_parts.h"

static void cut(struct net *net, unsigned peer, bool is_cut)
{
    for (unsigned i = 0; i < net->count; i++)
        net->cut[i][peer] = net->cut[peer][i] = is_cut && i != peer;
}

/* Simulator, profile `move`, seed 11: peer-1 has handed over, and nobody hears of it. */
static void test_a_leaver_stays_until_it_is_known(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};

    (void)state;
    (void)net_ask(net, 1, &leave);
    while (net->traces[TRACE_HANDED_OVER] == 0) {
        cut(net, 1, node_move_is_complete(net->peers[1].node, PLACE_LEAVING));
        net_run(net, 1);
    }
    cut(net, 1, true);
    net_run(net, 10000);
    assert_int_equal(node_place_of(net->peers[0].node, &net->peers[1].identity.id), PLACE_LEAVING);
    assert_int_equal(net->peers[1].stops, 0);
    cut(net, 1, false);
    net_run(net, 10000);
    assert_int_equal(net->peers[1].stops, 1);
    assert_int_equal(node_place_of(net->peers[0].node, &net->peers[1].identity.id), PLACE_OUT);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_leaver_stays_until_it_is_known)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
