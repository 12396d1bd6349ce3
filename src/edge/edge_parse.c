/* edge_parse.c: a complete, scanned head goes through llhttp in one call; its callbacks pick out
 * the fields the edge knows. Then the rules of framing: how long the body is must have exactly one
 * reading (RFC 9112 section 6.3, security.md H1). */
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "edge_head.h"
#include "ensure.h"

static const struct {
    const char *name;
    size_t size;
    bool may_repeat;
} EDGE_FIELD_ROWS[] = {
#define EDGE_FIELD(NAME, name, may_repeat) {name, sizeof(name) - 1, may_repeat},
    EDGE_FIELDS(EDGE_FIELD)
#undef EDGE_FIELD
};

static int edge_head_refuse(struct edge_head *head, enum edge_problem problem, const char *detail)
{
    if (head->problem == PROBLEM_NONE) {
        head->problem = problem;
        head->detail = detail;
    }
    return -1;
}

/* Field names have no case (RFC 9110 section 5.1); `lower` is in lower case. */
static bool edge_name_is(struct slice name, const char *lower, size_t size)
{
    if (name.size < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = name.data[i];

        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)lower[i])
            return false;
    }
    return true;
}

static struct slice edge_trim(const char *text, size_t size)
{
    while (size && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        size--;
    }
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return slice_of(text, size);
}

static int edge_on_field(llhttp_t *parser, const char *text, size_t size)
{
    struct edge_head *head = parser->data;

    head->name = slice_of(text, size);
    return 0;
}

#define EDGE_USER_PREFIX "gossamer-meta-"

static int edge_on_user(struct edge_head *head, struct slice value)
{
    size_t prefix = sizeof EDGE_USER_PREFIX - 1;

    if (head->name.size == prefix)
        return edge_head_refuse(head, PROBLEM_BAD_REQUEST, "a Gossamer-Meta- field has no name");
    if (head->user_count == EDGE_USER_MAX)
        return edge_head_refuse(head, PROBLEM_HEADERS_TOO_LARGE,
                                "the request has more than 32 Gossamer-Meta-* fields");
    head->users[head->user_count++] = (struct edge_user){
        .name = {head->name.data + prefix, head->name.size - prefix}, .value = value};
    return 0;
}

static int edge_on_value(llhttp_t *parser, const char *text, size_t size)
{
    struct edge_head *head = parser->data;
    struct slice value = edge_trim(text, size);

    for (unsigned i = 0; i < EDGE_FIELD_COUNT; i++) {
        if (EDGE_FIELD_ROWS[i].size != head->name.size ||
            !edge_name_is(head->name, EDGE_FIELD_ROWS[i].name, EDGE_FIELD_ROWS[i].size))
            continue;
        if (head->seen[i] && !EDGE_FIELD_ROWS[i].may_repeat)
            return edge_head_refuse(head, PROBLEM_BAD_REQUEST,
                                    "a header field that must stand once is repeated");
        head->seen[i] = 1;
        head->fields[i] = value;
        return 0;
    }
    if (edge_name_is(head->name, EDGE_USER_PREFIX, sizeof EDGE_USER_PREFIX - 1))
        return edge_on_user(head, value);
    return 0;
}

/* The body is ours to take: only a chunked one goes on through llhttp. */
static int edge_on_headers_complete(llhttp_t *parser)
{
    const struct edge_head *head = parser->data;

    return head->seen[EDGE_FIELD_TRANSFER_ENCODING] ? 0 : HPE_PAUSED;
}

static const llhttp_settings_t EDGE_HEAD_SETTINGS = {
    .on_header_field = edge_on_field,
    .on_header_value = edge_on_value,
    .on_headers_complete = edge_on_headers_complete,
};

/* 1*DIGIT up to 2^53, the largest integer every reader agrees on. */
static bool edge_parse_length(struct slice text, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *length = *length * 10 + (uint64_t)(text.data[i] - '0');
        if (*length > (UINT64_C(1) << 53))
            return false;
    }
    return text.size > 0;
}

