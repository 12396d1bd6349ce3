/* sim.h: a deterministic world for the real core. One thread, one seed: time, network, disks,
 * clocks, crashes and clients are drawn from it, and every peer runs the very node_step that the
 * daemon runs. Equal seeds give equal traces (testing.md part 3).
 *
 *   sim_swarm  seed -> configuration and faults, phases: warm-up, safety, heal, checks
 *   sim_world  the event queue, peers: boot, crash, pause, clocks; performs effects
 *   sim_net    datagrams and streams: delay, loss, duplication, corruption, partitions
 *   sim_disk   a store that loses what was not synced
 *   sim_client clients with histories; sim_check the invariants
 *   sim_mix    all kinds of clients at once, while peers come and go
 *   sim_rows   somebody who reads all rows, page by page
 *   sim_space  settings of namespaces, walks through listings
 *   sim_replicas namespaces with replicas of their own, and one whose number changes
 *   sim_types  clients that count, and add and remove members (profile types)
 *   sim_keys   an operator who rotates the cluster's keys (profile keys)
 *   sim_replay a million recorded packets again (profile replay)
 *   sim_ttl    clients whose values expire; sim_session clients that wander with a session
 */
#ifndef GOSSAMER_SIM_H
#define GOSSAMER_SIM_H

#include "bytes.h"
#include "crdt.h"
#include "ensure.h"
#include "hash.h"
#include "heap.h"
#include "node.h"
#include "prng.h"

#define SIM_PEERS_MAX 64
#define SIM_CLIENTS_MAX 16
#define SIM_KEYS_MAX 4096 /* keys written once */
#define SIM_REGISTERS_MAX 64
#define SIM_WRITE_US INSTANT_S(1)      /* clients of registers wait so long */
#define SIM_WALL_BASE 1790000000000ull /* ms: the simulated world starts here */

struct sim;

enum sim_kind {
    SIM_TIMER,    /* a node's deadline */
    SIM_DATAGRAM, /* bytes arrive at a node */
    SIM_REFUSED,
    SIM_LINK_UP,
    SIM_LINK_DOWN,
    SIM_STREAM, /* one direction of a connection may deliver */
    SIM_STORED, /* the oldest batch of a disk is synced */
    SIM_LOADED,
    SIM_SEEDS,
    SIM_BOOT,
    SIM_RESUME,
    SIM_CLIENT,   /* a client acts */
    SIM_FAULT,    /* the next fault of the plan */
    SIM_READER,   /* the reader of rows acts */
    SIM_MORTAL,   /* a client whose values expire acts */
    SIM_SPACE,    /* a client of profile spaces acts */
    SIM_SESSION,  /* a client with a session acts */
    SIM_RETRY,    /* a client that repeats what was not answered acts */
    SIM_TYPED,    /* a client of typed keys acts */
    SIM_ROT,      /* a bit of the victim's disk goes bad */
    SIM_REPLICAS, /* a client of profile replicas acts */
    SIM_KEYRING,  /* a key file is written */
    SIM_KEYS,     /* an operator of profile keys acts */
    SIM_MASS,     /* a client of profile deletes acts */
};

/* One thing that will happen. Owned by the queue, freed after it happened. */
struct sim_event {
    struct heap_node in_queue;
    enum sim_kind kind;
    uint32_t node, boot; /* whom, and in which of its lives */
    uint32_t conn, link; /* streams */
    uint8_t direction;   /* streams: 0 from dialler to listener */
    uint64_t ticket;     /* STORED, LOADED */
    enum status status;
    struct address address;
    struct slice bytes; /* owned copy behind the struct */
    struct store_range range;
    bool is_point;
    uint8_t data[];
};

/* One TCP connection. */
struct sim_conn {
    bool is_open, is_up;
    uint32_t node[2], boot[2];
    link_id link[2];
    struct buffer bytes[2]; /* on their way, per direction */
    bool is_scheduled[2];
    bool is_slow; /* delivers a few bytes at a time */
    unsigned stalls;
};

