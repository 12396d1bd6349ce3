/* sim_gc.c: the profile gc: clients that delete much and write again, peers that are away, lose
 * their disk, come back with an older one, come late and leave. What must hold (testing.md, D4,
 * D5):
 *
 *   D5  when a row is dropped, no owner's disk holds anything live that the row's state covers
 *   D4  no value that was deleted is read again (sim_client.c), or is on any owner's disk at the
 * end D5  when all is quiet, no tombstone is left
 *
 * Only this profile draws from gc_rng, and only here is collection switched on: the runs of the
 * other profiles stay what they were. */
#include <stdlib.h>

#include "sim.h"

#define EMPTY_US INSTANT_S(120) /* to collect everything after everything is healed */

void sim_gc_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x6c0113c7ull);
    plan->gc_ms = (uint32_t)prng_between(&rng, 20, 300);
    plan->deletes = (uint32_t)prng_between(&rng, 30, 60);
    plan->registers = (uint32_t)prng_between(&rng, 6, 60);
    plan->clients = (uint32_t)prng_between(&rng, 4, 12);
    plan->replicas = 3;
    plan->partition_bits = (uint8_t)prng_between(&rng, 2, 5);
    plan->churn = prng_chance(&rng, 1, 3) ? 2 : 0;
    plan->late = plan->peers > 4 && prng_chance(&rng, 1, 3) ? plan->peers - 4 : 0;
}

void sim_gc_open(struct sim *sim)
{
    prng_init(&sim->gc_rng, sim->seed ^ 0xdeadull);
}

void sim_gc_close(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        store_memory_delete(sim->nodes[i].old);
        sim->nodes[i].old = NULL;
    }
}

/* --- a disk that comes back older than it was */

static bool gc_keep_row(void *context, const struct store_row *row)
{
    struct store ports = store_memory_ports(context);

    if (ports.apply(ports.context, row, 1) != STATUS_OK)
        ensure_unreachable();
    return true;
}

/* Remembers what a disk holds now. */
static void gc_keep(struct sim_node *peer)
{
    struct store from = store_memory_ports(peer->disk.synced);

    store_memory_delete(peer->old);
    peer->old = store_memory_new(1ull << 30);
    ensure(peer->old != NULL);
    for (unsigned family = 0; family < STORE_FAMILY_COUNT; family++) {
        struct store_range all = {
            .family = (enum store_family)family, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};

        (void)from.scan(from.context, &all, gc_keep_row, peer->old);
    }
}

static bool gc_is_whole(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        if ((!sim->nodes[i].node && !sim->nodes[i].is_removed) ||
            (sim->nodes[i].node && node_is_recovering(sim->nodes[i].node)))
            return false;
    return sim_check_is_settled(sim) && !sim->plan.sync_fail;
}

/* The peer stops, and starts with the disk of some time ago. It may lack what it acknowledged, so
 * it opens in recovery, and only one peer at a time is treated so. */
static void gc_roll_back(struct sim *sim, struct sim_node *peer)
{
    if (!peer->old || !peer->node || !gc_is_whole(sim))
        return;
    sim_crash(sim, peer, false);
    store_memory_delete(peer->disk.synced);
    peer->disk.synced = peer->old;
    peer->old = NULL;
    peer->disk.incarnation_seen = 0;
    peer->wiped_at = sim->now;
    peer->down_since = INSTANT_NEVER;
    sim_after(sim, prng_between(&sim->gc_rng, INSTANT_MS(10), INSTANT_S(6)), SIM_BOOT, SLICE_NONE)
        ->node = peer->index;
}

static void gc_come(struct sim *sim)
{
    for (uint32_t i = sim->node_count - sim->plan.late; i < sim->node_count; i++)
        if (sim->nodes[i].boot == 0) {
            sim_boot(sim, &sim->nodes[i]);
            return;
        }
}

bool sim_gc_fault(struct sim *sim)
{
    struct sim_node *peer;

    if (!sim->plan.gc_ms || sim->plan.has_replicas || !prng_chance(&sim->gc_rng, 1, 3))
        return false;
    peer = &sim->nodes[prng_below(&sim->gc_rng, sim->node_count)];
    switch (prng_below(&sim->gc_rng, 4)) {
    case 0:
    case 1:
        gc_keep(peer);
        break;
    case 2:
        if (peer->index != 0)
            gc_roll_back(sim, peer);
        break;
    default:
        gc_come(sim);
        break;
    }
    return true;
}

/* --- D5: what a drop may take with it */

static struct crdt_object gc_dropped, gc_held;

static bool gc_is_owner(struct sim *sim, const struct sim_node *peer, uint32_t partition,
                        const struct sim_node *other)
{
    struct node_id owners[REPLICAS_MAX];
    unsigned count = node_owners(peer->node, partition, owners);

    (void)sim;
    for (unsigned i = 0; i < count; i++)
        if (id_equal(&owners[i], &other->identity.id))
            return true;
    return false;
}

