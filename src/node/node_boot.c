/* node_boot.c: from an opened store to a node that serves, and what must outlive the process.
 *
 *   OPENED -> READING (rows of `sys`) -> SCANNING (fingerprints of every object row) -> OPEN
 *
 * Rows of `sys` as they are read: founding, hlc, incarnation, member/<id>, place/<id>,
 * space/<name>. Datagrams are answered from READING on; client work and replica work wait for OPEN.
 */
#include "node_impl.h"
#include "node_parts.h"

#define PERSIST_US INSTANT_S(1) /* at most one write of the member list in this time */
#define HLC_AHEAD_MS 10000u     /* protocols.md part 1: the clock begins there after a start */
#define MEMBER_PREFIX "member/"
#define PLACE_PREFIX "place/"
#define SPACE_PREFIX "space/"

/* Asks for the next page of a range; its rows come back to node_boot_loaded. */
static void boot_read(struct node *node, enum node_read_kind kind, enum store_family family,
                      struct slice from)
{
    struct store_range range = {
        .family = family, .from = from, .rows_max = SCAN_ROWS_MAX, .bytes_max = 4u << 20};

    if (!node_read_start(node, kind, &range))
        ensure_unreachable(); /* nothing else reads before the node is open */
}

void node_opened(struct node *node, const struct event *event)
{
    node->boot_counter = event->opened.boot_counter;
    node->actor = event->opened.actor;
    node->is_recovering |= event->opened.is_recovering;
    node->is_read_only = node->is_reopening = false;
    node_trace(node, TRACE_NODE_OPENED, node->actor, node->is_recovering, 0);
    if (node->phase == NODE_CLOSED) {
        node->started = node->now;
        node->phase = NODE_READING;
        boot_read(node, READ_SYS, STORE_SYS, SLICE_NONE);
        return;
    }
    swim_renew(node->swim, node->now); /* the record names the actor of this opening */
    store_recent_clear(node->recent);
    node_gc_reset(node);
    node->is_dirty = true; /* what was being written may be lost */
    node->hlc_limit_ms = 0;
    node->keys = node->bytes = 0;
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
    if (slice_equal(row->key, slice_text("founding"))) {
        if (wire_founding_decode(body, &founding) == STATUS_OK)
            node_founding_adopt(node, &founding);
    } else if (slice_equal(row->key, slice_text("hlc")) && body.size == 8) {
        crdt_clock_observe(&node->clock, node->wall_ms, bytes_load_u64(body.data));
    } else if (slice_equal(row->key, slice_text("incarnation")) && body.size == 8) {
        node->incarnation_kept = bytes_load_u64(body.data);
    } else if (slice_has_prefix(row->key, slice_text(MEMBER_PREFIX))) {
        boot_swim(node);
        (void)node_record_received(node, body, &id8);
    } else if (slice_has_prefix(row->key, slice_text(PLACE_PREFIX))) {
        node_place_received(node, body);
    } else if (slice_has_prefix(row->key, slice_text("gc/"))) {
        node_gc_boot_row(node, row->key, body);
    } else if (slice_has_prefix(row->key, slice_text(SPACE_PREFIX))) {
        node_space_received(node, body);
    }
}

static void boot_scan_row(struct node *node, const struct store_row *row)
{
    static const struct hash16 none;
    struct crdt_object *object = &node->object_a;
    struct slice body, ns, key;
    uint64_t front;

    if (!node->sync || store_key_split(row->key, &front, &ns, &key) != STATUS_OK)
        return;
    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, object) != STATUS_OK) {
        node_row_corrupt(node, front);
        return;
    }

    struct hash16 print = crdt_object_fingerprint(node->founding.hash_seed, row->key, object);

    sync_change(node->sync, place_partition(node->place, front), &none, &print);
    sync_dead_add(node->sync, place_partition(node->place, front), crdt_object_is_dead(object, 0));
    node->keys++;
    node->bytes += row->key.size + row->value.size;
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
    node_move_wake(node);
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

/* --- what must outlive the process */

static void persist_row(struct node *node, struct store_row *row, struct slice key,
                        struct slice body)
{
    struct blob *record = store_record_write(STORE_SYS, key, RECORD_SYS, body);

    ensure(record != NULL);
    effects_hold_blob(node->fx, record);
    *row = (struct store_row){
        .family = STORE_SYS, .key = effects_copy(node->fx, key), .value = blob_slice(record)};
}

