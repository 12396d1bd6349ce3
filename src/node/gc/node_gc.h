/* node_gc.h: rounds of confirmation at this node, shared by the node_gc files (decision 0010).
 *
 *   our round     READ -> ASK -> DROP -> FREE         we are the first owner of the partition
 *   another's     READ -> PROMISE -> WORD -> DROP -> FREE
 *   older rows    PURGE: PURGE_READ -> PURGE_DROP -> PURGE_READ .. -> FREE
 *
 * A round is bounded in memory and forgotten by a restart: nothing depends on its end. */
#ifndef GOSSAMER_NODE_GC_H
#define GOSSAMER_NODE_GC_H

#include "node_impl.h"

#define GC_ROUNDS_MAX 12u          /* rounds at once, of which */
#define GC_OWN_MAX 3u              /* our own: the rest is for what others ask */
#define GC_ITEMS_MAX 1000u         /* rows of one round (protocols.md 7.4) */
#define GC_CHUNK_ROWS 64u          /* rows in one batch: client writes pass in between */
#define GC_KEYS_MAX (1u << 20)     /* bytes of row keys of one round */
#define GC_TOUCHED_MAX 64u         /* rows written while a page is read; more end the round */
#define GC_PAGES_MAX 64u           /* pages one round reads: where few rows are to be dropped */
#define GC_MARKS_MAX 2048u         /* parts of rows that one round asks about */
#define GC_AGAIN_US INSTANT_S(5)   /* before a round about a partition where one brought nothing */
#define GC_SOON_US INSTANT_MS(500) /* or where rows were too young */

enum gc_state {
    GC_FREE,
    GC_READ,       /* a page of rows is being read */
    GC_ASK,        /* ours: answers are awaited */
    GC_PROMISE,    /* another's: our promise is being written */
    GC_WORD,       /* another's: confirmed, its drop is awaited */
    GC_DROP,       /* rows are being dropped */
    GC_PURGE_READ, /* a page of older rows is being read */
    GC_PURGE_DROP,
};

/* One row of a round. */
struct gc_item {
    uint64_t front, id, digest; /* as in GC_ASK */
    struct hash16 print;        /* of the row here */
    uint32_t key_at, bytes;     /* its key in `keys`, its size in the store */
    uint16_t key_size;          /* 0: there is no such row here */
    bool is_dead;               /* counted among the dead */
    bool is_going;              /* its drop is being written */
    bool is_kept;               /* live, queued, or written since it was read: not dropped */
    uint16_t marks;             /* it is live, and asked about in parts: so many; 0: as a whole */
};

/* A part of a row that is asked about (node_gc_settle.c). */
struct gc_mark {
    struct crdt_mark mark;
    uint16_t item;
    bool is_refused; /* here */
};

struct gc_key {
    uint16_t size;
    uint8_t bytes[STORE_KEY_SIZE_MAX + 1];
};

struct gc_round {
    enum gc_state state;
    uint32_t ref; /* names it in reads and writes; 0: free */
    uint16_t partition;
    uint32_t number;
    uint64_t peer; /* who asked; our own id8 */
    uint64_t layout;
    instant deadline;
    struct sync_standing standing; /* PURGE: what is learned at the end */
    uint8_t owner_count;
    uint64_t owners[REPLICAS_MAX];
    bool is_asked[REPLICAS_MAX], is_answered[REPLICAS_MAX];
    struct gc_key from, until; /* READ: next page, end of the range (exclusive) */
    uint32_t pages;
    bool is_whole;           /* READ: the partition has nothing behind the range */
    bool is_told;            /* ours: the others heard of the drop */
    uint32_t item_count, at; /* at: READ: where the next row is looked for; DROP: next to drop */
    uint32_t end, dropped;   /* DROP: [.., end) is being written */
    struct gc_item *items;   /* owned: GC_ITEMS_MAX */
    struct buffer keys;
    struct gc_mark *marks; /* owned: GC_MARKS_MAX, by item; NULL: none */
    uint32_t mark_count;
    uint32_t touched_count;
    uint64_t touched[GC_TOUCHED_MAX]; /* fronts */
    /* Ours: set by all; another's drop: what goes. A bit per item, then one per mark. */
    uint8_t bits[(GC_ITEMS_MAX + GC_MARKS_MAX + 7) / 8];
};

struct node_gc {
    struct gc_round rounds[GC_ROUNDS_MAX];
    uint32_t serial;
    uint32_t cursor;         /* partition looked at next */
    struct gc_key after;     /* in `going`: rows behind it were not looked at */
    uint32_t going;          /* partition + 1 whose rest comes next; 0: none */
    instant *again;          /* owned: per partition, no round of ours before */
    uint32_t *ended;         /* owned: per partition, actors ended in this process */
    uint64_t *due;           /* owned: per partition, wall ms at which a row may be over; 0: none */
    bool is_rich;            /* our last round brought much: the next comes sooner */
    struct node_timer timer; /* the tick */
};

