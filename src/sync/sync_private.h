/* sync_private.h: what the files of this room share. The asker's side of a round is a `sync_round`
 * with a few lanes, each pulling one partition; the answerer's side is a `sync_serve`. */
#ifndef GOSSAMER_SYNC_PRIVATE_H
#define GOSSAMER_SYNC_PRIVATE_H

#include "bytes.h"
#include "store.h"
#include "sync.h"

#define SYNC_ROOT_SIZE 12u /* bytes of the root's hash on the wire */
#define SYNC_HASH_SIZE 8u  /* of any other node's, and of a row's fingerprint there */
#define SYNC_TREE_DEPTH 3u /* nodes of this depth are partitions */
#define SYNC_TREE_SETS 3u  /* bit sets of a round */
#define SYNC_MASK_SIZE_MAX (SYNC_SPLIT_MAX / 8)

/* --- fingerprints (sync_trie.c) */

struct sync_sum {
    struct hash16 sum; /* of the rows' fingerprints, modulo 2^128, big-endian */
    uint32_t count;    /* rows */
};

/* sync_sum_change takes `before` out and puts `after` in; an all-zero one stands for no row. */
void sync_sum_change(struct sync_sum *sum, const struct hash16 *before, const struct hash16 *after);
/* sync_sum_add adds the rows of `other`. */
void sync_sum_add(struct sync_sum *sum, const struct sync_sum *other);
/* sync_sum_shift adds a fingerprint that is no row's, or takes it out again. */
void sync_sum_shift(struct sync_sum *sum, const struct hash16 *print, bool is_added);
/* sync_print_is_none tells whether a fingerprint is all zero: a row that is not compared. */
bool sync_print_is_none(const struct hash16 *print);

/* --- numbers of partitions (sync_stable.c) */

struct sync_stable {
    struct sync_standing standing;
    uint32_t dead; /* rows with nothing live */
};

/* sync_stable_print_add lets the number count in the partition's sum, sync_stable_print_take takes
 * it out of a copy of it. */
void sync_stable_print_add(struct sync *sync, uint32_t partition);
void sync_stable_print_take(const struct sync *sync, uint32_t partition, struct sync_sum *sum);

/* --- the tree over the shared partitions (sync_tree.c). Nodes of depth 1 and 2 are ranges of
 * partitions; nothing of the tree is kept. */

/* sync_tree_shift returns how many bits of a partition number lie below a node of `depth`. */
unsigned sync_tree_shift(const struct sync *sync, unsigned depth);
/* sync_tree_root fills `root` with the hash over all partitions whose bit is set in `shared`. */
void sync_tree_root(const struct sync *sync, const uint8_t *shared, uint8_t root[SYNC_ROOT_SIZE]);
/* sync_tree_entry_size returns the bytes of one node of `depth` with its children's hashes. */
size_t sync_tree_entry_size(const struct sync *sync, unsigned depth);
/* sync_tree_write appends the children of all nodes of `depth` below which something is set in
 * `differs`. */
void sync_tree_write(const struct sync *sync, const uint8_t *shared, const uint8_t *differs,
                     unsigned depth, struct writer *out);
/* sync_tree_list is the same into the scratch room of `sync`, where it stays until the next; false:
 * no memory. */
bool sync_tree_list(struct sync *sync, const uint8_t *shared, const uint8_t *differs,
                    unsigned depth, struct slice *nodes);
/* sync_tree_check tells whether `nodes` is whole, ascending and of `depth`. */
bool sync_tree_check(const struct sync *sync, struct slice nodes, unsigned depth);
/* sync_tree_compare fills `differs`: every partition below a child in `nodes` that is not ours. */
void sync_tree_compare(const struct sync *sync, const uint8_t *shared, struct slice nodes,
                       unsigned depth, uint8_t *differs);

/* --- below a partition (sync_split.c): rows of one range, cut by the lowest bits of the key hash
 */

