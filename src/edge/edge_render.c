/* edge_render.c: heads of replies, by hand and without a format string: the common GET is one room
 * reservation and a dozen copies. Every reply names the peer that gave it and the peers it crossed.
 */
#include "edge_room.h"
#include "ensure.h"

#define HEAD_ROOM 1400 /* bytes: the fields of a common reply with a short route */

/* The status lines of api.md 8, the common ones first. */
static const struct {
    unsigned status;
    const char *reason;
} edge_reasons[] = {
    {200, " OK"},
    {204, " No Content"},
    {201, " Created"},
    {304, " Not Modified"},
    {404, " Not Found"},
    {202, " Accepted"},
    {206, " Partial Content"},
    {300, " Multiple Choices"},
    {400, " Bad Request"},
    {401, " Unauthorized"},
    {403, " Forbidden"},
    {405, " Method Not Allowed"},
    {406, " Not Acceptable"},
    {408, " Request Timeout"},
    {409, " Conflict"},
    {412, " Precondition Failed"},
    {413, " Content Too Large"},
    {414, " URI Too Long"},
    {415, " Unsupported Media Type"},
    {416, " Range Not Satisfiable"},
    {417, " Expectation Failed"},
    {421, " Misdirected Request"},
    {429, " Too Many Requests"},
    {431, " Request Header Fields Too Large"},
    {500, " Internal Server Error"},
    {501, " Not Implemented"},
    {503, " Service Unavailable"},
    {505, " HTTP Version Not Supported"},
    {507, " Insufficient Storage"},
};

static const char *edge_reason(unsigned status)
{
    for (unsigned i = 0; i < sizeof edge_reasons / sizeof edge_reasons[0]; i++)
        if (edge_reasons[i].status == status)
            return edge_reasons[i].reason;
    return " ";
}

static void edge_put_status(struct edge_out *out, unsigned status)
{
    EDGE_PUT(out, "HTTP/1.1 ");
    edge_put_digits(out, status, 3);
    edge_put_text(out, edge_reason(status));
    EDGE_PUT(out, "\r\n");
}

void edge_answer_begin(struct edge_answer *answer, struct buffer *buffer, size_t size)
{
    answer->start = buffer->size;
    answer->status = 0;
    edge_out_begin(&answer->out, buffer, size + HEAD_ROOM);
}

void edge_answer_head(struct edge_answer *answer, unsigned status)
{
    struct edge_out *out = &answer->out;

    ensure(answer->status == 0);
    answer->status = status;
    edge_put_status(out, status);
    EDGE_PUT(out, "Date: ");
    edge_put(out, answer->edge->date, sizeof answer->edge->date);
    edge_put(out, answer->edge->common, answer->edge->common_size);
    if (answer->slot->is_last)
        EDGE_PUT(out, "Connection: close\r\n");
}

static void edge_put_roles(struct edge_out *out, unsigned roles)
{
    if (roles & ROLE_EDGE)
        EDGE_PUT(out, ";edge");
    if (roles & ROLE_COORD)
        EDGE_PUT(out, ";coord");
    if (roles & ROLE_REPLICA)
        EDGE_PUT(out, ";replica");
    if (roles & ROLE_HINT)
        EDGE_PUT(out, ";hint");
    if (roles & ROLE_FAILED)
        EDGE_PUT(out, ";failed");
}

/* Peer names come from other peers: only the characters a name may have reach a header. */
static void edge_put_peer(struct edge_out *out, const struct label *name)
{
    size_t size = name->size <= NAME_SIZE_MAX ? name->size : NAME_SIZE_MAX;

    for (size_t i = 0; i < size; i++) {
        char c = name->text[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '~';

        edge_put_char(out, is_good ? c : '_');
    }
    if (size == 0)
        EDGE_PUT(out, "unknown");
}

void edge_answer_route(struct edge_answer *answer, const struct result *result)
{
    struct edge_out *out = &answer->out;
    unsigned count = result && result->route_count <= ROUTE_MAX ? result->route_count : 0;
    bool begins_here = count && (result->route[0].roles & ROLE_EDGE);

    EDGE_PUT(out, "Gossamer-Route: ");
    if (!begins_here) {
        edge_put_peer(out, &answer->edge->config.name);
        EDGE_PUT(out, ";edge");
    }
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 || !begins_here)
            EDGE_PUT(out, ", ");
        edge_put_peer(out, &result->route[i].name);
        edge_put_roles(out, result->route[i].roles);
    }
    EDGE_PUT(out, "\r\n");
    if (result && result->session.size > 0)
        edge_put_value_field(out, "Gossamer-Session", result->session);
}

