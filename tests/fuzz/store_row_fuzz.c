/* store_row_fuzz.c: what comes from the disk: a row key and a record. The first two bytes say how
 * much of the input is the row key. */
#include "bytes.h"
#include "ensure.h"
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[STORE_KEY_SIZE_MAX];
    struct reader reader = reader_over(slice_of(data, size));
    size_t key_size = read_u16(&reader);
    struct slice row_key, record, ns, key, body;
    uint64_t front;

    if (key_size > reader_left(&reader))
        key_size = reader_left(&reader);
    row_key = read_slice(&reader, key_size);
    record = read_slice(&reader, reader_left(&reader));
    if (store_key_split(row_key, &front, &ns, &key) == STATUS_OK)
        ensure(slice_equal(store_key_obj(front, ns, key, again), row_key));
    if (store_record_open(STORE_OBJ, row_key, record, &body) == STATUS_OK)
        ensure(body.data + body.size == record.data + record.size);
    return 0;
}
