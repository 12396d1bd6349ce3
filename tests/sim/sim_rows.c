/* sim_rows.c: somebody who reads rows while all faults strike (profile `rows`), page by page
 * through whichever peer, as a backup does; and once more when everything is healed.
 *
 *   R1  a page holds every key of its range that was acknowledged before the page was asked for
 *   R2  after heal the pages hold exactly the rows that owners hold, in states that cover theirs
 *
 * Draws come from a generator of its own: profiles without a reader run as they did. */
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(60)
#define WAIT_US INSTANT_S(5) /* for one page when nothing is wrong any more */

struct sim_rows {
    struct prng rng;
    bool is_busy, is_final;
    uint32_t node, boot, partition, limit;
    ticket ticket;
    uint8_t after[STORE_KEY_SIZE_MAX]; /* where the page begins */
    size_t after_size;
    uint32_t known; /* keys that existed when it was asked */
    uint8_t acked[SIM_KEYS_MAX];
    uint64_t pages, refused;
    /* is_final: what the present partition was found to hold */
    uint32_t rows;
    bool is_last, is_answered;
    const struct sim_node *owner;
};

void sim_rows_start(struct sim *sim)
{
    if (!sim->plan.has_reader)
        return;
    if (!sim->rows)
        sim->rows = calloc(1, sizeof(*sim->rows));
    ensure(sim->rows != NULL);
    prng_init(&sim->rows->rng, sim->seed ^ 0x5ca2ull);
    sim_after(sim, prng_below(&sim->rows->rng, THINK_US), SIM_READER, SLICE_NONE);
}

void sim_rows_close(struct sim *sim)
{
    free(sim->rows);
    sim->rows = NULL;
}

static void rows_ask(struct sim *sim, struct sim_node *peer)
{
    struct sim_rows *rows = sim->rows;
    struct event request = {.kind = EVENT_REQUEST};

    rows->is_busy = true;
    rows->is_answered = false;
    rows->node = peer->index;
    rows->boot = peer->boot;
    rows->ticket = ++sim->tickets;
    rows->limit = (uint32_t)prng_between(&rows->rng, 1, 20);
    rows->known = sim->once_count;
    for (uint32_t k = 0; k < rows->known; k++)
        rows->acked[k] = sim->once[k].state == WRITE_ACKED;
    request.request.ticket = rows->ticket;
    request.request.op = (struct op){.kind = OP_SCAN,
                                     .partition = rows->partition,
                                     .limit = rows->limit,
                                     .after = slice_of(rows->after, rows->after_size),
                                     .timeout_ms = 1000};
    sim_step(sim, peer, &request);
}

void sim_rows_act(struct sim *sim)
{
    struct sim_rows *rows = sim->rows;
    struct sim_node *peer = &sim->nodes[prng_below(&rows->rng, sim->node_count)];

    sim_after(sim, prng_between(&rows->rng, THINK_US / 2, THINK_US * 2), SIM_READER, SLICE_NONE);
    if (sim->are_clients_on && !rows->is_busy && peer->node && peer->paused_until <= sim->now)
        rows_ask(sim, peer);
}

/* --- R1 */

/* The object of a row in a page, false when it is not there. */
static bool rows_find(const struct sim_node *peer, const struct result *result,
                      struct slice row_key, struct crdt_object *object)
{
    for (uint32_t i = 0; i < result->item_count; i++) {
        uint8_t room[STORE_KEY_SIZE_MAX];

        if (slice_equal(node_row_key(peer->node, result->items[i].ns, result->items[i].key, room),
                        row_key))
            return crdt_object_decode(result->items[i].object, object) == STATUS_OK;
    }
    return false;
}

static void rows_check_page(struct sim *sim, const struct sim_node *peer,
                            const struct result *result)
{
    static struct crdt_object object;
    struct sim_rows *rows = sim->rows;
    struct slice after = slice_of(rows->after, rows->after_size);

    for (uint32_t k = 0; k < rows->known; k++) {
        uint8_t room[STORE_KEY_SIZE_MAX];
        char name[32], value[32];
        struct slice key = sim_once_key(k, name), body = sim_once_value(k, value);
        struct slice row_key = node_row_key(peer->node, slice_text("sim"), key, room);
        bool is_there = false;

        if (!rows->acked[k] ||
            node_partition_of(peer->node, slice_text("sim"), key) != rows->partition ||
            slice_compare(row_key, after) <= 0 ||
            (result->is_truncated && slice_compare(row_key, result->next) > 0))
            continue;
        if (rows_find(peer, result, row_key, &object))
            for (uint16_t v = 0; v < object.value_count; v++)
                is_there |= slice_equal(object.values[v].body, body);
        if (!is_there)
            sim_fail(sim, "R1: a page of partition %u lacks acknowledged key %u", rows->partition,
                     k);
    }
}

