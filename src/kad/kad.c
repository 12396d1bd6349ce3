/* kad.c: questions, answers, checks and refreshes.
 *
 * There is one question, FIND_NODE, and one answer, NODES. A question with our own id and without
 * padding serves as the check of a contact.
 *
 *   A                                    B
 *   |--- FIND_NODE seq, target, padding -->|   A is not proved to B: B answers no more bytes
 *   |<-- NODES seq, target, contacts ------|   than it got (nobody can use B to amplify),
 *   |<-- FIND_NODE seq' ("who are you?") --|   and asks back
 *   |--- NODES seq' ---------------------->|   now each has proved itself to the other
 *
 * The paper enters whoever asks. We enter only who answered us: the source of a question can be
 * forged or cut off from us, the answer to a fresh number cannot. For the same reason a question is
 * no sign of life of a known contact.
 *
 * An answer has room for half a bucket, and if each peer named the half nearest to the target, the
 * farther half of the k nearest would be named by hardly anybody: 0.86 of them were found in a
 * network of 64. So an answer names the two nearest, which is what makes a search converge, and
 * draws the others by lot from the rest of its k nearest: the answers of the neighbourhood together
 * name everybody (0.99 and more). */
#include "kad_private.h"

#include <stdlib.h>
#include <string.h>

#include "ensure.h"
#include "hash.h"

#define KAD_TIMEOUT_MIN INSTANT_MS(200)     /* a busy peer in the same rack still makes it */
#define KAD_TIMEOUT_MAX INSTANT_S(1)        /* thrice the longest way round the earth */
#define KAD_TIMEOUT_UNKNOWN INSTANT_MS(500) /* a peer whose round trip nobody has measured */
#define KAD_CHECK_RETRY INSTANT_S(1)        /* a check that found no room */
#define KAD_REFRESH_PERIOD INSTANT_S(60)    /* one bucket each time, +-25 % */
#define KAD_REFRESH_JITTER_PERCENT 25
#define KAD_NEAREST_ALWAYS (KAD_BETA / 4) /* contacts of an answer that are not drawn by lot */
#define KAD_CONTACT_BYTES 64              /* of one contact in NODES, rounded up */
#define KAD_PADDING_SIZE (KAD_BETA * KAD_CONTACT_BYTES)

static const uint8_t kad_padding[KAD_PADDING_SIZE];

static void kad_refresh_schedule(struct kad *kad, instant now)
{
    kad->refresh_at = INSTANT_NEVER;
    if (kad->config.cell_depth > 0)
        kad->refresh_at = instant_add(
            now, prng_jitter(&kad->prng, KAD_REFRESH_PERIOD, KAD_REFRESH_JITTER_PERCENT));
}

struct kad *kad_new(const struct kad_config *config)
{
    struct kad *kad = calloc(1, sizeof *kad);

    ensure(config->emit);
    if (!kad)
        return NULL;
    kad->config = *config;
    prng_init(&kad->prng, config->seed);
    kad->seq = (uint32_t)prng_next(&kad->prng);
    if (kad_table_init(&kad->table, &config->self, config->cell_depth, &kad->prng) != STATUS_OK) {
        free(kad);
        return NULL;
    }
    if (kad_lookups_init(kad) != STATUS_OK) {
        kad_table_close(&kad->table);
        free(kad);
        return NULL;
    }
    kad_refresh_schedule(kad, 0);
    return kad;
}

void kad_delete(struct kad *kad)
{
    if (!kad)
        return;
    pool_close(&kad->lookups);
    kad_table_close(&kad->table);
    free(kad);
}

/* --- questions */

/* Whether this address of the peer has answered us. */
static bool kad_is_proved(const struct kad *kad, const struct contact *contact)
{
    const struct kad_contact *known = kad_table_find(&kad->table, &contact->id);

    return known && address_equal(&known->contact.address, &contact->address);
}

