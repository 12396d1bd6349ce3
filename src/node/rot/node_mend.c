/* node_mend.c: rows that failed their checksum. Such a row is in quarantine until enough other
 * owners have shown what they hold of it: it is not served, not counted in a read, not
 * fingerprinted and not given away, whatever is written over it meanwhile. For what was written
 * over it is sound and yet may lack what the damaged row held, and a read that counts it could miss
 * an acknowledged write.
 *
 *   scrub, get, listing, start --node_row_bad--> quarantined --quorum read of the other owners-->
 *     --merged, written--> sound          nobody has it: both rows are deleted
 *
 * N - W + 1 others meet every acknowledged write. A peer whose disk loses more rows than the
 * quarantine holds is as a whole what one row is here: in recovery. */
#include "node_impl.h"
#include "node_parts.h"

#define MEND_TICK_US INSTANT_MS(100)
#define MEND_TASKS_MAX 8           /* rows asked for at once: below client traffic */
#define MEND_AGAIN_US INSTANT_S(1) /* after owners that did not answer */
#define MEND_TIMEOUT_US INSTANT_S(5)

static struct slice mend_key(const struct node_task *task, uint8_t room[STORE_KEY_SIZE_MAX])
{
    return store_key_obj(task->hash_front, task->op.ns, task->op.key, room);
}

static struct node_bad *bad_find(const struct node *node, struct slice row_key)
{
    return node->mend.by_key.count > 0 ? map_get(&node->mend.by_key, row_key) : NULL;
}

bool node_row_is_bad(const struct node *node, struct slice row_key)
{
    return bad_find(node, row_key) != NULL;
}

bool node_task_is_bad(const struct node *node, const struct node_task *task)
{
    uint8_t room[STORE_KEY_SIZE_MAX];

    return node->mend.by_key.count > 0 && node_row_is_bad(node, mend_key(task, room));
}

/* A task found its row damaged. */
void node_task_found_bad(struct node *node, const struct node_task *task)
{
    uint8_t room[STORE_KEY_SIZE_MAX];

    node_row_bad(node, mend_key(task, room));
}

/* Tells whether rows of a partition are in quarantine: it must not be counted as pulled from us.
 * Unless those who could mend them wait to be compared with us: one of two must begin. */
bool node_partition_is_bad(const struct node *node, uint32_t partition)
{
    if (node->mend.by_key.count > 0)
        list_for_each (&node->mend.rows, link) {
            const struct node_bad *bad = list_entry(link, struct node_bad, in_rows);

            if (!bad->is_stuck &&
                place_partition(node->place, bytes_load_u64(bad->row_key->data)) == partition)
                return true;
        }
    return false;
}

/* More damage than can be named: every copy counts again only after it was compared. The sums are
 * counted from the beginning, without what is damaged. */
static void mend_overflow(struct node *node)
{
    if (node->is_recovering)
        return;
    node->is_recovering = true;
    node_store_reopen(node);
}

/* A row failed its checksum: counts it, and puts it in quarantine. */
void node_row_bad(struct node *node, struct slice row_key)
{
    uint64_t front;
    struct slice ns, key;
    struct node_bad *bad = bad_find(node, row_key);

    if (store_key_split(row_key, &front, &ns, &key) != STATUS_OK || (bad && !bad->is_counted))
        return;
    metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_ROW_CORRUPT, front, 0, 0);
    store_recent_drop(node->recent, row_key);
    if (node->phase == NODE_OPEN)
        node_recount(node, place_partition(node->place, front));
    if (bad) {
        bad->is_counted = false; /* it was written again, and is damaged again */
        return;
    }
    bad = pool_take(&node->mend.pool);
    if (!bad) {
        mend_overflow(node);
        return;
    }
    bad->row_key = blob_copy(row_key);
    bad->again = node->now;
    ensure(bad->row_key != NULL);
    if (map_put(&node->mend.by_key, row_key, bad) != STATUS_OK)
        ensure_unreachable(); /* as many places as rows */
    list_push_back(&node->mend.rows, &bad->in_rows);
    heap_set(&node->timers, &node->mend.timer.in_timers, node->now);
}

/* A row in quarantine was written over. */
void node_mend_written(struct node *node, struct slice row_key)
{
    struct node_bad *bad = bad_find(node, row_key);

    if (bad)
        bad->is_counted = true;
}

static void mend_release(struct node *node, struct node_bad *bad)
{
    (void)map_remove(&node->mend.by_key, blob_slice(bad->row_key));
    list_remove(&bad->in_rows);
    blob_drop(&bad->row_key);
    pool_give(&node->mend.pool, bad);
}

/* Ends a task of this file: the row is sound again (OK), or will be tried again. */
void node_mend_ended(struct node *node, struct node_task *task, enum status status)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_bad *bad = bad_find(node, mend_key(task, room));

    if (node->mend.tasks > 0)
        node->mend.tasks--;
    if (bad && status == STATUS_OK) {
        metric_add(&node->metrics, METRIC_STORE_MENDED, 1);
        node_trace(node, TRACE_ROW_MENDED, task->hash_front, task->object->size, 0);
        mend_release(node, bad);
    } else if (bad) {
        bad->is_asked = false;
        bad->again = node->now + MEND_AGAIN_US;
    }
}

/* Tells whether other owners could have the row, and how many of them must answer. */
static bool mend_is_possible(struct node *node, const struct node_bad *bad, uint64_t front,
                             enum consistency *consistency)
{
    struct place_owners owners;
    unsigned others, sound;
    int rank;

