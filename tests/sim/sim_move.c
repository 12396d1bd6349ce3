/* sim_move.c: profile `move`: a cluster that grows and shrinks all the time. Peers leave, and come
 * back with the disk they left with, while clients write and faults strike; with one replica as
 * with three. Everything here draws from a generator of its own, so that other profiles run as they
 * did. In half of the seeds weights change as well, asked for at any peer, also while peers come,
 * go and fail. What must hold beside the rest (D16): at the end nobody keeps a row of a partition
 * that others own, and nothing is lost on the way there. */
#include <stdio.h>

#include "sim.h"

#define MOVE_ALIVE_MIN 2

void sim_move_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x303eull);
    plan->peers = (uint32_t)prng_between(&rng, 3, 6);
    plan->hosts = plan->peers;
    plan->replicas = prng_chance(&rng, 1, 3) ? 1 : prng_chance(&rng, 1, 2) ? 2 : 3;
    plan->elastic = (uint32_t)prng_between(&rng, 1, 3);
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 500, 3000);
    plan->safety_s = 40;
    prng_init(&rng, seed ^ 0x3e16ull);
    plan->weighs = prng_chance(&rng, 1, 2) ? (uint32_t)prng_between(&rng, 1, 4) : 0;
}

/* Some peer is asked to give another, or itself, a new weight. */
static void move_weigh(struct sim *sim)
{
    static const uint16_t weights[] = {0, 64, 128, 256, 256, 512, 1024};
    struct event weigh = {.kind = EVENT_REQUEST};
    struct sim_node *asked, *peer;
    char name[16];

    if (sim->weights.state[0] == 0)
        prng_init(&sim->weights, sim->seed ^ 0x3e17ull);
    if (!prng_chance(&sim->weights, sim->plan.weighs, 8))
        return;
    asked = &sim->nodes[prng_below(&sim->weights, sim->node_count)];
    peer = &sim->nodes[prng_below(&sim->weights, sim->node_count)];
    weigh.request.op.kind = OP_WEIGHT;
    weigh.request.op.weight = weights[prng_below(&sim->weights, 7)];
    if (!asked->node || (peer->index == 0 && weigh.request.op.weight == 0))
        return;
    (void)snprintf(name, sizeof(name), "peer-%u", peer->index);
    weigh.request.op.key = slice_text(name);
    weigh.request.ticket = ++sim->tickets;
    sim_step(sim, asked, &weigh);
}

static void move_leave(struct sim *sim, struct sim_node *peer)
{
    struct event leave = {.kind = EVENT_REQUEST};

    leave.request.ticket = ++sim->tickets;
    leave.request.op.kind = OP_LEAVE;
    sim_step(sim, peer, &leave);
}

/* One step of growing or shrinking; false where the drawn peer can do neither. */
bool sim_move_fault(struct sim *sim)
{
    struct sim_node *peer;
    uint32_t alive = 0;

    if (sim->moves.state[0] == 0)
        prng_init(&sim->moves, sim->seed ^ 0x303ffull);
    move_weigh(sim);
    if (!prng_chance(&sim->moves, sim->plan.elastic, 4))
        return false;
    peer = &sim->nodes[prng_below(&sim->moves, sim->node_count)];
    for (uint32_t i = 0; i < sim->node_count; i++)
        alive += !sim->nodes[i].is_removed;
    if (peer->is_removed) {
        peer->is_removed = false;
        sim_after(sim, 1, SIM_BOOT, SLICE_NONE)->node = peer->index;
        return true;
    }
    if (peer->index == 0 || alive <= MOVE_ALIVE_MIN || !peer->node || !node_is_ready(peer->node))
        return false;
    move_leave(sim, peer);
    return true;
}

/* D16: a row stands at its owners only. */
void sim_check_leftovers(struct sim *sim, struct sim_node *any)
{
    static struct crdt_object object;
    char key[32];
    uint8_t room[STORE_KEY_SIZE_MAX];

    for (uint32_t k = 0; k < sim->once_count; k++) {
        struct slice ns = slice_text("sim"), name = sim_once_key(k, key);
        struct slice row_key = node_row_key(any->node, ns, name, room);
        struct node_id owners[REPLICAS_MAX];
        unsigned count = node_owners(any->node, node_partition_of(any->node, ns, name), owners);

        for (uint32_t i = 0; i < sim->node_count; i++) {
            bool is_owner = false;

            for (unsigned o = 0; o < count; o++)
                is_owner |= id_equal(&owners[o], &sim->nodes[i].identity.id);
            if (sim->nodes[i].node && !is_owner && sim_disk_get(&sim->nodes[i], row_key, &object))
                sim_fail(sim, "D16: peer-%u keeps key %u, which others own", i, k);
        }
    }
}
