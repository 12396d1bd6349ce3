/* worker.h: one client thread and its requests, each written down before and after. */
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

/* --- counters and or-sets (worker_crdt.c) */

/* worker_add adds `delta` to a counter, worker_sum reads one. */
void worker_add(struct worker *worker, const char *key, int delta);
bool worker_sum(struct worker *worker, const char *key, unsigned peer, bool is_final);
/* worker_member_add and _remove change one element, named SET/ELEMENT, of a set; `seen` may be
 * NULL. worker_member reads whether it is there. */
void worker_member_add(struct worker *worker, const char *key);
void worker_member_remove(struct worker *worker, const char *key, const struct worker_read *seen);
bool worker_member(struct worker *worker, const char *key, unsigned peer, bool is_final);

/* --- shared by the two files */

/* worker_name writes the client's name of this life. */
void worker_name(const struct worker *worker, char name[WORKLOAD_NAME_SIZE]);
/* worker_ask sends a request to a peer and avoids that for a while when no answer comes. */
struct client_reply worker_ask(struct worker *worker, unsigned peer,
                               const struct client_request *request);
/* worker_slot is where the last read of a key is, or would be. */
struct worker_read *worker_slot(struct worker *worker, const char *key);
/* worker_finish writes down how a call ended; `values` of a read that was answered, else NULL. An
 * unknown outcome of a write ends the client's life. */
void worker_finish(struct worker *worker, uint32_t number, const struct recorder_call *call,
                   const struct client_reply *reply, const char *values);

#endif
