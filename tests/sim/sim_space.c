/* sim_space.c: clients that change settings of namespaces, write blindly into one where only the
 * newest of concurrent values stays, and walk through listings (profile `spaces`).
 *
 *   N1  settings end alike everywhere: they are in the digest that M10 compares after heal
 *   N2  a peer that knows the policy never shows two values of a key, and all owners end equal (D3)
 *   N3  a key that exists unchanged during a walk through a listing appears in it exactly once, in
 *       order, whatever peers join, leave or die between two pages
 *
 * Draws come from a generator of its own: profiles without spaces run as they did. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(60)
#define ACTORS 5
#define BLIND_KEYS 4
#define WALK_KEYS 23 /* several pages of each size drawn */
#define NAMES 4      /* namespaces whose settings change */

enum space_job { JOB_NONE, JOB_SETTLE, JOB_STOCK, JOB_SET, JOB_WRITE, JOB_READ, JOB_PAGE };

struct space_actor {
    enum space_job job;
    uint32_t node, boot;
    ticket ticket;
    bool is_known_lww; /* JOB_READ: the peer knew the policy when it was asked */
    uint32_t number;   /* JOB_STOCK: key being stored */
    /* the walk this actor is on */
    uint32_t next;
    char after[32];
    uint32_t limit;
};

struct sim_space {
    struct prng rng;
    bool is_settled;  /* the policy is set: somebody has acknowledged it */
    uint32_t stocked; /* keys of the walk that are stored */
    uint64_t walks, shown;
    bool is_asking; /* the synchronous question about the policy */
    bool is_lww;
    struct space_actor actors[ACTORS];
};

void sim_space_start(struct sim *sim)
{
    if (!sim->plan.has_spaces)
        return;
    if (!sim->space)
        sim->space = calloc(1, sizeof(*sim->space));
    ensure(sim->space != NULL);
    prng_init(&sim->space->rng, sim->seed ^ 0x59ace59aceull);
    for (uint32_t i = 0; i < ACTORS; i++)
        sim_after(sim, prng_below(&sim->space->rng, THINK_US), SIM_SPACE, SLICE_NONE)->node = i;
}

void sim_space_close(struct sim *sim)
{
    if (sim->space && sim->is_verbose)
        fprintf(stderr, "%llu walks, %llu reads under lww\n", (unsigned long long)sim->space->walks,
                (unsigned long long)sim->space->shown);
    free(sim->space);
    sim->space = NULL;
}

bool sim_space_is_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->space && i < ACTORS; i++)
        if (sim->space->actors[i].job != JOB_NONE)
            return false;
    return true;
}

static struct sim_node *space_peer(struct sim *sim)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        struct sim_node *peer = &sim->nodes[prng_below(&sim->space->rng, sim->node_count)];

        if (peer->node && peer->paused_until <= sim->now && !peer->is_removed)
            return peer;
    }
    return NULL;
}

static struct slice space_text(char room[32], const char *prefix, uint32_t number)
{
    return slice_of(room, (size_t)snprintf(room, 32, "%s%02u", prefix, number));
}

/* Any settings but those of "lww". */
static void space_draw(struct sim_space *space, struct op *op, char room[32])
{
    struct space_settings *own = &op->space;

    op->ns = space_text(room, "set", (uint32_t)prng_below(&space->rng, NAMES));
    op->kind = OP_SPACE_PUT;
    if (prng_chance(&space->rng, 1, 2)) {
        own->set |= SPACE_CONFLICT;
        own->conflict = (uint8_t)prng_between(&space->rng, CONFLICT_SIBLINGS, CONFLICT_LWW);
    }
    if (prng_chance(&space->rng, 1, 2)) {
        own->set |= SPACE_TTL;
        own->ttl_ms = prng_between(&space->rng, 0, 5) * 1000;
    }
}

/* Asks the peer itself; it answers within the step. */
static bool space_knows_lww(struct sim *sim, struct sim_node *peer)
{
    struct event request = {.kind = EVENT_REQUEST};

    request.request.op.kind = OP_SPACE_GET;
    request.request.op.ns = slice_text("lww");
    request.request.ticket = ++sim->tickets;
    sim->space->is_asking = true;
    sim->space->is_lww = false;
    sim_step(sim, peer, &request);
    sim->space->is_asking = false;
    return sim->space->is_lww;
}

static enum space_job space_choose(struct sim_space *space, uint32_t index)
{
    if (!space->is_settled)
        return index == 0 ? JOB_SETTLE : JOB_NONE;
    if (space->stocked < WALK_KEYS)
        return index == 0 ? JOB_STOCK : JOB_NONE;
    if (index == 0)
        return prng_chance(&space->rng, 1, 8) ? JOB_SET : JOB_READ;
    if (index <= 2)
        return prng_chance(&space->rng, 1, 2) ? JOB_WRITE : JOB_READ;
    return JOB_PAGE;
}

