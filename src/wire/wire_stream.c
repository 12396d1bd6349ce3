/* wire_stream.c: the body of one message on a link.
 *
 *   | map head | key 1 | value | key 4 | value | ...      keys ascending, zero fields left out
 *
 * A map and no array: bodies here are large and sparse, and a key says which field it is, so that
 * fields can be added anywhere and dropped for good. A peer skips the keys it does not know; what
 * it skips has passed the same structural check as the rest. */
#include "ensure.h"
#include "wire.h"
#include "wire_check.h"
#include "wire_field.h"
#include "wire_table.h"

static void wire_stream_pack(msgpack_packer *packer, const struct message *message)
{
    const struct wire_layout *layout = wire_layout_of(message->kind);
    ensure(layout != NULL);
    ensure((layout->carriers & WIRE_CARRIER_STREAM) != 0);
    unsigned count = 0;
    for (unsigned i = 0; i < layout->field_count; i++)
        count += !wire_field_is_zero(&layout->fields[i], message);
    (void)msgpack_pack_map(packer, count);
    for (unsigned i = 0; i < layout->field_count; i++) {
        if (wire_field_is_zero(&layout->fields[i], message))
            continue;
        (void)msgpack_pack_uint8(packer, layout->fields[i].key);
        wire_field_pack(packer, &layout->fields[i], message);
    }
}

size_t wire_stream_size(const struct message *message)
{
    size_t size = 0;
    msgpack_packer packer;
    wire_packer_count(&packer, &size);
    wire_stream_pack(&packer, message);
    ensure(size <= FRAME_BODY_MAX);
    return size;
}

enum status wire_stream_encode(struct writer *out, const struct message *message)
{
    struct writer before = *out;
    msgpack_packer packer;
    wire_packer_write(&packer, out);
    wire_stream_pack(&packer, message);
    if (out->is_full) {
        *out = before;
        return STATUS_FULL;
    }
    ensure(out->size - before.size <= FRAME_BODY_MAX);
    return STATUS_OK;
}

static const struct wire_field *wire_stream_field(const struct wire_layout *layout, uint64_t key)
{
    for (unsigned i = 0; i < layout->field_count; i++)
        if (layout->fields[i].key == key)
            return &layout->fields[i];
    return NULL;
}

/* Reads the pairs of a body that has passed the structural check. */
static void wire_stream_read(struct reader *in, const struct wire_layout *layout,
                             struct message *message)
{
    struct wire_token head, key;
    if (!wire_token_read(in, &head))
        return;
    in->is_bad = head.kind != WIRE_TOKEN_MAP;
    uint64_t last = 0; /* keys start at 1 */
    for (uint64_t i = 0; i < head.value && !in->is_bad; i++) {
        if (!wire_token_read(in, &key))
            return;
        if (key.kind != WIRE_TOKEN_UNSIGNED || key.value <= last) {
            in->is_bad = true;
            return;
        }
        last = key.value;
        const struct wire_field *field = wire_stream_field(layout, key.value);
        if (field)
            wire_field_unpack(in, field, message);
        else
            (void)wire_value_skip(in);
    }
}

enum status wire_stream_decode(unsigned type, struct slice body, struct message *message)
{
    memset(message, 0, sizeof *message);
    const struct wire_layout *layout = wire_layout_of(type);
    if (!layout)
        return STATUS_UNSUPPORTED;
    if (!(layout->carriers & WIRE_CARRIER_STREAM) || body.size > FRAME_BODY_MAX)
        return STATUS_BAD;
    struct reader check = reader_over(body);
    if (!wire_value_skip(&check))
        return STATUS_BAD;
    struct reader in = reader_over(body);
    wire_stream_read(&in, layout, message);
    if (!reader_is_done(&in)) { /* bad, or something stands behind the map */
        memset(message, 0, sizeof *message);
        return STATUS_BAD;
    }
    message->kind = (enum message_kind)type;
    return STATUS_OK;
}
