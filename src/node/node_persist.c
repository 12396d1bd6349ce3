/* node_persist.c: what must outlive the process: rows of `sys`, read at a start by node_boot.c. */
#include "node_impl.h"
#include "node_parts.h"

#define PERSIST_US INSTANT_S(1) /* at most one write of the member list in this time */
#define HLC_AHEAD_MS 10000u     /* protocols.md part 1: the clock begins there after a start */

/* One row of `sys`; the name and the body are copied. */
void node_persist_row(struct node *node, struct store_row *row, struct slice key, struct slice body)
{
    struct blob *record = store_record_write(STORE_SYS, key, body);

    ensure(record != NULL);
    effects_hold_blob(node->fx, record);
    *row = (struct store_row){.family = STORE_SYS,
                              .may_use_reserve = true,
                              .key = effects_copy(node->fx, key),
                              .value = blob_slice(record)};
}

static void persist_named(struct node *node, struct store_row *row, const char *prefix,
                          const struct node_id *id, struct slice body)
{
    uint8_t name[16 + NODE_ID_SIZE];
    struct writer out = writer_over(name, sizeof(name));

    write_slice(&out, slice_text(prefix));
    write_bytes(&out, id->bytes, NODE_ID_SIZE);
    node_persist_row(node, row, writer_done(&out), body);
}

static void persist_number(struct node *node, struct store_row *row, const char *name,
                           uint64_t value)
{
    uint8_t number[8];

    bytes_store_u64(number, value);
    node_persist_row(node, row, slice_text(name), slice_of(number, sizeof(number)));
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
    persist_named(node, row, NODE_SYS_PLACE, &record->id, writer_done(&out));
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

        write_slice(&key, slice_text(NODE_SYS_SPACE));
        write_bytes(&key, space->name, space->name_size);
        if (wire_space_encode(space, &out) == STATUS_OK)
            node_persist_row(node, &rows[count++], writer_done(&key), writer_done(&out));
    }
    return count;
}

static uint32_t persist_lists(struct node *node, struct store_row *rows)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        const struct swim_view *view = swim_at(node->swim, i);

        if (id_front(&view->id) != node->self)
            persist_named(node, &rows[count++], NODE_SYS_MEMBER, &view->id, view->record_bytes);
    }
    for (uint32_t i = 0; node->place && i < place_count(node->place); i++) {
        uint8_t room[PLACE_RECORD_SIZE_MAX];
        struct writer out = writer_over(room, sizeof(room));
        const struct place_record *place = place_at(node->place, i);

        if (wire_place_encode(place, &out) == STATUS_OK)
            persist_named(node, &rows[count++], NODE_SYS_PLACE, &place->id, writer_done(&out));
    }
    return count + persist_spaces(node, rows + count);
}

/* Twice: without it, rows say nothing, and a peer that knows no seeds would found another cluster.
 */
static uint32_t persist_founding(struct node *node, struct store_row *rows, struct slice founding)
{
    node_persist_row(node, &rows[0], slice_text("founding"), founding);
    node_persist_row(node, &rows[1], slice_text("founding/copy"), founding);
    return 2;
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
    uint32_t rows_max = swim_count(node->swim) + places + NAMESPACES_MAX + 4, count = 0;
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
            count += persist_founding(node, rows + count, writer_done(&out));
        persist_number(node, &rows[count++], "incarnation", node->incarnation_kept);
        count += persist_lists(node, rows + count);
    }
    node->is_dirty = false;
    node_write_rows(node, rows, count);
}