static void gc_check_drop(struct sim *sim, struct sim_node *peer, struct slice row_key)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice ns, key;
    uint64_t front;
    uint32_t partition;

    if (!sim_disk_get(peer, row_key, &gc_held) ||
        store_key_split(row_key, &front, &ns, &key) != STATUS_OK)
        return;
    crdt_object_copy(&gc_dropped, &gc_held);
    if (!slice_equal(node_row_key(peer->node, ns, key, room), row_key) ||
        slice_equal(ns, slice_text("flip")))
        return; /* a stray, perhaps until a moment ago: the owners hold it (sim_replicas.c) */
    partition = node_partition_of(peer->node, ns, key);
    if (!gc_is_owner(sim, peer, partition, peer))
        return; /* what is left with a former owner goes when the owners hold it */
    sim->collected++;
    (void)crdt_object_expire(&gc_dropped, sim_wall_ms(sim, peer));
    for (uint16_t v = 0; v < gc_dropped.value_count; v++)
        if (gc_dropped.values[v].kind == CRDT_VALUE)
            sim_fail(sim, "D5: peer-%u dropped a live row", peer->index);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (!gc_is_owner(sim, peer, partition, &sim->nodes[i]) ||
            !sim_disk_get(&sim->nodes[i], row_key, &gc_held))
            continue;
        (void)crdt_object_expire(&gc_held, sim_wall_ms(sim, &sim->nodes[i]));
        for (uint16_t v = 0; v < gc_held.value_count; v++) {
            const struct crdt_value *value = &gc_held.values[v];

            if (value->kind == CRDT_VALUE &&
                crdt_object_covers(&gc_dropped, &(struct dot){value->actor, value->stamp}, 1))
                sim_fail(sim, "D5: peer-%u dropped a tombstone while peer-%u holds what it deleted",
                         peer->index, i);
        }
    }
}

void sim_gc_write(struct sim *sim, struct sim_node *peer, const struct effect *effect)
{
    const struct store_row *rows = effect->write.rows;
    struct slice body;

    /* Older rows that go before they are pulled anew: the batch says so, and acknowledged copies
     * may be missing here for a while, as on a disk that was lost. */
    if (effect->write.count > 0 && rows[0].family == STORE_SYS &&
        slice_has_prefix(rows[0].key, slice_text("gc/")) &&
        store_record_open(STORE_SYS, rows[0].key, rows[0].value, &body) == STATUS_OK &&
        body.size > 0 && body.data[0] == 1) {
        peer->wiped_at = sim->now;
        return;
    }
    for (uint32_t i = 0; i < effect->write.count; i++)
        if (rows[i].family == STORE_OBJ && rows[i].is_delete)
            gc_check_drop(sim, peer, rows[i].key);
}

/* --- the end */

static uint64_t gc_left(struct sim *sim)
{
    uint64_t left = 0, absent;

    for (uint32_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i].node)
            left += node_tombstones(sim->nodes[i].node, &absent);
    return left;
}

/* D4: of a key whose last acknowledged write is a delete, nothing acknowledged before is left. */
static void gc_check_register(struct sim *sim, uint32_t number)
{
    const struct sim_register *reg = &sim->registers[number];
    uint8_t room[STORE_KEY_SIZE_MAX];
    char name[32];

    for (uint32_t i = 0; reg->is_acked_delete && i < sim->node_count; i++) {
        struct sim_node *peer = &sim->nodes[i];
        struct slice key = sim_register_key(number, name), row_key;

        if (!peer->node ||
            !gc_is_owner(sim, peer, node_partition_of(peer->node, slice_text("sim"), key), peer))
            continue;
        row_key = node_row_key(peer->node, slice_text("sim"), key, room);
        if (!sim_disk_get(peer, row_key, &gc_held))
            continue;
        for (uint16_t v = 0; v < gc_held.value_count; v++)
            for (uint32_t n = 1; n < reg->acked; n++)
                if (gc_held.values[v].kind == CRDT_VALUE && reg->kinds[n] == WRITE_ACKED &&
                    reg->etags[n] == crdt_etag(gc_held.values[v].actor, gc_held.values[v].stamp))
                    sim_fail(sim, "D4: register %u number %u, deleted by %u, is back at peer-%u",
                             number, n, reg->acked, i);
    }
}

void sim_gc_final(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    instant end = sim->now + EMPTY_US;

    if (!sim->plan.gc_ms)
        return;
    while (!sim->failure[0] && gc_left(sim) > 0 && sim->now < end)
        samples(sim, sim->now + INSTANT_S(1));
    if (!sim->failure[0] && gc_left(sim) > 0)
        sim_fail(sim, "D5: %llu tombstones are never collected", (unsigned long long)gc_left(sim));
    for (uint32_t i = 0; i < sim->plan.registers && !sim->failure[0]; i++)
        gc_check_register(sim, i);
}
