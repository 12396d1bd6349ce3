/* node_boot.c: from an opened store to a node that serves.
 *
 *   OPENED -> READING (rows of `sys`) -> OPEN; then counting, if no sums were kept (node_recount.c)
 *                  |                   ^
 *                  +---> SCANNING -----+   no founding: are there rows all the same?
 *
 * Rows of `sys` as they are read: founding (twice), gc/<partition>, hlc, incarnation, member/<id>,
 * place/<id>, space/<name>, sums/<page>. Datagrams are answered from READING on; client work and
 * replica work wait for OPEN.
 */
#include "hint/node_hint.h"
#include "node_parts.h"

/* What we heard before the crash is at least so much older than what `sys` says of our clock:
 * node_persist writes it when five of its ten seconds are left, and looks each second. */
#define HLC_SLACK_MS 4000u

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

static void boot_swim(struct node *node)
{
    if (!node->is_swimming)
        swim_start(node->swim, node->now, node->wall_ms, node->incarnation_kept);
    node->is_swimming = true;
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
    heap_set(&node->timers, &node->recount.timer.in_timers, node->now);
    if (!was_first)
        return;
    boot_swim(node);
    if (node->is_founded && place_find(node->place, node->self))
        node_place_start(node);
    node_persist(node); /* our incarnation above all: it is being announced */
    node_join_start(node);
}

/* What is known of the object rows: their sums, or that they are to be counted. Without a founding
 * nobody can tell their partitions; then it matters whether there are any. */
static void boot_rows(struct node *node, bool are_known)
{
    if (!node->sync) {
        node->phase = NODE_SCANNING;
        boot_read(node, READ_SCAN, STORE_OBJ, SLICE_NONE);
        return;
    }
    if (!are_known)
        node_recount_all(node);
    boot_finish(node);
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
        seal_floor(node->seal, 0, crdt_stamp_of(node->wall_ms));
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
    boot_rows(node, false);
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
    if (node->is_uncounted || node->phase == NODE_SCANNING)
        node_recount_all(node); /* our own record was damaged: rows were here before it */
    node->is_uncounted = false;
}

/* What was recorded before this start is older than what `sys` says of our clock, and older than
 * all we shall say ourselves: others that hear of this life will stamp above it. */
static void boot_floor(struct node *node, uint64_t limit_ms)
{
    uint64_t stamp = crdt_stamp_of(limit_ms > HLC_SLACK_MS ? limit_ms - HLC_SLACK_MS : 0);

    seal_floor(node->seal, 0, stamp < node->clock.last ? stamp : node->clock.last);
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
        boot_floor(node, crdt_stamp_ms(bytes_load_u64(body.data)));
    } else if (slice_equal(row->key, slice_text("incarnation")) && body.size == 8) {
        node->incarnation_kept = bytes_load_u64(body.data);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_MEMBER))) {
        boot_swim(node);
        (void)node_record_received(node, NULL, body, &id8);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_PLACE))) {
        node_place_received(node, body);
    } else if (slice_has_prefix(row->key, slice_text("gc/"))) {
        node_gc_boot_row(node, row->key, body);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_SUMS))) {
        node_sums_row(node, row->key, body);
    } else if (slice_has_prefix(row->key, slice_text(NODE_SYS_SPACE))) {
        node_space_received(node, body);
    }
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
    }
    if (event->loaded.status == STATUS_CORRUPT && node_store_damaged(node))
        return; /* once more when it is open again */
    node->is_uncounted |= !is_sys && last && !node->sync;
    if (event->loaded.status == STATUS_OK && last && is_sys) {
        uint8_t next[STORE_KEY_SIZE_MAX + 64];
        struct writer out = writer_over(next, sizeof(next));

        write_slice(&out, last->key);
        write_u8(&out, 0); /* the smallest key behind the last */
        boot_read(node, kind, STORE_SYS, writer_done(&out));
        return;
    }
    if (event->loaded.status != STATUS_END && event->loaded.status != STATUS_OK) {
        node->is_recovering = true; /* rows are missing that we cannot name */
        metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    }
    if (is_sys)
        boot_rows(node, node->sync && node_sums_are_whole(node));
    else
        boot_finish(node);
}
