/* op.h: what a client asks and what it is told, in words that name no HTTP. The edge makes `op`
 * from bytes and bytes from `result`; the core knows only these two. Types, no functions. */
#ifndef GOSSAMER_OP_H
#define GOSSAMER_OP_H

#include "limits.h"
#include "message.h"
#include "status.h"
#include "types.h"

/* Ties an answer to its question. Chosen by the driver, never 0. */
typedef uint64_t ticket;

enum op_kind {
    OP_GET = 1,    /* read one key; the result holds every sibling, the winner first */
    OP_PUT = 2,    /* write one key */
    OP_DELETE = 3, /* delete one key */
    OP_LIST = 4,   /* keys of a namespace in byte order */
    OP_LOOKUP = 5, /* who owns a key; with a verify also what each owner holds */
    /* Answered by the peer itself: */
    OP_SELF = 6,
    OP_MEMBERS = 7,
    OP_CLUSTER = 8,
    OP_READY = 9,
    OP_METRICS = 10,
    OP_OVERLAY = 11, /* iterative FIND_NODE for a key or an id */
    /* Administration: */
    OP_BLOCK = 12,   /* drop mesh traffic with the named peers; replaces the list */
    OP_LEAVE = 13,   /* hand data over, then stop */
    OP_JOIN = 14,    /* seeds to try, as text in `key`, comma separated */
    OP_FORGET = 23,  /* give up the dead peer whose id is `key`: 32 bytes */
    OP_DRAIN = 24,   /* `is_on`: let others coordinate; else undo it */
    OP_JOBS = 25,    /* long work of all peers, with how far it is */
    OP_PREVIEW = 27, /* what would move if `limit` peers came and those in `key`, packed as n x
                        (weight u16 | name size u8 | name), had other weights; 0: they went */
    OP_KEYS = 28,    /* the cluster's keys: `key_step` with `key_id`; `is_on`: whoever is missing */
    OP_WEIGHT = 26,  /* `weight` for the peer `key`: its name, or the first digits of its id */
    /* Settings of namespaces; `ns` names one, "_default" the defaults: */
    OP_SPACE_GET = 15,
    OP_SPACE_PUT = 16,    /* replaces its settings by `space` */
    OP_SPACE_LIST = 17,   /* all that have settings of their own */
    OP_SPACE_DELETE = 18, /* back to the defaults; only while no key is in it */
    /* CRDT types (decision 0009): */
    OP_COLLECTION = 20, /* what a typed key holds, of a set or map a page: elements with a path
                           behind `after`, or behind the member or field `body`, that begins with
                           `prefix`; `limit` of them */
    OP_UPDATE = 19,     /* one change of a typed row: `key` is a row name, `type` says which change,
                           `body` its argument as crdt.h tells */
    /* Rows: */
    OP_SCAN = 21,    /* rows of a partition, or of the collection `key`, with their objects */
    OP_RESTORE = 22, /* merge packed rows (rows.h), each made durable at W of its owners */
};

/* Steps of a rotation of the cluster's keys (keys/node_keys_ask.c). */
enum key_step { KEY_LIST, KEY_INSTALL, KEY_USE, KEY_REMOVE };

/* What a value is, numbered as enum crdt_kind: types of a client's view of a key. */
enum value_type {
    TYPE_VALUE = 1,     /* bytes; OP_UPDATE of an element: it is added */
    TYPE_TOMBSTONE = 2, /* OP_UPDATE of an element: it is removed */
    TYPE_SET = 3,
    TYPE_MAP = 4,
    TYPE_COUNTER = 5,
    TYPE_FLAG = 6,
    TYPE_REGISTER = 7,
    TYPE_MVREGISTER = 8,
    TYPE_HLL = 9,
    TYPE_COUNT = 10,
    TYPE_ALL = 15, /* OP_DELETE: everything, and what is in a collection is gone already */
};

enum consistency {
    CONSISTENCY_DEFAULT = 0,
    CONSISTENCY_ONE = 1,
    CONSISTENCY_QUORUM = 2,
    CONSISTENCY_ALL = 3
};

/* Conditions of a request; more than one bit may be set. `etags` belongs to MATCH and NONE_MATCH.
 */
#define CONDITION_MATCH 1u      /* If-Match: "a", "b" */
#define CONDITION_NONE_MATCH 2u /* If-None-Match: "a" */
#define CONDITION_EXISTS 4u     /* If-Match: * */
#define CONDITION_ABSENT 8u     /* If-None-Match: * */
#define OP_ETAGS_MAX 8

