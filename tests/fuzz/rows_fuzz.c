/* rows_fuzz.c: packed rows, as they come out of an archive or in through POST /v1/restore. What is
 * accepted has one spelling, and the names in it are such as a row may have. */
#include <stdlib.h>

#include "crdt.h"
#include "ensure.h"
#include "rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crdt_object object;
    struct reader in = reader_over(slice_of(data, size));
    uint8_t *again = malloc(size + 1);
    struct writer out = writer_over(again, size);
    enum status status;
    struct row row;

    ensure(again != NULL);
    while ((status = row_read(&in, &row)) == STATUS_OK) {
        ensure(row.ns.size >= 1 && row.ns.size <= NS_SIZE_MAX);
        ensure(row.name.size >= 1 && row.name.size <= ROW_NAME_SIZE_MAX);
        if (crdt_object_decode(row.object, &object) == STATUS_OK)
            ensure(object.entry_count > 0);
        row_write(&out, &row);
    }
    if (status == STATUS_END)
        ensure(!out.is_full && slice_equal(writer_done(&out), slice_of(data, size)));
    free(again);
    return 0;
}
