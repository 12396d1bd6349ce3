/* edge_path.c: what may be a namespace and a key. A path is decoded exactly once and never
 * normalised: no URL ever becomes a file path, so "a/../b" is a key like any other (H4). */
#include "edge_room.h"
#include "ensure.h"

struct slice edge_call_copy(struct edge_call *call, struct slice bytes)
{
    struct buffer *text = &call->slot->text;
    struct slice copy = {text->data + text->size, bytes.size};

    ensure(text->data && bytes.size <= text->capacity - text->size);
    if (bytes.size)
        memcpy(text->data + text->size, bytes.data, bytes.size);
    text->size += bytes.size;
    return copy;
}

static int edge_hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool edge_percent_decode(struct buffer *text, struct slice raw, struct slice *decoded)
{
    uint8_t *at = text->data + text->size;

    ensure(text->data && raw.size <= text->capacity - text->size);
    decoded->data = at;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t c = raw.data[i];

        if (c == '%') {
            int high = i + 2 < raw.size ? edge_hex_value(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.size ? edge_hex_value(raw.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        *at++ = c;
    }
    decoded->size = (size_t)(at - decoded->data);
    text->size += decoded->size;
    return true;
}

/* How many bytes the character at `text` has, 0 when it is none (RFC 3629 section 4: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
static size_t edge_utf8_size(const uint8_t *text, size_t left)
{
    uint8_t c = text[0];
    size_t size = c < 0x80                 ? 1
                  : c >= 0xc2 && c <= 0xdf ? 2
                  : (c & 0xf0) == 0xe0     ? 3
                  : c >= 0xf0 && c <= 0xf4 ? 4
                                           : 0;

    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) ||
        (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] > 0x8f))
        return 0;
    return size;
}

bool edge_is_utf8(struct slice text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t size = edge_utf8_size(text.data + at, text.size - at);

        if (size == 0 || text.data[at] < 0x20 || text.data[at] == 0x7f)
            return false;
        at += size;
    }
    return true;
}

static bool edge_is_ns_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool edge_path_ns(struct edge_call *call, struct slice raw, struct slice *ns)
{
    bool is_good = raw.size >= 1 && raw.size <= NS_SIZE_MAX;

    if (raw.size && raw.data[0] == '_') {
        (void)edge_call_fault(call, PROBLEM_FORBIDDEN,
                              "namespaces that begin with _ belong to Gossamer");
        return false;
    }
    for (size_t i = 0; is_good && i < raw.size; i++)
        is_good = edge_is_ns_char(raw.data[i]) ||
                  (i > 0 && (raw.data[i] == '.' || raw.data[i] == '_' || raw.data[i] == '-'));
    if (!is_good) {
        (void)edge_call_fault(
            call, PROBLEM_BAD_REQUEST,
            "a namespace is a letter or digit, then up to 63 of A-Z a-z 0-9 . _ -");
        return false;
    }
    *ns = edge_call_copy(call, raw);
    return true;
}

bool edge_key_check(struct edge_call *call, struct slice key)
{
    if (key.size == 0)
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "the key is empty");
    else if (key.size > KEY_SIZE_MAX)
        (void)edge_call_fault(call, PROBLEM_URI_TOO_LONG, "a key has at most 1024 bytes");
    else if (!edge_is_utf8(key))
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "a key is valid UTF-8 without control characters");
    else
        return true;
    return false;
}

bool edge_path_key(struct edge_call *call, struct slice raw, struct slice *key)
{
    if (!edge_percent_decode(&call->slot->text, raw, key)) {
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "an escape in the key is not % and two hex digits");
        return false;
    }
    return edge_key_check(call, *key);
}
