/* edge_conn.c: one client connection, from bytes to requests and back, in order.
 *
 *      HEAD ---head complete---> BODY ---body complete---> HEAD (next request)
 *        |                        |
 *        | framing lost, Connection: close, end of input
 *        v                        v
 *      CLOSED: nothing more is read; what was asked is answered, then the driver closes
 *
 * Reading is lazy: receive only stores, next parses one request at a time, so back-pressure is
 * nothing but not parsing. Answers of this room (problems, /livez) take a slot like all others and
 * therefore leave in order. */
#include "edge_conn.h"
#include <stdlib.h>
#include "ensure.h"

struct edge_conn *edge_conn_new(struct edge *edge, bool is_loopback, instant now)
{
    struct edge_conn *conn = calloc(1, sizeof *conn);

    if (!conn)
        return NULL;
    conn->edge = edge;
    conn->is_loopback = is_loopback;
    conn->is_fresh = true;
    conn->now = conn->since = conn->stall_since = now;
    buffer_init(&conn->input, EDGE_HEAD_MAX + RESTORE_BODY_MAX + EDGE_INPUT_SLACK * 2);
    buffer_init(&conn->output, EDGE_OUTPUT_MAX);
    metric_add(edge->config.metrics[0], METRIC_HTTP_CONNECTIONS, 1);
    return conn;
}

static void edge_conn_drop_chunked(struct edge_conn *conn)
{
    if (conn->chunked)
        edge_body_close(conn->chunked);
    free(conn->chunked);
    conn->chunked = NULL;
}

void edge_conn_delete(struct edge_conn *conn)
{
    metric_add(conn->edge->config.metrics[0], METRIC_HTTP_CONNECTIONS, UINT64_MAX);
    edge_conn_drop_chunked(conn);
    edge_ring_close(&conn->ring);
    buffer_close(&conn->input);
    buffer_close(&conn->output);
    free(conn);
}

void edge_conn_close(struct edge_conn *conn)
{
    conn->phase = PHASE_CLOSED;
    conn->start = 0;
    buffer_clear(&conn->input, 0);
}

/* The client cannot be answered any more: drop everything that waits. */
void edge_conn_cut(struct edge_conn *conn)
{
    edge_conn_close(conn);
    conn->is_stream = false;
    edge_ring_close(&conn->ring);
    conn->sent = 0;
    buffer_clear(&conn->output, 0);
}

/* Moving bytes costs; it pays when more than half of them are consumed, or when room is short. */
static void edge_conn_compact(struct edge_conn *conn, size_t coming)
{
    struct buffer *input = &conn->input;

    if (conn->start == input->size)
        buffer_clear(input, EDGE_KEEP_MAX);
    else if (conn->start > input->size / 2 || coming > input->max - input->size)
        buffer_consume(input, conn->start);
    else
        return;
    conn->start = 0;
}

enum status edge_conn_receive(struct edge_conn *conn, instant now, struct slice bytes)
{
    conn->now = now;
    if (conn->phase == PHASE_CLOSED)
        return STATUS_CLOSED;
    if (conn->start == conn->input.size && conn->phase == PHASE_HEAD && bytes.size)
        conn->since = now; /* the first byte of a head */
    edge_conn_compact(conn, bytes.size);
    conn->is_fresh = conn->is_fresh && !bytes.size;
    if (buffer_append(&conn->input, bytes.data, bytes.size))
        return STATUS_OK;
    edge_conn_cut(conn); /* the driver went on reading, or no memory is left */
    return STATUS_CLOSED;
}

void edge_conn_end(struct edge_conn *conn)
{
    if (conn->is_stream) {
        edge_conn_cut(conn);
        return;
    }
    if (conn->phase == PHASE_CLOSED)
        return;
    if (conn->phase == PHASE_BODY && !conn->is_discarding)
        conn->ring.tail--; /* it will never be complete, so it is never answered */
    edge_conn_close(conn);
}

static struct slice edge_conn_unread(const struct edge_conn *conn)
{
    if (conn->start == conn->input.size)
        return SLICE_NONE; /* perhaps nothing was ever allocated */
    return slice_of(conn->input.data + conn->start, conn->input.size - conn->start);
}

/* --- answers */