/* Slices live as long as the event that carries the op; the core copies what it keeps. */
struct op {
    enum op_kind kind;
    enum consistency consistency;
    uint32_t timeout_ms; /* 0: the configured default */
    uint8_t condition;   /* CONDITION_* bits */
    uint8_t etag_count;
    bool is_verify; /* OP_LOOKUP: ask every owner */
    uint8_t type;   /* OP_UPDATE: enum value_type; OP_DELETE: only values of this type, 0: all */
    /* OP_DELETE: what is in a collection goes first. OP_UPDATE: `body` is n x (path length u16 |
     * path | type u8 | argument length u32 | argument), changes of rows of `key`; from a client
     * only. */
    bool is_many;
    bool is_on;      /* OP_DRAIN; OP_KEYS: forced */
    bool is_watch;   /* OP_MEMBERS: changes follow the answer, until the ticket is cancelled */
    uint16_t key_id; /* OP_KEYS */
    enum key_step key_step;
    uint16_t weight;   /* OP_WEIGHT: 1/256 */
    bool shows;        /* OP_UPDATE: the new value is wanted with the answer */
    bool has_siblings; /* OP_GET: every sibling is shown, so the context covers them all */
    uint32_t limit;    /* OP_LIST: items wanted; 0: LIST_LIMIT_DEFAULT. OP_SCAN: rows, 0: as many
                          as there may be in a page */
    uint64_t ttl_ms;   /* OP_PUT: how long the value lives, at most TTL_MAX_MS; 0: for ever */
    /* OP_SCAN without a key: rows of this partition, all or those of `ns`. With one: rows named
     * `key 0x00 ...`, the elements of a collection. */
    uint32_t partition;
    /* OP_RESTORE: not 0: what is there is superseded; one number per restore, drawn at random,
     * makes the actors of what comes (node_replace.c). */
    uint64_t replace;
    bool is_onward; /* OP_SCAN of a partition: go on with those behind it until the page is full */
    uint64_t etags[OP_ETAGS_MAX];
    struct slice ns, key;     /* OP_BLOCK: comma separated names or ids in `key` */
    struct slice prefix;      /* OP_LIST */
    struct slice after;       /* OP_LIST: exclusive start, empty from the beginning; OP_SCAN: a row
                                 name, or `next` of the page before when a partition is scanned */
    struct slice context;     /* causal context token as the client sent it; empty: blind */
    struct slice idempotency; /* key of a write that is to take effect once; empty: none */
    struct slice session;     /* session token as the client sent it, or "new"; empty: none */
    struct slice meta;        /* OP_PUT: encoded metadata (meta fields below) */
    struct slice body;        /* OP_PUT; OP_RESTORE: rows */
    struct space_settings space; /* OP_SPACE_PUT */
};

/* Metadata of a value: fields (tag u8 | length u16 big-endian | bytes), tags ascending, USER may
 * repeat. The edge writes and reads them; the core only carries them. */
enum meta_tag {
    META_CONTENT_TYPE = 1,
    META_CONTENT_ENCODING = 2,
    META_CACHE_CONTROL = 3,
    META_USER = 4, /* "name: value" of one Gossamer-Meta-* field, name without the prefix */
};

/* What is known of a write that did not succeed (api.md 8). */
enum outcome {
    OUTCOME_NONE = 0,       /* not a write, or it succeeded */
    OUTCOME_NOT_STORED = 1, /* certainly not applied, now or later */
    OUTCOME_PARTIAL = 2,    /* at least one owner has it, it will spread */
    OUTCOME_UNKNOWN = 3,    /* it may appear later or never */
};

/* Roles of a peer in one request, for Gossamer-Route. */
#define ROLE_EDGE 1u
#define ROLE_COORD 2u
#define ROLE_REPLICA 4u
#define ROLE_FAILED 8u
#define ROLE_HINT 16u /* took a hint: some owner lacks the write */

struct route_hop {
    struct label name;
    uint8_t roles;
};

struct result_value {
    uint64_t etag;        /* hash of the dot: changes with every write of the value */
    uint64_t modified_ms; /* wall clock of the write, information only */
    uint64_t expires_ms;  /* wall clock at which it turns into a tombstone, 0: never */
    bool is_tombstone;
    uint8_t type;  /* enum value_type */
    uint32_t size; /* bytes of the body, also when `body` is not carried (listings) */
    struct slice meta, body;
};

struct result_item {
    struct slice key;
    uint32_t siblings;
    struct result_value value; /* the winner, without body */
    struct slice ns, object;   /* OP_SCAN: and what its owners hold, merged and encoded */
    bool is_apart;             /* OP_SCAN of a collection: they hold different states of it */
};

