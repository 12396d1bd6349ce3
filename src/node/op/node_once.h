/* node_once.h: what sessions and idempotent writes offer the rest of this room; each is explained
 * where it is defined. */
#ifndef GOSSAMER_NODE_ONCE_H
#define GOSSAMER_NODE_ONCE_H

struct node;
struct node_task;

/* node_session.c */
enum status node_session_read(struct node *node, struct node_task *task,
                              struct quorum_request *request, struct dot *dots);
enum status node_session_above(struct node *node, const struct op *op, uint64_t *above);
bool node_session_waits(struct node *node, struct node_task *task, enum status status);
bool node_session_elsewhere(struct node *node, struct node_task *task, enum status status);
bool node_session_restarts(struct node *node, struct node_task *task);
void node_session_next(struct node *node, struct node_task *task, const struct quorum_output *done,
                       struct node_outcome *outcome);
void node_session_replayed(struct node *node, struct node_task *task, struct dot dot,
                           struct node_outcome *outcome);
bool node_session_is_good(struct node *node, const struct op *op);
struct slice node_session_same(struct node *node, const struct op *op);

/* node_once.c */
bool node_once_holds(struct node *node, struct node_task *task);
const struct node_outcome *node_once_closes(struct node *node, struct node_task *task,
                                            const struct node_outcome *outcome);
void node_once_heard(struct node *node, struct node_task *child,
                     const struct node_outcome *outcome);

/* node_record.c */
void node_once_name(struct node *node, struct node_task *task);
struct hash16 node_record_body(struct node *node, const struct node_task *task);
struct slice node_record_row(const struct op *op, uint8_t room[NODE_RECORD_NAME_MAX]);
void node_record_write(struct writer *out, const struct node_record *value);
bool node_record_read(struct slice bytes, struct node_record *value);
bool node_record_keep(struct node_task *task, const struct node_outcome *outcome);
struct node_outcome *node_record_kept(struct node *node, const struct node_task *task);
bool node_op_is_write(const struct op *op);
bool node_once_may_repeat(const struct op *op);
enum outcome node_once_outcome(const struct op *op, const struct node_outcome *outcome);

#endif
