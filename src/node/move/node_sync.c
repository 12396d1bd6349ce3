/* node_sync.c: what anti-entropy needs of the store: the rows of a partition with their
 * fingerprints, the objects another owner asks for, and merging those it sends us. A batch is one
 * AE_FETCH or one AE_ITEMS; it ends when its last row does. */
#include "node_impl.h"
#include "node_parts.h"

#define LEAF_BYTES_MAX (1u << 20)                /* bytes of rows read for one page of a leaf */
#define GIVE_BYTES_MAX (FRAME_BODY_MAX - 65536u) /* bytes of objects in one AE_ITEMS */
#define GIVE_NAMES_MAX (SYNC_FETCH_SIZE_MAX + 4u * SYNC_FETCH_MAX) /* of keys without one */

_Static_assert(GIVE_BYTES_MAX + GIVE_NAMES_MAX + 64u <= FRAME_BODY_MAX,
               "a full batch is a message");

void node_leaf_list(struct node *node, const struct sync_output *ask)
{
    uint8_t bounds[16], room[STORE_KEY_SIZE_MAX + 1];
    struct writer after = writer_over(room, sizeof(room));
    bool has_end = store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                                       node->founding.partition_bits, ask->partition, bounds);
    struct store_range range = {.family = STORE_OBJ,
                                .from = slice_of(bounds, 8),
                                .until = has_end ? slice_of(bounds + 8, 8) : SLICE_NONE,
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = LEAF_BYTES_MAX};
    struct node_read *read;

    if (ask->after.size && ask->after.size <= STORE_KEY_SIZE_MAX) {
        write_slice(&after, ask->after);
        write_u8(&after, 0);
        range.from = writer_done(&after);
    }
    read = node_read_start(node, READ_LEAF, &range);
    if (!read) {
        struct sync_page none = {.status = STATUS_OVERLOAD, .is_last = true};

        sync_listed(node->sync, node->now, ask->token, &none);
        return;
    }
    read->request = ask->token;
    read->partition = ask->partition;
}

void node_leaf_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    enum status status = event->loaded.status;
    struct sync_row *rows = effects_alloc(node->fx, event->loaded.count * sizeof(*rows) + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < event->loaded.count; i++) {
        const struct store_row *row = &event->loaded.rows[i];
        struct slice body;

        if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
            crdt_object_decode(body, &node->object_a) != STATUS_OK) {
            node_row_bad(node, row->key);
            continue; /* without a place in quarantine: the other side's copy replaces it */
        }
        rows[count].key = row->key;
        rows[count++].fingerprint =
            crdt_object_fingerprint(node->founding.hash_seed, row->key, &node->object_a);
    }
    if (node_partition_is_bad(node, read->partition))
        status = STATUS_CORRUPT; /* what is listed is not all that was acknowledged */

    struct sync_page page = {.status = status == STATUS_END ? STATUS_OK : status,
                             .rows = rows,
                             .count = count,
                             .is_last = status == STATUS_END};

    sync_listed(node->sync, node->now, (uint32_t)read->request, &page);
    node_read_end(node, read);
}

/* --- batches */

static struct node_batch *batch_new(struct node *node)
{
    for (unsigned i = 0; i < NODE_BATCHES_MAX; i++) {
        if (node->batches[i].is_active)
            continue;
        node->batches[i] = (struct node_batch){.is_active = true};
        buffer_init(&node->batches[i].items, GIVE_BYTES_MAX + GIVE_NAMES_MAX);
        return &node->batches[i];
    }
    return NULL;
}

/* Ends a batch whose last row has ended. */
static void batch_settle(struct node *node, struct node_batch *batch)
{
    struct node_batch done = *batch;

    if (!done.is_filled || done.open > 0)
        return;
    *batch = (struct node_batch){0};
    if (done.is_give && done.is_failed) {
        /* not even named: the asker's round times out and comes again */
    } else if (done.is_give) {
        const struct sync_standing *standing = sync_standing(node->sync, done.partition);
        uint8_t room[SYNC_STANDING_SIZE_MAX];
        struct writer out = writer_over(room, sizeof(room));
        struct message message = {.kind = MESSAGE_AE_ITEMS,
                                  .ae_items = {.round = done.round,
                                               .question = done.token,
                                               .items = slice_of(done.items.data, done.items.size),
                                               .gc = done.gc}};

        if (standing->number > 0) {
            sync_standing_write(standing, &out);
            message.ae_items.standing = writer_done(&out);
        }

        (void)node_send_plain(node, done.peer, &message);
    } else {
        sync_merged(node->sync, node->now, done.token, done.is_failed ? STATUS_IO : STATUS_OK);
    }
    buffer_close(&done.items);
}

/* Appends one row to what is given. Without an object, or without room for it, the row is named all
 * the same: the asker must know that it lacks it. */
static void batch_give(struct node_batch *batch, struct slice row_key, struct slice object)
{
    size_t size = 6 + row_key.size + object.size;
    struct writer out;
    uint8_t *room;

    if (batch->items.size + size > GIVE_BYTES_MAX) {
        size -= object.size;
        object = SLICE_NONE;
    }
    room = buffer_reserve(&batch->items, size);
    if (!room) {
        batch->is_failed = true;
        return;
    }
    out = writer_over(room, size);
    write_u16(&out, (uint16_t)row_key.size);
    write_slice(&out, row_key);
    write_u32(&out, (uint32_t)object.size);
    write_slice(&out, object);
    batch->items.size += out.size;
}

