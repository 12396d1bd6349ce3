/* crdt_object_fuzz.c: objects and heads from the disk or a peer. What is accepted has one spelling,
 * and merging it with itself changes nothing. The first byte chooses object or head. */
#include <stdlib.h>
#include "crdt.h"
#include "ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crdt_object object, merged;
    struct slice bytes;
    struct writer out;
    uint8_t *again;
    enum status status;

    if (size < 2)
        return 0;
    bytes = slice_of(data + 1, size - 1);
    if ((data[0] & 1) == 0)
        status = crdt_object_decode(bytes, &object);
    else
        status = crdt_object_decode_head(bytes, &object);
    if (status != STATUS_OK)
        return 0;
    again = malloc(bytes.size);
    ensure(again != NULL);
    crdt_object_copy(&merged, &object);
    ensure(crdt_object_merge(&merged, &object) == STATUS_OK);
    out = writer_over(again, bytes.size);
    ensure(crdt_object_encode(&merged, &out) == STATUS_OK);
    ensure(slice_equal(writer_done(&out), bytes));
    free(again);
    return 0;
}
