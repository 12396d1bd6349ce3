/* node_impl.h: the inside of a node, shared by the files of this room only. The node carries facts
 * between the protocol rooms; no protocol rule lives here.
 *
 *   event -> node.c -> node_datagram, node_link -> node_message -> swim kad quorum sync (receive)
 *                      node_request -> node_task -> node_coord, node_replica -> quorum
 *   outputs of the rooms -> node_facts -> node_send, node_store, node_reply -> effects
 */
#ifndef GOSSAMER_NODE_IMPL_H
#define GOSSAMER_NODE_IMPL_H

#include "balance.h"
#include "bytes.h"
#include "crdt.h"
#include "ensure.h"
#include "hash.h"
#include "heap.h"
#include "kad.h"
#include "list.h"
#include "map.h"
#include "node.h"
#include "pool.h"
#include "prng.h"
#include "quorum.h"
#include "swim.h"
#include "sync.h"
#include "wire.h"

#include "node_unproved.h"
#include "keys/node_keys.h"
#include "move/node_hand.h"
#include "move/node_jobs.h"
#include "node_late.h"
#include "op/node_outcome.h"
#include "op/node_watch.h"
#include "rot/node_rot.h"

#define NODE_BLOCKED_MAX 64             /* peers on the block list: a test cluster */
#define NODE_SEED_ADDRESSES_MAX 64      /* resolved seeds */
#define NODE_LINK_QUEUE_MAX (64u << 20) /* bytes waiting for a handshake; a few large values */
#define NODE_SYS_MEMBER "member/"       /* names of rows of `sys` begin with it */
#define NODE_SYS_PLACE "place/"
#define NODE_SYS_SPACE "space/"
#define NODE_BATCHES_MAX 16 /* batches of anti-entropy rows: 4 rounds out, 8 in, some air */

/* Where the node is between two openings of its store. Client work waits for NODE_OPEN. */
enum node_phase { NODE_CLOSED, NODE_READING, NODE_SCANNING, NODE_OPEN, NODE_ENDING, NODE_STOPPED };

enum node_link_state { LINK_FREE, LINK_DIALING, LINK_SHAKING, LINK_READY };
/* One TCP connection to a peer. `peer` is known before READY when we dialled a member. */
struct node_link {
    struct node_timer timer; /* handshake deadline, then idleness */
    enum node_link_state state;
    link_id id;
    bool is_join, is_retired; /* dialled to a seed: JOIN goes first; its key is gone */
    struct address address;
    uint64_t peer; /* id8; 0: not known yet */
    struct seal_stream *stream;
    instant used;
    struct buffer part;   /* chunks of the message that is arriving */
    struct buffer queue;  /* frames in clear that wait for READY: (u32 size, bytes)... */
    struct buffer packed; /* the next record in clear, it waits for node_flush */
    struct node_late late;
    struct list in_packed;
};

/* A piece of work on one key, whoever asked for it. */
enum node_task_kind {
    TASK_CLIENT, /* a client of this peer; perhaps forwarded to an owner */
    TASK_OP,     /* another edge forwarded it to us: we coordinate */
    TASK_PUT,    /* a coordinator wants its object merged here */
    TASK_GET,    /* a coordinator wants to see our copy */
    TASK_MERGE,  /* a row pulled by anti-entropy */
    TASK_REPAIR, /* a read found our own copy stale */
    TASK_GIVE,   /* an object another owner pulls from us */
    TASK_ROW,    /* a row that a client restores; `origin` is the task of the request */
    TASK_HINT,   /* a row that the owner `origin` lacks */
    TASK_RECORD, /* an operation on the record of an idempotent write, for the task `request` */
    TASK_MEND,   /* a damaged row of ours is fetched from the others */
    TASK_SETTLE, /* a row loses what all owners agreed to; `object` is the marks */
};
enum node_task_step {
    STEP_START,  /* nothing has happened */
    STEP_LOAD,   /* waits for a cold row */
    STEP_READ,   /* quorum read runs */
    STEP_WRITE,  /* quorum write runs, or the local commit of a replica's merge */
    STEP_COMMIT, /* a counter: the local commit runs, the quorum write follows it */
    STEP_AWAY,   /* forwarded, waits for OP_REPLY */
    STEP_PAUSE,  /* will be tried again */
    STEP_ONCE,   /* waits for an operation on its record */
    STEP_LIST,   /* listing or lookup among all peers */
    STEP_GROUP,  /* children work on its rows */
    STEP_SCAN,   /* quorum reads a page of rows */
};

