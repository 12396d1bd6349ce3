/* sim_types.c: clients that count, and that add and remove members (profile `types`). Two counters
 * and two sets: one of each is a key, the others are fields of one map. Every change is remembered
 * with the time it was asked and told, so that each answer can be judged by the rules of
 * tests/history:
 *
 *   C1  a counter shows every increment that was acknowledged before it was asked, and none that
 *       was refused or never made; the others may be in it or not
 *   O1  a member is there if an acknowledged add is covered by no remove that may have seen it
 *   O2  a member is away if every add was told before an acknowledged remove was asked
 *
 * A change that an edge may have carried out twice (its route names a silent owner) is never over.
 * After healing the rows of all owners are judged the same way. Draws come from a generator of its
 * own. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define THINK_US INSTANT_MS(40)
#define TARGETS 2
#define MEMBERS 5
#define ACTORS_MAX 6
#define CHANGES_MAX 768 /* of one counter, or of one set */
#define MANY_MAX 3      /* members in one request */

struct types_change {
    enum sim_write_state state;
    bool is_remove;
    uint8_t member;
    int64_t delta;
    instant asked, told; /* told: INSTANT_NEVER while it may still happen */
};

struct types_target {
    uint32_t count;
    struct types_change changes[CHANGES_MAX];
};

struct types_actor {
    bool is_busy, is_set, is_read, is_page;
    uint8_t target, member, many;
    uint32_t node, boot;
    uint32_t change[MANY_MAX];
    instant asked;
    ticket ticket;
};

struct sim_types {
    struct prng rng;
    uint32_t actors;
    bool grows_only;
    struct types_target counters[TARGETS], sets[TARGETS];
    struct types_actor actor[ACTORS_MAX];
};

/* Row names: of a counter, and of a member without its letter. */
static const struct slice types_counters[TARGETS] = {{(const uint8_t *)"c", 1},
                                                     {(const uint8_t *)"m\0\4c\0\5", 6}};
static const struct slice types_sets[TARGETS] = {{(const uint8_t *)"s\0\3", 3},
                                                 {(const uint8_t *)"m\0\4t\0\3", 6}};

/* Counters and sets; what else is stored is in their way. */
void sim_types_draw(struct sim_plan *plan)
{
    if (strcmp(plan->profile, "types") != 0)
        return;
    plan->has_types = true;
    plan->clients = 1;
    plan->peers = plan->peers > 5 ? 5 : plan->peers;
}

void sim_types_start(struct sim *sim)
{
    struct sim_types *types;

    if (!sim->plan.has_types)
        return;
    if (!sim->types)
        sim->types = calloc(1, sizeof(*sim->types));
    types = sim->types;
    ensure(types != NULL);
    prng_init(&types->rng, sim->seed ^ 0x7e57c0deull);
    types->actors = (uint32_t)prng_between(&types->rng, 2, ACTORS_MAX);
    types->grows_only = prng_chance(&types->rng, 1, 2);
    for (uint32_t i = 0; i < types->actors; i++)
        sim_after(sim, prng_below(&types->rng, THINK_US), SIM_TYPED, SLICE_NONE)->node = i;
}

void sim_types_close(struct sim *sim)
{
    free(sim->types);
    sim->types = NULL;
}

bool sim_types_are_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->types && i < sim->types->actors; i++)
        if (sim->types->actor[i].is_busy)
            return false;
    return true;
}

/* --- asking */

static uint32_t types_note(struct types_target *target, const struct types_change *change)
{
    target->changes[target->count] = *change;
    return target->count++;
}

