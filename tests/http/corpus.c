/* corpus.c: runs the cases of tests/http/cases against the edge with a stub in place of the core.
 *
 *   == name               begins a case
 *   % token=T remote      settings: an admin token; a client that is not on this machine
 *   > text                input; lines are joined; \r \n \t \0 \\ \xHH, \{N:text} repeats
 *   < 200 404 close       the statuses in order (h behind one: answer to HEAD), then open or close
 *   = text                must stand in the output, ! text must not (same escapes)
 *
 * Each case is fed whole, byte by byte, split in two at every offset, and pipelined behind a valid
 * request; answers are also given in reverse order. All must give the same bytes. */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "bytes.h"
#include "edge.h"
#include "ensure.h"

#define CHECKS_MAX 8
#define STATUSES_MAX 300
#define OPS_MAX 256
#define CORPUS_WALL_MS UINT64_C(1795257600123)
#define SPLIT_ALL_MAX 1500 /* longer inputs are split at every 97th offset and around line ends */

struct corpus_case {
    char name[160];
    char token[80];
    bool is_remote;
    struct buffer input;
    unsigned count;
    unsigned statuses[STATUSES_MAX];
    bool is_head[STATUSES_MAX];
    bool is_closing;
    unsigned check_count;
    struct buffer checks[CHECKS_MAX];
    bool is_wanted[CHECKS_MAX];
};

/* One connection with its stub core. */
struct corpus_run {
    struct edge *edge;
    struct edge_conn *conn;
    struct metrics metrics;
    bool is_reversed; /* answer in reverse order, after all ops are out */
    unsigned waiting;
    struct {
        uint32_t slot;
        enum op_kind kind;
        bool is_missing;
        uint64_t expires_ms;
        enum status session; /* what the core says of the token; MISSING: there was none */
        struct buffer body;
    } ops[OPS_MAX];
    struct buffer last; /* body of the newest PUT */
};

static unsigned passed, failed;

/* --- reading cases */

static int hex_value(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10
                                        : -1;
}

static const char *unescape(struct buffer *into, const char *text, char end)
{
    while (*text && *text != end) {
        char c = *text++;

        if (c == '\\' && *text == '{') {
            char *rest;
            unsigned long times = strtoul(text + 1, &rest, 10);
            size_t start = into->size, size;

            ensure(*rest == ':');
            text = unescape(into, rest + 1, '}') + 1;
            size = into->size - start;
            for (unsigned long i = 1; i < times; i++) {
                char *copy = malloc(size + 1);

                memcpy(copy, into->data + start, size);
                ensure(buffer_append(into, copy, size));
                free(copy);
            }
            continue;
        }
        if (c == '\\') {
            c = *text++;
            if (c == 'x') {
                c = (char)(hex_value(text[0]) << 4 | hex_value(text[1]));
                text += 2;
            } else {
                c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '0' ? '\0' : c;
            }
        }
        ensure(buffer_append(into, &c, 1));
    }
    return text;
}

static void read_expected(struct corpus_case *c, char *line)
{
    char *rest = line;

    while (*rest) {
        while (*rest == ' ')
            rest++;
        if (isdigit((unsigned char)*rest)) {
            ensure(c->count < STATUSES_MAX);
            c->statuses[c->count] = (unsigned)strtoul(rest, &rest, 10);
            c->is_head[c->count] = *rest == 'h';
            rest += *rest == 'h';
            if (*rest == 'x') { /* 200x128: so many of them */
                unsigned long times = strtoul(rest + 1, &rest, 10);

                for (unsigned long i = 1; i < times; i++, c->count++)
                    c->statuses[c->count + 1] = c->statuses[c->count];
            }
            c->count++;
            continue;
        }
        c->is_closing = strncmp(rest, "close", 5) == 0;
        ensure(c->is_closing || strncmp(rest, "open", 4) == 0);
        return;
    }
}

static void case_close(struct corpus_case *c)
{
    buffer_close(&c->input);
    for (unsigned i = 0; i < c->check_count; i++)
        buffer_close(&c->checks[i]);
    memset(c, 0, sizeof *c);
    buffer_init(&c->input, 32u << 20);
}

