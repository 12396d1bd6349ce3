/* cluster.h: real daemons on this machine for the tests in this directory: own ports, own
 * directories, killed by pid, never two tests' worth left behind. */
#ifndef GOSSAMER_CLUSTER_CLUSTER_H
#define GOSSAMER_CLUSTER_CLUSTER_H

#include <sys/types.h>

#include "client.h"
#include "scratch.h"

#define CLUSTER_PEERS_MAX 8
#define CLUSTER_EXTRAS_MAX 16 /* further arguments of one daemon */

struct peer {
    pid_t pid; /* 0: not running */
    uint16_t http, mesh;
    char directory[128], log[128], name[16];
    char seed[32];        /* "" for the founder */
    const char *key_file; /* NULL: that of the cluster */
    struct client client;
};

struct cluster {
    char directory[SCRATCH_SIZE];
    char key_file[128];
    unsigned count; /* peers ever made */
    struct peer peers[CLUSTER_PEERS_MAX];
};

/* cluster_daemon returns the path of the daemon under test: GOSSAMERD, or the build's sanitized one
 * if it is there, else the release one. */
const char *cluster_daemon(void);
/* cluster_open makes a directory, a cluster key and `count` peers, starts them and waits until each
 * sees all. The assertions in here and below fail the running test. */
void cluster_open(struct cluster *cluster, unsigned count);
/* cluster_close kills what runs and removes the directory. It prints the ends of the logs first
 * when a daemon ended by itself or a sanitizer spoke. */
void cluster_close(struct cluster *cluster);
/* cluster_add makes one more peer that knows one seed (NULL: none) without starting it. */
struct peer *cluster_add(struct cluster *cluster, const struct peer *seed);
/* peer_start starts a peer that does not run. */
void peer_start(struct cluster *cluster, struct peer *peer);
/* peer_start_with adds arguments, a list that ends with NULL. */
void peer_start_with(struct cluster *cluster, struct peer *peer, const char *const *extras);
/* peer_kill sends SIGKILL; peer_stop SIGTERM and returns the exit status. */
void peer_kill(struct peer *peer);
int peer_stop(struct peer *peer);
/* peer_answers waits until the peer answers at all, at most 20 s; false when it ended instead. */
bool peer_answers(struct peer *peer);

/* cluster_await_full waits until every running peer sees `alive` live peers, all of them owners,
 * no partition moving, and is ready. */
void cluster_await_full(struct cluster *cluster, unsigned alive);
/* cluster_await asks `is_true` until it says so, at most `seconds`; fails the test naming `what`.
 */
typedef bool cluster_condition(void *context);
void cluster_await(cluster_condition *is_true, void *context, unsigned seconds, const char *what);

/* cluster_number reads a number at "a.b" of a JSON document; -1 when it is not there. */
int64_t cluster_number(const json_t *document, const char *path);

/* --- the keys of a test: key i has a value of its own, so that a wrong answer shows */

struct keys {
    unsigned count;
    uint8_t *is_acknowledged; /* one per key */
    unsigned acknowledged;
};

/* keys_init makes room for `count` keys, none acknowledged; keys_free frees it. */
void keys_init(struct keys *keys, unsigned count);
void keys_free(struct keys *keys);
/* keys_put writes key `i` through a peer and notes a 2xx; returns the status. */
unsigned keys_put(struct keys *keys, unsigned i, struct peer *peer);
/* keys_verify reads every acknowledged key from every running peer and fails the test unless each
 * answer has exactly the bytes. 503 is tried again for a while: a peer may still be catching up. */
void keys_verify(const struct keys *keys, struct cluster *cluster);

#endif
