/* swim_probe_test.c: ping, relays, nacks and round trips. */
#include "network.h"

static void test_round_trips_are_smoothed(void **state)
{
    struct swim_member member = {0};

    (void)state;
    assert_int_equal(swim_rtt_p99(&member), 0);
    for (unsigned i = 0; i < 100; i++)
        swim_rtt_sample(&member, 1000);
    assert_in_range(member.rtt_us, 990, 1010);
    assert_in_range(swim_rtt_p99(&member), 990, 1050);
}

static void test_a_ping_for_somebody_else_is_not_answered(void **state)
{
    struct network *network = network_new(2, 1);
    struct swim_from from = {.id8 = network->peers[1].id8, .address = {.family = 4, .port = 2}};
    struct message ping = {.kind = MESSAGE_PING, .ping = {.seq = 5, .target = 1}};

    (void)state;
    swim_receive(network->peers[0].swim, network->now, &from, &ping);
    assert_int_equal(network->peers[0].sent, 0);
    ping.ping.target = network->peers[0].id8;
    swim_receive(network->peers[0].swim, network->now, &from, &ping);
    assert_true(network->peers[0].sent > 0);
    network_delete(network);
}

static void test_a_relay_knows_only_members_and_tells_silence(void **state)
{
    struct network *network = network_joined(3, 1);
    struct swim_from from = {.id8 = network->peers[1].id8, .address = {.family = 4, .port = 2}};
    struct message ask = {.kind = MESSAGE_PING_REQ, .ping_req = {.seq = 5, .target = 1}};
    unsigned sent = network->peers[0].sent;

    (void)state;
    swim_receive(network->peers[0].swim, network->now, &from, &ask);
    assert_int_equal(network->peers[0].sent, sent + 1); /* NACK: unknown */
    ask.ping_req.target = network->peers[2].id8;
    swim_receive(network->peers[0].swim, network->now, &from, &ask);
    assert_int_equal(network->peers[0].sent, sent + 2); /* PING */
    network_delete(network);
}

static void test_a_half_deaf_pair_is_saved_by_relays(void **state)
{
    struct network *network = network_joined(5, 2);
    struct swim *swim = network->peers[0].swim;
    uint32_t slot = swim_slot(swim, network->peers[1].id8);

    (void)state;
    for (unsigned round = 0; round < 4;
         round++) { /* the direct PING is lost, the relays' are not */
        swim_probe_start(swim, network->now, slot);
        while (network->packets) {
            struct packet *packet = network->packets;

            network->packets = packet->next;
            packet_free(packet);
        }
        network_run_for(network, INSTANT_S(1));
    }
    assert_int_equal(network->peers[0].suspects_seen, 0);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips_are_smoothed),
        cmocka_unit_test(test_a_ping_for_somebody_else_is_not_answered),
        cmocka_unit_test(test_a_relay_knows_only_members_and_tells_silence),
        cmocka_unit_test(test_a_half_deaf_pair_is_saved_by_relays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
