/* node_boot.c: from an opened store to a node that serves.
 *
 *   OPENED -> READING (rows of `sys`) -> SCANNING (fingerprints of every object row) -> OPEN
 *
 * Rows of `sys` as they are read: founding (twice), hlc, incarnation, member/<id>, place/<id>,
 * space/<name>. Datagrams are answered from READING on; client work and replica work wait for OPEN.
 */
#include "gc/node_gc.h"
#include "hint/node_hint.h"
#include "node_parts.h"

/* Asks for the next page of a range; its rows come back to node_boot_loaded. */
static void boot_read(struct node *node, enum node_read_kind kind, enum store_family family,
                      struct slice from)
{
    struct store_range range = {.family = family,
                                .from = from,
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = 4u << 20,
                                .is_passing = true};

    if (!node_read_start(node, kind, &range))
        ensure_unreachable(); /* nothing else reads before the node is open */
}

void node_opened(struct node *node, const struct event *event)
{
    node->boot_counter = event->opened.boot_counter;
    node->actor = event->opened.actor;
    node->is_recovering |= event->opened.is_recovering;
    node->is_read_only = node->is_reopening = node->damage.is_found = false;
    node_recount_reset(node);
    node_trace(node, TRACE_NODE_OPENED, node->actor, node->is_recovering, 0);
    if (node->phase == NODE_CLOSED) {
        node->started = node->now;
        node->phase = NODE_READING;
        boot_read(node, READ_SYS, STORE_SYS, SLICE_NONE);
        return;
    }
    if (node->phase == NODE_READING) { /* it was refused before all of `sys` was read */
        boot_read(node, READ_SYS, STORE_SYS, SLICE_NONE);
        return;
    }
    if (node->is_swimming)
        swim_renew(node->swim, node->now); /* the record names the actor of this opening */
    store_recent_clear(node->recent);
    node_gc_reset(node);
    node_hints_unsave(node);
    node->is_dirty = true; /* what was being written may be lost */
    node->hlc_limit_ms = 0;
    node->keys = node->bytes = node->siblings = 0;
    if (node->sync)
        sync_reset(node->sync);
    node->phase = NODE_SCANNING;
    boot_read(node, READ_SCAN, STORE_OBJ, SLICE_NONE);
}

void node_founding_adopt(struct node *node, const struct founding_record *record)
{
    node->founding = *record;
    node->is_founded = true;
    if (!node_rooms_found(node))
        ensure_unreachable(); /* sizes are bounded by the record's own checks */
    if (node->config.gc_interval_ms)
        node_gc_wake(node);
    swim_seed(node->swim, record->hash_seed);
    node_persist_soon(node);
    node_persist(node); /* before any row: a start without it would not count those it finds */
    node->is_place_due = true; /* once we know what the others know of us */
    if (node->is_uncounted) {  /* our own record was damaged: rows were here before it */
        node->is_uncounted = false;
        node->phase = NODE_SCANNING;
        boot_read(node, READ_SCAN, STORE_OBJ, SLICE_NONE);
    }
}

static void boot_swim(struct node *node)
{
    if (!node->is_swimming)
        swim_start(node->swim, node->now, node->wall_ms, node->incarnation_kept);
    node->is_swimming = true;
}

/* One row of `sys`. A damaged one is passed over: the others will tell it again. */
static void boot_sys_row(struct node *node, const struct store_row *row)
{
    struct slice body;
    struct founding_record founding;
    uint64_t id8;

    if (store_record_open(STORE_SYS, row->key, row->value, &body) != STATUS_OK) {
        metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
        return;
    }
    if (slice_equal(row->key, slice_text("founding")) ||
        slice_equal(row->key, slice_text("founding/copy"))) {
        if (!node->is_founded && wire_founding_decode(body, &founding) == STATUS_OK)
            node_founding_adopt(node, &founding);
    } else if (slice_equal(row->key, slice_text("hlc")) && body.size == 8) {
        crdt_clock_observe(&node->clock, node->wall_ms, bytes_load_u64(body.data));
    } else if (slice_equal(row->key, slice_text("incarnation")) && body.size == 8) {
        node->incarnation_kept = bytes_load_u64(body.data);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_MEMBER))) {
        boot_swim(node);
        (void)node_record_received(node, body, &id8);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_PLACE))) {
        node_place_received(node, body);
    } else if (slice_has_prefix(row->key, slice_text("gc/"))) {
        node_gc_boot_row(node, row->key, body);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_SPACE))) {
        node_space_received(node, body);
    }
}

static void boot_scan_row(struct node *node, const struct store_row *row)
{
    static const struct hash16 none;
    struct crdt_object *object = &node->object_a;
    struct slice body, ns, key;
    uint64_t front;

    node->is_uncounted |= !node->sync;
    if (!node->sync || store_key_split(row->key, &front, &ns, &key) != STATUS_OK)
        return;
    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, object) != STATUS_OK) {
        node_row_bad(node, row->key);
        return;
    }

    struct hash16 print = crdt_object_fingerprint(node->founding.hash_seed, row->key, object);

    sync_change(node->sync, place_partition(node->place, front), &none, &print);
    sync_dead_add(node->sync, place_partition(node->place, front), crdt_object_is_dead(object, 0));
    node_gc_note(node, place_partition(node->place, front), object);
    node->keys++;
    node->bytes += row->key.size + row->value.size;
    node->siblings += node_object_is_split(object);
}

static void boot_finish(struct node *node)
{
    bool was_first = !node->is_booted;

    node->phase = NODE_OPEN;
    node->is_booted = true;
    if (node->place) {
        node_marks_reset(node);
        node_hand_reset(node);
    }
    node_stray_wake(node);
    node_move_wake(node);
    node_scrub_start(node);
    heap_set(&node->timers, &node->mend.timer.in_timers, node->now);
    if (!was_first)
        return;
    boot_swim(node);
    if (node->is_founded && place_find(node->place, node->self))
        node_place_start(node);
    node_persist(node); /* our incarnation above all: it is being announced */
    node_join_start(node);
}

/* One page of `sys` or `obj`. */
void node_boot_loaded(struct node *node, enum node_read_kind kind, const struct event *event)
{
    bool is_sys = kind == READ_SYS;
    const struct store_row *last = NULL;

    for (uint32_t i = 0; i < event->loaded.count; i++) {
        last = &event->loaded.rows[i];
        if (is_sys)
            boot_sys_row(node, last);
        else
            boot_scan_row(node, last);
    }
    if (event->loaded.status == STATUS_CORRUPT && node_store_damaged(node))
        return; /* once more when it is open again */
    if (event->loaded.status == STATUS_OK && last) {
        uint8_t next[STORE_KEY_SIZE_MAX + 64];
        struct writer out = writer_over(next, sizeof(next));

        write_slice(&out, last->key);
        write_u8(&out, 0); /* the smallest key behind the last */
        boot_read(node, kind, is_sys ? STORE_SYS : STORE_OBJ, writer_done(&out));
        return;
    }
    if (event->loaded.status != STATUS_END && event->loaded.status != STATUS_OK) {
        node->is_recovering = true; /* rows are missing that we cannot name */
        metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    }
    if (is_sys) {
        node->phase = NODE_SCANNING;
        boot_read(node, READ_SCAN, STORE_OBJ, SLICE_NONE);
        return;
    }
    boot_finish(node);
}
