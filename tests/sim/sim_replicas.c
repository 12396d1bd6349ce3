/* sim_replicas.c: namespaces with replicas of their own (profile `replicas`): one with 1, 2 and 5
 * owners each, and one whose number changes whenever it is empty, while clients write keys once,
 * read them and delete them under the context of their write, and tombstones are collected.
 *
 *   Q1  a write is acknowledged by a quorum of the namespace's own number (D14)
 *   Q2  where everybody knows the number, an acknowledged key is never missed by a read
 *   Q3  when all is quiet every owner of now has each acknowledged key, in the namespace that
 *       changed too, and no peer has a row in a partition of another class
 *   Q4  what was deleted is gone then, and stays gone (D4)
 *
 * Draws come from a generator of its own: the other profiles run as they did. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(40)
#define ACTORS 6u /* the first sets the numbers */
#define KEYS_MAX 2048u
#define SPACES 4u
#define FLIP 3u              /* the namespace whose number changes */
#define TIDE_US INSTANT_S(4) /* it is filled for so long, then emptied */
#define TIMEOUT_MS 1000u

static const char *const space_names[SPACES] = {"one", "two", "five", "flip"};
static const uint8_t space_numbers[SPACES] = {1, 2, 5, 2};

enum key_state {
    KEY_NONE,
    KEY_WRITING,
    KEY_HELD, /* acknowledged */
    KEY_DELETING,
    KEY_GONE,    /* its delete is acknowledged */
    KEY_UNKNOWN, /* nothing can be said of it; in `flip` it is swept away */
};

struct replica_key {
    enum key_state state;
    uint32_t space;
    bool is_strict; /* written when everybody knew the number */
    uint64_t etag;  /* of the acknowledged write: a repeat by the edge has another */
    char context[CONTEXT_SIZE_MAX];
    size_t context_size;
};

enum replica_job { REPLICA_NONE, REPLICA_SET, REPLICA_WRITE, REPLICA_READ, REPLICA_DELETE };

struct replica_actor {
    enum replica_job job;
    uint32_t node, boot, key;
    ticket ticket;
};

struct sim_replicas {
    struct prng rng;
    uint32_t set;    /* namespaces whose number is acknowledged, in order */
    bool is_settled; /* and known to everybody */
    uint64_t flips, refused;
    uint32_t count;
    struct replica_key keys[KEYS_MAX];
    struct replica_actor actors[ACTORS];
};

void sim_replicas_draw(uint64_t seed, struct sim_plan *plan)
{
    struct prng rng;

    prng_init(&rng, seed ^ 0x4e911ca5ull);
    plan->has_replicas = true;
    plan->peers = (uint32_t)prng_between(&rng, 5, 7);
    plan->hosts = plan->peers;
    plan->clients = 1;
    plan->partition_bits = (uint8_t)prng_between(&rng, 4, 6);
    plan->replicas = 3;
    plan->churn = prng_chance(&rng, 1, 3) ? 2 : 0;
    plan->gc_ms = (uint32_t)prng_between(&rng, 20, 300);
    plan->sync_fail = 0;
    plan->safety_s = 40;
}

void sim_replicas_start(struct sim *sim)
{
    if (!sim->plan.has_replicas)
        return;
    if (!sim->replicas)
        sim->replicas = calloc(1, sizeof(*sim->replicas));
    ensure(sim->replicas != NULL);
    prng_init(&sim->replicas->rng, sim->seed ^ 0x4e911ca6ull);
    for (uint32_t i = 0; i < ACTORS; i++)
        sim_after(sim, prng_below(&sim->replicas->rng, THINK_US), SIM_REPLICAS, SLICE_NONE)->node =
            i;
}

void sim_replicas_close(struct sim *sim)
{
    if (sim->replicas && sim->is_verbose)
        fprintf(stderr, "%llu changes of replicas, %llu refused, %u keys\n",
                (unsigned long long)sim->replicas->flips,
                (unsigned long long)sim->replicas->refused, sim->replicas->count);
    free(sim->replicas);
    sim->replicas = NULL;
}

