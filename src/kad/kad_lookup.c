/* kad_lookup.c: one iterative search (Kademlia, section 2.3).
 *
 *   HEARD ---ask---> ASKED ---NODES---> ANSWERED          candidates, nearest to the target first:
 *     ^                |                                   [A][A][S][A][?][h][h] ... [h]
 *     +--first silence-+---second silence---> SILENT       \___ k nearest not SILENT ___/
 *
 * Up to alpha questions are open at once, always to the nearest HEARD candidates among the k
 * nearest that are not SILENT. The search ends when all of these answered: then nobody of them
 * knows anybody nearer. The paper waits for rounds of alpha; we go on with each answer, so that one
 * silent peer delays a third of the search and not all of it. A silent candidate is asked twice,
 * because one lost datagram must not hide a peer.
 *
 * What answers name are candidates of this search and nothing else: they come into a bucket only by
 * answering us. */
#include <string.h>

#include "ensure.h"
#include "hash.h"
#include "kad_private.h"

#define KAD_TRIES_MAX 2
#define KAD_LOOKUP_TIME INSTANT_S(10) /* no question after this; the last ones end 2 s later */

enum kad_candidate_state { KAD_HEARD, KAD_ASKED, KAD_ANSWERED, KAD_SILENT };

/* A peer this search has heard of. */
struct kad_candidate {
    struct contact contact;
    enum kad_candidate_state state;
    uint8_t tries; /* questions that stayed silent */
    uint8_t hops;  /* referrals that led to it; 0: we knew it */
};

struct kad_lookup {
    uint64_t id; /* the caller's name */
    bool is_own; /* begun by this room: no output */
    struct node_id target;
    instant started;
    struct kad_candidate candidates[KAD_CANDIDATES_MAX]; /* nearest first, no two of one id */
    unsigned count;                                      /* candidates */
    unsigned open;                                       /* questions without answer yet */
    unsigned queries;                                    /* questions sent */
};

enum status kad_lookups_init(struct kad *kad)
{
    return pool_init(&kad->lookups, sizeof(struct kad_lookup), KAD_LOOKUPS_MAX);
}

static struct kad_candidate *kad_candidate_find(struct kad_lookup *lookup, const struct node_id *id)
{
    for (unsigned i = 0; i < lookup->count; i++)
        if (id_equal(&lookup->candidates[i].contact.id, id))
            return &lookup->candidates[i];
    return NULL;
}

/* The farthest candidate is forgotten when there is no room. It cannot come back: the list stays
 * full of nearer ones, so the search still ends. */
static void kad_candidate_add(const struct kad *kad, struct kad_lookup *lookup,
                              const struct contact *contact, uint8_t hops)
{
    unsigned at = lookup->count;

    if (id_equal(&contact->id, &kad->config.self) || contact->address.family == 0 ||
        kad_candidate_find(lookup, &contact->id))
        return;
    while (at > 0 &&
           id_closer(&lookup->target, &contact->id, &lookup->candidates[at - 1].contact.id))
        at--;
    if (at == KAD_CANDIDATES_MAX)
        return;
    if (lookup->count == KAD_CANDIDATES_MAX)
        lookup->count--;
    memmove(&lookup->candidates[at + 1], &lookup->candidates[at],
            (lookup->count - at) * sizeof *lookup->candidates);
    lookup->count++;
    lookup->candidates[at] = (struct kad_candidate){.contact = *contact, .hops = hops};
}

/* --- outputs */

/* Reports what a question came to; `named` is how many contacts the peer named. */
static void kad_lookup_report(struct kad *kad, const struct kad_lookup *lookup,
                              const struct kad_candidate *candidate, unsigned named)
{
    struct kad_output output = {
        .kind = KAD_STEP,
        .to = &candidate->contact,
        .lookup = lookup->id,
        .count = named,
        .is_answer = candidate->state == KAD_ANSWERED,
        .prefix = id_prefix(&candidate->contact.id, &lookup->target),
        .hops = candidate->hops,
    };

    if (lookup->is_own)
        return;
    if (output.is_answer)
        output.rtt_us = candidate->contact.rtt_us;
    kad->config.emit(kad->config.context, &output);
}

static void kad_lookup_finish(struct kad *kad, struct kad_lookup *lookup)
{
    struct contact nearest[KAD_K];
    struct kad_output output = {
        .kind = KAD_DONE, .contacts = nearest, .lookup = lookup->id, .queries = lookup->queries};
    bool is_own = lookup->is_own;

    ensure(lookup->open == 0);
    for (unsigned i = 0; i < lookup->count && output.count < KAD_K; i++) {
        const struct kad_candidate *candidate = &lookup->candidates[i];

        if (candidate->state != KAD_ANSWERED)
            continue;
        if (output.count == 0)
            output.hops = candidate->hops;
        nearest[output.count++] = candidate->contact;
    }
    pool_give(&kad->lookups, lookup);
    if (!is_own)
        kad->config.emit(kad->config.context, &output);
}

