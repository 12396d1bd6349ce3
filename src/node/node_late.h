/* node_late.h: how late a link's records come, so that a deadline holds where it was set and not
 * where it arrives (decision 0024). Part of node_impl.h.
 *
 *      sender's clock      s0      s1            s2
 *      receiver's clock      r0      r1                     r2      r - s is their distance and the
 *      r - s                 7       7                      19      way: above its least, delay
 */
#ifndef GOSSAMER_NODE_LATE_H
#define GOSSAMER_NODE_LATE_H

#include "types.h"

/* The least distance seen, and when. Clocks run apart since. */
struct node_least {
    uint64_t gap; /* our clock less the sender's, modulo 2^64 */
    instant at;
};

struct node_late {
    uint32_t drift;             /* how far clocks run apart: per thousand */
    bool is_known;              /* a record has come */
    instant asked;              /* when the words left that the first record answers */
    struct node_least least[2]; /* of this stretch of time, and of the one before */
    instant turned;             /* when this stretch began */
    uint32_t records;           /* in it */
    uint64_t there;             /* the sender's clock by now, or later: us */
};

/* A record came that was sent at `sent` of the sender's clock. */
void node_late_heard(struct node_late *late, instant now, uint64_t sent);
/* Spells a moment of our clock for a frame, never 0. */
uint32_t node_late_spell(instant deadline);
/* What is left at the sender of such a moment: ms, 0 or less when it has passed. */
int32_t node_late_left(const struct node_late *late, uint32_t deadline_ms);

#endif
