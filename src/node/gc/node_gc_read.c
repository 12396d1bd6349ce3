/* node_gc_read.c: looking at rows for a round. Rows come in pages, as they are on the disk; what
 * was written meanwhile is told by node_gc_touch, so that a row is dropped only as it was read. */
#include "gc/node_gc.h"
#include "node_parts.h"

#define GC_PAGE_BYTES (1u << 20) /* bytes of rows in one page */
#define GC_YOUNG_MS 2000u /* rows others may not have yet; a hint only: no answer depends on it */

struct slice node_gc_item_key(const struct gc_round *round, const struct gc_item *item)
{
    return slice_of(round->keys.data + item->key_at, item->key_size);
}

static void gc_key_set(struct gc_key *key, struct slice bytes, bool is_behind)
{
    ensure(bytes.size <= STORE_KEY_SIZE_MAX);
    memcpy(key->bytes, bytes.data, bytes.size);
    key->bytes[bytes.size] = 0; /* the smallest key behind */
    key->size = (uint16_t)(bytes.size + is_behind);
}

/* Sets the range of a round to its partition, or to what is behind `after` in it. */
void node_gc_range(struct node *node, struct gc_round *round, const struct gc_key *after)
{
    uint8_t bounds[16];
    bool has_end = store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                                       node->founding.partition_bits, round->partition, bounds);

    gc_key_set(&round->from, slice_of(bounds, 8), false);
    gc_key_set(&round->until, slice_of(bounds + 8, has_end ? 8 : 0), false);
    if (after)
        round->from = *after;
}

/* Sets the range to the rows from `first` to `last`. False: it is none of the partition. */
bool node_gc_range_of(struct node *node, struct gc_round *round, struct slice first,
                      struct slice last)
{
    struct slice ns, key;
    uint64_t front;

    if (slice_compare(first, last) > 0 || store_key_split(first, &front, &ns, &key) != STATUS_OK ||
        place_partition(node->place, front) != round->partition ||
        store_key_split(last, &front, &ns, &key) != STATUS_OK ||
        place_partition(node->place, front) != round->partition)
        return false;
    gc_key_set(&round->from, first, false);
    gc_key_set(&round->until, last, true);
    return true;
}

void node_gc_read(struct node *node, struct gc_round *round)
{
    struct store_range range = {.family = STORE_OBJ,
                                .from = slice_of(round->from.bytes, round->from.size),
                                .until = slice_of(round->until.bytes, round->until.size),
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = GC_PAGE_BYTES};
    /* Our own round stops before (gc_page_end); others ask about rows with more between them. */
    struct node_read *read =
        ++round->pages <= 4 * GC_PAGES_MAX ? node_read_start(node, READ_GC, &range) : NULL;

    if (read)
        read->request = round->ref;
    else
        node_gc_fail(node, round, STATUS_OVERLOAD);
}

/* --- rows written while a round looks at them */

static void touch_round(struct gc_round *round, uint64_t front)
{
    if (round->touched_count < GC_TOUCHED_MAX)
        round->touched[round->touched_count] = front;
    round->touched_count++; /* above the bound: the page is not to be trusted */
    for (uint32_t i = 0; i < round->item_count; i++)
        round->items[i].is_kept |= round->items[i].front == front;
}

/* A row of the partition is being written, or was just committed. */
void node_gc_touch(struct node *node, uint32_t partition, struct slice row_key)
{
    struct gc_round *round = node_gc_round_of(node, partition);

    if (round)
        touch_round(round, bytes_load_u64(row_key.data));
}

static bool gc_is_touched(const struct gc_round *round, uint64_t front)
{
    uint32_t count = round->touched_count < GC_TOUCHED_MAX ? round->touched_count : GC_TOUCHED_MAX;

    for (uint32_t i = 0; i < count; i++)
        if (round->touched[i] == front)
            return true;
    return round->touched_count > GC_TOUCHED_MAX;
}

/* --- rows */

uint64_t node_gc_row_id(const struct node *node, struct slice row_key)
{
    return hash_sip64(node->founding.hash_seed, row_key.data, row_key.size);
}

/* Fills in what this peer holds of the row. False: no room for its key. */
static bool gc_item_fill(struct node *node, struct gc_round *round, struct gc_item *item,
                         const struct store_row *row)
{
    struct hash16 digest = crdt_object_digest(&node->object_a);

    item->key_at = (uint32_t)round->keys.size;
    if (!buffer_append(&round->keys, row->key.data, row->key.size))
        return false;
    item->key_size = (uint16_t)row->key.size;
    item->bytes = (uint32_t)(row->key.size + row->value.size);
    item->digest = bytes_load_u64(digest.bytes);
    item->print = crdt_object_fingerprint(node->founding.hash_seed, row->key, &node->object_a);
    item->is_dead = crdt_object_is_dead(&node->object_a, 0);
    return true;
}

static bool gc_decode(struct node *node, const struct store_row *row)
{
    struct slice body;

    return !node_row_is_bad(node, row->key) &&
           store_record_open(STORE_OBJ, row->key, row->value, &body) == STATUS_OK &&
           crdt_object_decode(body, &node->object_a) == STATUS_OK;
}

