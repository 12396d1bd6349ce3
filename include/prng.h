/* prng.h: a node's own seeded generator (xoshiro256**). Not for secrets: keys, nonces and epochs
 * come from the injected entropy. */
#ifndef GOSSAMER_PRNG_H
#define GOSSAMER_PRNG_H

#include "types.h"

struct prng {
    uint64_t state[4];
};

/* prng_init spreads `seed` over the state (splitmix64), so that neighbouring seeds differ. */
void prng_init(struct prng *prng, uint64_t seed);
/* prng_next returns 64 uniform bits. */
uint64_t prng_next(struct prng *prng);
/* prng_below returns a uniform number in [0, bound), without modulo bias; bound > 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);
/* prng_between returns a uniform number in [low, high]; low <= high. */
uint64_t prng_between(struct prng *prng, uint64_t low, uint64_t high);
/* prng_chance is true `of` times out of `out_of` (out_of > 0). */
bool prng_chance(struct prng *prng, uint64_t of, uint64_t out_of);
/* prng_jitter returns `value` changed by at most `percent` up or down. */
uint64_t prng_jitter(struct prng *prng, uint64_t value, unsigned percent);
/* prng_shuffle permutes `count` elements of `size` bytes each (Fisher-Yates). */
void prng_shuffle(struct prng *prng, void *items, size_t count, size_t size);

#endif