/* A batch that was written and not yet synced. */
struct sim_batch {
    uint64_t ticket;
    uint32_t count;
    struct store_row *rows; /* owned, with their bytes */
    struct sim_batch *next;
};

/* What survives a crash, and what may not. */
struct sim_disk {
    struct store_memory *synced;
    struct sim_batch *first, **last;
    bool is_failed; /* a sync failed: nothing is written before it is reopened */
    uint64_t boot_counter;
    uint64_t incarnation_seen; /* highest own incarnation since the disk was wiped: M3 */
    uint64_t incarnation_used; /* highest ever: M6 */
};

struct sim_node {
    struct sim *sim;
    uint32_t index, boot;
    struct node *node; /* NULL while down */
    struct seal_identity identity;
    struct prng entropy;
    struct sim_disk disk;
    struct seal_keyring keyring; /* its key file */
    struct store store;          /* what the node is given: may answer COLD */
    struct sim_event *timer;
    instant paused_until;
    int64_t wall_offset_ms;
    int32_t drift; /* per thousand */
    instant base;  /* when this life began */
    instant busy_until;
    instant wiped_at; /* when its disk was last lost; 0: never */
    link_id inbound;
    bool is_removed;
    bool is_stopped;          /* in good order: it is started again */
    struct store_memory *old; /* gc: an earlier state of the disk */
    /* what checks remember of this viewer */
    uint64_t seen[SIM_PEERS_MAX]; /* (incarnation << 2 | rank) + 1 last seen of each, 0 none */
    instant down_since;
};

/* What the seed has drawn. Zero switches a fault off. */
struct sim_plan {
    const char *profile;
    uint32_t peers, hosts, clients, registers;
    uint8_t replicas, cell_depth, partition_bits;
    uint32_t delay_min_us, delay_mean_us;
    uint32_t loss, duplicate, corrupt;       /* per thousand datagrams */
    uint32_t reset, slow;                    /* per thousand stream deliveries; connections */
    uint32_t cold;                           /* per thousand reads */
    uint32_t sync_fail;                      /* per million batches */
    uint32_t disk_us;                        /* mean latency of a sync */
    uint32_t crash, pause, cut, skew, churn; /* weights of faults in the plan */
    bool has_rot;                            /* sim_rot.c */
    uint32_t fault_every_ms;
    uint32_t safety_s;
    bool has_reader;   /* profile rows: somebody reads all rows */
    bool has_types;    /* profile types: keys of CRDT types */
    bool has_mortals;  /* profile ttl: keys whose values expire */
    uint32_t mass;     /* profile deletes: clients that add and remove by the batch */
    uint32_t retriers; /* clients with idempotency keys */
    bool has_replicas; /* profile replicas: namespaces of several classes */
    bool has_spaces;   /* profile spaces: settings change, listings are walked */
    uint32_t sessions; /* clients with a session */
    uint32_t forget_s; /* profile `forget`: a peer dead for so long is given up */
    uint32_t elastic;  /* profile `move`: of four faults so many are a coming or going */
    uint32_t weighs;   /* same: of eight faults so many are a change of a weight beside it */
    uint32_t gc_ms;    /* between rounds of collection; 0: none, as in all other profiles */
    uint32_t deletes;  /* per hundred writes of a register; 0: a fifth */
    uint32_t late;     /* peers that come after the warm-up */
    uint32_t hints;    /* kept for one owner */
    uint32_t stops;    /* profile `stop`: of four faults so many are a stop in good order */
    bool has_keys;     /* profile keys: the cluster's keys are rotated */
    uint32_t replay;   /* profile replay: packets to record */
    bool is_blind;     /* profile `late`: registers are written without a context */
    uint32_t sick;     /* profile `sick`: so many at a time */
    uint32_t sync_ms;  /* between rounds of anti-entropy; 0: 5 s */
};

enum sim_write_state { WRITE_NONE, WRITE_OPEN, WRITE_ACKED, WRITE_UNKNOWN, WRITE_REFUSED };

