/* swim_private.h: the state of the membership room and what its files offer each other.
 *
 *   swim.c  life, dispatch, time          swim_table.c   members, merge of records
 *   swim_probe.c  ping, relays            swim_suspect.c statements, suspicion
 *   swim_self.c   our own record          swim_gossip.c  sending, queue
 *   swim_cast.c   news down a tree
 *   swim_repair.c table exchange          swim_digest.c, swim_health.c */
#ifndef GOSSAMER_SWIM_PRIVATE_H
#define GOSSAMER_SWIM_PRIVATE_H

#include "ensure.h"
#include "hash.h"
#include "heap.h"
#include "list.h"
#include "logint.h"
#include "prng.h"
#include "swim.h"

#define SWIM_LATE_US INSTANT_MS(100) /* a timeout evaluated later than this is void */
#define SWIM_SELF_SLOT 0u            /* we are the first in our own table */
#define SWIM_NONE UINT32_MAX
#define SWIM_PERSIST_BLOCK                                                                         \
    1024u /* incarnations persisted ahead: a refutation waits for no disk                          \
           */
#define SWIM_ASK_AGAIN_US INSTANT_MS(500)
#define SWIM_RAISE_AGAIN_US INSTANT_S(1) /* between two answers to a twin: no storm */
#define SWIM_TWIN_AGAIN_US INSTANT_S(60)

/* The part of a member that every probe and digest looks at. */
struct swim_member {
    uint64_t id8;
    uint64_t incarnation;  /* of the record we hold: statements about any other do not count */
    uint64_t since;        /* DEAD: hybrid stamp of the declaration, 0 unknown */
    instant changed;       /* when the rank was set */
    instant differs_since; /* its digest has differed from ours since then; 0: it does not */
    uint32_t rtt_us;       /* smoothed, 0 unknown */
    uint32_t rtt_var_us;   /* smoothed deviation */
    uint8_t rank;          /* enum member_rank */
    uint8_t sends;         /* of the queued update */
    uint8_t cast;          /* its present state was passed on below this depth */
    bool is_queued, is_picked;
    bool is_listed; /* scratch of a table exchange */
};
_Static_assert(sizeof(struct swim_member) <= 64, "a member is one cache line");

/* The part that is looked at rarely. */
struct swim_cold {
    struct node_id id;
    struct self_record record;
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    uint16_t size;
    uint64_t actor_behind; /* of a record with a boot counter that another opening had, or passed */
    uint64_t epoch_before; /* of the process before the present one: its return means a twin */
    instant twin_at;       /* when a twin was last reported; 0: never */
    struct swim_view view;
};

/* Runs while a member is SUSPECT; keeps who declared it while it is DEAD. */
struct swim_suspicion {
    struct heap_node in_due;
    instant started;
    instant doubted; /* when evidence last had the member probed out of turn; 0: never */
    uint64_t accusers[SWIM_ACCUSERS_MAX]; /* distinct; [0] came first, or declared the death */
    uint8_t count;
    bool is_fast; /* as many witnesses as there can be were refused */
};

enum probe_kind {
    PROBE_FREE,
    PROBE_OWN,   /* ours: silence accuses */
    PROBE_RELAY, /* for another peer: silence is told it */
    PROBE_DEAD,  /* of a dead member: only an answer matters */
};

/*   OWN:   DIRECT --timeout or refused--> RELAYED --period over--> accuse
 *   RELAY: DIRECT --80 % of the time left, or refused--> NACK
 *   any:   --ACK--> done */
struct swim_probe {
    enum probe_kind kind;
    bool is_relayed; /* relays were asked */
    bool is_refused; /* the kernel refused us */
    uint32_t slot;
    uint32_t seq;
    uint64_t incarnation; /* of the member when it was asked: silence says nothing of a later one */
    instant sent;
    instant due; /* of the present stage */
    instant end; /* OWN: the period is over */
    uint64_t relays[SWIM_RELAYS];
    uint8_t relay_count;
    uint8_t nacked, refused; /* bits by index in relays */
    uint32_t asker_seq;      /* RELAY */
    struct swim_from asker;  /* RELAY */
};

