/* sim_mix.c: profile `mix`: what the other profiles show one at a time, at once. A seed switches
 * each kind of client on or off, lets peers come and go, and collects tombstones meanwhile; the
 * faults are those of every seed. Each kind of client judges its own keys, so no oracle is
 * weakened; what one of them cannot judge (clocks that jump, batches that fail) is off while it
 * takes part. */
#include "sim.h"

static bool mix_has(struct prng *rng, uint32_t of)
{
    return prng_chance(rng, 1, of);
}

void sim_mix_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0xa110f17ull);
    plan->peers = (uint32_t)prng_between(&rng, 3, 6);
    plan->hosts = plan->peers;
    plan->clients = (uint32_t)prng_between(&rng, 1, 4);
    plan->has_reader = mix_has(&rng, 2);
    plan->has_types = mix_has(&rng, 2);
    plan->has_spaces = mix_has(&rng, 2);
    plan->has_mortals = mix_has(&rng, 3);
    plan->sessions = mix_has(&rng, 3) ? (uint32_t)prng_between(&rng, 2, 4) : 0;
    plan->retriers = mix_has(&rng, 3) ? (uint32_t)prng_between(&rng, 2, 4) : 0;
    plan->elastic = mix_has(&rng, 2) ? (uint32_t)prng_between(&rng, 1, 2) : 0;
    if (mix_has(&rng, 2)) {
        plan->gc_ms = (uint32_t)prng_between(&rng, 20, 300);
        plan->deletes = (uint32_t)prng_between(&rng, 20, 60);
    }
    if (plan->has_mortals || plan->retriers) /* they go by the wall clock */
        plan->skew = 0;
    if (plan->sessions || plan->retriers)
        plan->sync_fail = 0;
}
