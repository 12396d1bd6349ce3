/* node_parts.h: what the files of this room offer each other; each is explained where it is
 * defined. */
#ifndef GOSSAMER_NODE_PARTS_H
#define GOSSAMER_NODE_PARTS_H

#include <stdlib.h>
#include "gc/node_gc.h"
#include "node_impl.h"
#include "hint/node_hint.h"
#include "move/node_moves.h"
#include "op/node_types.h"

/* node_send.c */
void node_send_datagram(struct node *node, uint64_t to, const struct address *address,
                        const struct message *messages, unsigned count);
void node_send_bare(struct node *node, uint64_t to, const struct address *address,
                    const struct message *messages, unsigned count);
void node_send_bytes(struct node *node, const struct node_link *link, struct slice bytes);
void node_send_packed(struct node *node, struct node_link *link);
bool node_send_open(struct node *node, struct node_link *link);
void node_send_queued(struct node *node, struct node_link *link);
bool node_send_link(struct node *node, struct node_link *link, const struct frame *head,
                    const struct message *message);
bool node_send(struct node *node, uint64_t to, const struct frame *head,
               const struct message *message);
bool node_send_plain(struct node *node, uint64_t to, const struct message *message);
void node_send_reply(struct node *node, uint64_t to, uint64_t request,
                     const struct message *message);
void node_send_all(struct node *node, const struct message *message);

/* node_link.c */
struct node_link *node_link_find(struct node *node, link_id id);
void node_link_close(struct node *node, struct node_link *link, enum status reason);
struct node_link *node_link_dial(struct node *node, const struct address *address);
struct node_link *node_link_for(struct node *node, uint64_t id8);
void node_link_up(struct node *node, const struct event *event);
void node_link_down(struct node *node, const struct event *event);
void node_link_bytes(struct node *node, const struct event *event);
void node_link_expired(struct node *node, struct node_link *link);

/* node_peer.c */
struct node_peer *node_peer(struct node *node, uint64_t id8);
bool node_peer_address(struct node *node, uint64_t id8, struct address *address);
bool node_peer_is_reachable(struct node *node, uint64_t id8);
bool node_has_majority(struct node *node, bool (*counts)(struct node *node, uint64_t id8));
bool node_is_blocked(const struct node *node, uint64_t id8);
void node_peer_lost(struct node *node, uint64_t id8, bool was_ready);
struct label node_peer_name(struct node *node, uint64_t id8);
uint64_t node_peer_named(struct node *node, struct slice text);
void node_block(struct node *node, struct slice names);
int node_rank(const struct node *node, uint64_t id8);
uint32_t node_load(struct node *node);

/* node_datagram.c */
void node_datagram(struct node *node, const struct event *event);

/* node_message.c */
bool node_record_received(struct node *node, const struct swim_from *from, struct slice bytes,
                          uint64_t *id8);
void node_peer_message(struct node *node, const struct swim_from *sender,
                       const struct message *message);
void node_message(struct node *node, struct node_link *link, const struct frame *frame,
                  const struct message *message);

/* node_join.c */
uint64_t node_founding_hash(const struct node *node);
void node_join_start(struct node *node);
void node_join_seeds(struct node *node, const struct event *event);
void node_join_failed(struct node *node, const struct address *address, enum status reason);
void node_join_linked(struct node *node, struct node_link *link);
void node_join_ask(struct node *node, uint64_t id8);
void node_join_message(struct node *node, struct node_link *link, const struct message *message);

/* node_boot.c */
void node_opened(struct node *node, const struct event *event);
void node_founding_adopt(struct node *node, const struct founding_record *record);
void node_boot_loaded(struct node *node, enum node_read_kind kind, const struct event *event);

/* node_store.c */
enum status node_row_get(struct node *node, struct slice row_key, bool is_merge,
                         struct slice *object);
struct node_write *node_write_start(struct node *node, const struct store_row *rows,
                                    uint32_t count);
void node_write_rows(struct node *node, const struct store_row *rows, uint32_t count);
enum status node_write_object(struct node *node, struct node_task *task, struct slice bytes,
                              const struct crdt_object *object, const struct hash16 *before);
void node_row_changed(struct node *node, struct slice row_key);
void node_store_reopen(struct node *node);
void node_stored(struct node *node, const struct event *event);

/* node_task.c */
void node_task_number(struct node *node, struct node_task *task);
struct node_task *node_task_new(struct node *node, enum node_task_kind kind);
struct node_task *node_task_find(struct node *node, uint64_t id);
void node_task_end(struct node *node, struct node_task *task);
bool node_task_keep(struct node_task *task, const struct op *op);
void node_task_hash(struct node *node, struct node_task *task);
void node_task_timed(struct node *node, struct node_task *task, uint32_t timeout_ms);
bool node_task_is_write(const struct node_task *task);
void node_task_begin(struct node *node, struct node_task *task);
void node_task_pause(struct node *node, struct node_task *task);
void node_task_pause_for(struct node *node, struct node_task *task, uint64_t pause_us);
void node_task_expired(struct node *node, struct node_task *task);
void node_task_load(struct node *node, struct node_task *task);
void node_task_loaded(struct node *node, struct node_task *task, enum status status,
                      struct slice object);
