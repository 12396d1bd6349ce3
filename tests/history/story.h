/* story.h: small histories in words, for the tests of the checkers. Steps end with a semicolon:
 *
 *   put VALUE BEGIN END [rN]    get VALUES BEGIN END [final] [pN]    del BEGIN END [rN]    key NAME
 *
 * END is a time, ? (the outcome is unknown) or ! (it certainly failed). rN: with the context of
 * step N, counted from 0 without the `key` steps. pN: at peer N. VALUES are separated by commas, -
 * is none; a value is followed by :TAG when it is shown under another entity tag than the
 * acknowledged one. The first key is "k". */
#ifndef GOSSAMER_HISTORY_STORY_H
#define GOSSAMER_HISTORY_STORY_H

#include "history.h"

/* story_tell makes a history of a text; aborts when the text is not as above. */
void story_tell(struct history *history, const char *text);
/* story_put, story_get and story_delete add one operation to a history; `context` may be
 * HISTORY_NONE and `ret` HISTORY_NEVER. `value` 0 is no value. They return its index. */
uint32_t story_put(struct history *history, uint32_t value, uint64_t inv, uint64_t ret);
uint32_t story_get(struct history *history, uint32_t value, uint64_t inv, uint64_t ret);
/* story_copy makes a second history of the same operations. */
void story_copy(struct history *copy, const struct history *history);

#endif
