/* edge_pace.c: how long a connection may take. A head has a deadline, a body a rate, an idle
 * connection an end, a client that takes nothing another; and a stream that was quiet gets a
 * comment. */
#include "edge_conn.h"

static uint64_t edge_conn_body_received(const struct edge_conn *conn)
{
    if (conn->chunked)
        return conn->chunked->size;
    return conn->is_discarding ? conn->body_size - conn->body_left : conn->input.size - conn->start;
}

/* When the client's sending is too slow; a body must keep up a rate after its grace. */
static instant edge_conn_read_deadline(const struct edge_conn *conn)
{
    const struct edge_config *config = &conn->edge->config;
    uint64_t paced;

    if (conn->is_stream)
        return instant_add(conn->since, INSTANT_S(EDGE_BEAT_S));
    if (conn->phase == PHASE_CLOSED || !edge_conn_has_room(conn))
        return INSTANT_NEVER;
    if (conn->phase == PHASE_BODY) {
        paced = edge_conn_body_received(conn) * (1000000 / EDGE_BODY_RATE_MIN);
        return instant_add(conn->since, paced > INSTANT_S(EDGE_BODY_GRACE_S)
                                            ? paced
                                            : INSTANT_S(EDGE_BODY_GRACE_S));
    }
    if (conn->start < conn->input.size || conn->is_fresh)
        return instant_add(conn->since, config->header_timeout_us);
    if (edge_ring_count(&conn->ring) || conn->output.size)
        return INSTANT_NEVER;
    return instant_add(conn->since, config->idle_timeout_us);
}

static instant edge_conn_write_deadline(const struct edge_conn *conn)
{
    return conn->output.size ? instant_add(conn->stall_since, conn->edge->config.write_timeout_us)
                             : INSTANT_NEVER;
}

instant edge_conn_deadline(const struct edge_conn *conn)
{
    return instant_min(edge_conn_read_deadline(conn), edge_conn_write_deadline(conn));
}

/* The stream was quiet for so long that somebody in between might think it dead. */
static void edge_conn_beat(struct edge_conn *conn)
{
    uint32_t number = conn->ring.tail - 1; /* nothing comes behind it */
    struct edge_answer answer;

    conn->since = conn->now;
    if (!edge_ring_at(&conn->ring, number)->is_begun)
        return;
    edge_conn_answer(conn, number, &answer, 0);
    edge_stream_beat(&answer);
    edge_conn_finish(conn, &answer, true);
}

void edge_conn_expire(struct edge_conn *conn, instant now)
{
    struct edge_fault fault;

    conn->now = now;
    if (instant_is_due(edge_conn_write_deadline(conn), now)) {
        if (!conn->is_moved) {
            edge_conn_cut(conn);
            return;
        }
        conn->is_moved = false;
        conn->stall_since = now;
    }
    if (!instant_is_due(edge_conn_read_deadline(conn), now))
        return;
    if (conn->is_stream) {
        edge_conn_beat(conn);
    } else if (conn->phase == PHASE_HEAD && conn->start < conn->input.size) {
        edge_conn_reject(conn, PROBLEM_REQUEST_TIMEOUT, "the head was not complete in time");
    } else if (conn->phase == PHASE_BODY && !conn->is_discarding) {
        edge_fault_set(&fault, PROBLEM_REQUEST_TIMEOUT,
                       "the body came at less than 1000 bytes per second", NULL);
        edge_conn_refuse(conn, conn->number, &fault, true);
    } else {
        edge_conn_close(conn);
    }
}