struct result_member {
    struct node_id id;
    struct label name, host, zone;
    enum member_rank rank;
    uint8_t place_state; /* enum place_state, 0: not on the list */
    uint64_t incarnation;
    uint16_t weight;
    struct address mesh;
    uint16_t http_port;
    uint32_t rtt_us, rtt_var_us; /* smoothed, 0 unknown */
    uint64_t since_ms;           /* wall clock of the last change of state in this view */
    bool is_self, is_blocked;
    uint32_t hints;  /* rows it lacks, as the answering peer remembers */
    uint64_t lag_ms; /* since when it lacks the oldest of them */
};

struct result_owner {
    struct node_id id;
    struct label name;
    enum member_rank rank;
    bool is_base, is_target;
    enum status answer; /* is_verify: OK, MISSING, or why it did not answer */
    uint64_t etag;      /* is_verify: of the winner, 0 when none */
    uint32_t hints;     /* peers that remember that it lacks the key; is_verify: of all owners */
};

/* One step of an overlay lookup. */
struct result_hop {
    struct node_id id;
    struct address address;
    uint32_t rtt_us, contacts;
    uint8_t prefix; /* bits shared with the target */
    bool is_answered;
};

struct result_space {
    struct slice name;
    struct space_settings own;  /* what is set for it */
    struct space_settings full; /* what holds: every bit is set */
};

struct result_self {
    struct node_id id;
    struct label name, host, zone;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t place_state;
    uint16_t weight;
    struct address mesh;
    uint16_t http_port;
    uint64_t incarnation, uptime_s, keys, bytes;
    bool is_read_only, is_recovering, is_ready, is_draining;
    uint32_t blocked;
};

/* What a peer that is dead for long still waits for before it is forgotten (node_forget.c). */
enum forget_wait {
    FORGET_NOBODY,   /* nobody is dead for so long */
    FORGET_MAJORITY, /* a majority of the list was not seen alive all the time */
    FORGET_PACE,     /* one was forgotten lately, or the peer asked has just started */
    FORGET_HOSTS,    /* fewer hosts than replicas would stay */
    FORGET_OWNERS,   /* a partition would keep too few sound owners */
    FORGET_ACKS,     /* a majority has not agreed yet */
    FORGET_HEIRS,    /* it is forgotten, others are taking over its share */
};

/* Long work of one peer. */
enum job_kind {
    JOB_JOIN,     /* a newcomer pulls its share */
    JOB_LEAVE,    /* a leaver hands its share over */
    JOB_WEIGH,    /* a peer changes its weight: what it gains */
    JOB_INHERIT,  /* what a peer gains from one that is forgotten or wants to hold less */
    JOB_REFILL,   /* a peer in recovery compares its copies with others */
    JOB_HAND_OFF, /* rows it owns no more go to their owners */
    JOB_KINDS
};
enum job_state { JOB_RUNNING, JOB_WAITING, JOB_PAUSED };
struct result_job {
    enum job_kind kind;
    enum job_state state;
    struct node_id id;                /* of the peer that does it: the first 8 bytes, the rest 0 */
    struct label name, of;            /* of that peer; of the one whose move this is part of */
    uint64_t done, total;             /* bytes; total 0: nothing is known yet */
    uint64_t rate;                    /* bytes a second since it began */
    uint32_t parts_done, parts_total; /* partitions */
    uint32_t since_s;
};

/* What would go from one peer to another. */
struct result_flow {
    struct label from, to; /* from nobody: a further copy */
    uint32_t partitions;
    uint64_t bytes;
};

/* Enough for one summary sentence and its warnings. */
struct result_cluster {
    uint32_t alive, suspect, dead, left;
    uint32_t joining, active, leaving, forgotten, weighing; /* on the placement list */
    enum forget_wait forget_wait;
    struct label forget_name; /* whom that is about */
    /* Of those who are dead or forgotten and still on the list, the first: */
    uint32_t away_count;
    struct label away[CLUSTER_AWAY_MAX];
    uint32_t partitions, partitions_moving, partitions_unavailable, partitions_under;
    uint64_t tombstones;            /* rows of this peer in which nothing is live */
    struct label tombstones_absent; /* an owner they wait for, empty: none is away */
    uint32_t partitions_uncounted;  /* since the store was opened: served, not compared yet */
    uint32_t partitions_differing;  /* from a live peer's, when last compared */
    uint32_t compared_s;            /* since the live peer compared longest ago was */
    uint32_t partitions_diverged;   /* known not to be equal at all their owners */
    uint32_t hints;                 /* rows some owner lacks, as this peer remembers */
    uint64_t hints_dropped;         /* left to anti-entropy so far */
    bool are_hints_lost;            /* of some, and no comparison has found all equal since */
    struct label hints_for;         /* the owner that lacks most, empty: none does */
    uint64_t unconfirmed_ms;        /* since when the oldest of them is lacking */
    uint64_t siblings;              /* keys of this peer with more than one value */
    uint32_t replicas;
    uint64_t layout;
    bool is_founded, is_ready, is_recovering, is_read_only, is_draining;
    uint32_t blocked;
    uint32_t seeds, seeds_silent;
    uint64_t key_id_seen; /* a cluster key id that peers used and we do not have, 0: none */
    uint64_t key_id_ours;
    struct address key_from; /* who used it */
    uint64_t scrub_age_s,
        scrub_rows; /* of this peer: since all rows were verified; rows verified */
    uint64_t rows_corrupt, rows_mended, rows_bad; /* found, replaced, waiting for other owners */
};

