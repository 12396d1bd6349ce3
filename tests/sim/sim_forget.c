/* sim_forget.c: profile `forget`: peers are away for longer than the others wait for them, down or
 * cut off, one or several at a time; they come back as newcomers. K12 is checked from outside at
 * the moment of the decision: who is given up was dead in the eyes of most for long enough, never
 * two of them within the pace, and as many hosts as replicas stay. D1 and D16 hold at the end. */
#include "sim.h"

void sim_forget_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0xf0e6ull);
    plan->peers = (uint32_t)prng_between(&rng, 5, 7);
    plan->hosts = plan->peers;
    plan->replicas = prng_chance(&rng, 1, 4) ? 2 : 3;
    plan->forget_s = (uint32_t)prng_between(&rng, 6, 10);
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 4000, 12000);
    plan->crash = prng_chance(&rng, 1, 6) ? 1 : 0;
    plan->pause = plan->skew = 0;
    plan->sync_fail = 0;
    plan->loss = plan->loss > 50 ? 50 : plan->loss;
    plan->clients = plan->clients > 3 ? 3 : plan->clients;
    plan->registers = 12; /* objects of few discarded writes: more than 255 do not merge */
    plan->cut = plan->cut ? 1 : 0;
    plan->safety_s = 80;
}

/* A peer goes down for long, or is cut off from all others; false: nothing this time. */
bool sim_forget_fault(struct sim *sim)
{
    struct sim_node *peer;
    uint64_t away;

    if (sim->moves.state[0] == 0)
        prng_init(&sim->moves, sim->seed ^ 0xf0e7ull);
    if (!prng_chance(&sim->moves, 1, 2))
        return false;
    peer = &sim->nodes[prng_between(&sim->moves, 1, sim->node_count - 1)];
    away = INSTANT_S(sim->plan.forget_s) / 2 * prng_between(&sim->moves, 3, 10);
    if (!peer->node)
        return false;
    if (prng_chance(&sim->moves, 1, 3)) {
        sim_net_heal(sim);
        for (uint32_t i = 0; i < sim->node_count; i++)
            sim->cut[i][peer->index] = sim->cut[peer->index][i] = i != peer->index;
        return true;
    }
    sim_crash(sim, peer, false);
    sim_after(sim, away, SIM_BOOT, SLICE_NONE)->node = peer->index;
    return true;
}

/* Notes who was not dead in the eyes of half of the peers. */
static void forget_reach(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        uint32_t near = 0;

        for (uint32_t k = 0; k < sim->node_count; k++) {
            int rank = sim->nodes[k].node
                           ? node_member_rank(sim->nodes[k].node, &sim->nodes[i].identity.id)
                           : -1;

            near += rank >= 0 && rank < RANK_DEAD;
        }
        if (2 * near > sim->node_count)
            sim->reached_at[i] = sim->now;
    }
}

/* How many a viewer has on its list, beside the forgotten. */
static uint32_t forget_listed(const struct sim *sim, const struct sim_node *viewer)
{
    uint32_t listed = 0;

    for (uint32_t i = 0; i < sim->node_count; i++) {
        unsigned state = node_place_of(viewer->node, &sim->nodes[i].identity.id);

        listed += state == PLACE_JOINING || place_is_in_base(state);
    }
    return listed;
}

/* A peer has just given up another, with the agreement of others. */
void sim_forget_note(struct sim *sim, struct sim_node *by, uint64_t id8)
{
    uint64_t pace = INSTANT_S(sim->plan.forget_s);
    uint32_t i = 0;

    while (i < sim->node_count && id_front(&sim->nodes[i].identity.id) != id8)
        i++;
    ensure(i < sim->node_count);
    if (sim->now - sim->reached_at[i] + INSTANT_S(1) < pace)
        sim_fail(sim, "K12: peer-%u is forgotten, and was not dead %.1f s ago", i,
                 (double)(sim->now - sim->reached_at[i]) / 1e6);
    if (sim->forgot == i + 1 && sim->now - sim->forgot_at < pace)
        return; /* two asked, and both were told yes: the same record twice */
    if (sim->forgot_at && sim->now - sim->forgot_at + INSTANT_S(1) < pace)
        sim_fail(sim, "K12: peer-%u is forgotten %.1f s after another", i,
                 (double)(sim->now - sim->forgot_at) / 1e6);
    sim->forgot_at = sim->now;
    sim->forgot = i + 1;
    if (forget_listed(sim, by) < sim->plan.replicas + 1u)
        sim_fail(sim, "K12: too few hosts stay without peer-%u", i);
}

/* Each second: who is alive in the eyes of most. */
void sim_check_forgotten(struct sim *sim)
{
    forget_reach(sim);
}
