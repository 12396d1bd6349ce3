/* sim_mass.c: the profile deletes: as many deletes as can be had. Each client owns a set; it adds
 * members by the batch, new ones every time, removes them again, and now and then asks for one that
 * was removed. Peers are away, come late, leave and return, lose their disk or come back with an
 * older one, and collect all the while. `make deletes` adds runs up to ten million removals.
 *
 *   D4  a member whose removal was acknowledged, at the first try or a later one, is never shown
 *       again, and at the end is on no owner's disk; it was added but once, and the add was over
 *       before the removal began
 *   D5  when all is quiet, no tombstone is left (sim_gc.c) */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(4)
#define ACTORS_MAX 8
#define BATCH 64
#define BATCHES_MAX 65536
#define TRIES_MAX 5

enum mass_step { MASS_ADD, MASS_REMOVE, MASS_READ };

struct mass_actor {
    bool is_busy, is_added;
    enum mass_step step;
    uint32_t node, boot, batch, tries;
    ticket ticket;
    uint8_t removed[BATCHES_MAX]; /* the removal of this batch was acknowledged */
};

struct sim_mass {
    struct prng rng;
    uint32_t actors;
    struct mass_actor actor[ACTORS_MAX];
};

void sim_mass_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    sim_gc_draw(seed, plan);
    prng_init(&rng, seed ^ 0xde1e7e5ull);
    plan->mass = (uint32_t)prng_between(&rng, 6, ACTORS_MAX);
    plan->gc_ms = (uint32_t)prng_between(&rng, 500, 1500);
    plan->peers = (uint32_t)prng_between(&rng, 4, 6);
    plan->hosts = plan->peers;
    plan->late = prng_chance(&rng, 1, 2) ? 1 : 0;
    plan->registers = 4;
    plan->clients = 1;
    plan->elastic = 1;
    plan->crash = plan->pause = plan->cut = 1;
    plan->corrupt = plan->reset = plan->cold = 0;
    plan->delay_mean_us = (uint32_t)prng_between(&rng, 100, 1000);
    plan->disk_us = (uint32_t)prng_between(&rng, 50, 1000);
    plan->fault_every_ms = (uint32_t)prng_between(&rng, 3000, 8000);
    plan->safety_s = 90;
}

void sim_mass_start(struct sim *sim)
{
    if (!sim->plan.mass)
        return;
    if (!sim->mass)
        sim->mass = calloc(1, sizeof(*sim->mass));
    ensure(sim->mass != NULL);
    prng_init(&sim->mass->rng, sim->seed ^ 0x3a55ull);
    sim->mass->actors = sim->plan.mass;
    for (uint32_t i = 0; i < sim->mass->actors; i++)
        sim_after(sim, prng_below(&sim->mass->rng, THINK_US), SIM_MASS, SLICE_NONE)->node = i;
}

void sim_mass_close(struct sim *sim)
{
    free(sim->mass);
    sim->mass = NULL;
}

bool sim_mass_is_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->mass && i < sim->mass->actors; i++)
        if (sim->mass->actor[i].is_busy)
            return false;
    return true;
}

/* --- asking */

static size_t mass_member(char room[16], uint32_t number)
{
    return (size_t)snprintf(room, 16, "\3%08x", number);
}

static struct slice mass_list(const struct mass_actor *actor, uint8_t *room, size_t size)
{
    struct writer out = writer_over(room, size);
    char name[16];

    for (uint32_t i = 0; i < BATCH; i++) {
        size_t length = mass_member(name, actor->batch * BATCH + i);

        write_u16(&out, (uint16_t)length);
        write_bytes(&out, name, length);
        write_u8(&out, actor->step == MASS_REMOVE ? TYPE_TOMBSTONE : TYPE_VALUE);
        write_u32(&out, 0);
    }
    ensure(!out.is_full);
    return writer_done(&out);
}

/* Chooses a batch that was removed; false: there is none at hand. */
static bool mass_choose(struct sim_mass *mass, struct mass_actor *actor, uint32_t *batch)
{
    *batch = actor->batch == 0 ? 0 : (uint32_t)prng_below(&mass->rng, actor->batch);
    return actor->removed[*batch];
}

