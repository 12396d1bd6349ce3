/* sim_stop.c: profile `stop`: peers are stopped in good order and started again, among the faults
 * of `store`, so that starts with sums that were kept and starts without come in all orders. And in
 * every profile, when all is healed: the sums of each peer are those of the rows on its disk, and
 * every partition is counted (D3). Draws are of a generator of its own. */
#include "sim.h"

#include "crdt.h"
#include "wire.h"

#define STOP_PARTITIONS 256u

void sim_stop_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x5709ull);
    plan->stops = (uint32_t)prng_between(&rng, 1, 3);
    plan->crash = (uint32_t)prng_between(&rng, 1, 4);
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 500, 4000);
    plan->clients += 2;
    plan->safety_s = 40;
}

void sim_stop_open(struct sim *sim)
{
    prng_init(&sim->stop_rng, sim->seed ^ 0x57097ull);
}

bool sim_stop_fault(struct sim *sim)
{
    struct sim_node *peer;
    struct event stop = {.kind = EVENT_STOP};

    if (!sim->plan.stops || !prng_chance(&sim->stop_rng, sim->plan.stops, 4))
        return false;
    peer = &sim->nodes[prng_below(&sim->stop_rng, sim->node_count)];
    if (peer->node)
        sim_step(sim, peer, &stop);
    return true;
}

/* The process has ended in good order; somebody starts it again. */
void sim_stopped(struct sim *sim, struct sim_node *peer)
{
    uint64_t down = prng_between(&sim->stop_rng, INSTANT_MS(10), INSTANT_S(3));

    sim_crash(sim, peer, false);
    sim_after(sim, down, SIM_BOOT, SLICE_NONE)->node = peer->index;
}

/* --- D3: sums are those of the rows */

struct stop_sums {
    const struct sim_node *peer;
    struct founding_record founding;
    struct {
        uint8_t sum[16];
        uint32_t rows;
    } of[STOP_PARTITIONS];
};

static bool stop_sum_row(void *context, const struct store_row *row)
{
    static struct crdt_object object;
    struct stop_sums *sums = context;
    struct slice body, ns, key;
    struct hash16 print;
    unsigned carry = 0;
    uint64_t front;
    uint32_t p;

    if (store_key_split(row->key, &front, &ns, &key) != STATUS_OK ||
        store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, &object) != STATUS_OK)
        return true;
    p = node_partition_of(sums->peer->node, ns, store_name_key(key));
    print = crdt_object_fingerprint(sums->founding.hash_seed, row->key, &object);
    ensure(p < STOP_PARTITIONS);
    for (unsigned i = sizeof(print.bytes); i-- > 0; carry >>= 8) {
        carry += (unsigned)sums->of[p].sum[i] + print.bytes[i];
        sums->of[p].sum[i] = (uint8_t)carry;
    }
    sums->of[p].rows++;
    return true;
}

static void stop_check(struct sim *sim, struct sim_node *peer)
{
    static struct stop_sums sums;
    struct store memory = store_memory_ports(peer->disk.synced);
    struct store_range all = {.family = STORE_OBJ, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
    struct slice name = slice_text("founding"), body;
    struct store_pin pin = {0};
    bool is_known;

    memset(&sums, 0, sizeof(sums));
    sums.peer = peer;
    if (memory.get(memory.context, STORE_SYS, name, &pin) != STATUS_OK)
        return;
    is_known = store_record_open(STORE_SYS, name, pin.value, &body) == STATUS_OK &&
               wire_founding_decode(body, &sums.founding) == STATUS_OK;
    memory.release(memory.context, &pin);
    if (!is_known)
        return;
    if (node_uncounted(peer->node) > 0)
        sim_fail(sim, "D3: peer-%u has never counted %u partitions", peer->index,
                 node_uncounted(peer->node));
    (void)memory.scan(memory.context, &all, stop_sum_row, &sums);
    for (uint32_t p = 0; p < 1u << sim->plan.partition_bits; p++) {
        uint32_t rows;
        struct hash16 sum = node_fingerprint(peer->node, p, &rows);

        if (rows != sums.of[p].rows || memcmp(sum.bytes, sums.of[p].sum, sizeof(sum.bytes)) != 0)
            sim_fail(sim, "D3: peer-%u: the sum of partition %u is not that of its %u rows (%u)",
                     peer->index, p, sums.of[p].rows, rows);
    }
}

void sim_check_sums(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count && !sim->failure[0]; i++)
        if (sim->nodes[i].node)
            stop_check(sim, &sim->nodes[i]);
}
