/* node_recount.c: the sum of a partition counted from its rows. Sums are kept up by commits, each
 * taking the old fingerprint out and putting the new one in. Two things break that: nobody knows
 * any more what the fingerprint of a damaged row was; and a process that died left no sums behind
 * (node_sums.c). So partitions are counted, one after the other, while they are written to:
 *
 *   rows up to `cursor` are counted  |  rows behind it will be
 *       commits change the count     |  commits are seen by the pages to come
 *
 * What is committed while a page is being read may show in it or not: node_recount_page.c.
 *
 * Until every partition is counted after an opening this peer serves, but compares itself with
 * nobody, collects nothing, hands over nothing and finishes no move: node_is_counted. */
#include "node_impl.h"
#include "node_parts.h"

#define RECOUNT_AGAIN_US INSTANT_MS(10) /* no room for a read */
#define RECOUNT_ERROR_US INSTANT_S(1)   /* the disk refused a page */
#define RECOUNT_SHARE 3u                /* clients have the disk so much longer than we do */
#define RECOUNT_BYTES_MAX (1u << 20)

static void recount_wait(struct node *node, uint64_t delay)
{
    heap_set(&node->timers, &node->recount.timer.in_timers, node->now + delay);
}

static void recount_want(struct node *node, uint32_t partition)
{
    node->recount.wanted[partition / 8] |= (uint8_t)(1u << partition % 8);
    if (!node->recount.is_running)
        recount_wait(node, 0);
}

/* A row of a partition is damaged: it is counted again, and what we wrote to it is lost. */
void node_recount(struct node *node, uint32_t partition)
{
    node_actor_end(node, partition);
    recount_want(node, partition);
}

/* Forgets what was asked for: everything is counted from the beginning, or known. */
void node_recount_reset(struct node *node)
{
    struct node_recount *recount = &node->recount;

    node_recount_unnote(recount);
    recount->is_reading = false;
    memset(recount->wanted, 0, sizeof(recount->wanted));
    memset(recount->unknown, 0, sizeof(recount->unknown));
    recount->unknown_count = recount->pages = 0;
    recount->is_running = false;
    recount->generation++;
    blob_drop(&recount->cursor);
    heap_remove(&node->timers, &recount->timer.in_timers);
}

/* Nothing is known of the rows that are there. */
void node_recount_all(struct node *node)
{
    node_recount_reset(node);
    sync_reset(node->sync);
    node->keys = node->bytes = node->siblings = 0;
    for (uint32_t p = 0; p < place_partition_max(node->place); p++) {
        node->recount.unknown[p / 8] |= (uint8_t)(1u << p % 8);
        node->recount.unknown_count++;
        recount_want(node, p);
    }
    node_trace(node, TRACE_RECOUNT_ALL, node->recount.unknown_count, 0, 0);
}

bool node_recount_is_unknown(const struct node *node, uint32_t partition)
{
    return node->recount.unknown[partition / 8] >> partition % 8 & 1;
}

/* Tells whether the sums stand for the rows that are there: what may be concluded from them. */
bool node_is_counted(const struct node *node)
{
    return node->phase == NODE_OPEN && node->recount.unknown_count == 0;
}

static void recount_page(struct node *node)
{
    struct node_recount *recount = &node->recount;
    uint8_t bounds[16];
    bool has_end = store_key_partition(id_front(node_self(node)), node->founding.cell_depth,
                                       node->founding.partition_bits, recount->partition, bounds);
    struct store_range range = {.family = STORE_OBJ,
                                .from = recount->cursor ? blob_slice(recount->cursor)
                                                        : slice_of(bounds, 8),
                                .until = has_end ? slice_of(bounds + 8, 8) : SLICE_NONE,
                                .rows_max = SCAN_ROWS_MAX,
                                .bytes_max = RECOUNT_BYTES_MAX,
                                .is_passing = true};
    struct node_read *read = node_read_start(node, READ_COUNT, &range);

    if (!read) {
        recount_wait(node, RECOUNT_AGAIN_US);
        return;
    }
    read->request = recount->generation;
    node_recount_unnote(recount);
    recount->is_reading = true;
    recount->asked = node->now;
}

/* Goes on, or begins with the next partition that was asked for. */
void node_recount_tick(struct node *node)
{
    struct node_recount *recount = &node->recount;

    if (node->phase != NODE_OPEN || !node->place || recount->is_reading)
        return;
    for (uint32_t p = 0; !recount->is_running && p < place_partition_max(node->place); p++) {
        if (!(recount->wanted[p / 8] >> p % 8 & 1))
            continue;
        recount->wanted[p / 8] &= (uint8_t) ~(1u << p % 8);
        recount->partition = p;
        recount->is_running = true;
        recount->dead = recount->split = 0;
        recount->bytes = 0;
        sync_count_begin(node->sync);
    }
    if (recount->is_running)
        recount_page(node);
}

/* The last one: from now on this peer takes part in everything. */
static void recount_complete(struct node *node)
{
    node->scrub.verified_at = node->now; /* every row was read */
    node_trace(node, TRACE_RECOUNTED_ALL, node->keys, 0, 0);
    node_move_wake(node);
}

static void recount_end(struct node *node)
{
    struct node_recount *recount = &node->recount;
    uint32_t p = recount->partition, before, after;
    bool was_unknown = node_recount_is_unknown(node, p);

    (void)sync_fingerprint(node->sync, p, &before);
    sync_count_end(node->sync, p);
    (void)sync_fingerprint(node->sync, p, &after);
    sync_dead_add(node->sync, p, (int)recount->dead - (int)sync_dead(node->sync, p));
    node->keys = node->keys + after > before ? node->keys + after - before : 0;
    node->bytes += was_unknown ? recount->bytes : 0;
    node->siblings += was_unknown ? recount->split : 0;
    recount->unknown[p / 8] &= (uint8_t) ~(1u << p % 8);
    recount->unknown_count -= was_unknown;
    recount->is_running = false;
    blob_drop(&recount->cursor);
    node_trace(node, TRACE_RECOUNTED, p, before, after);
    if (was_unknown && recount->unknown_count == 0)
        recount_complete(node);
}

/* The engine refused a page. False: it is opened again, or asked again. */
static bool recount_refused(struct node *node, enum status status)
{
    if (status == STATUS_CORRUPT && node_store_damaged(node))
        return false;
    if (status != STATUS_CORRUPT) {
        recount_wait(node, RECOUNT_ERROR_US);
        return false;
    }
    node->is_recovering = true; /* rows are missing that we cannot name */
    metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    return true;
}

void node_recount_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct node_recount *recount = &node->recount;
    enum status status = event->loaded.status;
    bool is_ours = recount->is_running && read->request == recount->generation;
    uint64_t took = node->now - recount->asked;

    node_read_end(node, read);
    if (!is_ours)
        return;
    recount->is_reading = false;
    if (status != STATUS_OK && status != STATUS_END && !recount_refused(node, status))
        return;
    node_recount_note_writes(node);
    if (recount->is_stale) {
        recount_wait(node, 0);
        return;
    }
    node_recount_rows(node, event);
    node_recount_unnote(recount);
    if (status != STATUS_OK)
        recount_end(node);
    recount_wait(node, pool_used(&node->tasks) > 0 ? RECOUNT_SHARE * took : 0);
}
