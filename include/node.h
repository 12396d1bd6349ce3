/* node.h: the one pure machine. node_step takes an event and emits effects; the daemon drives it
 * with libev, the simulator with a heap of simulated time, and both run this very code. */
#ifndef GOSSAMER_NODE_H
#define GOSSAMER_NODE_H

#include "effect.h"
#include "metrics.h"
#include "place.h"
#include "profile.h"
#include "seal.h"
#include "trace.h"

/* What a node is told once. Slices and pointers are copied or, where said, borrowed for life. */
struct node_config {
    const struct seal_identity *identity; /* borrowed */
    const struct seal_keyring *keyring;   /* copied */
    struct label name, host, zone;
    uint16_t weight; /* 1/256 */
    uint8_t address_count;
    struct address addresses[SELF_ADDRESSES_MAX]; /* advertised mesh addresses */
    uint16_t http_port;
    enum profile profile;
    uint8_t replicas;               /* used when this peer founds the cluster */
    struct space_settings defaults; /* same: what namespace `_default` sets; no bits: nothing */
    uint8_t partition_bits;         /* same */
    uint8_t cell_depth;             /* same; 0 outside the tests of the overlay */
    const char *seeds;              /* borrowed: comma separated host[:port], "" for none */
    uint32_t members_max;           /* capacity of the member table; at most CELL_MAX * 2 */
    uint32_t operations_max;        /* operations in flight, coordinated or forwarded */
    uint32_t links_max;
    uint32_t value_max;          /* bytes */
    uint32_t request_timeout_ms; /* default deadline of an operation */
    uint32_t clock_drift;        /* of other peers' clocks, per thousand; 0: CLOCK_DRIFT */
    uint32_t sync_interval_ms;   /* between anti-entropy rounds with one peer */
    uint64_t forget_after_ms;    /* a peer dead for so long is given up; 0: never */
    uint64_t forget_every_ms;    /* at most one in so long; 0: 15 min */
    uint32_t handoff_rest_ms;    /* a former owner waits so long after a change; 0: 2 s */
    uint32_t gc_interval_ms;     /* between rounds of collection; 0: none of our own */
    uint32_t hints_count_max;    /* hints kept for one owner; 0: none */
    uint64_t hints_age_max_ms;   /* an older one is left to anti-entropy */
    uint32_t scrub_period_s;     /* every row is read once in it; 0: never */
    /* Bytes of rows a second asked for, while nothing moves and while something does; 0: any. */
    uint64_t sync_rate, rebalance_rate;
    bool is_rebalance_paused;   /* while something moves nothing is asked for */
    uint32_t recent_rows;       /* rows kept in memory after their commit: a power of two */
    struct place_cache *tables; /* borrowed; shared by the nodes of one process */
};

/* The three things that are injected. */
struct node_ports {
    struct store store;          /* only get and release are called */
    struct seal_entropy entropy; /* keys, epochs, the seed of the node's generator */
    struct trace_sink trace;
};

struct node;

/* node_new allocates everything the node will ever need from the capacities in `config`. OK;
 * MEMORY; BAD for a configuration that contradicts itself. */
enum status node_new(struct node **node, const struct node_config *config,
                     const struct node_ports *ports) MUST_USE;
/* node_delete frees the node. Tickets still open end without a reply. */
void node_delete(struct node *node);
/* node_step handles one event and appends effects. It cannot fail on anything from outside: bad
 * input is counted, traced and dropped. The first event is EVENT_OPENED. */
void node_step(struct node *node, const struct event *event, struct effects *effects);
/* node_flush seals what the steps since the last call send over links, many messages in one record,
 * and appends the effects. The driver calls it before it performs the effects of its turn; a step
 * alone sends nothing on a link that stands. */
void node_flush(struct node *node, struct effects *effects);
/* node_deadline tells when EVENT_TIMER is next due, INSTANT_NEVER when nothing is. */
instant node_deadline(const struct node *node);
/* node_metrics returns the node's counters; gauges are brought up to date by the call. */
const struct metrics *node_metrics(struct node *node);

/* --- read-only views for drivers, checkers of the simulator and tests */

/* node_id returns the NodeID. */
const struct node_id *node_self(const struct node *node);
/* node_member_rank tells how this node sees a peer: a rank, or -1 for a stranger. */
int node_member_rank(const struct node *node, const struct node_id *id);
/* node_member_incarnation returns the incarnation this node holds for a peer, 0 for a stranger. */
uint64_t node_member_incarnation(const struct node *node, const struct node_id *id);
/* node_digest returns the 8-byte digest of the member and placement tables: equal views, equal
 * digests. */
uint64_t node_digest(const struct node *node);
/* node_layout returns the hash of the placement list, 0 before the founding is known. */
uint64_t node_layout(const struct node *node);
/* node_is_ready tells whether the node would serve: founded, store open, on the placement list. */
bool node_is_ready(const struct node *node);
/* node_is_recovering tells whether the node's copies, or some of them, do not count in reads yet.
 * The driver remembers it across a restart (EVENT_OPENED, is_recovering). */
bool node_is_recovering(const struct node *node);
/* node_uncounted tells how many partitions were not counted since the store was opened: until there
 * are none the node serves, and draws no conclusion from its sums. */
uint32_t node_uncounted(const struct node *node);
/* node_place_state returns the peer's own state on the placement list, 0 when not on it. */
unsigned node_place_state(const struct node *node);
/* node_place_of returns the state of a peer on this node's placement list, 0 when not on it. */
unsigned node_place_of(const struct node *node, const struct node_id *id);
/* node_partitions returns the first number above those of partitions that are in use,
 * node_partition_of the partition of a key; meaningful once the founding is known. */
uint32_t node_partitions(const struct node *node);
uint32_t node_partition_of(const struct node *node, struct slice ns, struct slice key);
/* node_owners fills the ids of the base owners of a partition and returns how many. */
unsigned node_owners(const struct node *node, uint32_t partition, struct node_id *owners);
/* node_row_key writes the OBJ row key of a key (STORE_KEY_SIZE_MAX bytes at `into`). */
struct slice node_row_key(const struct node *node, struct slice ns, struct slice key,
                          uint8_t *into);
/* node_tombstones counts the rows of partitions this node owns in which nothing is live; `absent`
 * is the id8 of an owner they wait for, 0: none is away. */
uint64_t node_tombstones(struct node *node, uint64_t *absent);
/* node_hints counts what this node remembers that owners lack. */
uint32_t node_hints(const struct node *node);
/* node_key_ids fills the ids of the cluster keys in use (SEAL_KEYS_MAX), the primary first. */
unsigned node_key_ids(const struct node *node, uint16_t *ids);
/* node_fingerprint returns the incremental fingerprint of a partition as this node holds it. */
struct hash16 node_fingerprint(const struct node *node, uint32_t partition, uint32_t *count);

#endif