static void edge_conn_flush(struct edge_conn *conn)
{
    if (!edge_ring_flush(&conn->ring, &conn->output))
        edge_conn_cut(conn);
    else if (conn->wants_continue && conn->ring.head == conn->number) {
        conn->wants_continue = false;
        if (conn->phase == PHASE_BODY)
            (void)buffer_append(&conn->output, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
}

/* Ends an answer, or a part of one: counts it, marks its slot, moves what can leave. */
void edge_conn_finish(struct edge_conn *conn, struct edge_answer *answer, bool is_more)
{
    if (!edge_out_end(&answer->out, answer->start)) {
        edge_conn_cut(conn);
        return;
    }
    if (answer->status)
        edge_metrics_count(conn->edge, answer->status);
    if (!is_more)
        answer->slot->state = SLOT_DONE;
    edge_conn_flush(conn);
}

void edge_conn_answer(struct edge_conn *conn, uint32_t number, struct edge_answer *answer,
                      size_t size)
{
    answer->edge = conn->edge;
    answer->slot = edge_ring_at(&conn->ring, number);
    if (conn->output.size == 0) {
        conn->stall_since = conn->now;
        conn->is_moved = false;
    }
    edge_answer_begin(answer, edge_ring_target(&conn->ring, number, &conn->output), size);
}

/* A problem for the request in hand; a closing one ends the reading. */
void edge_conn_refuse(struct edge_conn *conn, uint32_t number, const struct edge_fault *fault,
                      bool is_closing)
{
    struct edge_answer answer;

    if (is_closing) {
        edge_ring_at(&conn->ring, number)->is_last = true;
        metric_add(conn->edge->config.metrics[0], METRIC_DROP_HTTP, 1);
        edge_conn_close(conn);
    }
    edge_conn_answer(conn, number, &answer, 0);
    edge_answer_fault(&answer, fault, NULL);
    edge_conn_finish(conn, &answer, false);
}

static void edge_conn_local(struct edge_conn *conn, uint32_t number)
{
    struct edge_answer answer;

    edge_conn_answer(conn, number, &answer, 0);
    answer.slot->route->reply(&answer, NULL);
    edge_conn_finish(conn, &answer, false);
}

static size_t edge_result_room(const struct result *result)
{
    size_t room = result->context.size + result->session.size;

    if (result->kind == OP_GET && result->value_count)
        room += result->values[0].body.size + result->values[0].meta.size;
    return room;
}

void edge_conn_reply(struct edge_conn *conn, uint32_t slot, instant now,
                     const struct result *result)
{
    struct edge_answer answer;

    conn->now = now;
    if (slot - conn->ring.head >= edge_ring_count(&conn->ring))
        return; /* the connection was cut meanwhile */
    ensure(edge_ring_at(&conn->ring, slot)->state == SLOT_OPEN);
    if (edge_ring_at(&conn->ring, slot)->is_begun &&
        conn->output.size - conn->sent > EDGE_WATCH_HIGH) {
        edge_conn_cut(conn);
        return;
    }
    conn->ring.open -= !result->is_more;
    conn->is_stream = result->is_more;
    if (conn->is_stream || (conn->phase == PHASE_HEAD && conn->start == conn->input.size))
        conn->since = now; /* idle time counts from the answer */
    edge_conn_answer(conn, slot, &answer, edge_result_room(result));
    answer.slot->route->reply(&answer, result);
    edge_conn_finish(conn, &answer, result->is_more);
}

/* --- heads */

/* Framing is lost or the head is too large: answer and read no more. */
enum edge_step edge_conn_reject(struct edge_conn *conn, enum edge_problem problem,
                                const char *detail)
{
    struct edge_fault fault;
    uint32_t number;

    edge_fault_set(&fault, problem, detail, NULL);
    if (!edge_ring_push(&conn->ring, &number))
        edge_conn_cut(conn);
    else
        edge_conn_refuse(conn, number, &fault, true);
    return STEP_AGAIN;
}

/* One empty line before the request line is skipped (RFC 9112 section 2.2). False: wait. */
static bool edge_conn_skip_line(struct edge_conn *conn)
{
    struct slice bytes = edge_conn_unread(conn);

    if (conn->is_line_skipped || conn->scan.at || !bytes.size || bytes.data[0] != '\r')
        return bytes.size > 0;
    if (bytes.size < 2)
        return false;
    if (bytes.data[1] != '\n')
        return true; /* the scan refuses it */
    conn->is_line_skipped = true;
    conn->start += 2;
    return bytes.size > 2;
}

static bool edge_conn_finish_op(struct edge_conn *conn, struct edge_slot *slot, struct slice body)
{
    struct edge_call call = {.edge = conn->edge,
                             .slot = slot,
                             .route = slot->route,
                             .op = &conn->op,
                             .fault = &conn->edge->fault,
                             .is_loopback = conn->is_loopback};

    return slot->route->finish(&call, body) != VERDICT_FAULT;
}

/* The request's body is complete (or it has none): the op is ready, or refused after all. */
static enum edge_step edge_conn_complete(struct edge_conn *conn, struct slice body)
{
    struct edge_slot *slot = edge_ring_at(&conn->ring, conn->number);

    conn->phase = slot->is_last ? PHASE_CLOSED : PHASE_HEAD;
    conn->since = conn->now;
    if (slot->route->finish && !edge_conn_finish_op(conn, slot, body)) {
        edge_conn_refuse(conn, conn->number, &conn->edge->fault, false);
        return STEP_AGAIN;
    }
    slot->kind = conn->op.kind;
    slot->state = SLOT_OPEN;
    conn->is_stream = slot->is_stream;
    conn->ring.open++;
    return STEP_OUT;
}

/* Announces that the body may come, unless it is here or earlier answers are missing. */
static void edge_conn_continue(struct edge_conn *conn, const struct edge_head *head)
{
    if (!head->seen[EDGE_FIELD_EXPECT] || head->is_http10)
        return;
    if (edge_conn_unread(conn).size >= (head->is_chunked ? 1 : head->length))
        return;
    conn->wants_continue = true;
    edge_conn_flush(conn);
}

static bool edge_conn_begin_body(struct edge_conn *conn, const struct edge_head *head,
                                 bool is_discarding)
{
    conn->phase = PHASE_BODY;
    conn->is_discarding = is_discarding;
    conn->body_left = conn->body_size = head->length;
    if (!head->is_chunked)
        return true;
    conn->chunked = calloc(1, sizeof *conn->chunked);
    if (conn->chunked)
        edge_body_begin(conn->chunked, &conn->edge->parser, conn->edge->config.value_max,
                        !is_discarding);
    return conn->chunked != NULL;
}

/* Goes on behind a head that was answered at once, by a problem or by this room itself. */
static void edge_conn_answered(struct edge_conn *conn, const struct edge_head *head)
{
    if (conn->phase == PHASE_CLOSED)
        return;
    if (head->is_closing || (head->seen[EDGE_FIELD_EXPECT] && (head->is_chunked || head->length)))
        edge_conn_close(conn); /* whether the body follows is the client's guess */
    else if ((head->is_chunked || head->length) && !edge_conn_begin_body(conn, head, true))
        edge_conn_cut(conn);
}

static enum edge_step edge_conn_request(struct edge_conn *conn, size_t head_size)
{
    struct edge_head *head = &conn->edge->head;
    bool has_body = head->is_chunked || head->length;
    struct edge_fault *fault = &conn->edge->fault;
    struct edge_call call = {.edge = conn->edge,
                             .head = head,
                             .op = &conn->op,
                             .fault = fault,
                             .is_loopback = conn->is_loopback};
    enum edge_verdict verdict;

    call.slot = edge_ring_push(&conn->ring, &conn->number);
    conn->op = (struct op){.kind = OP_GET};
    if (!call.slot || !buffer_reserve(&call.slot->text, 3 * head_size + 256)) {
        edge_conn_cut(conn);
        return STEP_AGAIN;
    }
    verdict = edge_call_begin(&call);
    call.slot->is_last =
        head->is_closing || (verdict != VERDICT_OP && has_body && head->seen[EDGE_FIELD_EXPECT]);
    edge_conn_drop_chunked(conn);
    conn->start += head_size;
    conn->scan = (struct edge_scan){0};
    conn->is_line_skipped = false;
    conn->since = conn->now;
    if (verdict == VERDICT_OP && !has_body)
        return edge_conn_complete(conn, SLICE_NONE);
    if (verdict == VERDICT_OP && edge_conn_begin_body(conn, head, false)) {
        edge_conn_continue(conn, head);
        return STEP_AGAIN;
    }
    if (verdict == VERDICT_OP)
        edge_conn_cut(conn);
    else if (verdict == VERDICT_LOCAL)
        edge_conn_local(conn, conn->number);
    else
        edge_conn_refuse(conn, conn->number, fault, fault->problem == PROBLEM_TOO_LARGE);
    edge_conn_answered(conn, head);
    return STEP_AGAIN;
}

static enum edge_step edge_conn_step_head(struct edge_conn *conn)
{
    struct edge_head *head = &conn->edge->head;
    struct slice bytes;
    enum status status;

    if (!edge_conn_skip_line(conn))
        return STEP_WAIT;
    bytes = edge_conn_unread(conn);
    status = edge_scan_feed(&conn->scan, bytes.data, bytes.size);
    if (status == STATUS_INCOMPLETE)
        return STEP_WAIT;
    if (status != STATUS_OK)
        return edge_conn_reject(conn, conn->scan.problem, conn->scan.detail);
    bytes.size = conn->scan.at;
    if (edge_head_parse(head, &conn->scan, bytes, &conn->edge->parser) != STATUS_OK)
        return edge_conn_reject(conn, head->problem, head->detail);
    return edge_conn_request(conn, bytes.size);
}

/* --- bodies */

static enum edge_step edge_conn_step_chunked(struct edge_conn *conn)
{
    struct edge_fault fault;
    size_t used;
    enum status status = edge_body_feed(conn->chunked, edge_conn_unread(conn), &used);

    conn->start += used;
    if (status == STATUS_INCOMPLETE)
        return STEP_WAIT;
    if (status == STATUS_OK && conn->is_discarding)
        conn->phase = PHASE_HEAD;
    else if (status == STATUS_OK)
        return edge_conn_complete(conn,
                                  slice_of(conn->chunked->bytes.data, conn->chunked->bytes.size));
    else if (conn->is_discarding)
        edge_conn_close(conn);
    else {
        edge_fault_set(&fault, conn->chunked->problem, conn->chunked->detail, NULL);
        edge_conn_refuse(conn, conn->number, &fault, true);
    }
    return STEP_AGAIN;
}

static enum edge_step edge_conn_step_body(struct edge_conn *conn)
{
    struct slice bytes = edge_conn_unread(conn);

    if (conn->chunked)
        return edge_conn_step_chunked(conn);
    if (conn->is_discarding) {
        size_t skipped = bytes.size < conn->body_left ? bytes.size : (size_t)conn->body_left;

        conn->start += skipped;
        conn->body_left -= skipped;
        if (conn->body_left)
            return STEP_WAIT;
        conn->phase = PHASE_HEAD;
        conn->since = conn->now;
        return STEP_AGAIN;
    }
    if (bytes.size < conn->body_left)
        return STEP_WAIT;
    bytes.size = (size_t)conn->body_left;
    conn->start += bytes.size;
    return edge_conn_complete(conn, bytes);
}

/* --- the door */

/* Back-pressure: nothing new is taken while too much is unsent or unanswered. */
bool edge_conn_has_room(const struct edge_conn *conn)
{
    return conn->output.size - conn->sent <= EDGE_OUTPUT_HIGH && !conn->is_stream &&
           (conn->phase == PHASE_BODY ||
            edge_ring_count(&conn->ring) < conn->edge->config.pipeline_max);
}

bool edge_conn_next(struct edge_conn *conn, struct op *op, uint32_t *slot)
{
    while (conn->phase != PHASE_CLOSED && edge_conn_has_room(conn)) {
        enum edge_step step =
            conn->phase == PHASE_HEAD ? edge_conn_step_head(conn) : edge_conn_step_body(conn);

        if (step == STEP_WAIT)
            return false;
        if (step == STEP_OUT) {
            *op = conn->op;
            *slot = conn->number;
            return true;
        }
    }
    return false;
}

struct slice edge_conn_output(const struct edge_conn *conn)
{
    return conn->output.size
               ? slice_of(conn->output.data + conn->sent, conn->output.size - conn->sent)
               : SLICE_NONE;
}

void edge_conn_sent(struct edge_conn *conn, size_t size)
{
    ensure(size <= conn->output.size - conn->sent);
    conn->sent += size;
    conn->is_moved = conn->is_moved || size > 0;
    if (conn->sent == conn->output.size)
        buffer_clear(&conn->output, EDGE_KEEP_MAX);
    else if (conn->sent > conn->output.size / 2 && conn->sent > EDGE_OUTPUT_HIGH)
        buffer_consume(&conn->output, conn->sent);
    else
        return;
    conn->sent = 0;
}

bool edge_conn_wants_close(const struct edge_conn *conn)
{
    return conn->phase == PHASE_CLOSED && edge_ring_count(&conn->ring) == 0 &&
           conn->output.size == 0;
}

bool edge_conn_wants_read(const struct edge_conn *conn)
{
    size_t ahead = conn->edge->config.value_max;

    /* A route that takes more than a value has said so before its body was begun. */
    if (conn->phase == PHASE_BODY && !conn->is_discarding && conn->body_left > ahead)
        ahead = conn->body_left;
    return conn->phase != PHASE_CLOSED && (conn->is_stream || edge_conn_has_room(conn)) &&
           conn->input.size - conn->start < EDGE_HEAD_MAX + ahead + EDGE_INPUT_SLACK;
}

unsigned edge_conn_pending(const struct edge_conn *conn)
{
    return conn->ring.open;
}

bool edge_conn_is_stream(const struct edge_conn *conn)
{
    return conn->is_stream;
}
