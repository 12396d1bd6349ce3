/* wire_frame.c: the header that lets many requests share one link.
 *
 *   0        3      4       5          6         14            18
 *   | length | type | flags | priority | request | deadline ms | body ...
 *     u24      u8     u8      u8         u64       u32           length bytes
 *
 * Request and deadline are there where flag 16 is set: most of what peers tell each other on their
 * own account has neither, and a comparison of two peers in which nothing differs is to cost 100
 * bytes.
 *
 * The length is of this chunk, never of the message: a receiver needs no more than one chunk of
 * room to know that framing still holds, and a large value leaves gaps for a ping. */
#include "ensure.h"
#include "wire.h"

#define FRAME_TIED 16u /* on the wire only: request and deadline follow */

_Static_assert(3 + 1 + 1 + 1 == FRAME_HEADER_MIN, "the header is as drawn");
_Static_assert(FRAME_HEADER_MIN + 8 + 4 == FRAME_HEADER_SIZE, "the header is as drawn");
_Static_assert(FRAME_CHUNK_MAX < 1u << 24, "a chunk's length fits u24");
_Static_assert((FRAME_FLAGS & FRAME_TIED) == 0, "no flag of ours");

static bool wire_frame_is_valid(const struct frame *frame)
{
    return frame->length <= FRAME_CHUNK_MAX && (frame->flags & ~FRAME_FLAGS) == 0 &&
           frame->priority <= FRAME_PRIORITY_MAX;
}

static bool wire_frame_is_tied(const struct frame *frame)
{
    return frame->request != 0 || frame->deadline_ms != 0;
}

size_t wire_frame_size(const struct frame *frame)
{
    return wire_frame_is_tied(frame) ? FRAME_HEADER_SIZE : FRAME_HEADER_MIN;
}

void wire_frame_write(struct writer *out, const struct frame *frame)
{
    ensure(wire_frame_is_valid(frame));
    bool is_tied = wire_frame_is_tied(frame);
    uint8_t *room = write_room(out, wire_frame_size(frame));
    if (!room)
        return;
    struct writer header = writer_over(room, wire_frame_size(frame));
    write_u24(&header, frame->length);
    write_u8(&header, frame->type);
    write_u8(&header, (uint8_t)(frame->flags | (is_tied ? FRAME_TIED : 0)));
    write_u8(&header, frame->priority);
    if (is_tied) {
        write_u64(&header, frame->request);
        write_u32(&header, frame->deadline_ms);
    }
    ensure(!header.is_full);
}

enum status wire_frame_read(struct slice bytes, struct frame *frame)
{
    if (bytes.size < FRAME_HEADER_MIN)
        return STATUS_INCOMPLETE;
    struct reader in = reader_over(bytes);
    *frame = (struct frame){.length = read_u24(&in)};
    frame->type = read_u8(&in);
    frame->flags = read_u8(&in);
    frame->priority = read_u8(&in);
    bool is_tied = (frame->flags & FRAME_TIED) != 0;
    if (is_tied && bytes.size < FRAME_HEADER_SIZE)
        return STATUS_INCOMPLETE;
    frame->flags &= (uint8_t)~FRAME_TIED;
    if (is_tied) {
        frame->request = read_u64(&in);
        frame->deadline_ms = read_u32(&in);
    }
    return wire_frame_is_valid(frame) && wire_frame_is_tied(frame) == is_tied ? STATUS_OK
                                                                              : STATUS_BAD;
}