/* sync_split_count returns how many sub-ranges so many rows are cut into: a power of two. */
uint32_t sync_split_count(uint32_t rows);
/* sync_split_front returns what a row's sub-range is taken from: the first 8 bytes of its key. */
uint64_t sync_split_front(struct slice key);
/* sync_split_add adds a row to the sum of its sub-range. */
void sync_split_add(uint64_t *sums, uint32_t count, uint64_t front, uint64_t print);
/* sync_split_has tells whether a row is of a sub-range in the mask; count 0: all are. */
bool sync_split_has(const uint8_t *mask, uint32_t count, uint64_t front);
/* sync_split_is_count tells whether outside claims of so many sub-ranges are possible. */
bool sync_split_is_count(size_t count);

/* --- packed lists (sync_pack.c): everything from the wire is checked there */

/* One item of any list; fields a list does not have stay as they were. */
struct sync_item {
    struct slice key;
    struct slice object;
};
enum sync_shape { SYNC_KEYS, SYNC_OBJECTS };

/* A range of row keys: behind `after`, up to `until`; empty: no bound. */
struct sync_range {
    struct slice after, until;
};

/* sync_pack_next reads one item of `shape`; false at the end or on damage (in->is_bad). */
bool sync_pack_next(struct reader *in, enum sync_shape shape, struct sync_item *item);
/* sync_pack_check tells whether a list is whole, at most `count_max` items, each key one that a
 * store may hold and of the range. */
bool sync_pack_check(struct slice list, enum sync_shape shape, uint32_t count_max,
                     const struct sync_range *range);
/* sync_pack_ascends tells whether the keys of a good list ascend. */
bool sync_pack_ascends(struct slice keys);
/* sync_pack_holds tells whether a range holds a key. */
bool sync_pack_holds(const struct sync_range *range, struct slice key);
/* sync_pack_end returns the bytes of the first keys of a good list that one AE_FETCH may name. */
size_t sync_pack_end(struct slice keys);
/* sync_pack_partitions tells whether `list` is n x u16, ascending, each below `limit`. */
bool sync_pack_partitions(struct slice list, uint32_t limit);

/* A row key kept: one end of a range. */
struct sync_key {
    uint16_t size;
    uint8_t bytes[STORE_KEY_SIZE_MAX];
};
static inline struct slice sync_key_slice(const struct sync_key *key)
{
    return slice_of(key->bytes, key->size);
}
/* sync_key_keep copies a key of at most STORE_KEY_SIZE_MAX bytes. */
void sync_key_keep(struct sync_key *room, struct slice key);

/* --- one partition being pulled (sync_lane.c, sync_want.c)
 *
 *   FREE -> LIST -> OWN -> [NARROW -> MASK ->] HAVE -> PAGE -> WANT -> ITEMS -> MERGE -> WANT ...
 *           list    listed  sums      leaf     prints  leaf    fetch   items    merged
 *                                                      items ----------------->
 *   WANT -> LIST | FREE
 *           next range | pulled   */
enum sync_lane_state {
    LANE_FREE,
    LANE_LIST,   /* to list our own rows behind `after` */
    LANE_OWN,    /* sync_listed is awaited */
    LANE_NARROW, /* to send the sums of sub-ranges */
    LANE_MASK,   /* the AE_LEAF about them is awaited */
    LANE_HAVE,   /* to send the fingerprints of our rows */
    LANE_PAGE,   /* the AE_LEAF or AE_ITEMS about them is awaited */
    LANE_WANT,   /* to fetch what is wanted, or to go on */
    LANE_ITEMS,  /* AE_ITEMS is awaited */
    LANE_MERGE,  /* sync_merged is awaited */
};

struct sync_lane {
    enum sync_lane_state state;
    uint32_t token;    /* of the SYNC_LIST or SYNC_MERGE under way */
    uint32_t question; /* of the AE_LEAF_GET or AE_FETCH under way */
    uint32_t reserved; /* of the merge reserved for rows that may come; 0: none */
    uint16_t partition;
    bool is_last;                     /* nothing follows the range */
    uint32_t split;                   /* sub-ranges told apart; 0: none */
    uint8_t mask[SYNC_MASK_SIZE_MAX]; /* those that differ */
    struct buffer page;        /* until PAGE our rows: n x (front 8 | print 8); then keys wanted */
    size_t want_at, fetch_end; /* [want_at, page.size) is wanted, [.., fetch_end) being fetched */
    uint32_t merging;          /* rows in the merge under way */
    uint32_t gc;               /* number they were read under */
    struct sync_key after, until; /* the range in work */
};

