/* node_scan.c: pages of rows with their whole objects: of a partition, for a backup, or of one
 * collection, whose elements are rows named `key 0x00 path` beside each other. Whoever is asked
 * puts the question to the owners itself, an owner or not; quorum merges what R of them hold. */
#include "node_impl.h"
#include "node_parts.h"

/* --- asking */

/* Writes the row key that `after` stands for, and a zero byte: the smallest row key behind it. */
static struct slice scan_behind(struct slice row_key, uint8_t *room)
{
    struct writer out = writer_over(room, STORE_KEY_SIZE_MAX + 1);

    write_slice(&out, row_key);
    write_u8(&out, 0);
    return out.is_full ? SLICE_NONE : writer_done(&out);
}

/* The rows of a collection: behind the key, a zero byte; up to the key and a one. */
static bool scan_collection(struct node *node, const struct node_task *task,
                            struct quorum_request *request)
{
    uint8_t *room = effects_alloc(node->fx, 2 * (STORE_KEY_SIZE_MAX + 1)), *until;
    struct slice key = store_key_obj(task->hash_front, task->op.ns, task->op.key, room);
    struct writer after = writer_over(room + STORE_KEY_SIZE_MAX + 1, STORE_KEY_SIZE_MAX + 1);

    until = effects_alloc(node->fx, key.size + 1);
    memcpy(until, key.data, key.size);
    until[key.size] = 1;
    request->until = slice_of(until, key.size + 1);
    request->from = scan_behind(key, room);
    write_slice(&after, slice_of(until, key.size - task->op.key.size));
    write_slice(&after, task->op.after);
    write_u8(&after, 0);
    if (after.is_full)
        return false;
    if (slice_compare(writer_done(&after), request->from) > 0)
        request->from = writer_done(&after);
    return slice_compare(request->from, request->until) < 0;
}

/* The rows of a partition, or those of one namespace in it; of all up to the last with the same
 * owners when the scan is to go on. */
static bool scan_partition(struct node *node, struct node_task *task,
                           struct quorum_request *request)
{
    uint8_t *bounds = effects_alloc(node->fx, 16 + STORE_KEY_SIZE_MAX + 1);
    uint8_t *last = effects_alloc(node->fx, 16);
    bool has_end;

    if (task->op.partition >= place_partition_count(node->place))
        return false;
    (void)store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                              node->founding.partition_bits, task->op.partition, bounds);
    task->hash_front = bytes_load_u64(bounds);
    request->ns = task->op.ns;
    request->from = slice_of(bounds, 8);
    task->rows =
        task->op.is_onward ? node_gather_last(node, task->op.partition) : task->op.partition;
    has_end = store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                                  node->founding.partition_bits, task->rows, last);
    request->until = has_end ? slice_of(last + 8, 8) : SLICE_NONE;
    if (slice_compare(task->op.after, request->from) >= 0)
        request->from = scan_behind(task->op.after, bounds + 16);
    return request->from.size > 0 && (!has_end || slice_compare(request->from, request->until) < 0);
}

void node_scan_begin(struct node *node, struct node_task *task)
{
    bool is_collection = task->op.key.size > 0;
    struct quorum_owner owners[SET_MAX];
    struct quorum_request range = {0}, request;
    enum status status = STATUS_OK;

    if (is_collection)
        node_task_hash(node, task);
    if (is_collection && !node_key_is_in_cell(node, task->hash_front))
        status = STATUS_UNSUPPORTED;
    else if (is_collection ? !scan_collection(node, task, &range)
                           : !scan_partition(node, task, &range))
        status = STATUS_BAD;
    if (status == STATUS_OK) {
        uint32_t limit = task->op.limit;

        node_coord_request(node, task, &request, owners);
        request.ns = range.ns;
        request.key = SLICE_NONE;
        request.from = range.from;
        request.until = range.until;
        request.limit = limit == 0 || limit > SCAN_ROWS_MAX ? SCAN_ROWS_MAX : limit;
        request.bytes_max = SCAN_BYTES_MAX;
        task->step = STEP_SCAN;
        status =
            request.base_count ? quorum_scan(node->quorum, node->now, &request) : STATUS_NOT_READY;
    }
    if (status != STATUS_OK)
        node_task_fail(node, task, status);
}

/* quorum asks an owner for its page; perhaps it is this one. */
void node_scan_send(struct node *node, const struct quorum_output *ask)
{
    struct frame head = {
        .priority = 1, .request = ask->id, .deadline_ms = node_late_spell(ask->deadline)};
    struct message message = {.kind = MESSAGE_SCAN,
                              .scan = {.layout = place_layout(node->place),
                                       .from = ask->from,
                                       .until = ask->until,
                                       .ns = ask->ns,
                                       .limit = ask->limit,
                                       .bytes = ask->bytes_max}};

    if (ask->to == node->self)
        node_scan_asked(node, node->self, &head, &message);
    else
        (void)node_send(node, ask->to, &head, &message); /* silence is an answer too */
}

