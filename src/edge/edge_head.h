/* edge_head.h: the head of one request, from raw bytes to the few facts the edge uses. Three steps,
 * each stricter than the next needs: edge_scan (raw lines), llhttp in strict mode, edge_head_parse
 * (framing rules of RFC 9112 section 6.3). */
#ifndef GOSSAMER_EDGE_HEAD_H
#define GOSSAMER_EDGE_HEAD_H

#include "edge_problem.h"
#include "limits.h"
#include "status.h"
#include "types.h"

/* Methods as bits, so that a route lists what it takes. OTHER is any other token. */
enum edge_method {
    EDGE_GET = 1,
    EDGE_HEAD = 2,
    EDGE_PUT = 4,
    EDGE_POST = 8,
    EDGE_DELETE = 16,
    EDGE_OPTIONS = 32,
    EDGE_OTHER = 64,
};
#define EDGE_SAFE ((unsigned)EDGE_GET | EDGE_HEAD | EDGE_OPTIONS)

/* EDGE_FIELD(NAME, "name in lower case", may_repeat): the header fields the edge looks at. All
 * others are dropped, above all client-sent Gossamer-Route and forwarding fields (H5). */
#define EDGE_FIELDS(EDGE_FIELD)                                                                    \
    EDGE_FIELD(HOST, "host", false)                                                                \
    EDGE_FIELD(CONTENT_LENGTH, "content-length", false)                                            \
    EDGE_FIELD(TRANSFER_ENCODING, "transfer-encoding", false)                                      \
    EDGE_FIELD(EXPECT, "expect", false)                                                            \
    EDGE_FIELD(UPGRADE, "upgrade", true)                                                           \
    EDGE_FIELD(AUTHORIZATION, "authorization", false)                                              \
    EDGE_FIELD(ACCEPT, "accept", true)                                                             \
    EDGE_FIELD(ORIGIN, "origin", false)                                                            \
    EDGE_FIELD(SEC_FETCH_SITE, "sec-fetch-site", false)                                            \
    EDGE_FIELD(IF_MATCH, "if-match", false)                                                        \
    EDGE_FIELD(IF_NONE_MATCH, "if-none-match", false)                                              \
    EDGE_FIELD(CONTEXT, "gossamer-context", false)                                                 \
    EDGE_FIELD(SESSION, "gossamer-session", false)                                                 \
    EDGE_FIELD(IDEMPOTENCY_KEY, "idempotency-key", false)                                          \
    EDGE_FIELD(IF_FENCE, "if-fence", false)                                                        \
    EDGE_FIELD(CONTENT_TYPE, "content-type", false)                                                \
    EDGE_FIELD(CONTENT_ENCODING, "content-encoding", false)                                        \
    EDGE_FIELD(CACHE_CONTROL, "cache-control", false)                                              \
    EDGE_FIELD(TRACEPARENT, "traceparent", true)

enum edge_field {
#define EDGE_FIELD(NAME, name, may_repeat) EDGE_FIELD_##NAME,
    EDGE_FIELDS(EDGE_FIELD)
#undef EDGE_FIELD
        EDGE_FIELD_COUNT
};

/* One Gossamer-Meta-* field; the name is without the prefix. */
struct edge_user {
    struct slice name, value;
};

/* Slices point into the input and live until it changes. */
struct edge_head {
    enum edge_method method;
    bool is_http10, is_chunked, has_length;
    bool is_closing;          /* Connection: close, HTTP/1.0, or an Upgrade we ignore */
    bool is_absolute;         /* the target had an authority of its own */
    bool is_foreign;          /* llhttp does not know the method, or CONNECT: no field counts */
    uint64_t length;          /* Content-Length, bytes */
    struct slice target;      /* as sent */
    struct slice authority;   /* of an absolute target */
    struct slice path, query; /* without "?"; has_query tells an empty one from none */
    struct slice fields[EDGE_FIELD_COUNT];
    uint8_t seen[EDGE_FIELD_COUNT]; /* how often, at most 255 */
    uint8_t user_count;
    struct edge_user users[EDGE_USER_MAX];
    struct slice name;         /* of the field whose value comes next */
    enum edge_problem problem; /* PROBLEM_NONE, or what the callbacks found */
    const char *detail;
};

/* Where the raw scan of one head stands. All zero before the first byte. */
struct edge_scan {
    size_t at;      /* bytes looked at */
    size_t line;    /* where the present line begins */
    unsigned count; /* complete lines */
    enum edge_method method;
    bool is_http10;
    size_t target_at, target_size; /* the target, from the first byte of the head */
    enum edge_problem problem;     /* why it is BAD */
    const char *detail;            /* a sentence for people */
};

/* edge_scan_feed looks at the bytes after scan->at. OK: the head is complete, scan->at bytes long.
 * INCOMPLETE: more bytes are needed. BAD: refused, scan->problem tells how; the connection must be
 * closed, for its framing is lost. The answer does not depend on how the bytes were split. */
enum status edge_scan_feed(struct edge_scan *scan, const uint8_t *data, size_t size) MUST_USE;

struct llhttp__internal_s;
/* edge_head_parse reads a complete, scanned head with `parser`. OK; BAD: head->problem and
 * head->detail tell why, and the connection must be closed. If the body is chunked, `parser` goes
 * on with it (edge_body). */
enum status edge_head_parse(struct edge_head *head, const struct edge_scan *scan,
                            struct slice bytes, struct llhttp__internal_s *parser) MUST_USE;

#endif