static void read_line(struct corpus_case *c, char *line)
{
    char *token = strstr(line, "token=");

    if (line[0] == '>' || line[0] == '<' || line[0] == '=' || line[0] == '!')
        ensure(line[1] == ' ');
    switch (line[0]) {
    case '%':
        c->is_remote = strstr(line, "remote") != NULL;
        if (token)
            snprintf(c->token, sizeof c->token, "%.*s", (int)strcspn(token + 6, " "), token + 6);
        break;
    case '>':
        unescape(&c->input, line + 2, 0);
        break;
    case '<':
        read_expected(c, line + 2);
        break;
    case '=':
    case '!':
        ensure(c->check_count < CHECKS_MAX);
        buffer_init(&c->checks[c->check_count], 65536);
        unescape(&c->checks[c->check_count], line + 2, 0);
        c->is_wanted[c->check_count++] = line[0] == '=';
        break;
    case '#':
    case 0:
        break;
    default:
        fprintf(stderr, "what is this line: %s\n", line);
        exit(2);
    }
}

/* --- the stub core */

static void run_answer(struct corpus_run *run, unsigned index)
{
    static const char context[] = "AQIDx9";
    struct result_value values[2] = {
        {.etag = 0x1122334455667788, .modified_ms = CORPUS_WALL_MS},
        {.etag = 42, .body = slice_text("second"), .size = 6},
    };
    struct result_item items[2] = {{.key = slice_text("a"),
                                    .siblings = 1,
                                    .value = values[1],
                                    .ns = slice_text("n"),
                                    .object = slice_text("object")},
                                   {.key = slice_text("b<\"/\xc3\xa9"),
                                    .siblings = 2,
                                    .ns = slice_text("n"),
                                    .object = slice_text("o")}};
    struct result result = {.kind = run->ops[index].kind,
                            .acks = 2,
                            .required = 2,
                            .total = 3,
                            .etag = 7,
                            .context = slice_text(context),
                            .is_created = true,
                            .expires_ms = run->ops[index].expires_ms};

    const struct result_self self = {0};
    const struct result_cluster cluster = {0};
    const struct result_space space = {.name = slice_text("app"),
                                       .own = {SPACE_CONFLICT, 0, 0, CONFLICT_LWW, 0},
                                       .full = {SPACE_ALL, 3, 2, CONFLICT_LWW, 0}};

    result.spaces = &space;
    result.space_count = 1;
    result.self = &self;
    result.cluster = &cluster;
    values[0].expires_ms = result.expires_ms;
    values[0].body = slice_of(run->ops[index].body.data, run->ops[index].body.size);
    if (run->ops[index].session == STATUS_OK)
        result.session = slice_text("next");
    else if (run->ops[index].session != STATUS_MISSING)
        result.status = run->ops[index].session;
    if (result.kind == OP_GET && run->ops[index].is_missing)
        result.status = STATUS_MISSING;
    result.values = values;
    result.value_count = 2;
    result.items = items;
    result.item_count = 2;
    result.is_truncated = true;
    result.partition_count = 16;
    edge_conn_reply(run->conn, run->ops[index].slot, 0, &result);
    buffer_close(&run->ops[index].body);
}

static void run_execute(struct corpus_run *run, const struct op *op, uint32_t slot)
{
    unsigned index = run->waiting;

    ensure(index < OPS_MAX);
    run->ops[index].slot = slot;
    run->ops[index].kind = op->kind;
    run->ops[index].is_missing = slice_has_prefix(op->key, slice_text("missing"));
    run->ops[index].expires_ms = op->ttl_ms ? CORPUS_WALL_MS + op->ttl_ms : 0;
    if (slice_equal(op->key, slice_text("mortal")))
        run->ops[index].expires_ms = CORPUS_WALL_MS + 86400000;
    run->ops[index].session = op->session.size == 0 ? STATUS_MISSING : STATUS_OK;
    if (slice_equal(op->session, slice_text("bad")))
        run->ops[index].session = STATUS_SESSION;
    if (slice_equal(op->session, slice_text("behind")))
        run->ops[index].session = STATUS_SESSION_BEHIND;
    buffer_init(&run->ops[index].body, VALUE_SIZE_MAX);
    if (op->kind == OP_PUT) {
        buffer_clear(&run->last, 0);
        ensure(buffer_append(&run->last, op->body.data, op->body.size));
    } else if (slice_equal(op->key, slice_text("last"))) {
        ensure(buffer_append(&run->ops[index].body, run->last.data, run->last.size));
    } else {
        ensure(buffer_append(&run->ops[index].body, op->key.data, op->key.size));
    }
    if (run->is_reversed)
        run->waiting++;
    else
        run_answer(run, index);
}

static void run_pump(struct corpus_run *run)
{
    struct op op;
    uint32_t slot;

    for (;;) {
        while (edge_conn_next(run->conn, &op, &slot))
            run_execute(run, &op, slot);
        if (run->waiting == 0)
            return;
        while (run->waiting)
            run_answer(run, --run->waiting);
    }
}

