/* swim.h: who is a member, and who is alive. SWIM (Das, Gupta, Motivala 2002) with Lifeguard
 * (Dadgar, Phillips, Currey 2018) over signed self records whose merge does not depend on order.
 * A pure room: messages and time go in, messages and facts come out. */
#ifndef GOSSAMER_SWIM_H
#define GOSSAMER_SWIM_H

#include "bytes.h"
#include "limits.h"
#include "message.h"
#include "profile.h"
#include "types.h"

struct swim;

/* --- what comes out */

enum swim_output_kind {
    SWIM_SEND,        /* put `messages` into one datagram to `id8` at `address` */
    SWIM_SEND_STREAM, /* send each of `messages` to `id8` over a stream, dialling if there is none
                       */
    SWIM_MEMBER,      /* fact: the view of member `id8` went from old_rank to rank */
    SWIM_SELF,        /* fact: our incarnation may rise to `incarnation`: persist that number */
    SWIM_TABLE,    /* send `id8` over a stream a TABLE made with swim_table_write, with is_reply */
    SWIM_TWIN,     /* fact: two live processes use the identity `id8` */
    SWIM_STRANGER, /* fact: a genuine record of a peer outside our cell: `record`, `bytes` */
    SWIM_REFUTED,  /* fact: `from` accused us and we are now at `incarnation` */
};

/* One output. Pointers live until the callback returns. */
struct swim_output {
    enum swim_output_kind kind;
    uint64_t id8;                   /* receiver or subject */
    struct address address;         /* SEND */
    const struct message *messages; /* SEND, SEND_STREAM */
    unsigned count;                 /* of `messages`, at least 1 */
    bool may_append;                /* SEND: fill the datagram up with swim_piggyback */
    bool is_reply;                  /* TABLE: answers the peer's own */
    int old_rank;                   /* MEMBER: enum member_rank, -1 for one that was unknown */
    enum member_rank rank;          /* MEMBER */
    uint64_t incarnation;           /* MEMBER, REFUTED; SELF: what to persist */
    uint64_t from; /* MEMBER that is SUSPECT or DEAD, REFUTED: accuser, 0 unknown */
    const struct self_record *record; /* STRANGER */
    struct slice bytes;               /* STRANGER: the signed bytes */
};

/* --- configuration */

struct swim_config {
    struct node_id self;
    enum profile profile;
    uint32_t members_max; /* capacity of the table, self included; at least 2 */
    uint64_t prng_seed;
    unsigned cell_depth; /* 0: everybody is taken in; otherwise ids that share so many first bits
                            with self, at most CELL_DEPTH_MAX */
    /* Takes one output. It may call the views and swim_piggyback, nothing else: queue the rest. */
    void (*emit)(void *context, const struct swim_output *output);
    /* Makes our signed self record: fills `record`, writes at most SELF_RECORD_SIZE_MAX bytes to
     * `into`, returns how many. It may not call back. */
    size_t (*sign)(void *context, uint64_t incarnation, uint16_t flags, uint8_t *into,
                   struct self_record *record);
    void *context; /* handed to both, borrowed */
};

/* --- life */

/* swim_new allocates everything (about 1.3 KiB per member, touched as it is needed). NULL: no
 * memory. Nothing is sent before swim_start. */
struct swim *swim_new(const struct swim_config *config);
/* swim_delete frees it; `swim` may be NULL. */
void swim_delete(struct swim *swim);
/* swim_start begins at max(incarnation_persisted + 1, wall_ms) and signs the first record. Call it
 * once; members of an earlier life are given to swim_receive_record after it, as ALIVE. */
void swim_start(struct swim *swim, instant now, uint64_t wall_ms, uint64_t incarnation_persisted);
/* swim_seed sets the hash seed of the cluster: until then our digest is 0, which means none. */
void swim_seed(struct swim *swim, const uint8_t seed[HASH_SEED_SIZE]);
/* swim_renew signs a new record one incarnation higher: something we say of ourselves changed. */
void swim_renew(struct swim *swim, instant now);
/* swim_raise lifts our incarnation above `seen`, which a peer remembers of us (M3). Nothing happens
 * if it is above already, or if no life of ours can have got there. */
void swim_raise(struct swim *swim, instant now, uint64_t seen);
/* swim_leave says good-bye: a record with SELF_LEFT goes to live members, three times or more.
 * Probing ends, answers go on until the caller deletes the room. */
void swim_leave(struct swim *swim, instant now);
/* swim_load sets the load that PING and ACK carry (message.h). */
void swim_load(struct swim *swim, uint32_t load);
/* swim_place_digest sets what is added to the digest of the members (mod 2^64). */
void swim_place_digest(struct swim *swim, uint64_t digest);

