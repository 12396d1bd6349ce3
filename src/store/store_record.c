/* store_record.c: the wrapper around every stored value.
 *
 *   | check u32 | body ... |
 *
 * The engine's own checksums find flipped bits in its blocks. This one also finds the right bytes
 * in the wrong place, because the family and the row key are part of it: a block written to another
 * block's place passes the engine's check and fails ours. It guards against accidents, not against
 * somebody who can write to the disk; so it needs no key (decision 0025). */
#include "store.h"

#include "bytes.h"
#include "ensure.h"
#include "hash.h"

/* The hash of family and row key seeds that of the body: it takes its input in one piece, and the
 * body should not be copied. */
static uint32_t store_record_check(enum store_family family, struct slice row_key,
                                   struct slice body)
{
    uint64_t place = hash_xxh64((uint64_t)family, row_key.data, row_key.size);

    return (uint32_t)hash_xxh64(place, body.data, body.size);
}

struct blob *store_record_write(enum store_family family, struct slice row_key, struct slice body)
{
    struct blob *blob;
    struct writer writer;

    ensure(row_key.size <= STORE_KEY_SIZE_MAX && body.size <= SIZE_MAX - STORE_RECORD_HEADER);
    blob = blob_new(STORE_RECORD_HEADER + body.size);
    if (blob == NULL)
        return NULL;
    writer = writer_over(blob->data, blob->size);
    write_u32(&writer, store_record_check(family, row_key, body));
    write_slice(&writer, body);
    ensure(!writer.is_full && writer.size == blob->size);
    return blob;
}

enum status store_record_open(enum store_family family, struct slice row_key, struct slice record,
                              struct slice *body)
{
    struct reader reader = reader_over(record);
    uint32_t check = read_u32(&reader);
    struct slice rest = read_slice(&reader, reader_left(&reader));

    if (reader.is_bad || row_key.size > STORE_KEY_SIZE_MAX ||
        check != store_record_check(family, row_key, rest))
        return STATUS_CORRUPT;
    *body = rest;
    return STATUS_OK;
}
