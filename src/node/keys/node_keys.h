/* node_keys.h: the cluster's keys while it runs (node_keys.c, node_keys_ask.c). Part of
 * node_impl.h.
 */
#ifndef GOSSAMER_NODE_KEYS_H
#define GOSSAMER_NODE_KEYS_H

#include "types.h"

#define NODE_KEYS_ASKERS 8 /* who asked while our ring was on its way to the disk */

struct node_keys {
    uint64_t saved_stamp, saved_by; /* the change that is on our disk */
    bool is_saving;
    uint32_t round; /* of questions to the members: an answer names it */
    struct {
        uint64_t peer, request;
        uint32_t round;
    } askers[NODE_KEYS_ASKERS];
    uint32_t asker_count;
    uint64_t seen; /* a key id that somebody used and we lack */
    struct address from;
};

struct node;
struct node_link;
struct node_task;
struct event;
struct frame;
struct message;
struct message_keyring;
struct message_keys;
struct seal_keyring;

/* node_keys.c */
uint64_t node_keys_digest(const struct node *node);
void node_keys_adopt(struct node *node, const struct seal_keyring *ring);
struct message node_keys_message(struct node *node);
void node_keys_received(struct node *node, uint64_t peer, const struct message_keyring *message);
void node_keys_tell(struct node *node, uint64_t peer, uint64_t stamp, uint64_t by);
void node_keys_saved(struct node *node, const struct event *event);
bool node_keys_are_saved(const struct node *node);
void node_keys_tick(struct node *node);
void node_keys_foreign(struct node *node, uint16_t key_id, const struct address *from);
void node_keys_refused(struct node *node, const struct node_link *link);
/* node_keys_ask.c */
void node_keys_begin(struct node *node, struct node_task *task);
void node_keys_look(struct node *node, struct node_task *task, bool is_over);
void node_keys_answer(struct node *node);
void node_keys_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message_keys *keys);

#endif