static void types_count(struct sim *sim, struct types_actor *actor, struct op *op, uint8_t *arg)
{
    struct types_target *target = &sim->types->counters[actor->target];
    struct types_change change = {.state = WRITE_OPEN, .asked = sim->now, .told = INSTANT_NEVER};

    op->key = types_counters[actor->target];
    actor->is_read = target->count >= CHANGES_MAX || prng_chance(&sim->types->rng, 1, 3);
    if (actor->is_read)
        return;
    change.delta = (int64_t)prng_between(&sim->types->rng, 1, 1000);
    if (!sim->types->grows_only && prng_chance(&sim->types->rng, 1, 2))
        change.delta = -change.delta;
    actor->change[0] = types_note(target, &change);
    actor->many = 1;
    op->kind = OP_UPDATE;
    op->type = TYPE_COUNTER;
    bytes_store_u64(arg, (uint64_t)change.delta);
    op->body = slice_of(arg, 8);
}

/* Several members of a set in one request. */
static void types_list(const struct types_actor *actor, struct op *op, uint8_t *room,
                       bool is_remove)
{
    struct writer out = writer_over(room, 128);
    struct slice prefix = types_sets[actor->target];
    size_t key = store_name_key(prefix).size;

    for (uint8_t i = 0; i < actor->many; i++) {
        write_u16(&out, (uint16_t)(prefix.size - key - 1 + 1));
        write_bytes(&out, prefix.data + key + 1, prefix.size - key - 1);
        write_u8(&out, (uint8_t)('a' + (actor->member + i) % MEMBERS));
        write_u8(&out, is_remove ? TYPE_TOMBSTONE : TYPE_VALUE);
        write_u32(&out, 0);
    }
    ensure(!out.is_full);
    op->key = slice_of(prefix.data, key);
    op->is_many = true;
    op->body = writer_done(&out);
}

static void types_member(struct sim *sim, struct types_actor *actor, struct op *op, uint8_t *room)
{
    struct types_target *target = &sim->types->sets[actor->target];
    struct types_change change = {.state = WRITE_OPEN, .asked = sim->now, .told = INSTANT_NEVER};
    struct slice prefix = types_sets[actor->target];

    actor->member = (uint8_t)prng_below(&sim->types->rng, MEMBERS);
    memcpy(room, prefix.data, prefix.size);
    room[prefix.size] = (uint8_t)('a' + actor->member);
    op->key = slice_of(room, prefix.size + 1);
    actor->is_read = target->count + MANY_MAX >= CHANGES_MAX || prng_chance(&sim->types->rng, 1, 3);
    actor->is_page = actor->is_read && actor->target == 0 && prng_chance(&sim->types->rng, 1, 3);
    if (actor->is_page) {
        op->kind = OP_COLLECTION;
        op->key = slice_of(prefix.data, 1);
    }
    if (actor->is_read)
        return;
    change.is_remove = prng_chance(&sim->types->rng, 1, 3);
    actor->many = prng_chance(&sim->types->rng, 1, 5)
                      ? (uint8_t)prng_between(&sim->types->rng, 2, MANY_MAX)
                      : 1;
    for (uint8_t i = 0; i < actor->many; i++) {
        change.member = (uint8_t)((actor->member + i) % MEMBERS);
        actor->change[i] = types_note(target, &change);
    }
    op->kind = OP_UPDATE;
    op->type = change.is_remove ? TYPE_TOMBSTONE : TYPE_VALUE;
    if (actor->many > 1)
        types_list(actor, op, room, change.is_remove);
}

