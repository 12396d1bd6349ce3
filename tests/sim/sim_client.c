/* sim_client.c: clients with a memory. Some keys are written once with a value nobody else writes;
 * others, the registers, have one writer who numbers its writes and deletes, and many readers.
 * What was acknowledged when a read was asked must not be missing from its answer. */
#include <stdio.h>

#include "sim.h"

#define THINK_US INSTANT_MS(40)

static struct slice client_number(char *room, const char *prefix, uint32_t number)
{
    int size = snprintf(room, 32, "%s%u", prefix, number);

    return slice_of(room, (size_t)size);
}

struct slice sim_once_key(uint32_t number, char *room)
{
    return client_number(room, "once/", number);
}

struct slice sim_once_value(uint32_t number, char *room)
{
    return client_number(room, "value-of-", number);
}

struct slice sim_register_key(uint32_t number, char *room)
{
    return client_number(room, "register/", number);
}

static struct slice client_register_value(uint32_t sequence, char *room)
{
    return client_number(room, "n", sequence);
}

void sim_clients_start(struct sim *sim)
{
    sim->are_clients_on = true;
    sim_sessions_start(sim);
    sim_retry_start(sim);
    for (uint32_t i = 0; i < sim->plan.clients; i++)
        sim_after(sim, prng_below(&sim->rng, THINK_US), SIM_CLIENT, SLICE_NONE)->node = i;
}

bool sim_clients_are_idle(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->plan.clients; i++)
        if (sim->clients[i].is_busy)
            return false;
    return sim_sessions_are_idle(sim) && sim_retry_is_idle(sim);
}

struct sim_node *sim_awake_peer(struct sim *sim, struct prng *rng)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        struct sim_node *peer = &sim->nodes[prng_below(rng, sim->node_count)];

        if (peer->node && peer->paused_until <= sim->now)
            return peer;
    }
    return NULL;
}

/* What a read or write of a register is checked against. */
static void client_register_op(struct sim *sim, struct sim_client *client, struct op *op,
                               char *value)
{
    struct sim_register *reg = &sim->registers[client->key];

    client->floor = reg->acked;
    client->is_floor_delete = reg->is_acked_delete;
    client->is_read =
        reg->is_busy || reg->sequence + 1 >= sizeof(reg->kinds) || prng_chance(&sim->rng, 1, 2);
    op->has_siblings = true;
    if (client->is_read) {
        op->kind = OP_GET;
        return;
    }
    reg->is_busy = true;
    client->sequence = ++reg->sequence;
    client->is_delete = sim->plan.deletes ? prng_chance(&sim->rng, sim->plan.deletes, 100)
                                          : prng_chance(&sim->rng, 1, 5);
    reg->kinds[client->sequence] = WRITE_OPEN;
    reg->deletes[client->sequence] = client->is_delete;
    reg->begun[client->sequence] = sim->now;
    if (sim->plan.is_blind)
        reg->context_size = 0;
    reg->blinds[client->sequence] = reg->context_size == 0;
    op->kind = client->is_delete ? OP_DELETE : OP_PUT;
    op->context = slice_of(reg->context, reg->context_size);
    if (!client->is_delete)
        op->body = client_register_value(client->sequence, value);
}

