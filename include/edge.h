/* edge.h: HTTP on one side, `op` and `result` on the other. Pure: the driver owns the sockets, the
 * clock and the randomness, the edge owns everything HTTP says. One struct edge per peer, one
 * struct edge_conn per client connection.
 *
 *        bytes read                op, slot                   result
 *   host ----------> receive   next --------> ticket, node    --------> reply
 *                       |       ^                                         |
 *                       v       |                                         v
 *                     input buffer              replies in request order: output ----> sent
 *
 * What the driver does for each connection:
 *   1. edge_set_wall once per turn of the loop, before anything else.
 *   2. Bytes came in: edge_conn_receive, then edge_conn_next until it is false; each op it gives
 * out is executed and answered exactly once by edge_conn_reply with the same slot, in any order.
 *   3. After replies and after edge_conn_sent call edge_conn_next again until it is false: requests
 *      that had to wait may be in the input already.
 *   4. Write edge_conn_output, report with edge_conn_sent. Read only while edge_conn_wants_read.
 *   5. Close when edge_conn_wants_close. (Shut down the sending side first and drain for a moment:
 *      the client may still be sending what we refused to read, and a reset would eat the answer.)
 *   6. At edge_conn_deadline call edge_conn_expire.
 * Also call json_object_seed of jansson once at start with a number that is not 0: otherwise the
 * library reads the system's randomness by itself. */
#ifndef GOSSAMER_EDGE_H
#define GOSSAMER_EDGE_H

#include "metrics.h"
#include "op.h"

#define EDGE_METRICS 3

/* What the edge is told once. Pointers are borrowed for the life of the edge. */
struct edge_config {
    struct label name;          /* of this peer: Gossamer-Served-By, problem bodies */
    const char *version;        /* of the program */
    uint32_t value_max;         /* bytes of a body; at most VALUE_SIZE_MAX */
    const char *const *hosts;   /* names allowed in Host besides IP literals and localhost */
    uint32_t host_count;        /* "*" allows every name */
    const char *admin_token;    /* "" or NULL: none; then loopback has every scope */
    uint64_t header_timeout_us; /* head complete; 0: 10 s */
    uint64_t idle_timeout_us;   /* between requests; 0: 60 s */
    uint64_t write_timeout_us;  /* client takes nothing; 0: 30 s */
    uint32_t pipeline_max;      /* requests of one connection in work; 0: EDGE_PIPELINE_MAX */
    uint64_t seed;              /* random: keys made for POST, trace ids. Not for secrets */
    struct metrics *metrics[EDGE_METRICS]; /* summed for /metrics; [0] is the edge's own and is
                                            * written by it, the others (may be NULL) are read */
};

struct edge;
struct edge_conn;

/* edge_new makes an edge; NULL when no memory is left. */
struct edge *edge_new(const struct edge_config *config);
/* edge_delete frees it; every connection must have been deleted before. */
void edge_delete(struct edge *edge);
/* edge_set_wall tells the wall clock in ms since 1970: Date, keys made for POST. */
void edge_set_wall(struct edge *edge, uint64_t wall_ms);

/* edge_conn_new makes a connection accepted at `now`. `is_loopback` tells that the client is on
 * this machine (loopback address or Unix socket). NULL when no memory is left. */
struct edge_conn *edge_conn_new(struct edge *edge, bool is_loopback, instant now);
/* edge_conn_delete frees it, also with requests in work: their tickets must be cancelled by the
 * driver and never be answered to this connection. */
void edge_conn_delete(struct edge_conn *conn);

/* edge_conn_receive takes bytes as they were read, at most EDGE_INPUT_SLACK of them; they are
 * copied. OK; CLOSED when nothing more is read from this client (the bytes are dropped): flush the
 * output, then close. */
enum status edge_conn_receive(struct edge_conn *conn, instant now, struct slice bytes) MUST_USE;
/* edge_conn_end tells that the client will send no more (end of file): what it asked is still
 * answered, then edge_conn_wants_close. */
void edge_conn_end(struct edge_conn *conn);
/* edge_conn_next gives out the next complete request and its slot; false when there is none now.
 * Everything the edge can answer or refuse alone is answered on the way. The op's slices live
 * until the reply to this slot, `body` until the next edge_conn_next or edge_conn_receive. */
bool edge_conn_next(struct edge_conn *conn, struct op *op, uint32_t *slot);
/* edge_conn_reply renders the answer of one slot given out by edge_conn_next; it reaches the output
 * once all earlier requests are answered. `result` is only read during the call. With is_more the
 * slot stays open for the results that follow. */
void edge_conn_reply(struct edge_conn *conn, uint32_t slot, instant now,
                     const struct result *result);

/* edge_conn_output returns the bytes to be written, contiguous; they live until the next call that
 * changes this connection. */
struct slice edge_conn_output(const struct edge_conn *conn);
/* edge_conn_sent drops the first `size` bytes of the output: the kernel took them. */
void edge_conn_sent(struct edge_conn *conn, size_t size);
/* edge_conn_wants_close tells that everything is answered and flushed and nothing more is read. */
bool edge_conn_wants_close(const struct edge_conn *conn);
/* edge_conn_wants_read is false while too much is unsent or unanswered (back-pressure) and after
 * the end of reading. */
bool edge_conn_wants_read(const struct edge_conn *conn);
/* edge_conn_pending counts the requests given out and not yet answered. */
unsigned edge_conn_pending(const struct edge_conn *conn);
/* edge_conn_is_stream tells that the answer to its newest request goes on until one side ends it:
 * who waits for answers must not wait for this one. */
bool edge_conn_is_stream(const struct edge_conn *conn);

/* edge_conn_deadline tells when edge_conn_expire is next due, INSTANT_NEVER when nothing is. It
 * changes with every call on this connection; being called early is harmless. */
instant edge_conn_deadline(const struct edge_conn *conn);
/* edge_conn_expire ends what is too slow at `now`: a head or a body (408, then close), an idle
 * connection (close), a client that takes nothing (close; the output is dropped). */
void edge_conn_expire(struct edge_conn *conn, instant now);

#endif
