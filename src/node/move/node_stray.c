/* node_stray.c: carries rows to the partitions their namespace is kept in now (decision 0020).
 *
 * A namespace changes its number of replicas while it is empty, but a coordinator that has not
 * heard of it may acknowledge writes a moment longer, tombstones of before are still there, and
 * anti-entropy brings rows from peers that have not heard. Whoever knows better and holds such a
 * row writes it, as it is, to the owners of the right partition (the way of a restored row,
 * node_restore.c), and deletes its own copy when a quorum of them holds it durably:
 *
 *   sweep   page of all rows -> strays -> quorum_put each -> delete -> next page .. -> swept
 *   pulled  a stray that another owner gives us is carried instead of stored: then it counts as
 * held
 *
 * A sweep begins when classes change, at a start, and when a commit that was under way at a change
 * turns out to be a stray; new ones are refused (node_write_object). What a former owner has left
 * goes to the owners first, who know by its number whether it is too old (node_hand.c). Where there
 * are none any more, and with a peer that was away too long to be trusted (in recovery, or
 * forgotten), it may be older than anybody's memory of it: it is deleted and not carried; whatever
 * was acknowledged, others have. */
#include "node_impl.h"
#include "node_parts.h"

#define TICK_US INSTANT_MS(100)
#define PAUSE_US INSTANT_MS(5)    /* between pages: clients first */
#define AGAIN_US INSTANT_S(1)     /* after a sweep that left something */
#define CARRY_US INSTANT_S(5)     /* for one row */
#define PAGE_BYTES_MAX (1u << 20) /* of rows read at once */
#define CARRIES_MAX 32u           /* rows of a page on their way at once */

/* Tells whether what we hold may be older than what the others have forgotten. */
static bool stray_is_old(const struct node *node)
{
    unsigned state = node_place_state(node);

    return node->is_recovering || state == 0 || state == PLACE_OUT || state == PLACE_GONE;
}

bool node_stray_is_clean(const struct node *node)
{
    return node->stray.swept == node->stray.version && !node->stray.is_due &&
           !node->stray.is_sweeping;
}

/* Tells whether we own, or did when its class was in use, the partition a row lies in. Who does not
 * is a former owner, and took no part in what the owners collected since. */
static bool stray_is_mine(struct node *node, uint32_t partition)
{
    struct place_owners owners;

    place_owners_ever(node->place, partition, &owners);
    return place_owners_find(&owners, node->self) >= 0;
}

/* Something may be astray: looks at all rows, soon. */
void node_stray_wake(struct node *node)
{
    if (node->stray.version == 0)
        return;
    node->stray.is_due = true;
    if (node->phase == NODE_OPEN)
        heap_set(&node->timers, &node->stray.timer.in_timers, node->now + PAUSE_US);
}

/* --- one row */

/* Writes a row to the owners of its right partition. `batch`: place + 1 of the batch of
 * anti-entropy it came with, 0: it is ours. False: no room. */
bool node_stray_carry(struct node *node, struct slice row_key, struct slice object, uint8_t batch)
{
    struct op op = {.kind = OP_RESTORE, .consistency = CONSISTENCY_QUORUM};
    struct node_task *child = NULL;
    uint64_t front;

    if (store_key_split(row_key, &front, &op.ns, &op.key) == STATUS_OK)
        child = node_replica_task(node, TASK_ROW, &op, object);
    if (!child)
        return false;
    child->is_carried = true;
    child->carried_from = front;
    child->batch = batch;
    child->request = node->stray.serial;
    child->deadline = node->now + CARRY_US;
    node->stray.open++;
    node_task_begin(node, child);
    return true;
}

/* Deletes our copy, if it is still what was carried. A cold one waits for the next sweep. */
static bool stray_drop(struct node *node, const struct node_task *child)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice object,
        key = store_key_obj(child->carried_from, child->op.ns, child->op.key, room);
    enum status status = node_row_get(node, key, true, &object);

    if (status == STATUS_MISSING)
        return true;
    return status == STATUS_OK && slice_equal(object, blob_slice(child->object)) &&
           node_drop_row(node, key, object) == STATUS_OK;
}

void node_stray_ended(struct node *node, struct node_task *child, enum status status)
{
    struct node_stray *stray = &node->stray;
    bool is_ours = child->batch == 0 && child->request == stray->serial;

    stray->open--;
    if (child->batch > 0) {
        child->batch--;
        node_batch_row(node, child, status, SLICE_NONE);
    } else if (!is_ours || status != STATUS_OK || !stray_drop(node, child)) {
        stray->is_failed = true;
    } else {
        node_trace(node, TRACE_STRAY_CARRIED, child->carried_from, child->hash_front, 0);
    }
    if (stray->open == 0)
        heap_set(&node->timers, &stray->timer.in_timers, node->now + PAUSE_US);
}

