/* node_list.c: listing a namespace in byte order. Keys are spread over all peers by their hash, so
 * everyone scans its index and whoever was asked merges the pages. A page is given only if every
 * partition was read by enough of its owners: never a silently short list. */
#include "node_impl.h"
#include "node_parts.h"

/* Tells whether every partition of a class keeps enough reachable owners in both sets. */
static bool list_is_covered(struct node *node, unsigned class, enum consistency consistency)
{
    uint32_t first = place_class_first(node->place, class);

    for (uint32_t p = first; p < first + place_class_count(node->place, class); p++) {
        struct place_owners owners;
        uint8_t base = 0, target = 0;

        place_owners(node->place, p, &owners);
        for (uint8_t i = 0; i < owners.count; i++) {
            uint64_t id8 = owners.peers[i].id8;
            bool is_up = id8 == node->self || node_peer_is_reachable(node, id8);

            base = (uint8_t)(base + (is_up && owners.peers[i].is_base));
            target = (uint8_t)(target + (is_up && owners.peers[i].is_target));
        }
        if (base < quorum_required(consistency, owners.base_count) ||
            target < quorum_required(consistency, owners.target_count))
            return false;
    }
    return true;
}

void node_list_begin(struct node *node, struct node_task *task)
{
    node_space_complete(node, &task->op);

    struct quorum_list_request request = {
        .id = task->id,
        .deadline = task->deadline,
        .ns = task->op.ns,
        .prefix = task->op.prefix,
        .after = task->op.after,
        .wall_ms = node_wall_ms(node),
        .is_lww = node_space_is_lww(node, task->op.ns, SLICE_NONE),
        .limit = task->op.limit ? task->op.limit : LIST_LIMIT_DEFAULT};
    uint32_t count = place_count(node->place), away = 0;
    unsigned class = node_class(node, task->op.ns);
    uint64_t *peers = effects_alloc(node->fx, count * sizeof(*peers) + 1);
    bool *reachable = effects_alloc(node->fx, count + 1);
    struct place_owners owners;
    enum status status;

    for (uint32_t i = 0; i < count; i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (record->state == PLACE_OUT || record->state == PLACE_GONE)
            continue;
        peers[request.peer_count] = id8;
        reachable[request.peer_count] = id8 == node->self || node_peer_is_reachable(node, id8);
        away += !reachable[request.peer_count++];
    }
    place_owners(node->place, place_class_first(node->place, class), &owners);
    request.peers = peers;
    request.is_reachable = reachable;
    request.may_miss =
        (uint16_t)(owners.base_count - quorum_required(task->op.consistency, owners.base_count));
    if (away > request.may_miss && list_is_covered(node, class, task->op.consistency))
        request.may_miss = (uint16_t)away;
    task->step = STEP_LIST;
    status = request.peer_count ? quorum_list(node->quorum, node->now, &request) : STATUS_NOT_READY;
    if (status != STATUS_OK)
        node_task_fail(node, task, status);
}

/* The page is complete, or cannot be. */
void node_list_done(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    struct node_outcome outcome = {.status = done->status,
                                   .acks = done->acks,
                                   .required = done->required,
                                   .total = done->total};

    if (done->status == STATUS_LAYOUT) {
        node_task_pause(node, task); /* tables are compared meanwhile, then it begins again */
        return;
    }
    if (task->op.kind == OP_SPACE_DELETE || task->op.kind == OP_SPACE_PUT) {
        node_space_listed(node, task, done);
        return;
    }

    struct result_item *items = effects_alloc(node->fx, done->item_count * sizeof(*items) + 1);

    for (uint32_t i = 0; i < done->item_count; i++) {
        items[i].key = effects_copy(node->fx, done->items[i].key);
        items[i].siblings = done->items[i].siblings;
        node_value_show(&done->items[i].winner, &items[i].value);
        if (items[i].value.type != TYPE_VALUE && items[i].value.type != TYPE_MVREGISTER)
            items[i].siblings = 1; /* totals and heads are not siblings */
        items[i].value.meta = effects_copy(node->fx, items[i].value.meta);
    }
    for (uint8_t i = 0; i < done->role_count; i++)
        if (!done->roles[i].is_answered)
            outcome.absent = done->roles[i].id8;
    if (!task->is_cancelled) {
        struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);

        result->items = items;
        result->item_count = done->item_count;
        result->is_truncated = done->is_truncated;
    }
    node_task_end(node, task);
}

/* quorum asks a peer for its page; perhaps it is this one. */
void node_list_send(struct node *node, const struct quorum_output *ask)
{
    struct frame head = {.priority = 1, .request = ask->id};
    struct message message = {.kind = MESSAGE_LIST,
                              .list = {.layout = place_layout(node->place),
                                       .limit = ask->limit,
                                       .ns = ask->ns,
                                       .prefix = ask->prefix,
                                       .after = ask->after}};

    if (ask->to == node->self)
        node_list_asked(node, node->self, &head, &message);
    else
        (void)node_send(node, ask->to, &head, &message);
}

/* Listings and scans have no key that says who coordinates: whoever was asked does. */
bool node_list_asks_all(struct node *node, struct node_task *task)
{
    if (task->op.kind == OP_SCAN || task->op.kind == OP_RESTORE)
        node_rows_begin(node, task);
    else if (task->op.kind == OP_LIST || task->op.kind == OP_SPACE_DELETE ||
             task->op.kind == OP_SPACE_PUT)
        node_list_begin(node, task);
    else
        return false;
    return true;
}
