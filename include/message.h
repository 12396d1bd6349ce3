/* message.h: the shared vocabulary of mesh messages, made from the one table proto/messages.def.
 * Types only. `wire` spells them in bytes, the protocol rooms fill and read them. */
#ifndef GOSSAMER_MESSAGE_H
#define GOSSAMER_MESSAGE_H

#include "limits.h"
#include "types.h"

#define MESSAGE_TYPE_U8 uint8_t
#define MESSAGE_TYPE_U16 uint16_t
#define MESSAGE_TYPE_U32 uint32_t
#define MESSAGE_TYPE_U64 uint64_t
#define MESSAGE_TYPE_ID32 struct node_id
#define MESSAGE_TYPE_HASH16 struct hash16
#define MESSAGE_TYPE_BYTES struct slice

struct hash16 {
    uint8_t bytes[16];
};

/* The kind of a message is its id on the wire; MESSAGE_NONE is no message. */
enum message_kind {
    MESSAGE_NONE = 0,
#define MESSAGE(NAME, name, id, carrier) MESSAGE_##NAME = (id),
#define FIELD(name, key, TYPE, bound, member)
#define END(name)
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END
};

/* One struct per message, fields as in the table. Slices point into the decoded input. */
#define MESSAGE(NAME, name, id, carrier) struct message_##name {
#define FIELD(name, key, TYPE, bound, member) MESSAGE_TYPE_##TYPE member;
#define END(name)                                                                                  \
    }                                                                                              \
    ;
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END

struct message {
    enum message_kind kind;
    union {
#define MESSAGE(NAME, name, id, carrier) struct message_##name name;
#define FIELD(name, key, TYPE, bound, member)
#define END(name)
#include "messages.def"
#undef MESSAGE
#undef FIELD
#undef END
    };
};

/* --- records: what is hashed, signed or kept, spelled by wire_record in a fixed layout */

/* Rank of a statement about a member. State of a member = max of (incarnation, rank). */
enum member_rank { RANK_ALIVE = 0, RANK_SUSPECT = 1, RANK_DEAD = 2, RANK_LEFT = 3 };

#define SELF_ADDRESSES_MAX 3
#define TAGS_SIZE_MAX 256

/* What a peer says about itself, signed with its identity key (protocols.md 2.1). */
struct self_record {
    uint8_t public_key[PUBLIC_KEY_SIZE]; /* Ed25519; its BLAKE2b-256 is the NodeID */
    uint64_t incarnation;
    uint64_t boot_counter; /* grows with each opening of the store */
    uint64_t actor;        /* clock actor of this opening */
    uint64_t epoch;        /* packet epoch of this process */
    uint16_t flags;        /* SELF_LEFT */
    uint8_t protocol_min, protocol_max;
    uint8_t address_count; /* 1 to 3 */
    struct address addresses[SELF_ADDRESSES_MAX];
    uint16_t http_port;
    struct label name, host, zone;
    uint8_t tags_size; /* reserved: encoded tags */
    uint32_t features; /* bits 16-31 reserved */
};
#define SELF_LEFT 1u /* the subject left: the only source of RANK_LEFT */

enum place_state {
    PLACE_JOINING = 1,
    PLACE_ACTIVE = 2,
    PLACE_LEAVING = 3,
    PLACE_OUT = 4,
    PLACE_GONE = 5,     /* forgotten; others are taking its place, then OUT */
    PLACE_WEIGHING = 6, /* `weight` counts in base, `weight_next` in target; then ACTIVE with it */
};

/* One row of the placement list: last writer (larger stamp, then larger by) wins. */
struct place_record {
    struct node_id id;
    uint8_t state;        /* enum place_state */
    uint16_t weight;      /* 1/256; 256 is weight 1, 0 stores nothing */
    uint16_t weight_next; /* WEIGHING only, else 0 */
    struct label host, zone;
    uint64_t stamp; /* hybrid clock */
    uint64_t by;    /* id8 of the writer */
};

/* What holds for the keys of a namespace. A setting counts where its bit is in `set` and is 0 where
 * it is not: then that of `_default` holds, or what is built in. */
#define SPACE_REPLICAS 1u
#define SPACE_CONSISTENCY 2u
#define SPACE_CONFLICT 4u
#define SPACE_TTL 8u
#define SPACE_ALL 15u
enum conflict_policy { CONFLICT_SIBLINGS = 1, CONFLICT_LWW = 2 };
struct space_settings {
    uint8_t set;         /* SPACE_* bits */
    uint8_t replicas;    /* owners of each key */
    uint8_t consistency; /* enum consistency of requests that name none */
    uint8_t conflict;    /* enum conflict_policy */
    uint64_t ttl_ms;     /* of values written without one; set and 0: they stay */
};

/* Settings of one namespace: last writer (larger stamp, then larger by) wins. The number of
 * replicas has a last writer of its own: it says where rows lie, so a later change of the rest that
 * did not know of it must not take it back. */
struct space_record {
    uint8_t name_size;
    uint8_t name[NS_SIZE_MAX]; /* "_default": what holds where nothing else is set */
    bool is_deleted;           /* back to the defaults; `set` is 0 but for the replicas */
    struct space_settings settings;
    uint64_t stamp;          /* hybrid clock */
    uint64_t by;             /* id8 of the writer */
    uint64_t replicas_stamp; /* of settings.replicas, set or not; 0: it was never changed */
};

/* What is fixed when a cluster is born (protocols.md 1). The smaller (stamp, founder) wins. */
struct founding_record {
    uint64_t stamp;
    struct node_id founder;
    uint8_t hash_seed[HASH_SEED_SIZE];
    uint8_t partition_bits;
    uint8_t cell_depth; /* cells: first bits of a NodeID that name its cell; 0 is one cell */
    uint8_t replicas;   /* N of the default namespace */
};

/* Who a peer is and where: enough to send it a first sealed packet. */
struct contact {
    uint8_t public_key[PUBLIC_KEY_SIZE];
    struct node_id id; /* derived from the key, never read from the wire */
    struct address address;
    uint64_t epoch;
    uint32_t rtt_us; /* 0: unknown */
};

#endif