/* Something of the row is on its way to the disk, or was until now. */
static bool gc_is_queued(struct node *node, const struct gc_round *round,
                         const struct store_row *row)
{
    return store_pending_get(node->pending, row->key) ||
           gc_is_touched(round, bytes_load_u64(row->key.data));
}

/* Nothing live, and nothing on its way to the disk. */
static bool gc_is_done_with(struct node *node, const struct gc_round *round,
                            const struct store_row *row)
{
    return crdt_object_is_dead(&node->object_a, node->wall_ms) && !gc_is_queued(node, round, row);
}

static bool gc_is_young(const struct node *node)
{
    uint64_t ms = crdt_stamp_ms(crdt_object_stamp_max(&node->object_a));

    return ms <= node->wall_ms && node->wall_ms - ms < GC_YOUNG_MS;
}

/* Takes a row into our own round. False: there is no room for more. */
static bool gc_row_own(struct node *node, struct gc_round *round, const struct store_row *row)
{
    struct gc_item *item = &round->items[round->item_count];

    bool is_over;

    *item = (struct gc_item){.front = bytes_load_u64(row->key.data),
                             .id = node_gc_row_id(node, row->key)};
    if (!gc_decode(node, row))
        return true;
    is_over = gc_is_done_with(node, round, row);
    if (!is_over && !gc_is_queued(node, round, row))
        node_gc_marks_own(node, round, item);
    if (!is_over && item->marks == 0) {
        node_gc_note(node, round->partition, &node->object_a);
        return true;
    }
    if (is_over && gc_is_young(node)) {
        node_gc_note(node, round->partition, &node->object_a);
        round->at++;
        return true;
    }
    if (!gc_item_fill(node, round, item, row))
        return false;
    return ++round->item_count < GC_ITEMS_MAX;
}

/* Looks for a row among those that were asked about. Both come in the order of fronts. */
static void gc_row_asked(struct node *node, struct gc_round *round, const struct store_row *row)
{
    uint64_t front = bytes_load_u64(row->key.data), id = node_gc_row_id(node, row->key);

    while (round->at < round->item_count && round->items[round->at].front < front)
        round->at++;
    for (uint32_t i = round->at; i < round->item_count && round->items[i].front == front; i++) {
        struct gc_item *item = &round->items[i];

        if (item->id != id)
            continue;
        if (!gc_decode(node, row) ||
            (item->marks > 0 ? gc_is_queued(node, round, row)
                             : !gc_is_done_with(node, round, row)) ||
            !gc_item_fill(node, round, item, row))
            item->is_kept = true;
        else if (item->marks > 0)
            node_gc_marks_check(node, round, i);
        return;
    }
}

static void gc_row_older(struct node *node, struct gc_round *round, const struct store_row *row)
{
    struct gc_item *item = &round->items[round->item_count];

    crdt_object_clear(&node->object_a);
    *item = (struct gc_item){.front = bytes_load_u64(row->key.data)};
    if (round->item_count == GC_ITEMS_MAX || store_pending_get(node->pending, row->key))
        return; /* it is looked at again */
    if (!gc_decode(node, row))
        crdt_object_clear(&node->object_a);
    if (gc_item_fill(node, round, item, row))
        round->item_count++;
}

/* --- pages */

static void gc_page_end(struct node *node, struct gc_round *round, bool is_full, bool is_last)
{
    bool is_own = round->peer == node->self, is_young = round->at > 0;

    is_full |= is_own && !is_last && round->pages >= GC_PAGES_MAX;
    if (!is_full && !is_last) {
        node_gc_progress(node, round, round->state);
        node_gc_read(node, round);
        return;
    }
    if (!is_own) {
        node_gc_promise(node, round);
        return;
    }
    if (is_full) { /* the rest comes next, or when this partition's turn comes again */
        node->gc->due[round->partition] = 1;
        node->gc->going = round->partition + 1u;
        node->gc->after = round->from;
    }
    round->at = 0;
    if (round->item_count > 0)
        node_gc_collected(node, round);
    else
        node_gc_idle(node, round, is_young);
}

void node_gc_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct gc_round *round = node->gc ? node_gc_round(node, (uint32_t)read->request) : NULL;
    enum status status = event->loaded.status;
    bool is_full = false;

    node_read_end(node, read);
    if (!round || (round->state != GC_READ && round->state != GC_PURGE_READ))
        return;
    if (status != STATUS_OK && status != STATUS_END) {
        node_gc_fail(node, round, status);
        return;
    }
    for (uint32_t i = 0; i < event->loaded.count && !is_full; i++) {
        const struct store_row *row = &event->loaded.rows[i];

        if (row->key.size > STORE_KEY_SIZE_MAX || row->key.size < 8)
            continue;
        gc_key_set(&round->from, row->key, true);
        if (round->state == GC_PURGE_READ)
            gc_row_older(node, round, row);
        else if (round->peer == node->self)
            is_full = !gc_row_own(node, round, row);
        else
            gc_row_asked(node, round, row);
    }
    if (round->state == GC_PURGE_READ)
        node_gc_purge_page(node, round, event->loaded.count > 0);
    else
        gc_page_end(node, round, is_full, status == STATUS_END || event->loaded.count == 0);
}