void sim_types_act(struct sim *sim, uint32_t index)
{
    struct sim_types *types = sim->types;
    struct types_actor *actor = &types->actor[index];
    struct sim_node *peer = sim_awake_peer(sim, &sim->types->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    uint8_t room[128];

    sim_after(sim, prng_between(&types->rng, THINK_US / 2, THINK_US * 2), SIM_TYPED, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || actor->is_busy || !peer)
        return;
    *actor = (struct types_actor){
        .is_busy = true, .node = peer->index, .boot = peer->boot, .asked = sim->now};
    actor->ticket = ++sim->tickets;
    actor->is_set = prng_chance(&types->rng, 1, 2);
    actor->target = (uint8_t)prng_below(&types->rng, TARGETS);
    op->ns = slice_text("typed");
    op->timeout_ms = 1000;
    op->kind = OP_GET;
    op->has_siblings = true;
    if (actor->is_set)
        types_member(sim, actor, op, room);
    else
        types_count(sim, actor, op, room);
    request.request.ticket = actor->ticket;
    sim_step(sim, peer, &request);
}

/* --- judging. `asked` and `seen`: when the state that is judged was asked for and at the latest
 * looked at. */

static void types_judge_counter(struct sim *sim, unsigned at, instant asked, int64_t value)
{
    const struct types_target *target = &sim->types->counters[at];
    int64_t low = 0, high = 0;

    for (uint32_t i = 0; i < target->count; i++) {
        const struct types_change *change = &target->changes[i];
        bool is_sure = change->state == WRITE_ACKED && change->told < asked;

        if (change->state == WRITE_REFUSED)
            continue;
        low += is_sure || change->delta < 0 ? change->delta : 0;
        high += is_sure || change->delta > 0 ? change->delta : 0;
    }
    if (value < low || value > high)
        sim_fail(sim, "C1: counter %u shows %lld, not within %lld and %lld", at, (long long)value,
                 (long long)low, (long long)high);
}

/* Tells whether a remove may have seen an add. */
static bool types_may_cover(const struct types_change *remove, const struct types_change *add)
{
    return remove->is_remove && remove->member == add->member && remove->state != WRITE_REFUSED &&
           add->asked <= remove->told;
}

static bool types_surely_covers(const struct types_change *remove, const struct types_change *add,
                                instant asked)
{
    return remove->is_remove && remove->member == add->member && remove->state == WRITE_ACKED &&
           remove->told < asked && add->told < remove->asked;
}

static void types_judge_member(struct sim *sim, unsigned at, unsigned member, instant asked,
                               bool is_there)
{
    const struct types_target *target = &sim->types->sets[at];
    bool must_be = false, may_be = false;

    for (uint32_t a = 0; a < target->count; a++) {
        const struct types_change *add = &target->changes[a];
        bool is_free = add->state == WRITE_ACKED && add->told < asked, is_gone = false;

        if (add->is_remove || add->member != member || add->state == WRITE_REFUSED)
            continue;
        for (uint32_t r = 0; r < target->count; r++) {
            is_free &= !types_may_cover(&target->changes[r], add);
            is_gone |= types_surely_covers(&target->changes[r], add, asked);
        }
        must_be |= is_free;
        may_be |= !is_gone;
    }
    if (must_be && !is_there)
        sim_fail(sim, "O1: member %c of set %u is away, an add was acknowledged that no remove saw",
                 'a' + (int)member, at);
    if (is_there && !may_be)
        sim_fail(sim, "O2: member %c of set %u is there, every add was removed", 'a' + (int)member,
                 at);
}

/* --- answers */

static bool types_is_fuzzy(const struct result *result)
{
    for (uint8_t i = 0; i < result->route_count; i++)
        if (result->route[i].roles & ROLE_FAILED)
            return true;
    return false;
}

static void types_wrote(struct sim *sim, struct types_actor *actor, const struct result *result)
{
    struct types_target *target =
        actor->is_set ? &sim->types->sets[actor->target] : &sim->types->counters[actor->target];
    enum sim_write_state state = WRITE_UNKNOWN;

    if (result->status == STATUS_OK)
        state = WRITE_ACKED;
    else if (result->outcome == OUTCOME_NOT_STORED)
        state = WRITE_REFUSED;
    sim->acked += state == WRITE_ACKED;
    sim->unknown += state == WRITE_UNKNOWN;
    sim->refused += state == WRITE_REFUSED;
    if (sim->is_verbose)
        fprintf(stderr, "%10.6f client at peer-%u: %s %u member %c x%u change %u: status %d\n",
                (double)sim->now / 1e6, actor->node, actor->is_set ? "set" : "counter",
                actor->target, 'a' + actor->member, actor->many, actor->change[0],
                (int)result->status);
    for (uint8_t i = 0; i < actor->many; i++) {
        struct types_change *change = &target->changes[actor->change[i]];

        change->state = state;
        /* A counter is never repeated elsewhere: its acknowledgement is the end of it. */
        if (state == WRITE_ACKED && (!actor->is_set || !types_is_fuzzy(result)))
            change->told = sim->now;
    }
}

static void types_read(struct sim *sim, const struct types_actor *actor,
                       const struct result *result)
{
    unsigned there = 0;

    sim->reads++;
    if (!actor->is_set) {
        types_judge_counter(sim, actor->target, actor->asked,
                            result->status == STATUS_OK ? result->number : 0);
        return;
    }
    if (!actor->is_page) {
        types_judge_member(sim, actor->target, actor->member, actor->asked,
                           result->status == STATUS_OK);
        return;
    }
    for (uint32_t i = 0; i < result->element_count; i++)
        if (result->elements[i].path.size == 2)
            there |= 1u << (result->elements[i].path.data[1] - 'a');
    for (unsigned member = 0; member < MEMBERS; member++)
        types_judge_member(sim, actor->target, member, actor->asked, there >> member & 1);
}

static void types_answered(struct sim *sim, struct types_actor *actor, const struct result *result)
{
    actor->is_busy = false;
    if (!actor->is_read)
        types_wrote(sim, actor, result);
    else if (result->status == STATUS_OK || result->status == STATUS_MISSING)
        types_read(sim, actor, result);
}

void sim_types_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result)
{
    for (uint32_t i = 0; sim->types && i < sim->types->actors; i++) {
        struct types_actor *actor = &sim->types->actor[i];

        if (actor->is_busy && actor->ticket == asked && actor->node == peer->index)
            types_answered(sim, actor, result);
    }
}

