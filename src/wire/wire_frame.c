/* wire_frame.c: the header that lets many requests share one link.
 *
 *   0        3      4       5          6         10            14
 *   | length | type | flags | priority | request | deadline ms | body ...
 *     u24      u8     u8      u8         u32       u32           length bytes
 *
 * The length is of this chunk, never of the message: a receiver needs no more than one chunk of
 * room to know that framing still holds, and a large value leaves gaps for a ping. */
#include "ensure.h"
#include "wire.h"

_Static_assert(3 + 1 + 1 + 1 + 4 + 4 == FRAME_HEADER_SIZE, "the header is as drawn");
_Static_assert(FRAME_CHUNK_MAX < 1u << 24, "a chunk's length fits u24");

static bool wire_frame_is_valid(const struct frame *frame)
{
    return frame->length <= FRAME_CHUNK_MAX && (frame->flags & ~FRAME_FLAGS) == 0 &&
           frame->priority <= FRAME_PRIORITY_MAX;
}

void wire_frame_write(struct writer *out, const struct frame *frame)
{
    ensure(wire_frame_is_valid(frame));
    uint8_t *room = write_room(out, FRAME_HEADER_SIZE);
    if (!room)
        return;
    struct writer header = writer_over(room, FRAME_HEADER_SIZE);
    write_u24(&header, frame->length);
    write_u8(&header, frame->type);
    write_u8(&header, frame->flags);
    write_u8(&header, frame->priority);
    write_u32(&header, frame->request);
    write_u32(&header, frame->deadline_ms);
    ensure(!header.is_full);
}

enum status wire_frame_read(struct slice bytes, struct frame *frame)
{
    if (bytes.size < FRAME_HEADER_SIZE)
        return STATUS_INCOMPLETE;
    struct reader in = reader_over(bytes);
    frame->length = read_u24(&in);
    frame->type = read_u8(&in);
    frame->flags = read_u8(&in);
    frame->priority = read_u8(&in);
    frame->request = read_u32(&in);
    frame->deadline_ms = read_u32(&in);
    return wire_frame_is_valid(frame) ? STATUS_OK : STATUS_BAD;
}
