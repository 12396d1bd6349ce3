/* sim_session.c: clients with a session that wander between peers (profile `session`). The four
 * promises are checked from what the clients themselves saw (D9), with reads and writes of
 * consistency one and quorum mixed, and more keys than a token lists.
 *
 * Half of the keys have one session that writes them, numbered and with the context of the write
 * before; everybody reads them. What a session has written or seen of such a key must not be
 * missing from what it is shown later: read your writes, monotonic reads.
 *
 * The others are written blindly by all. Each write remembers which versions, named by their entity
 * tags, its session had written or seen of the key before. Nobody may be shown such a version as
 * newer than the write: monotonic writes, writes follow reads. */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define SESSIONS_MAX 8
#define KEYS_MAX 64
#define NUMBERS_MAX 2048 /* writes of one key */
#define PAST_MAX 24      /* versions a session remembers of one key */
#define THINK_US INSTANT_MS(25)

struct past {
    unsigned count;
    uint64_t etags[PAST_MAX];
};

/* What one session knows of one key. */
struct session_view {
    uint32_t floor; /* owned keys: newest number written or seen */
    bool is_floor_delete;
    struct past past; /* shared keys */
};

struct session_key {
    uint32_t sequence;
    uint8_t kinds[NUMBERS_MAX]; /* enum sim_write_state */
    bool deletes[NUMBERS_MAX];
    struct past pasts[NUMBERS_MAX];
    char context[CONTEXT_SIZE_MAX]; /* of the owner's last acknowledged write */
    size_t context_size;
};

struct session_client {
    bool is_busy, is_read;
    uint32_t node, boot, key, number;
    ticket ticket;
    char token[SESSION_SIZE_MAX];
    size_t token_size;
    struct session_view views[KEYS_MAX];
};

struct sim_sessions {
    struct prng rng;
    uint32_t count, keys;
    struct session_client clients[SESSIONS_MAX];
    struct session_key table[KEYS_MAX];
};

static bool key_is_shared(const struct sim_sessions *all, uint32_t key)
{
    return key >= all->keys * 3 / 4;
}

static void session_begin(struct session_client *client)
{
    memset(client->views, 0, sizeof(client->views));
    memcpy(client->token, "new", 3);
    client->token_size = 3;
}

static void session_later(struct sim *sim, uint32_t index)
{
    sim_after(sim, prng_between(&sim->sessions->rng, THINK_US / 2, THINK_US * 2), SIM_SESSION,
              SLICE_NONE)
        ->node = index;
}

void sim_sessions_start(struct sim *sim)
{
    struct sim_sessions *all;

    if (sim->plan.sessions == 0)
        return;
    all = sim->sessions = calloc(1, sizeof(*all));
    ensure(all != NULL && sim->plan.sessions <= SESSIONS_MAX);
    prng_init(&all->rng, sim->seed ^ 0x5e5510000000ull);
    all->count = sim->plan.sessions;
    all->keys = (uint32_t)(prng_chance(&all->rng, 1, 2) ? prng_between(&all->rng, 4, 20)
                                                        : prng_between(&all->rng, 32, KEYS_MAX));
    for (uint32_t i = 0; i < all->count; i++) {
        session_begin(&all->clients[i]);
        session_later(sim, i);
    }
}

void sim_sessions_close(struct sim *sim)
{
    free(sim->sessions);
    sim->sessions = NULL;
}

bool sim_sessions_are_idle(const struct sim *sim)
{
    for (uint32_t i = 0; sim->sessions && i < sim->sessions->count; i++)
        if (sim->sessions->clients[i].is_busy)
            return false;
    return true;
}

