/* place.h: who should hold a key, now and after the move. Partitions of the key hash are given to
 * peers by weighted rendezvous hashing with integer scores (Thaler and Ravishankar 1998; weights
 * as in "Weighted Distributed Hash Tables", Schindelhauer and Schomaker 2005), spread over hosts,
 * then zones. Liveness plays no part: owners change only with the placement list. */
#ifndef GOSSAMER_PLACE_H
#define GOSSAMER_PLACE_H

#include "front.h"
#include "limits.h"
#include "message.h"
#include "status.h"
#include "types.h"

/* --- tables: partition -> owners, an immutable value named by the hash of its input */

struct place_cache;
/* place_cache_new makes a cache in which nodes of one process share equal tables; `tables_max`
 * unused tables are kept. place_cache_delete frees it; all tables must have been dropped. */
struct place_cache *place_cache_new(uint32_t tables_max);
void place_cache_delete(struct place_cache *cache);

/* --- the placement list of one cell and the two owner sets made of it.
 *
 *   state     base  target
 *   JOINING    no    yes       gets copies, becomes ACTIVE when it has them all
 *   ACTIVE     yes   yes
 *   LEAVING    yes   no        hands copies over, becomes OUT when others have them
 *   OUT        no    no
 *   GONE       rank  no        forgotten: its rank in base stands empty until others took its place
 *   WEIGHING   yes   yes       with the weight it had in base, with the one it is to have in target
 *
 * Writes need W owners in base and W in target; reads R in both. Each change of one record moves
 * exactly one of the two sets, so neighbouring layouts always share a quorum (our own rule, after
 * the joint sets of Raft, section 6, and Garage's layout history). */
static inline bool place_is_in_base(unsigned state)
{
    return state == PLACE_ACTIVE || state == PLACE_LEAVING || state == PLACE_WEIGHING;
}

struct place;
struct place_config {
    struct place_cache *cache; /* borrowed */
    uint64_t self8;            /* whose partitions are looked up fastest; 0: nobody's */
    uint32_t peers_max;        /* records kept, OUT included */
    uint8_t seed[HASH_SEED_SIZE];
    uint8_t partition_bits; /* at most PARTITION_BITS_MAX */
    uint8_t cell_depth;
    uint8_t replicas; /* N wanted; fewer peers, fewer owners */
};
/* place_new makes an empty list. NULL: no memory. */
struct place *place_new(const struct place_config *config);
void place_delete(struct place *place);

/* place_merge takes a record in if it is newer (larger stamp, then larger by, then larger bytes).
 * OK: the list changed. STALE: known or older. FULL: a stranger above peers_max. BAD: no such
 * state, or a label that is too long. The tables are remade lazily. */
enum status place_merge(struct place *place, const struct place_record *record) MUST_USE;
/* place_find returns the record of a peer, NULL for a stranger; valid until the next merge. */
const struct place_record *place_find(const struct place *place, uint64_t id8);
/* place_count and place_at walk all records, OUT included, in id order. */
uint32_t place_count(const struct place *place);
const struct place_record *place_at(const struct place *place, uint32_t index);
/* place_layout returns the hash over all that says who owns a key: the records that are not OUT
 * (state, weight, host, zone, id) and the classes of replicas. 0 for an empty list. */
uint64_t place_layout(const struct place *place);
/* place_digest returns the sum over all records (OUT included) of siphash(record): its part of
 * the table digest on pings. */
uint64_t place_digest(const struct place *place);
/* place_current returns the id8 of the peer whose move is under way, 0 when none is: of those that
 * are JOINING, LEAVING, GONE or WEIGHING the one whose record is the oldest (ties by id). Only it
 * differs between base and target; a waiting JOINING peer is in neither, a waiting LEAVING peer in
 * both (GONE: its empty rank is), a waiting WEIGHING one has its old weight. A peer that is away in
 * the middle of its move holds the others up until it is back or forgotten. */
uint64_t place_current(const struct place *place);
/* place_is_moving tells whether a move is under way. */
bool place_is_moving(const struct place *place);

/* Owners of one partition: first all of base in rank order, then those only in target. */
struct place_owners {
    uint8_t count;                    /* entries below */
    uint8_t base_count, target_count; /* size of each set: min(N, peers that may own) */
    uint8_t gone_count;               /* ranks of base that stand empty: their peers are GONE */
    struct {
        uint64_t id8;
        bool is_base, is_target;
    } peers[SET_MAX];
};
/* place_owners gives the owners of a partition under the present list; none when nobody may own,
 * when no namespace is of its class, or when there was no memory for the table (the next call tries
 * again). */
