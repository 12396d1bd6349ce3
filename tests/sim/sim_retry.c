/* sim_retry.c: clients that repeat what was not answered, with an Idempotency-Key (profile
 * `retry`). An operation goes to one peer or to two at once, and again to others until somebody
 * says that it is done; now and then it is sent once more after that. Two claims:
 *
 *   O1  every answer that says "done" names the same write, unless its coordinator restarted
 *   O2  a counter holds at least what was acknowledged and at most what may have been: an
 *       increment that was repeated counts once */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define RETRIERS_MAX 8
#define TRIES_MAX 12
#define COUNTERS 4
#define THINK_US INSTANT_MS(60)

/* One request of an operation that has not been answered. */
struct retry_try {
    ticket ticket;
    uint32_t node, boot;
};

struct retrier {
    struct retry_try open[2];
    bool is_counter, is_done, is_over;
    uint32_t number; /* of its operations */
    uint32_t key, tries, delta;
    uint64_t etag;    /* of the write, once somebody named it */
    uint64_t crashes; /* when it began */
};

struct sim_retry {
    struct prng rng;
    uint32_t count;
    struct retrier clients[RETRIERS_MAX];
    uint64_t least[COUNTERS], most[COUNTERS];
    bool is_read[COUNTERS];
    uint64_t done, replayed;
};

static void retry_later(struct sim *sim, uint32_t index)
{
    sim_after(sim, prng_between(&sim->retry->rng, THINK_US / 2, THINK_US * 2), SIM_RETRY,
              SLICE_NONE)
        ->node = index;
}

void sim_retry_start(struct sim *sim)
{
    struct sim_retry *all;

    if (sim->plan.retriers == 0)
        return;
    all = sim->retry = calloc(1, sizeof(*all));
    ensure(all != NULL && sim->plan.retriers <= RETRIERS_MAX);
    prng_init(&all->rng, sim->seed ^ 0x4e7470000000ull);
    all->count = sim->plan.retriers;
    for (uint32_t i = 0; i < all->count; i++) {
        all->clients[i].is_over = true;
        retry_later(sim, i);
    }
}

void sim_retry_close(struct sim *sim)
{
    free(sim->retry);
    sim->retry = NULL;
}

bool sim_retry_is_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->retry && i < sim->retry->count; i++)
        if (sim->retry->clients[i].open[0].ticket || sim->retry->clients[i].open[1].ticket)
            return false;
    return true;
}

static void retry_send(struct sim *sim, uint32_t index, struct retry_try *slot)
{
    struct sim_retry *all = sim->retry;
    struct retrier *client = &all->clients[index];
    struct sim_node *peer = &sim->nodes[prng_below(&all->rng, sim->node_count)];
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    char name[32], once[32], value[32];
    uint8_t delta[8];

    if (!peer->node || peer->paused_until > sim->now)
        return;
    *slot = (struct retry_try){++sim->tickets, peer->index, peer->boot};
    op->ns = slice_text("sim");
    op->timeout_ms = 700;
    op->idempotency =
        slice_of(once, (size_t)snprintf(once, sizeof(once), "c%u-%u", index, client->number));
    if (client->is_counter) {
        op->kind = OP_UPDATE;
        op->type = TYPE_COUNTER;
        op->key = slice_of(name, (size_t)snprintf(name, sizeof(name), "counter/%u", client->key));
        bytes_store_u64(delta, client->delta);
        op->body = slice_of(delta, sizeof(delta));
    } else {
        op->kind = OP_PUT;
        op->key =
            slice_of(name, (size_t)snprintf(name, sizeof(name), "retry/%u/%u", index, client->key));
        op->body = slice_of(value, (size_t)snprintf(value, sizeof(value), "n%u", client->number));
    }
    request.request.ticket = slot->ticket;
    sim_step(sim, peer, &request);
}