static uint64_t kad_timeout(uint32_t rtt_us, unsigned try)
{
    uint64_t timeout = rtt_us ? 3 * (uint64_t)rtt_us : KAD_TIMEOUT_UNKNOWN;

    if (timeout < KAD_TIMEOUT_MIN)
        timeout = KAD_TIMEOUT_MIN;
    if (try > 0)
        timeout *= 2;
    return timeout < KAD_TIMEOUT_MAX ? timeout : KAD_TIMEOUT_MAX;
}

static struct kad_query *kad_query_take(struct kad *kad)
{
    for (unsigned i = 0; i < KAD_QUERIES_MAX; i++)
        if (!kad->queries[i].is_open)
            return &kad->queries[i];
    ensure_unreachable();
}

/* Closes a question and returns a copy of it, because what follows may open the next in its place.
 */
static struct kad_query kad_query_close(struct kad *kad, struct kad_query *query)
{
    ensure(query->is_open);
    query->is_open = false;
    if (!query->lookup) {
        ensure(kad->checks > 0);
        kad->checks--;
    }
    return *query;
}

void kad_ask(struct kad *kad, instant now, const struct kad_ask *ask)
{
    struct kad_query *query = kad_query_take(kad);
    struct kad_output output = {.kind = KAD_SEND, .to = &query->to};

    *query = (struct kad_query){
        .is_open = true,
        .seq = ++kad->seq,
        .to = *ask->to,
        .target = *ask->target,
        .sent = now,
        .due = instant_add(now, kad_timeout(ask->to->rtt_us, ask->try)),
        .lookup = ask->lookup,
    };
    output.message.kind = MESSAGE_FIND_NODE;
    output.message.find_node.seq = query->seq;
    output.message.find_node.target = query->target;
    if (ask->lookup && !kad_is_proved(kad, ask->to))
        output.message.find_node.padding = (struct slice){kad_padding, sizeof kad_padding};
    if (!ask->lookup)
        kad->checks++;
    kad->config.emit(kad->config.context, &output);
}

static bool kad_is_being_asked(const struct kad *kad, const struct node_id *id)
{
    for (unsigned i = 0; i < KAD_QUERIES_MAX; i++)
        if (kad->queries[i].is_open && id_equal(&kad->queries[i].to.id, id))
            return true;
    return false;
}

/* Asks a peer whether it lives; false if there is no room for the question now, or one is open. */
static bool kad_check(struct kad *kad, instant now, const struct contact *contact)
{
    if (kad->checks == KAD_CHECKS_MAX || kad_is_being_asked(kad, &contact->id))
        return false;
    kad_ask(kad, now, &(struct kad_ask){.to = contact, .target = &kad->config.self});
    return true;
}

void kad_prove(struct kad *kad, instant now, const struct contact *contact)
{
    const struct kad_contact *rival = kad_table_prove(&kad->table, now, contact);

    if (rival)
        (void)kad_check(kad, now, &rival->contact); /* the next newcomer tries again */
}

/* --- messages */

/* How many contacts the asker may be sent. */
static unsigned kad_answer_max(const struct kad *kad, const struct contact *from,
                               const struct message_find_node *find)
{
    size_t paid = find->padding.size / KAD_CONTACT_BYTES;

    if (kad_is_proved(kad, from) || paid > KAD_BETA)
        return KAD_BETA;
    return (unsigned)paid;
}

/* The first of `nearest` stay, the others are put in random order. */
static void kad_draw_by_lot(struct kad *kad, const struct kad_contact **nearest, unsigned count)
{
    if (count > KAD_NEAREST_ALWAYS)
        prng_shuffle(&kad->prng, &nearest[KAD_NEAREST_ALWAYS], count - KAD_NEAREST_ALWAYS,
                     sizeof nearest[0]);
}

static void kad_answer(struct kad *kad, const struct contact *from,
                       const struct message_find_node *find)
{
    const struct kad_contact *nearest[KAD_K];
    struct contact contacts[KAD_BETA];
    struct kad_near near = {.target = &find->target, .except = &from->id};
    struct kad_output output = {.kind = KAD_SEND, .to = from, .contacts = contacts};
    unsigned max = kad_answer_max(kad, from, find);
    unsigned count = kad_table_nearest(&kad->table, &near, nearest, KAD_K);

    output.count = count < max ? count : max;
    kad_draw_by_lot(kad, nearest, count);
    for (unsigned i = 0; i < output.count; i++)
        contacts[i] = nearest[i]->contact;
    output.message.kind = MESSAGE_NODES;
    output.message.nodes.seq = find->seq;
    output.message.nodes.target = find->target;
    kad->config.emit(kad->config.context, &output);
}

