/* node_scrub.c: reads every row once per period, although nobody asks for it. Damage that is found
 * while the other copies are sound costs a repair; found when they are gone it costs the row. Pages
 * are spread over the period, wait while the peer is busy, and pass by the block cache.
 *
 *   obj: rows that fail, and index rows without one -> node_mend.c
 *   idx: rows that fail, and objects without one: written again from the key
 *   sys: written again from what we know      a block the engine refuses: node_store_damaged */
#include "node_impl.h"
#include "node_parts.h"

#define SCRUB_ROWS 256u          /* of a page: well below a millisecond of the loop */
#define SCRUB_BYTES (256u << 10) /* of a page; one row of any size is always given */
#define SCRUB_MIN_US INSTANT_MS(5)
#define SCRUB_MAX_US INSTANT_S(3600)
#define SCRUB_BUSY_US INSTANT_MS(100) /* while clients are many */

static const enum store_family scrub_families[] = {STORE_OBJ, STORE_IDX, STORE_SYS};
#define SCRUB_FAMILIES (sizeof(scrub_families) / sizeof(scrub_families[0]))

/* When the next page is due: what is left of the cycle over the pages that are left. */
static uint64_t scrub_delay(struct node *node)
{
    const struct node_scrub *scrub = &node->scrub;
    uint64_t pages = 2 * node->keys / SCRUB_ROWS + SCRUB_FAMILIES + 1;
    uint64_t left = pages > scrub->pages ? pages - scrub->pages : 1;
    uint64_t time = scrub->until > node->now ? scrub->until - node->now : 0;
    uint64_t delay = time / left;

    if (delay < SCRUB_MIN_US)
        delay = SCRUB_MIN_US;
    if (delay < SCRUB_BUSY_US && pool_used(&node->tasks) > node->tasks.capacity / 8)
        delay = SCRUB_BUSY_US;
    return delay < SCRUB_MAX_US ? delay : SCRUB_MAX_US;
}

static void scrub_wait(struct node *node)
{
    heap_set(&node->timers, &node->scrub.timer.in_timers, node->now + scrub_delay(node));
}

static void scrub_from(struct node *node, unsigned family)
{
    node->scrub.family = family;
    blob_drop(&node->scrub.next);
}

/* How long ago all rows were known to be sound, in seconds. */
uint64_t node_scrub_age_s(const struct node *node)
{
    return node->scrub.verified_at > 0 ? (node->now - node->scrub.verified_at) / 1000000u : 0;
}

/* The store is open. Nobody knows what time did to the rows: their age is that of this opening,
 * until a cycle has ended or all were counted. */
void node_scrub_start(struct node *node)
{
    struct node_scrub *scrub = &node->scrub;

    scrub->generation++;
    scrub->is_reading = false;
    scrub->pages = 0;
    scrub->verified_at = node->now;
    scrub_from(node, 0);
    if (node->config.scrub_period_s == 0)
        return;
    scrub->until = node->now + INSTANT_S((uint64_t)node->config.scrub_period_s);
    scrub_wait(node);
}

void node_scrub_tick(struct node *node)
{
    struct node_scrub *scrub = &node->scrub;
    enum store_family family = scrub_families[scrub->family];
    struct store_range range = {.family = family,
                                .is_joined = family == STORE_IDX,
                                .is_paired = family == STORE_OBJ,
                                .from = scrub->next ? blob_slice(scrub->next) : SLICE_NONE,
                                .rows_max = SCRUB_ROWS,
                                .bytes_max = SCRUB_BYTES,
                                .is_passing = true};
    struct node_read *read;

    if (node->phase != NODE_OPEN || scrub->is_reading)
        return; /* goes on when the store is open, or the page has come */
    read = node->sync ? node_read_start(node, READ_SCRUB, &range) : NULL;
    if (!read) {
        scrub_wait(node);
        return;
    }
    read->request = scrub->generation;
    scrub->is_reading = true;
}

/* --- rows */

