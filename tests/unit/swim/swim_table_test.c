/* swim_table_test.c: members in order, records that replace records, twins, strangers. */
#include "network.h"

static struct network *pair(void)
{
    struct network *network = network_new(3, 1);

    network_introduce(network, 0, 1);
    return network;
}

static void offer(struct network *network, unsigned of, uint64_t incarnation, uint16_t flags)
{
    struct self_record record = record_make(&network->peers[of], incarnation, flags);

    swim_receive_record(network->peers[0].swim, network->now, NULL, &record,
                        slice_of(&record, sizeof(record)));
}

static const struct swim_view *seen(struct network *network, unsigned of)
{
    return swim_find(network->peers[0].swim, network->peers[of].id8);
}

static void test_members_stand_in_the_order_of_their_ids(void **state)
{
    struct network *network = network_new(20, 1);
    struct swim *swim = network->peers[0].swim;

    (void)state;
    for (unsigned i = 1; i < 20; i++)
        network_introduce(network, 0, i);
    assert_int_equal(swim_count(swim), 20);
    for (uint32_t i = 1; i < 20; i++)
        assert_true(id_compare(&swim_at(swim, i - 1)->id, &swim_at(swim, i)->id) < 0);
    for (unsigned i = 0; i < 20; i++)
        assert_true(id_equal(&seen(network, i)->id, &network->peers[i].id));
    assert_null(swim_find(swim, 1));
    network_delete(network);
}

static void test_a_higher_record_replaces_address_and_state(void **state)
{
    struct network *network = pair();
    struct self_record moved = record_make(&network->peers[1], 1001, 0);
    struct slice bytes = slice_of(&moved, sizeof(moved));

    (void)state;
    moved.addresses[0].port = 99;
    assert_false(swim_knows_record(network->peers[0].swim, network->peers[1].id8, bytes));
    swim_receive_record(network->peers[0].swim, network->now, NULL, &moved, bytes);
    assert_int_equal(seen(network, 1)->address.port, 99);
    assert_int_equal(seen(network, 1)->incarnation, 1001);
    assert_int_equal(seen(network, 1)->record->incarnation, 1001);
    assert_true(swim_knows_record(network->peers[0].swim, network->peers[1].id8, bytes));
    offer(network, 1, 1000, 0);
    assert_int_equal(seen(network, 1)->address.port, 99);
    network_delete(network);
}

static void test_only_a_signed_record_makes_a_member_left(void **state)
{
    struct network *network = pair();
    struct swim_from from = {.id8 = 5};
    struct message left = {
        .kind = MESSAGE_UPDATE,
        .update = {.rank = RANK_LEFT, .subject = network->peers[1].id8, .incarnation = 1000}};

    (void)state;
    swim_receive(network->peers[0].swim, network->now, &from, &left);
    assert_int_equal(seen(network, 1)->rank, RANK_ALIVE);
    offer(network, 1, 1001, SELF_LEFT);
    assert_int_equal(seen(network, 1)->rank, RANK_LEFT);
    offer(network, 1, 1001, 0);
    assert_int_equal(seen(network, 1)->rank, RANK_LEFT);
    offer(network, 1, 1002, 0);
    assert_int_equal(seen(network, 1)->rank, RANK_ALIVE);
    network_delete(network);
}

static void test_two_processes_with_one_identity_are_reported(void **state)
{
    struct network *network = pair();
    uint64_t first = network->peers[1].epoch;

    (void)state;
    network->peers[1].epoch = 77;
    offer(network, 1, 2000, 0); /* a restart: a new epoch, a higher incarnation */
    assert_int_equal(network->peers[0].twins, 0);
    network->peers[1].epoch = first;
    offer(network, 1, 2001, 0); /* the first process is still there */
    assert_int_equal(network->peers[0].twins, 1);
    network->now += SWIM_TWIN_AGAIN_US;
    network->peers[1].epoch = 78;
    offer(network, 1, 2001, 0); /* same incarnation */
    assert_int_equal(network->peers[0].twins, 2);
    network_delete(network);
}

static void test_strangers_of_other_cells_are_reported_not_kept(void **state)
{
    struct network *network = calloc(1, sizeof(*network));
    unsigned strangers = 0;

    (void)state;
    prng_init(&network->prng, 1);
    network->cell_depth = 1;
    network->count = 16;
    for (unsigned i = 0; i < 16; i++)
        peer_start(network, i, 1000);
    for (unsigned i = 1; i < 16; i++) {
        network_introduce(network, 0, i);
        strangers += (network->peers[i].id8 ^ network->peers[0].id8) >> 63;
    }
    assert_in_range(strangers, 1, 14);
    assert_int_equal(network->peers[0].strangers, strangers);
    assert_int_equal(swim_count(network->peers[0].swim), 16 - strangers);
    network_delete(network);
}

static void test_a_full_table_takes_nobody_in(void **state)
{
    struct network *network = network_new(4, 1);
    struct swim *swim = network->peers[0].swim;

    (void)state;
    swim->config.members_max = 3;
    for (unsigned i = 1; i < 4; i++)
        network_introduce(network, 0, i);
    assert_int_equal(swim_count(swim), 3);
    assert_null(seen(network, 3));
    swim->config.members_max = PEERS_MAX;
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_stand_in_the_order_of_their_ids),
        cmocka_unit_test(test_a_higher_record_replaces_address_and_state),
        cmocka_unit_test(test_only_a_signed_record_makes_a_member_left),
        cmocka_unit_test(test_two_processes_with_one_identity_are_reported),
        cmocka_unit_test(test_strangers_of_other_cells_are_reported_not_kept),
        cmocka_unit_test(test_a_full_table_takes_nobody_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
