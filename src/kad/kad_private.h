/* kad_private.h: what the files of this room share. */
#ifndef GOSSAMER_KAD_PRIVATE_H
#define GOSSAMER_KAD_PRIVATE_H

#include "kad.h"
#include "kad_table.h"

#define KAD_QUERIES_MAX (KAD_LOOKUPS_MAX * KAD_ALPHA + KAD_CHECKS_MAX)

struct kad_lookup;

/* One open question. */
struct kad_query {
    bool is_open;
    uint32_t seq;
    struct contact to; /* as it was asked: its id has to answer */
    struct node_id target;
    instant sent, due;
    struct kad_lookup *lookup; /* NULL: a check */
};

struct kad {
    struct kad_config config;
    struct prng prng;
    struct kad_table table;
    struct pool lookups;
    struct kad_query queries[KAD_QUERIES_MAX];
    unsigned checks; /* open questions that are checks */
    uint32_t seq;    /* of the last question */
    instant refresh_at;
    unsigned refresh_next; /* bucket whose turn it is */
};

/* kad_ask sends FIND_NODE and opens the question. `try` counts from 0: a second try waits longer.
 * Room for the question is the caller's care: KAD_ALPHA per lookup, KAD_CHECKS_MAX checks. */
struct kad_ask {
    const struct contact *to;
    const struct node_id *target;
    struct kad_lookup *lookup; /* NULL: a check */
    unsigned try;
};
void kad_ask(struct kad *kad, instant now, const struct kad_ask *ask);
/* kad_prove lets a contact into the table and checks the one that may stand in its way. */
void kad_prove(struct kad *kad, instant now, const struct contact *contact);

/* kad_lookups_init makes room for KAD_LOOKUPS_MAX lookups. OK, or MEMORY. */
enum status kad_lookups_init(struct kad *kad) MUST_USE;
/* kad_lookup_begin opens a lookup; is_own: of the room itself, no output. As kad_lookup. */
enum status kad_lookup_begin(struct kad *kad, instant now, const struct kad_request *request,
                             bool is_own) MUST_USE;
/* kad_lookup_answered and kad_lookup_silent take the end of one of its questions and go on. They
 * may end the lookup: the pointer in the query is dead afterwards. */
void kad_lookup_answered(struct kad *kad, instant now, const struct kad_query *query,
                         const struct kad_nodes *nodes);
void kad_lookup_silent(struct kad *kad, instant now, const struct kad_query *query);

#endif
