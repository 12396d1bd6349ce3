/* logint.h: integer logarithm, so that two C libraries compute the same owners and timeouts. */
#ifndef GOSSAMER_LOGINT_H
#define GOSSAMER_LOGINT_H

#include <stdint.h>

/* logint_log2_q32 returns log2(value) in Q32 fixed point, truncated; value >= 1. Error below
 * 2^-31. */
uint64_t logint_log2_q32(uint64_t value);
/* logint_log10_milli returns 1000 * log10(value), truncated; value >= 1. */
uint32_t logint_log10_milli(uint64_t value);

#endif
