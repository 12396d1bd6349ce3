/* place_score.c: the one number that decides who stores what.
 *
 * In plain rendezvous hashing each peer draws a hash for each partition and the best draw wins
 * (Thaler and Ravishankar 1998). For weights the draw becomes an exponential variable whose rate is
 * the weight: with x uniform in (0, 1), -log(x) / w is smallest for a peer with probability
 * w / sum(w) (Schindelhauer and Schomaker 2005, logarithmic method). A change of one weight moves
 * partitions only to or from that peer.
 *
 * Ours is the arithmetic: everything is an integer, because owners computed by two C libraries must
 * agree to the last bit.
 *
 *   u     = siphash(seed; id8 | partition) >> 11     53 bits
 *   x     = (2u + 1) / 2^54                          never 0, never 1
 *   L     = -log2(x) = 54 - log2(2u + 1)             Q32, below 2^38
 *   score = (L << 16) / weight                       below 2^54
 */
#include "place_private.h"

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "logint.h"

uint64_t place_draw(const uint8_t seed[HASH_SEED_SIZE], uint64_t id8, uint32_t partition)
{
    uint8_t input[12];
    struct writer writer = writer_over(input, sizeof input);

    write_u64(&writer, id8);
    write_u32(&writer, partition);
    return hash_sip64(seed, input, sizeof input) >> 11;
}

uint64_t place_draw_score(uint64_t draw, uint16_t weight)
{
    ensure(weight > 0);
    return (((54ull << 32) - logint_log2_q32(2 * draw + 1)) << 16) / weight;
}

uint64_t place_score(const uint8_t seed[HASH_SEED_SIZE], uint64_t id8, uint32_t partition,
                     uint16_t weight)
{
    return place_draw_score(place_draw(seed, id8, partition), weight);
}