void edge_answer_no_store(struct edge_answer *answer)
{
    EDGE_PUT(&answer->out, "Cache-Control: no-store\r\n");
}

void edge_answer_allow(struct edge_answer *answer)
{
    static const struct {
        unsigned method;
        const char *name;
    } names[] = {{EDGE_GET, "GET"},   {EDGE_HEAD, "HEAD"},     {EDGE_PUT, "PUT"},
                 {EDGE_POST, "POST"}, {EDGE_DELETE, "DELETE"}, {EDGE_OPTIONS, "OPTIONS"}};
    bool is_first = true;

    EDGE_PUT(&answer->out, "Allow: ");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(answer->slot->allow & names[i].method))
            continue;
        if (!is_first)
            EDGE_PUT(&answer->out, ", ");
        is_first = false;
        edge_put_text(&answer->out, names[i].name);
    }
    EDGE_PUT(&answer->out, "\r\n");
}

void edge_answer_body(struct edge_answer *answer, struct slice body)
{
    EDGE_PUT(&answer->out, "Content-Length: ");
    edge_put_number(&answer->out, body.size);
    EDGE_PUT(&answer->out, "\r\n\r\n");
    if (!answer->slot->is_head)
        edge_put_slice(&answer->out, body);
}

void edge_answer_empty(struct edge_answer *answer)
{
    ensure(answer->status == 204 || answer->status == 304);
    EDGE_PUT(&answer->out, "\r\n");
}

void edge_answer_text(struct edge_answer *answer, unsigned status, const char *type,
                      struct slice body)
{
    edge_answer_head(answer, status);
    edge_answer_route(answer, NULL);
    edge_answer_no_store(answer);
    EDGE_PUT(&answer->out, "Content-Type: ");
    edge_put_text(&answer->out, type);
    EDGE_PUT(&answer->out, "\r\n");
    edge_answer_body(answer, body);
}

/* --- problems (RFC 9457) */

static bool edge_is_write(const struct edge_slot *slot)
{
    return slot->kind == OP_PUT || slot->kind == OP_DELETE || slot->kind == OP_UPDATE;
}

/* What is known of the write: an answer below 500 means that certainly nothing was applied. */
static enum outcome edge_outcome(const struct edge_slot *slot, unsigned status,
                                 const struct result *result)
{
    if (!edge_is_write(slot))
        return OUTCOME_NONE;
    if (!result)
        return OUTCOME_NOT_STORED; /* it never reached the core */
    if (result->outcome != OUTCOME_NONE)
        return result->outcome;
    return status < 500 ? OUTCOME_NOT_STORED : OUTCOME_UNKNOWN;
}

static void edge_put_outcome(struct edge_out *out, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_NONE:
        return;
    case OUTCOME_NOT_STORED:
        EDGE_PUT(out, ",\"outcome\":\"not-stored\",\"definite\":true");
        return;
    case OUTCOME_PARTIAL:
        EDGE_PUT(out, ",\"outcome\":\"stored-partial\",\"definite\":false");
        return;
    case OUTCOME_UNKNOWN:
        EDGE_PUT(out, ",\"outcome\":\"unknown\",\"definite\":false");
        return;
    }
    EDGE_PUT(out, ",\"outcome\":\"unknown\",\"definite\":false");
}

