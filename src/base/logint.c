/* logint.c: logarithms by integers alone. The owners of a key are decided by a comparison of
 * logarithms; if two C libraries rounded one of them differently, two peers would disagree about
 * who owns the key. So there is no floating point here. */
#include "logint.h"
#include "ensure.h"

/* The mantissa m is in [1, 2) as Q63. log2(m) = log2(m*m) / 2, so squaring moves the next binary
 * digit of the logarithm in front of the point: it is 1 when the square reaches 2. Each squaring
 * loses less than 2^-62 of m, which 32 rounds cannot bring near 2^-32. */
uint64_t logint_log2_q32(uint64_t value)
{
    unsigned whole;
    uint64_t mantissa, result;

    ensure(value >= 1);
    whole = 63u - (unsigned)__builtin_clzll(value);
    mantissa = value << (63 - whole);
    result = whole;
    for (int digit = 0; digit < 32; digit++) {
        unsigned __int128 square = (unsigned __int128)mantissa * mantissa >> 63;
        unsigned is_two = (unsigned)(square >> 64);

        mantissa = (uint64_t)(square >> is_two);
        result = result << 1 | is_two;
    }
    return result;
}

#define LOG10_OF_2_Q64 5553023288523357132u /* 2^64 * log10(2), truncated */

/* Powers of ten are answered apart: their truncated binary logarithm would end one below. */
uint32_t logint_log10_milli(uint64_t value)
{
    uint64_t power = 1;
    uint32_t exponent = 0;

    ensure(value >= 1);
    while (power <= value / 10) {
        power *= 10;
        exponent++;
    }
    if (power == value)
        return exponent * 1000;
    return (uint32_t)((((unsigned __int128)logint_log2_q32(value) * LOG10_OF_2_Q64 >> 32) * 1000) >>
                      64);
}
