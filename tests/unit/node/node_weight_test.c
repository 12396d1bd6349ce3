/* node_weight_test.c: a peer's share changes while it serves: through whichever peer it is asked
 * for, one set at a time, and nothing is out of reach on the way. */
#include "net.h"
#include "node_parts.h"

static void fill(struct net *net, unsigned keys)
{
    char key[16];

    for (unsigned i = 0; i < keys; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, i % net->count, key, "v")->status, STATUS_OK);
    }
}

static void check(struct net *net, unsigned keys)
{
    char key[16];

    for (unsigned i = 0; i < keys; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_value(net, i % net->count, key)->status, STATUS_OK);
    }
}

static enum status weigh(struct net *net, unsigned through, const char *peer, uint16_t weight)
{
    struct op op = {.kind = OP_WEIGHT, .key = slice_text(peer), .weight = weight};

    return net_do(net, through, &op)->status;
}

static unsigned state_of(struct net *net, unsigned index)
{
    return node_place_state(net->peers[index].node);
}

static void test_a_larger_weight_brings_more(void **state)
{
    struct net *net = net_formed(3, 1);
    uint64_t before;

    (void)state;
    fill(net, 60);
    net_run(net, 4000);
    before = net->peers[2].node->keys;
    assert_int_equal(weigh(net, 0, "peer-2", 4096), STATUS_OK); /* told through another peer */
    assert_int_equal(state_of(net, 2), PLACE_WEIGHING);
    check(net, 60);
    net_run(net, 10000);
    assert_int_equal(state_of(net, 2), PLACE_ACTIVE);
    assert_int_equal(place_find(net->peers[0].node->place, net->peers[2].node->self)->weight, 4096);
    assert_true(net->peers[2].node->keys > before);
    check(net, 60);
    net_delete(net);
}

/* What a peer gives up goes to heirs, and stays until all of them have it. */
static void test_D1_a_weight_waits_for_the_heirs(void **state)
{
    struct net *net = net_formed(3, 1);

    (void)state;
    fill(net, 60);
    /* They pull, and cannot store what they pulled. */
    net->peers[0].is_held = net->peers[1].is_held = true;
    assert_int_equal(weigh(net, 2, "peer-2", 0), STATUS_OK);
    net_run(net, 10000);
    assert_int_equal(state_of(net, 2), PLACE_WEIGHING);
    net->peers[0].is_held = net->peers[1].is_held = false;
    net_run(net, 15000);
    assert_int_equal(state_of(net, 2), PLACE_ACTIVE);
    assert_int_equal(net->peers[2].node->keys, 0); /* and what it owns no more is handed off */
    assert_int_equal(net->peers[0].node->keys + net->peers[1].node->keys, 60);
    check(net, 60);
    net_delete(net);
}

static void test_a_change_is_taken_back_and_goes_on_after_a_start(void **state)
{
    struct net *net = net_formed(3, 2);

    (void)state;
    fill(net, 30);
    net->peers[1].is_held = true;
    assert_int_equal(weigh(net, 2, "peer-2", 64), STATUS_OK);
    assert_int_equal(weigh(net, 1, "peer-2", 256), STATUS_OK); /* its old one */
    assert_int_equal(state_of(net, 2), PLACE_ACTIVE);
    assert_int_equal(weigh(net, 2, "peer-2", 64), STATUS_OK);
    net->peers[1].is_held = false;
    net_run(net, 20);
    net_kill(net, 2);
    net_boot(net, 2);
    net_run(net, 15000);
    assert_int_equal(state_of(net, 2), PLACE_ACTIVE);
    assert_int_equal(place_find(net->peers[2].node->place, net->peers[2].node->self)->weight, 64);
    check(net, 30);
    net_delete(net);
}

static void test_who_may_not_change_its_weight(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};

    (void)state;
    assert_int_equal(weigh(net, 0, "nobody", 64), STATUS_MISSING);
    assert_int_equal(weigh(net, 0, "peer-1", 0), STATUS_OK);
    net_run(net, 8000);
    assert_int_equal(weigh(net, 0, "peer-0", 0), STATUS_CONFLICT); /* nobody would store anything */
    assert_int_equal(weigh(net, 0, "peer-1", 256), STATUS_OK);
    net_run(net, 8000);
    net->peers[0].is_held = true;
    (void)net_ask(net, 1, &leave);
    net_run(net, 20);
    assert_int_equal(weigh(net, 0, "peer-1", 64), STATUS_CONFLICT); /* it leaves */
    net_kill(net, 1);
    assert_int_equal(weigh(net, 0, "peer-1", 64), STATUS_DEADLINE);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_larger_weight_brings_more),
        cmocka_unit_test(test_D1_a_weight_waits_for_the_heirs),
        cmocka_unit_test(test_a_change_is_taken_back_and_goes_on_after_a_start),
        cmocka_unit_test(test_who_may_not_change_its_weight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