/* --- a sweep */

/* Sees to one row of a page. False: no more for now, it comes again. */
static bool stray_row(struct node *node, const struct store_row *row)
{
    struct place_owners owners;
    uint32_t partition;
    struct slice body;
    bool is_mine;

    if (!node_row_is_stray(node, row->key) ||
        store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, &node->object_a) != STATUS_OK)
        return true; /* of a damaged row the others have copies */
    if (store_pending_get(node->pending, row->key)) {
        node->stray.is_failed = true; /* something newer is on its way to the disk, or its end */
        return true;
    }
    partition = place_partition(node->place, bytes_load_u64(row->key.data));
    place_owners(node->place, partition, &owners);
    is_mine = stray_is_mine(node, partition);
    if (!is_mine && owners.base_count > 0 && !stray_is_old(node)) {
        node->stray.is_failed = true; /* handed to the owners by its number, as ever */
        return true;
    }
    if (!is_mine || stray_is_old(node)) {
        node_trace(node, TRACE_STRAY_OLD, 0, 0, 0);
        return node_drop_row(node, row->key, body) == STATUS_OK;
    }
    return node->stray.open < CARRIES_MAX && node_stray_carry(node, row->key, body, 0);
}

void node_stray_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct node_stray *stray = &node->stray;
    enum status status = event->loaded.status;
    uint32_t at = 0;

    stray->is_reading = false;
    if (stray->is_sweeping && read->request == stray->serial) {
        while (at < event->loaded.count && stray_row(node, &event->loaded.rows[at]))
            at++;
        if (at > 0) {
            blob_drop(&stray->after);
            stray->after = blob_copy(event->loaded.rows[at - 1].key);
        }
        stray->is_failed |= status != STATUS_OK && status != STATUS_END;
        stray->is_at_end = at == event->loaded.count && status != STATUS_OK;
    }
    node_read_end(node, read);
    heap_set(&node->timers, &stray->timer.in_timers, node->now + PAUSE_US);
}

static void stray_read(struct node *node)
{
    struct node_stray *stray = &node->stray;
    uint8_t room[STORE_KEY_SIZE_MAX + 1];
    struct writer after = writer_over(room, sizeof(room));
    struct store_range range = {.family = STORE_OBJ,
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = PAGE_BYTES_MAX,
                                .is_passing = true};
    struct node_read *read;

    if (stray->after) {
        write_slice(&after, blob_slice(stray->after));
        write_u8(&after, 0); /* the smallest row key behind it */
        range.from = writer_done(&after);
    }
    read = node_read_start(node, READ_STRAY, &range);
    if (!read)
        return;
    read->request = stray->serial;
    stray->is_reading = true;
}

/* Tells whether a commit that was begun before the change will bring one more. */
static bool stray_is_coming(struct node *node)
{
    for (uint32_t i = 0; i < node->writes.capacity; i++) {
        const struct node_write *write = pool_at(&node->writes, i);

        if (write->ticket != 0 && write->is_object &&
            node_row_is_stray(node, blob_slice(write->row_key)))
            return true;
    }
    return false;
}

static void stray_begin(struct node *node)
{
    struct node_stray *stray = &node->stray;

    stray->is_due = stray->is_failed = stray->is_at_end = false;
    stray->is_sweeping = true;
    stray->serial++;
    blob_drop(&stray->after);
}

static void stray_finish(struct node *node)
{
    struct node_stray *stray = &node->stray;

    stray->is_sweeping = false;
    stray->is_due |= stray->is_failed || stray_is_coming(node);
    if (stray->is_due)
        return;
    stray->swept = stray->version;
    node_trace(node, TRACE_STRAY_SWEPT, stray->version, 0, 0);
    node_move_wake(node); /* who leaves has waited for it */
}

void node_stray_tick(struct node *node)
{
    struct node_stray *stray = &node->stray;
    instant next = node->now + TICK_US;

    if (node->phase != NODE_OPEN || !node->place || (!stray->is_due && !stray->is_sweeping))
        return;
    if (stray_is_old(node)) /* what nobody wants is not offered to anybody either */
        node->hands.rest_until = node->now + 4 * TICK_US;
    if (!stray->is_reading && stray->open == 0 && !node->is_read_only &&
        pool_used(&node->tasks) <= node->tasks.capacity / 4) {
        if (stray->is_due)
            stray_begin(node);
        if (!stray->is_at_end)
            stray_read(node);
        else
            stray_finish(node);
        next = node->now + (stray->is_sweeping ? TICK_US : AGAIN_US);
    }
    heap_set(&node->timers, &stray->timer.in_timers, next);
}
