/* sync.h: do our copies match, and what is missing? Fingerprints of every partition, kept up by
 * the committer's reports, and pull rounds that fetch what another owner has and we lack
 * (protocols.md 7.2; the idea is Merkle anti-entropy as in Dynamo, DeCandia et al. 2007, section
 * 4.7, with a tree of sums in place of one of hashes). A round costs what differs, and it only
 * pulls; the other side pulls in rounds of its own. */
#ifndef GOSSAMER_SYNC_H
#define GOSSAMER_SYNC_H

#include "bytes.h"
#include "limits.h"
#include "message.h"
#include "status.h"
#include "types.h"

/* One row of a partition as the comparison sees it. */
struct sync_row {
    struct slice key; /* OBJ row key */
    struct hash16 fingerprint;
};

/* Rows of one partition in key order, as far as they were read. */
struct sync_page {
    enum status status; /* OK, or why there are none */
    const struct sync_row *rows;
    uint32_t count;
    bool is_last; /* none follow */
};

enum sync_output_kind {
    SYNC_SEND,   /* send `message` to peer `to` over a link; slices live for the call */
    SYNC_LIST,   /* list rows of `partition` behind row key `after`; answer: sync_listed(token) */
    SYNC_GIVE,   /* send the objects of `keys` (packed as AE_FETCH) to `peer` as AE_ITEMS of `round`
                    and question `token`: every key, with an empty object if there is none to send
                    now; or no message at all */
    SYNC_MERGE,  /* merge `items` (packed as AE_ITEMS) into the store; answer: sync_merged(token) */
    SYNC_PULLED, /* we durably hold all that `peer` held of `partition` at some time after `layout`
                    was known to both: what a new owner and one in recovery count */
    SYNC_GIVEN,  /* `peer` tells that it holds all that we held of `partition` under `layout` */
    SYNC_LAYOUT, /* `peer` knows another layout: compare tables with it */
    SYNC_STANDING,   /* `peer` holds `partition` under another number than we: `items` is its
                        standing,   empty: none. The partition is not pulled now */
    SYNC_ROUND_DONE, /* a round of ours ended with `status`; `differed` partitions, `rows` taken */
};

struct sync_output {
    enum sync_output_kind kind;
    uint64_t peer; /* id8 of the other side */
    const struct message *message;
    uint32_t token, round;
    uint16_t partition;
    struct slice after;       /* SYNC_LIST */
    struct slice keys, items; /* SYNC_GIVE, SYNC_MERGE */
    bool is_taken;            /* SYNC_PULLED, SYNC_ROUND_DONE: of sync_take */
    uint32_t gc;              /* SYNC_MERGE: the number the rows were read under */
    uint64_t layout;
    enum status status;
    uint32_t compared, differed, rows; /* SYNC_ROUND_DONE */
};

struct sync_config {
    uint32_t partitions;          /* numbers of partitions there may ever be */
    uint32_t rounds_max;          /* our own pull rounds at once; at most 4 (security.md W13) */
    uint32_t serves_max;          /* rounds of others served at once */
    uint8_t seed[HASH_SEED_SIZE]; /* for the super-root */
    uint64_t round_timeout_us;    /* a round without progress for so long ends with DEADLINE */
    /* Receives outputs; must not call back into sync. */
    void (*emit)(void *context, const struct sync_output *output);
    /* Tells whether `partition` is held both here and by `peer` under the present layout (base or
     * target of either): the set over which both sides of a round compute the super-root. */
    bool (*is_shared)(void *context, uint64_t peer, uint16_t partition);
    /* Tells whether we hold rows of `partition` without owning it and have offered them to `peer`:
     * what a round of sync_take may pull from us. NULL: never. */
    bool (*is_offered)(void *context, uint64_t peer, uint16_t partition);
    void *context;
};

struct sync;
/* sync_new allocates the fingerprint table (20 bytes a partition) and the rounds. NULL: no memory.
 */
struct sync *sync_new(const struct sync_config *config);
void sync_delete(struct sync *sync);

/* sync_use tells how many of the partitions are compared, from the first; all, until it is called.
 * Part of the layout: both sides of a round know the same, so rounds under an older one have to end
 * (sync_relayout). */
void sync_use(struct sync *sync, uint32_t partitions);

/* sync_change replaces one row's fingerprint in its partition's sum: `before` all zero for a new
 * row, `after` all zero for a dropped one. Called when a commit is reported. */
void sync_change(struct sync *sync, uint32_t partition, const struct hash16 *before,
                 const struct hash16 *after);
/* sync_reset forgets all fingerprints: the store was reopened and will be counted again. Running
 * rounds end with CLOSED. */
void sync_reset(struct sync *sync);
/* sync_fingerprint returns the sum over a partition and how many rows are in it. */
struct hash16 sync_fingerprint(const struct sync *sync, uint32_t partition, uint32_t *count);

/* --- what may be forgotten (sync_stable.c, which tells the idea): per partition the number that
 * copies are stamped with, and how many rows hold nothing but tombstones. */

struct sync_standing {
    uint32_t number;    /* 0: nothing was ever collected here */
    uint32_t confirmed; /* latest round this peer gave its word to; at most `number` */
    uint8_t count;
    struct {
        uint64_t id8;
        uint32_t since; /* it took part in every round after this one */
    } owners[REPLICAS_MAX];
};
#define SYNC_STANDING_SIZE_MAX (9 + 12 * REPLICAS_MAX)

