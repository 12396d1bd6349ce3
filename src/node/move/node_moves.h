/* node_moves.h: what the files about coming, going and handing over offer the others of this room;
 * each is explained where it is defined. Part of node_parts.h. */
#ifndef GOSSAMER_NODE_MOVES_H
#define GOSSAMER_NODE_MOVES_H

#include "node_impl.h"

/* node_move.c */
void node_move_wake(struct node *node);
void node_move_tick(struct node *node);
bool node_move_is_complete(struct node *node, enum place_state state);
bool node_move_is_needed(struct node *node);
bool node_move_is_whole(struct node *node, uint32_t partition, enum place_state state);
void node_leave(struct node *node, ticket asker);

/* node_rounds.c */
void node_sync_tick(struct node *node);
void node_sync_done(struct node *node, const struct sync_output *done);
void node_sync_fact(struct node *node, const struct sync_output *fact);
bool node_sync_shares(void *context, uint64_t peer, uint16_t partition);

/* node_farewell.c */
void node_farewell(struct node *node);
void node_farewell_heard(struct node *node, uint64_t id8, struct slice places);

/* node_weight.c */
void node_weight_begin(struct node *node, struct node_task *task);
void node_weight_message(struct node *node, uint64_t peer, const struct frame *frame,
                         const struct message *message);

/* node_preview.c, node_rooms.c */
void node_preview(struct node *node, const struct op *op, struct result *result);
struct place_config node_place_config(const struct node *node);

/* node_jobs.c */
void node_jobs_watch(struct node *node);
void node_jobs_begin(struct node *node, struct node_task *task);
void node_jobs_finish(struct node *node, struct node_task *task);
void node_jobs_message(struct node *node, uint64_t peer, const struct frame *frame,
                       const struct message *message);

/* node_forget.c */
void node_forget_watch(struct node *node);
bool node_forget_agrees(struct node *node, uint64_t id8, unsigned kind);
void node_forget_ask(struct node *node, unsigned kind, uint64_t subject);
void node_forget_tick(struct node *node);
void node_forget_asked(struct node *node, uint64_t peer, const struct message_forget_ask *ask);
void node_forget_acked(struct node *node, uint64_t peer, const struct message_forget_ack *ack);
enum status node_forget_now(struct node *node, uint64_t id8);

/* node_heir.c */
void node_heir_begin(struct node *node);
void node_heir_tick(struct node *node);
bool node_heir_gains(struct node *node);
bool node_heir_all_done(struct node *node);
bool node_heir_is_done(struct node *node, uint64_t subject);

/* node_place.c */
void node_place_received(struct node *node, struct slice bytes);
void node_place_set(struct node *node, enum place_state state);
void node_place_weigh(struct node *node, uint16_t weight);
void node_place_other(struct node *node, uint64_t id8, enum place_state state);
void node_place_start(struct node *node);
void node_table_send(struct node *node, uint64_t peer, bool is_reply);
void node_table_soon(struct node *node, uint64_t id8);
void node_place_differs(struct node *node, uint64_t id8);
void node_table_received(struct node *node, const struct swim_from *sender,
                         const struct message *message);

/* node_marks.c */
void node_marks_reset(struct node *node);
void node_marks_trim(struct node *node);
void node_marks_add(struct node *node, uint32_t partition, uint64_t id8, bool is_given);
unsigned node_marks_count(const struct node_marks *marks);

/* node_hand.c */
bool node_hand_is_same(const struct node *node, const struct node_hand *hand);
void node_hand_changed(struct node *node, struct node_hand *hand);
void node_hand_stick(struct node *node, struct node_hand *hand);
void node_hand_reset(struct node *node);
bool node_hand_offers(void *context, uint64_t peer, uint16_t partition);
bool node_hand_is_confirmed(struct node *node, const struct node_hand *hand);
void node_hand_taken(struct node *node, uint64_t peer, const struct message_hand_taken *taken);
bool node_hand_holds_back(struct node *node);
bool node_hand_is_clean(struct node *node);
void node_hand_tick(struct node *node);
bool node_hand_is_left(struct node *node, uint32_t partition);

/* node_drop.c */
bool node_drop_defers(struct node *node, struct slice record);
void node_drop_loaded(struct node *node, struct node_read *read, const struct event *event);
void node_drop_step(struct node *node);
void node_row_stored(struct node *node, struct node_write *done, enum status status);

/* node_take.c */
bool node_take_runs(struct node *node, uint64_t peer);
void node_take_offered(struct node *node, uint64_t peer, const struct message_hand_offer *offer);
void node_take_pulled(struct node *node, const struct sync_output *fact);
void node_take_done(struct node *node, const struct sync_output *done);

/* Up to N - W + 1 or W peers of one partition, as their place in the pool of peers + 1. */
#define NODE_MARKS_MAX (REPLICAS_MAX / 2 + 1)
struct node_marks {
    uint16_t peers[NODE_MARKS_MAX];
    uint32_t target; /* the target set they were gathered under, as a sum; 0 with no peers */
};

#endif