void place_owners(struct place *place, uint32_t partition, struct place_owners *owners);
/* place_owners_ever is the same, also of a class that no namespace is of any more. */
void place_owners_ever(struct place *place, uint32_t partition, struct place_owners *owners);
/* place_owns tells whether a peer is one of them; many times cheaper than to list them. */
bool place_owns(struct place *place, uint32_t partition, uint64_t id8);
/* place_owners_find tells which of the owners a peer is, by their order; -1: none of them. */
int place_owners_find(const struct place_owners *owners, uint64_t id8);

/* --- partitions and their classes, as front.h tells: class 0 holds the namespaces with the
 * cluster's number of replicas, class n those with n; a front is what a row key begins with. */

/* place_class gives the class of a number of replicas; 0 also for no number. */
unsigned place_class(const struct place *place, uint8_t replicas);
/* place_classes tells which classes are in use (bit n: class n) and, as a hash, since when: both
 * are of the layout. */
void place_classes(struct place *place, uint8_t used, uint64_t version);
/* place_has_classes tells whether there may be others than class 0. */
bool place_has_classes(const struct place *place);
/* place_front gives what the row keys of a key begin with, place_front_class the class in it. */
uint64_t place_front(const struct place *place, uint64_t hash_front, unsigned class);
unsigned place_front_class(const struct place *place, uint64_t front);
/* place_partition gives the partition of a front: the bits behind the cell depth. */
uint32_t place_partition(const struct place *place, uint64_t front);
/* place_partition_max returns how many numbers partitions can have: 2^bits of class 0, then 2^(bits
 * - 3) of each other class. place_partition_count returns the first number above the last class in
 * use: 2^bits where no other is. place_partition_next returns the next that is in use, the count
 * when there is none; place_partitions_used counts them. */
uint32_t place_partition_max(const struct place *place);
uint32_t place_partition_count(const struct place *place);
uint32_t place_partition_next(const struct place *place, uint32_t partition);
uint32_t place_partitions_used(const struct place *place);
/* place_class_first and place_class_count tell which partitions are of a class,
 * place_partition_class which class one is of. */
uint32_t place_class_first(const struct place *place, unsigned class);
uint32_t place_class_count(const struct place *place, unsigned class);
unsigned place_partition_class(const struct place *place, uint32_t partition);

/* --- settings of namespaces (place_space.c): a bounded list of last-writer records that every peer
 * of the cell holds, and what follows from it for a name. */
struct place_spaces;
/* place_spaces_new makes an empty list; `seed` is the cluster's hash seed. NULL: no memory. */
struct place_spaces *place_spaces_new(const uint8_t seed[HASH_SEED_SIZE]);
void place_spaces_delete(struct place_spaces *spaces);
/* place_spaces_merge takes what is newer in a record, the replicas by a stamp of their own. OK: the
 * list changed. STALE: known or older. FULL: a stranger above NAMESPACES_MAX. */
enum status place_spaces_merge(struct place_spaces *spaces,
                               const struct space_record *record) MUST_USE;
/* place_spaces_find returns the record of a name, deleted ones too; NULL when there is none. Valid
 * until the next merge. place_spaces_at walks all of them by name. */
const struct space_record *place_spaces_find(const struct place_spaces *spaces, struct slice name);
uint32_t place_spaces_count(const struct place_spaces *spaces);
const struct space_record *place_spaces_at(const struct place_spaces *spaces, uint32_t index);
/* place_spaces_name_hash stands for a name in TABLE. */
uint64_t place_spaces_name_hash(const struct place_spaces *spaces, struct slice name);
/* place_spaces_digest is the part of the list in the table digest, a sum as place_digest is. */
uint64_t place_spaces_digest(const struct place_spaces *spaces);
/* place_spaces_replicas returns what is set for a name itself, 0: nothing. */
uint8_t place_spaces_replicas(const struct place_spaces *spaces, struct slice name);
/* place_spaces_classes returns which classes of `place` are in use, and as a hash which changes of
 * replicas are known; 0: none ever. */
uint8_t place_spaces_classes(const struct place_spaces *spaces, const struct place *place,
                             uint64_t *version);
/* place_spaces_apply replaces in `settings`, which every bit of is set, what `_default` sets, then
 * what `name` sets. */
void place_spaces_apply(const struct place_spaces *spaces, struct slice name,
                        struct space_settings *settings);

/* place_score is the weighted rendezvous score of a peer for a partition; smaller is better.
 * weight >= 1 (1/256). Public for tests and bench. */
uint64_t place_score(const uint8_t seed[HASH_SEED_SIZE], uint64_t id8, uint32_t partition,
                     uint16_t weight);

#endif