/* Makes the next operation of a session. */
static void session_op(struct sim_sessions *all, uint32_t index, struct op *op, char *value)
{
    struct session_client *client = &all->clients[index];
    struct session_key *key = &all->table[client->key];
    bool is_shared = key_is_shared(all, client->key);
    bool is_mine = is_shared || client->key % all->count == index;

    op->consistency = prng_chance(&all->rng, 3, 5) ? CONSISTENCY_ONE : CONSISTENCY_QUORUM;
    client->is_read = !is_mine || key->sequence + 1 >= NUMBERS_MAX || prng_chance(&all->rng, 1, 2);
    op->kind = OP_GET;
    op->has_siblings = true;
    if (client->is_read)
        return;
    client->number = ++key->sequence;
    key->kinds[client->number] = WRITE_OPEN;
    key->pasts[client->number] = client->views[client->key].past;
    op->kind = OP_PUT;
    op->body = slice_of(value, (size_t)snprintf(value, 32, "s%u", client->number));
    if (is_shared)
        return;
    op->context = slice_of(key->context, key->context_size);
    if (key->context_size > 0 && prng_chance(&all->rng, 1, 6)) {
        key->deletes[client->number] = true;
        op->kind = OP_DELETE;
        op->body = SLICE_NONE;
    }
}

void sim_session_act(struct sim *sim, uint32_t index)
{
    struct sim_sessions *all = sim->sessions;
    struct session_client *client = &all->clients[index];
    struct sim_node *peer = sim_awake_peer(sim, &sim->sessions->rng);
    struct event request = {.kind = EVENT_REQUEST};
    struct op *op = &request.request.op;
    char name[32], value[32];

    session_later(sim, index);
    if (!sim->are_clients_on || client->is_busy || !peer)
        return;
    if (prng_chance(&all->rng, 1, 150))
        session_begin(client);
    client->is_busy = true;
    client->node = peer->index;
    client->boot = peer->boot;
    client->ticket = ++sim->tickets;
    client->key = (uint32_t)prng_below(&all->rng, all->keys);
    session_op(all, index, op, value);
    op->ns = slice_text("sim");
    op->key = slice_of(name, (size_t)snprintf(name, sizeof(name), "session/%u", client->key));
    op->timeout_ms = 1000;
    op->session = slice_of(client->token, client->token_size);
    request.request.ticket = client->ticket;
    sim_step(sim, peer, &request);
}

/* --- what came of it */

static uint32_t session_number(const struct result_value *value)
{
    uint32_t number = 0;

    for (size_t at = 1; at < value->body.size; at++)
        number = number * 10 + (uint32_t)(value->body.data[at] - '0');
    return number;
}

static void past_add(struct past *past, uint64_t etag)
{
    for (unsigned i = 0; i < past->count; i++)
        if (past->etags[i] == etag)
            return;
    if (past->count == PAST_MAX) {
        memmove(past->etags, past->etags + 1, (PAST_MAX - 1) * sizeof(past->etags[0]));
        past->count--;
    }
    past->etags[past->count++] = etag;
}

static bool past_has(const struct past *past, uint64_t etag)
{
    for (unsigned i = 0; i < past->count; i++)
        if (past->etags[i] == etag)
            return true;
    return false;
}

/* D9: values are listed newest first. None may stand before a write that knew of it. */
static void session_check_order(struct sim *sim, struct session_client *client,
                                const struct result *result)
{
    struct session_key *key = &sim->sessions->table[client->key];

    for (uint32_t i = 0; i < result->value_count; i++) {
        for (uint32_t k = i + 1; k < result->value_count; k++) {
            uint32_t number = session_number(&result->values[k]);

            if (!result->values[k].is_tombstone && number <= key->sequence &&
                past_has(&key->pasts[number], result->values[i].etag))
                sim_fail(sim,
                         "D9: session/%u shows %u as newer than %u, which was written after it",
                         client->key, session_number(&result->values[i]), number);
        }
        past_add(&client->views[client->key].past, result->values[i].etag);
    }
}

