/* hint.h: which owner lacks what, and for how long (protocols.md 7.1). A hint is a reference: owner
 * and row, no value. When the owner is back it is given what the row holds then, so a hint is never
 * out of date, and giving it twice does no harm.
 *
 *               hint_add                  hint_send                     hint_sent(held)
 *   missed ack ----------> WAITS, oldest ----------> is being given -------------------> gone
 *                          first          <---------- hint_sent(not held, or missed again)
 *                            '-- too old, or the owners agree: hint_drop ---------------> gone
 *
 * The room keeps books only. It knows neither store nor links: the node writes rows for hints
 * (hint_unsaved), gives them, and says how it went. */
#ifndef GOSSAMER_HINT_H
#define GOSSAMER_HINT_H

#include "limits.h"
#include "list.h"
#include "status.h"
#include "types.h"

/* One owner lacks one row. Read it, change it through the functions only. */
struct hint {
    struct list in_owner;  /* those that wait, oldest first; or those being given */
    struct list in_saving; /* those without a row of their own */
    struct hint *next;     /* private: in its bucket */
    struct hint_owner *owner;
    uint64_t made_ms; /* wall clock, when the write was first missed */
    instant touched;  /* when it was missed last */
    uint32_t partition;
    bool is_sending;
    bool is_again; /* missed once more while it was being given */
    bool is_saved; /* the node was told to write a row for it */
    uint16_t key_size;
    uint8_t key[]; /* OBJ row key */
};

/* A peer that lacks something, or did. */
struct hint_owner {
    struct list in_owners, waiting, sending; /* of struct hint */
    uint64_t id8;
    uint32_t count, sending_count; /* all hints; those being given */
    instant agreed;  /* hints touched before are settled: both hold the same; 0: never */
    instant dropped; /* when the last one was given up and left to anti-entropy; 0: none is */
    instant pause;   /* the node gives nothing before */
};

struct hint_config {
    uint32_t partitions;
    uint32_t count_max;  /* hints of one owner (hints.count_max) */
    uint64_t age_max_ms; /* hints.age_max */
    uint8_t seed[HASH_SEED_SIZE];
};

/* What became of a hint. */
enum hint_fate {
    HINT_NEW,
    HINT_KNOWN,   /* there is one of this owner and row already */
    HINT_REFUSED, /* at a bound: anti-entropy does it */
};

struct hints;

/* hints_new makes an empty book: 4 bytes a partition, the rest as needed up to HINT_BYTES_MAX.
 * NULL: no memory. */
struct hints *hints_new(const struct hint_config *config);
void hints_delete(struct hints *hints);

/* hint_add remembers that `owner` (id8) lacks the row (copied) in `partition` since `made_ms`. */
struct hint_row {
    uint64_t owner;
    struct slice key; /* OBJ row key */
    uint32_t partition;
    uint64_t made_ms;
    bool is_saved; /* it was read from its own row */
};
enum hint_fate hint_add(struct hints *hints, instant now, const struct hint_row *row);
/* hint_key gives the OBJ row key of a hint. */
static inline struct slice hint_key(const struct hint *hint)
{
    return (struct slice){hint->key, hint->key_size};
}
/* hint_find returns the hint of an owner and a row, or NULL. */
struct hint *hint_find(const struct hints *hints, uint64_t owner, struct slice row_key);

/* hint_owner_next walks over the owners: NULL first, NULL at the end. The one returned may lose its
 * hints, none goes before hints_tidy. */
struct hint_owner *hint_owner_next(const struct hints *hints, const struct hint_owner *at);
struct hint_owner *hint_owner_find(const struct hints *hints, uint64_t id8);
/* hint_first returns the oldest hint that waits, or NULL. */
struct hint *hint_first(const struct hint_owner *owner);
/* hint_is_settled tells whether both were found equal since the write was missed last;
 * hint_is_old whether it is beyond age_max. */
bool hint_is_settled(const struct hint *hint);
bool hint_is_old(const struct hints *hints, const struct hint *hint, uint64_t wall_ms);
/* hint_send: it is being given now. hint_sent: the owner holds it durably, and then the hint goes
 * (true), unless the row was missed again meanwhile; or it does not, and the hint waits again
 * behind the others (false). */
void hint_send(struct hint *hint);
bool hint_sent(struct hints *hints, struct hint *hint, bool is_held);
/* hint_drop forgets a hint. `is_lost` at `now`: nobody has given it, anti-entropy will. */
void hint_drop(struct hints *hints, instant now, struct hint *hint, bool is_lost);
/* hint_agreed: this peer and an owner held the same in all partitions they share, at some time not
 * before `since`. */
void hint_agreed(struct hints *hints, uint64_t owner, instant since);
/* hints_tidy forgets owners that lack nothing. */
void hints_tidy(struct hints *hints);

/* hint_unsaved returns the next hint without a row and takes it for saved, or NULL. hints_unsave
 * takes it back for all: writes were lost. */
struct hint *hint_unsaved(struct hints *hints);
void hints_unsave(struct hints *hints);

/* hints_open counts hints of a partition, hints_count all of them, hints_partitions the partitions
 * that have any; hint_owner_oldest_ms is when the oldest of an owner was made, hints_oldest_ms of
 * all, 0: there is none. hints_are_lost tells whether hints of some owner were given up and no
 * comparison has settled it. */
uint32_t hints_open(const struct hints *hints, uint32_t partition);
uint32_t hints_count(const struct hints *hints);
uint32_t hints_partitions(const struct hints *hints);
uint64_t hint_owner_oldest_ms(const struct hint_owner *owner);
uint64_t hints_oldest_ms(const struct hints *hints);
bool hints_are_lost(const struct hints *hints);

#endif
