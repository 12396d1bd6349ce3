/* swim_test.c: whole networks of membership rooms in simulated time. */
#include "network.h"

/* (2n-1) T + T_max + 4 ceil(log10(n+1)) T of the profile `local` (testing.md M1), in us. */
static uint64_t completeness_bound_us(unsigned n)
{
    uint64_t period = INSTANT_MS(500), log_milli = logint_log10_milli(n);
    uint64_t minimum = 3 * (log_milli < 1000 ? 1000 : log_milli) * period / 1000;
    unsigned digits = (logint_log10_milli(n + 1u) + 999) / 1000;

    return (2u * n - 1) * period + 6 * minimum + 4u * digits * period;
}

static void test_everybody_knows_everybody_after_joining_one(void **state)
{
    (void)state;
    for (unsigned n = 5; n <= 30; n += 25) {
        struct network *network = network_joined(n, n);

        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(swim_count(network->peers[i].swim), n);
            assert_int_equal(swim_alive_count(network->peers[i].swim), n);
            assert_int_equal(network->peers[i].suspects_seen, 0);
        }
        assert_true(network_is_equal(network));
        network_delete(network);
    }
}

static void test_a_crashed_peer_is_dead_everywhere_within_the_bound(void **state)
{
    (void)state;
    for (unsigned n = 5; n <= 30; n += 25) {
        struct network *network = network_joined(n, 40 + n);

        network->peers[3].is_up = false;
        network_run_for(network, completeness_bound_us(n));
        assert_int_equal(network_seen(network, 3, RANK_DEAD), n - 1);
        for (unsigned i = 0; i < n; i++)
            if (i != 3)
                assert_int_equal(network->peers[i].deaths_seen, 1);
        assert_true(network_is_equal(network));
        network_delete(network);
    }
}

/* Time until all see the crashed peer as dead, mean of some runs. */
static uint64_t death_us(bool refuses)
{
    uint64_t sum = 0;

    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct network *network = network_joined(5, seed);
        instant crashed = network->now;

        network->refuses = refuses;
        network->peers[3].is_up = false;
        while (network_seen(network, 3, RANK_DEAD) < 4)
            network_run_for(network, INSTANT_MS(10));
        sum += network->now - crashed;
        network_delete(network);
    }
    return sum / 8;
}

static void test_a_refused_peer_is_dead_sooner(void **state)
{
    (void)state;
    assert_true(death_us(true) < INSTANT_MS(1300));
    assert_in_range(death_us(false), INSTANT_MS(1500), INSTANT_MS(4000));
}

/* Whoever had a connection sees it break: no period has to pass first. */
static void test_a_broken_connection_brings_it_out_within_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct network *network = network_joined(30, seed);

        network->refuses = true;
        network->peers[3].is_up = false;
        swim_doubt(network->peers[7].swim, network->now, network->peers[3].id8);
        network_run_for(network, INSTANT_S(1));
        assert_int_equal(network_seen(network, 3, RANK_DEAD), 29);
        network_delete(network);
    }
}

static void test_a_paused_peer_refutes_and_accuses_nobody(void **state)
{
    struct network *network = network_joined(5, 4);
    uint64_t before;

    (void)state;
    before = swim_find(network->peers[2].swim, network->peers[2].id8)->incarnation;
    network->peers[2].is_paused = true;
    while (network_seen(network, 2, RANK_SUSPECT) == 0)
        network_run_for(network, INSTANT_MS(100));
    network_run_for(network, INSTANT_MS(300));
    network->peers[2].is_paused = false;
    network_run_for(network, INSTANT_S(3));
    assert_int_equal(network_seen(network, 2, RANK_ALIVE), 4);
    assert_true(network->peers[2].refutations > 0);
    assert_true(swim_find(network->peers[0].swim, network->peers[2].id8)->incarnation > before);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(network->peers[i].deaths_seen, 0);
    assert_int_equal(network->peers[2].suspects_seen, 0);
    network_delete(network);
}

static void test_a_peer_paused_for_long_comes_back_from_the_dead(void **state)
{
    struct network *network = network_joined(5, 5);

    (void)state;
    network->peers[2].is_paused = true;
    network_run_for(network, INSTANT_S(20));
    assert_int_equal(network_seen(network, 2, RANK_DEAD), 4);
    network->peers[2].is_paused = false;
    network_run_for(network, INSTANT_S(10));
    assert_int_equal(network_seen(network, 2, RANK_ALIVE), 4);
    assert_int_equal(network->peers[2].deaths_seen, 0);
    assert_true(network_is_equal(network));
    network_delete(network);
}

static void test_a_leaver_is_left_everywhere_and_stays_so(void **state)
{
    (void)state;
    for (unsigned n = 5; n <= 30; n += 25) {
        struct network *network = network_joined(n, 60 + n);

        swim_leave(network->peers[1].swim, network->now);
        network_run_for(network, INSTANT_S(3));
        network->peers[1].is_up = false;
        network_run_for(network, INSTANT_S(30));
        assert_int_equal(network_seen(network, 1, RANK_LEFT), n - 1);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(network->peers[i].deaths_seen + network->peers[i].suspects_seen, 0);
        network_delete(network);
    }
}

