/* swim_cast_test.c: news down the tree. */
#include "network.h"

static unsigned sent_by_all(const struct network *network)
{
    unsigned sent = 0;

    for (unsigned i = 0; i < network->count; i++)
        sent += network->peers[i].sent;
    return sent;
}

/* How many of the peers hold an incarnation of `subject`. */
static unsigned holding(struct network *network, unsigned subject, uint64_t incarnation)
{
    unsigned count = 0;

    for (unsigned i = 0; i < network->count; i++) {
        const struct swim_view *view =
            swim_find(network->peers[i].swim, network->peers[subject].id8);

        count += view && view->incarnation == incarnation;
    }
    return count;
}

/* A new record of peer 3; no tick of gossip, which would need a tenth of a second. */
static uint64_t renewed(struct network *network)
{
    struct swim *swim = network->peers[3].swim;

    swim_renew(swim, network->now);
    network_run_for(network, INSTANT_MS(40));
    return swim_find(swim, network->peers[3].id8)->incarnation;
}

static void test_news_reach_all_without_a_tick(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct network *network = network_joined(32, seed);
        unsigned sent;

        network_run_for(network, INSTANT_S(3)); /* the queues of joining run empty */
        sent = sent_by_all(network);
        assert_int_equal(holding(network, 3, renewed(network)), 32);
        assert_in_range(sent_by_all(network) - sent, 32, 32 * 6);
        network_delete(network);
    }
}

static void test_loss_is_bridged_by_the_second_of_a_subtree(void **state)
{
    unsigned missed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct network *network = network_joined(32, seed);

        network->loss_percent = 5;
        missed += 32 - holding(network, 3, renewed(network));
        network_delete(network);
    }
    assert_in_range(missed, 0, 16 * 32 / 50);
}

static void test_what_was_passed_on_is_passed_on_once(void **state)
{
    struct network *network = network_joined(32, 9);
    struct peer *peer = &network->peers[0];
    uint32_t slot = swim_slot(peer->swim, network->peers[3].id8);
    unsigned sent;

    (void)state;
    peer->swim->members[slot].cast = SWIM_CAST_NOT;
    sent = peer->sent;
    swim_cast(peer->swim, slot, 2);
    assert_true(peer->sent > sent);
    sent = peer->sent;
    swim_cast(peer->swim, slot, 2);
    swim_cast(peer->swim, slot, 5);
    swim_cast(peer->swim, slot, SWIM_CAST_NOT);
    assert_int_equal(peer->sent, sent);
    swim_cast(peer->swim, slot, 1); /* a larger part: two of the subtree that is new */
    assert_int_equal(peer->sent, sent + 2);
    sent = peer->sent;
    swim_cast(peer->swim, slot, 64); /* nobody is below */
    assert_int_equal(peer->sent, sent);
    network_delete(network);
}

static void test_few_need_no_tree(void **state)
{
    struct network *network = network_joined(5, 9);
    struct peer *peer = &network->peers[0];
    unsigned sent = peer->sent;

    (void)state;
    swim_cast(peer->swim, 1, 0);
    assert_int_equal(peer->sent, sent);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news_reach_all_without_a_tick),
        cmocka_unit_test(test_loss_is_bridged_by_the_second_of_a_subtree),
        cmocka_unit_test(test_what_was_passed_on_is_passed_on_once),
        cmocka_unit_test(test_few_need_no_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
