/* node_stray.h: classes of replicas at this node, and rows of another class than the present one
 * of their namespace: strays (decision 0020). Part of node_impl.h. */
#ifndef GOSSAMER_NODE_STRAY_H
#define GOSSAMER_NODE_STRAY_H

#include "node_impl.h"

struct node_stray {
    uint64_t version; /* of the classes we know; 0: no namespace ever left the cluster's own */
    uint64_t swept;   /* version that was complete when a sweep last ended with nothing left */
    bool is_due;      /* a sweep has to begin (again): something changed */
    bool is_sweeping, is_reading, is_failed;
    bool is_at_end;     /* the last page was read */
    uint32_t serial;    /* of the sweep: names it in reads and carries */
    uint32_t open;      /* rows being carried, those of anti-entropy too */
    struct blob *after; /* last row key seen to; NULL: from the start */
    instant ask_at;     /* not before, whether the others have swept */
    struct node_timer timer;
};

struct message;

/* node_class.c */
unsigned node_class(const struct node *node, struct slice ns);
uint64_t node_front(const struct node *node, struct slice ns, struct slice key);
bool node_row_is_stray(const struct node *node, struct slice row_key);
void node_classes_changed(struct node *node);
bool node_classes_are_settled(struct node *node);
void node_classes_message(struct node *node, uint64_t peer, const struct message *message);

/* node_stray.c */
void node_stray_wake(struct node *node);
void node_stray_tick(struct node *node);
bool node_stray_is_clean(const struct node *node);
bool node_stray_carry(struct node *node, struct slice row_key, struct slice object, uint8_t batch);
void node_stray_ended(struct node *node, struct node_task *child, enum status status);
void node_stray_loaded(struct node *node, struct node_read *read, const struct event *event);

#endif
