/* swim_digest_test.c: equal tables have equal digests, and a lasting difference is told. */
#include "network.h"

static void test_the_order_of_arrival_does_not_matter(void **state)
{
    struct network *network = network_new(4, 1);

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < 4; j++)
            network_introduce(network, i, (i + j) % 4);
    assert_true(network_is_equal(network));
    swim_renew(network->peers[0].swim, network->now);
    assert_false(network_is_equal(network));
    network_introduce(network, 1, 0);
    assert_int_equal(swim_digest(network->peers[0].swim), swim_digest(network->peers[1].swim));
    network_delete(network);
}

static void test_placement_is_added_and_the_seed_counts(void **state)
{
    struct network *network = network_new(1, 1);
    struct swim *swim = network->peers[0].swim;
    uint64_t before = swim_digest(swim);

    (void)state;
    swim_place_digest(swim, 5);
    assert_int_equal(swim_digest(swim), before + 5);
    swim_place_digest(swim, 0);
    swim_seed(swim, (const uint8_t[HASH_SEED_SIZE]){8});
    assert_true(swim_digest(swim) != before);
    swim_seed(swim, (const uint8_t[HASH_SEED_SIZE]){7});
    assert_int_equal(swim_digest(swim), before);
    network_delete(network);
}

static void test_only_a_lasting_difference_costs_an_exchange(void **state)
{
    struct network *network = network_new(2, 1);
    struct swim *swim = network->peers[0].swim;
    uint64_t peer = network->peers[1].id8;

    (void)state;
    network_introduce(network, 0, 1);
    swim_digest_seen(swim, network->now, peer, 1);
    swim_digest_seen(swim, network->now + INSTANT_MS(900), peer, 1);
    assert_int_equal(network->peers[0].tables, 0);
    swim_digest_seen(swim, network->now + INSTANT_MS(950), peer, swim_digest(swim));
    swim_digest_seen(swim, network->now + INSTANT_MS(1000), peer, 1);
    swim_digest_seen(swim, network->now + INSTANT_MS(1900), peer, 0);
    assert_int_equal(network->peers[0].tables, 0);
    swim_digest_seen(swim, network->now + INSTANT_MS(2000), peer, 1);
    assert_int_equal(network->peers[0].tables, 1);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_arrival_does_not_matter),
        cmocka_unit_test(test_placement_is_added_and_the_seed_counts),
        cmocka_unit_test(test_only_a_lasting_difference_costs_an_exchange),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