struct node_task {
    struct node_timer timer; /* deadline, or the end of a pause or of one try */
    struct list in_load;     /* waiting for the same cold row */
    enum node_task_kind kind;
    enum node_task_step step;
    uint64_t id;         /* request number of everything it sends */
    ticket ticket;       /* TASK_CLIENT */
    uint64_t origin;     /* peer that asked, id8 */
    uint64_t request;    /* its request number */
    uint8_t batch;       /* TASK_MERGE, TASK_GIVE: its place in node->batches */
    struct op op;        /* slices into memory */
    struct blob *memory; /* ns, key, context, meta, body */
    struct blob *object; /* encoded object: asked to merge, read by a quorum, or being written */
    uint64_t hash_front, carried_from; /* front of its row key, and of the stray it was */
    struct hash16 digest;              /* TASK_GET: the asker's copy */
    instant started, deadline;
    uint64_t away;                /* peer it is forwarded to */
    instant sent;                 /* when */
    uint64_t tried[REPLICAS_MAX]; /* owners it went to before */
    uint8_t tries;
    bool is_read_done; /* the quorum read before a conditional write is over */
    bool is_settled;   /* and quorums held exactly `object` */
    bool is_written;   /* `object` holds our own new dot: a retry sends the same */
    bool is_sent;      /* and it has left: it may be stored somewhere */
    bool was_sent;     /* in a try before this one */
    bool is_created, is_cancelled;
    bool is_out; /* STEP_AWAY: a link stood when it was sent, so it may have arrived */
    enum node_once once;
    struct dot claim;        /* stamp 0: none */
    struct hash16 once_name; /* op.idempotency points here at the edge */
    struct blob *done;       /* ONCE_RECORD: the outcome to tell */
    bool is_raised;          /* its session made the read stricter than was asked */
    bool is_behind;          /* and owners that answered were behind it */
    uint8_t waits, pauses;   /* for owners that were behind; because layouts differed */
    uint8_t leads, group;    /* place + 1 of the group it leads, or is a child of; 0: none */
    uint32_t group_number;   /* of that group */
    bool is_head_checked;    /* OP_UPDATE of an element: its collection is there */
    uint16_t path_size;      /* bytes of path cut off op.key while the head is looked at */
    struct dot dot;          /* of the write; stamp 0: it makes none, what is there spreads */
    uint64_t expires;        /* of the value written: wall ms, 0 never */
    /* OP_SCAN onward: bytes of `object` in use. OP_RESTORE: of `body` whose rows are begun. */
    uint32_t used;
    uint32_t open, rows; /* OP_RESTORE: rows in work, and durable. OP_SCAN: rows: last partition */
    enum status first_status;    /* OP_RESTORE: why the first row that failed did; OK: none */
    bool is_filling, is_carried; /* OP_RESTORE: rows are being started. TASK_ROW: of a stray */
    uint32_t gc;                 /* number of the partition when `object` was read */
    bool was_dead, was_split;    /* the row that is being replaced: nothing live; several values */
};

/* One EFFECT_WRITE in flight: one object row and its index row, or rows of our own. */
struct node_write {
    uint64_t ticket;
    uint64_t task; /* 0: nobody waits */
    bool is_object;
    bool is_delete; /* of the row and its index row; `record` is empty */
    bool had_before;
    bool was_dead, is_dead, was_split, is_split; /* before, after: nothing live; several values */
    uint32_t gc, partition;                      /* gc: a round's, 0: none */
    struct hash16 before, after;
    size_t bytes;
    struct blob *row_key, *record;
};

/* One EFFECT_READ in flight. */
// clang-format off
enum node_read_kind { READ_ROW, READ_SYS, READ_SCAN, READ_LIST, READ_LEAF, READ_ROWS, READ_DROP,
                      READ_GC, READ_SCRUB, READ_COUNT, READ_HINT, READ_STRAY };
// clang-format on
struct node_read {
    uint64_t ticket;
    enum node_read_kind kind;
    struct blob *row_key; /* READ_ROW; READ_LIST: the range's prefix; READ_ROWS: a namespace */
    struct list tasks;    /* READ_ROW */
    uint64_t peer;        /* READ_LIST, READ_ROWS: who asked */
    uint64_t request; /* READ_LIST, READ_ROWS: its request; READ_LEAF: sync token; READ_GC: round */
    uint32_t limit;
    uint16_t partition;
    struct buffer rows;   /* READ_LIST: packed so far */
    uint32_t count;       /* rows in it */
    uint64_t layout;      /* READ_LIST: of the question */
    bool is_last, is_bad; /* READ_LIST: nothing follows; a row of the page is damaged */
    bool is_stale;        /* READ_ROW: what it brings is older than what was committed since */
    struct blob *until;   /* READ_LIST: where the range ends */
};

