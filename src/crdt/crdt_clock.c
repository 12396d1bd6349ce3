/* The hybrid clock: 48 bits of milliseconds, 16 bits of counter (protocols.md part 1; Kulkarni et
 * al., "Logical Physical Clocks", 2014, with the two parts in one integer).
 *
 * A write must be above every stamp of its key, even if a peer whose clock was a year ahead wrote
 * there; and that year must not enter our own clock, or every key we touch would inherit it. So
 * there are two sequences. The ordinary one issues even stamps and is what packets carry. Stamps
 * beyond the limit come from a second one and are odd: however the wall clock jumps later, the
 * two never issue the same stamp, and a dot stays unique. */
#include "crdt.h"

#define CRDT_COUNTER_BITS 16
#define CRDT_MS_MAX                                                                                \
    (UINT64_MAX >> (CRDT_COUNTER_BITS + 1)) /* keeps stamps below CRDT_STAMP_MAX                   \
                                             */

uint64_t crdt_stamp_ms(uint64_t stamp)
{
    return stamp >> CRDT_COUNTER_BITS;
}

uint64_t crdt_stamp_of(uint64_t ms)
{
    return (ms < CRDT_MS_MAX ? ms : CRDT_MS_MAX) << CRDT_COUNTER_BITS;
}

static uint64_t clock_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The next even or odd number above `stamp`; stays at the top of the range instead of wrapping. */
static uint64_t clock_even_above(uint64_t stamp)
{
    return stamp > UINT64_MAX - 3 ? UINT64_MAX - 1 : (stamp | 1) + 1;
}

static uint64_t clock_odd_above(uint64_t stamp)
{
    return stamp > UINT64_MAX - 2 ? UINT64_MAX : ((stamp + 1) | 1);
}

uint64_t crdt_clock_next(struct crdt_clock *clock, uint64_t wall_ms, uint64_t above)
{
    uint64_t limit = clock_max(crdt_stamp_of(wall_ms), clock->last);

    limit += crdt_stamp_of(CRDT_CLOCK_AHEAD_MS);
    if (above > limit) {
        clock->far = clock_odd_above(clock_max(clock->far, above));
        return clock->far;
    }
    clock->last =
        clock_max(clock_even_above(clock_max(clock->last, above)), crdt_stamp_of(wall_ms));
    return clock->last;
}

void crdt_clock_observe(struct crdt_clock *clock, uint64_t wall_ms, uint64_t remote)
{
    uint64_t limit = crdt_stamp_of(wall_ms) + crdt_stamp_of(CRDT_CLOCK_AHEAD_MS);

    clock->last = clock_max(clock->last, remote < limit ? remote : limit);
}