/* A key that is written once with a unique value. */
struct sim_once {
    enum sim_write_state state;
};
/* A key with one writer: values and deletes are numbered. */
struct sim_register {
    uint32_t sequence;    /* last attempted */
    uint32_t acked;       /* last acknowledged */
    bool is_acked_delete; /* it was a delete */
    uint8_t kinds[4096];  /* enum sim_write_state of each number */
    bool deletes[4096];
    bool blinds[4096]; /* without a context: it discards what it finds, whenever it takes effect */
    bool twice[4096];  /* an owner was asked in vain and then another */
    instant begun[4096];
    uint64_t etags[4096]; /* of the acknowledged write itself: a repeat by the edge has another */
    char context[CONTEXT_SIZE_MAX];
    size_t context_size;
    bool is_busy;
};

struct sim_client {
    bool is_busy, is_read, is_delete, is_once, is_final;
    uint32_t node, boot;
    ticket ticket;
    uint32_t key, sequence;
    uint32_t floor; /* reads: acknowledged number when it was asked */
    bool is_floor_delete;
    struct sim_event *event;
};

struct sim {
    uint64_t seed;
    struct sim_plan plan;
    struct prng rng;
    struct prng moves;                 /* of profiles `move` and `forget` */
    struct prng weights;               /* of profile `move` */
    uint32_t forgot;                   /* who was, 1 for the first */
    instant forgot_at;                 /* when a peer was last given up */
    instant reached_at[SIM_PEERS_MAX]; /* when a peer was last not dead in the eyes of most */
    struct prng gc_rng;                /* what only the profile gc draws */
    struct prng stop_rng;              /* sim_stop.c */
    struct prng sick_rng;              /* sim_sick.c, as the two below */
    instant sick_until[SIM_PEERS_MAX]; /* not well, or only just */
    instant deaf_until[SIM_PEERS_MAX];
    instant now;
    struct heap queue;
    struct effects fx;
    struct place_cache *tables;
    struct seal_keyring keyring;
    struct sim_node nodes[SIM_PEERS_MAX];
    uint32_t node_count;
    bool cut[SIM_PEERS_MAX][SIM_PEERS_MAX]; /* from, to */
    struct sim_conn *conns;
    uint32_t conn_count, conn_capacity;
    bool is_faulty; /* faults strike; off while warming up and after heal */
    struct sim_client clients[SIM_CLIENTS_MAX];
    struct sim_once once[SIM_KEYS_MAX];
    uint32_t once_count;
    struct sim_register registers[SIM_REGISTERS_MAX];
    struct sim_retry *retry;       /* profile retry, owned */
    struct sim_sessions *sessions; /* owned; NULL: none */
    ticket tickets;
    bool are_clients_on;
    /* outcome */
    uint64_t trace_hash;
    uint64_t steps, acked, reads, unknown, refused, crashes;
    uint64_t deleted, collected; /* acknowledged deletes; rows dropped by peers */
    uint64_t reached[TRACE_COUNT];
    bool is_verbose;
    char failure[512]; /* first broken invariant, with its id; empty: none */
    struct sim_dots *dots;
    struct sim_ttl *ttl;           /* profile ttl */
    struct sim_rows *rows;         /* profile rows */
    struct sim_space *space;       /* profile spaces */
    struct sim_types *types;       /* profile types */
    struct sim_rot *rot;           /* NULL: disks keep what they hold */
    struct sim_replicas *replicas; /* profile replicas */
    struct sim_mass *mass;         /* profile deletes */
    struct sim_keys *keys;         /* profile keys */
    struct sim_replay *replay;     /* profile replay; NULL: nobody listens */
    uint8_t trace_key[HASH_SEED_SIZE];
};

/* --- sim_world.c */
void sim_open(struct sim *sim, uint64_t seed, const struct sim_plan *plan);
void sim_close(struct sim *sim);
/* Runs until simulated time `until`, or a broken invariant. */
void sim_run(struct sim *sim, instant until);
struct sim_event *sim_after(struct sim *sim, uint64_t delay_us, enum sim_kind kind,
                            struct slice bytes);
