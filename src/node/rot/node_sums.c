/* node_sums.c: the sums of a peer that stops in good order are kept, so that its next start need
 * not read all rows to know them (node_recount.c does, after any other end).
 *
 *   EVENT_STOP --no more object rows; those under way end--> one batch of pages --> EFFECT_STOP
 *
 * A page is a row of `sys`, sums/<page u16>:
 *
 *   opening u64 | bytes of all rows u64 | rows with siblings u64 | per partition, 256 of them:
 *     sum 16 | rows u32 | dead u32 | when a row may be over, wall ms u64 (node_gc_settle.c)
 *
 * Pages count only in the very next opening: each names the one it was written in, and the driver
 * makes a new number durable before the store is opened. So whatever is written later, by whichever
 * opening, makes them void before it begins; nothing has to be removed in time. */
#include "gc/node_gc.h"
#include "node_parts.h"

#define SUMS_PER_PAGE 256u
#define SUMS_HEAD_SIZE 24u
#define SUMS_ENTRY_SIZE (sizeof(struct hash16) + 16u)

/* How many partitions a page has; 0: there is no such page. */
static uint32_t sums_of_page(const struct node *node, uint32_t page)
{
    uint32_t partitions = place_partition_max(node->place), from = page * SUMS_PER_PAGE;

    if (from >= partitions)
        return 0;
    return partitions - from < SUMS_PER_PAGE ? partitions - from : SUMS_PER_PAGE;
}

/* --- a start */

/* A page read at the start; they come in their order. */
void node_sums_row(struct node *node, struct slice key, struct slice body)
{
    struct reader in = reader_over(body);
    uint32_t page = node->recount.pages, count = node->sync ? sums_of_page(node, page) : 0;
    uint64_t opening = read_u64(&in), bytes = read_u64(&in), split = read_u64(&in);

    if (count == 0 || key.size != sizeof(NODE_SYS_SUMS) + 1 ||
        body.size != SUMS_HEAD_SIZE + count * SUMS_ENTRY_SIZE ||
        opening + 1 != node->boot_counter ||
        ((uint32_t)key.data[key.size - 2] << 8 | key.data[key.size - 1]) != page)
        return;
    node->recount.pages++;
    node->bytes = bytes;
    node->siblings = split;
    for (uint32_t p = page * SUMS_PER_PAGE; p < page * SUMS_PER_PAGE + count; p++) {
        struct hash16 sum;
        uint32_t rows;

        memcpy(sum.bytes, read_slice(&in, sizeof(sum.bytes)).data, sizeof(sum.bytes));
        rows = read_u32(&in);
        sync_sum_put(node->sync, p, &sum, rows);
        sync_dead_add(node->sync, p, (int)read_u32(&in) - (int)sync_dead(node->sync, p));
        node->gc->due[p] = read_u64(&in);
        node->keys += rows;
    }
}

/* Tells whether the sums of all partitions were read, and stand for what is on the disk. */
bool node_sums_are_whole(struct node *node)
{
    bool are_whole = sums_of_page(node, node->recount.pages) == 0 && !node->is_recovering;

    if (are_whole)
        node_trace(node, TRACE_SUMS_KEPT, node->keys, node->boot_counter - 1, 0);
    return are_whole;
}

/* --- a stop */

static bool sums_are_sound(const struct node *node)
{
    const struct node_recount *recount = &node->recount;
    bool is_any = recount->is_running;

    for (uint32_t i = 0; i < sizeof(recount->wanted); i++)
        is_any |= recount->wanted[i] != 0;
    return node->sync && node_is_counted(node) && !is_any && !node->is_recovering &&
           !node->is_read_only && node->mend.by_key.count == 0;
}

/* A round that is cut short has forgotten when, and not found it again. */
static uint64_t sums_due(struct node *node, uint32_t partition)
{
    return node_gc_round_of(node, partition) || node->gc->going == partition + 1
               ? 1
               : node->gc->due[partition];
}

static void sums_page(struct node *node, uint32_t page, struct store_row *row)
{
    uint32_t count = sums_of_page(node, page);
    uint8_t name[sizeof(NODE_SYS_SUMS) + 1], *room;
    size_t size = SUMS_HEAD_SIZE + count * SUMS_ENTRY_SIZE;
    struct writer out = writer_over(name, sizeof(name));

    write_slice(&out, slice_text(NODE_SYS_SUMS));
    write_u16(&out, (uint16_t)page);
    row->key = writer_done(&out);
    room = effects_alloc(node->fx, size);
    out = writer_over(room, size);
    write_u64(&out, node->boot_counter);
    write_u64(&out, node->bytes);
    write_u64(&out, node->siblings);
    for (uint32_t p = page * SUMS_PER_PAGE; p < page * SUMS_PER_PAGE + count; p++) {
        uint32_t rows;
        struct hash16 sum = sync_fingerprint(node->sync, p, &rows);

        write_bytes(&out, sum.bytes, sizeof(sum.bytes));
        write_u32(&out, rows);
        write_u32(&out, sync_dead(node->sync, p));
        write_u64(&out, sums_due(node, p));
    }
    node_persist_row(node, row, row->key, writer_done(&out));
}

static void sums_end(struct node *node)
{
    node->phase = NODE_STOPPED;
    effects_push(node->fx, EFFECT_STOP)->stop.reason = STATUS_CLOSED;
}

/* A write has ended, with `status`, while we stop: the sums follow the last of them. */
void node_sums_step(struct node *node, enum status status)
{
    uint32_t pages = (place_partition_max(node->place) + SUMS_PER_PAGE - 1) / SUMS_PER_PAGE;
    struct store_row *rows;

    if (status != STATUS_OK) {
        sums_end(node);
        return;
    }
    if (pool_used(&node->writes) > 0)
        return;
    if (node->recount.is_saved) {
        sums_end(node);
        return;
    }
    node->recount.is_saved = true;
    rows = effects_alloc(node->fx, pages * sizeof(*rows));
    for (uint32_t page = 0; page < pages; page++)
        sums_page(node, page, &rows[page]);
    if (!node_write_start(node, rows, pages))
        ensure_unreachable(); /* none is in use */
}

/* The driver is about to end this process. */
void node_sums_stop(struct node *node)
{
    if (node->phase == NODE_ENDING)
        return;
    if (!sums_are_sound(node)) {
        sums_end(node);
        return;
    }
    node->phase = NODE_ENDING; /* no object row is written from now on */
    node_sums_step(node, STATUS_OK);
}