bool sim_replicas_are_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->replicas && i < ACTORS; i++)
        if (sim->replicas->actors[i].job != REPLICA_NONE)
            return false;
    return true;
}

/* --- what is asked */

static struct slice replica_name(const struct sim_replicas *all, const struct replica_key *key,
                                 char room[32])
{
    return slice_of(room, (size_t)snprintf(room, 32, "r/%u", (unsigned)(key - all->keys)));
}

static struct slice replica_space(uint32_t space)
{
    return slice_text(space_names[space]);
}

static bool replica_is_ebb(const struct sim *sim)
{
    return sim->now / TIDE_US % 2 == 1;
}

/* Everybody is up and of one opinion: from now on nobody takes a quorum of another number. */
static void replica_settle(struct sim *sim)
{
    struct sim_replicas *all = sim->replicas;
    bool is_whole = all->set == FLIP && !all->is_settled;

    for (uint32_t i = 0; i < sim->node_count; i++)
        is_whole &= sim->nodes[i].node != NULL;
    all->is_settled |= is_whole && sim_check_is_settled(sim);
}

static struct replica_key *replica_pick(struct sim_replicas *all, enum key_state state,
                                        bool is_flip_first)
{
    uint32_t from = all->count ? (uint32_t)prng_below(&all->rng, all->count) : 0;
    struct replica_key *found = NULL;

    for (uint32_t i = 0; i < all->count; i++) {
        struct replica_key *key = &all->keys[(from + i) % all->count];

        if (key->state == state && (!found || (is_flip_first && key->space == FLIP)))
            found = key;
        if (found && (!is_flip_first || found->space == FLIP))
            break;
    }
    return found;
}

static void replica_set(struct sim *sim, struct replica_actor *actor, struct op *op)
{
    static const uint8_t numbers[] = {1, 2, 3, 4, 5, 7};
    struct sim_replicas *all = sim->replicas;
    struct replica_key *left = NULL;
    bool is_flip = all->set == FLIP;

    if (is_flip && prng_chance(&all->rng, 1, 2))
        left = replica_pick(all, KEY_UNKNOWN, true);
    if (left && left->space == FLIP) { /* nobody claims anything of it */
        actor->job = REPLICA_DELETE;
        actor->key = (uint32_t)(left - all->keys);
        op->kind = OP_DELETE;
        return;
    }
    if (is_flip && (!replica_is_ebb(sim) || !prng_chance(&all->rng, 1, 4)))
        return;
    actor->job = REPLICA_SET;
    op->kind = OP_SPACE_PUT;
    op->ns = replica_space(is_flip ? FLIP : all->set);
    op->space.set = SPACE_REPLICAS;
    op->space.replicas = is_flip ? numbers[prng_below(&all->rng, 6)] : space_numbers[all->set];
}

static void replica_write(struct sim *sim, struct replica_actor *actor)
{
    struct sim_replicas *all = sim->replicas;
    uint32_t space = (uint32_t)prng_below(&all->rng, SPACES);
    bool is_rare = space == FLIP && replica_is_ebb(sim);

    if (all->count == KEYS_MAX || space > all->set || (space == all->set && space != FLIP) ||
        (is_rare && !prng_chance(&all->rng, 1, 20)))
        return;
    actor->job = REPLICA_WRITE;
    actor->key = all->count++;
    all->keys[actor->key] = (struct replica_key){
        .state = KEY_WRITING, .space = space, .is_strict = all->is_settled && space != FLIP};
}

static void replica_choose(struct sim *sim, struct replica_actor *actor)
{
    struct sim_replicas *all = sim->replicas;
    uint64_t draw = prng_below(&all->rng, 10);
    bool is_ebb = replica_is_ebb(sim);
    struct replica_key *key = draw < 4 ? NULL : replica_pick(all, KEY_HELD, is_ebb);

    if (!key) {
        replica_write(sim, actor);
        return;
    }
    actor->key = (uint32_t)(key - all->keys);
    actor->job = draw < (is_ebb ? 5u : 8u) ? REPLICA_READ : REPLICA_DELETE;
    if (actor->job == REPLICA_DELETE)
        key->state = KEY_DELETING;
}