void node_task_row(struct node *node, struct node_task *task, enum status status,
                   struct slice object);
void node_task_stored(struct node *node, uint64_t id, enum status status);

/* node_coord.c */
bool node_coord_reads_first(const struct node_task *task);
void node_coord_begin(struct node *node, struct node_task *task);
void node_coord_request(struct node *node, struct node_task *task, struct quorum_request *request,
                        struct quorum_owner *room);
void node_coord_row(struct node *node, struct node_task *task, enum status status,
                    struct slice object);
void node_coord_done(struct node *node, struct node_task *task, const struct quorum_output *done);

/* node_replica.c */
enum status node_replica_admits(struct node *node, uint64_t peer, uint64_t layout);
struct node_task *node_replica_task(struct node *node, enum node_task_kind kind,
                                    const struct op *op, struct slice object);
void node_replica_asked(struct node *node, uint64_t peer, const struct frame *frame,
                        const struct message *message);
void node_replica_show(struct node *node, struct node_task *task, enum status status,
                       struct slice object);
void node_replica_stored(struct node *node, struct node_task *task, enum status status);
bool node_task_merges(const struct node_task *task);
void node_replica_merge(struct node *node, struct node_task *task, enum status status,
                        struct slice row);
void node_repair_local(struct node *node, const struct quorum_output *repair);

/* node_forward.c */
bool node_forward_to(struct node *node, struct node_task *task, uint64_t to);
void node_forward(struct node *node, struct node_task *task, const struct place_owners *owners);
void node_forward_again(struct node *node, struct node_task *task);
void node_forward_lost(struct node *node, uint64_t peer, bool was_ready);
void node_forward_answered(struct node *node, uint64_t peer, const struct frame *frame,
                           const struct message *message);
void node_forward_arrived(struct node *node, const struct node_link *link,
                          const struct frame *frame, const struct message *message);
void node_task_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message);

/* node_reply.c */
void node_value_show(const struct crdt_value *value, struct result_value *shown);
struct result *node_reply_client(struct node *node, const struct op *op, ticket asker,
                                 const struct node_outcome *outcome);
void node_finish(struct node *node, struct node_task *task, const struct node_outcome *outcome);
void node_task_fail(struct node *node, struct node_task *task, enum status status);

/* node_local.c */
bool node_local_get(struct node *node, const struct op *op, ticket asker);

/* node_full.c */
enum status node_write_refused(struct node *node, const struct node_write *done);
void node_write_undropped(struct node *node, uint64_t write_ticket, struct slice row_key,
                          const struct gc_item *item);

/* node_list.c */
void node_list_begin(struct node *node, struct node_task *task);
void node_list_done(struct node *node, struct node_task *task, const struct quorum_output *done);
void node_list_send(struct node *node, const struct quorum_output *ask);
bool node_list_asks_all(struct node *node, struct node_task *task);

/* node_sync.c */
void node_leaf_list(struct node *node, const struct sync_output *ask);
void node_leaf_loaded(struct node *node, struct node_read *read, const struct event *event);
void node_batch_row(struct node *node, struct node_task *task, enum status status,
                    struct slice object);
void node_merge_items(struct node *node, const struct sync_output *pulled);
void node_give_keys(struct node *node, const struct sync_output *asked);

/* node_query.c */
void node_query_member(struct node *node, const struct swim_view *view,
                       struct result_member *member);
void node_query_owners(struct node *node, const struct op *op, struct result *result);
void node_query(struct node *node, const struct op *op, ticket asker);
void node_request_plain(struct node *node, const struct op *op, ticket asker);

/* node_overlay.c */
bool node_is_in_cell(const struct node *node, const struct node_id *id);
bool node_key_is_in_cell(const struct node *node, uint64_t hash_front);
void node_overlay_message(struct node *node, uint64_t peer, const struct address *from,
                          const struct message *message);
void node_overlay_send(struct node *node, const struct kad_output *send);
struct slice node_overlay_nearest(struct node *node, uint64_t id8);
void node_overlay_joined(struct node *node, struct slice packed);
void node_overlay_begin(struct node *node, struct node_task *task);
void node_overlay_step(struct node *node, const struct kad_output *step);
void node_overlay_done(struct node *node, const struct kad_output *done);
void node_overlay_ask(struct node *node, uint64_t id8, const struct address *address);
void node_overlay_meet(struct node *node, const struct contact *contact);

/* node_locate.c */
void node_locate(struct node *node, struct node_task *task);
void node_locate_found(struct node *node, struct node_task *task, const struct kad_output *done);
void node_locate_message(struct node *node, uint64_t peer, const struct frame *frame,
                         const struct message *message);

