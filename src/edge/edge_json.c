/* edge_json.c: the thin layer between jansson and the replies. Depth is checked before parsing:
 * jansson's own limit is far above ours. */
#include "edge_json.h"
#include "ensure.h"
#include "hash.h"

json_t *edge_json_text(struct slice text)
{
    json_t *json = text.size ? json_stringn((const char *)text.data, text.size) : NULL;

    return json ? json : json_string("");
}

json_t *edge_json_label(const struct label *label)
{
    return edge_json_text(slice_of(label->text, label->size));
}

/* Runs one of the appenders of edge_out over a small buffer. */
static json_t *edge_json_taken(struct edge_out *out, struct buffer *text)
{
    json_t *json = edge_out_end(out, 0) ? edge_json_text(slice_of(text->data, text->size)) : NULL;

    buffer_close(text);
    return json;
}

json_t *edge_json_hex(const void *data, size_t size)
{
    struct buffer text;
    struct edge_out out;

    buffer_init(&text, 1024);
    edge_out_begin(&out, &text, 2 * size);
    edge_put_hex(&out, data, size);
    return edge_json_taken(&out, &text);
}

json_t *edge_json_u64(uint64_t number)
{
    uint8_t bytes[8];

    bytes_store_u64(bytes, number);
    return edge_json_hex(bytes, sizeof bytes);
}

json_t *edge_json_etag(uint64_t etag)
{
    uint8_t bytes[8];
    struct buffer text;
    struct edge_out out;

    if (!etag)
        return json_null();
    bytes_store_u64(bytes, etag);
    buffer_init(&text, 64);
    edge_out_begin(&out, &text, 16);
    edge_put_base64(&out, slice_of(bytes, sizeof bytes));
    return edge_json_taken(&out, &text);
}

json_t *edge_json_time(uint64_t wall_ms)
{
    struct buffer text;
    struct edge_out out;

    buffer_init(&text, 64);
    edge_out_begin(&out, &text, 32);
    edge_date_put(&out, wall_ms);
    return edge_json_taken(&out, &text);
}

json_t *edge_json_address(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];

    if (address->family == 0)
        return json_null();
    return json_string(address_format(address, text));
}

/* Through text, so that no floating point number is ours. */
json_t *edge_json_thousandths(uint64_t thousandths)
{
    uint8_t room[32];
    struct buffer text = {.data = room, .capacity = sizeof room, .max = sizeof room};
    struct edge_out out;

    edge_out_begin(&out, &text, 0);
    edge_put_number(&out, thousandths / 1000);
    EDGE_PUT(&out, ".");
    edge_put_digits(&out, thousandths % 1000, 3);
    ensure(edge_out_end(&out, 0));
    return json_loadb((const char *)room, text.size, JSON_DECODE_ANY, NULL);
}

static bool edge_json_escape(struct buffer *into, const char *text, size_t size)
{
    size_t from = 0;

    for (size_t i = 0; i + 1 < size; i++) {
        bool is_close = text[i] == '<' && text[i + 1] == '/';
        bool is_line = i + 2 < size && memcmp(text + i, "\xe2\x80", 2) == 0 &&
                       ((uint8_t)text[i + 2] & 0xfe) == 0xa8;

        if (!is_close && !is_line)
            continue;
        if (!buffer_append(into, text + from, i - from) ||
            !(is_close ? buffer_append(into, "<\\", 2)
                       : buffer_append(into, text[i + 2] & 1 ? "\\u2029" : "\\u2028", 6)))
            return false;
        from = i + (is_close ? 1 : 3);
    }
    return buffer_append(into, text + from, size - from) && buffer_append(into, "\n", 1);
}

bool edge_json_dump(struct buffer *into, const json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    bool is_good = text && edge_json_escape(into, text, strlen(text));

    free(text);
    return is_good;
}

void edge_json_reply(struct edge_answer *answer, unsigned status, const struct result *result,
                     json_t *body)
{
    struct buffer text;

    buffer_init(&text, EDGE_REPLY_MAX);
    edge_answer_head(answer, status);
    edge_answer_route(answer, result);
    edge_answer_no_store(answer);
    EDGE_PUT(&answer->out, "Content-Type: application/json\r\n");
    if (result && result->total) {
        EDGE_PUT(&answer->out, "Gossamer-Acks: ");
        edge_put_number(&answer->out, result->acks);
        EDGE_PUT(&answer->out, "/");
        edge_put_number(&answer->out, result->total);
        EDGE_PUT(&answer->out, "\r\n");
    }
    if (edge_json_dump(&text, body))
        edge_answer_body(answer, slice_of(text.data, text.size));
    else
        answer->out.is_full = true; /* no memory: the connection is cut */
    buffer_close(&text);
    json_decref(body);
}

/* Brackets outside of strings; what is malformed is found by the parser. */
static bool edge_json_is_deep(struct slice body)
{
    unsigned depth = 0;
    bool is_string = false;

    for (size_t i = 0; i < body.size; i++) {
        uint8_t c = body.data[i];

        if (is_string) {
            i += c == '\\';
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > EDGE_JSON_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

json_t *edge_json_read(struct edge_call *call, struct slice body)
{
    json_error_t error;
    char line[EDGE_NUMBER_TEXT], column[EDGE_NUMBER_TEXT];
    json_t *json;

    if (body.size == 0 || edge_json_is_deep(body)) {
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              body.size ? "the JSON body is nested too deeply"
                                        : "the body is empty; a JSON object is expected");
        return NULL;
    }
    json = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &error);
    if (json && json_is_object(json))
        return json;
    if (json)
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "the JSON body is not an object");
    else
        (void)edge_call_fault(
            call, PROBLEM_BAD_REQUEST, "the body is no JSON: line ",
            edge_text_number(line, (uint64_t)(error.line > 0 ? error.line : 0)), ", column ",
            edge_text_number(column, (uint64_t)(error.column > 0 ? error.column : 0)));
    json_decref(json);
    return NULL;
}
