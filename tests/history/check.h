/* check.h: what a history must have been like. Each checker takes a history, looks at the keys that
 * begin with a prefix and counts what it found; nothing else goes in, nothing is kept.
 *
 * Two facts of Gossamer shape them (docs/decisions/0005). An edge repeats a silent write at another
 * owner, so one PUT may leave two values with equal bytes and different entity tags; a value is
 * known here by both. And the repeat may be carried out long after the write was acknowledged. */
#ifndef GOSSAMER_HISTORY_CHECK_H
#define GOSSAMER_HISTORY_CHECK_H

#include "history.h"

#define CHECK_NOTES 8
#define CHECK_NOTE_SIZE 240

/* The first few complaints in words. */
struct check_notes {
    uint32_t count; /* all of them, told or not */
    char text[CHECK_NOTES][CHECK_NOTE_SIZE];
};

/* Grow-only set: each key is written once. */
struct check_set {
    uint32_t elements, acknowledged, reads;
    uint32_t lost;  /* known (acknowledged or read), then missing from a read and all later ones */
    uint32_t stale; /* acknowledged, missing from a later read, present again */
    uint32_t flicker; /* the same before it was acknowledged: legal, reads do not write back */
    uint32_t phantom; /* read, but never written, or refused, or written later, or to another key */
    uint32_t surplus; /* a read showed more than the one value */
    struct check_notes notes;
};
void check_set(const struct history *history, const char *prefix, struct check_set *found);
bool check_set_is_good(const struct check_set *found);

/* Regular register: one writer per key, who reads before it writes. A read may show siblings; the
 * newest by the writer's own order counts. */
struct check_register {
    uint32_t writes, reads;
    uint32_t phantom; /* as above */
    uint32_t old; /* a write that had ended before the read began was not seen, nor a later one */
    struct check_notes notes;
};
void check_register(const struct history *history, const char *prefix,
                    struct check_register *found);
bool check_register_is_good(const struct check_register *found);

/* Atomic register by zones (Gibbons and Korach, "Testing shared memories", 1997), on the same
 * histories. Old-new inversions are legal as long as reads do not write back: reported apart. */
struct check_zones {
    uint32_t keys, zones;
    uint32_t phantom;
    uint32_t overlaps; /* pairs of forward zones: two values had to be there at once */
    uint32_t inside;   /* a value came and went while another had to be there */
    struct check_notes notes;
};
void check_zones(const struct history *history, const char *prefix, struct check_zones *found);
bool check_zones_is_good(const struct check_zones *found);

/* Sibling register: several writers with and without contexts, and deletes.
 *
 * A write with a context *surely* covers what the read that gave the context showed: value and tag.
 * One without *may* cover all that was invoked before it returned; a DELETE without a context reads
 * at quorum first, so it surely covers what was acknowledged before it was invoked. */
struct check_siblings {
    uint32_t puts, deletes, reads, final_reads, keys;
    uint32_t phantom;
    uint32_t lost;        /* an acknowledged put neither in a final read nor maybe covered */
    uint32_t overtaken;   /* only a write without a context that had ended earlier may cover it: its
                             repeat came late. Legal, and counted */
    uint32_t resurrected; /* shown although an acknowledged write or delete surely covers it */
    uint32_t ordered;     /* one read showed a value and what surely covers it: no antichain */
    uint32_t diverged;    /* keys whose final reads differ between peers */
    uint32_t repeats;     /* values seen under another tag than the acknowledged one */
    struct check_notes notes;
};
void check_siblings(const struct history *history, const char *prefix,
                    struct check_siblings *found);
bool check_siblings_is_good(const struct check_siblings *found);

/* Counter: a PUT adds the delta its value begins with ("+1.c3.19"), a read shows the sum. */
struct check_counter {
    uint32_t adds, reads, final_reads;
    uint32_t below;    /* a read shows less than was certainly there */
    uint32_t above;    /* or more than may have been */
    uint32_t diverged; /* final reads that differ from the first */
    struct check_notes notes;
};
void check_counter(const struct history *history, const char *prefix, struct check_counter *found);
bool check_counter_is_good(const struct check_counter *found);

/* Or-set: one element is one key; a PUT adds, a DELETE removes, a read shows something or nothing.
 */
struct check_orset {
    uint32_t adds, removes, reads, final_reads;
    uint32_t lost;        /* an acknowledged add that no remove may have taken is not shown */
    uint32_t resurrected; /* shown although removes surely took every add */
    uint32_t diverged;    /* final reads that differ from the first */
    struct check_notes notes;
};
void check_orset(const struct history *history, const char *prefix, struct check_orset *found);
bool check_orset_is_good(const struct check_orset *found);

/* --- shared by the checkers */

/* check_note counts a complaint and keeps the first few. */
void check_note(struct check_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* check_puts returns an array from value to the PUT that wrote it, HISTORY_NONE without one. The
 * caller frees it. */
uint32_t *check_puts(const struct history *history);
/* check_is_phantom tells whether a read could not have shown this value. */
bool check_is_phantom(const struct history *history, const uint32_t *puts,
                      const struct history_op *read, uint32_t value);
/* check_newest returns the PUT of the latest invocation that a read showed, HISTORY_NONE when it
 * showed nothing known. */
uint32_t check_newest(const struct history *history, const uint32_t *puts,
                      const struct history_op *read);

/* Answers: what is the latest invocation among the operations that returned before t? */
struct check_ended {
    uint64_t *returned, *invoked; /* ascending; the prefix maximum beside it */
    uint32_t count;
};
void check_ended_make(struct check_ended *ended, uint32_t room);
void check_ended_add(struct check_ended *ended, const struct history_op *op);
void check_ended_sort(struct check_ended *ended);
/* 0 when none returned before t. */
uint64_t check_ended_before(const struct check_ended *ended, uint64_t t);
void check_ended_free(struct check_ended *ended);

#endif
