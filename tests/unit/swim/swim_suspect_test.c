/* swim_suspect_test.c: who may accuse, who counts, how long it takes. */
#include "network.h"

static struct network *five(void)
{
    struct network *network = network_new(6, 1);

    for (unsigned i = 1; i < 5; i++)
        network_introduce(network, 0, i);
    return network;
}

static void tell(struct network *network, unsigned subject, enum member_rank rank, uint64_t from,
                 uint64_t incarnation)
{
    struct swim_from sender = {.id8 = network->peers[2].id8};
    struct message update = {.kind = MESSAGE_UPDATE,
                             .update = {.rank = (uint8_t)rank,
                                        .subject = network->peers[subject].id8,
                                        .incarnation = incarnation,
                                        .from = from,
                                        .since = from}};

    swim_receive(network->peers[0].swim, network->now, &sender, &update);
}

static const struct swim_suspicion *suspicion(struct network *network, unsigned subject)
{
    struct swim *swim = network->peers[0].swim;

    return &swim->suspicions[swim_slot(swim, network->peers[subject].id8)];
}

static void test_statements_need_the_record_they_are_about(void **state)
{
    struct network *network = five();

    (void)state;
    tell(network, 1, RANK_DEAD, network->peers[3].id8, 1001);
    assert_int_equal(network_rank(network, 0, 1), RANK_ALIVE);
    tell(network, 5, RANK_DEAD, network->peers[3].id8, 1000);
    assert_int_equal(network_rank(network, 0, 5), -1);
    tell(network, 1, RANK_DEAD, network->peers[3].id8, 999);
    assert_int_equal(network_rank(network, 0, 1), RANK_ALIVE);
    tell(network, 1, RANK_DEAD, network->peers[3].id8, 1000);
    assert_int_equal(network_rank(network, 0, 1), RANK_DEAD);
    network_delete(network);
}

static void test_accusers_are_distinct_known_and_never_the_accused(void **state)
{
    struct network *network = five();
    instant first;

    (void)state;
    tell(network, 1, RANK_SUSPECT, network->peers[2].id8, 1000);
    assert_int_equal(suspicion(network, 1)->count, 1);
    first = suspicion(network, 1)->in_due.when;
    assert_int_equal(first - network->now, 6 * 3 * INSTANT_MS(500));
    tell(network, 1, RANK_SUSPECT, network->peers[2].id8, 1000);
    tell(network, 1, RANK_SUSPECT, network->peers[1].id8, 1000);
    tell(network, 1, RANK_SUSPECT, 0, 1000);
    tell(network, 1, RANK_SUSPECT, 12345, 1000);
    assert_int_equal(suspicion(network, 1)->count, 1);
    assert_int_equal(suspicion(network, 1)->in_due.when, first);
    tell(network, 1, RANK_SUSPECT, network->peers[3].id8, 1000);
    assert_int_equal(suspicion(network, 1)->count, 2);
    assert_true(suspicion(network, 1)->in_due.when < first);
    network_delete(network);
}

static void test_a_suspicion_shortens_to_its_minimum(void **state)
{
    struct network *network = five();
    const struct swim *swim = network->peers[0].swim;
    uint64_t minimum = swim_suspicion_min_us(swim);

    (void)state;
    assert_int_equal(minimum, 3 * INSTANT_MS(500));
    assert_int_equal(swim_witnesses(swim), 3);
    assert_int_equal(swim_suspicion_us(swim, 0, minimum), 6 * minimum);
    assert_in_range(swim_suspicion_us(swim, 1, minimum), 6 * minimum - 5 * minimum / 2 - 2000,
                    6 * minimum - 5 * minimum / 2 + 2000); /* ln 2 / ln 4 is a half */
    assert_int_equal(swim_suspicion_us(swim, 3, minimum), minimum);
    assert_int_equal(swim_suspicion_us(swim, 9, minimum), minimum);
    network_delete(network);
}

static void test_a_higher_suspicion_starts_anew(void **state)
{
    struct network *network = five();
    struct self_record refuted = record_make(&network->peers[1], 1001, 0);

    (void)state;
    tell(network, 1, RANK_SUSPECT, network->peers[2].id8, 1000);
    tell(network, 1, RANK_SUSPECT, network->peers[3].id8, 1000);
    network->now += INSTANT_S(1);
    swim_receive_record(network->peers[0].swim, network->now, NULL, &refuted,
                        slice_of(&refuted, sizeof(refuted)));
    assert_int_equal(network_rank(network, 0, 1), RANK_ALIVE);
    tell(network, 1, RANK_SUSPECT, network->peers[3].id8, 1000);
    assert_int_equal(network_rank(network, 0, 1), RANK_ALIVE);
    tell(network, 1, RANK_SUSPECT, network->peers[3].id8, 1001);
    assert_int_equal(suspicion(network, 1)->count, 1);
    assert_int_equal(suspicion(network, 1)->started, network->now);
    network_delete(network);
}

static void test_a_clock_read_late_kills_nobody(void **state)
{
    struct network *network = five();
    struct swim *swim = network->peers[0].swim;

    (void)state;
    tell(network, 1, RANK_SUSPECT, network->peers[2].id8, 1000);
    network->now = suspicion(network, 1)->in_due.when + SWIM_LATE_US + 1;
    swim_expire(swim, network->now, 9);
    assert_int_equal(network_rank(network, 0, 1), RANK_SUSPECT);
    assert_true(swim_health(swim) > 0);
    network->now = suspicion(network, 1)->in_due.when;
    swim_expire(swim, network->now, 9);
    assert_int_equal(network_rank(network, 0, 1), RANK_DEAD);
    assert_int_equal(swim_find(swim, network->peers[1].id8)->since, 9);
    network_delete(network);
}

static void test_of_two_deaths_the_earlier_counts(void **state)
{
    struct network *network = five();
    const struct swim_view *view;

    (void)state;
    tell(network, 1, RANK_DEAD, 500, 1000);
    tell(network, 1, RANK_DEAD, 400, 1000);
    tell(network, 1, RANK_DEAD, 600, 1000);
    view = swim_find(network->peers[0].swim, network->peers[1].id8);
    assert_int_equal(view->since, 400);
    assert_int_equal(network->peers[0].deaths_seen, 1);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements_need_the_record_they_are_about),
        cmocka_unit_test(test_accusers_are_distinct_known_and_never_the_accused),
        cmocka_unit_test(test_a_suspicion_shortens_to_its_minimum),
        cmocka_unit_test(test_a_higher_suspicion_starts_anew),
        cmocka_unit_test(test_a_clock_read_late_kills_nobody),
        cmocka_unit_test(test_of_two_deaths_the_earlier_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
