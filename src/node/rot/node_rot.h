/* node_rot.h: what a node keeps about rows that went bad: where the scrubber is, what waits for
 * other owners, which sum is counted again. Part of node_impl.h. */
#ifndef GOSSAMER_NODE_ROT_H
#define GOSSAMER_NODE_ROT_H

#include "blob.h"
#include "heap.h"
#include "limits.h"
#include "list.h"
#include "map.h"
#include "pool.h"
#include "types.h"

#define NODE_BAD_MAX 1024 /* damaged rows known by name; more: in recovery */

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

/* The one partition whose sum is being counted again, and those that wait (node_recount.c). */
struct node_recount {
    struct node_timer timer;
    bool is_running, is_stale; /* is_stale: the page under way may show a row of either time */
    uint32_t partition, generation;
    struct blob *cursor; /* rows below it are counted; NULL: none */
    uint8_t wanted[(1u << PARTITION_BITS_MAX) / 8];
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
    instant verified_at; /* when the last whole cycle ended, or the start that read all rows */
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
void node_recount_tick(struct node *node);
void node_recount_loaded(struct node *node, struct node_read *read, const struct event *event);
void node_recount_wrote(struct node *node, uint32_t partition);
void node_recount_stored(struct node *node, const struct node_write *write);

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
