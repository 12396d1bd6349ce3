/* A message on a link: the first byte is its type, the rest its reassembled body; and the same
 * bytes once more as a frame header. What is accepted is written again in at most as many bytes,
 * and reads the same. */
#include <stdlib.h>

#include "ensure.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(struct slice bytes)
{
    struct frame frame;
    enum status status = wire_frame_read(bytes, &frame);
    ensure(bytes.size < FRAME_HEADER_SIZE || status != STATUS_INCOMPLETE);
    if (status != STATUS_OK)
        return;
    uint8_t header[FRAME_HEADER_SIZE];
    struct writer out = writer_over(header, sizeof header);
    wire_frame_write(&out, &frame);
    ensure(out.size == wire_frame_size(&frame) && memcmp(header, bytes.data, out.size) == 0);
}

static uint8_t *rewrite(const struct message *message, size_t *size)
{
    *size = wire_stream_size(message);
    uint8_t *bytes = malloc(*size);
    ensure(bytes != NULL);
    struct writer out = writer_over(bytes, *size);
    ensure(wire_stream_encode(&out, message) == STATUS_OK);
    ensure(out.size == *size);
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_frame(slice_of(data, size));
    struct message message, again;
    if (size == 0 ||
        wire_stream_decode(data[0], slice_of(data + 1, size - 1), &message) != STATUS_OK)
        return 0;
    size_t first_size, second_size;
    uint8_t *first = rewrite(&message, &first_size);
    ensure(first_size <= size - 1);
    ensure(wire_stream_decode(data[0], slice_of(first, first_size), &again) == STATUS_OK);
    uint8_t *second = rewrite(&again, &second_size);
    ensure(slice_equal(slice_of(first, first_size), slice_of(second, second_size)));
    free(first);
    free(second);
    return 0;
}