/* What follows from the standing of another owner for ours. */
enum sync_verdict {
    SYNC_LEVEL,  /* the same number */
    SYNC_AHEAD,  /* ours is larger: it should hear ours */
    SYNC_RAISE,  /* ours may be raised to theirs: no drop happened without our word */
    SYNC_BEHIND, /* rows of ours may be dropped by them: ours go before the number rises */
};

/* sync_standing returns what this peer has of a partition; sync_standing_set replaces it. The
 * number counts in the comparison with others. */
const struct sync_standing *sync_standing(const struct sync *sync, uint32_t partition);
void sync_standing_set(struct sync *sync, uint32_t partition, const struct sync_standing *standing);
/* sync_standing_judge compares; `self` is our id8, `is_continuous` false for a peer in recovery. */
enum sync_verdict sync_standing_judge(const struct sync_standing *ours,
                                      const struct sync_standing *theirs, uint64_t self,
                                      bool is_continuous);
/* sync_standing_next gives the number of our next round with these owners (at most REPLICAS_MAX).
 */
uint32_t sync_standing_next(const struct sync_standing *standing, const uint64_t *owners,
                            unsigned count);
/* sync_standing_promise is `standing` after a round `number`, above its own, with these owners. */
struct sync_standing sync_standing_promise(const struct sync_standing *standing, uint32_t number,
                                           const uint64_t *owners, unsigned count);
/* sync_standing_knows tells whether a peer took part in the last round. */
bool sync_standing_knows(const struct sync_standing *standing, uint64_t id8);
/* sync_standing_write appends at most SYNC_STANDING_SIZE_MAX bytes; sync_standing_read takes them
 * apart: false for damage. No bytes are the standing of a partition without rounds. */
void sync_standing_write(const struct sync_standing *standing, struct writer *out);
bool sync_standing_read(struct slice bytes, struct sync_standing *standing);

/* sync_dead_add counts rows of a partition with nothing live in them; sync_dead tells how many,
 * sync_dead_total of all partitions. Forgotten by sync_reset. */
void sync_dead_add(struct sync *sync, uint32_t partition, int change);
uint32_t sync_dead(const struct sync *sync, uint32_t partition);
uint64_t sync_dead_total(const struct sync *sync);

/* --- rounds */
/* sync_count_begin begins to count the rows of one partition anew, sync_count_change puts a row
 * into the count or changes one that is in it (as sync_change), and sync_count_end lets the count
 * take the place of the partition's sum. One at a time. */
void sync_count_begin(struct sync *sync);
void sync_count_change(struct sync *sync, const struct hash16 *before, const struct hash16 *after);
void sync_count_end(struct sync *sync, uint32_t partition);
/* sync_sum_put takes over what sync_fingerprint told of a partition in another life. */
void sync_sum_put(struct sync *sync, uint32_t partition, const struct hash16 *sum, uint32_t rows);

/* sync_pull begins a round with `peer` under `layout`: over all partitions shared with it. OK;
 * BUSY when one with this peer runs already; FULL when rounds_max run. */
enum status sync_pull(struct sync *sync, instant now, uint64_t peer, uint64_t layout) MUST_USE;
/* What a former owner offers. */
struct sync_taking {
    uint64_t peer, layout;
    const uint16_t *partitions; /* ascending */
    uint32_t count;
};
/* sync_take begins a round that pulls partitions from a peer that is no owner of them (any more):
 * no tree is descended, each of them is compared row by row. SYNC_PULLED tells which of them are
 * held here durably; the peer hears nothing. OK; BUSY, FULL as sync_pull. */
enum status sync_take(struct sync *sync, instant now, const struct sync_taking *taking) MUST_USE;
/* sync_is_pulling tells whether a round of sync_pull runs. */
bool sync_is_pulling(const struct sync *sync);
/* sync_rate bounds the rows that are asked for, over all rounds of ours: bytes a second (0: none,
 * rounds find out what differs and wait; UINT64_MAX, as it is made: no bound), and at least so many
 * us between two questions. What was begun goes on. */
void sync_rate(struct sync *sync, uint64_t rate, uint64_t gap_us);
/* sync_relayout ends all rounds under another layout than `layout`, ours and those served. */
void sync_relayout(struct sync *sync, uint64_t layout);
/* sync_receive handles AE_ROOT, AE_DIFF, AE_NODES, AE_LEAF_GET, AE_LEAF, AE_FETCH, AE_ITEMS,
 * AE_DONE from an authenticated peer. `layout` is our present one. Anything malformed or unexpected
 * is dropped. */
void sync_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                  const struct message *message);
/* sync_listed answers SYNC_LIST; `page` lives for the call. A status other than OK costs the
 * partition, or is told to the asker. */
void sync_listed(struct sync *sync, instant now, uint32_t token, const struct sync_page *page);
/* sync_merged answers SYNC_MERGE: every row is durable (OK), or not. */
void sync_merged(struct sync *sync, instant now, uint32_t token, enum status status);
/* sync_peer_lost ends all rounds with a peer whose link broke. */
void sync_peer_lost(struct sync *sync, uint64_t peer);
/* sync_expire ends rounds without progress. */
void sync_expire(struct sync *sync, instant now);
/* sync_deadline tells when sync_expire is next due. */
instant sync_deadline(const struct sync *sync);

#endif
