/* workload.h: clients that go on asking while the cluster suffers. Each is a thread with a
 * connection to every peer; each operation goes to a peer drawn at random.
 *
 *   set       a new key per PUT, read again later by anybody
 *   register  one writer per key: read, then write with that context; others read
 *   siblings  several writers per key, most with the context of their last read, some without,
 *             and deletes; keys change as the run goes on
 *   counter   everybody adds to and takes from a few counters
 *   or-set    everybody adds and removes a few elements, some by the context of a read
 *
 * Every value is unique and says itself who wrote it: client, count, key, checksum. */
#ifndef GOSSAMER_CHAOS_WORKLOAD_H
#define GOSSAMER_CHAOS_WORKLOAD_H

#include <stdatomic.h>

#include "client.h"
#include "prng.h"
#include "recorder.h"

#define WORKLOAD_PEERS 5
#define WORKLOAD_SET_WORKERS 2u
#define WORKLOAD_SET_KEYS                                                                          \
    20000u /* per worker; then it only reads: the reads at the end take time */
#define WORKLOAD_REGISTER_WRITERS 2u
#define WORKLOAD_REGISTER_KEYS 8u
#define WORKLOAD_SIBLING_WORKERS 3u
#define WORKLOAD_SIBLING_SLOTS 6u /* keys in use at a time */
#define WORKLOAD_SIBLING_OPS 400u /* operations before the keys change */
#define WORKLOAD_COUNTER_WORKERS 2u
#define WORKLOAD_ORSET_WORKERS 2u
#define WORKLOAD_COUNTERS 4u
#define WORKLOAD_ELEMENTS 24u /* over all sets */
#define WORKLOAD_SETS 3u
#define WORKLOAD_KEY_SIZE 48
#define WORKLOAD_NAME_SIZE 24

/* What all workers share. */
struct workload {
    struct recorder *recorder;
    uint16_t ports[WORKLOAD_PEERS];
    const char *consistency; /* of every request: "quorum", or less to see the checkers complain */
    atomic_bool is_over;
    atomic_uint set_count[WORKLOAD_SET_WORKERS];
    atomic_uint sibling_ops;
    struct worker *workers;
    unsigned worker_count;
};

/* workload_start starts the clients. The caller has set recorder, ports and consistency in an
 * otherwise empty workload. workload_stop ends them all and waits. */
void workload_start(struct workload *workload, uint64_t seed);
void workload_stop(struct workload *workload);
/* workload_read_all reads every key at every peer, all peers at once, and marks the reads as
 * final. A read that fails is repeated for a while. Returns how many went on failing. */
unsigned workload_read_all(struct workload *workload);

#endif
