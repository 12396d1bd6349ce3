/* sim_churn.c: the profile churn: few keys and counters, written all the time while their owners
 * restart again and again, each time under a new clock actor, with collection on. What must hold,
 * beside what the profiles gc and types check:
 *
 *   D7  when all is quiet, no row of an owner is wide: actors that ended have left it
 *   D7  a row with one value takes at most 64 bytes beside it */
#include "sim.h"

#define NARROW_US INSTANT_S(150) /* the other owners have their turn every 40 s */
#define METADATA_MAX 64u

void sim_churn_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    sim_gc_draw(seed, plan);
    prng_init(&rng, seed ^ 0xc42a11ull);
    plan->peers = (uint32_t)prng_between(&rng, 3, 5);
    plan->hosts = plan->peers;
    plan->partition_bits = (uint8_t)prng_between(&rng, 1, 4);
    plan->registers = (uint32_t)prng_between(&rng, 2, 8);
    plan->deletes = (uint32_t)prng_between(&rng, 1, 15);
    plan->clients = (uint32_t)prng_between(&rng, 1, 4);
    plan->has_types = true;
    plan->late = plan->churn = 0;
    plan->crash = 8;
    plan->pause = plan->cut = 1;
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 150, 800);
    plan->safety_s = 60;
}

struct churn_rows {
    const struct sim *sim;
    const struct sim_node *peer;
    uint32_t wide;
    size_t most; /* metadata of a row with one value */
};

static struct crdt_object churn_object;

static bool churn_is_owner(const struct sim_node *peer, struct slice ns, struct slice key)
{
    struct node_id owners[REPLICAS_MAX];
    unsigned count = node_owners(peer->node, node_partition_of(peer->node, ns, key), owners);
    bool is_owner = false;

    for (unsigned i = 0; i < count; i++)
        is_owner |= id_equal(&owners[i], node_self(peer->node));
    return is_owner;
}

static bool churn_row(void *context, const struct store_row *row)
{
    struct churn_rows *rows = context;
    struct slice ns, key, body;
    uint64_t front;
    size_t size;

    if (store_key_split(row->key, &front, &ns, &key) != STATUS_OK ||
        !churn_is_owner(rows->peer, ns, key) ||
        store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, &churn_object) != STATUS_OK)
        return true;
    rows->wide += crdt_object_is_wide(&churn_object, rows->sim->plan.replicas);
    size = body.size - churn_object.values[0].body.size;
    if (churn_object.value_count == 1 && size > rows->most)
        rows->most = size;
    return true;
}

static struct churn_rows churn_look(struct sim *sim)
{
    struct churn_rows rows = {.sim = sim};

    for (uint32_t i = 0; i < sim->node_count; i++) {
        struct store_range all = {
            .family = STORE_OBJ, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
        struct store ports;

        rows.peer = &sim->nodes[i];
        if (!rows.peer->node)
            continue;
        ports = store_memory_ports(rows.peer->disk.synced);
        (void)ports.scan(ports.context, &all, churn_row, &rows);
    }
    return rows;
}

void sim_churn_final(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    instant end = sim->now + NARROW_US;
    struct churn_rows rows;

    if (strcmp(sim->plan.profile, "churn") != 0)
        return;
    for (rows = churn_look(sim); !sim->failure[0] && rows.wide > 0 && sim->now < end;
         rows = churn_look(sim))
        samples(sim, sim->now + INSTANT_S(1));
    if (!sim->failure[0] && rows.wide > 0)
        sim_fail(sim, "D7: %u rows keep actors that ended", rows.wide);
    if (!sim->failure[0] && rows.most > METADATA_MAX)
        sim_fail(sim, "D7: a row with one value has %zu bytes of metadata", rows.most);
}
