/* edge_stream.c: answers that go on. A stream is text/event-stream in chunks (to an HTTP/1.0 client
 * as it is, ended by the end of the connection):
 *
 *   event: member LF    the name of what follows
 *   data: {...} LF LF   one line of JSON
 *   : LF LF             a comment, when nothing happened for a while
 *
 * Nothing is remembered for a client that loses its stream: the first event of
 * the next one is the whole state again. */
#include "edge_json.h"
#include "edge_room.h"

bool edge_stream_is_asked(const struct edge_call *call)
{
    static const char type[] = "text/event-stream";
    struct slice accept = call->head->fields[EDGE_FIELD_ACCEPT];

    return call->head->method == EDGE_GET && accept.size > 0 &&
           memmem(accept.data, accept.size, type, sizeof type - 1) != NULL;
}

void edge_stream_begin(struct edge_answer *answer, const struct result *result)
{
    edge_answer_head(answer, 200);
    edge_answer_route(answer, result);
    edge_answer_no_store(answer);
    EDGE_PUT(&answer->out, "Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n");
    if (!answer->slot->is_http10)
        EDGE_PUT(&answer->out, "Transfer-Encoding: chunked\r\n");
    EDGE_PUT(&answer->out, "\r\n");
    answer->slot->is_begun = true;
}

static void stream_chunk(struct edge_answer *answer, struct slice text)
{
    uint8_t size[4] = {(uint8_t)(text.size >> 24), (uint8_t)(text.size >> 16),
                       (uint8_t)(text.size >> 8), (uint8_t)text.size};

    if (!answer->slot->is_http10) {
        edge_put_hex(&answer->out, size, sizeof size);
        EDGE_PUT(&answer->out, "\r\n");
    }
    edge_put_slice(&answer->out, text);
    if (!answer->slot->is_http10)
        EDGE_PUT(&answer->out, "\r\n");
}

void edge_stream_event(struct edge_answer *answer, const char *name, json_t *data)
{
    struct buffer json, text;
    struct edge_out out;

    buffer_init(&json, EDGE_REPLY_MAX);
    buffer_init(&text, EDGE_REPLY_MAX);
    if (edge_json_dump(&json, data)) {
        edge_out_begin(&out, &text, json.size + 64);
        EDGE_PUT(&out, "event: ");
        edge_put_text(&out, name);
        EDGE_PUT(&out, "\ndata: ");
        edge_put(&out, json.data, json.size); /* compact: one line, with its end */
        EDGE_PUT(&out, "\n");
        if (edge_out_end(&out, 0))
            stream_chunk(answer, slice_of(text.data, text.size));
        else
            answer->out.is_full = true;
    } else {
        answer->out.is_full = true; /* no memory: the connection is cut */
    }
    buffer_close(&text);
    buffer_close(&json);
    json_decref(data);
}

void edge_stream_beat(struct edge_answer *answer)
{
    stream_chunk(answer, slice_text(":\n\n"));
}
