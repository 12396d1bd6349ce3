/* node_list.c: listing a namespace in byte order. Keys are spread over all peers by their hash, so
 * everyone scans its index and whoever was asked merges the pages. A page is given only if every
 * partition was read by enough of its owners: never a silently short list. */
#include "node_impl.h"
#include "node_parts.h"

#define PAGE_BYTES_MAX (1u << 20) /* bytes of one peer's page */

/* --- asking */

/* Tells whether every partition keeps enough reachable owners in both sets. */
static bool list_is_covered(struct node *node, enum consistency consistency)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
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
    struct quorum_list_request request = {.id = task->id,
                                          .deadline = task->deadline,
                                          .ns = task->op.ns,
                                          .prefix = task->op.prefix,
                                          .after = task->op.after,
                                          .wall_ms = node_wall_ms(node),
                                          .limit =
                                              task->op.limit ? task->op.limit : LIST_LIMIT_DEFAULT};
    uint32_t count = place_count(node->place), away = 0;
    uint64_t *peers = effects_alloc(node->fx, count * sizeof(*peers) + 1);
    bool *reachable = effects_alloc(node->fx, count + 1);
    struct place_owners owners;
    enum status status;

    for (uint32_t i = 0; i < count; i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (record->state == PLACE_OUT)
            continue;
        peers[request.peer_count] = id8;
        reachable[request.peer_count] = id8 == node->self || node_peer_is_reachable(node, id8);
        away += !reachable[request.peer_count++];
    }
    place_owners(node->place, 0, &owners);
    request.peers = peers;
    request.is_reachable = reachable;
    request.may_miss =
        (uint16_t)(owners.base_count - quorum_required(task->op.consistency, owners.base_count));
    if (away > request.may_miss && list_is_covered(node, task->op.consistency))
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
    struct result_item *items = effects_alloc(node->fx, done->item_count * sizeof(*items) + 1);

    for (uint32_t i = 0; i < done->item_count; i++) {
        items[i].key = effects_copy(node->fx, done->items[i].key);
        items[i].siblings = done->items[i].siblings;
        node_value_show(&done->items[i].winner, &items[i].value);
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

/* --- answering */

static void list_answer(struct node *node, uint64_t peer, uint32_t request, enum status status,
                        const struct node_read *read)
{
    struct slice items = read ? slice_of(read->rows.data, read->rows.size) : SLICE_NONE;
    bool is_last = read && read->is_last;

    if (peer == node->self) {
        struct quorum_answer answer = {
            .from = peer, .status = status, .items = items, .is_last = is_last};

        quorum_rows(node->quorum, node->now, request, &answer);
        return;
    }

    struct message rows = {.kind = MESSAGE_ROWS,
                           .rows = {.status = (uint8_t)status,
                                    .is_last = is_last,
                                    .layout = node->place ? place_layout(node->place) : 0,
                                    .items = items}};

    node_send_reply(node, peer, request, &rows);
}

/* Makes the half-open range of index rows behind `after` that begin with `prefix`. */
static void list_range(struct node *node, const struct message_list *list,
                       struct store_range *range, struct slice *until)
{
    uint8_t room[STORE_KEY_SIZE_MAX + 1];
    struct slice low = store_key_idx(list->ns, list->prefix, room);
    uint8_t *high = effects_alloc(node->fx, low.size);
    size_t size = low.size;

    memcpy(high, low.data, low.size);
    while (size > 0 && high[size - 1] == 0xff)
        size--;
    if (size > 0)
        high[size - 1]++;
    *until = slice_of(high, size);
    if (slice_compare(list->after, list->prefix) >= 0 && list->after.size) {
        low = store_key_idx(list->ns, list->after, room);
        room[low.size] = 0; /* the smallest key behind it */
        low.size++;
    }
    *range = (struct store_range){.family = STORE_IDX,
                                  .is_joined = true,
                                  .from = effects_copy(node->fx, low),
                                  .until = *until,
                                  .rows_max = SCAN_ROWS_MAX,
                                  .bytes_max = PAGE_BYTES_MAX};
}

static void list_scan(struct node *node, uint64_t peer, uint32_t request,
                      const struct message_list *list)
{
    struct store_range range;
    struct slice until;
    struct node_read *read;

    list_range(node, list, &range, &until);
    if (list->limit < range.rows_max)
        range.rows_max = list->limit + 1;
    read = node_read_start(node, READ_LIST, &range);
    if (!read) {
        list_answer(node, peer, request, STATUS_OVERLOAD, NULL);
        return;
    }
    read->peer = peer;
    read->request = request;
    read->limit = list->limit;
    read->until = blob_copy(until);
    buffer_init(&read->rows, 2 * PAGE_BYTES_MAX);
}

void node_list_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message)
{
    const struct message_list *list = &message->list;
    enum status status = STATUS_OK;

    if (node->phase != NODE_OPEN || !node->is_founded)
        status = STATUS_NOT_READY;
    else if (list->layout != place_layout(node->place))
        status = STATUS_LAYOUT;
    else if (node->is_recovering)
        status = STATUS_RECOVERING;
    if (status == STATUS_LAYOUT)
        node_table_soon(node, peer);
    if (status == STATUS_OK)
        list_scan(node, peer, frame->request, list);
    else
        list_answer(node, peer, frame->request, status, NULL);
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

/* Packs one object row as (key length u16 | key | length u32 | head). False: the page is full. */
static bool list_pack(struct node *node, struct node_read *read, const struct store_row *row)
{
    struct crdt_object *object = &node->object_a;
    struct slice body, ns, key;
    uint64_t front;
    size_t size;
    uint8_t *room;
    struct writer out;

    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        store_key_split(row->key, &front, &ns, &key) != STATUS_OK ||
        crdt_object_decode(body, object) != STATUS_OK) {
        node_row_corrupt(node, 0);
        return true; /* the other owners know the key */
    }
    if (read->count >= read->limit)
        return false;
    crdt_object_strip(object);
    size = 6 + key.size + crdt_object_size(object);
    room = buffer_reserve(&read->rows, size);
    if (!room)
        return false;
    out = writer_over(room, size);
    write_u16(&out, (uint16_t)key.size);
    write_slice(&out, key);
    write_u32(&out, (uint32_t)crdt_object_size(object));
    if (crdt_object_encode(object, &out) != STATUS_OK)
        ensure_unreachable();
    read->rows.size += out.size;
    read->count++;
    return true;
}

void node_list_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    enum status status = event->loaded.status;
    const struct store_row *last = NULL;
    bool is_full = false;

    for (uint32_t i = 0; i < event->loaded.count && !is_full; i++) {
        last = &event->loaded.rows[i];
        is_full = !list_pack(node, read, last);
    }
    is_full |= read->rows.size >= PAGE_BYTES_MAX;
    if (status == STATUS_OK && last && !is_full) {
        uint8_t room[STORE_KEY_SIZE_MAX + 1];
        struct writer out = writer_over(room, sizeof(room));

        write_slice(&out, slice_of(last->key.data + 8, last->key.size - 8)); /* behind h8 */
        write_u8(&out, 0);

        struct store_range range = {.family = STORE_IDX,
                                    .is_joined = true,
                                    .from = writer_done(&out),
                                    .until = blob_slice(read->until),
                                    .rows_max = SCAN_ROWS_MAX,
                                    .bytes_max = PAGE_BYTES_MAX};

        node_read_page(node, read, &range);
        return;
    }
    read->is_last = !is_full;
    list_answer(node, read->peer, read->request, status == STATUS_END ? STATUS_OK : status, read);
    node_read_end(node, read);
}