/* --- one pull round of ours (sync_round.c)
 *
 *   FREE -> START -> ROOT -> NODES -> LISTED -> PULLING -> ENDING -> FREE
 *         AE_ROOT  AE_DIFF  AE_NODES  AE_DIFF   lanes      AE_DONE   */
enum sync_round_state {
    ROUND_FREE,
    ROUND_START,   /* to send the root */
    ROUND_ROOT,    /* its AE_DIFF is awaited */
    ROUND_NODES,   /* to send the nodes below those that differ */
    ROUND_LISTED,  /* their AE_DIFF is awaited */
    ROUND_PULLING, /* lanes work */
    ROUND_ENDING,  /* to tell AE_DONE, then the node */
};

struct sync_round {
    enum sync_round_state state;
    uint64_t peer, layout;
    uint32_t number;    /* on the wire */
    instant deadline;   /* without progress until then the round ends */
    enum status status; /* first failure, or OK */
    bool is_taking;     /* from one that is no owner: no tree, no AE_DONE claims */
    bool is_mute;       /* ENDING: the peer is gone or another layout holds, tell it nothing */
    uint32_t compared, differed, rows, failed, pulled;
    uint32_t next;    /* first partition no lane has looked at */
    uint8_t *shared;  /* bit per partition, owned by the room: held by both */
    uint8_t *differs; /* not known to be equal; when PULLING, to be pulled by a lane */
    uint8_t *done;    /* pulled */
    struct sync_lane lanes[SYNC_LANES];
    struct sync_lane *fetching; /* the one AE_ITEMS may come for */
};

/* --- one round of a peer that asks us (sync_serve.c) */

enum sync_leaf_state { LEAF_FREE, LEAF_ASKED, LEAF_LISTING, LEAF_READY };

/* One AE_LEAF_GET being answered (sync_leaf.c). */
struct sync_leaf {
    enum sync_leaf_state state;
    enum status status;
    uint32_t token, question;
    uint16_t partition;
    bool is_sums; /* asked for a mask, not for rows */
    uint32_t split;
    uint8_t mask[SYNC_MASK_SIZE_MAX];
    struct buffer asked; /* the asker's sums or fingerprints */
    struct buffer keys;  /* rows it lacks, packed as AE_LEAF */
    struct sync_key after, until;
    struct sync_key covered; /* rows were compared up to it; empty: the whole range */
};

struct sync_serve {
    bool is_active;
    bool is_offered; /* the asker takes over what we hold and do not own */
    uint64_t peer, layout;
    uint32_t number;
    instant deadline;
    struct sync_leaf leaves[SYNC_LANES];
};

struct sync {
    struct sync_config config;
    uint32_t used;               /* partitions that are compared */
    size_t bits_size;            /* bytes of a set of them: of a whole tree */
    struct sync_sum *sums;       /* owned: one per partition */
    struct sync_stable *stables; /* owned: one per partition */
    uint64_t dead;               /* sum of theirs */
    uint8_t *bits;               /* owned: all bit sets */
    uint8_t *shared;             /* a set for one answer: what is shared with its asker */
    uint8_t *named;              /* a set for one comparison */
    struct sync_sum count;       /* of a partition that is being counted anew */
    struct sync_round rounds[SYNC_ROUNDS_MAX];
    struct sync_serve *serves;        /* owned: serves_max */
    uint32_t merges[SYNC_MERGES_MAX]; /* tokens of merges at the node; 0: free */
    uint64_t rate;                    /* bytes of rows a second that may be asked for; 0: none */
    uint64_t gap_us;                  /* between two questions for rows */
    instant now, paid_until;          /* of the running call; rows are asked for from then on */
    uint32_t number;                  /* of the last round begun */
    uint32_t token;                   /* last one given out */
    bool is_emitting, is_running;
    struct buffer scratch; /* a list being sent */
};

