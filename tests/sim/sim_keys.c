/* sim_keys.c: profile `keys`: an operator rotates the cluster's keys again and again, through any
 * peer, while peers die, stand still and are cut off from each other. It never forces a `remove`.
 *
 * W6, from outside: whatever two peers have, in memory or, of one that is down, in its key file,
 * they have a key in common; when a step was reported complete, it is in everybody's file. After
 * heal all have the same keys. */
#include <stdlib.h>

#include "sim.h"

#define STEP_MEAN_US INSTANT_MS(1500)

struct sim_keys {
    struct prng rng;
    ticket ticket; /* of the request that is open; 0: none */
    uint32_t node, steps;
    enum key_step step;
};

void sim_keys_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x4e75ull);
    plan->has_keys = true;
    plan->peers = (uint32_t)prng_between(&rng, 3, 7);
    plan->hosts = plan->peers;
    plan->clients = plan->clients > 2 ? 2 : plan->clients;
    plan->skew = 0;
    plan->crash = plan->crash ? plan->crash : 2;
    plan->safety_s = 60;
}

void sim_keys_start(struct sim *sim)
{
    if (!sim->plan.has_keys)
        return;
    sim->keys = calloc(1, sizeof(*sim->keys));
    ensure(sim->keys != NULL);
    prng_init(&sim->keys->rng, sim->seed ^ 0x4e76ull);
    sim_after(sim, STEP_MEAN_US, SIM_KEYS, SLICE_NONE);
}

void sim_keys_close(struct sim *sim)
{
    free(sim->keys);
}

/* A step that may be possible as this peer sees the ring. */
static void keys_choose(struct sim_keys *keys, const struct sim_node *peer, struct op *op)
{
    uint16_t ids[SEAL_KEYS_MAX];
    unsigned count = node_key_ids(peer->node, ids);

    op->kind = OP_KEYS;
    op->key_step = (enum key_step)prng_between(&keys->rng, KEY_INSTALL, KEY_REMOVE);
    if (count == SEAL_KEYS_MAX && op->key_step == KEY_INSTALL)
        op->key_step = KEY_REMOVE;
    if (count == 1)
        op->key_step = KEY_INSTALL;
    if (op->key_step != KEY_INSTALL)
        op->key_id = ids[prng_between(&keys->rng, 1, count - 1)];
    op->is_on = op->key_step == KEY_USE && prng_chance(&keys->rng, 1, 4);
    keys->step = op->key_step;
}

void sim_keys_act(struct sim *sim)
{
    struct sim_keys *keys = sim->keys;
    struct sim_node *peer = sim_awake_peer(sim, &keys->rng);
    struct event request = {.kind = EVENT_REQUEST};

    if (!sim->are_clients_on && keys->steps)
        return;
    sim_after(sim, 1 + prng_below(&keys->rng, 2 * STEP_MEAN_US), SIM_KEYS, SLICE_NONE);
    if (!peer || keys->ticket)
        return;
    keys_choose(keys, peer, &request.request.op);
    keys->ticket = request.request.ticket = ++sim->tickets;
    keys->node = peer->index;
    keys->steps++;
    sim_step(sim, peer, &request);
}

static bool keys_are_complete(const struct result *result)
{
    for (uint32_t i = 0; i < result->key_member_count; i++)
        if (result->key_members[i].ack != KEY_ACKNOWLEDGED)
            return false;
    return result->status == STATUS_OK && result->key_member_count > 0;
}

void sim_keys_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result)
{
    struct sim_keys *keys = sim->keys;

    if (!keys || asked != keys->ticket)
        return;
    keys->ticket = 0;
    if (!keys_are_complete(result))
        return;
    for (uint32_t i = 0; i < sim->node_count; i++)
        if (seal_keyring_newer(&peer->keyring, &sim->nodes[i].keyring))
            sim_fail(sim, "W6: a step is complete, and peer-%u has not kept the keys", i);
}

void sim_keys_lost(struct sim *sim, const struct sim_node *peer)
{
    if (sim->keys && sim->keys->ticket && sim->keys->node == peer->index)
        sim->keys->ticket = 0;
}

/* The keys of a peer: in use, or those it would start with. */
static unsigned keys_of(const struct sim_node *peer, uint16_t *ids)
{
    if (peer->node)
        return node_key_ids(peer->node, ids);
    for (unsigned i = 0; i < peer->keyring.count; i++)
        ids[i] = peer->keyring.keys[i].id;
    return peer->keyring.count;
}

void sim_check_keys(struct sim *sim)
{
    for (uint32_t i = 0; sim->keys && i < sim->node_count; i++)
        for (uint32_t k = 0; k < i; k++) {
            uint16_t a[SEAL_KEYS_MAX], b[SEAL_KEYS_MAX];
            unsigned as = keys_of(&sim->nodes[i], a), bs = keys_of(&sim->nodes[k], b), common = 0;

            for (unsigned x = 0; x < as; x++)
                for (unsigned y = 0; y < bs; y++)
                    common += a[x] == b[y];
            if (common == 0)
                sim_fail(sim, "W6: peer-%u and peer-%u have no key in common", k, i);
        }
}

/* After heal: one ring, and it is on every disk. */
void sim_keys_final(struct sim *sim)
{
    for (uint32_t i = 1; sim->keys && i < sim->node_count; i++)
        if (seal_keyring_newer(&sim->nodes[0].keyring, &sim->nodes[i].keyring) ||
            seal_keyring_newer(&sim->nodes[i].keyring, &sim->nodes[0].keyring))
            sim_fail(sim, "W6: peer-0 and peer-%u have different keys after heal", i);
}
