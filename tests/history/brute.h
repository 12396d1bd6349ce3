/* brute.h: the same verdicts by the shortest definition there is, for histories of a few
 * operations: all orders are tried. No file of the checkers is used. */
#ifndef GOSSAMER_HISTORY_BRUTE_H
#define GOSSAMER_HISTORY_BRUTE_H

#include "history.h"

#define BRUTE_OPS 8u

/* brute_is_atomic: is there an order of all operations of the one key, each between its call and
 * its end, in which every read shows the write before it? Writes of unknown outcome may be left
 * out. */
bool brute_is_atomic(const struct history *history);
/* brute_is_regular: does every read show the last write that ended before it, or one under way? */
bool brute_is_regular(const struct history *history);
/* brute_is_set: is every element in all reads from the moment it is acknowledged? */
bool brute_is_set(const struct history *history);

#endif
