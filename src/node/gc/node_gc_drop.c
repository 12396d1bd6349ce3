/* node_gc_drop.c: rows go, a batch at a time, so that writes of clients pass in between. A row that
 * was written since it was read stays. Until the batch is durable, merges see that the row is gone
 * (an empty record in store_pending), clients still see what was there. */
#include "gc/node_gc.h"
#include "node_parts.h"

/* Row of `sys` with the standing of a partition: gc/<partition u16>: standing | purging u8. */
void node_gc_standing_row(struct node *node, uint32_t partition,
                          const struct sync_standing *standing, bool is_purging,
                          struct store_row *row)
{
    uint8_t name[5] = {'g', 'c', '/', (uint8_t)(partition >> 8), (uint8_t)partition};
    uint8_t body[SYNC_STANDING_SIZE_MAX + 1];
    struct writer out = writer_over(body, sizeof(body));
    struct slice key = effects_copy(node->fx, slice_of(name, sizeof(name)));
    struct blob *record;

    write_u8(&out, is_purging);
    sync_standing_write(standing, &out);
    record = store_record_write(STORE_SYS, key, writer_done(&out));
    ensure(record != NULL);
    effects_hold_blob(node->fx, record);
    *row = (struct store_row){.family = STORE_SYS, .key = key, .value = blob_slice(record)};
}

/* A row of `sys` read at the start. A purge that was cut short leaves rows missing. */
void node_gc_boot_row(struct node *node, struct slice key, struct slice body)
{
    struct sync_standing standing;
    uint32_t partition;

    if (!node->sync || key.size != 5 || body.size < 1)
        return;
    partition = (uint32_t)key.data[3] << 8 | key.data[4];
    if (partition >= place_partition_max(node->place) ||
        !sync_standing_read(slice_of(body.data + 1, body.size - 1), &standing))
        return;
    sync_standing_set(node->sync, partition, &standing);
    node->is_recovering |= body.data[0] != 0;
}

static bool drop_is_due(struct node *node, const struct gc_round *round, uint32_t at)
{
    const struct gc_item *item = &round->items[at];

    return item->key_size > 0 && !item->is_kept && item->marks == 0 && gc_bit(round->bits, at) &&
           !store_pending_get(node->pending, node_gc_item_key(round, item));
}

static void drop_row(struct node *node, const struct node_write *write, struct slice row_key,
                     struct store_row *row)
{
    struct blob *none = blob_new(0);

    ensure(none != NULL);
    if (store_pending_put(node->pending, row_key, none, write->ticket) != STATUS_OK)
        ensure_unreachable(); /* as many places as rows in all batches */
    blob_drop(&none);
    *row = (struct store_row){
        .family = STORE_OBJ, .is_delete = true, .key = effects_copy(node->fx, row_key)};
}

static bool drop_index_row(struct node *node, struct slice row_key, struct store_row *row)
{
    struct slice index_key = store_key_listed(row_key);

    *row = (struct store_row){
        .family = STORE_IDX, .is_delete = true, .key = effects_copy(node->fx, index_key)};
    return index_key.size > 0;
}

/* The number of our own round, in the batch of its first rows: what we read from now on is newer.
 * False: it was overtaken. */
static bool drop_number(struct node *node, struct gc_round *round, struct store_row *row)
{
    const struct sync_standing *ours = sync_standing(node->sync, round->partition);
    struct sync_standing after;

    if (round->number <= ours->number)
        return false;
    after = sync_standing_promise(ours, round->number, round->owners, round->owner_count);
    after.confirmed = round->number;
    node_gc_standing_row(node, round->partition, &after, false, row);
    sync_standing_set(node->sync, round->partition, &after);
    return true;
}

static void drop_finish(struct node *node, struct gc_round *round)
{
    if (round->state == GC_PURGE_DROP) {
        node_gc_purge_more(node, round);
        return;
    }
    node_gc_settle(node, round);
    if (round->dropped > 0)
        node_trace(node, TRACE_GC_DROPPED, round->partition, round->dropped, round->number);
    if (round->peer == node->self)
        node_gc_idle(node, round, round->dropped > 0);
    else
        node_gc_end(round);
}

