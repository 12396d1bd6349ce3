/* node_recount.c: the sum of a partition counted from its rows. Sums are kept up by commits, each
 * taking the old fingerprint out and putting the new one in; but nobody knows any more what the
 * fingerprint of a damaged row was. So its partition is counted again, while it is written to:
 *
 *   rows up to `cursor` are counted  |  rows behind it will be
 *       commits change the count     |  commits are seen by the pages to come
 *
 * A page during which a row of the partition was on its way to the disk is read again: it may show
 * the row before the write or after it. */
#include "node_impl.h"
#include "node_parts.h"

#define RECOUNT_AGAIN_US INSTANT_MS(10) /* until the writes under way are through */
#define RECOUNT_BYTES_MAX (1u << 20)

static void recount_wait(struct node *node, uint64_t delay)
{
    heap_set(&node->timers, &node->recount.timer.in_timers, node->now + delay);
}

/* A row of a partition is damaged: it is counted again, and what we wrote to it is lost. */
void node_recount(struct node *node, uint32_t partition)
{
    node_actor_end(node, partition);
    node->recount.wanted[partition / 8] |= (uint8_t)(1u << partition % 8);
    if (!node->recount.is_running)
        recount_wait(node, 0);
}

/* Forgets what was asked for: everything is counted from the beginning. */
void node_recount_reset(struct node *node)
{
    memset(node->recount.wanted, 0, sizeof(node->recount.wanted));
    node->recount.is_running = false;
    node->recount.generation++;
    blob_drop(&node->recount.cursor);
    heap_remove(&node->timers, &node->recount.timer.in_timers);
}

static bool recount_is_written(struct node *node)
{
    for (uint32_t i = 0; i < node->writes.capacity; i++) {
        const struct node_write *write = pool_at(&node->writes, i);

        if (write->ticket && write->is_object && write->partition == node->recount.partition)
            return true;
    }
    return false;
}

static void recount_page(struct node *node)
{
    uint8_t bounds[16];
    bool has_end =
        store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                            node->founding.partition_bits, node->recount.partition, bounds);
    struct store_range range = {.family = STORE_OBJ,
                                .from = node->recount.cursor ? blob_slice(node->recount.cursor)
                                                             : slice_of(bounds, 8),
                                .until = has_end ? slice_of(bounds + 8, 8) : SLICE_NONE,
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = RECOUNT_BYTES_MAX,
                                .is_passing = true};
    struct node_read *read =
        recount_is_written(node) ? NULL : node_read_start(node, READ_COUNT, &range);

    if (!read) {
        recount_wait(node, RECOUNT_AGAIN_US);
        return;
    }
    read->request = node->recount.generation;
    node->recount.is_stale = false;
}

/* Goes on, or begins with the next partition that was asked for. */
void node_recount_tick(struct node *node)
{
    struct node_recount *recount = &node->recount;

    if (node->phase != NODE_OPEN || !node->place)
        return;
    for (uint32_t p = 0; !recount->is_running && p < place_partition_count(node->place); p++) {
        if (!(recount->wanted[p / 8] >> p % 8 & 1))
            continue;
        recount->wanted[p / 8] &= (uint8_t) ~(1u << p % 8);
        recount->partition = p;
        recount->is_running = true;
        sync_count_begin(node->sync);
    }
    if (recount->is_running)
        recount_page(node);
}

static void recount_end(struct node *node)
{
    uint32_t before, after;

    (void)sync_fingerprint(node->sync, node->recount.partition, &before);
    sync_count_end(node->sync, node->recount.partition);
    (void)sync_fingerprint(node->sync, node->recount.partition, &after);
    node->keys = node->keys + after > before ? node->keys + after - before : 0;
    node->recount.is_running = false;
    blob_drop(&node->recount.cursor);
    node_trace(node, TRACE_RECOUNTED, node->recount.partition, before, after);
    recount_wait(node, 0); /* others may be waiting */
}

static void recount_row(struct node *node, const struct store_row *row)
{
    static const struct hash16 none;
    struct crdt_object *object = &node->object_a;
    struct slice body;

    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, object) != STATUS_OK) {
        node_row_bad(node, row->key);
        return;
    }

    struct hash16 print = crdt_object_fingerprint(node->founding.hash_seed, row->key, object);

    sync_count_change(node->sync, &none, &print);
}

void node_recount_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct node_recount *recount = &node->recount;
    enum status status = event->loaded.status;
    bool is_ours = recount->is_running && read->request == recount->generation;

    node_read_end(node, read);
    if (!is_ours)
        return;
    if (recount->is_stale || (status != STATUS_OK && status != STATUS_END)) {
        recount_wait(node, RECOUNT_AGAIN_US);
        return;
    }
    for (uint32_t i = 0; i < event->loaded.count; i++)
        recount_row(node, &event->loaded.rows[i]);
    if (status == STATUS_END) {
        recount_end(node);
        return;
    }
    if (event->loaded.count > 0) {
        blob_drop(&recount->cursor);
        recount->cursor = node_key_behind(event->loaded.rows[event->loaded.count - 1].key);
    }
    recount_page(node);
}

/* A row of this partition is on its way to the disk. */
void node_recount_wrote(struct node *node, uint32_t partition)
{
    node->recount.is_stale |= node->recount.is_running && node->recount.partition == partition;
}

/* It is there. */
void node_recount_stored(struct node *node, const struct node_write *write)
{
    struct node_recount *recount = &node->recount;

    if (!recount->is_running || recount->partition != write->partition || !recount->cursor ||
        slice_compare(blob_slice(write->row_key), blob_slice(recount->cursor)) >= 0)
        return;
    sync_count_change(node->sync, &write->before, &write->after);
}