static void run_open(struct corpus_run *run, const struct corpus_case *c, bool is_reversed)
{
    static const char *const hosts[] = {"n1.example.net"};
    struct edge_config config = {.version = "1",
                                 .value_max = 4096,
                                 .hosts = hosts,
                                 .host_count = 1,
                                 .admin_token = c->token,
                                 .seed = 5};

    memset(run, 0, sizeof *run);
    run->is_reversed = is_reversed;
    config.name = label_make(slice_text("peer-1"));
    config.metrics[0] = &run->metrics;
    buffer_init(&run->last, VALUE_SIZE_MAX);
    run->edge = edge_new(&config);
    edge_set_wall(run->edge, 1795257600000);
    run->conn = edge_conn_new(run->edge, !c->is_remote, 0);
}

/* In reverse order the pump waits for the end of the input, as a slow core would. */
static void run_feed(struct corpus_run *run, struct slice bytes)
{
    if (edge_conn_receive(run->conn, 0, bytes) == STATUS_OK && !run->is_reversed)
        run_pump(run);
}

static void run_close(struct corpus_run *run)
{
    edge_conn_delete(run->conn);
    ensure(run->metrics.values[METRIC_HTTP_CONNECTIONS] == 0);
    edge_delete(run->edge);
    buffer_close(&run->last);
}

/* --- checking responses */

static const char *find(const char *from, const char *end, const char *text)
{
    return memmem(from, (size_t)(end - from), text, strlen(text));
}

/* One response: its status and where the next begins; NULL when it is not well framed. */
static const char *check_response(const char *at, const char *end, bool is_head, unsigned *status)
{
    const char *blank = find(at, end, "\r\n\r\n");
    const char *length;
    unsigned long size = 0;

    if (!blank || strncmp(at, "HTTP/1.1 ", 9) != 0)
        return NULL;
    *status = (unsigned)strtoul(at + 9, NULL, 10);
    if (*status == 100)
        return blank + 4;
    length = find(at, blank + 2, "\r\nContent-Length: ");
    if (!find(at, blank, "\r\nGossamer-Served-By: peer-1\r\n") ||
        !find(at, blank, "\r\nGossamer-Route: peer-1;edge") || !find(at, blank, "\r\nDate: ") ||
        !find(at, blank, "\r\nX-Content-Type-Options: nosniff"))
        return NULL;
    if (*status == 204 || *status == 304)
        return length ? NULL : blank + 4;
    if (!length)
        return NULL;
    size = strtoul(length + 18, NULL, 10);
    if (*status >= 400 && (!find(at, blank, "\r\nContent-Type: application/problem+json") ||
                           !find(at, blank, "\r\nGossamer-Trace-Id: ")))
        return NULL;
    blank += 4;
    if (is_head)
        return blank;
    if (size > (size_t)(end - blank))
        return NULL;
    if (*status >= 400) {
        json_t *problem = json_loadb(blank, size, 0, NULL);
        bool is_good = json_integer_value(json_object_get(problem, "status")) == (int)*status &&
                       json_string_length(json_object_get(problem, "trace_id")) == 32;

        json_decref(problem);
        if (!is_good)
            return NULL;
    }
    return blank + size;
}

/* Compares with what is expected; `skip` answers of 200 stand before. */
static bool check_output(const struct corpus_case *c, struct slice output, unsigned skip)
{
    const char *at = (const char *)output.data, *end = at + output.size;
    unsigned seen = 0, status = 0;

    while (at < end) {
        bool is_head = seen >= skip && seen - skip < c->count && c->is_head[seen - skip];

        at = check_response(at, end, is_head, &status);
        if (!at)
            return false;
        if (status == 100)
            continue;
        if (seen >= skip + c->count || status != (seen < skip ? 200 : c->statuses[seen - skip]))
            return false;
        seen++;
    }
    return seen == skip + c->count;
}

/* Answers with 100 depend on when the body comes; everything else must not. */
static bool same_output(struct slice a, struct slice b)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct slice parts[2] = {a, b};
    struct buffer plain[2];
    bool is_same;

    for (unsigned i = 0; i < 2; i++) {
        const char *at = (const char *)parts[i].data, *end = at + parts[i].size, *hit;

        buffer_init(&plain[i], EDGE_OUTPUT_MAX);
        while (at < end && (hit = find(at, end, interim)) != NULL) {
            ensure(buffer_append(&plain[i], at, (size_t)(hit - at)));
            at = hit + sizeof interim - 1;
        }
        ensure(buffer_append(&plain[i], at, (size_t)(end - at)));
    }
    is_same =
        slice_equal(slice_of(plain[0].data, plain[0].size), slice_of(plain[1].data, plain[1].size));
    buffer_close(&plain[0]);
    buffer_close(&plain[1]);
    return is_same;
}

