/* node_drop.c: rows are deleted, the object row and its index row in one batch. Only rows of
 * partitions this peer does not own, whose owners all hold them (node_hand.c); a page at a time,
 * and none while clients keep this peer busy.
 *
 * While deletes are on their way to the disk this peer must not become an owner of what they are
 * about: it would count rows, and tell others that it holds them, that are gone a moment later. So
 * placement records that come meanwhile wait for the commit. A merge of such a row sees that it is
 * gone (store_pending), as it sees everything that is queued. */
#include "node_impl.h"
#include "node_parts.h"

#define DROP_BYTES_MAX (1u << 20)    /* bytes of rows read for one page */
#define DROP_PAUSE_US INSTANT_MS(5)  /* between pages: clients first */
#define DROP_TICK_US INSTANT_MS(200) /* while clients keep us busy */

/* --- one row */

/* Deletes an object row and its index row. `before` is its fingerprint, node->object_a what it
 * holds. OK; OVERLOAD; READ_ONLY. */
static enum status drop_row(struct node *node, const struct store_row *row,
                            const struct hash16 *before)
{
    struct store_row *rows = effects_alloc(node->fx, 2 * sizeof(*rows));
    struct slice ns, key;
    struct node_write *write;
    uint64_t front;

    if (node->is_read_only || node->phase != NODE_OPEN)
        return STATUS_READ_ONLY;
    if (store_key_split(row->key, &front, &ns, &key) != STATUS_OK)
        return STATUS_CORRUPT;
    rows[0] = (struct store_row){
        .family = STORE_OBJ, .is_delete = true, .key = effects_copy(node->fx, row->key)};
    rows[1] = (struct store_row){
        .family = STORE_IDX, .is_delete = true, .key = store_key_listed(rows[0].key)};
    write = node_write_start(node, rows, store_name_is_element(key) ? 1 : 2);
    if (!write)
        return STATUS_OVERLOAD;
    write->row_key = blob_copy(row->key);
    write->record = blob_copy(SLICE_NONE);
    ensure(write->row_key != NULL && write->record != NULL);
    if (store_pending_put(node->pending, row->key, write->record, write->ticket) != STATUS_OK)
        ensure_unreachable(); /* as many places as writes */
    write->is_object = write->is_delete = write->had_before = true;
    write->task = 0;
    write->partition = place_partition(node->place, front);
    write->before = *before;
    write->was_dead = crdt_object_is_dead(&node->object_a, 0);
    write->was_split = node_object_is_split(&node->object_a);
    write->after = (struct hash16){{0}};
    write->bytes = row->key.size + row->value.size;
    node_actor_end(node, write->partition);
    node->hands.drop_open++;
    return STATUS_OK;
}

/* Deletes a row that holds `object`. OK; CORRUPT; OVERLOAD; READ_ONLY. */
enum status node_drop_row(struct node *node, struct slice row_key, struct slice object)
{
    struct store_row row = {.family = STORE_OBJ, .key = row_key, .value = object};
    struct hash16 print;

    if (crdt_object_decode(object, &node->object_a) != STATUS_OK)
        return STATUS_CORRUPT;
    print = crdt_object_fingerprint(node->founding.hash_seed, row_key, &node->object_a);
    return drop_row(node, &row, &print);
}

/* --- placement records that wait */

bool node_drop_defers(struct node *node, struct slice record)
{
    struct node_hands *hands = &node->hands;
    size_t had = hands->later ? hands->later->size : 0;
    struct blob *grown;

    if (hands->drop_open == 0)
        return false;
    if (record.size > PLACE_RECORD_SIZE_MAX || had + record.size + 2 > HAND_LATER_MAX)
        return true; /* the digests tell that it is missing */
    grown = blob_new(had + record.size + 2);
    if (!grown)
        return true;
    if (had)
        memcpy(grown->data, hands->later->data, had);
    grown->data[had] = (uint8_t)(record.size >> 8);
    grown->data[had + 1] = (uint8_t)record.size;
    memcpy(grown->data + had + 2, record.data, record.size);
    blob_drop(&hands->later);
    hands->later = grown;
    return true;
}

static void drop_replay(struct node *node)
{
    struct blob *later = node->hands.later;
    struct reader in = reader_over(later ? blob_slice(later) : SLICE_NONE);

    node->hands.later = NULL;
    while (reader_left(&in) > 0)
        node_place_received(node, read_slice(&in, read_u16(&in)));
    blob_drop(&later);
}

/* --- one page */

static void drop_end(struct node *node, struct node_hand *hand)
{
    node_trace(node, TRACE_LEFTOVER_DROPPED, hand->partition, hand->dropped, 0);
    hand->is_active = false;
    node->hands.drop = NULL;
}

/* Every delete of a page is committed, or was refused. */
static void drop_page_done(struct node *node)
{
    struct node_hands *hands = &node->hands;
    struct node_hand *hand = hands->drop;

    if (hand && hands->is_drop_changed) {
        node_hand_changed(node, hand);
    } else if (hand) {
        hand->sum = sync_fingerprint(node->sync, hand->partition, &hand->count);
        if (hand->count == 0)
            drop_end(node, hand);
    }
    drop_replay(node);
    heap_set(&node->timers, &node->hand_timer.in_timers,
             node->now + (node_place_state(node) == PLACE_OUT ? 0 : DROP_PAUSE_US));
}