/* One element of a set or map. */
struct result_element {
    struct slice path; /* decision 0009 */
    unsigned types;    /* what its row holds, as in a result */
    bool is_true;
    int64_t number;
    uint32_t value_count; /* of registers */
    const struct result_value *values;
};

/* What a member says of the ring of cluster keys. */
enum key_ack { KEY_SILENT, KEY_BEHIND, KEY_ACKNOWLEDGED };
struct result_key_member {
    uint64_t id8;
    struct label name;
    enum key_ack ack;
};

/* The answer. Slices and arrays live until effects_reset; an edge that must keep them copies. */
struct result {
    enum op_kind kind;
    enum status status;
    bool is_more; /* further results follow under this ticket, until it is cancelled */
    enum outcome outcome;
    bool is_created;               /* OP_PUT: nothing was there before */
    uint8_t acks, required, total; /* owners that answered, that had to, that there are */
    uint64_t etag;                 /* after a write */
    uint64_t expires_ms;           /* OP_PUT: when the value will expire, 0: never */
    struct slice context;          /* token text; empty: none */
    struct slice session;          /* the next token, if the request had one */
    uint8_t route_count;
    struct route_hop route[ROUTE_MAX];
    uint32_t took_ms;
    struct label absent; /* an owner that did not answer, for the error's detail */
    enum member_rank absent_rank;

    unsigned types; /* OP_GET, STATUS_TYPE: what the key holds, bit 1 << enum value_type each */
    bool is_true;   /* of a flag */
    bool is_beyond; /* the sum of a counter is beyond 64 bits */
    int64_t number; /* of a counter: the sum; of an hll: the estimate */

    uint32_t element_count; /* OP_COLLECTION */
    const struct result_element *elements;
    uint32_t value_count; /* OP_GET: siblings, the winner first; 0 with STATUS_OK never happens */
    const struct result_value *values;
    uint32_t item_count; /* OP_LIST, OP_SCAN: `key` is the row name, tombstones are among them */
    const struct result_item *items;
    bool is_truncated; /* OP_LIST: more items follow the last. OP_SCAN: more may follow `next` */
    /* OP_SCAN, truncated: the page is complete up to this row key of `partition`; empty, of an
     * onward one: up to the end of the partition before. */
    struct slice next;
    uint32_t partition_count; /* OP_SCAN: of the cluster */
    uint32_t row_count;       /* OP_RESTORE: rows that are durable now */
    uint32_t member_count;
    const struct result_member *members; /* OP_MEMBERS */
    uint64_t digest;                     /* OP_MEMBERS, OP_CLUSTER: of all records */
    uint32_t owner_count;
    const struct result_owner *owners; /* OP_LOOKUP */
    uint32_t partition;
    uint64_t layout;
    uint32_t space_count;
    const struct result_space *spaces; /* OP_SPACE_*: names ascending */
    uint32_t job_count;
    const struct result_job *jobs; /* OP_JOBS */
    uint32_t silent_count;         /* OP_JOBS: peers that did not answer */
    uint8_t key_count;             /* OP_KEYS: ids, the primary first */
    uint16_t keys[4], key_changed; /* of the step: the key it was about */
    uint32_t key_member_count;
    const struct result_key_member *key_members;
    uint32_t flow_count; /* OP_PREVIEW */
    const struct result_flow *flows;
    uint32_t moved, slots; /* OP_PREVIEW: copies of partitions that would move, of so many */
    uint64_t moved_bytes;
    uint32_t hop_count;
    const struct result_hop *hops;        /* OP_OVERLAY */
    const struct result_self *self;       /* OP_SELF, OP_READY */
    const struct result_cluster *cluster; /* OP_CLUSTER, OP_READY, OP_METRICS */
};

#endif
