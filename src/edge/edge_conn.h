/* edge_conn.h: one client connection, shared by the files that read it (edge_conn.c) and that lose
 * patience with it (edge_pace.c). */
#ifndef GOSSAMER_EDGE_CONN_H
#define GOSSAMER_EDGE_CONN_H

#include "edge_room.h"

enum edge_phase { PHASE_HEAD, PHASE_BODY, PHASE_CLOSED };

struct edge_conn {
    struct edge *edge; /* borrowed */
    bool is_loopback;
    bool is_discarding;   /* the request in PHASE_BODY is answered already; its body is skipped */
    bool wants_continue;  /* 100 is owed once earlier answers are out */
    bool is_moved;        /* the client took bytes since stall_since */
    bool is_line_skipped; /* one empty line before a request line was skipped */
    enum edge_phase phase;
    size_t start; /* first byte of `input` that is not consumed */
    size_t sent;  /* bytes of `output` the kernel took already */
    struct buffer input, output;
    struct edge_scan scan;
    struct edge_ring ring;
    struct op op;              /* of the request in PHASE_BODY */
    uint32_t number;           /* its slot */
    uint64_t body_size;        /* Content-Length */
    uint64_t body_left;        /* of it, not yet skipped (discarding) or taken */
    struct edge_body *chunked; /* owned; NULL unless a chunked body is read */
    instant now;               /* of the newest call that told it */
    instant since;             /* when the present head, body or idle time began */
    instant stall_since;       /* since when the output waits */
    bool is_fresh;             /* no byte ever came */
    bool is_stream;            /* its newest request is answered by events: nothing comes behind */
};

/* One step of reading: WAIT for bytes, go AGAIN, or give an op OUT. */
enum edge_step { STEP_WAIT, STEP_AGAIN, STEP_OUT };

/* edge_conn_close reads no more; what was asked is still answered. edge_conn_cut drops everything
 * that waits as well: the client cannot be answered any more. */
void edge_conn_close(struct edge_conn *conn);
void edge_conn_cut(struct edge_conn *conn);
/* edge_conn_answer begins the answer of a slot, or a part of it, with room for `size` bytes of
 * body; edge_conn_finish ends it, as the last part unless `is_more`. */
void edge_conn_answer(struct edge_conn *conn, uint32_t number, struct edge_answer *answer,
                      size_t size);
void edge_conn_finish(struct edge_conn *conn, struct edge_answer *answer, bool is_more);
/* edge_conn_refuse answers a request in hand with a problem; a closing one ends the reading.
 * edge_conn_reject does so before there is a request: framing is lost. */
void edge_conn_refuse(struct edge_conn *conn, uint32_t number, const struct edge_fault *fault,
                      bool is_closing);
enum edge_step edge_conn_reject(struct edge_conn *conn, enum edge_problem problem,
                                const char *detail);
/* edge_conn_has_room is back-pressure: nothing new is taken while too much is unsent or unanswered,
 * or behind a stream. */
bool edge_conn_has_room(const struct edge_conn *conn);

#endif
