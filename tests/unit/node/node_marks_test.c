/* node_marks_test.c: evidence of a pull holds for the target set it was gathered under. */
#include "net.h"
#include "node_parts.h"

#define PARTITIONS 8u

static uint64_t target_of(struct node *node, uint32_t partition, uint64_t *other)
{
    struct place_owners owners;
    uint64_t sum = 0;
    bool is_ours = false;

    *other = 0;
    place_owners(node->place, partition, &owners);
    for (uint8_t i = 0; i < owners.count; i++) {
        is_ours |= owners.peers[i].id8 == node->self;
        sum += owners.peers[i].is_target ? owners.peers[i].id8 : 0;
        if (owners.peers[i].id8 != node->self && owners.peers[i].is_base)
            *other = owners.peers[i].id8;
    }
    return is_ours ? sum : 0;
}

/* Simulator, profile `move`, seed 144: leavers one behind the other, by marks of before. */
static void test_D1_marks_do_not_outlive_the_target_set(void **state)
{
    struct net *net = net_formed(4, 2);
    struct node *node = net->peers[0].node;
    struct op leave = {.kind = OP_LEAVE};
    uint64_t before[PARTITIONS], other[PARTITIONS];
    unsigned kept = 0, dropped = 0;

    (void)state;
    node_marks_reset(node);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        before[p] = target_of(node, p, &other[p]);
        node_marks_add(node, p, other[p], false);
        assert_int_equal(node_marks_count(&node->pulled[p]), 1);
    }
    net->peers[0].is_held = net->peers[1].is_held = net->peers[2].is_held = true;
    (void)net_ask(net, 3, &leave);
    while (node_place_of(node, &net->peers[3].identity.id) != PLACE_LEAVING)
        net_run(net, 1);
    node_marks_trim(node);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        uint64_t unused;
        bool is_same = before[p] && target_of(node, p, &unused) == before[p];

        assert_int_equal(node_marks_count(&node->pulled[p]), is_same);
        kept += is_same;
        dropped += before[p] && !is_same;
    }
    assert_true(kept > 0 && dropped > 0);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D1_marks_do_not_outlive_the_target_set)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