void kad_receive_find(struct kad *kad, instant now, const struct contact *from,
                      const struct message_find_node *find)
{
    if (id_equal(&from->id, &kad->config.self))
        return;
    kad_answer(kad, from, find);
    if (from->address.family != 0 && !kad_is_proved(kad, from) &&
        kad_table_wants(&kad->table, &from->id))
        (void)kad_check(kad, now, from); /* no room: the next question of this peer tries again */
}

static struct kad_query *kad_query_find(struct kad *kad, const struct contact *from,
                                        const struct kad_nodes *nodes)
{
    for (unsigned i = 0; i < KAD_QUERIES_MAX; i++) {
        struct kad_query *query = &kad->queries[i];

        if (query->is_open && query->seq == nodes->seq && id_equal(&query->to.id, &from->id) &&
            id_equal(&query->target, &nodes->target))
            return query;
    }
    return NULL;
}

/* A moving average, so that one slow answer does not change the timeout much. */
static uint32_t kad_smooth_rtt(const struct kad *kad, const struct node_id *id, uint32_t rtt_us)
{
    const struct kad_contact *known = kad_table_find(&kad->table, id);

    if (!known || known->contact.rtt_us == 0)
        return rtt_us;
    return (uint32_t)(((uint64_t)known->contact.rtt_us * 7 + rtt_us) / 8);
}

enum status kad_receive_nodes(struct kad *kad, instant now, const struct contact *from,
                              const struct kad_nodes *nodes)
{
    struct kad_query *open = kad_query_find(kad, from, nodes);
    struct kad_nodes bounded = *nodes;
    struct contact proved = *from;
    struct kad_query query;
    uint64_t rtt_us;

    if (!open)
        return STATUS_MISSING;
    query = kad_query_close(kad, open);
    query.to = *from;
    rtt_us = now > query.sent ? now - query.sent : 1; /* 0 means unknown */
    proved.rtt_us = kad_smooth_rtt(kad, &from->id, (uint32_t)instant_min(rtt_us, UINT32_MAX));
    kad_prove(kad, now, &proved);
    if (bounded.count > KAD_BETA)
        bounded.count = KAD_BETA;
    if (query.lookup)
        kad_lookup_answered(kad, now, &query, &bounded);
    return STATUS_OK;
}

/* --- time */

static void kad_expire_queries(struct kad *kad, instant now)
{
    for (unsigned i = 0; i < KAD_QUERIES_MAX; i++) {
        struct kad_query query;

        if (!kad->queries[i].is_open || !instant_is_due(kad->queries[i].due, now))
            continue;
        query = kad_query_close(kad, &kad->queries[i]);
        if (query.lookup)
            kad_lookup_silent(kad, now, &query);
        else
            kad_table_silence(&kad->table, now, &query.to.id);
    }
}

static void kad_expire_checks(struct kad *kad, instant now)
{
    struct kad_contact *due;

    while ((due = kad_table_due(&kad->table, now)) != NULL)
        if (!kad_check(kad, now, &due->contact))
            kad_table_postpone(&kad->table, due, instant_add(now, KAD_CHECK_RETRY));
}

/* An id that shares exactly `prefix` bits with self. */
static struct node_id kad_random_id(struct kad *kad, unsigned prefix)
{
    struct node_id id = kad->config.self;
    unsigned at = prefix / 8;
    uint8_t bit = (uint8_t)(0x80u >> (prefix % 8));
    uint8_t below = (uint8_t)(bit - 1u);