static void complain(const struct corpus_case *c, const char *how, struct slice output)
{
    printf("FAIL %s (%s); output:\n%.*s\n", c->name, how,
           (int)(output.size < 1200 ? output.size : 1200), (const char *)output.data);
}

static bool is_closed(const struct corpus_run *run)
{
    /* closed for reading: an empty receive is refused */
    return edge_conn_receive(run->conn, 0, SLICE_NONE) == STATUS_CLOSED;
}

static bool check_texts(const struct corpus_case *c, struct slice output)
{
    for (unsigned i = 0; i < c->check_count; i++) {
        bool has = memmem(output.data, output.size, c->checks[i].data, c->checks[i].size) != NULL;

        if (has != c->is_wanted[i])
            return false;
    }
    return true;
}

/* Feeds the case in two parts (the second byte by byte if `step` is 1) and compares. */
static bool run_split(const struct corpus_case *c, size_t at, size_t step, struct slice expected)
{
    struct corpus_run run;
    struct slice output;
    bool is_good;

    run_open(&run, c, false);
    if (at)
        run_feed(&run, slice_of(c->input.data, at));
    for (size_t i = at; i < c->input.size; i += step)
        run_feed(&run,
                 slice_of(c->input.data + i, c->input.size - i < step ? c->input.size - i : step));
    output = edge_conn_output(run.conn);
    is_good = same_output(output, expected) && is_closed(&run) == c->is_closing;
    if (!is_good) {
        char how[60];

        snprintf(how, sizeof how, "split at %zu, steps of %zu", at, step);
        complain(c, how, edge_conn_output(run.conn));
    }
    run_close(&run);
    return is_good;
}

static bool run_behind(const struct corpus_case *c, bool is_reversed)
{
    static const char first[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct corpus_run run;
    struct slice output;
    bool is_good;

    run_open(&run, c, is_reversed);
    run_feed(&run, slice_text(first));
    run_feed(&run, slice_of(c->input.data, c->input.size));
    run_pump(&run);
    output = edge_conn_output(run.conn);
    is_good = check_output(c, output, 1) && is_closed(&run) == c->is_closing;
    if (!is_good)
        complain(c, is_reversed ? "reversed" : "pipelined", edge_conn_output(run.conn));
    run_close(&run);
    return is_good;
}

static bool is_split_point(const struct corpus_case *c, size_t at)
{
    if (c->input.size <= SPLIT_ALL_MAX || at % 97 == 0)
        return true;
    return c->input.size < 20000 && at > 1 &&
           (c->input.data[at - 1] == '\n' || c->input.data[at - 1] == '\r') && at % 3 == 0;
}

static bool case_run(const struct corpus_case *c)
{
    struct corpus_run run;
    struct slice output;
    bool is_good;

    run_open(&run, c, false);
    run_feed(&run, slice_of(c->input.data, c->input.size));
    output = edge_conn_output(run.conn);
    is_good = check_output(c, output, 0) && check_texts(c, output);
    is_good = is_good && is_closed(&run) == c->is_closing;
    output = edge_conn_output(run.conn);
    if (!is_good)
        complain(c, "whole", output);
    is_good = is_good && run_split(c, 0, 1, output);
    for (size_t at = 1; is_good && at < c->input.size; at++)
        if (is_split_point(c, at))
            is_good = run_split(c, at, c->input.size, output);
    run_close(&run);
    return is_good && run_behind(c, false) && run_behind(c, true);
}

static void case_end(struct corpus_case *c)
{
    if (!c->name[0])
        return;
    if (case_run(c))
        passed++;
    else
        failed++;
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct corpus_case c = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;

    ensure(file != NULL);
    case_close(&c);
    while ((size = getline(&line, &capacity, file)) > 0) {
        if (line[size - 1] == '\n')
            line[size - 1] = 0;
        if (strncmp(line, "== ", 3) != 0) {
            read_line(&c, line);
            continue;
        }
        case_end(&c);
        case_close(&c);
        snprintf(c.name, sizeof c.name, "%s", line + 3);
    }
    case_end(&c);
    case_close(&c);
    free(line);
    fclose(file);
}

int main(int argc, char **argv)
{
    json_object_seed(1);
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
