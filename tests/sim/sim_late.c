/* sim_late.c: profile `late`: writes without a context through edges that own no copy, while owners
 * stand still and paths stall for seconds. An owner that was silent is followed by another
 * (decision 0005); what it finds in its socket afterwards must not be done any more, or it discards
 * what was acknowledged since (decision 0024). D11 says so (sim_client.c):
 *
 *   a write may discard what it finds for as long as its request lasts, and never after it was
 *   acknowledged
 *
 * Clocks run equally fast here: by how much they may differ is what the rule goes by. Draws are of
 * a generator of its own. */
#include "sim.h"

#define LATE_SLACK_US INSTANT_MS(5) /* a way may be that much longer than the shortest */

void sim_late_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x1a7eull);
    plan->is_blind = true;
    plan->peers = (uint32_t)prng_between(&rng, 4, 7);
    plan->hosts = plan->peers;
    plan->replicas = 3;
    plan->registers = (uint32_t)prng_between(&rng, 1, 4);
    plan->clients = (uint32_t)prng_between(&rng, 3, 8);
    plan->deletes = (uint32_t)prng_between(&rng, 1, 15);
    plan->pause = 4;
    plan->cut = (uint32_t)prng_between(&rng, 0, 3);
    plan->crash = prng_chance(&rng, 1, 3) ? 1 : 0;
    plan->skew = plan->sync_fail = 0;
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 200, 1000);
    plan->safety_s = 40;
}

bool sim_late_may_discard(const struct sim *sim, const struct sim_register *reg, uint32_t number,
                          uint32_t acked)
{
    if (!reg->deletes[number] && !reg->blinds[number])
        return false;
    if (number > acked)
        return true;
    if (sim->plan.skew && (reg->kinds[number] == WRITE_UNKNOWN || reg->twice[number]))
        return true; /* its deadline is kept as well as clocks are */
    return reg->kinds[number] == WRITE_UNKNOWN &&
           reg->begun[number] + SIM_WRITE_US + LATE_SLACK_US >= reg->begun[acked];
}