/* One AE_ITEMS being merged, or one AE_FETCH being answered (is_give). */
struct node_batch {
    bool is_active, is_give;
    bool is_filled; /* every row was started */
    bool is_failed;
    uint32_t token;         /* of sync's merge; is_give: the asker's question */
    uint32_t round;         /* is_give: of the asker */
    uint32_t open;          /* rows not yet ended */
    uint64_t peer;          /* the other side */
    uint32_t gc, partition; /* number the rows were read under; is_give: when the first was */
    struct buffer items;
};

#include "op/node_group.h" /* uses what is above */
#include "move/node_stray.h"
#include "node_peer.h"

struct node {
    struct node_config config;
    struct node_ports ports;
    struct seal_keyring keyring;
    uint64_t self; /* id8 */
    enum node_phase phase;
    /* the step that is running */
    instant now, started; /* started: when the store was first open */
    uint64_t wall_ms;
    struct effects *fx;
    struct node_unproved unproved;
    uint64_t boot_counter, actor, epoch;
    bool is_recovering, is_read_only, is_reopening;
    bool is_booted, is_swimming, is_dirty; /* is_dirty: lists changed since they were written */
    uint64_t hlc_limit_ms;                 /* what `sys` says of our clock: a start begins there */
    struct crdt_clock clock;
    uint64_t incarnation_kept; /* persisted: a start goes above it */
    /* the cluster */
    struct founding_record founding;
    bool is_founded, is_joined;
    bool is_uncounted; /* rows were found while no founding was known */
    bool is_place_due; /* our place on the list is not settled: nobody has told us what it was */
    char *seeds_text;  /* owned: comma separated */
    struct address seeds[NODE_SEED_ADDRESSES_MAX];
    uint32_t seed_count, seeds_open; /* addresses; how many of this round have not answered */
    uint32_t seeds_silent, seeds_new, seeds_self; /* how those of this round answered */
    bool is_resolving, is_new_smallest;
    unsigned join_round;
    struct node_keys key_state;
    uint64_t blocked[NODE_BLOCKED_MAX];
    uint32_t blocked_count;
    /* rooms */
    struct seal *seal;
    struct swim *swim;
    struct kad *kad;
    struct place *place;         /* NULL until founded */
    struct place_spaces *spaces; /* same */
    struct quorum *quorum;
    struct sync *sync; /* NULL until founded */
    struct balance *balance;
    struct store_pending *pending;
    struct store_recent *recent;
    struct prng prng;
    /* work */
    struct heap timers;
    struct node_timer join_timer, persist_timer, sync_timer, move_timer, hand_timer, forget_timer;
    struct pool links, tasks, writes, reads, peers;
    struct map link_by_id, read_by_key, peer_by_id;
    struct list peer_list;
    struct node_batch batches[NODE_BATCHES_MAX];
    struct node_group groups[NODE_GROUPS_MAX];
    uint64_t write_ticket, read_ticket, serial; /* serial: of the last request number */
    link_id link_next;
    struct list packed;                          /* links with frames that wait for node_flush */
    bool is_draining, is_leaving, is_leave_done; /* draining: others coordinate for clients */
    ticket leave_ticket;
    struct list facts;  /* queued outputs, handled when the room that made them has returned */
    struct node_gc *gc; /* owned: rounds of confirmation; NULL until founded */
    struct node_scrub scrub;
    struct node_mend mend;
    struct node_recount recount;
    struct node_damage damage;
    struct node_hints *hints; /* owned: what owners lack; NULL until founded, or not wanted */
    struct node_marks *pulled, *given; /* evidence for a move: one each per partition, owned */
    uint64_t marks_layout;             /* the layout they were last trimmed to */
    instant placed_at;                 /* when we went JOINING or LEAVING */
    struct node_hands hands;           /* what we hold and do not own */
    struct node_stray stray;
    struct node_take takes[SYNC_ROUNDS_MAX];
    struct node_forget forget;
    uint64_t heir_of; /* the peer by whose move we own more, perhaps: node_heir.c; 0: none */
    struct node_jobs jobs;
    struct node_watch watch;
    uint64_t keys, bytes, siblings;
    struct metrics metrics;
    uint8_t datagram[DATAGRAM_SIZE_MAX]; /* room to open one packet */
    /* room to decode, for one user at a time: a what is there, b what comes, c what is shown */
    struct crdt_object object_a, object_b, object_c;
    struct crdt_context context;
};

/* node_settle handles queued outputs until none are left (node_facts.c). */
void node_settle(struct node *node);
void node_trace(struct node *node, enum trace_code code, uint64_t a, uint64_t b, uint64_t c);
uint64_t node_stamp(struct node *node); /* next stamp of the hybrid clock */

#include "op/node_once.h"
#endif