void sim_step(struct sim *sim, struct sim_node *peer, struct event *event);
void sim_boot(struct sim *sim, struct sim_node *peer);
void sim_crash(struct sim *sim, struct sim_node *peer, bool is_wiped);
uint64_t sim_wall_ms(const struct sim *sim, const struct sim_node *peer);
instant sim_mono(const struct sim *sim, const struct sim_node *peer); /* the peer's own clock */
struct address sim_address(uint32_t node);
int sim_node_at(const struct sim *sim, const struct address *address);
__attribute__((format(printf, 2, 3))) void sim_fail(struct sim *sim, const char *format, ...);
bool sim_is_up(const struct sim_node *peer);

/* --- sim_net.c */
void sim_net_datagram(struct sim *sim, struct sim_node *from, const struct effect *effect);
void sim_net_connect(struct sim *sim, struct sim_node *from, const struct effect *effect);
void sim_net_stream(struct sim *sim, struct sim_node *from, const struct effect *effect);
void sim_net_closed(struct sim *sim, struct sim_node *from, link_id link);
void sim_net_deliver(struct sim *sim, struct sim_event *event);
void sim_net_up(struct sim *sim, struct sim_event *event);
void sim_net_crashed(struct sim *sim, struct sim_node *peer);
void sim_net_heal(struct sim *sim);
void sim_net_close(struct sim *sim);

/* --- sim_disk.c */
void sim_disk_open(struct sim_node *peer);
void sim_disk_close(struct sim_node *peer);
void sim_disk_write(struct sim *sim, struct sim_node *peer, const struct effect *effect);
void sim_disk_read(struct sim *sim, struct sim_node *peer, const struct effect *effect);
void sim_disk_synced(struct sim *sim, struct sim_node *peer, const struct sim_event *event);
void sim_disk_loaded(struct sim *sim, struct sim_node *peer, const struct sim_event *event);
/* Keeps a prefix of what was not synced; true when a batch was torn. */
bool sim_disk_crash(struct sim *sim, struct sim_node *peer, bool is_wiped);
bool sim_disk_get(const struct sim_node *peer, struct slice row_key, struct crdt_object *object);

/* --- sim_mix.c */
void sim_mix_draw(uint64_t seed, struct sim_plan *plan);

/* --- sim_move.c */
void sim_move_draw(uint64_t seed, struct sim_plan *plan);
bool sim_move_fault(struct sim *sim);
void sim_forget_draw(uint64_t seed, struct sim_plan *plan);
bool sim_forget_fault(struct sim *sim);
void sim_check_forgotten(struct sim *sim);
/* --- sim_sick.c */
void sim_sick_draw(uint64_t seed, struct sim_plan *plan);
bool sim_sick_fault(struct sim *sim);
bool sim_sick_is_deaf(const struct sim *sim, uint32_t peer);
void sim_sick_note(struct sim *sim, const struct sim_node *viewer, uint64_t id8);
void sim_forget_note(struct sim *sim, struct sim_node *by, uint64_t id8);
void sim_check_leftovers(struct sim *sim, struct sim_node *any);

/* --- sim_rot.c */
void sim_rot_start(struct sim *sim);
void sim_rot_act(struct sim *sim);
void sim_rot_check(struct sim *sim); /* D13 */
void sim_rot_close(struct sim *sim);
/* Tells whether this is the peer whose disk rots; its copies cannot be counted on. */
bool sim_rot_is_victim(const struct sim *sim, const struct sim_node *peer);
/* Tells whether the engine cannot read the row; sim_rot_reopen drops such rows, if there are. */
bool sim_rot_refuses(const struct sim_node *peer, enum store_family family, struct slice key);
bool sim_rot_reopen(struct sim_node *peer);

/* --- sim_client.c */
/* Draws a peer that is up and not paused; NULL after some tries. */
struct sim_node *sim_awake_peer(struct sim *sim, struct prng *rng);
void sim_client_act(struct sim *sim, uint32_t client);
void sim_client_reply(struct sim *sim, struct sim_node *peer, ticket asked,
                      const struct result *result);
