/* swim_self_test.c: our own incarnation, refutation and good-bye. */
#include "network.h"

static uint64_t own(struct network *network)
{
    return swim_find(network->peers[0].swim, network->peers[0].id8)->incarnation;
}

static void accuse(struct network *network, enum member_rank rank, uint64_t incarnation)
{
    struct swim_from from = {.id8 = network->peers[1].id8, .address = {.family = 4, .port = 2}};
    struct message update = {.kind = MESSAGE_UPDATE,
                             .update = {.rank = (uint8_t)rank,
                                        .subject = network->peers[0].id8,
                                        .incarnation = incarnation,
                                        .from = from.id8}};

    swim_receive(network->peers[0].swim, network->now, &from, &update);
}

static void test_a_start_is_above_the_persisted_number_and_the_clock(void **state)
{
    struct network *network = network_new(1, 1);

    (void)state;
    assert_int_equal(own(network), 1000);
    assert_int_equal(network->peers[0].persisted, 1000 + SWIM_PERSIST_BLOCK);
    swim_delete(network->peers[0].swim);
    peer_start(network, 0, 10);
    assert_int_equal(own(network), 1000 + SWIM_PERSIST_BLOCK + 1);
    network_delete(network);
}

static void test_an_accusation_is_refuted_in_the_same_call(void **state)
{
    struct network *network = network_new(2, 1);
    struct packet *answer;

    (void)state;
    accuse(network, RANK_SUSPECT, 1000);
    assert_int_equal(own(network), 1001);
    assert_int_equal(network->peers[0].refutations, 1);
    assert_int_equal(swim_health(network->peers[0].swim), 1);
    answer = network->packets;
    assert_non_null(answer);
    assert_int_equal(answer->messages[0].kind, MESSAGE_SELF);
    accuse(network, RANK_DEAD, 1001);
    assert_int_equal(own(network), 1002);
    network_delete(network);
}

static void test_a_stale_accusation_gets_our_record_again(void **state)
{
    struct network *network = network_new(2, 1);

    (void)state;
    network->peers[0].swim->queue_count = 0;
    network->peers[0].swim->members[0].is_queued = false;
    accuse(network, RANK_SUSPECT, 999);
    assert_int_equal(own(network), 1000);
    assert_true(network->peers[0].swim->members[0].is_queued);
    assert_int_equal(network->packets->messages[0].kind, MESSAGE_SELF);
    network_delete(network);
}

static void test_nobody_else_can_raise_our_incarnation(void **state)
{
    struct network *network = network_new(2, 1);

    (void)state;
    accuse(network, RANK_DEAD, 5000);
    assert_int_equal(own(network), 1000);
    assert_int_equal(network->packets->messages[0].kind, MESSAGE_RECORD_GET);
    network_delete(network);
}

static void test_a_record_of_an_earlier_life_is_passed_and_a_twin_told(void **state)
{
    struct network *network = network_new(1, 1);
    struct peer *peer = &network->peers[0];
    uint64_t epoch = peer->epoch;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        peer->epoch = 4711;
        struct self_record other = record_make(peer, 9000 + 10 * i, 0);

        peer->epoch = epoch;
        swim_receive_record(peer->swim, network->now, NULL, &other,
                            slice_of(&other, sizeof(other)));
        assert_int_equal(own(network), 9001 + 10 * i);
        assert_int_equal(peer->twins, i);
        network->now += SWIM_RAISE_AGAIN_US;
    }
    swim_raise(peer->swim, network->now, 100);
    assert_int_equal(own(network), 9011);
    swim_raise(peer->swim, network->now, 20000);
    assert_int_equal(own(network), 20001);
    network_delete(network);
}

static void test_a_leaver_says_so_and_does_not_come_back(void **state)
{
    struct network *network = network_new(2, 1);
    struct self_record record;

    (void)state;
    swim_leave(network->peers[0].swim, network->now);
    memcpy(&record, swim_own_record(network->peers[0].swim).data, sizeof(record));
    assert_int_equal(record.flags, SELF_LEFT);
    assert_int_equal(own(network), 1001);
    accuse(network, RANK_DEAD, 1001);
    swim_renew(network->peers[0].swim, network->now);
    assert_int_equal(own(network), 1001);
    assert_int_equal(network_rank(network, 0, 0), RANK_LEFT);
    network_delete(network);
}

/* One peer's word must not take us to the end of the numbers: there is nothing above it with which
 * to refute, now or after the next start. */
static void test_a_number_that_cannot_be_ours_is_not_followed(void **state)
{
    struct network *network = network_new(2, 1);
    struct swim *swim = network->peers[0].swim;

    (void)state;
    swim_raise(swim, network->now, UINT64_MAX - 1);
    swim_raise(swim, network->now, UINT64_MAX / 2 + 1);
    assert_int_equal(own(network), 1000);
    accuse(network, RANK_SUSPECT, 1000);
    assert_int_equal(own(network), 1001);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_start_is_above_the_persisted_number_and_the_clock),
        cmocka_unit_test(test_an_accusation_is_refuted_in_the_same_call),
        cmocka_unit_test(test_a_stale_accusation_gets_our_record_again),
        cmocka_unit_test(test_nobody_else_can_raise_our_incarnation),
        cmocka_unit_test(test_a_record_of_an_earlier_life_is_passed_and_a_twin_told),
        cmocka_unit_test(test_a_leaver_says_so_and_does_not_come_back),
        cmocka_unit_test(test_a_number_that_cannot_be_ours_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
