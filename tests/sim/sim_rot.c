/* sim_rot.c: a disk that rots (profile `rot`). One peer's disk, drawn per seed, loses bits of
 * single records, which their own checksum finds; rows of the index, which their objects miss; or
 * whole blocks, which the engine refuses to read until it is opened again, without the rows in
 * them. The other owners' disks are sound, so nothing may be lost, nothing wrong may be read (D2),
 * and in the end every disk is sound (D13), complete (D1) and fingerprinted as it is (D3).
 *
 * Draws come from a generator of its own: profiles without rot run as they did. */
#include <stdlib.h>

#include "sim.h"

#define ROT_US INSTANT_MS(400) /* mean time between two accidents */
#define BLOCKS_MAX 3           /* a disk that loses more in an hour is given up */

struct sim_rot {
    struct prng rng;
    uint32_t victim;
    bool is_blocks; /* this seed loses blocks, too */
    bool has_bad;   /* rows whose key hash is in [from, until) cannot be read */
    uint64_t from, until;
    uint64_t flips, blocks;
};

static void rot_later(struct sim *sim)
{
    sim_after(sim, prng_below(&sim->rot->rng, 2 * ROT_US), SIM_ROT, SLICE_NONE)->node =
        sim->rot->victim;
}

void sim_rot_start(struct sim *sim)
{
    struct sim_rot *rot;

    if (!sim->plan.has_rot)
        return;
    rot = sim->rot = calloc(1, sizeof(*sim->rot));
    ensure(rot != NULL);
    prng_init(&rot->rng, sim->seed ^ 0x40f40f40full);
    rot->victim = (uint32_t)prng_below(&rot->rng, sim->node_count);
    rot->is_blocks = prng_chance(&rot->rng, 1, 2);
    rot_later(sim);
}

void sim_rot_close(struct sim *sim)
{
    free(sim->rot);
    sim->rot = NULL;
}

bool sim_rot_is_victim(const struct sim *sim, const struct sim_node *peer)
{
    return sim->rot && peer->index == sim->rot->victim;
}

/* --- damage */

struct rot_row {
    uint8_t key[STORE_KEY_SIZE_MAX];
    size_t key_size;
    uint8_t value[1u << 12];
    size_t value_size;
};

static bool rot_visit(void *context, const struct store_row *row)
{
    struct rot_row *found = context;

    if (row->key.size > sizeof(found->key) || row->value.size > sizeof(found->value))
        return true;
    memcpy(found->key, row->key.data, row->key.size);
    if (row->value.size) /* index rows have none */
        memcpy(found->value, row->value.data, row->value.size);
    found->key_size = row->key.size;
    found->value_size = row->value.size;
    return false;
}

static void rot_put(struct sim_rot *rot, const struct store *memory, const struct store_row *row)
{
    if (memory->apply(memory->context, row, 1) != STATUS_OK)
        ensure_unreachable();
    rot->flips += !row->is_delete;
}

/* Flips up to `most` bits of some bytes. */
static void rot_bits(struct sim_rot *rot, uint8_t *bytes, size_t size, uint64_t most)
{
    for (uint64_t bits = prng_between(&rot->rng, 1, most); bits > 0; bits--) {
        uint64_t at = prng_below(&rot->rng, 8 * size);

        bytes[at / 8] ^= (uint8_t)(1u << at % 8);
    }
}

/* Damages one record, or one row of the index, chosen by where its key lies. */
static void rot_flip(struct sim *sim, struct sim_node *peer)
{
    struct sim_rot *rot = sim->rot;
    struct store memory = store_memory_ports(peer->disk.synced);
    struct store_range range = {.rows_max = SCAN_ROWS_MAX, .bytes_max = UINT32_MAX};
    uint64_t kind = prng_below(&rot->rng, 8);
    uint8_t from[8];
    struct rot_row *found = calloc(1, sizeof(*found));
    struct store_row row = {0};

    ensure(found != NULL);
    bytes_store_u64(from, prng_next(&rot->rng));
    range.family = row.family = kind < 5 ? STORE_OBJ : kind < 7 ? STORE_IDX : STORE_SYS;
    if (kind < 5 || kind == 7)
        range.from = slice_of(from, kind < 5 ? 8 : 0);
    (void)memory.scan(memory.context, &range, rot_visit, found);
    row.key = slice_of(found->key, found->key_size);
    if (found->value_size > 0) {
        rot_bits(rot, found->value, found->value_size, 8);
        row.value = slice_of(found->value, found->value_size);
        rot_put(rot, &memory, &row);
    } else if (row.family == STORE_IDX && found->key_size > 0) {
        row.is_delete = true; /* its object misses it */
        rot_put(rot, &memory, &row);
        row.is_delete = false;
        rot_bits(rot, found->key + found->key_size - 1, 1, 2);
        if (kind == 6) /* another one leads nowhere */
            rot_put(rot, &memory, &row);
    }
    free(found);
}

