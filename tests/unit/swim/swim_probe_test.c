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

/* Everything `peer` sends reaches the others and seems refused to it, and it hears nothing. */
static void test_a_deaf_peer_that_is_refused_everywhere_evicts_nobody(void **state)
{
    (void)state;
    for (unsigned n = 3; n <= 30; n += 9) {
        struct network *network = network_joined(n, 200 + n);

        network->peers[1].is_deaf = true;
        network_run_for(network, INSTANT_S(60));
        for (unsigned i = 0; i < n; i++)
            if (i != 1)
                assert_int_equal(network_seen(network, i, RANK_DEAD),
                                 network_rank(network, 1, i) == RANK_DEAD);
        network_delete(network);
    }
}

/* A probe of peer 1 by peer 0 whose PING and relays are refused, but for `relays` of three. */
static struct network *refused_probe(unsigned relays)
{
    struct network *network = network_joined(5, 3);
    struct swim *swim = network->peers[0].swim;
    struct self_record record = record_make(&network->peers[1], 1, 0);
    struct message nack = {.kind = MESSAGE_NACK, .nack = {.reason = 1}};

    network->peers[1].is_up = false;
    swim_probe_start(swim, network->now, swim_slot(swim, network->peers[1].id8));
    nack.nack.seq = swim->seq;
    nack.nack.target = network->peers[1].id8;
    swim_refused(swim, network->now, &record.addresses[0]);
    for (unsigned i = 2; i < 2 + relays; i++)
        swim_receive(swim, network->now, &(struct swim_from){.id8 = network->peers[i].id8}, &nack);
    return network;
}

static void test_one_refused_witness_less_is_not_enough(void **state)
{
    (void)state;
    for (unsigned relays = 0; relays <= 3; relays++) {
        struct network *network = refused_probe(relays);
        struct swim *swim = network->peers[0].swim;
        const struct swim_suspicion *suspicion =
            &swim->suspicions[swim_slot(swim, network->peers[1].id8)];

        assert_int_equal(network_rank(network, 0, 1), relays < 3 ? RANK_ALIVE : RANK_SUSPECT);
        assert_int_equal(swim_health(swim), 0);
        if (relays == 3) { /* all four of us have seen it ourselves */
            assert_int_equal(suspicion->count, 4);
            assert_int_equal(suspicion->in_due.when, network->now + swim->numbers->refused_us);
        }
        network_delete(network);
    }
}

static void test_silence_says_nothing_of_a_later_life(void **state)
{
    struct network *network = refused_probe(2);
    struct self_record later = record_make(&network->peers[1], 5000, 0);
    struct swim *swim = network->peers[0].swim;

    (void)state;
    swim_receive_record(swim, network->now, NULL, &later, slice_of(&later, sizeof(later)));
    network->now += swim->numbers->period_us;
    swim_expire(swim, network->now, 1);
    assert_int_equal(network_rank(network, 0, 1), RANK_ALIVE);
    network_delete(network);
}

static void test_a_relay_that_does_not_say_so_accuses_us(void **state)
{
    struct network *network = refused_probe(1);
    struct swim *swim = network->peers[0].swim;

    (void)state;
    network->now += swim->numbers->period_us;
    swim_expire(swim, network->now, 1);
    assert_int_equal(network_rank(network, 0, 1), RANK_SUSPECT);
    assert_int_equal(swim_health(swim), 1 + 2); /* silence, and two NACKs that did not come */
    network_delete(network);
}

static void test_a_broken_connection_is_looked_into_once_a_period(void **state)
{
    struct network *network = network_joined(3, 5);
    struct peer *peer = &network->peers[0];
    unsigned sent = peer->sent;

    (void)state;
    swim_doubt(peer->swim, network->now, network->peers[1].id8);
    swim_doubt(peer->swim, network->now, network->peers[1].id8);
    swim_doubt(peer->swim, network->now, peer->id8);
    swim_doubt(peer->swim, network->now, 12345);
    assert_int_equal(peer->sent, sent + 1);
    network_run_for(network, INSTANT_MS(600));
    sent = peer->sent;
    swim_doubt(peer->swim, network->now, network->peers[1].id8);
    assert_int_equal(peer->sent, sent + 1);
    network_run_for(network, INSTANT_S(5));
    assert_int_equal(peer->suspects_seen, 0);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips_are_smoothed),
        cmocka_unit_test(test_a_ping_for_somebody_else_is_not_answered),
        cmocka_unit_test(test_a_relay_knows_only_members_and_tells_silence),
        cmocka_unit_test(test_a_half_deaf_pair_is_saved_by_relays),
        cmocka_unit_test(test_a_deaf_peer_that_is_refused_everywhere_evicts_nobody),
        cmocka_unit_test(test_one_refused_witness_less_is_not_enough),
        cmocka_unit_test(test_silence_says_nothing_of_a_later_life),
        cmocka_unit_test(test_a_relay_that_does_not_say_so_accuses_us),
        cmocka_unit_test(test_a_broken_connection_is_looked_into_once_a_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