void sim_mass_act(struct sim *sim, uint32_t index)
{
    struct sim_mass *mass = sim->mass;
    struct mass_actor *actor = &mass->actor[index];
    struct sim_node *peer = sim_awake_peer(sim, &mass->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    uint8_t list[BATCH * 24];
    char key[32];
    uint32_t batch;

    sim_after(sim, prng_between(&mass->rng, THINK_US / 2, THINK_US * 2), SIM_MASS, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || actor->is_busy || !peer || actor->batch + 1 == BATCHES_MAX)
        return;
    actor->is_busy = true;
    actor->node = peer->index;
    actor->boot = peer->boot;
    actor->ticket = ++sim->tickets;
    actor->step = actor->is_added ? MASS_REMOVE : MASS_ADD;
    op->ns = slice_text("mass");
    op->timeout_ms = 2000;
    key[0] = (char)('a' + index);
    key[1] = 0;
    op->key = slice_of(key, 1);
    if (prng_chance(&mass->rng, 1, 6) && mass_choose(mass, actor, &batch)) {
        actor->step = MASS_READ;
        op->kind = OP_GET;
        op->has_siblings = true;
        op->key = slice_of(
            key, 2 + mass_member(key + 2, batch * BATCH + (uint32_t)prng_below(&mass->rng, BATCH)));
    } else {
        op->kind = OP_UPDATE;
        op->is_many = true;
        op->type = actor->step == MASS_REMOVE ? TYPE_TOMBSTONE : TYPE_VALUE;
        op->body = mass_list(actor, list, sizeof(list));
    }
    request.request.ticket = actor->ticket;
    sim_step(sim, peer, &request);
}

/* --- answers */

static bool mass_is_fuzzy(const struct result *result)
{
    for (uint8_t i = 0; i < result->route_count; i++)
        if (result->route[i].roles & ROLE_FAILED)
            return true;
    return false;
}

static void mass_next(struct mass_actor *actor)
{
    actor->batch++;
    actor->tries = 0;
    actor->is_added = false;
}

static void mass_answered(struct sim *sim, struct mass_actor *actor, const struct result *result)
{
    actor->is_busy = false;
    if (sim->is_verbose)
        fprintf(stderr, "%10.6f client at peer-%u: set %c %s batch %05x: status %d\n",
                (double)sim->now / 1e6, actor->node, 'a' + (int)(actor - sim->mass->actor),
                actor->step == MASS_ADD    ? "add"
                : actor->step == MASS_READ ? "read"
                                           : "remove",
                actor->batch * BATCH, (int)result->status);
    if (actor->step == MASS_READ) {
        sim->reads++;
        for (uint32_t i = 0; result->status == STATUS_OK && i < result->value_count; i++)
            if (!result->values[i].is_tombstone)
                sim_fail(sim, "D4: a removed member of set %c is shown at peer-%u",
                         'a' + (int)(actor - sim->mass->actor), actor->node);
        return;
    }
    if (result->status == STATUS_OK)
        sim->acked++;
    if (actor->step == MASS_ADD) { /* an add that may be carried out again is never over */
        if (result->status == STATUS_OK && !mass_is_fuzzy(result))
            actor->is_added = true;
        else
            mass_next(actor);
        return;
    }
    if (result->status == STATUS_OK) {
        actor->removed[actor->batch] = 1;
        sim->deleted += BATCH;
        mass_next(actor);
    } else if (++actor->tries == TRIES_MAX) {
        mass_next(actor);
    }
}

void sim_mass_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result)
{
    for (uint32_t i = 0; sim->mass && i < sim->mass->actors; i++) {
        struct mass_actor *actor = &sim->mass->actor[i];

        if (actor->is_busy && actor->ticket == asked && actor->node == peer->index)
            mass_answered(sim, actor, result);
    }
}

void sim_mass_lost(struct sim *sim, const struct sim_node *peer)
{
    const struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->mass && i < sim->mass->actors; i++) {
        struct mass_actor *actor = &sim->mass->actor[i];

        if (actor->is_busy && actor->node == peer->index && actor->boot == peer->boot)
            mass_answered(sim, actor, &lost);
    }
}

/* --- the end */

#define SETTLE_TRIES                                                                               \
    60 /* seconds: a leaver may have gone a moment ago, and thousands of rows move */

/* Waits until everything agrees that must agree at the end. */
void sim_mass_settle(struct sim *sim, void (*samples)(struct sim *sim, instant until))
{
    for (unsigned tries = 0; sim->mass && !sim->failure[0] && tries < SETTLE_TRIES; tries++) {
        sim_check_final(sim);
        if (!sim->failure[0])
            return;
        sim->failure[0] = 0;
        samples(sim, sim->now + INSTANT_S(1));
    }
}

struct mass_rows {
    struct sim *sim;
    const struct sim_node *peer;
};

static struct crdt_object mass_object;

static bool mass_is_owner(const struct sim_node *peer, struct slice ns, struct slice name)
{
    struct node_id owners[REPLICAS_MAX];
    unsigned count = node_owners(peer->node, node_partition_of(peer->node, ns, name), owners);
    bool is_owner = false;

    for (unsigned i = 0; i < count; i++)
        is_owner |= id_equal(&owners[i], node_self(peer->node));
    return is_owner;
}

static bool mass_row(void *context, const struct store_row *row)
{
    const struct mass_rows *rows = context;
    struct slice ns, name, body;
    uint64_t front, number;
    char digits[9] = {0};

    if (store_key_split(row->key, &front, &ns, &name) != STATUS_OK ||
        !slice_equal(ns, slice_text("mass")) || name.size != 3 + 8)
        return true;
    memcpy(digits, name.data + 3, 8);
    number = strtoull(digits, NULL, 16);
    if (!rows->sim->mass->actor[name.data[0] - 'a'].removed[number / BATCH] ||
        store_record_open(STORE_OBJ, row->key, row->value, &body) != STATUS_OK ||
        crdt_object_decode(body, &mass_object) != STATUS_OK || crdt_object_is_dead(&mass_object, 0))
        return true;
    if (!mass_is_owner(rows->peer, ns, name))
        return true;
    sim_fail(rows->sim, "D4: member %s of set %c, removed, is back at peer-%u", digits,
             name.data[0], rows->peer->index);
    return false;
}

void sim_mass_final(struct sim *sim)
{
    for (uint32_t i = 0; sim->mass && i < sim->node_count && !sim->failure[0]; i++) {
        struct mass_rows rows = {.sim = sim, .peer = &sim->nodes[i]};
        struct store_range all = {
            .family = STORE_OBJ, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
        struct store ports;

        if (!rows.peer->node)
            continue;
        ports = store_memory_ports(rows.peer->disk.synced);
        (void)ports.scan(ports.context, &all, mass_row, &rows);
    }
}