/* Writes the next batch. */
static void drop_more(struct node *node, struct gc_round *round)
{
    struct store_row *rows = effects_alloc(node->fx, (2 * GC_CHUNK_ROWS + 1) * sizeof(*rows));
    bool is_own = round->state == GC_DROP && round->peer == node->self && !round->is_told;
    uint32_t count = 0, dropped = 0;
    struct node_write *write;

    while (round->at < round->item_count && !drop_is_due(node, round, round->at))
        round->at++;
    if (round->at == round->item_count && !(is_own && round->mark_count > 0)) {
        drop_finish(node, round);
        return;
    }
    if (node->is_read_only || node->phase != NODE_OPEN ||
        (is_own && !drop_number(node, round, &rows[count++]))) {
        node_gc_fail(node, round, STATUS_STALE);
        return;
    }
    if (round->state == GC_PURGE_DROP) {
        node_actor_end(node, round->partition);
        node_gc_standing_row(node, round->partition, sync_standing(node->sync, round->partition),
                             true, &rows[count++]);
    }
    write = node_write_start(node, rows, 0);
    if (!write) {
        node_gc_fail(node, round, STATUS_OVERLOAD);
        return;
    }
    write->gc = round->ref;
    for (round->end = round->at; round->end < round->item_count && dropped < GC_CHUNK_ROWS;
         round->end++) {
        struct gc_item *item = &round->items[round->end];

        if (!drop_is_due(node, round, round->end))
            continue;
        item->is_going = true;
        drop_row(node, write, node_gc_item_key(round, item), &rows[count++]);
        count += drop_index_row(node, node_gc_item_key(round, item), &rows[count]);
        dropped++;
    }
    node->fx->items[node->fx->count - 1].write.count = count;
    metric_add(&node->metrics, METRIC_STORE_COMMIT_ROWS, count);
}

/* Begins to drop the rows whose bit is set. What came to us since we read a row, under a smaller
 * number, may be what another owner's row deletes: then that one stays as well. */
void node_gc_drop(struct node *node, struct gc_round *round)
{
    for (uint32_t i = 0; i < round->item_count && round->state == GC_ASK; i++)
        if (round->items[i].is_kept)
            round->bits[i / 8] &= (uint8_t) ~(1u << i % 8);
    for (uint32_t i = 0, at = round->item_count; i < round->mark_count; i++, at++)
        if (round->items[round->marks[i].item].is_kept)
            round->bits[at / 8] &= (uint8_t) ~(1u << at % 8);
    node_gc_progress(node, round, round->state == GC_PURGE_READ ? GC_PURGE_DROP : GC_DROP);
    round->at = round->end = 0;
    drop_more(node, round);
}

/* --- durable */

static void drop_row_gone(struct node *node, const struct gc_round *round,
                          const struct gc_item *item)
{
    static const struct hash16 none;
    struct slice row_key = node_gc_item_key(round, item);

    store_recent_forget(node->recent, row_key);
    sync_change(node->sync, round->partition, &item->print, &none);
    if (item->is_dead)
        sync_dead_add(node->sync, round->partition, -1);
    node->keys -= node->keys > 0;
    node->bytes -= node->bytes > item->bytes ? item->bytes : node->bytes;
}

static void drop_tell(struct node *node, struct gc_round *round)
{
    struct message drop = {.kind = MESSAGE_GC_DROP,
                           .gc_drop = {.partition = round->partition,
                                       .number = round->number,
                                       .bits = slice_of(round->bits, gc_bits_size(round))}};

    for (unsigned i = 0; i < round->owner_count; i++)
        if (round->owners[i] != node->self)
            (void)node_send_plain(node, round->owners[i], &drop);
    round->is_told = true;
}

static void drop_stored(struct node *node, struct gc_round *round, uint64_t write,
                        enum status status)
{
    for (uint32_t i = round->at; i < round->end; i++) {
        struct gc_item *item = &round->items[i];
        struct slice row_key = node_gc_item_key(round, item);

        if (!item->is_going)
            continue;
        item->is_going = false;
        node_row_changed(node, row_key);
        store_pending_end(node->pending, row_key, write);
        if (status == STATUS_OK)
            drop_row_gone(node, round, item);
        else
            node_write_undropped(node, write, row_key, item);
        round->dropped += status == STATUS_OK;
    }
    round->at = round->end;
}

/* A write of a round is durable, or not. */
void node_gc_stored(struct node *node, const struct node_write *done, enum status status)
{
    struct gc_round *round = node_gc_round(node, done->gc);

    if (!round)
        return;
    if (round->state == GC_PROMISE) {
        if (status == STATUS_OK)
            node_gc_promised(node, round);
        else
            node_gc_end(round);
        return;
    }
    drop_stored(node, round, done->ticket, status);
    if (status != STATUS_OK) {
        node_gc_fail(node, round, status);
        return;
    }
    metric_add(&node->metrics, METRIC_TOMBSTONES_DROPPED, round->dropped);
    if (round->state == GC_DROP && round->peer == node->self && !round->is_told)
        drop_tell(node, round);
    drop_more(node, round);
}