void sim_rot_act(struct sim *sim)
{
    struct sim_rot *rot = sim->rot;
    struct sim_node *peer = &sim->nodes[rot->victim];

    if (!sim->is_faulty)
        return;
    if (rot->blocks < BLOCKS_MAX && rot->is_blocks && !rot->has_bad &&
        prng_chance(&rot->rng, 1, 8)) {
        rot->from = prng_next(&rot->rng);
        rot->until = rot->from + (UINT64_MAX >> prng_between(&rot->rng, 2, 8));
        rot->has_bad = rot->until > rot->from;
        rot->blocks++;
    } else {
        rot_flip(sim, peer);
    }
    rot_later(sim);
}

/* --- what the engine says of it */

bool sim_rot_refuses(const struct sim_node *peer, enum store_family family, struct slice key)
{
    const struct sim_rot *rot = peer->sim->rot;
    uint64_t front;

    if (!rot || !rot->has_bad || peer->index != rot->victim || family != STORE_OBJ || key.size < 8)
        return false;
    front = bytes_load_u64(key.data);
    return front >= rot->from && front < rot->until;
}

/* The store is opened again: what can be read is kept. Tells whether something was lost. */
bool sim_rot_reopen(struct sim_node *peer)
{
    struct sim_rot *rot = peer->sim->rot;
    struct store memory = store_memory_ports(peer->disk.synced);
    uint8_t from[8];

    if (!rot || !rot->has_bad || peer->index != rot->victim)
        return false;
    bytes_store_u64(from, rot->from);
    for (;;) {
        struct store_range range = {
            .family = STORE_OBJ, .from = slice_of(from, 8), .rows_max = 1, .bytes_max = UINT32_MAX};
        struct rot_row *found = calloc(1, sizeof(*found));
        struct store_row row = {.family = STORE_OBJ, .is_delete = true};
        bool is_lost;

        ensure(found != NULL);
        (void)memory.scan(memory.context, &range, rot_visit, found);
        row.key = slice_of(found->key, found->key_size);
        is_lost = sim_rot_refuses(peer, STORE_OBJ, row.key);
        if (is_lost && memory.apply(memory.context, &row, 1) != STATUS_OK)
            ensure_unreachable();
        if (is_lost) { /* an index row is made from each object: it goes with it */
            row.family = STORE_IDX;
            row.key = store_key_listed(slice_of(found->key, found->key_size));
            if (memory.apply(memory.context, &row, 1) != STATUS_OK)
                ensure_unreachable();
        }
        free(found);
        if (!is_lost)
            break;
    }
    rot->has_bad = false;
    return true;
}

/* --- D13: in the end nothing that is kept is damaged */

struct rot_sound {
    const struct sim_node *peer;
    bool is_read, is_intact;
    uint64_t listed, index; /* objects that have an index row; index rows */
};

static bool rot_is_sound(void *context, const struct store_row *row)
{
    struct rot_sound *sound = context;
    struct slice body;
    const struct front_cut cut = {.bits = 8};
    bool is_index = row->family == STORE_IDX;

    sound->is_read &= !sim_rot_refuses(sound->peer, row->family, row->key);
    sound->is_intact &=
        is_index ? row->value.size == 0 && store_index_is_sound(row->key, &cut)
                 : store_record_open(row->family, row->key, row->value, &body) == STATUS_OK;
    sound->listed += row->family == STORE_OBJ && store_key_listed(row->key).size > 0;
    sound->index += is_index;
    return true;
}

void sim_rot_check(struct sim *sim)
{
    static const enum store_family families[] = {STORE_OBJ, STORE_IDX, STORE_SYS};

    if (!sim->rot)
        return;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct store memory = store_memory_ports(sim->nodes[i].disk.synced);
        struct rot_sound sound = {.peer = &sim->nodes[i], .is_read = true, .is_intact = true};

        for (unsigned f = 0; f < 3; f++) {
            struct store_range all = {
                .family = families[f], .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};

            (void)memory.scan(memory.context, &all, rot_is_sound, &sound);
        }
        if (!sim->nodes[i].node)
            continue;
        if (!sound.is_read)
            sim_fail(sim, "D13: a block that cannot be read was never found");
        if (!sound.is_intact)
            sim_fail(sim, "D13: peer-%u still keeps a damaged row", i);
        if (sound.listed != sound.index)
            sim_fail(sim, "D13: peer-%u has %llu objects to list and %llu index rows", i,
                     (unsigned long long)sound.listed, (unsigned long long)sound.index);
    }
}
