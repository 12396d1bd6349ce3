/* edge_out.c: the few forms in which the edge spells numbers and bytes. */
#include "edge_out.h"
#include "ensure.h"

void edge_out_begin(struct edge_out *out, struct buffer *buffer, size_t room)
{
    uint8_t *at = buffer_reserve(buffer, room);

    *out = (struct edge_out){.buffer = buffer, .at = at, .end = at, .is_full = !at};
    if (at)
        out->end = buffer->data + buffer->capacity;
}

bool edge_out_grow(struct edge_out *out, size_t size)
{
    uint8_t *at;

    if (out->is_full)
        return false;
    out->buffer->size = edge_out_size(out);
    at = buffer_reserve(out->buffer, size);
    if (!at) {
        out->is_full = true;
        out->end = out->at;
        return false;
    }
    out->at = at;
    out->end = out->buffer->data + out->buffer->capacity;
    return true;
}

bool edge_out_end(struct edge_out *out, size_t start)
{
    ensure(start <= out->buffer->max);
    if (out->is_full) {
        out->buffer->size = start;
        return false;
    }
    out->buffer->size = edge_out_size(out);
    return true;
}

void edge_put_number(struct edge_out *out, uint64_t number)
{
    char text[20];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    edge_put(out, text + at, sizeof text - at);
}

void edge_put_digits(struct edge_out *out, uint64_t number, unsigned width)
{
    char text[20];

    ensure(width <= sizeof text);
    for (unsigned i = width; i > 0; i--) {
        text[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    edge_put(out, text, width);
}

void edge_put_hex(struct edge_out *out, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        char pair[2] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]};

        edge_put(out, pair, 2);
    }
}

static const char EDGE_URL_ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char EDGE_ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Returns how many characters the last group of 1 or 2 bytes took. */
static void edge_put_groups(struct edge_out *out, struct slice bytes, const char *alphabet,
                            bool is_padded)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        char text[4];

        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        for (unsigned j = 0; j < 4; j++)
            text[j] = j <= left ? alphabet[group >> (18 - 6 * j) & 63] : '=';
        edge_put(out, text, is_padded ? 4 : left + 1);
    }
}

void edge_put_base64(struct edge_out *out, struct slice bytes)
{
    edge_put_groups(out, bytes, EDGE_URL_ALPHABET, false);
}

void edge_put_base64_padded(struct edge_out *out, struct slice bytes)
{
    edge_put_groups(out, bytes, EDGE_ALPHABET, true);
}

void edge_put_etag(struct edge_out *out, uint64_t etag)
{
    char text[13];

    text[0] = text[12] = '"';
    for (unsigned i = 0; i < 10; i++)
        text[1 + i] = EDGE_URL_ALPHABET[etag >> (58 - 6 * i) & 63];
    text[11] = EDGE_URL_ALPHABET[(etag & 15) << 2];
    edge_put(out, text, sizeof text);
}

void edge_put_json(struct edge_out *out, struct slice text)
{
    EDGE_PUT(out, "\"");
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];

        if (c == '"' || c == '\\' || (c == '/' && i > 0 && text.data[i - 1] == '<'))
            edge_put_char(out, '\\');
        if (text.data[i] < 0x20) {
            EDGE_PUT(out, "\\u00");
            edge_put_hex(out, &text.data[i], 1);
        } else {
            edge_put_char(out, text.data[i] < 0x7f ? c : '?');
        }
    }
    EDGE_PUT(out, "\"");
}

/* The unreserved characters of RFC 3986 section 2.3, and "/" which needs no escape in a key. */
static bool edge_is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '/';
}

void edge_put_escaped(struct edge_out *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (edge_is_plain(text.data[i])) {
            edge_put(out, &text.data[i], 1);
            continue;
        }
        edge_put_char(out, '%');
        edge_put_char(out, "0123456789ABCDEF"[text.data[i] >> 4]);
        edge_put_char(out, "0123456789ABCDEF"[text.data[i] & 15]);
    }
}