/* Goes on behind the page, or with the next partition. */
static void rows_next(struct sim *sim, const struct result *result)
{
    struct sim_rows *rows = sim->rows;

    rows->is_last = !result->is_truncated;
    rows->after_size = result->is_truncated ? result->next.size : 0;
    ensure(rows->after_size <= sizeof(rows->after));
    if (rows->after_size > 0)
        memcpy(rows->after, result->next.data, rows->after_size);
    else if (!rows->is_final)
        rows->partition = (rows->partition + 1) % (1u << sim->plan.partition_bits);
}

/* --- R2 */

static void rows_check_final(struct sim *sim, const struct sim_node *peer,
                             const struct result *result)
{
    static struct crdt_object merged, held;
    struct sim_rows *rows = sim->rows;

    for (uint32_t i = 0; i < result->item_count; i++) {
        uint8_t room[STORE_KEY_SIZE_MAX];
        struct slice row_key =
            node_row_key(peer->node, result->items[i].ns, result->items[i].key, room);

        rows->rows++;
        if (crdt_object_decode(result->items[i].object, &merged) != STATUS_OK)
            sim_fail(sim, "R2: a page holds what is no object");
        else if (!sim_disk_get(rows->owner, row_key, &held) ||
                 !crdt_object_dominates(&merged, &held))
            sim_fail(sim, "R2: a page of partition %u is not what peer-%u holds", rows->partition,
                     rows->owner->index);
    }
}

void sim_rows_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result)
{
    struct sim_rows *rows = sim->rows;

    if (!rows || !rows->is_busy || rows->ticket != asked)
        return;
    rows->is_busy = false;
    rows->is_answered = result->status == STATUS_OK;
    rows->pages += rows->is_answered;
    rows->refused += !rows->is_answered;
    if (!rows->is_answered)
        return; /* refused as a whole: it is asked again */
    rows_check_page(sim, peer, result);
    if (rows->is_final)
        rows_check_final(sim, peer, result);
    rows_next(sim, result);
}

void sim_rows_lost(struct sim *sim, const struct sim_node *peer)
{
    if (sim->rows && sim->rows->node == peer->index && sim->rows->boot == peer->boot)
        sim->rows->is_busy = false;
}

static bool rows_count(void *context, const struct store_row *row)
{
    static struct crdt_object object;
    uint32_t *count = context;
    struct slice body;

    *count += store_record_open(STORE_OBJ, row->key, row->value, &body) == STATUS_OK &&
              crdt_object_decode(body, &object) == STATUS_OK;
    return true;
}

static uint32_t rows_held(const struct sim *sim, const struct sim_node *owner, uint32_t partition)
{
    uint8_t bounds[16];
    bool has_end = store_key_partition(id_front(node_self(owner->node)), 0,
                                       sim->plan.partition_bits, partition, bounds);
    struct store_range range = {.family = STORE_OBJ,
                                .from = slice_of(bounds, 8),
                                .until = has_end ? slice_of(bounds + 8, 8) : SLICE_NONE,
                                .rows_max = UINT32_MAX,
                                .bytes_max = UINT32_MAX};
    struct store store = store_memory_ports(owner->disk.synced);
    uint32_t count = 0;

    (void)store.scan(store.context, &range, rows_count, &count);
    return count;
}

static const struct sim_node *rows_owner(const struct sim *sim, const struct sim_node *any,
                                         uint32_t partition)
{
    struct node_id owners[REPLICAS_MAX];
    unsigned count = node_owners(any->node, partition, owners);

    for (uint32_t i = 0; i < sim->node_count; i++)
        for (unsigned o = 0; sim->nodes[i].node && o < count; o++)
            if (id_equal(&owners[o], node_self(sim->nodes[i].node)))
                return &sim->nodes[i];
    return NULL;
}

void sim_rows_final(struct sim *sim)
{
    struct sim_rows *rows = sim->rows;
    uint32_t peer = 0;

    if (!rows)
        return;
    rows->is_final = true;
    rows->is_busy = false;
    for (rows->partition = 0; rows->partition < 1u << sim->plan.partition_bits; rows->partition++) {
        rows->rows = 0;
        rows->is_last = false;
        rows->after_size = 0;
        while (!rows->is_last && !sim->failure[0]) {
            instant end = sim->now + WAIT_US;

            do
                peer = (peer + 1) % sim->node_count;
            while (!sim->nodes[peer].node);
            rows->owner = rows_owner(sim, &sim->nodes[peer], rows->partition);
            rows_ask(sim, &sim->nodes[peer]);
            while (rows->is_busy && sim->now < end && !sim->failure[0])
                sim_run(sim, sim->now + INSTANT_MS(20));
            if (!rows->is_answered && !sim->failure[0])
                sim_fail(sim, "R2: peer-%u does not give partition %u after heal", peer,
                         rows->partition);
        }
        if (sim->failure[0])
            return;
        if (rows->rows != rows_held(sim, rows->owner, rows->partition))
            sim_fail(sim, "R2: %u rows of partition %u came, peer-%u holds %u", rows->rows,
                     rows->partition, rows->owner->index,
                     rows_held(sim, rows->owner, rows->partition));
    }
}