static void retry_begin(struct sim *sim, struct retrier *client)
{
    struct sim_retry *all = sim->retry;

    client->number++;
    client->is_counter = prng_chance(&all->rng, 1, 2);
    client->key = (uint32_t)prng_below(&all->rng, COUNTERS);
    client->delta = (uint32_t)prng_between(&all->rng, 1, 9);
    client->is_done = client->is_over = false;
    client->tries = 0;
    client->etag = 0;
    client->crashes = sim->crashes;
    if (client->is_counter)
        all->most[client->key] += client->delta;
}

void sim_retry_act(struct sim *sim, uint32_t index)
{
    struct sim_retry *all = sim->retry;
    struct retrier *client = &all->clients[index];

    retry_later(sim, index);
    if (client->open[0].ticket || client->open[1].ticket)
        return;
    if (client->is_over && !sim->are_clients_on)
        return;
    if (client->is_over || client->tries >= TRIES_MAX ||
        (client->is_done && !prng_chance(&all->rng, 1, 3))) {
        client->is_over = true;
        if (!sim->are_clients_on)
            return;
        retry_begin(sim, client);
    }
    client->tries++;
    retry_send(sim, index, &client->open[0]);
    if (prng_chance(&all->rng, 1, 3))
        retry_send(sim, index, &client->open[1]);
}

static void retry_done(struct sim *sim, struct retrier *client, const struct result *result)
{
    struct sim_retry *all = sim->retry;

    if (client->is_done && client->etag != result->etag && client->crashes == sim->crashes)
        sim_fail(sim, "O1: operation %u of a client was carried out twice", client->number);
    if (!client->is_done && client->is_counter)
        all->least[client->key] += client->delta;
    all->done += !client->is_done;
    all->replayed += client->is_done;
    client->is_done = true;
    client->etag = result->etag;
}

void sim_retry_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result)
{
    for (uint32_t i = 0; sim->retry && i < sim->retry->count; i++)
        for (unsigned k = 0; k < 2; k++) {
            struct retrier *client = &sim->retry->clients[i];

            if (client->open[k].ticket != asked || client->open[k].node != peer->index)
                continue;
            client->open[k].ticket = 0;
            if (result->status == STATUS_OK)
                retry_done(sim, client, result);
            else if (result->status == STATUS_MISMATCH)
                sim_fail(sim, "O1: a repeated operation is called another");
            else if (result->outcome == OUTCOME_NOT_STORED && client->is_done)
                sim_fail(sim, "D14: what was done is called not stored");
        }
}

void sim_retry_lost(struct sim *sim, const struct sim_node *peer)
{
    for (uint32_t i = 0; sim->retry && i < sim->retry->count; i++)
        for (unsigned k = 0; k < 2; k++) {
            struct retry_try *open = &sim->retry->clients[i].open[k];

            if (open->ticket && open->node == peer->index && open->boot == peer->boot)
                open->ticket = 0;
        }
}

/* After heal every owner holds the same counters: O2. */
void sim_retry_final(struct sim *sim)
{
    static struct crdt_object object;
    struct sim_retry *all = sim->retry;
    uint8_t room[STORE_KEY_SIZE_MAX];
    char name[32];

    for (uint32_t key = 0; all && key < COUNTERS; key++)
        for (uint32_t i = 0; i < sim->node_count; i++) {
            struct sim_node *peer = &sim->nodes[i];
            int64_t number = 0;
            struct slice text =
                slice_of(name, (size_t)snprintf(name, sizeof(name), "counter/%u", key));

            if (!peer->node ||
                !sim_disk_get(peer, node_row_key(peer->node, slice_text("sim"), text, room),
                              &object))
                continue;
            if (crdt_counter_value(&object, &number) != STATUS_OK ||
                (uint64_t)number > all->most[key] || (uint64_t)number < all->least[key])
                sim_fail(sim, "O2: counter %u is %lld at peer-%u, between %llu and %llu was added",
                         key, (long long)number, i, (unsigned long long)all->least[key],
                         (unsigned long long)all->most[key]);
        }
}