void sim_client_act(struct sim *sim, uint32_t index)
{
    struct sim_client *client = &sim->clients[index];
    struct sim_node *peer = sim_awake_peer(sim, &sim->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    char key[32], value[32];

    sim_after(sim, prng_between(&sim->rng, THINK_US / 2, THINK_US * 2), SIM_CLIENT, SLICE_NONE)
        ->node = index;
    if (!sim->are_clients_on || client->is_busy || !peer)
        return;
    *client = (struct sim_client){.is_busy = true, .node = peer->index, .boot = peer->boot};
    client->ticket = ++sim->tickets;
    client->is_once = prng_chance(&sim->rng, 1, 2) && sim->once_count < SIM_KEYS_MAX;
    op->ns = slice_text("sim");
    op->timeout_ms = SIM_WRITE_US / 1000u;
    if (client->is_once) {
        client->key = sim->once_count++;
        sim->once[client->key].state = WRITE_OPEN;
        op->kind = OP_PUT;
        op->key = sim_once_key(client->key, key);
        op->body = sim_once_value(client->key, value);
    } else {
        client->key = (uint32_t)prng_below(&sim->rng, sim->plan.registers);
        op->key = sim_register_key(client->key, key);
        client_register_op(sim, client, op, value);
    }
    request.request.ticket = client->ticket;
    sim_step(sim, peer, &request);
}

/* --- answers */

/* D11, D4, D2: the newest number among the siblings is at least the acknowledged one, and nothing
 * that an acknowledged delete covered is among them. */
static void client_check_read(struct sim *sim, const struct sim_client *client,
                              const struct result *result)
{
    const struct sim_register *reg = &sim->registers[client->key];
    /* With one owner there is nobody to ask twice while two sides of a cut move it (decision 3). */
    bool is_lone = sim->plan.elastic && sim->plan.replicas == 1;
    uint32_t newest = 0;

    for (uint32_t i = 0; i < result->value_count; i++) {
        const struct result_value *value = &result->values[i];
        uint32_t number = 0;

        if (value->is_tombstone)
            continue;
        for (size_t at = 1; at < value->body.size; at++)
            number = number * 10 + (uint32_t)(value->body.data[at] - '0');
        if (value->body.size < 2 || value->body.data[0] != 'n' || number > reg->sequence ||
            reg->deletes[number] || reg->kinds[number] == WRITE_REFUSED)
            sim_fail(sim, "D2: register %u returned number %u that nobody wrote", client->key,
                     number);
        if (!is_lone && client->is_floor_delete && number < client->floor &&
            reg->kinds[number] == WRITE_ACKED && value->etag == reg->etags[number])
            sim_fail(sim, "D4: register %u shows %u, deleted by %u", client->key, number,
                     client->floor);
        newest = number > newest ? number : newest;
    }
    if (!is_lone && newest < client->floor && !client->is_floor_delete) {
        /* A later delete may have taken effect, or one that nobody knows the outcome of. */
        for (uint32_t n = 1; n <= reg->sequence; n++)
            if (sim_late_may_discard(sim, reg, n, client->floor))
                return;
        sim_fail(sim, "D11: register %u shows %u, %u was acknowledged before", client->key, newest,
                 client->floor);
    }
}

static void client_wrote(struct sim *sim, struct sim_client *client, const struct result *result)
{
    enum sim_write_state state = WRITE_UNKNOWN;

    if (result->status == STATUS_OK)
        state = WRITE_ACKED;
    else if (result->outcome == OUTCOME_NOT_STORED)
        state = WRITE_REFUSED;
    if (sim->is_verbose)
        fprintf(stderr, "%10.6f client at peer-%u: %s %u number %u: status %d outcome %d\n",
                (double)sim->now / 1e6, client->node, client->is_once ? "once" : "register",
                client->key, client->sequence, (int)result->status, (int)result->outcome);
    sim->acked += state == WRITE_ACKED;
    sim->unknown += state == WRITE_UNKNOWN;
    sim->refused += state == WRITE_REFUSED;
    if (client->is_once) {
        sim->once[client->key].state = state;
        if (state == WRITE_ACKED)
            sim_check_acked(sim, client->key);
        return;
    }

    struct sim_register *reg = &sim->registers[client->key];

    reg->is_busy = false;
    reg->kinds[client->sequence] = (uint8_t)state;
    for (uint8_t i = 0; i < result->route_count; i++)
        reg->twice[client->sequence] |= (result->route[i].roles & ROLE_FAILED) != 0;
    if (state != WRITE_ACKED)
        return;
    reg->acked = client->sequence;
    sim->deleted += client->is_delete;
    reg->etags[client->sequence] = result->etag;
    reg->is_acked_delete = client->is_delete;
    reg->context_size = result->context.size;
    if (result->context.size)
        memcpy(reg->context, result->context.data, result->context.size);
}

void sim_client_reply(struct sim *sim, struct sim_node *peer, ticket asked,
                      const struct result *result)
{
    if (sim_session_reply(sim, peer, asked, result))
        return;
    sim_retry_reply(sim, peer, asked, result);
    for (uint32_t i = 0; i < sim->plan.clients; i++) {
        struct sim_client *client = &sim->clients[i];

        if (!client->is_busy || client->ticket != asked || client->node != peer->index)
            continue;
        client->is_busy = false;
        if (!client->is_read)
            client_wrote(sim, client, result);
        else if (result->status == STATUS_OK || result->status == STATUS_MISSING) {
            sim->reads++;
            client_check_read(sim, client, result);
        }
        return;
    }
}

/* The peer a client talked to is gone: what it wrote may be there or not. */
void sim_client_lost(struct sim *sim, const struct sim_node *peer)
{
    sim_session_lost(sim, peer);
    sim_retry_lost(sim, peer);
    for (uint32_t i = 0; i < sim->plan.clients; i++) {
        struct sim_client *client = &sim->clients[i];
        struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

        if (!client->is_busy || client->node != peer->index || client->boot != peer->boot)
            continue;
        client->is_busy = false;
        if (!client->is_read)
            client_wrote(sim, client, &lost);
    }
}
