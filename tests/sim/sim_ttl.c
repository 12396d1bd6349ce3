/* sim_ttl.c: clients whose values expire (profile `ttl`). A mortal key has one writer, who numbers
 * its writes, gives most of them a short life, and hands back the context of the last one that was
 * acknowledged; many readers look at it. Clocks differ by up to a second and a half, nothing in
 * this profile moves them further, so SLACK_MS says how far an observer may be wrong.
 *
 *   asked ..... told                                   told + ttl + slack
 *     |---write---|--- must be there, or something newer ---|~~~|--- must be gone ------->
 *                               asked + ttl - slack ^        and nothing older in its place
 *
 *   T1  nobody who asks after a value's expiry is shown it
 *   T2  nothing that an acknowledged write replaced comes back, expired though that write be
 *   T3  before its expiry an acknowledged value does not vanish
 *
 * Draws come from a generator of its own: profiles without mortals run as they did. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(30)
#define TIMEOUT_MS 1000u
#define SLACK_MS 4000u  /* clocks differ by 2 s at most; a try of the edge may run twice */
#define STALL_MS 10000u /* a coordinator that stood still begins a write so late, unheard of */
#define MORTALS_MAX 6
#define ACTORS_MAX 6
#define WRITES_MAX 1024

struct ttl_write {
    enum sim_write_state state;
    uint32_t ttl_ms; /* 0: lives for ever */
    bool is_delete;
    instant asked, told; /* told: INSTANT_NEVER while nobody knows */
    uint64_t etag;
};

struct ttl_key {
    uint32_t sequence, acked;
    bool is_busy;
    struct ttl_write writes[WRITES_MAX];
    char context[CONTEXT_SIZE_MAX];
    size_t context_size;
};

struct ttl_actor {
    bool is_busy, is_read;
    uint32_t node, boot, key, number, floor;
    instant asked;
    ticket ticket;
};

struct sim_ttl {
    struct prng rng;
    uint32_t keys, actors;
    uint64_t expired; /* reads that found an expired value gone */
    struct ttl_key key[MORTALS_MAX];
    struct ttl_actor actor[ACTORS_MAX];
};

void sim_ttl_start(struct sim *sim)
{
    struct sim_ttl *ttl;

    if (!sim->plan.has_mortals)
        return;
    if (!sim->ttl)
        sim->ttl = calloc(1, sizeof(*sim->ttl));
    ttl = sim->ttl;
    ensure(ttl != NULL);
    prng_init(&ttl->rng, sim->seed ^ 0x77177177ull);
    ttl->keys = (uint32_t)prng_between(&ttl->rng, 1, MORTALS_MAX);
    ttl->actors = (uint32_t)prng_between(&ttl->rng, 2, ACTORS_MAX);
    for (uint32_t i = 0; i < ttl->actors; i++)
        sim_after(sim, prng_below(&ttl->rng, THINK_US), SIM_MORTAL, SLICE_NONE)->node = i;
}

void sim_ttl_close(struct sim *sim)
{
    free(sim->ttl);
    sim->ttl = NULL;
}

bool sim_ttl_is_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->ttl && i < sim->ttl->actors; i++)
        if (sim->ttl->actor[i].is_busy)
            return false;
    return true;
}

/* Fills the next write of a key: mostly short lives, sometimes for ever, sometimes a delete. */
static void ttl_write(struct sim *sim, struct ttl_actor *actor, struct op *op, char *value)
{
    struct ttl_key *key = &sim->ttl->key[actor->key];
    struct ttl_write *write = &key->writes[++key->sequence];

    key->is_busy = true;
    actor->number = key->sequence;
    *write = (struct ttl_write){.state = WRITE_OPEN, .asked = sim->now, .told = INSTANT_NEVER};
    write->is_delete = prng_chance(&sim->ttl->rng, 1, 12);
    if (!write->is_delete && prng_chance(&sim->ttl->rng, 3, 4))
        write->ttl_ms = (uint32_t)prng_between(&sim->ttl->rng, 1000, 9000);
    op->kind = write->is_delete ? OP_DELETE : OP_PUT;
    op->ttl_ms = write->ttl_ms;
    op->context = slice_of(key->context, key->context_size);
    if (!write->is_delete)
        op->body = slice_of(value, (size_t)snprintf(value, 32, "m%u", actor->number));
}