/* Makes the request of a job. */
static void space_ask(struct sim *sim, struct space_actor *actor, struct op *op, char room[2][32])
{
    struct sim_space *space = sim->space;

    op->ns = slice_text(actor->job == JOB_STOCK || actor->job == JOB_PAGE ? "walk" : "lww");
    op->kind = actor->job == JOB_READ ? OP_GET : OP_PUT;
    op->timeout_ms = 1500;
    if (actor->job == JOB_SETTLE) {
        op->kind = OP_SPACE_PUT;
        op->space = (struct space_settings){.set = SPACE_CONFLICT, .conflict = CONFLICT_LWW};
    } else if (actor->job == JOB_SET) {
        space_draw(space, op, room[0]);
    } else if (actor->job == JOB_STOCK) {
        actor->number = space->stocked;
        op->key = space_text(room[0], "w/", actor->number);
        op->body = slice_text("stays");
    } else if (actor->job == JOB_PAGE) {
        op->kind = OP_LIST;
        op->prefix = slice_text("w/");
        op->after = slice_text(actor->after);
        op->limit = actor->limit;
    } else {
        op->key = space_text(room[0], "k/", (uint32_t)prng_below(&space->rng, BLIND_KEYS));
        op->has_siblings = true;
        if (actor->job == JOB_WRITE)
            op->body = space_text(room[1], "v", (uint32_t)(sim->tickets % 1000000));
        if (actor->job == JOB_WRITE && prng_chance(&space->rng, 1, 6))
            op->kind = OP_DELETE;
        if (op->kind == OP_DELETE)
            op->body = SLICE_NONE;
        op->consistency = prng_chance(&space->rng, 1, 2) ? CONSISTENCY_ONE : CONSISTENCY_QUORUM;
    }
}

void sim_space_act(struct sim *sim, uint32_t index)
{
    struct sim_space *space = sim->space;
    struct space_actor *actor = &space->actors[index];
    struct sim_node *peer = space_peer(sim);
    struct event request = {.kind = EVENT_REQUEST};
    char room[2][32];

    sim_after(sim, prng_between(&space->rng, THINK_US / 2, THINK_US * 2), SIM_SPACE, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || actor->job != JOB_NONE || !peer)
        return;
    actor->job = space_choose(space, index);
    if (actor->job == JOB_NONE)
        return;
    if (actor->limit == 0)
        actor->limit = (uint32_t)prng_between(&space->rng, 2, 9);
    actor->is_known_lww = actor->job == JOB_READ && space_knows_lww(sim, peer);
    actor->node = peer->index;
    actor->boot = peer->boot;
    actor->ticket = request.request.ticket = ++sim->tickets;
    space_ask(sim, actor, &request.request.op, room);
    sim_step(sim, peer, &request);
}

/* --- answers */

static void space_walk_again(struct space_actor *actor)
{
    actor->next = actor->limit = 0;
    actor->after[0] = 0;
}

/* N3. A page that failed is asked for again, elsewhere; the walk goes on from where it was. */
static void space_page(struct sim *sim, struct space_actor *actor, const struct result *result)
{
    if (result->status != STATUS_OK)
        return;
    for (uint32_t i = 0; i < result->item_count; i++) {
        char room[32];

        if (actor->next >= WALK_KEYS ||
            !slice_equal(result->items[i].key, space_text(room, "w/", actor->next))) {
            sim_fail(sim, "N3: a walk at peer-%u found %.*s where w/%02u had to come", actor->node,
                     (int)result->items[i].key.size, (const char *)result->items[i].key.data,
                     actor->next);
            return;
        }
        actor->next++;
        (void)snprintf(actor->after, sizeof(actor->after), "%s", room);
    }
    if (result->is_truncated)
        return;
    if (actor->next != WALK_KEYS)
        sim_fail(sim, "N3: a walk ended at peer-%u before w/%02u", actor->node, actor->next);
    sim->space->walks++;
    space_walk_again(actor);
}

static void space_read(struct sim *sim, const struct space_actor *actor,
                       const struct result *result)
{
    uint32_t values = 0;

    for (uint32_t i = 0; i < result->value_count; i++)
        values += !result->values[i].is_tombstone;
    if (!actor->is_known_lww || (result->status != STATUS_OK && result->status != STATUS_MISSING))
        return;
    sim->space->shown++;
    sim->reads++;
    if (values > 1)
        sim_fail(sim, "N2: peer-%u shows %u values under lww", actor->node, values);
}

static void space_answered(struct sim *sim, struct space_actor *actor, const struct result *result)
{
    enum space_job job = actor->job;

    actor->job = JOB_NONE;
    if (job == JOB_SETTLE && result->status == STATUS_OK)
        sim->space->is_settled = true;
    if (job == JOB_STOCK && result->status == STATUS_OK)
        sim->space->stocked++;
    if (job == JOB_PAGE)
        space_page(sim, actor, result);
    if (job == JOB_READ)
        space_read(sim, actor, result);
    sim->acked += (job == JOB_WRITE || job == JOB_SET) && result->status == STATUS_OK;
}

void sim_space_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result)
{
    if (sim->space && sim->space->is_asking && result->space_count > 0)
        sim->space->is_lww = result->spaces[0].full.conflict == CONFLICT_LWW;
    for (uint32_t i = 0; sim->space && i < ACTORS; i++) {
        struct space_actor *actor = &sim->space->actors[i];

        if (actor->job != JOB_NONE && actor->ticket == asked && actor->node == peer->index)
            space_answered(sim, actor, result);
    }
}

void sim_space_lost(struct sim *sim, const struct sim_node *peer)
{
    const struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->space && i < ACTORS; i++) {
        struct space_actor *actor = &sim->space->actors[i];

        if (actor->job != JOB_NONE && actor->node == peer->index && actor->boot == peer->boot)
            space_answered(sim, actor, &lost);
    }
}
