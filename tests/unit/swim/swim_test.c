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