static void scrub_object(struct node *node, const struct store_row *row)
{
    struct slice body;

    if (store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, &node->object_a) != STATUS_OK)
        node_row_bad(node, row->key);
}

/* An index row is lost and given empty, or such as nothing writes. */
void node_index_bad(struct node *node, const struct store_row *bad)
{
    struct store_row *row = effects_alloc(node->fx, sizeof(*row));
    struct front_cut cut = node_cut(node);

    metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_ROW_CORRUPT, 0, 1, 0);
    *row = (struct store_row){.family = STORE_IDX,
                              .is_delete = !store_index_is_sound(bad->key, &cut),
                              .key = effects_copy(node->fx, bad->key)};
    node_write_rows(node, row, 1);
    metric_add(&node->metrics, METRIC_STORE_MENDED, 1);
    node_trace(node, TRACE_ROW_MENDED, 0, 0, 1);
}

/* What we know of the cluster is written again as a whole; sums that were kept have been read. */
static void scrub_sys(struct node *node, const struct store_row *row)
{
    struct slice body;

    if (store_record_open(STORE_SYS, row->key, row->value, &body) == STATUS_OK)
        return;
    metric_add(&node->metrics, METRIC_STORE_CORRUPT, 1);
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_ROW_CORRUPT, 0, 2, 0);
    node->is_dirty = true;
    node->hlc_limit_ms = 0;
    if (slice_has_prefix(row->key, slice_text(NODE_SYS_SUMS))) {
        struct store_row gone = {
            .family = STORE_SYS, .is_delete = true, .key = effects_copy(node->fx, row->key)};
        struct store_row *rows = effects_alloc(node->fx, sizeof(*rows));

        *rows = gone;
        node_write_rows(node, rows, 1);
    }
}

/* Of index rows only the damaged are given, the others as the objects behind them. */
static void scrub_row(struct node *node, const struct store_row *row)
{
    if (row->family == STORE_OBJ)
        scrub_object(node, row);
    else if (row->family == STORE_IDX)
        node_index_bad(node, row);
    else
        scrub_sys(node, row);
}

/* --- pages */

static void scrub_cycle(struct node *node)
{
    struct node_scrub *scrub = &node->scrub;

    scrub->verified_at = node->now;
    node_trace(node, TRACE_SCRUBBED, scrub->pages, 0, 0);
    scrub->until = node->now + INSTANT_S((uint64_t)node->config.scrub_period_s);
    scrub->pages = 0;
    scrub_from(node, 0);
}

/* The next page begins behind the last row of this one. */
static void scrub_go_on(struct node *node, const struct store_row *last)
{
    struct node_scrub *scrub = &node->scrub;
    enum store_family family = scrub_families[scrub->family];
    struct slice key = last->key;

    if (family == STORE_IDX && last->family == STORE_OBJ)
        key = store_key_listed(key);
    else if (family == STORE_OBJ && last->family == STORE_IDX)
        key = last[-1].key; /* a lost index row comes behind its object */
    blob_drop(&scrub->next);
    scrub->next = node_key_behind(key);
}

void node_scrub_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct node_scrub *scrub = &node->scrub;
    enum status status = event->loaded.status;
    bool is_ours = read->request == scrub->generation;

    node_read_end(node, read);
    if (!is_ours)
        return;
    scrub->is_reading = false;
    scrub->pages++;
    for (uint32_t i = 0; i < event->loaded.count; i++)
        scrub_row(node, &event->loaded.rows[i]);
    metric_add(&node->metrics, METRIC_SCRUB_ROWS, event->loaded.count);
    if (status == STATUS_OK && event->loaded.count > 0)
        scrub_go_on(node, &event->loaded.rows[event->loaded.count - 1]);
    if (status == STATUS_END) {
        if (scrub->family + 1 < SCRUB_FAMILIES)
            scrub_from(node, scrub->family + 1);
        else
            scrub_cycle(node);
    }
    scrub_wait(node);
}