/* Deletes what was read, unless the partition is not what was offered any more. */
static void drop_rows(struct node *node, struct node_hand *hand, const struct event *event)
{
    struct node_hands *hands = &node->hands;

    for (uint32_t i = 0; i < event->loaded.count; i++) {
        const struct store_row *row = &event->loaded.rows[i];
        struct hash16 print;
        struct slice body;

        if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
            crdt_object_decode(body, &node->object_a) != STATUS_OK) {
            node_hand_stick(node, hand);
            return;
        }
        if (store_pending_get(node->pending, row->key)) {
            hands->is_drop_changed = true; /* something newer is on its way */
            return;
        }
        print = crdt_object_fingerprint(node->founding.hash_seed, row->key, &node->object_a);
        if (drop_row(node, row, &print) != STATUS_OK)
            return;
        hand->dropped++;
        hands->dropped++;
        blob_drop(&hands->drop_after);
        hands->drop_after = blob_copy(row->key);
    }
}

void node_drop_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct node_hands *hands = &node->hands;
    struct node_hand *hand = hands->drop;
    bool is_last = event->loaded.status == STATUS_END;

    hands->is_drop_reading = false;
    if (hand && hand->token == read->request && hands->layout == place_layout(node->place) &&
        node_hand_is_same(node, hand)) {
        if (is_last && event->loaded.count == 0)
            node_hand_stick(node, hand); /* rows are counted that do not read */
        else if (is_last || event->loaded.status == STATUS_OK)
            drop_rows(node, hand, event);
    }
    node_read_end(node, read);
    heap_set(&node->timers, &node->hand_timer.in_timers, node->now + DROP_TICK_US);
    if (hands->drop_open == 0 && hands->is_drop_changed)
        drop_page_done(node);
}

static void drop_read(struct node *node, struct node_hand *hand)
{
    uint8_t bounds[16], room[STORE_KEY_SIZE_MAX + 1];
    struct writer after = writer_over(room, sizeof(room));
    bool has_end = store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                                       node->founding.partition_bits, hand->partition, bounds);
    uint32_t rows = node->writes.capacity / 4;
    struct store_range range = {.family = STORE_OBJ,
                                .from = slice_of(bounds, 8),
                                .until = has_end ? slice_of(bounds + 8, 8) : SLICE_NONE,
                                .rows_max = rows < HAND_PAGE_ROWS ? rows + 1 : HAND_PAGE_ROWS,
                                .bytes_max = DROP_BYTES_MAX};
    struct node_read *read;

    if (node->hands.drop_after) {
        write_slice(&after, blob_slice(node->hands.drop_after));
        write_u8(&after, 0);
        range.from = writer_done(&after);
    }
    read = node_read_start(node, READ_DROP, &range);
    if (!read)
        return;
    read->request = hand->token;
    node->hands.is_drop_reading = true;
}

/* Does the next thing there is to delete, if it may be done now. */
void node_drop_step(struct node *node)
{
    struct node_hands *hands = &node->hands;

    if (hands->drop_open > 0 || hands->is_drop_reading || node->is_read_only ||
        pool_used(&node->tasks) > node->tasks.capacity / 4)
        return;
    for (unsigned i = 0; i < HAND_OFFERS_MAX && !hands->drop; i++) {
        if (!node_hand_is_confirmed(node, &hands->items[i]))
            continue;
        hands->drop = &hands->items[i];
        hands->is_drop_changed = false;
        blob_drop(&hands->drop_after);
        sync_relayout(node->sync, hands->layout); /* nobody counts on what goes */
    }
    if (hands->drop)
        drop_read(node, hands->drop);
}

/* --- what a commit of an object row means */

static void row_counts(struct node *node, const struct node_write *done)
{
    sync_change(node->sync, done->partition, &done->before, &done->after);
    sync_dead_add(node->sync, done->partition, (int)done->is_dead - (int)done->was_dead);
    node->siblings += done->is_split;
    node->siblings -= done->was_split && node->siblings > 0;
    if (done->is_delete) {
        node->keys -= node->keys > 0;
        node->bytes -= done->bytes < node->bytes ? done->bytes : node->bytes;
    } else if (!done->had_before) {
        node->keys++;
        node->bytes += done->bytes;
    }
}

void node_row_stored(struct node *node, struct node_write *done, enum status status)
{
    struct slice row_key = blob_slice(done->row_key);
    struct node_hands *hands = &node->hands;

    node_row_changed(node, row_key);
    if (!done->is_delete && node_row_is_stray(node, row_key))
        node_stray_wake(node); /* it was under way when its namespace changed */
    node_gc_touch(node, done->partition, row_key);
    if (status == STATUS_OK)
        store_recent_put(node->recent, done->row_key, done->record);
    store_pending_end(node->pending, row_key, done->ticket);
    if (status == STATUS_OK && node->sync) {
        node_recount_stored(node, done);
        node_mend_written(node, row_key);
        if (!node_recount_is_unknown(node, done->partition))
            row_counts(node, done);
    }
    if (!done->is_delete && hands->drop && hands->drop->partition == done->partition)
        hands->is_drop_changed = true;
    blob_drop(&done->row_key);
    blob_drop(&done->record);
    if (done->is_delete && --hands->drop_open == 0)
        drop_page_done(node);
}