static inline size_t gc_bits_size(const struct gc_round *round)
{
    return (round->item_count + round->mark_count + 7) / 8;
}

static inline bool gc_bit(const uint8_t *bits, uint32_t at)
{
    return bits[at / 8] >> (at % 8) & 1;
}

/* node_gc.c */
struct gc_round *node_gc_round(struct node *node, uint32_t ref);
struct gc_round *node_gc_round_of(struct node *node, uint32_t partition);
void node_gc_progress(struct node *node, struct gc_round *round, enum gc_state state);
struct gc_round *node_gc_begin(struct node *node, uint32_t partition, uint64_t peer);
void node_gc_reset(struct node *node);
bool node_gc_new(struct node *node);
void node_gc_delete(struct node *node);
void node_gc_end(struct gc_round *round);
void node_gc_fail(struct node *node, struct gc_round *round, enum status status);
void node_gc_idle(struct node *node, struct gc_round *round, bool is_young);

/* node_gc_turn.c */
unsigned node_gc_owners(struct node *node, uint32_t partition, uint64_t owners[REPLICAS_MAX],
                        uint64_t *absent);
bool node_gc_is_able(const struct node *node);
void node_gc_wake(struct node *node);
void node_gc_tick(struct node *node);

/* node_gc_ask.c */
void node_gc_silent(struct node *node, const struct gc_round *round);
void node_gc_collected(struct node *node, struct gc_round *round);
void node_gc_answered(struct node *node, uint64_t peer, const struct message_gc_answer *answer);

/* node_gc_drop.c */
void node_gc_standing_row(struct node *node, uint32_t partition,
                          const struct sync_standing *standing, bool is_purging,
                          struct store_row *row);
void node_gc_boot_row(struct node *node, struct slice key, struct slice body);
void node_gc_drop(struct node *node, struct gc_round *round);
void node_gc_stored(struct node *node, const struct node_write *done, enum status status);

/* node_gc_level.c */
uint32_t node_gc_number(struct node *node, uint64_t hash_front);
uint32_t node_gc_number_of(struct node *node, struct slice ns, struct slice key);
bool node_gc_is_purging(struct node *node, uint64_t hash_front);
bool node_gc_is_stale(struct node *node, uint64_t peer, uint64_t hash_front, uint32_t gc);
bool node_gc_forgets(struct node *node, struct node_task *task, const struct crdt_object *row);
bool node_gc_is_apart(struct node *node, uint64_t request, const struct quorum_answer *answer);
void node_gc_heard(struct node *node, uint64_t peer, uint32_t partition, struct slice bytes);
void node_gc_purge_more(struct node *node, struct gc_round *round);
void node_gc_purge_page(struct node *node, struct gc_round *round, bool is_any);
void node_gc_message(struct node *node, uint64_t peer, const struct message *message);

/* node_gc_read.c */
struct slice node_gc_item_key(const struct gc_round *round, const struct gc_item *item);
void node_gc_range(struct node *node, struct gc_round *round, const struct gc_key *after);
bool node_gc_range_of(struct node *node, struct gc_round *round, struct slice first,
                      struct slice last);
void node_gc_read(struct node *node, struct gc_round *round);
void node_gc_touch(struct node *node, uint32_t partition, struct slice row_key);
uint64_t node_gc_row_id(const struct node *node, struct slice row_key);
void node_gc_loaded(struct node *node, struct node_read *read, const struct event *event);

/* node_gc_settle.c */
void node_gc_note(struct node *node, uint32_t partition, const struct crdt_object *object);
bool node_gc_is_due(const struct node *node, uint32_t partition);
void node_gc_marks_own(struct node *node, struct gc_round *round, struct gc_item *item);
void node_gc_marks_check(struct node *node, struct gc_round *round, uint32_t item);
struct slice node_gc_marks_write(struct node *node, const struct gc_round *round);
bool node_gc_marks_read(struct gc_round *round, struct slice bytes);
void node_gc_settle(struct node *node, struct gc_round *round);
void node_gc_settle_row(struct node *node, struct node_task *task, enum status status,
                        struct slice row);

/* node_gc_word.c */
void node_gc_asked(struct node *node, uint64_t peer, const struct message_gc_ask *ask);
void node_gc_promise(struct node *node, struct gc_round *round);
void node_gc_promised(struct node *node, struct gc_round *round);
void node_gc_told(struct node *node, uint64_t peer, const struct message_gc_drop *drop);

#endif