static bool edge_head_frame(struct edge_head *head)
{
    struct slice coding = head->fields[EDGE_FIELD_TRANSFER_ENCODING];

    head->is_chunked = head->seen[EDGE_FIELD_TRANSFER_ENCODING] > 0;
    head->has_length = head->seen[EDGE_FIELD_CONTENT_LENGTH] > 0;
    if (head->is_chunked && head->has_length)
        edge_head_refuse(head, PROBLEM_BAD_REQUEST,
                         "both Content-Length and Transfer-Encoding are there");
    else if (head->is_chunked && head->is_http10)
        edge_head_refuse(head, PROBLEM_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding");
    else if (head->is_chunked && (coding.size != 7 || !edge_name_is(coding, "chunked", 7)))
        edge_head_refuse(head, PROBLEM_BAD_REQUEST, "Transfer-Encoding is not chunked");
    else if (head->has_length &&
             !edge_parse_length(head->fields[EDGE_FIELD_CONTENT_LENGTH], &head->length))
        edge_head_refuse(head, PROBLEM_BAD_REQUEST, "Content-Length is not a number of bytes");
    return head->problem == PROBLEM_NONE;
}

/* "*", "/path?query" or "http://authority/path?query" (RFC 9112 section 3.2). */
static bool edge_head_target(struct edge_head *head)
{
    struct slice rest = head->target;
    const uint8_t *mark;

    if (edge_name_is(rest, "http://", 7)) {
        head->is_absolute = true;
        rest = (struct slice){rest.data + 7, rest.size - 7};
        head->authority.data = rest.data;
        while (head->authority.size < rest.size && rest.data[head->authority.size] != '/' &&
               rest.data[head->authority.size] != '?')
            head->authority.size++;
        rest = (struct slice){rest.data + head->authority.size, rest.size - head->authority.size};
    }
    mark = rest.size ? memchr(rest.data, '?', rest.size) : NULL;
    head->path = (struct slice){rest.data, mark ? (size_t)(mark - rest.data) : rest.size};
    head->query = mark ? slice_of(mark + 1, rest.size - head->path.size - 1) : SLICE_NONE;
    if (slice_equal(head->target, slice_text("*")) && head->method == EDGE_OPTIONS)
        return true;
    if (head->path.size && head->path.data[0] == '/')
        return true;
    return edge_head_refuse(head, PROBLEM_BAD_REQUEST, "the target is no path") == 0;
}

static void edge_head_begin(struct edge_head *head, const struct edge_scan *scan,
                            struct slice bytes)
{
    head->method = scan->method;
    head->is_http10 = scan->is_http10;
    head->is_closing = scan->is_http10;
    head->is_absolute = false;
    head->is_foreign = false;
    head->length = 0;
    head->target = slice_of(bytes.data + scan->target_at, scan->target_size);
    head->authority = SLICE_NONE;
    memset(head->seen, 0, sizeof head->seen);
    memset(head->fields, 0, sizeof head->fields);
    head->user_count = 0;
    head->problem = PROBLEM_NONE;
    head->detail = "";
}

enum status edge_head_parse(struct edge_head *head, const struct edge_scan *scan,
                            struct slice bytes, llhttp_t *parser)
{
    llhttp_errno_t error;

    edge_head_begin(head, scan, bytes);
    llhttp_init(parser, HTTP_REQUEST, &EDGE_HEAD_SETTINGS);
    parser->data = head;
    error = llhttp_execute(parser, (const char *)bytes.data, bytes.size);
    if (head->problem != PROBLEM_NONE)
        return STATUS_BAD;
    if (head->method == EDGE_OTHER &&
        (error == HPE_INVALID_METHOD || parser->method == HTTP_CONNECT)) {
        edge_head_begin(head, scan, bytes);
        head->is_foreign = head->is_closing = true; /* its framing may be its own: read no more */
        return edge_head_target(head) ? STATUS_OK : STATUS_BAD;
    }
    if (!edge_head_frame(head) || !edge_head_target(head))
        return STATUS_BAD;
    if (error != (head->is_chunked ? HPE_OK : HPE_PAUSED)) {
        edge_head_refuse(head, PROBLEM_BAD_REQUEST, "the head is not valid HTTP/1.1");
        return STATUS_BAD;
    }
    if ((parser->flags & F_CONNECTION_CLOSE) || head->seen[EDGE_FIELD_UPGRADE])
        head->is_closing = true;
    return STATUS_OK;
}
