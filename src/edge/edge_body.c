/* edge_body.c: chunked bodies (RFC 9112 section 7.1). llhttp reads the framing, but it sees a line
 * only once the line is whole and plain:
 *
 *   1a;name=value CRLF   a line of hex digits and perhaps an extension, at most 300 bytes
 *   26 bytes of data     fed as they come
 *   CRLF                 exactly this line
 *   0 CRLF               the last chunk
 *   name: value CRLF     trailers: checked like head lines, then dropped
 *   CRLF
 *
 * Everything llhttp leaves open is closed by the line: bare LF, endless extensions, a
 * Content-Length among the trailers. */
#include "edge_body.h"
#include <string.h>
#include <strings.h>
#include "edge_head.h"
#include "ensure.h"

static enum status edge_body_refuse(struct edge_body *body, enum edge_problem problem,
                                    const char *detail)
{
    body->problem = problem;
    body->detail = detail;
    return STATUS_BAD;
}

static int edge_on_chunk(llhttp_t *parser)
{
    struct edge_body *body = parser->data;

    body->left = parser->content_length;
    body->is_in_chunk = body->left > 0;
    body->is_in_trailer = body->left == 0;
    return 0;
}

static int edge_on_complete(llhttp_t *parser)
{
    struct edge_body *body = parser->data;

    body->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t EDGE_BODY_SETTINGS = {
    .on_chunk_header = edge_on_chunk,
    .on_message_complete = edge_on_complete,
};

void edge_body_begin(struct edge_body *body, const llhttp_t *parser, uint64_t max, bool is_keeping)
{
    buffer_close(&body->bytes);
    *body = (struct edge_body){.parser = *parser, .max = max, .is_keeping = is_keeping};
    body->parser.data = body;
    body->parser.settings = (void *)(uintptr_t)&EDGE_BODY_SETTINGS;
    buffer_init(&body->bytes, (size_t)max);
}

void edge_body_close(struct edge_body *body)
{
    buffer_close(&body->bytes);
}

static bool edge_is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* At most 16 digits, then nothing or an extension. */
static bool edge_is_chunk_line(const uint8_t *line, size_t size)
{
    size_t digits = 0;

    while (digits < size && edge_is_hex(line[digits]))
        digits++;
    return digits > 0 && digits <= 16 && (digits == size || line[digits] == ';');
}

/* Fields that would frame or route the message must not come late. */
static bool edge_is_trailer_line(const uint8_t *line, size_t size)
{
    static const char *const banned[] = {"content-length", "transfer-encoding", "host", "trailer"};
    const uint8_t *colon = memchr(line, ':', size);
    size_t name = colon ? (size_t)(colon - line) : 0;

    if (size == 0)
        return true;
    if (name == 0)
        return false;
    for (size_t i = 0; i < name; i++)
        if (line[i] <= ' ' || line[i] >= 0x7f)
            return false;
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++)
        if (strlen(banned[i]) == name && strncasecmp(banned[i], (const char *)line, name) == 0)
            return false;
    return true;
}

/* `size` is without CR LF. */
static bool edge_body_line_is_good(const struct edge_body *body, const uint8_t *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return false;
    if (body->is_in_chunk)
        return size == 0; /* the CR LF behind the data */
    return body->is_in_trailer ? edge_is_trailer_line(line, size) : edge_is_chunk_line(line, size);
}

static enum status edge_body_limits(struct edge_body *body, size_t size)
{
    size_t max = body->is_in_chunk     ? 2
                 : body->is_in_trailer ? EDGE_HEAD_MAX - body->trailer_size
                                       : EDGE_CHUNK_LINE_MAX;

    if (size <= max)
        return STATUS_OK;
    if (body->is_in_trailer)
        return edge_body_refuse(body, PROBLEM_HEADERS_TOO_LARGE, "the trailers are too large");
    return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
}

/* llhttp never sees an extension: it knows only some of the legal ones, and nobody uses any. */
static llhttp_errno_t edge_body_parse(struct edge_body *body, const uint8_t *line, size_t size)
{
    const uint8_t *extension = memchr(line, ';', size);
    llhttp_errno_t error;

    if (!extension || body->is_in_trailer)
        return llhttp_execute(&body->parser, (const char *)line, size);
    error = llhttp_execute(&body->parser, (const char *)line, (size_t)(extension - line));
    return error == HPE_OK ? llhttp_execute(&body->parser, "\r\n", 2) : error;
}

static enum status edge_body_parse_line(struct edge_body *body, const uint8_t *line, size_t size)
{
    llhttp_errno_t error;
    bool was_in_trailer = body->is_in_trailer;

    if (line[size - 2] != '\r' || !edge_body_line_is_good(body, line, size - 2))
        return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
    if (body->is_in_trailer) {
        body->trailer_size += size;
        if (++body->trailers > EDGE_FIELDS_MAX + 1)
            return edge_body_refuse(body, PROBLEM_HEADERS_TOO_LARGE, "there are too many trailers");
    }
    body->is_in_chunk = false;
    error = edge_body_parse(body, line, size);
    if (error != HPE_OK && !body->is_complete)
        return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
    if (was_in_trailer && size == 2 && !body->is_complete)
        return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
    if (body->left > body->max - body->size)
        return edge_body_refuse(body, PROBLEM_TOO_LARGE, "the chunked body is too large");
    return STATUS_OK;
}

/* Takes one whole line from the input; INCOMPLETE when there is none. */
static enum status edge_body_line(struct edge_body *body, const uint8_t *data, size_t size,
                                  size_t *used)
{
    size_t from = body->line_scanned;
    const uint8_t *newline = from < size ? memchr(data + from, '\n', size - from) : NULL;
    size_t line = newline ? (size_t)(newline - data) + 1 : size;
    enum status status = edge_body_limits(body, line);

    if (status != STATUS_OK)
        return status;
    body->line_scanned = newline ? 0 : size;
    if (!newline)
        return STATUS_INCOMPLETE;
    if (line < 2)
        return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
    *used += line;
    return edge_body_parse_line(body, data, line);
}

static enum status edge_body_data(struct edge_body *body, const uint8_t *data, size_t size,
                                  size_t *used)
{
    size_t take = body->left < size ? (size_t)body->left : size;

    if (body->is_keeping && !buffer_append(&body->bytes, data, take))
        return edge_body_refuse(body, PROBLEM_OVERLOADED, "no memory for the body");
    if (llhttp_execute(&body->parser, (const char *)data, take) != HPE_OK)
        return edge_body_refuse(body, PROBLEM_BAD_REQUEST, "the chunked framing is broken");
    body->left -= take;
    body->size += take;
    *used += take;
    return STATUS_OK;
}

enum status edge_body_feed(struct edge_body *body, struct slice bytes, size_t *used)
{
    *used = 0;
    while (!body->is_complete) {
        const uint8_t *data;
        size_t size;
        enum status status;

        if (*used == bytes.size)
            return STATUS_INCOMPLETE;
        data = bytes.data + *used;
        size = bytes.size - *used;
        status = body->left ? edge_body_data(body, data, size, used)
                            : edge_body_line(body, data, size, used);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
