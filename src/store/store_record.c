/* store_record.c: the wrapper around every stored value.
 *
 *   | check u32 | body ... |
 *
 * The engine's own checksums find flipped bits in its blocks. This one also finds the right bytes
 * in the wrong place, because the family and the row key are part of it: a block written to another
 * block's place passes the engine's check and fails ours. It guards against accidents, not against
 * somebody who can write to the disk; so its key is a constant. */
#include "store.h"

#include "bytes.h"
#include "ensure.h"
#include "hash.h"

/* Any constant does: the check is no secret. */
static const uint8_t store_record_key[HASH_SEED_SIZE] = "gossamer record";

/* SipHash takes its input in one piece, and the body should not be copied. So the digest of
 * family and row key becomes half of the key under which the body is hashed. */
static uint32_t store_record_check(enum store_family family, struct slice row_key,
                                   struct slice body)
{
    SCRATCH uint8_t head[1 + STORE_KEY_SIZE_MAX];
    uint8_t key[HASH_SEED_SIZE];
    struct writer writer = writer_over(head, sizeof head);
    struct slice done;

    write_u8(&writer, (uint8_t)family);
    write_slice(&writer, row_key);
    ensure(!writer.is_full);
    done = writer_done(&writer);
    memcpy(key, store_record_key, sizeof key);
    bytes_store_u64(key, hash_sip64(store_record_key, done.data, done.size));
    return (uint32_t)hash_sip64(key, body.data, body.size);
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
