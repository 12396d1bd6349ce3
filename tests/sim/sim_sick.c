/* sim_sick.c: profile `sick`: up to a quarter of 9 to 20 peers is killed, stands still, or is
 * half-deaf: it hears nothing, what it sends arrives, and all of it seems refused to it. Nobody has
 * clients, datagrams get lost, connections break.
 *
 *   M2  a peer that is well is declared dead by nobody who is well, whatever the sick say of it */
#include "sim.h"

#define SICK_AFTER_US                                                                              \
    INSTANT_S(20) /* suspicions of before may still end, at most 6 x 3 x 1.3 s                     \
                   */

void sim_sick_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x51c4ull);
    plan->peers = (uint32_t)prng_between(&rng, 9, 20);
    plan->hosts = plan->peers;
    plan->sick = 1 + (uint32_t)prng_below(&rng, plan->peers / 4);
    plan->loss = plan->loss > 50 ? 50 : plan->loss;
    plan->clients = 0;
    plan->crash = plan->pause = plan->cut = plan->skew = plan->churn = 0;
    plan->sync_fail = 0;
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 1000, 4000);
    plan->safety_s = 60;
}

bool sim_sick_is_deaf(const struct sim *sim, uint32_t peer)
{
    return sim->deaf_until[peer] > sim->now;
}

static void sick_hear_again(struct sim *sim)
{
    for (uint32_t p = 0; p < sim->node_count; p++)
        for (uint32_t i = 0; i < sim->node_count; i++)
            sim->cut[i][p] = i != p && sim_sick_is_deaf(sim, p);
}

/* Somebody falls ill; false: not this profile. */
bool sim_sick_fault(struct sim *sim)
{
    struct sim_node *peer;
    uint64_t lasts;
    uint32_t sick = 0;

    if (!sim->plan.sick)
        return false;
    if (sim->sick_rng.state[0] == 0)
        prng_init(&sim->sick_rng, sim->seed ^ 0x51c5ull);
    sick_hear_again(sim);
    peer = &sim->nodes[prng_below(&sim->sick_rng, sim->node_count)];
    lasts = prng_between(&sim->sick_rng, INSTANT_MS(200), INSTANT_S(15));
    for (uint32_t i = 0; i < sim->node_count; i++)
        sick += sim->sick_until[i] > sim->now;
    if (sick >= sim->plan.sick || sim->sick_until[peer->index] > sim->now || !peer->node)
        return true;
    sim->sick_until[peer->index] = sim->now + lasts + SICK_AFTER_US;
    switch (prng_below(&sim->sick_rng, 3)) {
    case 0:
        sim_crash(sim, peer, false);
        sim_after(sim, lasts, SIM_BOOT, SLICE_NONE)->node = peer->index;
        break;
    case 1:
        peer->paused_until = sim->now + lasts;
        break;
    default:
        sim->deaf_until[peer->index] = sim->now + lasts;
        sick_hear_again(sim);
        break;
    }
    return true;
}

/* A viewer has declared somebody dead. */
void sim_sick_note(struct sim *sim, const struct sim_node *viewer, uint64_t id8)
{
    uint32_t i = 0;

    if (!sim->plan.sick || !sim->is_faulty)
        return;
    while (i < sim->node_count && id_front(&sim->nodes[i].identity.id) != id8)
        i++;
    ensure(i < sim->node_count);
    if (sim->sick_until[i] <= sim->now && sim->sick_until[viewer->index] <= sim->now)
        sim_fail(sim, "M2: peer-%u declares peer-%u dead, and both are well", viewer->index, i);
}
