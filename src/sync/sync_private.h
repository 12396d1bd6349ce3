/* sync_private.h: what the files of this room share. The asker's side of a round is a `sync_round`
 * with a few lanes, each pulling one partition; the answerer's side is a `sync_serve`. */
#ifndef GOSSAMER_SYNC_PRIVATE_H
#define GOSSAMER_SYNC_PRIVATE_H

#include "bytes.h"
#include "store.h"
#include "sync.h"

#define SYNC_SUPER 0xFFFFu /* in place of a partition: the sum over all that are shared */

/* --- fingerprints (sync_trie.c) */

struct sync_sum {
    struct hash16 sum; /* of the rows' fingerprints, modulo 2^128, big-endian */
    uint32_t count;    /* rows */
};

/* sync_sum_change takes `before` out and puts `after` in; an all-zero one stands for no row. */
void sync_sum_change(struct sync_sum *sum, const struct hash16 *before, const struct hash16 *after);
/* sync_print_is_none tells whether a fingerprint is all zero: a row that is not compared. */
bool sync_print_is_none(const struct hash16 *print);

/* --- packed lists (sync_pack.c): everything from the wire is checked there */

/* One item of any list; fields a list does not have stay as they were. */
struct sync_item {
    struct slice key;
    struct hash16 print;
    struct slice object;
};
enum sync_shape { SYNC_KEYS, SYNC_PRINTS, SYNC_OBJECTS };

/* sync_pack_next reads one item of `shape`; false at the end or on damage (in->is_bad). */
bool sync_pack_next(struct reader *in, enum sync_shape shape, struct sync_item *item);
/* sync_pack_check tells whether a list is whole, at most `count_max` items, each key one that a
 * store may hold. Lists of SYNC_PRINTS must ascend from behind `after`. */
bool sync_pack_check(struct slice list, enum sync_shape shape, uint32_t count_max,
                     struct slice after);
/* sync_pack_partitions tells whether `list` is n x u16, ascending, each below `limit`. */
bool sync_pack_partitions(struct slice list, uint32_t limit);
/* sync_pack_write_root appends partition, count and sum. */
void sync_pack_write_root(struct writer *out, uint16_t partition, const struct sync_sum *sum);
/* sync_pack_read_root is its mirror; damage shows in in->is_bad. */
uint16_t sync_pack_read_root(struct reader *in, struct sync_sum *sum);

/* --- one partition being pulled (sync_lane.c)
 *
 *   FREE -> ASK -> PAGE -> COMPARE <-> OWN -> WANT -> ITEMS -> MERGE -> WANT ... -> ASK | FREE
 *           get    leaf    list      listed   fetch   items    merged   next page | pulled   */
enum sync_lane_state {
    LANE_FREE,
    LANE_ASK,     /* to send AE_LEAF_GET */
    LANE_PAGE,    /* AE_LEAF is awaited */
    LANE_COMPARE, /* to list our own rows */
    LANE_OWN,     /* sync_listed is awaited */
    LANE_WANT,    /* to fetch what is wanted, or to go on */
    LANE_ITEMS,   /* AE_ITEMS is awaited */
    LANE_MERGE,   /* sync_merged is awaited */
};

struct sync_lane {
    enum sync_lane_state state;
    uint32_t token; /* of the SYNC_LIST or SYNC_MERGE under way */
    uint16_t partition;
    bool is_last;             /* no page follows this one */
    struct buffer page;       /* [0, want_end): wanted keys; [at, end): rows not yet compared */
    size_t want_at, want_end; /* wanted keys not yet fetched */
    size_t fetch_end;         /* [want_at, fetch_end) is being fetched */
    size_t at;                /* first row of the page not yet compared */
    uint32_t merging;         /* rows in the merge under way */
    uint16_t after_size, own_size;
    uint8_t after[STORE_KEY_SIZE_MAX]; /* last key of the page in work: the next begins behind */
    uint8_t own[STORE_KEY_SIZE_MAX];   /* our own rows are compared up to this key */
};

/* --- one pull round of ours (sync_round.c)
 *
 *   FREE -> START -> SUPER -> ROOTS <-> LISTED -> PULLING -> ENDING -> FREE
 *           AE_ROOT  AE_DIFF  AE_ROOT   AE_DIFF   lanes      AE_DONE   */
enum sync_round_state {
    ROUND_FREE,
    ROUND_START,   /* to send the super-root */
    ROUND_SUPER,   /* its AE_DIFF is awaited */
    ROUND_ROOTS,   /* to send the next part of the list of roots */
    ROUND_LISTED,  /* its AE_DIFF is awaited */
    ROUND_PULLING, /* lanes work */
    ROUND_ENDING,  /* to tell AE_DONE, then the node */
};

struct sync_round {
    enum sync_round_state state;
    uint64_t peer, layout;
    uint32_t number;    /* on the wire */
    instant deadline;   /* without progress until then the round ends */
    enum status status; /* first failure, or OK */
    bool is_mute;       /* ENDING: the peer is gone or another layout holds, tell it nothing */
    uint32_t compared, differed, rows, failed, pulled;
    uint32_t sent_from, sent_until; /* partitions of the list of roots under way */
    uint32_t next;                  /* first partition no lane has looked at */
    uint8_t *shared;                /* bit per partition, owned by the room: held by both */
    uint8_t *differs;               /* to be pulled by a lane */
    uint8_t *done;                  /* pulled */
    struct sync_lane lanes[SYNC_LANES];
    struct sync_lane *fetching; /* the one whose AE_ITEMS is awaited: they name the round only */
};

/* --- one round of a peer that asks us (sync_serve.c) */

enum sync_leaf_state { LEAF_FREE, LEAF_ASKED, LEAF_LISTING, LEAF_READY };

struct sync_leaf {
    enum sync_leaf_state state;
    enum status status;
    uint32_t token;
    uint16_t partition;
    bool is_last;
    uint16_t after_size;
    uint8_t after[STORE_KEY_SIZE_MAX];
    struct buffer rows; /* packed as AE_LEAF */
};

struct sync_serve {
    bool is_active;
    uint64_t peer, layout;
    uint32_t number;
    instant deadline;
    struct sync_leaf leaves[SYNC_LANES];
};

struct sync {
    struct sync_config config;
    struct sync_sum *sums; /* owned: one per partition */
    uint8_t *bits;         /* owned: the bit sets of the rounds */
    struct sync_round rounds[SYNC_ROUNDS_MAX];
    struct sync_serve *serves;        /* owned: serves_max */
    uint32_t merges[SYNC_MERGES_MAX]; /* tokens of merges at the node; 0: free */
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
/* sync_super computes the sum over all partitions whose bit is set in `shared`. */
struct sync_sum sync_super(const struct sync *sync, const uint8_t *shared);
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
    return (sync->config.partitions + 7) / 8;
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
bool sync_lane_leaf(struct sync_round *round, const struct message_ae_leaf *leaf);
bool sync_lane_listed(struct sync_round *round, struct sync_lane *lane,
                      const struct sync_page *page);
bool sync_lane_items(struct sync *sync, struct sync_round *round, struct slice items);
void sync_lane_merged(struct sync_round *round, struct sync_lane *lane, enum status status);
/* sync_lane_fail gives up one partition of the round. */
void sync_lane_fail(struct sync_round *round, struct sync_lane *lane, enum status status);

/* --- answerer */
bool sync_serve_step(struct sync *sync, struct sync_serve *serve);
void sync_serve_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                        const struct message *message);
void sync_serve_listed(struct sync_leaf *leaf, const struct sync_page *page);
void sync_serve_end(struct sync_serve *serve);

#endif
