/* sim_hints.c: profile `hints`: owners die and return, restarted, wiped, or not at all, while
 * others write, and comparing is rarer than elsewhere. What must hold, in every profile
 * (testing.md, D12):
 *
 *   a hint's row goes from a disk only when its owner's disk has the row it stood for, when it owns
 *   the partition no more, or when the hint is too old
 *   what is remembered is bounded
 *   when all is healed nothing is remembered, and no row of a hint is left
 *
 * That what was missed arrives is D1 and D3. Draws are of a generator of its own. */
#include "sim.h"

#define HINTS_US INSTANT_S(60)       /* to give everything after everything is healed */
#define HINTS_AGE_MS (3600000u * 3)  /* as in the configuration of every peer */
#define HINTS_WIPED_US INSTANT_S(20) /* what a lost disk had acknowledged is told so late */

void sim_hints_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x4197ull);
    if (prng_chance(&rng, 1, 3)) {
        sim_forget_draw(seed, plan);
    } else {
        plan->crash = (uint32_t)prng_between(&rng, 1, 4);
        plan->pause = (uint32_t)prng_between(&rng, 0, 3);
        plan->safety_s = 40;
    }
    if (!plan->forget_s && prng_chance(&rng, 1, 3))
        sim_gc_draw(seed, plan);
    else if (!plan->forget_s && prng_chance(&rng, 1, 3))
        sim_move_draw(seed, plan);
    plan->replicas = 3;
    plan->clients = (uint32_t)prng_between(&rng, 2, 6);
    plan->sync_ms = prng_chance(&rng, 1, 2) ? 15000 : 0;
    plan->hints = prng_chance(&rng, 1, 4) ? (uint32_t)prng_between(&rng, 2, 20) : 1000;
}

static struct sim_node *hints_peer(struct sim *sim, uint64_t id8)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        if (id_front(&sim->nodes[i].identity.id) == id8)
            return &sim->nodes[i];
    return NULL;
}

static bool hints_is_owner(const struct sim_node *by, uint32_t partition,
                           const struct sim_node *peer)
{
    struct node_id owners[REPLICAS_MAX];
    unsigned count = node_owners(by->node, partition, owners);

    for (unsigned i = 0; i < count; i++)
        if (id_equal(&owners[i], &peer->identity.id))
            return true;
    return false;
}

/* When the hint was made, by its row on the disk; 0: there is none. */
static uint64_t hints_made_ms(const struct sim_node *peer, struct slice key)
{
    struct store memory = store_memory_ports(peer->disk.synced);
    struct store_pin pin = {0};
    struct slice body;
    uint64_t made = 0;

    if (memory.get(memory.context, STORE_HINT, key, &pin) != STATUS_OK)
        return 0;
    if (store_record_open(STORE_HINT, key, pin.value, &body) == STATUS_OK && body.size == 8)
        made = bytes_load_u64(body.data);
    memory.release(memory.context, &pin);
    return made;
}

static void hints_check_gone(struct sim *sim, struct sim_node *peer, struct slice key)
{
    static struct crdt_object ours, theirs;
    struct slice row_key = slice_of(key.data + 8, key.size - 8), ns, name;
    struct sim_node *owner = hints_peer(sim, bytes_load_u64(key.data));
    uint64_t front, made = hints_made_ms(peer, key), wall = sim_wall_ms(sim, peer);

    if (!owner || !made || (wall > made && wall - made > HINTS_AGE_MS) ||
        store_key_split(row_key, &front, &ns, &name) != STATUS_OK ||
        !hints_is_owner(peer, node_partition_of(peer->node, ns, store_name_key(name)), owner) ||
        !sim_disk_get(peer, row_key, &ours) || crdt_object_is_dead(&ours, 0))
        return;
    if (owner->wiped_at && sim->now - owner->wiped_at < HINTS_WIPED_US)
        return;
    if (!sim_disk_get(owner, row_key, &theirs))
        sim_fail(sim, "D12: peer-%u forgot that peer-%u lacks a row, and it still does",
                 peer->index, owner->index);
}

void sim_hints_write(struct sim *sim, struct sim_node *peer, const struct effect *effect)
{
    const struct store_row *rows = effect->write.rows;

    for (uint32_t i = 0; i < effect->write.count; i++)
        if (rows[i].family == STORE_HINT && rows[i].is_delete)
            hints_check_gone(sim, peer, rows[i].key);
}

/* After a start twice as many: what was made before the rows of the last life were read. */
void sim_check_hints(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i].node &&
            node_hints(sim->nodes[i].node) > 2 * sim->plan.hints * sim->node_count)
            sim_fail(sim, "D12: peer-%u remembers %u hints", i, node_hints(sim->nodes[i].node));
}

static uint32_t hints_left(const struct sim *sim)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < sim->node_count; i++)
        left += sim->nodes[i].node ? node_hints(sim->nodes[i].node) : 0;
    return left;
}

static bool hints_count_row(void *context, const struct store_row *row)
{
    (void)row;
    ++*(uint32_t *)context;
    return true;
}

void sim_hints_final(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    struct store_range all = {
        .family = STORE_HINT, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
    instant end = sim->now + HINTS_US;

    while (!sim->failure[0] && hints_left(sim) > 0 && sim->now < end)
        samples(sim, sim->now + INSTANT_S(1));
    if (!sim->failure[0] && hints_left(sim) > 0)
        sim_fail(sim, "D12: %u hints are never given", hints_left(sim));
    samples(sim, sim->now + INSTANT_S(2)); /* rows go behind the hints */
    for (uint32_t i = 0; i < sim->node_count && !sim->plan.sync_fail && !sim->failure[0]; i++) {
        struct store memory = store_memory_ports(sim->nodes[i].disk.synced);
        uint32_t rows = 0;

        (void)memory.scan(memory.context, &all, hints_count_row, &rows);
        if (rows > 0 && sim->nodes[i].node)
            sim_fail(sim, "D12: peer-%u keeps %u rows of hints nobody knows", i, rows);
    }
}