/* sync_emit hands one output to the node; sync_send one message. */
void sync_emit(struct sync *sync, const struct sync_output *output);
void sync_send(struct sync *sync, uint64_t peer, const struct message *message);
/* sync_token_next gives a number no other list or merge under way has; never 0. */
uint32_t sync_token_next(struct sync *sync);
/* sync_shared fills the bit set of what is shared with `peer` and returns how many are. */
uint32_t sync_shared(const struct sync *sync, uint64_t peer, uint8_t *shared);

static inline bool sync_bit(const uint8_t *bits, uint32_t at)
{
    return bits[at / 8] >> (at % 8) & 1;
}
static inline void sync_bit_set(uint8_t *bits, uint32_t at)
{
    bits[at / 8] |= (uint8_t)(1u << (at % 8));
}
static inline size_t sync_bits_size(const struct sync *sync)
{
    return sync->bits_size;
}

/* --- asker. *_step does one thing that is due and tells whether there was one. */
bool sync_round_step(struct sync *sync, struct sync_round *round);
void sync_round_progress(const struct sync *sync, struct sync_round *round, instant now);
void sync_round_diff(struct sync *sync, struct sync_round *round,
                     const struct message_ae_diff *diff);
/* sync_round_end begins the end of a round; a second call changes nothing. */
void sync_round_end(struct sync_round *round, enum status status, bool is_mute);
/* sync_round_pulled notes and tells that a partition is pulled; false: the round ended meanwhile.
 */
bool sync_round_pulled(struct sync *sync, struct sync_round *round, uint32_t partition);

void sync_lane_start(struct sync_lane *lane, uint16_t partition);
bool sync_lane_step(struct sync *sync, struct sync_round *round, struct sync_lane *lane);
/* Each of these returns whether it was awaited and well-formed, hence counts as progress. */
bool sync_lane_leaf(struct sync *sync, struct sync_round *round,
                    const struct message_ae_leaf *leaf);
bool sync_lane_listed(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                      const struct sync_page *page);
bool sync_lane_items(struct sync *sync, struct sync_round *round,
                     const struct message_ae_items *message);
void sync_lane_merged(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                      enum status status);
/* sync_lane_is_level tells whether the peer's standing of the lane's partition is ours; if not, the
 * node hears of it. */
bool sync_lane_is_level(struct sync *sync, const struct sync_round *round, uint32_t partition,
                        struct slice standing);
/* sync_lane_fail gives up one partition of the round. */
void sync_lane_fail(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                    enum status status);
/* sync_lane_free ends a lane and what it has reserved. */
void sync_lane_free(struct sync *sync, struct sync_round *round, struct sync_lane *lane);
/* sync_lane_range returns the range a lane works on. */
struct sync_range sync_lane_range(const struct sync_lane *lane);

/* sync_want_reserve reserves a merge and the round's AE_ITEMS for a lane; false: not now. */
bool sync_want_reserve(struct sync *sync, struct sync_round *round, struct sync_lane *lane);
void sync_want_release(struct sync *sync, struct sync_round *round, struct sync_lane *lane);
/* sync_want_set takes a good list of keys for what is wanted; false: no memory. */
bool sync_want_set(struct sync_lane *lane, struct slice list, enum sync_shape shape);
/* sync_want_fetch asks for the next of what is wanted; false: not now. */
bool sync_want_fetch(struct sync *sync, struct sync_round *round, struct sync_lane *lane);

/* --- answerer */
bool sync_serve_step(struct sync *sync, struct sync_serve *serve);
void sync_serve_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                        const struct message *message);
void sync_serve_end(struct sync_serve *serve);
/* sync_leaf_get takes a question into a free leaf, or drops it. */
void sync_leaf_get(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                   const struct message_ae_leaf_get *get);
void sync_leaf_listed(struct sync_leaf *leaf, const struct sync_page *page);
bool sync_leaf_step(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf);

#endif