void sim_client_lost(struct sim *sim, const struct sim_node *peer);
void sim_clients_start(struct sim *sim);
bool sim_clients_are_idle(const struct sim *sim);
struct slice sim_once_key(uint32_t number, char *room);
struct slice sim_once_value(uint32_t number, char *room);
struct slice sim_register_key(uint32_t number, char *room);
/* Reads every acknowledged key from every live peer. */
void sim_client_final(struct sim *sim);

/* --- sim_rows.c: somebody who reads all rows; nothing happens unless the plan has a reader */
void sim_rows_start(struct sim *sim);
void sim_rows_act(struct sim *sim);
void sim_rows_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result);
void sim_rows_lost(struct sim *sim, const struct sim_node *peer);
void sim_rows_final(struct sim *sim);
void sim_rows_close(struct sim *sim);

/* --- sim_replicas.c */
void sim_replicas_draw(uint64_t seed, struct sim_plan *plan);
void sim_replicas_start(struct sim *sim);
void sim_replicas_act(struct sim *sim, uint32_t index);
void sim_replicas_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                        const struct result *result);
void sim_replicas_lost(struct sim *sim, const struct sim_node *peer);
bool sim_replicas_are_idle(const struct sim *sim);
void sim_replicas_final(struct sim *sim);
void sim_replicas_close(struct sim *sim);

/* --- sim_space.c: settings of namespaces and walks; nothing unless the plan has spaces */
void sim_space_start(struct sim *sim);
void sim_space_act(struct sim *sim, uint32_t actor);
void sim_space_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result);
void sim_space_lost(struct sim *sim, const struct sim_node *peer);
bool sim_space_is_idle(const struct sim *sim);
void sim_space_close(struct sim *sim);

/* --- sim_types.c: clients of typed keys; nothing happens unless the plan has types */
void sim_types_draw(struct sim_plan *plan);
void sim_types_start(struct sim *sim);
void sim_types_act(struct sim *sim, uint32_t actor);
void sim_types_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result);
void sim_types_lost(struct sim *sim, const struct sim_node *peer);
bool sim_types_are_idle(const struct sim *sim);
void sim_types_close(struct sim *sim);
void sim_check_types(struct sim *sim);

/* --- sim_ttl.c: clients whose values expire; nothing happens unless the plan has mortals */
void sim_ttl_start(struct sim *sim);
void sim_ttl_act(struct sim *sim, uint32_t actor);
void sim_ttl_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                   const struct result *result);
void sim_ttl_lost(struct sim *sim, const struct sim_node *peer);
bool sim_ttl_is_idle(const struct sim *sim);
void sim_ttl_close(struct sim *sim);

/* --- sim_retry.c: nothing happens unless the plan has retriers */
void sim_retry_start(struct sim *sim);
void sim_retry_close(struct sim *sim);
bool sim_retry_is_idle(const struct sim *sim);
void sim_retry_act(struct sim *sim, uint32_t client);
void sim_retry_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                     const struct result *result);
void sim_retry_lost(struct sim *sim, const struct sim_node *peer);
void sim_retry_final(struct sim *sim);

/* --- sim_session.c */
void sim_sessions_start(struct sim *sim);
void sim_sessions_close(struct sim *sim);
bool sim_sessions_are_idle(const struct sim *sim);
void sim_session_act(struct sim *sim, uint32_t session);
/* Tells whether the answer was for a session. */
bool sim_session_reply(struct sim *sim, struct sim_node *peer, ticket asked,
                       const struct result *result);
void sim_session_lost(struct sim *sim, const struct sim_node *peer);

/* --- sim_check.c */
void sim_check_views(struct sim *sim); /* sampled: M3 M4 M12 */
/* Notes the own incarnations, or compares them with what was noted while it was quiet: M14. */
void sim_check_rest(struct sim *sim, uint64_t before[SIM_PEERS_MAX], bool is_begin);
void sim_check_write(struct sim *sim, const struct store_row *rows, uint32_t count); /* D6 */
void sim_check_acked(struct sim *sim, uint32_t once); /* D14: durable on W when told */
void sim_check_final(struct sim *sim);                /* D1 D3 K7 M10 after heal */
bool sim_check_is_settled(struct sim *sim);           /* tells whether views and layouts agree */
void sim_check_close(struct sim *sim);

