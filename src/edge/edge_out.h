/* edge_out.h: appending text to a buffer as cheaply as memcpy. Literals are copied with a size the
 * compiler knows; room is asked for once per reply, so that the common reply never grows. */
#ifndef GOSSAMER_EDGE_OUT_H
#define GOSSAMER_EDGE_OUT_H

#include "bytes.h"

struct edge_out {
    struct buffer *buffer; /* where the text goes; its size is brought up to date by edge_out_end */
    uint8_t *at, *end;     /* free room, inside the buffer's allocation */
    bool is_full;          /* something did not fit: the text is of no use */
};

/* edge_out_begin starts appending to `buffer` with `room` bytes at once. */
void edge_out_begin(struct edge_out *out, struct buffer *buffer, size_t room);
/* edge_out_grow makes room for `size` more bytes; false and is_full above the buffer's ceiling. */
bool edge_out_grow(struct edge_out *out, size_t size);
/* edge_out_end makes what was appended part of the buffer; false when it was too much, and then
 * the buffer is as long as before edge_out_begin was asked to start at `start`. */
bool edge_out_end(struct edge_out *out, size_t start);
/* edge_out_size tells how long the buffer is with what was appended so far. */
static inline size_t edge_out_size(const struct edge_out *out)
{
    return (size_t)(out->at - out->buffer->data);
}

/* edge_put appends raw bytes. */
static inline void edge_put(struct edge_out *out, const void *data, size_t size)
{
    if (size == 0 || ((size_t)(out->end - out->at) < size && !edge_out_grow(out, size)))
        return;
    memcpy(out->at, data, size);
    out->at += size;
}
/* EDGE_PUT appends a string literal. */
#define EDGE_PUT(out, literal) edge_put((out), "" literal "", sizeof(literal) - 1)
/* edge_put_slice, edge_put_text and edge_put_char append what their name says. */
static inline void edge_put_slice(struct edge_out *out, struct slice slice)
{
    edge_put(out, slice.data, slice.size);
}
static inline void edge_put_text(struct edge_out *out, const char *text)
{
    edge_put(out, text, strlen(text));
}
static inline void edge_put_char(struct edge_out *out, char c)
{
    edge_put(out, &c, 1);
}
/* edge_put_label appends the text of a label. */
static inline void edge_put_label(struct edge_out *out, const struct label *label)
{
    edge_put(out, label->text, label->size);
}
/* edge_put_number appends a number in decimal, edge_put_digits with exactly `width` digits. */
void edge_put_number(struct edge_out *out, uint64_t number);
void edge_put_digits(struct edge_out *out, uint64_t number, unsigned width);
/* edge_put_hex appends bytes as lower-case hex. */
void edge_put_hex(struct edge_out *out, const void *data, size_t size);
/* edge_put_base64 appends bytes as base64url without padding, edge_put_base64_padded as plain
 * base64 (RFC 4648 sections 5 and 4). */
void edge_put_base64(struct edge_out *out, struct slice bytes);
void edge_put_base64_padded(struct edge_out *out, struct slice bytes);
/* edge_put_etag appends an entity tag with its quotes: 11 characters of base64url. */
void edge_put_etag(struct edge_out *out, uint64_t etag);
/* edge_put_json appends a quoted JSON string. Bytes above ASCII become '?': only our own text and
 * targets of requests pass here, values with words of people go through jansson. */
void edge_put_json(struct edge_out *out, struct slice text);
/* edge_put_escaped appends text percent-encoded, as a query value or a path segment. */
void edge_put_escaped(struct edge_out *out, struct slice text);

#endif
