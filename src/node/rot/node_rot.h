/* node_rot.h: what a node keeps about rows that went bad: where the scrubber is, what waits for
 * other owners, which sum is counted again. Part of node_impl.h. */
#ifndef GOSSAMER_NODE_ROT_H
#define GOSSAMER_NODE_ROT_H

#include "blob.h"
#include "heap.h"
#include "limits.h"
#include "list.h"
#include "map.h"
#include "message.h"
#include "pool.h"
#include "types.h"

#define NODE_SYS_SUMS "sums/" /* names of rows of `sys` (node_sums.c) */
#define NODE_NOTED_MAX 64     /* rows committed while one page is read; more: it is read again */
#define NODE_BAD_MAX 1024     /* damaged rows known by name; more: in recovery */

/* What a timer of the node's own heap belongs to. */
enum node_timer_kind {
    TIMER_TASK,
    TIMER_LINK,
    TIMER_JOIN,
    TIMER_PERSIST,
    TIMER_SYNC,
    TIMER_MOVE,
    TIMER_HAND,
    TIMER_GC,
    TIMER_FORGET,
    TIMER_STRAY,
    TIMER_SCRUB,
    TIMER_MEND,
    TIMER_COUNT,
    TIMER_HINT
};
struct node_timer {
    struct heap_node in_timers;
    enum node_timer_kind kind;
};

/* A row in quarantine (node_mend.c). */
struct node_bad {
    struct list in_rows;
    struct blob *row_key;
    instant again; /* earliest next question to the others */
    bool is_asked;
    bool is_counted; /* what was written over it is in the sums */
    bool is_stuck;   /* others that were asked are in recovery */
    uint8_t corrupt_count;
    uint64_t corrupt[REPLICAS_MAX]; /* other owners whose copy is damaged as well */
};
struct node_mend {
    struct node_timer timer;
    struct pool pool;  /* of node_bad */
    struct map by_key; /* row key -> node_bad */
    struct list rows;
    uint32_t tasks; /* under way */
};

/* A row that was committed while a page of its partition was being read. */
struct node_counted {
    struct blob *row_key;
    struct hash16 print;
    bool is_dead, is_split;
};

/* The one partition whose sum is being counted, and those that wait (node_recount.c). */
struct node_recount {
    struct node_timer timer;
    bool is_running, is_reading;
    bool is_stale; /* more was committed during the page than is noted */
    uint32_t partition, generation;
    instant asked;       /* when for the page */
    struct blob *cursor; /* rows below it are counted; NULL: none */
    uint32_t dead;       /* of those counted: nothing live in them */
    uint32_t split;      /* same: siblings */
    uint64_t bytes;
    struct node_counted noted[NODE_NOTED_MAX];
    uint32_t noted_count;
    uint8_t wanted[(1u << PARTITION_BITS_MAX) / 8];
    uint8_t unknown[(1u << PARTITION_BITS_MAX) / 8]; /* not counted since the store was opened */
    uint32_t unknown_count;
    bool is_saved;  /* the checkpoint is being written */
    uint32_t pages; /* of the checkpoint that were found good (node_sums.c) */
};

/* Where the scrubber is (node_scrub.c). */
struct node_scrub {
    struct node_timer timer;
    bool is_reading;
    unsigned family; /* of those it walks through */
    uint32_t pages;  /* of this cycle */
    uint32_t generation;
    struct blob *next;   /* key to go on from; NULL: the beginning of the family */
    instant until;       /* the cycle is to end by then */
    instant verified_at; /* when the last whole cycle or count ended; else that of the opening */
};

/* What the engine itself refused (node_damage.c). */
struct node_damage {
    bool is_found;  /* it is opened again once commits are through */
    unsigned count; /* openings for that reason, in a short time */
    instant at;     /* the latest */
};

struct node;
struct node_task;
struct node_read;
struct store_row;
struct node_write;
struct quorum_output;
struct place_record;
struct event;
/* node_mend.c */
bool node_row_is_bad(const struct node *node, struct slice row_key);
bool node_task_is_bad(const struct node *node, const struct node_task *task);
void node_task_found_bad(struct node *node, const struct node_task *task);
bool node_partition_is_bad(const struct node *node, uint32_t partition);
void node_row_bad(struct node *node, struct slice row_key);
void node_mend_written(struct node *node, struct slice row_key);
void node_mend_ended(struct node *node, struct node_task *task, enum status status);
void node_mend_tick(struct node *node);
void node_mend_read(struct node *node, struct node_task *task, const struct quorum_output *done);
void node_mend_gone(struct node *node, struct node_task *task, enum status status);
void node_mend_reset(struct node *node);

/* node_recount.c */
void node_recount(struct node *node, uint32_t partition);
void node_recount_reset(struct node *node);
void node_recount_all(struct node *node);
bool node_recount_is_unknown(const struct node *node, uint32_t partition);
bool node_is_counted(const struct node *node);
void node_recount_tick(struct node *node);
void node_recount_loaded(struct node *node, struct node_read *read, const struct event *event);

/* node_recount_page.c */
void node_recount_unnote(struct node_recount *recount);
void node_recount_note_writes(struct node *node);
void node_recount_rows(struct node *node, const struct event *event);
void node_recount_stored(struct node *node, const struct node_write *write);

/* node_sums.c */
void node_sums_row(struct node *node, struct slice key, struct slice body);
bool node_sums_are_whole(struct node *node);
void node_sums_stop(struct node *node);
void node_sums_step(struct node *node, enum status status);

/* node_scrub.c */
uint64_t node_scrub_age_s(const struct node *node);
void node_scrub_start(struct node *node);
void node_index_bad(struct node *node, const struct store_row *bad);
void node_scrub_tick(struct node *node);
void node_scrub_loaded(struct node *node, struct node_read *read, const struct event *event);

/* node_damage.c */
bool node_store_damaged(struct node *node);

/* node_persist.c */
void node_persist_place(struct node *node, const struct place_record *record);
void node_persist_soon(struct node *node);
void node_persist(struct node *node);

#endif
