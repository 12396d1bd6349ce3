/* node_forget_test.c: who is dead for long is given up, by a majority and never too much at once;
 * its copies are made anew before anybody counts on them; it comes back as a newcomer. */
#include "net.h"
#include "node_parts.h"

#define KEYS 40u
#define AFTER_MS 20000u

/* `count` peers that forget after AFTER_MS, with data, a while after their start. */
static struct net *forgetful(unsigned count, uint8_t replicas)
{
    static const char *const seeds[NET_PEERS] = {"", "0", "0", "0", "0"};
    struct net *net = net_new(count, replicas, seeds);
    char key[16];

    net->forget_after_ms = AFTER_MS;
    for (unsigned i = 0; i < count; i++) {
        net_kill(net, i); /* made anew with the setting */
        net_boot(net, i);
    }
    net_run(net, 3 * 8000);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(node_place_state(net->peers[i].node), PLACE_ACTIVE);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, i % count, key, "v")->status, STATUS_OK);
    }
    net_run(net, AFTER_MS);
    return net;
}

static unsigned state_of(struct net *net, unsigned viewer, unsigned subject)
{
    const struct place_record *record =
        place_find(net->peers[viewer].node->place, id_front(&net->peers[subject].identity.id));

    return record ? record->state : 0;
}

static void assert_keys(struct net *net, unsigned viewer)
{
    char key[16];

    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_string_equal(net_value(net, viewer, key)->bodies[0], "v");
    }
}

static void test_K12_the_dead_are_forgotten_and_replaced(void **state)
{
    struct net *net = forgetful(4, 3);
    uint64_t rows = 0;

    (void)state;
    net_kill(net, 3);
    net_run(net, AFTER_MS - 2000);
    assert_int_equal(state_of(net, 0, 3), PLACE_ACTIVE); /* not a moment before */
    net_run(net, 20000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(state_of(net, i, 3), PLACE_OUT);
        rows += net->peers[i].node->keys;
    }
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 1);
    assert_int_equal(rows, 3 * KEYS); /* three copies of each again */
    net_boot(net, 3);
    net_run(net, 30000);
    assert_int_equal(node_place_state(net->peers[3].node), PLACE_ACTIVE);
    rows = 0;
    for (unsigned i = 0; i < 4; i++)
        rows += net->peers[i].node->keys;
    assert_int_equal(rows, 3 * KEYS);
    assert_keys(net, 3);
    net_delete(net);
}

static void test_K12_a_minority_forgets_nobody(void **state)
{
    struct net *net = forgetful(5, 2);

    (void)state;
    for (unsigned i = 2; i < 5; i++)
        net_kill(net, i);
    net_run(net, 3 * AFTER_MS);
    for (unsigned i = 2; i < 5; i++)
        assert_int_equal(state_of(net, 0, i), PLACE_ACTIVE);
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 0);
    net_boot(net, 2); /* a majority again, and its time begins now */
    net_run(net, AFTER_MS - 2000);
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 0);
    net_delete(net);
}

static void test_K12_not_while_another_owner_is_dead(void **state)
{
    struct net *net = forgetful(5, 3);

    (void)state;
    net_kill(net, 3);
    net_kill(net, 4);
    net_run(net, 3 * AFTER_MS); /* both own some partition: one sound owner would stay */
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 0);
    assert_int_equal(net->peers[0].node->forget.wait, FORGET_OWNERS);
    net_boot(net, 3);
    net_run(net, 3 * AFTER_MS);
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 1);
    assert_int_equal(state_of(net, 0, 4), PLACE_OUT);
    net_delete(net);
}

static void test_K12_not_below_as_many_hosts_as_replicas(void **state)
{
    struct net *net = forgetful(3, 3);

    (void)state;
    net_kill(net, 2);
    net_run(net, 3 * AFTER_MS);
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 0);
    assert_int_equal(net->peers[0].node->forget.wait, FORGET_HOSTS);
    net_delete(net);
}

static void test_K12_one_at_a_time(void **state)
{
    struct net *net = forgetful(5, 3);

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        net->peers[i].node->config.forget_every_ms = 3 * AFTER_MS;
    net_run(net, 2 * AFTER_MS); /* their starts are long ago */
    net_kill(net, 3);
    for (unsigned ms = 0; net->traces[TRACE_FORGOTTEN] == 0; ms++) {
        assert_true(ms < 2 * AFTER_MS);
        net_run(net, 1);
    }
    net_run(net, 10000);
    assert_int_equal(state_of(net, 0, 3), PLACE_OUT);
    net_kill(net, 4);
    net_run(net, 3 * AFTER_MS - 12000); /* it is dead for long enough */
    assert_int_equal(state_of(net, 0, 4), PLACE_ACTIVE);
    assert_int_equal(net->peers[0].node->forget.wait, FORGET_PACE);
    net_run(net, 12000);
    assert_int_equal(net->traces[TRACE_FORGOTTEN], 2);
    net_delete(net);
}

static void test_D1_nobody_moves_up_before_it_has_pulled(void **state)
{
    struct net *net = forgetful(4, 3);

    (void)state;
    net_kill(net, 3);
    net_run(net, 8000);
    for (unsigned i = 0; i < 3; i++)
        net->peers[i].is_held = true; /* heirs pull, and cannot store */
    assert_int_equal(node_forget_now(net->peers[0].node, id_front(&net->peers[0].identity.id)),
                     STATUS_CONFLICT);
    net->peers[0].node->fx = &net->fx; /* as within a step */
    assert_int_equal(node_forget_now(net->peers[0].node, id_front(&net->peers[3].identity.id)),
                     STATUS_OK);
    effects_reset(&net->fx);
    net_run(net, 6000);
    assert_int_equal(state_of(net, 0, 3), PLACE_GONE);
    for (unsigned i = 0; i < 3; i++)
        net->peers[i].is_held = false;
    net_run(net, 15000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(state_of(net, i, 3), PLACE_OUT);
        assert_int_equal(net->peers[i].node->keys, KEYS);
    }
    assert_keys(net, 1);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_K12_the_dead_are_forgotten_and_replaced),
        cmocka_unit_test(test_K12_a_minority_forgets_nobody),
        cmocka_unit_test(test_K12_not_while_another_owner_is_dead),
        cmocka_unit_test(test_K12_not_below_as_many_hosts_as_replicas),
        cmocka_unit_test(test_K12_one_at_a_time),
        cmocka_unit_test(test_D1_nobody_moves_up_before_it_has_pulled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