/* The page is complete, or cannot be. */
void node_scan_done(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    struct node_outcome outcome = {.status = done->status,
                                   .acks = done->acks,
                                   .required = done->required,
                                   .total = done->total};
    struct result_item *items = effects_alloc(node->fx, done->item_count * sizeof(*items) + 1);
    struct reader in = reader_over(done->object);
    struct result *result;

    if (done->status == STATUS_LAYOUT) {
        node_task_pause(node, task);
        return;
    }
    if (done->status == STATUS_OK && task->op.is_onward && task->op.key.size == 0) {
        node_gather(node, task, done);
        return;
    }
    for (uint8_t i = 0; i < done->role_count; i++)
        if (!done->roles[i].is_answered)
            outcome.absent = done->roles[i].id8;
    for (uint32_t i = 0; i < done->item_count; i++) {
        struct slice row_key = read_slice(&in, read_u16(&in));
        uint64_t front;

        items[i].object = read_slice(&in, read_u32(&in));
        items[i].is_apart = done->apart[i / 8] >> i % 8 & 1;
        if (store_key_split(row_key, &front, &items[i].ns, &items[i].key) != STATUS_OK ||
            items[i].ns.size == 0)
            outcome.status = STATUS_CORRUPT; /* no row of ours is named so */
    }
    if (task->group && outcome.status == STATUS_OK) {
        struct result page = {.items = items,
                              .item_count = done->item_count,
                              .is_truncated = done->is_truncated,
                              .next = done->reach};

        node_group_scanned(node, task, &page);
    }
    if (task->group) {
        node_finish(node, task, &outcome);
        return;
    }
    if (!task->is_cancelled) {
        bool is_ok = outcome.status == STATUS_OK;

        result = node_reply_client(node, &task->op, task->ticket, &outcome);
        result->items = items;
        result->item_count = is_ok ? done->item_count : 0;
        result->is_truncated = is_ok && done->is_truncated;
        result->next = done->reach;
        result->partition = place_partition(node->place, task->hash_front);
        result->partition_count = place_partition_count(node->place);
        result->took_ms = (uint32_t)((node->now - task->started) / 1000u);
    }
    node_task_end(node, task);
}

/* --- answering */

static void scan_answer(struct node *node, uint64_t peer, uint64_t request,
                        const struct quorum_answer *answer)
{
    struct message scanned = {.kind = MESSAGE_SCANNED,
                              .scanned = {.status = (uint8_t)answer->status,
                                          .is_last = answer->is_last,
                                          .layout = node->place ? place_layout(node->place) : 0,
                                          .reach = answer->reach,
                                          .items = answer->items}};

    if (peer == node->self)
        quorum_scanned(node->quorum, node->now, request, answer);
    else
        node_send_reply(node, peer, request, &scanned);
}

static enum status scan_read(struct node *node, uint64_t peer, uint64_t request,
                             const struct message_scan *scan)
{
    struct store_range range = {.family = STORE_OBJ,
                                .from = scan->from,
                                .until = scan->until,
                                .rows_max = scan->limit,
                                .bytes_max = scan->bytes};
    struct node_read *read;

    if (range.rows_max == 0 || range.rows_max > SCAN_ROWS_MAX)
        range.rows_max = SCAN_ROWS_MAX;
    if (range.bytes_max > SCAN_BYTES_MAX)
        range.bytes_max = SCAN_BYTES_MAX;
    read = node_read_start(node, READ_ROWS, &range);
    if (!read)
        return STATUS_OVERLOAD;
    read->peer = peer;
    read->request = request;
    if (scan->ns.size)
        read->row_key = blob_copy(scan->ns);
    return STATUS_OK;
}

void node_scan_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message *message)
{
    const struct message_scan *scan = &message->scan;
    struct quorum_answer answer = {.from = node->self};

    answer.status = node_replica_admits(node, peer, scan->layout);
    if (answer.status == STATUS_OK && node->is_recovering)
        answer.status = STATUS_RECOVERING;
    if (answer.status == STATUS_OK)
        answer.status = scan_read(node, peer, frame->request, scan);
    if (answer.status != STATUS_OK)
        scan_answer(node, peer, frame->request, &answer);
}

/* Packs what was read. OK; CORRUPT: a row of ours cannot be read, so this page must not count: who
 * trusts it would take the row for missing. */
static enum status scan_pack(struct node *node, const struct event *event, struct slice ns,
                             struct writer *out)
{
    for (uint32_t i = 0; i < event->loaded.count; i++) {
        const struct store_row *row = &event->loaded.rows[i];
        struct slice body, row_ns, name;
        uint64_t front;

        if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
            store_key_split(row->key, &front, &row_ns, &name) != STATUS_OK ||
            node_row_is_bad(node, row->key)) {
            node_row_bad(node, row->key);
            return STATUS_CORRUPT;
        }
        if (ns.size && !slice_equal(ns, row_ns))
            continue;
        write_u16(out, (uint16_t)row->key.size);
        write_slice(out, row->key);
        write_u32(out, (uint32_t)body.size);
        write_slice(out, body);
    }
    return STATUS_OK;
}

void node_scan_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct quorum_answer answer = {.from = node->self, .status = event->loaded.status};
    struct writer out;
    size_t size = 1;

    for (uint32_t i = 0; i < event->loaded.count; i++)
        size += 6 + event->loaded.rows[i].key.size + event->loaded.rows[i].value.size;
    out = writer_over(effects_alloc(node->fx, size), size);
    answer.is_last = answer.status == STATUS_END;
    if (answer.is_last)
        answer.status = STATUS_OK;
    if (answer.status == STATUS_OK)
        answer.status = scan_pack(node, event, blob_slice(read->row_key), &out);
    if (answer.status == STATUS_OK) {
        answer.items = writer_done(&out);
        if (!answer.is_last && event->loaded.count > 0)
            answer.reach = event->loaded.rows[event->loaded.count - 1].key;
    }
    scan_answer(node, read->peer, read->request, &answer);
    node_read_end(node, read);
}