struct swim_asked {
    uint64_t id8;
    instant when;
};

struct swim {
    struct swim_config config;
    const struct profile_numbers *numbers; /* of our profile */
    struct prng prng;
    uint64_t self8;
    struct swim_member *members;       /* by slot; a slot is for ever */
    struct swim_cold *colds;           /* same slots */
    struct swim_suspicion *suspicions; /* same slots */
    uint32_t *order;                   /* slots in the order of ids */
    uint32_t count, live;              /* live: ALIVE or SUSPECT */
    struct heap due;                   /* suspicions */
    uint32_t *queue;                   /* slots whose news are still passed on */
    uint32_t queue_count;
    uint32_t *pass; /* slots of the present round of probes, shuffled */
    uint32_t pass_count, pass_at;
    uint32_t dead_at; /* index in order: next dead member to probe */
    struct swim_probe probes[SWIM_PROBES_MAX];
    struct swim_asked asked[SWIM_ASKED_MAX];
    uint32_t asked_at;
    uint32_t seq;
    uint32_t load;
    unsigned health;
    uint64_t persisted; /* our incarnation may rise so far */
    uint8_t seed[HASH_SEED_SIZE];
    bool is_seeded, is_started, is_left;
    uint64_t digest, place_digest;
    instant period_at, gossip_at, gossiped, dead_probe_at, table_at, raised_at;
};

/* --- swim_table.c */

/* What is believed of one member. */
struct swim_state {
    uint64_t incarnation;
    enum member_rank rank;
    uint64_t since; /* DEAD only */
};
/* swim_merge joins two beliefs: max of (incarnation, rank), of two deaths the earlier known one. */
struct swim_state swim_merge(struct swim_state a, struct swim_state b);
/* swim_slot finds a member, SWIM_NONE when unknown. */
uint32_t swim_slot(const struct swim *swim, uint64_t id8);
/* swim_lower gives the first index in `order` whose id is not below. */
uint32_t swim_lower(const struct swim *swim, uint64_t id8);
/* swim_insert adds a member without a state, SWIM_NONE when the table is full. */
uint32_t swim_insert(struct swim *swim, const struct node_id *id);
/* swim_set_state writes a belief and keeps digest and counts right. */
void swim_set_state(struct swim *swim, instant now, uint32_t slot, struct swim_state state);
/* swim_keep_record copies a record into the table. */
void swim_keep_record(struct swim *swim, uint32_t slot, const struct self_record *record,
                      struct slice bytes);
static inline bool swim_is_live(const struct swim_member *member)
{
    return member->rank == RANK_ALIVE || member->rank == RANK_SUSPECT;
}
/* swim_is_in_cell tells whether an id8 is one of ours to take in. */
bool swim_is_in_cell(const struct swim *swim, uint64_t id8);
/* swim_twin reports a twin, not too often. */
void swim_twin(struct swim *swim, instant now, uint32_t slot);
struct swim_state swim_state_of(const struct swim *swim, uint32_t slot);

/* --- swim_digest.c */
uint64_t swim_digest_row(const struct swim *swim, const struct swim_member *member);
void swim_digest_seen(struct swim *swim, instant now, uint64_t from, uint64_t digest);

/* --- swim_health.c */
void swim_health_worse(struct swim *swim, unsigned by);
void swim_health_better(struct swim *swim);
/* swim_scaled lengthens a time by our health (Lifeguard: period and timeout alike). */
uint64_t swim_scaled(const struct swim *swim, uint64_t us);

/* --- swim_probe.c */
void swim_probe_start(struct swim *swim, instant now, uint32_t slot);
void swim_probe_period(struct swim *swim, instant now);
void swim_probe_dead(struct swim *swim, instant now);
void swim_probe_expire(struct swim *swim, instant now);
instant swim_probe_deadline(const struct swim *swim);
void swim_probe_ping(struct swim *swim, instant now, const struct swim_from *from,
                     const struct message_ping *ping);
