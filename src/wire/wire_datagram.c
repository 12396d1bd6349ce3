/* wire_datagram.c: many small messages in one packet.
 *
 *   | type u8 | array head | field 1 | field 2 | ... | type u8 | array head | ...
 *
 * An array and no map: the names of the fields would be a third of a ping. The price is that
 * fields are told apart by their place alone, so the table may only grow at its end: an older
 * peer ignores what it does not know, and a newer one takes what is not there as zero. */
#include "ensure.h"
#include "wire.h"
#include "wire_check.h"
#include "wire_field.h"
#include "wire_table.h"

enum status wire_datagram_append(struct writer *out, const struct message *message)
{
    const struct wire_layout *layout = wire_layout_of(message->kind);
    ensure(layout != NULL);
    ensure((layout->carriers & WIRE_CARRIER_DATAGRAM) != 0);
    struct writer before = *out;
    msgpack_packer packer;
    wire_packer_write(&packer, out);
    write_u8(out, (uint8_t)message->kind);
    (void)msgpack_pack_array(&packer, layout->field_count);
    for (unsigned i = 0; i < layout->field_count && !out->is_full; i++)
        wire_field_pack(&packer, &layout->fields[i], message);
    if (!out->is_full)
        return STATUS_OK;
    *out = before;
    return STATUS_FULL;
}

/* Reads the array behind a type. What the table does not know of it is skipped. */
static void wire_datagram_read(struct reader *in, const struct wire_layout *layout,
                               struct message *message)
{
    struct wire_token head;
    if (!wire_token_read(in, &head))
        return;
    if (head.kind != WIRE_TOKEN_ARRAY || !(layout->carriers & WIRE_CARRIER_DATAGRAM)) {
        in->is_bad = true;
        return;
    }
    for (uint64_t i = 0; i < head.value && !in->is_bad; i++) {
        if (i < layout->field_count)
            wire_field_unpack(in, &layout->fields[i], message);
        else
            (void)wire_value_skip(in);
    }
}

enum status wire_datagram_next(struct reader *in, struct message *message)
{
    memset(message, 0, sizeof *message);
    while (reader_left(in) > 0) {
        uint8_t type = read_u8(in);
        struct reader body = *in;
        if (!wire_value_skip(in))
            return STATUS_BAD;
        const struct wire_layout *layout = wire_layout_of(type);
        if (!layout)
            continue;
        wire_datagram_read(&body, layout, message);
        if (body.is_bad) {
            memset(message, 0, sizeof *message);
            in->is_bad = true;
            return STATUS_BAD;
        }
        ensure(body.at == in->at);
        message->kind = (enum message_kind)type;
        return STATUS_OK;
    }
    return in->is_bad ? STATUS_BAD : STATUS_END;
}