    id.bytes[at] = (uint8_t)((id.bytes[at] ^ bit) & ~below);
    id.bytes[at] |= (uint8_t)(prng_next(&kad->prng) & below);
    for (unsigned i = at + 1; i < NODE_ID_SIZE; i++)
        id.bytes[i] = (uint8_t)prng_next(&kad->prng);
    return id;
}

/* How many buckets are kept fresh here: those outside the cell, up to the one behind the deepest
 * that holds anybody. */
static unsigned kad_refresh_count(const struct kad *kad)
{
    unsigned count = 0;

    for (unsigned i = 0; i < KAD_BUCKETS_KEPT; i++)
        if (kad->table.buckets[i] && kad->table.buckets[i]->count > 0)
            count = i + 2;
    return count < kad->config.cell_depth ? count : kad->config.cell_depth;
}

/* One bucket per period and never all at once: peers that started together would otherwise ask
 * together for ever. */
static void kad_expire_refresh(struct kad *kad, instant now)
{
    struct kad_request request = {0};
    unsigned count = kad_refresh_count(kad);

    if (!instant_is_due(kad->refresh_at, now))
        return;
    kad_refresh_schedule(kad, now);
    if (count == 0)
        return;
    kad->refresh_next = (kad->refresh_next + 1) % count;
    request.target = kad_random_id(kad, kad->refresh_next);
    /* All lookups busy: they refresh buckets themselves. Nobody to ask: nothing to refresh. */
    if (kad_lookup_begin(kad, now, &request, true) != STATUS_OK)
        return;
}

void kad_expire(struct kad *kad, instant now)
{
    kad_expire_queries(kad, now);
    kad_expire_checks(kad, now);
    kad_expire_refresh(kad, now);
}

instant kad_deadline(const struct kad *kad)
{
    instant deadline = instant_min(kad->table.next_check, kad->refresh_at);

    for (unsigned i = 0; i < KAD_QUERIES_MAX; i++)
        if (kad->queries[i].is_open)
            deadline = instant_min(deadline, kad->queries[i].due);
    return deadline;
}

/* --- facts and views */

void kad_contact_proved(struct kad *kad, instant now, const struct contact *contact)
{
    kad_prove(kad, now, contact);
}

void kad_contact_silent(struct kad *kad, instant now, const struct node_id *id)
{
    kad_table_silence(&kad->table, now, id);
}

void kad_contact_gone(struct kad *kad, const struct node_id *id)
{
    kad_table_remove(&kad->table, id);
}

unsigned kad_nearest(const struct kad *kad, const struct node_id *target, struct contact *into,
                     unsigned max)
{
    const struct kad_contact *nearest[KAD_K];
    struct kad_near near = {.target = target, .silent_max = KAD_SILENT_MAX - 1};
    unsigned count;

    if (max == 0)
        return 0;
    count = kad_table_nearest(&kad->table, &near, nearest, max < KAD_K ? max : KAD_K);
    for (unsigned i = 0; i < count; i++)
        into[i] = nearest[i]->contact;
    return count;
}

const struct contact *kad_contact_find(const struct kad *kad, const struct node_id *id)
{
    const struct kad_contact *known = kad_table_find(&kad->table, id);

    return known ? &known->contact : NULL;
}

unsigned kad_count(const struct kad *kad)
{
    unsigned count = 0;

    for (unsigned i = 0; i < KAD_BUCKETS_KEPT; i++)
        count += kad_bucket_count(kad, i);
    return count;
}

unsigned kad_bucket_count(const struct kad *kad, unsigned bucket)
{
    ensure(bucket < KAD_BUCKETS_KEPT);
    return kad->table.buckets[bucket] ? kad->table.buckets[bucket]->count : 0;
}

const struct contact *kad_bucket_at(const struct kad *kad, unsigned bucket, unsigned index)
{
    ensure(index < kad_bucket_count(kad, bucket));
    return &kad->table.buckets[bucket]->contacts[index].contact;
}

unsigned kad_bucket_waiting(const struct kad *kad, unsigned bucket)
{
    ensure(bucket < KAD_BUCKETS_KEPT);
    return kad->table.buckets[bucket] ? kad->table.buckets[bucket]->waiting_count : 0;
}