void swim_probe_ack(struct swim *swim, instant now, const struct swim_from *from,
                    const struct message_ack *ack);
void swim_probe_request(struct swim *swim, instant now, const struct swim_from *from,
                        const struct message_ping_req *request);
void swim_probe_nack(struct swim *swim, instant now, const struct swim_from *from,
                     const struct message_nack *nack);
/* swim_rtt_p99 estimates the 99th percentile from mean and deviation, 0 unknown. */
uint64_t swim_rtt_p99(const struct swim_member *member);
void swim_rtt_sample(struct swim_member *member, uint64_t rtt_us);

/* --- swim_suspect.c */
/* swim_suspicion_us gives the length of a suspicion with `extra` accusers beyond the first. */
uint64_t swim_suspicion_us(const struct swim *swim, unsigned extra, uint64_t minimum_us);
uint64_t swim_suspicion_min_us(const struct swim *swim);
/* swim_accuse takes a statement that is admissible and newer, or one more accuser. from 0: nobody
 * that counts. */
void swim_accuse(struct swim *swim, instant now, uint32_t slot, uint64_t from, bool is_fast);
void swim_declare(struct swim *swim, instant now, uint32_t slot, uint64_t from, uint64_t since);
void swim_suspect_end(struct swim *swim, uint32_t slot);
void swim_suspect_expire(struct swim *swim, instant now, uint64_t stamp);
void swim_suspect_update(struct swim *swim, instant now, const struct swim_from *from,
                         const struct message_update *update);
unsigned swim_witnesses(const struct swim *swim);

/* --- swim_self.c */
void swim_self_sign(struct swim *swim, instant now, uint64_t incarnation, uint16_t flags);
void swim_self_accused(struct swim *swim, instant now, const struct swim_from *from,
                       uint64_t accuser, uint64_t incarnation);
void swim_self_record(struct swim *swim, instant now, const struct self_record *record);

/* --- swim_gossip.c */
void swim_emit(struct swim *swim, const struct swim_output *output);
void swim_emit_member(struct swim *swim, uint32_t slot, int old_rank, uint64_t from);
/* swim_send puts messages into a datagram; a receiver that is SUSPECT or DEAD hears it first. */
void swim_send(struct swim *swim, uint64_t to, const struct address *address,
               const struct message *messages, unsigned count);
void swim_send_member(struct swim *swim, uint32_t slot, const struct message *messages,
                      unsigned count);
/* swim_answer goes back the way the question came. */
void swim_answer(struct swim *swim, const struct swim_from *from, const struct message *messages,
                 unsigned count);
/* swim_statement says what we believe of a member as one message: SELF or UPDATE. */
struct message swim_statement(const struct swim *swim, uint32_t slot);
struct message swim_record_message(const struct swim *swim, uint32_t slot);
/* swim_news queues a fresh statement, and sends it to everybody at once while we are few. */
void swim_news(struct swim *swim, instant now, uint32_t slot);
void swim_queue_add(struct swim *swim, instant now, uint32_t slot);
void swim_gossip_expire(struct swim *swim, instant now);
/* swim_ask asks `from` for the record of a member, unless we just did. */
void swim_ask(struct swim *swim, instant now, const struct swim_from *from, uint64_t subject);

/* --- swim_cast.c */
#define SWIM_CAST_NOT                                                                              \
    UINT8_MAX /* a depth nothing is below: what came otherwise goes no further                     \
               */
/* swim_cast passes the present state of a member on to all that share `depth` first bits with us,
 * 0 being everybody, as far as we have not done so. */
void swim_cast(struct swim *swim, uint32_t subject, unsigned depth);
/* swim_cast_depth tells how far down the tree we stand with what `from` brought. */
static inline unsigned swim_cast_depth(const struct swim_from *from)
{
    return from && from->cast > 0 ? from->cast : SWIM_CAST_NOT;
}

/* --- swim_repair.c */
void swim_repair_table(struct swim *swim, instant now, const struct swim_from *from,
                       const struct message_table *table);
void swim_repair_records(struct swim *swim, const struct swim_from *from,
                         const struct message_record_get *get);

#endif