/* One row of a batch is merged durably, or was read to be given; the task ends with the caller. */
void node_batch_row(struct node *node, struct node_task *task, enum status status,
                    struct slice object)
{
    struct node_batch *batch = &node->batches[task->batch];

    if (batch->is_give) {
        uint8_t key[STORE_KEY_SIZE_MAX];
        struct slice row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, key);

        batch_give(batch, row_key, status == STATUS_OK ? object : SLICE_NONE);
    } else {
        batch->is_failed |= status != STATUS_OK;
    }
    batch->open--;
    batch_settle(node, batch);
}

static uint64_t batch_hash(const struct node *node, const struct op *op)
{
    struct hash16 hash = hash_key(node->founding.hash_seed, op->ns, op->key);

    return hash_key_front(&hash);
}

/* A row that is not kept in this partition any more goes to where it is. */
static bool batch_carry(struct node *node, struct node_batch *batch, struct slice row_key,
                        struct slice object)
{
    batch->open++;
    if (node_stray_carry(node, row_key, object, (uint8_t)(batch - node->batches + 1)))
        return true;
    batch->open--;
    return false;
}

/* Starts the task of one row. False: the row key is not one of ours, or there is no room. */
static bool batch_start(struct node *node, struct node_batch *batch, struct slice row_key,
                        struct slice object)
{
    struct op op = {0};
    uint64_t front;
    struct node_task *task;

    if (store_key_split(row_key, &front, &op.ns, &op.key) != STATUS_OK)
        return false;
    if (place_front(node->place, batch_hash(node, &op), place_front_class(node->place, front)) !=
        front)
        return false;
    if (!batch->is_give && node_row_is_stray(node, row_key))
        return !node_gc_is_purging(node, front) &&
               !node_gc_is_stale(node, batch->peer, front, batch->gc) &&
               batch_carry(node, batch, row_key, object);
    task = node_replica_task(node, batch->is_give ? TASK_GIVE : TASK_MERGE, &op, object);
    if (!task)
        return false;
    task->hash_front = front;
    task->batch = (uint8_t)(batch - node->batches);
    task->origin = batch->peer;
    task->gc = batch->gc;
    batch->open++;
    node_task_load(node, task);
    return true;
}

/* Tells whether a row key is of a partition: rows may be given that were never named by us. */
static bool batch_is_of(struct node *node, struct slice row_key, uint32_t partition)
{
    struct slice ns, key;
    uint64_t front;

    return store_key_split(row_key, &front, &ns, &key) == STATUS_OK &&
           place_partition(node->place, front) == partition;
}

/* Rows pulled from another owner: n x (row key length u16 | row key | length u32 | object). */
void node_merge_items(struct node *node, const struct sync_output *pulled)
{
    struct reader in = reader_over(pulled->items);
    struct node_batch *batch = batch_new(node);
    uint32_t rows = 0;

    if (!batch) {
        sync_merged(node->sync, node->now, pulled->token, STATUS_OVERLOAD);
        return;
    }
    batch->token = pulled->token;
    batch->peer = pulled->peer;
    batch->gc = pulled->gc;
    while (reader_left(&in) > 0) {
        struct slice row_key = read_slice(&in, read_u16(&in));
        struct slice object = read_slice(&in, read_u32(&in));

        if (!in.is_bad && object.size == 0)
            continue; /* named only */
        if (in.is_bad || !batch_is_of(node, row_key, pulled->partition) ||
            !batch_start(node, batch, row_key, object)) {
            batch->is_failed = true;
            break;
        }
        rows++;
    }
    metric_add(&node->metrics, METRIC_SYNC_REPAIRED, rows);
    if (place_is_moving(node->place) || node->is_recovering) {
        node->jobs.taken += pulled->items.size;
        metric_add(&node->metrics, METRIC_REBALANCE_IN, pulled->items.size);
    }
    if (rows)
        node_trace(node, TRACE_SYNC_REPAIRED, pulled->peer, rows, 0);
    batch->is_filled = true;
    batch_settle(node, batch);
}

/* The partition of the keys: the asker takes rows of one only. */
static uint32_t give_partition(struct node *node, struct slice keys)
{
    struct reader in = reader_over(keys);
    struct slice ns, key, row_key = read_slice(&in, read_u16(&in));
    uint64_t front;

    if (in.is_bad || store_key_split(row_key, &front, &ns, &key) != STATUS_OK)
        return 0;
    return place_partition(node->place, front);
}

/* Objects another owner wants or lacks: n x (row key length u16 | row key). */
void node_give_keys(struct node *node, const struct sync_output *asked)
{
    struct reader in = reader_over(asked->keys);
    struct node_batch *batch = batch_new(node);

    if (!batch)
        return; /* the asker's round times out and comes again */
    batch->is_give = true;
    batch->token = asked->token;
    batch->round = asked->round;
    batch->peer = asked->peer;
    batch->partition = give_partition(node, asked->keys);
    batch->gc = sync_standing(node->sync, batch->partition)->number;
    while (reader_left(&in) > 0) {
        struct slice row_key = read_slice(&in, read_u16(&in));

        if (!in.is_bad && !batch_start(node, batch, row_key, SLICE_NONE))
            batch_give(batch, row_key, SLICE_NONE);
    }
    batch->is_filled = true;
    batch_settle(node, batch);
}
