/* model.h: histories that are right because a model made them: a single copy that takes every
 * operation at one point between its call and its end. */
#ifndef GOSSAMER_HISTORY_MODEL_H
#define GOSSAMER_HISTORY_MODEL_H

#include "history.h"
#include "prng.h"

/* model_register: one key, one writer, `clients` - 1 readers that overlap it. One write in sixteen
 * has an unknown outcome. */
void model_register(struct history *history, struct prng *prng, unsigned count, unsigned clients);
/* model_set: `count` operations, each put to a key of its own, reads of any key. */
void model_set(struct history *history, struct prng *prng, unsigned count, unsigned clients);
/* model_siblings: one key, many writers: contexts of earlier reads, deletes, repeats under another
 * tag, unknown outcomes; without contexts too if `is_blind`, else only the first put. Ends with a
 * final read at three peers. */
void model_siblings(struct history *history, struct prng *prng, unsigned count, bool is_blind);
/* model_counter: one key, everybody adds and reads; ends with a final read at three peers. */
void model_counter(struct history *history, struct prng *prng, unsigned count, unsigned clients);
/* model_orset: one element, added and removed by everybody, with and without contexts. */
void model_orset(struct history *history, struct prng *prng, unsigned count, unsigned clients);

#endif
