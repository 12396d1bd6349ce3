/* worker.h: one client thread and its three requests, each written down before and after. */
#ifndef GOSSAMER_CHAOS_WORKER_H
#define GOSSAMER_CHAOS_WORKER_H

#include "workload.h"

#define WORKER_READS 64u

/* The last read of a key, for the next write to it. */
struct worker_read {
    char key[WORKLOAD_KEY_SIZE]; /* "": none */
    uint32_t number;
    char context[CLIENT_CONTEXT_MAX];
};

struct worker {
    struct workload *workload;
    void (*turn)(struct worker *worker); /* one step of its workload */
    pthread_t thread;
    unsigned index;  /* among those of its workload */
    unsigned serial; /* of the next value */
    unsigned life;   /* an unknown outcome ends a client; the next goes on */
    unsigned failed;
    char kind;
    struct prng prng;
    struct client clients[WORKLOAD_PEERS];
    uint64_t avoid_ms[WORKLOAD_PEERS]; /* until then a peer that did not answer is rarely asked */
    struct worker_read reads[WORKER_READS]; /* by hash of the key */
};

void worker_init(struct worker *worker, struct workload *workload, char kind, unsigned index,
                 uint64_t seed);
/* worker_peer draws a peer to ask. */
unsigned worker_peer(struct worker *worker);
/* worker_get reads all values of a key and remembers its context. Returns whether it was answered.
 */
bool worker_get(struct worker *worker, const char *key, unsigned peer, bool is_final);
/* worker_seen returns the last read of a key if it gave a context, else NULL. */
const struct worker_read *worker_seen(struct worker *worker, const char *key);
/* worker_put writes a new value, worker_delete deletes; `seen` may be NULL: no context. */
void worker_put(struct worker *worker, const char *key, const struct worker_read *seen);
void worker_delete(struct worker *worker, const char *key, const struct worker_read *seen);

#endif