    place_owners(node->place, place_partition(node->place, front), &owners);
    rank = place_owners_find(&owners, node->self);
    others = owners.base_count - (unsigned)(rank >= 0 && owners.peers[rank].is_base);
    /* N - W + 1 others: one of two owners, else as many as a read of all would need. Where fewer
     * have a sound copy, nothing more than theirs is left in the world. */
    sound = others > bad->corrupt_count ? others - bad->corrupt_count : 0;
    *consistency = others == 1 || sound < quorum_required(CONSISTENCY_QUORUM, owners.base_count)
                       ? CONSISTENCY_ONE
                       : CONSISTENCY_QUORUM;
    return rank >= 0 && sound > 0 && !node_row_is_stray(node, blob_slice(bad->row_key));
}

/* Nobody holds the key, so no acknowledged write of it exists; nor may the index name it. */
static void mend_delete(struct node *node, struct slice row_key)
{
    struct store_row *rows = effects_alloc(node->fx, 2 * sizeof(*rows));
    struct slice index_key = store_key_listed(row_key);

    rows[0] = (struct store_row){
        .family = STORE_OBJ, .is_delete = true, .key = effects_copy(node->fx, row_key)};
    rows[1] = (struct store_row){
        .family = STORE_IDX, .is_delete = true, .key = effects_copy(node->fx, index_key)};
    node_write_rows(node, rows, index_key.size > 0 ? 2 : 1);
}

/* Nobody to ask: the row is lost, until somebody writes it again. */
static void mend_alone(struct node *node, struct node_bad *bad)
{
    struct slice object;
    enum status status = node_row_get(node, blob_slice(bad->row_key), true, &object);

    if (status == STATUS_MISSING)
        mend_delete(node, blob_slice(bad->row_key));
    if (status == STATUS_OK || status == STATUS_MISSING) {
        mend_release(node, bad);
        return;
    }
    bad->is_stuck = true;
    bad->again = node->now + MEND_AGAIN_US;
}

static void mend_start(struct node *node, struct node_bad *bad)
{
    struct op op = {.kind = OP_GET};
    struct quorum_owner owners[SET_MAX];
    struct quorum_request request;
    struct node_task *task;
    uint64_t front;
    enum status status;

    if (store_key_split(blob_slice(bad->row_key), &front, &op.ns, &op.key) != STATUS_OK)
        ensure_unreachable(); /* it was split before */
    if (!mend_is_possible(node, bad, front, &op.consistency)) {
        mend_alone(node, bad);
        return;
    }
    task = node_replica_task(node, TASK_MEND, &op, SLICE_NONE);
    if (!task)
        return; /* at the next tick */
    bad->is_asked = true;
    node->mend.tasks++;
    task->deadline = node->now + MEND_TIMEOUT_US;
    task->step = STEP_READ;
    task->gc = node_gc_number(node, task->hash_front);
    node_coord_request(node, task, &request, owners); /* our own copy neither votes nor lends */
    status = quorum_get(node->quorum, node->now, &request);
    if (status == STATUS_OK)
        return;
    node_mend_ended(node, task, status);
    node_task_end(node, task);
}

void node_mend_tick(struct node *node)
{
    if (!node->place || list_is_empty(&node->mend.rows))
        return;
    heap_set(&node->timers, &node->mend.timer.in_timers, node->now + MEND_TICK_US);
    if (node->phase != NODE_OPEN || node->is_read_only)
        return;
    list_for_each_safe (&node->mend.rows, link) {
        struct node_bad *bad = list_entry(link, struct node_bad, in_rows);

        if (node->mend.tasks >= MEND_TASKS_MAX)
            return;
        if (!bad->is_asked && bad->again <= node->now)
            mend_start(node, bad);
    }
}

/* Notes owners whose copy is damaged as well: they can no longer be asked for anything. And those
 * whose copies do not count yet. */
static void mend_note(struct node *node, const struct node_task *task,
                      const struct quorum_output *done)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_bad *bad = bad_find(node, mend_key(task, room));

    for (uint8_t i = 0; bad && i < done->role_count; i++) {
        const struct quorum_role *role = &done->roles[i];
        uint8_t at = 0;

        bad->is_stuck |= role->id8 != node->self && role->status == STATUS_RECOVERING;
        if (role->id8 == node->self || role->status != STATUS_CORRUPT)
            continue;
        while (at < bad->corrupt_count && bad->corrupt[at] != role->id8)
            at++;
        if (at == bad->corrupt_count && at < REPLICAS_MAX)
            bad->corrupt[bad->corrupt_count++] = role->id8;
    }
}

/* The other owners have answered, or not enough of them. */
void node_mend_read(struct node *node, struct node_task *task, const struct quorum_output *done)
{
    if (done->status != STATUS_OK) {
        mend_note(node, task, done);
        node_mend_ended(node, task, done->status);
        node_task_end(node, task);
        return;
    }
    task->gc = done->gc;
    blob_drop(&task->object);
    task->object = blob_copy(done->object);
    ensure(task->object != NULL);
    node_task_load(node, task);
}

/* Nobody has it: it goes, unless somebody has written it meanwhile. */
void node_mend_gone(struct node *node, struct node_task *task, enum status status)
{
    uint8_t room[STORE_KEY_SIZE_MAX];

    if ((status == STATUS_CORRUPT || status == STATUS_MISSING) &&
        !store_pending_get(node->pending, mend_key(task, room)))
        mend_delete(node, mend_key(task, room));
    node_mend_ended(node, task, status == STATUS_COLD || status == STATUS_IO ? status : STATUS_OK);
    node_task_end(node, task);
}

/* Another cluster was found, or the node ends. */
void node_mend_reset(struct node *node)
{
    struct list *link;

    while ((link = list_pop_front(&node->mend.rows)))
        mend_release(node, list_entry(link, struct node_bad, in_rows));
}