/* node_verify.c */
struct result_owner *node_verify_rows(const struct node_task *task, uint32_t *count);
void node_verify_finish(struct node *node, struct node_task *task);
void node_verify_begin(struct node *node, struct node_task *task);
bool node_verify_answered(struct node *node, uint64_t request, const struct quorum_answer *answer);

/* node_facts.c */
void node_swim_emit(void *context, const struct swim_output *output);
void node_kad_emit(void *context, const struct kad_output *output);
void node_quorum_emit(void *context, const struct quorum_output *output);
void node_sync_emit(void *context, const struct sync_output *output);

/* node_rooms.c */
bool node_rooms_found(struct node *node);

/* node_view.c */
uint64_t node_own_incarnation(const struct node *node);
void node_view_convergence(const struct node *node, uint32_t *differing, uint32_t *age_s);

/* node_expire.c */
uint64_t node_wall_ms(const struct node *node);
uint64_t node_expiry(const struct node *node, const struct op *op);
const struct crdt_object *node_seen(struct node *node, const struct op *op,
                                    const struct crdt_object *object);

/* node_scan.c */
void node_scan_begin(struct node *node, struct node_task *task);
void node_scan_send(struct node *node, const struct quorum_output *ask);
void node_scan_done(struct node *node, struct node_task *task, const struct quorum_output *done);
void node_scan_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message);
void node_scan_loaded(struct node *node, struct node_read *read, const struct event *event);

/* node_quorum.c */
void node_quorum_send(struct node *node, const struct quorum_output *ask);
void node_quorum_fact(struct node *node, const struct quorum_output *fact);
void node_quorum_answered(struct node *node, uint64_t peer, const struct frame *frame,
                          const struct message *message);
void node_quorum_outcome(struct node *node, const struct quorum_output *done,
                         struct node_outcome *outcome);

/* node_read.c */
struct node_read *node_read_start(struct node *node, enum node_read_kind kind,
                                  const struct store_range *range);
struct front_cut node_cut(const struct node *node);
void node_read_page(struct node *node, struct node_read *read, const struct store_range *range);
void node_read_end(struct node *node, struct node_read *read);
bool node_row_wait(struct node *node, struct node_task *task, struct slice row_key);
struct node_read *node_row_read(const struct node *node, struct slice row_key);
void node_loaded(struct node *node, const struct event *event);
struct blob *node_key_behind(struct slice key);

/* node_gather.c */
uint32_t node_gather_last(struct node *node, uint32_t partition);
void node_gather(struct node *node, struct node_task *task, const struct quorum_output *done);

/* node_restore.c */
void node_restore_begin(struct node *node, struct node_task *task);
void node_rows_begin(struct node *node, struct node_task *task);
void node_restore_done(struct node *node, struct node_task *child,
                       const struct quorum_output *done);
void node_restore_ended(struct node *node, struct node_task *child, enum status status);

/* node_replace.c */
enum status node_replace(struct node *node, uint64_t number);

/* node_space.c */
void node_space_settings(const struct node *node, struct slice ns, struct space_settings *settings);
void node_space_complete(const struct node *node, struct op *op);
bool node_space_is_lww(const struct node *node, struct slice ns, struct slice key);
void node_space_resolve(const struct node *node, const struct op *op, struct crdt_object *object);
void node_lists_digest(struct node *node);
void node_space_received(struct node *node, struct slice bytes);
bool node_space_moves(const struct node *node, struct slice name,
                      const struct space_settings *settings, bool is_deleted);
enum status node_space_write(struct node *node, struct slice name,
                             const struct space_settings *settings, bool is_deleted);
struct slice node_space_brief(struct node *node);
void node_space_tell(struct node *node, uint64_t peer, struct slice brief);

/* node_page.c */
void node_list_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message);
void node_list_loaded(struct node *node, struct node_read *read, const struct event *event);

/* node_actor.c */
uint64_t node_actor(const struct node *node, uint32_t partition);
struct dot node_actor_dot(struct node *node, const struct node_task *task, uint64_t above);
void node_actor_end(struct node *node, uint32_t partition);
bool node_actor_is_ours(const struct node *node, uint32_t partition, uint64_t actor);

/* node_drop.c */
enum status node_drop_row(struct node *node, struct slice row_key, struct slice object);

/* node_settings.c */
void node_space_query(struct node *node, const struct op *op, struct result *result);
bool node_space_asks_all(const struct node *node, const struct op *op);
void node_space_change(struct node *node, struct node_task *task);
void node_space_listed(struct node *node, struct node_task *task, const struct quorum_output *done);

/* node_persist.c */
void node_persist_row(struct node *node, struct store_row *row, struct slice key,
                      struct slice body);

/* node_watch.c */
bool node_watch_begin(struct node *node, ticket asker);
void node_watch_cancel(struct node *node, ticket asker);
void node_watch_member(struct node *node, uint64_t id8);

#endif