/* D9: what the session wrote or saw of a key with one writer is there, or is discarded. */
static void session_check_floor(struct sim *sim, struct session_client *client,
                                const struct result *result)
{
    struct session_key *key = &sim->sessions->table[client->key];
    struct session_view *view = &client->views[client->key];
    bool is_excused = view->is_floor_delete;
    uint32_t newest = 0;

    for (uint32_t i = 0; i < result->value_count; i++) {
        uint32_t number = result->values[i].is_tombstone ? 0 : session_number(&result->values[i]);

        newest = number > newest ? number : newest;
    }
    /* A later delete may have taken effect, or one whose outcome is not known: late. */
    for (uint32_t n = 1; n <= key->sequence && !is_excused; n++)
        is_excused = key->deletes[n] && (n > view->floor || key->kinds[n] != WRITE_ACKED);
    if (newest < view->floor && !is_excused)
        sim_fail(sim, "D9: session/%u shows %u to a session that wrote or saw %u", client->key,
                 newest, view->floor);
    if (newest > view->floor) {
        view->floor = newest;
        view->is_floor_delete = false;
    }
}

static void session_read(struct sim *sim, struct session_client *client,
                         const struct result *result)
{
    if (result->status == STATUS_SESSION)
        sim_fail(sim, "D9: a session's own token was refused");
    if (result->status != STATUS_OK && result->status != STATUS_MISSING)
        return;
    sim->reads++;
    if (key_is_shared(sim->sessions, client->key))
        session_check_order(sim, client, result);
    else
        session_check_floor(sim, client, result);
}

static void session_wrote(struct sim *sim, struct session_client *client,
                          const struct result *result)
{
    struct session_key *key = &sim->sessions->table[client->key];
    struct session_view *view = &client->views[client->key];
    enum sim_write_state state = WRITE_UNKNOWN;

    if (result->status == STATUS_OK)
        state = WRITE_ACKED;
    else if (result->outcome == OUTCOME_NOT_STORED)
        state = WRITE_REFUSED;
    key->kinds[client->number] = (uint8_t)state;
    sim->acked += state == WRITE_ACKED;
    sim->unknown += state == WRITE_UNKNOWN;
    sim->refused += state == WRITE_REFUSED;
    if (state != WRITE_ACKED)
        return;
    if (key_is_shared(sim->sessions, client->key)) {
        past_add(&view->past, result->etag);
        return;
    }
    view->floor = client->number > view->floor ? client->number : view->floor;
    view->is_floor_delete = view->floor == client->number && key->deletes[client->number];
    key->context_size = result->context.size;
    if (result->context.size > 0)
        memcpy(key->context, result->context.data, result->context.size);
}

bool sim_session_reply(struct sim *sim, struct sim_node *peer, ticket asked,
                       const struct result *result)
{
    for (uint32_t i = 0; sim->sessions && i < sim->sessions->count; i++) {
        struct session_client *client = &sim->sessions->clients[i];

        if (!client->is_busy || client->ticket != asked || client->node != peer->index)
            continue;
        client->is_busy = false;
        if (sim->is_verbose)
            fprintf(stderr, "%10.6f session %u at peer-%u: %s %u number %u: status %d outcome %d\n",
                    (double)sim->now / 1e6, i, client->node, client->is_read ? "read" : "write",
                    client->key, client->is_read ? 0 : client->number, (int)result->status,
                    (int)result->outcome);
        if (result->session.size > 0) {
            client->token_size = result->session.size;
            memcpy(client->token, result->session.data, result->session.size);
        }
        if (client->is_read)
            session_read(sim, client, result);
        else
            session_wrote(sim, client, result);
        return true;
    }
    return false;
}

void sim_session_lost(struct sim *sim, const struct sim_node *peer)
{
    struct result lost = {.status = STATUS_CLOSED, .outcome = OUTCOME_UNKNOWN};

    for (uint32_t i = 0; sim->sessions && i < sim->sessions->count; i++) {
        struct session_client *client = &sim->sessions->clients[i];

        if (!client->is_busy || client->node != peer->index || client->boot != peer->boot)
            continue;
        client->is_busy = false;
        if (!client->is_read)
            session_wrote(sim, client, &lost);
    }
}