static void persist_named(struct node *node, struct store_row *row, const char *prefix,
                          const struct node_id *id, struct slice body)
{
    uint8_t name[16 + NODE_ID_SIZE];
    struct writer out = writer_over(name, sizeof(name));

    write_slice(&out, slice_text(prefix));
    write_bytes(&out, id->bytes, NODE_ID_SIZE);
    persist_row(node, row, writer_done(&out), body);
}

static void persist_number(struct node *node, struct store_row *row, const char *name,
                           uint64_t value)
{
    uint8_t number[8];

    bytes_store_u64(number, value);
    persist_row(node, row, slice_text(name), slice_of(number, sizeof(number)));
}

/* One record of the placement list, at once: rows that are written after it, and acknowledged, were
 * counted under it, and must not be found by a start that knows only an older list. */
void node_persist_place(struct node *node, const struct place_record *record)
{
    struct store_row *row = effects_alloc(node->fx, sizeof(*row));
    uint8_t room[PLACE_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));

    if (node->phase == NODE_READING || wire_place_encode(record, &out) != STATUS_OK)
        return;
    persist_named(node, row, PLACE_PREFIX, &record->id, writer_done(&out));
    node_write_rows(node, row, 1);
}

static uint32_t persist_spaces(struct node *node, struct store_row *rows)
{
    uint32_t count = 0;

    for (uint32_t i = 0; node->spaces && i < place_spaces_count(node->spaces); i++) {
        const struct space_record *space = place_spaces_at(node->spaces, i);
        uint8_t room[NAMESPACE_RECORD_SIZE_MAX], name[16 + NS_SIZE_MAX];
        struct writer out = writer_over(room, sizeof(room));
        struct writer key = writer_over(name, sizeof(name));

        write_slice(&key, slice_text(SPACE_PREFIX));
        write_bytes(&key, space->name, space->name_size);
        if (wire_space_encode(space, &out) == STATUS_OK)
            persist_row(node, &rows[count++], writer_done(&key), writer_done(&out));
    }
    return count;
}

static uint32_t persist_lists(struct node *node, struct store_row *rows)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        const struct swim_view *view = swim_at(node->swim, i);

        if (id_front(&view->id) != node->self)
            persist_named(node, &rows[count++], MEMBER_PREFIX, &view->id, view->record_bytes);
    }
    for (uint32_t i = 0; node->place && i < place_count(node->place); i++) {
        uint8_t room[PLACE_RECORD_SIZE_MAX];
        struct writer out = writer_over(room, sizeof(room));
        const struct place_record *place = place_at(node->place, i);

        if (wire_place_encode(place, &out) == STATUS_OK)
            persist_named(node, &rows[count++], PLACE_PREFIX, &place->id, writer_done(&out));
    }
    return count + persist_spaces(node, rows + count);
}

void node_persist_soon(struct node *node)
{
    node->is_dirty = true;
}

/* Writes what changed since the last time: the member and placement lists as a whole, they are
 * small; the clock's limit and the incarnation when they are due. */
void node_persist(struct node *node)
{
    uint32_t places = node->place ? place_count(node->place) : 0;
    uint32_t rows_max = swim_count(node->swim) + places + NAMESPACES_MAX + 3, count = 0;
    struct store_row *rows;
    uint8_t founding[256];
    struct writer out = writer_over(founding, sizeof(founding));
    bool is_clock_due = crdt_stamp_ms(node->clock.last) + HLC_AHEAD_MS / 2 > node->hlc_limit_ms;

    heap_set(&node->timers, &node->persist_timer.in_timers, node->now + PERSIST_US);
    if (node->phase != NODE_OPEN || (!node->is_dirty && !is_clock_due))
        return;
    rows = effects_alloc(node->fx, rows_max * sizeof(*rows));
    if (is_clock_due) {
        node->hlc_limit_ms = crdt_stamp_ms(node->clock.last) + HLC_AHEAD_MS;
        persist_number(node, &rows[count++], "hlc", crdt_stamp_of(node->hlc_limit_ms));
    }
    if (node->is_dirty) {
        if (node->is_founded && wire_founding_encode(&node->founding, &out) == STATUS_OK)
            persist_row(node, &rows[count++], slice_text("founding"), writer_done(&out));
        persist_number(node, &rows[count++], "incarnation", node->incarnation_kept);
        count += persist_lists(node, rows + count);
    }
    node->is_dirty = false;
    node_write_rows(node, rows, count);
}
