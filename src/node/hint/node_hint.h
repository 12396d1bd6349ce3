/* node_hint.h: what owners lack, as this node keeps it beside the books of room hint; shared by the
 * node_hint files (decision 0016). */
#ifndef GOSSAMER_NODE_HINT_H
#define GOSSAMER_NODE_HINT_H

#include "hint.h"
#include "node_impl.h"

struct node_hints {
    struct hints *books;
    struct node_timer timer;
    uint64_t layout;    /* under which owners were found equal */
    struct buffer gone; /* rows to delete: n x (u16 size | key) */
    bool is_giving;     /* hints are being looked at */
    bool is_loading;    /* a page of our rows is being read */
    bool is_loaded;     /* rows of an earlier process are in the books */
    struct blob *after; /* owned: the last of them that was read */
};

/* node_hint.c */
bool node_hints_new(struct node *node);
void node_hints_delete(struct node *node);
bool node_hints_hold(const struct node *node, uint32_t partition);
bool node_hint_is_kept(const struct node *node, uint64_t owner, struct slice row_key);
void node_hint_spread(struct node *node, const struct quorum_output *spread);
void node_hint_add(struct node *node, const struct hint_row *row);
void node_hint_lose(struct node *node, struct hint *hint, bool is_lost);
void node_hint_agreed(struct node *node, uint64_t peer, instant since);
void node_hint_tick(struct node *node);

/* node_hint_give.c */
void node_hint_give(struct node *node, struct hint_owner *owner);
void node_hint_row(struct node *node, struct node_task *task, enum status status,
                   struct slice object);
bool node_hint_answered(struct node *node, uint64_t peer, uint64_t request, enum status status);
void node_hint_ended(struct node *node, struct node_task *task, enum status status);

/* node_lag.c */
void node_lag_seen(struct node *node, uint64_t lag_ms);
uint64_t node_lag_since(const struct node *node, uint64_t made_ms);
bool node_object_is_split(const struct crdt_object *object);
void node_lag_of(struct node *node, uint64_t id8, uint32_t *hints, uint64_t *lag_ms);
void node_lag_show(struct node *node, struct result_cluster *cluster);
void node_lag_gauges(struct node *node, const struct result_cluster *cluster);
void node_lag_ask(struct node *node, const struct node_task *task, uint64_t to);
void node_lag_asked(struct node *node, uint64_t peer, const struct frame *frame,
                    const struct message_hint_ask *ask);
void node_lag_answered(struct node *node, uint64_t request, const struct message_hint_kept *kept);

/* node_hint_keep.c */
void node_hint_gone(struct node *node, uint64_t owner, struct slice row_key);
void node_hint_save(struct node *node);
void node_hint_load(struct node *node);
void node_hint_loaded(struct node *node, struct node_read *read, const struct event *event);
void node_hints_unsave(struct node *node);

#endif
