/* kad.h: who is near an identifier, and who knows the way. Kademlia (Maymounkov and Mazieres 2002)
 * among authenticated peers: k-buckets that only the proven enter, and iterative lookups. This room
 * decides who knows whom; it never decides who stores what, and never who is a member. */
#ifndef GOSSAMER_KAD_H
#define GOSSAMER_KAD_H

#include "limits.h"
#include "message.h"
#include "status.h"
#include "types.h"

struct kad;

/* --- what comes out */

enum kad_output_kind {
    KAD_SEND, /* put `message` into a datagram to `to` */
    KAD_STEP, /* lookup `lookup`: the peer `to` answered or stayed silent */
    KAD_DONE, /* lookup `lookup` ended; its id may be used again */
};

/* One output. Pointers live until the callback returns. Fields without a mark are for every kind.
 */
struct kad_output {
    enum kad_output_kind kind;
    const struct contact *to;       /* SEND, STEP */
    struct message message;         /* SEND: FIND_NODE whole, or NODES whose contacts follow */
    const struct contact *contacts; /* SEND of NODES: to be packed into message.nodes.contacts, at
                                       most KAD_BETA; DONE: the nearest that answered, nearest
                                       first, at most KAD_K, never self */
    unsigned count;                 /* of `contacts`; STEP: contacts the peer named */
    uint64_t lookup;                /* STEP, DONE */
    bool is_answer;                 /* STEP: answered; otherwise silent for good */
    uint32_t rtt_us;                /* STEP: from question to answer, 0 for the silent */
    unsigned prefix;                /* STEP: leading bits the peer shares with the target */
    unsigned hops;                  /* STEP: referrals that led to `to`; DONE: to the nearest */
    unsigned queries;               /* DONE: questions sent */
};

/* kad_emit takes one output. It must not call back into the room: queue what follows from it. */
typedef void kad_emit(void *context, const struct kad_output *output);

/* --- the five verbs */

struct kad_config {
    struct node_id self;
    uint64_t seed; /* of the generator: jitter, refresh targets, question numbers */
    unsigned
        cell_depth; /* contacts that share fewer bits than this with self are checked and their
                       buckets refreshed here; the others are in our cell and SWIM watches them.
                       0: nothing is sent unasked; KAD_BUCKETS_MAX: an overlay without cells */
    kad_emit *emit;
    void *context; /* handed to `emit`, borrowed */
};

/* kad_new allocates everything (0.25 MiB, touched as it is needed). NULL: no memory. */
struct kad *kad_new(const struct kad_config *config);
/* kad_delete frees it, open lookups end without output; `kad` may be NULL. */
void kad_delete(struct kad *kad);
/* kad_receive_find answers FIND_NODE from an authenticated peer with at most KAD_BETA of our KAD_K
 * contacts nearest to the target: the two nearest, and others by lot (kad.c says why). To an
 * address that is not proved it sends no more than the padding of the question allows, and asks
 * back, so that the asker can prove itself. */
void kad_receive_find(struct kad *kad, instant now, const struct contact *from,
                      const struct message_find_node *find);

/* NODES, decoded. Ids are derived from the keys (wire_contact_read does). */
struct kad_nodes {
    uint32_t seq;
    struct node_id target;
    const struct contact *contacts; /* borrowed */
    unsigned count;                 /* those above KAD_BETA are not looked at */
};
/* kad_receive_nodes takes an answer from an authenticated peer. Only the answer to an open question
 * to that very peer counts: it proves the peer. OK; MISSING: no such question, nothing happened. */
enum status kad_receive_nodes(struct kad *kad, instant now, const struct contact *from,
                              const struct kad_nodes *nodes) MUST_USE;
/* kad_expire does what is due: silent peers, checks, refresh of at most one bucket. */
void kad_expire(struct kad *kad, instant now);
/* kad_deadline tells when kad_expire is next due. */
instant kad_deadline(const struct kad *kad);

/* --- facts from others */

/* kad_contact_proved: an authenticated answer to something fresh of ours came from this address.
 * With answers to our own questions the only way into a bucket (K4). rtt_us may be 0. */
void kad_contact_proved(struct kad *kad, instant now, const struct contact *contact);
/* kad_contact_silent: the peer did not answer somebody else's message. The third silence in a row
 * makes room for a waiting contact. Strangers are ignored. */
void kad_contact_silent(struct kad *kad, instant now, const struct node_id *id);
/* kad_contact_gone: the peer is dead or left. */
void kad_contact_gone(struct kad *kad, const struct node_id *id);

/* --- lookups */

struct kad_request {
    uint64_t lookup; /* the caller's name for it, in STEP and DONE */
    struct node_id target;
    const struct contact *seeds; /* borrowed: contacts to begin with besides those in the buckets */
    unsigned seed_count;
};
/* kad_lookup begins the iterative search for the KAD_K live peers nearest to the target (section
 * 2.3). It ends with one KAD_DONE, after KAD_LOOKUP_QUERIES_MAX questions or 12 s at the latest.
 * OK; FULL: too many lookups are open; MISSING: there is nobody to ask. */
enum status kad_lookup(struct kad *kad, instant now, const struct kad_request *request) MUST_USE;

/* --- views */

/* kad_nearest copies the contacts in the buckets nearest to the target, nearest first, at most
 * `max` (no more than KAD_K), and returns how many. Those that failed three checks are left out. */
unsigned kad_nearest(const struct kad *kad, const struct node_id *target, struct contact *into,
                     unsigned max);
/* kad_contact_find returns the contact of a peer in the buckets, or NULL; until the next call. */
const struct contact *kad_contact_find(const struct kad *kad, const struct node_id *id);
/* kad_count counts the contacts in all buckets, waiting ones not included. */
unsigned kad_count(const struct kad *kad);
/* kad_bucket_count counts the contacts of one bucket (below KAD_BUCKETS_KEPT); kad_bucket_at
 * returns one of them, the least recently proved at index 0. kad_bucket_waiting counts its
 * replacements. */
unsigned kad_bucket_count(const struct kad *kad, unsigned bucket);
const struct contact *kad_bucket_at(const struct kad *kad, unsigned bucket, unsigned index);
unsigned kad_bucket_waiting(const struct kad *kad, unsigned bucket);

#endif