static void edge_put_problem(struct edge_out *out, const struct edge_answer *answer,
                             const struct edge_fault *fault, const struct result *result)
{
    const struct edge_problem_row *row = edge_problem_row(fault->problem);

    EDGE_PUT(out, "{\"type\":\"/problems/");
    edge_put_text(out, row->slug);
    EDGE_PUT(out, "\",\"title\":");
    edge_put_json(out, slice_text(row->title));
    EDGE_PUT(out, ",\"status\":");
    edge_put_number(out, row->status);
    EDGE_PUT(out, ",\"detail\":");
    edge_put_json(out, slice_text(fault->detail));
    EDGE_PUT(out, ",\"instance\":");
    edge_put_json(out, answer->slot->instance);
    EDGE_PUT(out, ",\"trace_id\":\"");
    edge_put(out, answer->slot->trace, EDGE_TRACE_SIZE);
    EDGE_PUT(out, "\",\"peer\":");
    edge_put_json(out, slice_of(answer->edge->config.name.text, answer->edge->config.name.size));
    edge_put_outcome(out, edge_outcome(answer->slot, row->status, result));
    if (result && result->required) {
        EDGE_PUT(out, ",\"acks\":");
        edge_put_number(out, result->acks);
        EDGE_PUT(out, ",\"required\":");
        edge_put_number(out, result->required);
    }
    edge_put_text(out, row->is_retryable ? ",\"retryable\":true" : ",\"retryable\":false");
    if (fault->hint[0]) {
        EDGE_PUT(out, ",\"hint\":");
        edge_put_json(out, slice_text(fault->hint));
    }
    EDGE_PUT(out, "}\n");
}

static void edge_answer_trace(struct edge_answer *answer)
{
    static const char digits[] = "0123456789abcdef";

    if (!answer->slot->has_trace) {
        uint64_t random[2] = {prng_next(&answer->edge->prng), prng_next(&answer->edge->prng)};

        for (unsigned i = 0; i < EDGE_TRACE_SIZE; i++)
            answer->slot->trace[i] = digits[random[i / 16] >> (i % 16 * 4) & 15];
    }
    EDGE_PUT(&answer->out, "Gossamer-Trace-Id: ");
    edge_put(&answer->out, answer->slot->trace, EDGE_TRACE_SIZE);
    EDGE_PUT(&answer->out, "\r\n");
}

/* The fields that go with certain problems only. */
static void edge_answer_fault_fields(struct edge_answer *answer, const struct edge_fault *fault,
                                     const struct result *result)
{
    struct edge_out *out = &answer->out;

    if (fault->problem == PROBLEM_METHOD_NOT_ALLOWED)
        edge_answer_allow(answer);
    if (fault->problem == PROBLEM_UNAUTHENTICATED)
        EDGE_PUT(out, "WWW-Authenticate: Bearer\r\n");
    if (answer->status == 503)
        EDGE_PUT(out, "Retry-After: 1\r\n");
    if (!result || !result->total)
        return;
    EDGE_PUT(out, "Gossamer-Acks: ");
    edge_put_number(out, result->acks);
    EDGE_PUT(out, "/");
    edge_put_number(out, result->total);
    EDGE_PUT(out, "\r\n");
    edge_put_value_field(out, "Gossamer-Context", result->context);
    if (fault->problem == PROBLEM_PRECONDITION_FAILED && result->etag) {
        EDGE_PUT(out, "ETag: ");
        edge_put_etag(out, result->etag);
        EDGE_PUT(out, "\r\n");
    }
}

void edge_answer_fault(struct edge_answer *answer, const struct edge_fault *fault,
                       const struct result *result)
{
    struct buffer body;
    struct edge_out out;

    edge_answer_head(answer, edge_problem_row(fault->problem)->status);
    edge_answer_route(answer, result);
    edge_answer_no_store(answer);
    edge_answer_trace(answer);
    edge_answer_fault_fields(answer, fault, result);
    EDGE_PUT(&answer->out, "Content-Type: application/problem+json\r\n");
    buffer_init(&body, EDGE_LINE_MAX * 8);
    edge_out_begin(&out, &body, 1024);
    edge_put_problem(&out, answer, fault, result);
    if (edge_out_end(&out, 0))
        edge_answer_body(answer, slice_of(body.data, body.size));
    else
        answer->out.is_full = true;
    buffer_close(&body);
}

void edge_answer_refuse(struct edge_answer *answer, const struct result *result)
{
    struct edge_fault fault;

    edge_fault_of_result(&fault, result);
    edge_answer_fault(answer, &fault, result);
}