void sim_replicas_act(struct sim *sim, uint32_t index)
{
    struct sim_replicas *all = sim->replicas;
    struct replica_actor *actor = &all->actors[index];
    struct sim_node *peer = sim_awake_peer(sim, &all->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    struct replica_key *key;
    char room[32];

    sim_after(sim, prng_between(&all->rng, THINK_US / 2, THINK_US * 2), SIM_REPLICAS, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || actor->job != REPLICA_NONE || !peer)
        return;
    op->timeout_ms = TIMEOUT_MS;
    if (index == 0)
        replica_set(sim, actor, op);
    else
        replica_choose(sim, actor);
    if (index == 0)
        replica_settle(sim);
    if (actor->job == REPLICA_NONE)
        return;
    actor->node = peer->index;
    actor->boot = peer->boot;
    actor->ticket = request.request.ticket = ++sim->tickets;
    if (actor->job != REPLICA_SET) {
        key = &all->keys[actor->key];
        op->kind = actor->job == REPLICA_WRITE  ? OP_PUT
                   : actor->job == REPLICA_READ ? OP_GET
                                                : OP_DELETE;
        op->ns = replica_space(key->space);
        op->key = replica_name(all, key, room);
        if (actor->job == REPLICA_WRITE)
            op->body = op->key;
        if (actor->job == REPLICA_DELETE)
            op->context = slice_of(key->context, key->context_size);
    }
    sim_step(sim, peer, &request);
}

/* --- answers */

/* Tells whether a disk holds the key's value, alive, under this row key: that of the write with
 * this etag, 0: of any. */
static bool replica_is_on(const struct sim_node *peer, struct slice row_key, struct slice value,
                          uint64_t etag)
{
    static struct crdt_object object;

    if (!sim_disk_get(peer, row_key, &object))
        return false;
    for (uint16_t i = 0; i < object.value_count; i++)
        if (object.values[i].kind == CRDT_VALUE && slice_equal(object.values[i].body, value) &&
            (!etag || etag == crdt_etag(object.values[i].actor, object.values[i].stamp)))
            return true;
    return false;
}

/* Q1 */
static void replica_check_acked(struct sim *sim, const struct replica_key *key)
{
    unsigned required = REPLICAS_MAX, copies = 0;
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id owners[REPLICAS_MAX];
    struct slice row_key = SLICE_NONE, ns = replica_space(key->space), name;
    char text[32];

    name = replica_name(sim->replicas, key, text);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        const struct node *node = sim->nodes[i].node;
        unsigned base;

        if (!node || !node_layout(node))
            continue;
        row_key = node_row_key(node, ns, name, room);
        base = node_owners(node, node_partition_of(node, ns, name), owners);
        if (base && base / 2u + 1u < required)
            required = base / 2u + 1u;
    }
    for (uint32_t i = 0; i < sim->node_count; i++)
        copies += replica_is_on(&sim->nodes[i], row_key, name, 0);
    if (row_key.size > 0 && copies < required)
        sim_fail(sim, "Q1: %.*s of %s was acknowledged with %u durable copies of %u",
                 (int)name.size, (const char *)name.data, space_names[key->space], copies,
                 required);
}

static void replica_wrote(struct sim *sim, struct replica_key *key, const struct result *result)
{
    key->state = KEY_UNKNOWN;
    if (result->status != STATUS_OK)
        return;
    key->state = KEY_HELD;
    key->etag = result->etag;
    key->context_size = result->context.size;
    if (result->context.size)
        memcpy(key->context, result->context.data, result->context.size);
    sim->acked++;
    if (key->is_strict)
        replica_check_acked(sim, key);
}

/* Q2. A peer that leaves hands its only copy to one who may still be on the other side of a cut. */
static void replica_read(struct sim *sim, const struct replica_key *key,
                         const struct result *result)
{
    sim->reads++;
    if (key->state != KEY_HELD || !key->is_strict || result->status != STATUS_MISSING ||
        (key->space == 0 && sim->plan.churn))
        return;
    sim_fail(sim, "Q2: r/%u of %s is acknowledged, and a read misses it",
             (unsigned)(key - sim->replicas->keys), space_names[key->space]);
}