/* --- input */

/* Who sent a message: proved by the seal, id and address both. */
struct swim_from {
    uint64_t id8;
    struct address address; /* where the packet came from; answers go there */
    bool is_stream;         /* came over a stream: answers go over the stream, address unused */
    uint8_t cast;           /* depth of the CAST ahead of it in its datagram, 0: there was none */
};

/* swim_receive takes PING ACK PING_REQ NACK UPDATE RECORD_GET TABLE; other kinds are ignored. The
 * cookie of an ACK was checked by the caller. For SELF use swim_receive_record. */
void swim_receive(struct swim *swim, instant now, const struct swim_from *from,
                  const struct message *message);
/* swim_receive_record takes a self record whose signature the caller has verified, or which
 * swim_knows_record, and the very bytes that were signed with their signature (copied). `from`
 * brought it; NULL: our own disk. */
void swim_receive_record(struct swim *swim, instant now, const struct swim_from *from,
                         const struct self_record *record, struct slice signed_bytes);
/* swim_refused: the kernel says nobody listens at `address`. Who lives there is probed out of turn,
 * and relays are asked at once instead of after the timeout (protocols.md 2.2, fast evidence). It
 * is no accusation: only a member that as many witnesses are refused by as there can be has less
 * than the usual time to object. */
void swim_refused(struct swim *swim, instant now, const struct address *address);
/* swim_doubt: a connection to the member broke, which an end of its process would explain. It is
 * probed out of turn, at most once a period. */
void swim_doubt(struct swim *swim, instant now, uint64_t id8);
/* swim_expire does what is due: probes, suspicions, gossip. stamp_now dates declarations. */
void swim_expire(struct swim *swim, instant now, uint64_t stamp_now);
/* swim_deadline tells when swim_expire is next due, INSTANT_NEVER before swim_start. */
instant swim_deadline(const struct swim *swim);

/* --- output on request */

/* swim_piggyback picks updates for a datagram to `to` with `room` bytes left: fewest sends first,
 * each counted as sent. Returns how many messages it put into `into`, at most `max`. Slices point
 * into the table until the next call that takes `now`. */
unsigned swim_piggyback(struct swim *swim, uint64_t to, size_t room, struct message *into,
                        unsigned max);
/* swim_message_size bounds the bytes of an encoded UPDATE or SELF from above. */
size_t swim_message_size(const struct message *message);
/* swim_table_write appends the field `members` of TABLE: (id8 8 | incarnation 8 | rank 1) each, in
 * the order of ids. */
void swim_table_write(const struct swim *swim, struct writer *writer);
#define SWIM_TABLE_ROW_SIZE 17

/* --- views */

/* One member as we see it. Valid for the life of the room; brought up to date by every swim_find
 * or swim_at that returns it. */
struct swim_view {
    struct node_id id;
    enum member_rank rank;
    uint64_t incarnation;
    struct address address;           /* the first of its record */
    const struct self_record *record; /* decoded; changes when a newer one comes */
    struct slice record_bytes;        /* signed, as it came */
    uint64_t since;                   /* DEAD: stamp of the declaration, 0 unknown */
    instant changed;                  /* when the rank was last set here */
    uint32_t rtt_us, rtt_var_us;      /* smoothed round trip and its deviation, 0 unknown */
    uint64_t actor_behind; /* an opening of it that others came before: its directory is a copy */
};

/* swim_find returns the view of a member, self included after swim_start, or NULL. */
const struct swim_view *swim_find(const struct swim *swim, uint64_t id8);
/* swim_count counts the members of every rank, self included; swim_at gives them in the order of
 * ids, index below swim_count. */
uint32_t swim_count(const struct swim *swim);
const struct swim_view *swim_at(const struct swim *swim, uint32_t index);
/* swim_alive_count counts members that are ALIVE or SUSPECT, self included. */
uint32_t swim_alive_count(const struct swim *swim);
/* swim_own_record returns our signed record, empty before swim_start. Valid until the next call
 * that takes `now`. */
struct slice swim_own_record(const struct swim *swim);
/* swim_knows_record tells whether these very bytes are the record we hold of `id8`. */
bool swim_knows_record(const struct swim *swim, uint64_t id8, struct slice bytes);
/* swim_digest returns the digest of members and placement as PING carries it, 0 without a seed. */
uint64_t swim_digest(const struct swim *swim);
/* swim_health returns the local health: 0 well, up to SWIM_HEALTH_MAX. */
unsigned swim_health(const struct swim *swim);

#endif
