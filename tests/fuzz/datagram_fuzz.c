/* The plaintext of a datagram, as it would come from an authenticated but hostile peer (W11).
 * What is accepted must have one meaning: written again and read again it is the same bytes. */
#include "ensure.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t rewrite(const struct message *message, uint8_t bytes[2 * DATAGRAM_SIZE_MAX])
{
    struct writer out = writer_over(bytes, 2 * DATAGRAM_SIZE_MAX);
    ensure(wire_datagram_append(&out, message) == STATUS_OK);
    return out.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in =
        reader_over(slice_of(data, size < DATAGRAM_SIZE_MAX ? size : DATAGRAM_SIZE_MAX));
    struct message message, again;
    enum status status;
    while ((status = wire_datagram_next(&in, &message)) == STATUS_OK) {
        uint8_t first[2 * DATAGRAM_SIZE_MAX], second[2 * DATAGRAM_SIZE_MAX];
        struct slice bytes = slice_of(first, rewrite(&message, first));
        struct reader back = reader_over(bytes);
        ensure(wire_datagram_next(&back, &again) == STATUS_OK);
        ensure(again.kind == message.kind);
        ensure(slice_equal(bytes, slice_of(second, rewrite(&again, second))));
        ensure(wire_datagram_next(&back, &again) == STATUS_END);
    }
    ensure(status == STATUS_END || status == STATUS_BAD);
    ensure(wire_datagram_next(&in, &message) == status);
    return 0;
}
