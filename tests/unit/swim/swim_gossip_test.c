/* swim_gossip_test.c: what rides on a datagram, how often, and to whom. */
#include "network.h"

static void test_each_record_rides_a_limited_number_of_times(void **state)
{
    struct network *network = network_new(4, 1);
    struct swim *swim = network->peers[0].swim;
    struct message into[MESSAGES_PER_DATAGRAM_MAX];
    unsigned total = 0;

    (void)state;
    for (unsigned i = 1; i < 4; i++)
        network_introduce(network, 0, i);
    for (unsigned i = 0; i < 50; i++)
        total += swim_piggyback(swim, 1, 4000, into, MESSAGES_PER_DATAGRAM_MAX);
    assert_int_equal(total, 4 * 4); /* four records, four times each */
    assert_int_equal(swim->queue_count, 0);
    network_delete(network);
}

static void test_room_and_number_are_kept_and_fewest_sends_go_first(void **state)
{
    struct network *network = network_new(4, 1);
    struct swim *swim = network->peers[0].swim;
    struct message into[MESSAGES_PER_DATAGRAM_MAX];
    size_t one = sizeof(struct self_record) + 12;

    (void)state;
    for (unsigned i = 1; i < 4; i++)
        network_introduce(network, 0, i);
    assert_int_equal(swim_piggyback(swim, 1, one - 1, into, 9), 0);
    assert_int_equal(swim_piggyback(swim, 1, 4 * one, into, 3), 3);
    assert_int_equal(swim_piggyback(swim, 1, 2 * one, into, 9), 2);
    for (unsigned slot = 0; slot < 4; slot++)
        assert_in_range(swim->members[slot].sends, 1, 2);
    network_delete(network);
}

static void test_who_left_hears_nothing_and_nobody_hears_of_himself(void **state)
{
    struct network *network = network_new(3, 1);
    struct swim *swim = network->peers[0].swim;
    struct message into[MESSAGES_PER_DATAGRAM_MAX];

    (void)state;
    network_introduce(network, 0, 1);
    assert_int_equal(swim_piggyback(swim, network->peers[1].id8, 4000, into, 9), 1);
    swim_leave(network->peers[1].swim, network->now);
    network_introduce(network, 0, 1);
    assert_int_equal(swim_piggyback(swim, network->peers[1].id8, 4000, into, 9), 0);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_record_rides_a_limited_number_of_times),
        cmocka_unit_test(test_room_and_number_are_kept_and_fewest_sends_go_first),
        cmocka_unit_test(test_who_left_hears_nothing_and_nobody_hears_of_himself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
