/* seal_window.h: which packet numbers of one (peer, epoch) were seen. */
#ifndef GOSSAMER_SEAL_WINDOW_H
#define GOSSAMER_SEAL_WINDOW_H

#include "types.h"

#define SEAL_WINDOW_BITS 1024u /* packets that may overtake each other (security.md W1) */

struct seal_window {
    uint64_t top;                         /* greatest number accepted */
    uint64_t floor;                       /* nothing up to here is accepted; number 0 never is */
    uint64_t bits[SEAL_WINDOW_BITS / 64]; /* ring: bit n % 1024 for n in (top - 1024, top] */
};

/* seal_window_allows tells whether `number` is new. Changes nothing: the packet may be forged. */
bool seal_window_allows(const struct seal_window *window, uint64_t number);
/* seal_window_accept marks `number`, which must be allowed and authenticated. */
void seal_window_accept(struct seal_window *window, uint64_t number);
/* seal_window_raise refuses everything up to `number` from now on. */
void seal_window_raise(struct seal_window *window, uint64_t number);

#endif