void sim_types_lost(struct sim *sim, const struct sim_node *peer)
{
    const struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->types && i < sim->types->actors; i++) {
        struct types_actor *actor = &sim->types->actor[i];

        if (actor->is_busy && actor->node == peer->index && actor->boot == peer->boot)
            types_answered(sim, actor, &lost);
    }
}

/* --- after healing */

/* What an owner's disk holds of a row; false: it is no owner. */
static bool types_row(const struct sim_node *peer, struct slice name, struct crdt_object *object)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id owners[REPLICAS_MAX];
    struct slice ns = slice_text("typed");
    unsigned count = node_owners(peer->node, node_partition_of(peer->node, ns, name), owners);

    for (unsigned o = 0; o < count; o++) {
        if (!id_equal(&owners[o], node_self(peer->node)))
            continue;
        if (!sim_disk_get(peer, node_row_key(peer->node, ns, name, room), object))
            crdt_object_clear(object);
        return true;
    }
    return false;
}

void sim_check_types(struct sim *sim)
{
    static struct crdt_object object;

    for (uint32_t i = 0; sim->types && i < sim->node_count; i++) {
        const struct sim_node *peer = &sim->nodes[i];
        uint8_t room[16];
        int64_t value;

        for (unsigned t = 0; peer->node && t < TARGETS; t++) {
            struct slice prefix = types_sets[t];

            if (types_row(peer, types_counters[t], &object) &&
                crdt_counter_value(&object, &value) == STATUS_OK)
                types_judge_counter(sim, t, sim->now, value);
            memcpy(room, prefix.data, prefix.size);
            for (unsigned member = 0; member < MEMBERS; member++) {
                room[prefix.size] = (uint8_t)('a' + member);
                if (types_row(peer, slice_of(room, prefix.size + 1), &object))
                    types_judge_member(sim, t, member, sim->now, crdt_object_types(&object) != 0);
            }
        }
    }
}
