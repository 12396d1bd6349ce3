/* sync.h: do our copies match, and what is missing? Fingerprints of every partition, kept up by
 * the committer's reports, and pull rounds that fetch what another owner has and we lack
 * (protocols.md 7.2; the idea is Merkle anti-entropy as in Dynamo, DeCandia et al. 2007, section
 * 4.7, with a tree of sums in place of one of hashes). A round costs what differs, and it only
 * pulls; the other side pulls in rounds of its own. */
#ifndef GOSSAMER_SYNC_H
#define GOSSAMER_SYNC_H

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
    uint64_t layout;
    enum status status;
    uint32_t compared, differed, rows; /* SYNC_ROUND_DONE */
};

struct sync_config {
    uint32_t partitions;          /* 2^partition_bits */
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

/* sync_change replaces one row's fingerprint in its partition's sum: `before` all zero for a new
 * row, `after` all zero for a dropped one. Called when a commit is reported. */
void sync_change(struct sync *sync, uint32_t partition, const struct hash16 *before,
                 const struct hash16 *after);
/* sync_reset forgets all fingerprints: the store was reopened and will be scanned again. Running
 * rounds end with CLOSED. */
void sync_reset(struct sync *sync);
/* sync_fingerprint returns the sum over a partition and how many rows are in it. */
struct hash16 sync_fingerprint(const struct sync *sync, uint32_t partition, uint32_t *count);

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
