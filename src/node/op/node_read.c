/* node_read.c: reads that touch the disk: tickets, pages, and the tasks that wait for one cold row.
 * What is asked for here comes back as LOADED, in another step. */
#include "hint/node_hint.h"
#include "node_parts.h"

struct node_read *node_read_start(struct node *node, enum node_read_kind kind,
                                  const struct store_range *range)
{
    bool is_boot = kind == READ_SYS || kind == READ_SCAN;
    struct node_read *read;

    /* The last place is kept for the scan after a reopening: it cannot be refused. */
    if (!is_boot && pool_used(&node->reads) + 1 >= node->reads.capacity)
        return NULL;
    read = pool_take(&node->reads);
    if (!read)
        return NULL;
    read->kind = kind;
    list_init(&read->tasks);
    node_read_page(node, read, range);
    return read;
}

/* How the row keys of the cluster begin. */
struct front_cut node_cut(const struct node *node)
{
    return (struct front_cut){.bits = node->founding.partition_bits,
                              .cell_depth = node->founding.cell_depth};
}

void node_read_page(struct node *node, struct node_read *read, const struct store_range *range)
{
    struct effect *effect = effects_push(node->fx, EFFECT_READ);

    read->ticket = (++node->read_ticket << 32) | pool_index(&node->reads, read);
    effect->read.read = read->ticket;
    effect->read.is_point = read->kind == READ_ROW;
    effect->read.range = *range;
    memcpy(effect->read.range.hash_seed, node->founding.hash_seed, HASH_SEED_SIZE);
    effect->read.range.cut = node_cut(node);
    effect->read.range.from = effects_copy(node->fx, range->from);
    effect->read.range.until = effects_copy(node->fx, range->until);
    metric_add(&node->metrics, METRIC_STORE_READ_DISK, 1);
}

void node_read_end(struct node *node, struct node_read *read)
{
    blob_drop(&read->row_key);
    blob_drop(&read->until);
    buffer_close(&read->rows);
    pool_give(&node->reads, read);
}

/* Makes a task wait for a cold row; readers of one row share one read. */
bool node_row_wait(struct node *node, struct node_task *task, struct slice row_key)
{
    struct node_read *read = map_get(&node->read_by_key, row_key);

    if (!read) {
        struct store_range range = {.family = STORE_OBJ, .from = row_key, .rows_max = 1};

        read = node_read_start(node, READ_ROW, &range);
        if (!read)
            return false;
        read->row_key = blob_copy(row_key);
        ensure(read->row_key != NULL);
        if (map_put(&node->read_by_key, row_key, read) != STATUS_OK)
            ensure_unreachable(); /* as many places as reads */
    }
    list_push_back(&read->tasks, &task->in_load);
    return true;
}

/* The read of this row that tasks wait for, or NULL: a newcomer must queue behind them. */
struct node_read *node_row_read(const struct node *node, struct slice row_key)
{
    return node->read_by_key.count > 0 ? map_get(&node->read_by_key, row_key) : NULL;
}

static void row_loaded(struct node *node, struct node_read *read, const struct event *event)
{
    struct slice row_key = blob_slice(read->row_key), object = SLICE_NONE;
    enum status status = event->loaded.status;
    struct list *link;

    if (read->is_stale) { /* a write of this row was committed while it was being read */
        read->is_stale = false;
        node_read_page(node, read,
                       &(struct store_range){.family = STORE_OBJ, .from = row_key, .rows_max = 1});
        return;
    }
    if ((status == STATUS_OK || status == STATUS_END) && event->loaded.count > 0) {
        struct slice record = effects_copy(node->fx, event->loaded.rows[0].value);

        status = store_record_open(STORE_OBJ, row_key, record, &object);
    } else if (status == STATUS_OK || status == STATUS_END) {
        status = STATUS_MISSING;
    }
    map_remove(&node->read_by_key, row_key);
    while ((link = list_pop_front(&read->tasks)))
        node_task_loaded(node, list_entry(link, struct node_task, in_load), status, object);
    node_read_end(node, read);
}

void node_loaded(struct node *node, const struct event *event)
{
    struct node_read *read = pool_at(&node->reads, (uint32_t)event->loaded.read);

    if (!read || read->ticket != event->loaded.read)
        return;

    enum node_read_kind kind = read->kind;

    if (event->loaded.status == STATUS_CORRUPT && kind != READ_SYS && kind != READ_SCAN)
        node_store_damaged(node);
    switch (kind) {
    case READ_SYS:
    case READ_SCAN:
        node_read_end(node, read);
        node_boot_loaded(node, kind, event);
        break;
    case READ_ROW:
        row_loaded(node, read, event);
        break;
    case READ_LIST:
        node_list_loaded(node, read, event);
        break;
    case READ_ROWS:
        node_scan_loaded(node, read, event);
        break;
    case READ_LEAF:
        node_leaf_loaded(node, read, event);
        break;
    case READ_DROP:
        node_drop_loaded(node, read, event);
        break;
    case READ_GC:
        node_gc_loaded(node, read, event);
        break;
    case READ_SCRUB:
        node_scrub_loaded(node, read, event);
        break;
    case READ_COUNT:
        node_recount_loaded(node, read, event);
        break;
    case READ_HINT:
        node_hint_loaded(node, read, event);
        break;
    case READ_STRAY:
        node_stray_loaded(node, read, event);
        break;
    }
}

/* The smallest key behind `key`. */
struct blob *node_key_behind(struct slice key)
{
    struct blob *behind = blob_new(key.size + 1);

    ensure(behind != NULL);
    if (key.size)
        memcpy(behind->data, key.data, key.size);
    behind->data[key.size] = 0;
    return behind;
}
