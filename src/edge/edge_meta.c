/* edge_meta.c: the header fields that are stored with a value and come back with it. They are
 * checked on the way in and once more on the way out: what a peer sends is not ours to trust, and
 * a CR LF in a field would split a reply (H10). */
#include "edge_room.h"
#include "ensure.h"

bool edge_is_field_value(struct slice value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    return true;
}

void edge_put_value_field(struct edge_out *out, const char *name, struct slice value)
{
    if (value.size == 0 || !edge_is_field_value(value))
        return;
    edge_put_text(out, name);
    EDGE_PUT(out, ": ");
    edge_put_slice(out, value);
    EDGE_PUT(out, "\r\n");
}

static void edge_meta_tag_copy(struct edge_call *call, enum meta_tag tag, size_t size)
{
    uint8_t front[3] = {(uint8_t)tag, (uint8_t)(size >> 8), (uint8_t)size};

    edge_call_copy(call, slice_of(front, 3));
}

static bool edge_meta_standard(struct edge_call *call)
{
    static const struct {
        enum edge_field field;
        enum meta_tag tag;
    } rows[] = {
        {EDGE_FIELD_CONTENT_TYPE, META_CONTENT_TYPE},
        {EDGE_FIELD_CONTENT_ENCODING, META_CONTENT_ENCODING},
        {EDGE_FIELD_CACHE_CONTROL, META_CACHE_CONTROL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice value = call->head->fields[rows[i].field];

        if (value.size > EDGE_TYPE_SIZE_MAX) {
            (void)edge_call_fault(call, PROBLEM_HEADERS_TOO_LARGE,
                                  "Content-Type, Content-Encoding and Cache-Control have at most "
                                  "255 bytes");
            return false;
        }
        if (value.size == 0)
            continue;
        edge_meta_tag_copy(call, rows[i].tag, value.size);
        value = edge_call_copy(call, value);
        if (rows[i].tag == META_CONTENT_TYPE)
            call->slot->type = value;
    }
    return true;
}

bool edge_meta_encode(struct edge_call *call, struct slice *meta)
{
    struct buffer *text = &call->slot->text;
    size_t start = text->size, user_size = 0;

    if (!edge_meta_standard(call))
        return false;
    for (unsigned i = 0; i < call->head->user_count; i++) {
        struct edge_user user = call->head->users[i];

        user_size += user.name.size + user.value.size;
        if (user_size > EDGE_USER_SIZE_MAX) {
            (void)edge_call_fault(call, PROBLEM_HEADERS_TOO_LARGE,
                                  "Gossamer-Meta-* fields have at most 2048 bytes in all");
            return false;
        }
        edge_meta_tag_copy(call, META_USER, user.name.size + 2 + user.value.size);
        edge_call_copy(call, user.name);
        edge_call_copy(call, slice_text(": "));
        edge_call_copy(call, user.value);
    }
    *meta = slice_of(text->data + start, text->size - start);
    ensure(meta->size <= META_SIZE_MAX);
    return true;
}

/* Takes the next field off `meta`; false at the end or when the rest is malformed. */
static bool edge_meta_next(struct slice *meta, unsigned *tag, struct slice *value)
{
    struct reader reader = reader_over(*meta);

    if (meta->size == 0)
        return false;
    *tag = read_u8(&reader);
    *value = read_slice(&reader, read_u16(&reader));
    if (reader.is_bad)
        return false;
    *meta = slice_of(meta->data + reader.at, meta->size - reader.at);
    return true;
}

struct slice edge_meta_find(struct slice meta, enum meta_tag tag)
{
    unsigned at;
    struct slice value;

    while (edge_meta_next(&meta, &at, &value))
        if (at == (unsigned)tag)
            return edge_is_field_value(value) ? value : SLICE_NONE;
    return SLICE_NONE;
}

void edge_meta_put(struct edge_out *out, struct slice meta)
{
    bool has_type = false, has_cache = false;
    unsigned tag;
    struct slice value;

    while (edge_meta_next(&meta, &tag, &value)) {
        if (!edge_is_field_value(value) || value.size == 0)
            continue;
        if (tag == META_CONTENT_TYPE && !has_type) {
            has_type = true;
            edge_put_value_field(out, "Content-Type", value);
        } else if (tag == META_CONTENT_ENCODING) {
            edge_put_value_field(out, "Content-Encoding", value);
        } else if (tag == META_CACHE_CONTROL) {
            has_cache = true;
            edge_put_value_field(out, "Cache-Control", value);
        } else if (tag == META_USER) {
            EDGE_PUT(out, "Gossamer-Meta-");
            edge_put_slice(out, value);
            EDGE_PUT(out, "\r\n");
        }
    }
    if (!has_type)
        EDGE_PUT(out, "Content-Type: application/octet-stream\r\n");
    if (!has_cache)
        EDGE_PUT(out, "Cache-Control: no-store\r\n");
}