/* --- the search */

/* The nearest candidate to ask, or NULL when the k nearest have all been asked. */
static struct kad_candidate *kad_lookup_next(struct kad_lookup *lookup, instant now)
{
    unsigned live = 0;

    if (lookup->queries >= KAD_LOOKUP_QUERIES_MAX ||
        now >= instant_add(lookup->started, KAD_LOOKUP_TIME))
        return NULL;
    for (unsigned i = 0; i < lookup->count && live < KAD_K; i++) {
        if (lookup->candidates[i].state == KAD_HEARD)
            return &lookup->candidates[i];
        if (lookup->candidates[i].state != KAD_SILENT)
            live++;
    }
    return NULL;
}

static void kad_lookup_advance(struct kad *kad, instant now, struct kad_lookup *lookup)
{
    while (lookup->open < KAD_ALPHA) {
        struct kad_candidate *next = kad_lookup_next(lookup, now);

        if (!next)
            break;
        next->state = KAD_ASKED;
        lookup->open++;
        lookup->queries++;
        kad_ask(kad, now,
                &(struct kad_ask){.to = &next->contact,
                                  .target = &lookup->target,
                                  .lookup = lookup,
                                  .try = next->tries});
    }
    if (lookup->open == 0)
        kad_lookup_finish(kad, lookup);
}

static void kad_lookup_seed(struct kad *kad, struct kad_lookup *lookup,
                            const struct kad_request *request)
{
    const struct kad_contact *known[KAD_K];
    struct kad_near near = {.target = &lookup->target, .silent_max = KAD_SILENT_MAX - 1};
    unsigned count = kad_table_nearest(&kad->table, &near, known, KAD_K);

    for (unsigned i = 0; i < count; i++)
        kad_candidate_add(kad, lookup, &known[i]->contact, 0);
    for (unsigned i = 0; i < request->seed_count; i++)
        kad_candidate_add(kad, lookup, &request->seeds[i], 0);
    if (lookup->count > 0)
        return;
    /* Better one that was silent lately than nobody: our own link may have been down. */
    near.silent_max = UINT8_MAX;
    count = kad_table_nearest(&kad->table, &near, known, KAD_K);
    for (unsigned i = 0; i < count; i++)
        kad_candidate_add(kad, lookup, &known[i]->contact, 0);
}

enum status kad_lookup_begin(struct kad *kad, instant now, const struct kad_request *request,
                             bool is_own)
{
    struct kad_lookup *lookup = pool_take(&kad->lookups);

    if (!lookup)
        return STATUS_FULL;
    lookup->id = request->lookup;
    lookup->is_own = is_own;
    lookup->target = request->target;
    lookup->started = now;
    kad_lookup_seed(kad, lookup, request);
    if (lookup->count == 0) {
        pool_give(&kad->lookups, lookup);
        return STATUS_MISSING;
    }
    kad_lookup_advance(kad, now, lookup);
    return STATUS_OK;
}

void kad_lookup_answered(struct kad *kad, instant now, const struct kad_query *query,
                         const struct kad_nodes *nodes)
{
    struct kad_lookup *lookup = query->lookup;
    struct kad_candidate *candidate = kad_candidate_find(lookup, &query->to.id);
    uint8_t hops = UINT8_MAX;

    ensure(lookup->open > 0);
    lookup->open--;
    if (candidate) {
        candidate->state = KAD_ANSWERED;
        candidate->contact = query->to;
        candidate->contact.rtt_us = (uint32_t)instant_min(now - query->sent, UINT32_MAX);
        hops = candidate->hops;
        kad_lookup_report(kad, lookup, candidate, nodes->count);
    }
    if (hops < UINT8_MAX)
        hops++;
    for (unsigned i = 0; i < nodes->count; i++)
        kad_candidate_add(kad, lookup, &nodes->contacts[i], hops);
    kad_lookup_advance(kad, now, lookup);
}

void kad_lookup_silent(struct kad *kad, instant now, const struct kad_query *query)
{
    struct kad_lookup *lookup = query->lookup;
    struct kad_candidate *candidate = kad_candidate_find(lookup, &query->to.id);

    ensure(lookup->open > 0);
    lookup->open--;
    if (candidate && ++candidate->tries < KAD_TRIES_MAX) {
        candidate->state = KAD_HEARD;
    } else if (candidate) {
        candidate->state = KAD_SILENT;
        kad_table_silence(&kad->table, now, &query->to.id);
        kad_lookup_report(kad, lookup, candidate, 0);
    }
    kad_lookup_advance(kad, now, lookup);
}

enum status kad_lookup(struct kad *kad, instant now, const struct kad_request *request)
{
    return kad_lookup_begin(kad, now, request, false);
}