void sim_ttl_act(struct sim *sim, uint32_t index)
{
    struct sim_ttl *ttl = sim->ttl;
    struct ttl_actor *actor = &ttl->actor[index];
    struct sim_node *peer = sim_awake_peer(sim, &sim->ttl->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    char name[32], value[32];
    struct ttl_key *key;

    sim_after(sim, prng_between(&ttl->rng, THINK_US / 2, THINK_US * 2), SIM_MORTAL, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || actor->is_busy || !peer)
        return;
    *actor = (struct ttl_actor){
        .is_busy = true, .node = peer->index, .boot = peer->boot, .asked = sim->now};
    actor->ticket = ++sim->tickets;
    actor->key = (uint32_t)prng_below(&ttl->rng, ttl->keys);
    key = &ttl->key[actor->key];
    actor->floor = key->acked;
    /* Rare writes: lives must have time to end. */
    actor->is_read =
        key->is_busy || key->sequence + 1 >= WRITES_MAX || !prng_chance(&ttl->rng, 1, 12);
    op->ns = slice_text("mortal");
    op->key = slice_of(name, (size_t)snprintf(name, sizeof(name), "m/%u", actor->key));
    op->timeout_ms = TIMEOUT_MS;
    op->kind = OP_GET;
    op->has_siblings = true;
    if (!actor->is_read)
        ttl_write(sim, actor, op, value);
    request.request.ticket = actor->ticket;
    sim_step(sim, peer, &request);
}

/* --- checks */

static uint32_t ttl_number(const struct result_value *value)
{
    uint32_t number = 0;

    for (size_t at = 1; at < value->body.size; at++)
        number = number * 10 + (uint32_t)(value->body.data[at] - '0');
    return number;
}

/* The latest moment at which some peer may rightly hold a write's value for alive. */
static instant ttl_end(const struct ttl_write *write)
{
    instant told = write->asked + INSTANT_MS(TIMEOUT_MS + STALL_MS);

    if (write->ttl_ms == 0)
        return INSTANT_NEVER;
    return instant_min(told, write->told) + INSTANT_MS(write->ttl_ms + SLACK_MS);
}

/* Tells whether a write may hide what came before it: it deletes, or its value may have expired. */
static bool ttl_may_hide(const struct sim *sim, const struct ttl_write *write)
{
    return write->is_delete || (write->ttl_ms && write->asked + INSTANT_MS(write->ttl_ms) <
                                                     sim->now + INSTANT_MS(SLACK_MS));
}

/* T3. `newest` is the largest number shown. */
static void ttl_check_floor(struct sim *sim, const struct ttl_actor *actor, uint32_t newest)
{
    const struct ttl_key *key = &sim->ttl->key[actor->key];

    if (newest >= actor->floor || ttl_may_hide(sim, &key->writes[actor->floor]))
        return;
    for (uint32_t n = 1; n <= key->sequence; n++)
        if ((n > actor->floor || key->writes[n].state == WRITE_UNKNOWN) &&
            ttl_may_hide(sim, &key->writes[n]))
            return;
    sim_fail(sim, "T3: mortal %u shows %u, %u was acknowledged and lives", actor->key, newest,
             actor->floor);
}

static void ttl_check_read(struct sim *sim, const struct ttl_actor *actor,
                           const struct result *result)
{
    const struct ttl_key *key = &sim->ttl->key[actor->key];
    uint32_t newest = 0;

    for (uint32_t i = 0; i < result->value_count; i++) {
        const struct result_value *value = &result->values[i];
        const struct ttl_write *write;
        uint32_t number;

        if (value->is_tombstone) {
            sim->ttl->expired += value->expires_ms > 0;
            continue;
        }
        number = ttl_number(value);
        write = &key->writes[number <= key->sequence ? number : 0];
        if (number == 0 || number > key->sequence || write->is_delete) {
            sim_fail(sim, "T2: mortal %u returned number %u that nobody wrote", actor->key, number);
            return;
        }
        if (ttl_end(write) < actor->asked)
            sim_fail(sim, "T1: mortal %u shows %u, whose %u ms are over", actor->key, number,
                     write->ttl_ms);
        if (number < actor->floor && write->state == WRITE_ACKED && value->etag == write->etag)
            sim_fail(sim, "T2: mortal %u shows %u again, replaced by %u", actor->key, number,
                     actor->floor);
        newest = number > newest ? number : newest;
    }
    ttl_check_floor(sim, actor, newest);
}

static void ttl_wrote(struct sim *sim, const struct ttl_actor *actor, const struct result *result)
{
    struct ttl_key *key = &sim->ttl->key[actor->key];
    struct ttl_write *write = &key->writes[actor->number];

    write->state = WRITE_UNKNOWN;
    if (result->status == STATUS_OK)
        write->state = WRITE_ACKED;
    else if (result->outcome == OUTCOME_NOT_STORED)
        write->state = WRITE_REFUSED;
    key->is_busy = false;
    if (sim->is_verbose)
        fprintf(stderr, "%10.6f client at peer-%u: mortal %u number %u ttl %u: status %d\n",
                (double)sim->now / 1e6, actor->node, actor->key, actor->number, write->ttl_ms,
                (int)result->status);
    if (write->state != WRITE_ACKED)
        return;
    sim->acked++;
    write->told = sim->now;
    write->etag = result->etag;
    key->acked = actor->number;
    key->context_size = result->context.size;
    if (result->context.size)
        memcpy(key->context, result->context.data, result->context.size);
}

static void ttl_answered(struct sim *sim, struct ttl_actor *actor, const struct result *result)
{
    actor->is_busy = false;
    if (!actor->is_read) {
        ttl_wrote(sim, actor, result);
    } else if (result->status == STATUS_OK || result->status == STATUS_MISSING) {
        sim->reads++;
        ttl_check_read(sim, actor, result);
    }
}

void sim_ttl_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                   const struct result *result)
{
    for (uint32_t i = 0; sim->ttl && i < sim->ttl->actors; i++) {
        struct ttl_actor *actor = &sim->ttl->actor[i];

        if (actor->is_busy && actor->ticket == asked && actor->node == peer->index)
            ttl_answered(sim, actor, result);
    }
}

void sim_ttl_lost(struct sim *sim, const struct sim_node *peer)
{
    const struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->ttl && i < sim->ttl->actors; i++) {
        struct ttl_actor *actor = &sim->ttl->actor[i];

        if (actor->is_busy && actor->node == peer->index && actor->boot == peer->boot)
            ttl_answered(sim, actor, &lost);
    }
}