/* --- sim_gc.c: the profile gc */
void sim_gc_draw(uint64_t seed, struct sim_plan *plan);
/* Begins a run of the profile; others are left alone. */
void sim_gc_open(struct sim *sim);
void sim_gc_close(struct sim *sim);
/* A fault of this profile's own; false: the turn of the others. */
bool sim_gc_fault(struct sim *sim);
/* D5: nothing that the dropped state covers is live at an owner. */
void sim_gc_write(struct sim *sim, struct sim_node *peer, const struct effect *effect);
/* D4, D5 at the end: waits until no tombstone is left, no deleted value is. */
void sim_gc_final(struct sim *sim, void (*samples)(struct sim *sim, instant until));

/* --- sim_stop.c: the profile stop, and D3 against the disk in every profile */
void sim_stop_draw(uint64_t seed, struct sim_plan *plan);
void sim_stop_open(struct sim *sim);
bool sim_stop_fault(struct sim *sim);
void sim_stopped(struct sim *sim, struct sim_node *peer);
void sim_check_sums(struct sim *sim);

/* --- sim_late.c */
void sim_late_draw(uint64_t seed, struct sim_plan *plan);
/* Tells whether a write of a register may discard the acknowledged one. */
bool sim_late_may_discard(const struct sim *sim, const struct sim_register *reg, uint32_t number,
                          uint32_t acked);

/* --- sim_hints.c: D12 in every profile, and the profile hints */
void sim_hints_draw(uint64_t seed, struct sim_plan *plan);
void sim_hints_write(struct sim *sim, struct sim_node *peer, const struct effect *effect);
void sim_check_hints(struct sim *sim);
void sim_hints_final(struct sim *sim, void (*samples)(struct sim *sim, instant until));

/* --- sim_keys.c: the profile keys; nothing happens unless the plan has keys */
void sim_keys_draw(uint64_t seed, struct sim_plan *plan);
void sim_keys_start(struct sim *sim);
void sim_keys_act(struct sim *sim);
void sim_keys_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result);
void sim_keys_lost(struct sim *sim, const struct sim_node *peer);
void sim_keys_close(struct sim *sim);
void sim_check_keys(struct sim *sim); /* W6 */
void sim_keys_final(struct sim *sim);

/* --- sim_replay.c: the profile replay; nothing happens unless the plan records packets */
void sim_replay_draw(uint64_t seed, struct sim_plan *plan);
void sim_replay_open(struct sim *sim);
void sim_replay_close(struct sim *sim);
/* A packet leaves for a peer, and perhaps arrives from elsewhere; it arrives; one leaves for an
 * address where nobody is (W7). */
void sim_replay_sent(struct sim *sim, struct sim_event *event);
void sim_replay_arrived(struct sim *sim, const struct sim_event *event);
void sim_replay_reflected(struct sim *sim, const struct effect *effect);
/* Records, and plays everything again: W1. Takes the place of faults and heal. */
void sim_replay_play(struct sim *sim, void (*samples)(struct sim *sim, instant until));

/* --- sim_churn.c: the profile churn; others are left alone */
void sim_churn_draw(uint64_t seed, struct sim_plan *plan);
/* D7 at the end: waits until rows have lost the actors that ended. */
void sim_churn_final(struct sim *sim, void (*samples)(struct sim *sim, instant until));

/* --- sim_mass.c: the profile deletes; nothing happens unless the plan has such clients */
void sim_mass_draw(uint64_t seed, struct sim_plan *plan);
void sim_mass_start(struct sim *sim);
void sim_mass_act(struct sim *sim, uint32_t actor);
void sim_mass_reply(struct sim *sim, const struct sim_node *peer, ticket asked,
                    const struct result *result);
void sim_mass_lost(struct sim *sim, const struct sim_node *peer);
bool sim_mass_is_idle(const struct sim *sim);
void sim_mass_settle(struct sim *sim, void (*samples)(struct sim *sim, instant until));
void sim_mass_final(struct sim *sim); /* D4: no removed member is on an owner's disk */
void sim_mass_close(struct sim *sim);

#endif
