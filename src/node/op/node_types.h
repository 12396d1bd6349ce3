/* node_types.h: what the files about CRDT types offer the others of this room; each is explained
 * where it is defined. Part of node_parts.h. */
#ifndef GOSSAMER_NODE_TYPES_H
#define GOSSAMER_NODE_TYPES_H

#include "node_impl.h"

/* node_update.c */
bool node_update_is_sound(const struct op *op);
bool node_update_is_repeatable(const struct op *op);
bool node_update_observes(const struct node_task *task);
void node_update_reset(struct node_task *task);
void node_update_begin(struct node_task *task);
void node_update_element(struct node *node, struct node_task *task);
enum node_update_next node_update_next(struct node *node, const struct node_task *task,
                                       enum status status, struct slice row);
enum status node_update_apply(struct node *node, struct node_task *task, struct crdt_object *object,
                              uint64_t above);
struct slice node_update_head_of(struct node *node, struct crdt_object *object);
bool node_update_commits_first(const struct node_task *task);
void node_update_commit(struct node *node, struct node_task *task, const struct hash16 *before);
void node_update_committed(struct node *node, struct node_task *task, enum status status);
void node_update_show(const struct crdt_object *object, struct result *result);

/* node_group.c */
void node_group_free(struct node_group *group);
bool node_group_begin(struct node *node, struct node_task *parent);
void node_group_end(struct node *node, struct node_task *parent);
bool node_group_child(struct node *node, struct node_group *group, const struct op *op);
struct op node_group_op(const struct node_group *group, enum op_kind kind);
bool node_group_row(struct node *node, struct node_group *group, struct slice name,
                    enum crdt_kind type, struct slice arg);
void node_group_finish(struct node *node, struct node_group *group);
void node_group_expired(struct node *node, struct node_task *parent);
struct node_group *node_group_of(struct node *node, unsigned index, uint32_t number);
void node_group_heard(struct node *node, struct node_group *group, enum op_kind kind,
                      const struct node_outcome *outcome);
void node_group_run(struct node *node, struct node_group *group);

/* node_sweep.c */
bool node_group_after(struct node_group *group, struct slice path);
bool node_group_scan(struct node *node, struct node_group *group, uint32_t limit);
struct slice node_group_path(const struct node_group *group, struct slice name);
void node_group_scanned(struct node *node, const struct node_task *child,
                        const struct result *page);
bool node_sweep_step(struct node *node, struct node_group *group);
bool node_sweep_list(struct node *node, struct node_group *group);

/* node_collect.c */
void node_collect_row(struct node *node, struct node_group *group, const struct result_item *item);
bool node_collect_step(struct node *node, struct node_group *group);
bool node_collect_show(struct node *node, struct node_group *group);

/* node_condition.c */
bool node_condition_holds(const struct op *op, const struct crdt_object *object);
void node_coord_refused(struct node *node, struct node_task *task, enum status status);
struct slice node_write_context(struct node *node, const struct node_task *task);

#endif
