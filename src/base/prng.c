/* prng.c: xoshiro256** by Blackman and Vigna, "Scrambled linear pseudorandom number generators"
 * (2018), seeded by splitmix64. Small, fast, of known quality, and the same on every machine: a
 * simulated run is its seed. */
#include "prng.h"
#include "ensure.h"

static uint64_t prng_rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t prng_splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        prng->state[i] = prng_splitmix(&seed);
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = prng_rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = prng_rotate(s[3], 45);
    return result;
}

/* Numbers below 2^64 mod bound are drawn again, so that every remainder is equally likely. */
uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    uint64_t refused, value;

    ensure(bound > 0);
    refused = (0 - bound) % bound;
    do
        value = prng_next(prng);
    while (value < refused);
    return value % bound;
}

uint64_t prng_between(struct prng *prng, uint64_t low, uint64_t high)
{
    ensure(low <= high);
    if (high - low == UINT64_MAX)
        return prng_next(prng);
    return low + prng_below(prng, high - low + 1);
}

bool prng_chance(struct prng *prng, uint64_t of, uint64_t out_of)
{
    return prng_below(prng, out_of) < of;
}

uint64_t prng_jitter(struct prng *prng, uint64_t value, unsigned percent)
{
    uint64_t span;

    ensure(percent <= 100);
    span = value / 100 * percent + value % 100 * percent / 100;
    return prng_between(prng, value - span, value > UINT64_MAX - span ? UINT64_MAX : value + span);
}

static void prng_swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t held = a[i];

        a[i] = b[i];
        b[i] = held;
    }
}

void prng_shuffle(struct prng *prng, void *items, size_t count, size_t size)
{
    uint8_t *bytes = items;

    for (size_t i = count; i > 1; i--)
        prng_swap(bytes + (i - 1) * size, bytes + prng_below(prng, i) * size, size);
}
