/* crdt_room.h: what the files of this room share. */
#ifndef GOSSAMER_CRDT_ROOM_H
#define GOSSAMER_CRDT_ROOM_H

#include "crdt.h"

/* An object is read no further than its counts say, so one that is about to be filled need not be
 * cleared first, whatever the build flags ask: 25 KB of zeros cost more than a merge. */
#define CRDT_SCRATCH __attribute__((uninitialized))

/* crdt_values_equal tells whether two values have the same content, whatever their dots. In heads
 * the size stands for the body. */
bool crdt_values_equal(const struct crdt_value *a, const struct crdt_value *b);
/* crdt_object_find returns the entry of `actor`, or NULL. */
const struct crdt_entry *crdt_object_find(const struct crdt_object *object, uint64_t actor);
/* crdt_entry_past returns how far everything of an entry's actor is known to be discarded: to just
 * below its first live value, or as far as it was seen. */
uint64_t crdt_entry_past(const struct crdt_object *object, const struct crdt_entry *entry);
/* crdt_entry_top returns the largest stamp the entry names in any way. */
uint64_t crdt_entry_top(const struct crdt_object *object, const struct crdt_entry *entry);
/* crdt_entry_is_canonical tells whether an entry is one that merge would leave as it is. */
bool crdt_entry_is_canonical(const struct crdt_object *object, const struct crdt_entry *entry);

/* Tokens are base64url text without padding (RFC 4648 section 5), one text per byte string. */
#define CRDT_TEXT_SIZE(bytes) (((bytes)*4 + 2) / 3) /* characters */
/* crdt_text_write appends bytes as text. OK; TOO_LARGE: no room, then `text` is as it was. */
enum status crdt_text_write(struct writer *text, struct slice bytes) MUST_USE;
/* crdt_text_read appends what a text stands for; false: it stands for nothing, or has no room. */
bool crdt_text_read(struct slice text, struct writer *bytes);
/* crdt_counter_is_sound tells whether bytes are two canonical varints. */
bool crdt_counter_is_sound(struct slice body);
/* crdt_counter_add writes the new totals of `actor`: its own live ones and `delta`. OK; OVERFLOW:
 * the sum over all actors, or a total, would leave 64 bits. */
enum status crdt_counter_add(const struct crdt_object *object, uint64_t actor, int64_t delta,
                             struct writer *body);
/* crdt_counter_join writes the sum of the totals under the dots of `which`. OK; OVERFLOW. */
enum status crdt_counter_join(const struct crdt_object *object, const struct crdt_context *which,
                              struct writer *body);

#endif
