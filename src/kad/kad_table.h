/* kad_table.h: the k-buckets. Private to kad. */
#ifndef GOSSAMER_KAD_TABLE_H
#define GOSSAMER_KAD_TABLE_H

#include "limits.h"
#include "message.h"
#include "pool.h"
#include "prng.h"
#include "types.h"

#define KAD_SILENT_MAX 3 /* silent checks in a row after which a contact may be replaced */

/* One peer that proved its address. */
struct kad_contact {
    struct contact contact;
    instant seen;   /* last proof */
    instant check;  /* when to ask it whether it lives; INSTANT_NEVER: not by us, or being asked */
    uint8_t silent; /* checks in a row without an answer */
};
_Static_assert(sizeof(struct kad_contact) <= 128, "a contact stays small (architecture.md 7)");

/* One bucket: contacts that share exactly `prefix` bits with self (the last: or more).
 *
 *   contacts   least recently proved ... most recently proved    in use
 *   waiting    least recently proved ... most recently proved    proved too, but there is no room
 */
struct kad_bucket {
    unsigned count, waiting_count;
    struct kad_contact contacts[KAD_K];
    struct kad_contact waiting[KAD_REPLACEMENTS];
};

struct kad_table {
    struct node_id self;
    unsigned cell_depth;
    struct prng *prng; /* borrowed from the room */
    struct pool pool;  /* of buckets; taken when the first contact comes */
    struct kad_bucket *buckets[KAD_BUCKETS_KEPT];
    instant next_check; /* no contact is to be checked before this */
};

enum status kad_table_init(struct kad_table *table, const struct node_id *self, unsigned cell_depth,
                           struct prng *prng) MUST_USE;
void kad_table_close(struct kad_table *table);
/* kad_table_bucket gives the number of the bucket an id belongs to. */
unsigned kad_table_bucket(const struct kad_table *table, const struct node_id *id);
/* kad_table_find returns a contact in use, or NULL. */
struct kad_contact *kad_table_find(const struct kad_table *table, const struct node_id *id);
/* kad_table_wants tells whether a stranger that proves itself would find a place, be it a waiting
 * one that is free. */
bool kad_table_wants(const struct kad_table *table, const struct node_id *id);
/* kad_table_prove takes a proof in. Where a newcomer found its bucket full it returns the contact
 * that has to show that it lives, otherwise NULL. */
struct kad_contact *kad_table_prove(struct kad_table *table, instant now,
                                    const struct contact *contact);
void kad_table_silence(struct kad_table *table, instant now, const struct node_id *id);
void kad_table_remove(struct kad_table *table, const struct node_id *id);

/* What kad_table_nearest looks for. */
struct kad_near {
    const struct node_id *target;
    const struct node_id *except; /* left out; may be NULL */
    unsigned silent_max;          /* silent checks in a row still tolerated */
};
/* kad_table_nearest fills `into` with at most `max` (no more than KAD_K) contacts in use, nearest
 * first, and returns how many. */
unsigned kad_table_nearest(const struct kad_table *table, const struct kad_near *near,
                           const struct kad_contact **into, unsigned max);
/* kad_table_due returns a contact whose check is due, its check set to INSTANT_NEVER, or NULL.
 * kad_table_postpone sets when a contact is to be checked. */
struct kad_contact *kad_table_due(struct kad_table *table, instant now);
void kad_table_postpone(struct kad_table *table, struct kad_contact *contact, instant check);

#endif