static void test_a_torn_network_grows_together(void **state)
{
    (void)state;
    for (unsigned n = 5; n <= 30; n += 25) {
        struct network *network = network_joined(n, 80 + n);

        for (unsigned i = 0; i < n / 2; i++)
            network->peers[i].side = 1;
        network_run_for(network, INSTANT_S(120));
        assert_int_equal(network_rank(network, 0, n - 1), RANK_DEAD);
        assert_int_equal(network_rank(network, n - 1, 0), RANK_DEAD);
        for (unsigned i = 0; i < n; i++)
            network->peers[i].side = 0;
        network_run_for(network, INSTANT_S(30));
        assert_true(network_is_equal(network));
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(swim_alive_count(network->peers[i].swim), n);
        network_delete(network);
    }
}

static void test_loss_of_a_tenth_kills_nobody(void **state)
{
    (void)state;
    for (unsigned n = 5; n <= 30; n += 25) {
        struct network *network = network_joined(n, 100 + n);

        network->loss_percent = 10;
        network_run_for(network, INSTANT_S(180));
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(network->peers[i].deaths_seen, 0);
        network_delete(network);
    }
}

static void test_an_idle_network_is_quiet(void **state)
{
    struct network *network = network_joined(5, 6);
    unsigned sent;

    (void)state;
    sent = network->peers[0].sent;
    network_run_for(network, INSTANT_S(20));
    sent = network->peers[0].sent - sent;
    assert_in_range(sent, 70, 90); /* one PING and about one ACK per period */
    assert_int_equal(network->peers[0].tables, 0);
    network_delete(network);
}

static void test_a_restarted_peer_is_alive_under_a_higher_incarnation(void **state)
{
    struct network *network = network_joined(5, 7);
    struct peer *peer = &network->peers[4];
    uint64_t before;

    (void)state;
    before = swim_find(network->peers[0].swim, peer->id8)->incarnation;
    peer->is_up = false;
    network_run_for(network, INSTANT_S(20));
    assert_int_equal(network_seen(network, 4, RANK_DEAD), 4);
    swim_delete(peer->swim);
    peer_start(network, 4, 5); /* the clock went back; the persisted number did not */
    network_introduce(network, 4, 0);
    network_introduce(network, 0, 4);
    network_run_for(network, INSTANT_S(5));
    assert_int_equal(network_seen(network, 4, RANK_ALIVE), 4);
    assert_true(swim_find(network->peers[0].swim, peer->id8)->incarnation > before);
    network_delete(network);
}

static void test_a_peer_without_its_state_passes_what_others_remember(void **state)
{
    struct network *network = network_joined(5, 8);
    struct peer *peer = &network->peers[4];

    (void)state;
    peer->is_up = false;
    network_run_for(network, INSTANT_S(20));
    swim_delete(peer->swim);
    peer->persisted = 0;
    peer_start(network, 4, 5);
    network_introduce(network, 4, 0);
    network_run_for(network, INSTANT_S(20));
    assert_int_equal(network_seen(network, 4, RANK_ALIVE), 4);
    assert_true(network_is_equal(network));
    network_delete(network);
}

static void test_nothing_happens_before_the_start(void **state)
{
    struct peer peer = {0};
    struct swim_from from = {.id8 = 9};
    struct message ping = {.kind = MESSAGE_PING};
    struct swim *swim = swim_new(&(struct swim_config){
        .self = {{1}}, .members_max = 2, .emit = peer_emit, .sign = peer_sign, .context = &peer});

    (void)state;
    assert_true(swim_deadline(swim) == INSTANT_NEVER);
    swim_receive(swim, 1, &from, &ping);
    swim_expire(swim, INSTANT_S(100), 1);
    assert_int_equal(swim_count(swim), 0);
    assert_int_equal(peer.sent, 0);
    assert_int_equal(swim_own_record(swim).size, 0);
    swim_delete(swim);
    swim_delete(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_knows_everybody_after_joining_one),
        cmocka_unit_test(test_a_crashed_peer_is_dead_everywhere_within_the_bound),
        cmocka_unit_test(test_a_refused_peer_is_dead_sooner),
        cmocka_unit_test(test_a_broken_connection_brings_it_out_within_a_second),
        cmocka_unit_test(test_a_paused_peer_refutes_and_accuses_nobody),
        cmocka_unit_test(test_a_peer_paused_for_long_comes_back_from_the_dead),
        cmocka_unit_test(test_a_leaver_is_left_everywhere_and_stays_so),
        cmocka_unit_test(test_a_torn_network_grows_together),
        cmocka_unit_test(test_loss_of_a_tenth_kills_nobody),
        cmocka_unit_test(test_an_idle_network_is_quiet),
        cmocka_unit_test(test_a_restarted_peer_is_alive_under_a_higher_incarnation),
        cmocka_unit_test(test_a_peer_without_its_state_passes_what_others_remember),
        cmocka_unit_test(test_nothing_happens_before_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