static void replica_answered(struct sim *sim, struct replica_actor *actor,
                             const struct result *result)
{
    struct sim_replicas *all = sim->replicas;
    struct replica_key *key = &all->keys[actor->key];
    enum replica_job job = actor->job;

    actor->job = REPLICA_NONE;
    if (job == REPLICA_SET) {
        all->set += result->status == STATUS_OK && all->set < FLIP;
        all->flips += result->status == STATUS_OK;
        all->refused += result->status == STATUS_CONFLICT;
    } else if (job == REPLICA_WRITE) {
        replica_wrote(sim, key, result);
    } else if (job == REPLICA_READ) {
        replica_read(sim, key, result);
    } else if (key->state == KEY_DELETING) {
        key->state = result->status == STATUS_OK ? KEY_GONE : KEY_UNKNOWN;
        sim->deleted += result->status == STATUS_OK;
    }
}

void sim_replicas_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                        const struct result *result)
{
    for (uint32_t i = 0; sim->replicas && i < ACTORS; i++) {
        struct replica_actor *actor = &sim->replicas->actors[i];

        if (actor->job != REPLICA_NONE && actor->ticket == asked && actor->node == peer->index)
            replica_answered(sim, actor, result);
    }
}

void sim_replicas_lost(struct sim *sim, const struct sim_node *peer)
{
    const struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->replicas && i < ACTORS; i++) {
        struct replica_actor *actor = &sim->replicas->actors[i];

        if (actor->job != REPLICA_NONE && actor->node == peer->index && actor->boot == peer->boot)
            replica_answered(sim, actor, &lost);
    }
}

/* --- the end */

struct replica_scan {
    struct sim *sim;
    const struct sim_node *peer;
};

/* Q3: no row lies where its namespace is not kept. */
static bool replica_row(void *context, const struct store_row *row)
{
    struct replica_scan *scan = context;
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice ns, name;
    uint64_t front;

    if (store_key_split(row->key, &front, &ns, &name) == STATUS_OK &&
        !slice_equal(node_row_key(scan->peer->node, ns, name, room), row->key))
        sim_fail(scan->sim, "Q3: peer-%u holds %.*s of %.*s in a partition of another class",
                 scan->peer->index, (int)name.size, (const char *)name.data, (int)ns.size,
                 (const char *)ns.data);
    return true;
}

static void replica_check_key(struct sim *sim, const struct sim_node *peer,
                              const struct replica_key *key)
{
    char text[32];
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id owners[REPLICAS_MAX];
    struct slice ns = replica_space(key->space), name = replica_name(sim->replicas, key, text);
    unsigned count = node_owners(peer->node, node_partition_of(peer->node, ns, name), owners);
    bool is_on = replica_is_on(peer, node_row_key(peer->node, ns, name, room), name,
                               key->state == KEY_GONE ? key->etag : 0);

    if (key->state == KEY_GONE && is_on)
        sim_fail(sim, "Q4: %s of %s was deleted and is back at peer-%u", text,
                 space_names[key->space], peer->index);
    for (unsigned i = 0; key->state == KEY_HELD && i < count; i++)
        if (id_equal(&owners[i], &peer->identity.id) && !is_on)
            sim_fail(sim, "Q3: acknowledged %s of %s is missing at owner peer-%u", text,
                     space_names[key->space], peer->index);
}

void sim_replicas_final(struct sim *sim)
{
    for (uint32_t i = 0; sim->replicas && i < sim->node_count; i++) {
        const struct sim_node *peer = &sim->nodes[i];
        struct replica_scan scan = {sim, peer};
        struct store_range all = {
            .family = STORE_OBJ, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
        struct store ports;

        if (!peer->node)
            continue;
        ports = store_memory_ports(peer->disk.synced);
        (void)ports.scan(ports.context, &all, replica_row, &scan);
        for (uint32_t k = 0; k < sim->replicas->count; k++)
            replica_check_key(sim, peer, &sim->replicas->keys[k]);
    }
}
