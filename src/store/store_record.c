/* store_record.c: the wrapper around every stored value.
 *
 *   | version u8 | type u8 | flags u8 | reserved u8 | check u32 | body ... |
 *
 * The engine's own checksums find flipped bits in its blocks. This one also finds the right bytes
 * in the wrong place, because the family and the row key are part of it: a block written to another
 * block's place passes the engine's check and fails ours. It guards against accidents, not against
 * somebody who can write to the disk; so its key is a constant. */
#include "store.h"

#include "bytes.h"
#include "ensure.h"
#include "hash.h"

#define RECORD_VERSION 1u
#define RECORD_FRONT 4u /* bytes before the check */

/* Any constant does: the check is no secret. */
static const uint8_t store_record_key[HASH_SEED_SIZE] = "gossamer record";

/* SipHash takes its input in one piece, and the body should not be copied. So the digest of
 * family, row key and header becomes half of the key under which the body is hashed. */
static uint32_t store_record_check(enum store_family family, struct slice row_key,
                                   const uint8_t *front, struct slice body)
{
    SCRATCH uint8_t head[1 + RECORD_FRONT + STORE_KEY_SIZE_MAX];
    uint8_t key[HASH_SEED_SIZE];
    struct writer writer = writer_over(head, sizeof head);
    struct slice done;

    write_u8(&writer, (uint8_t)family);
    write_bytes(&writer, front, RECORD_FRONT);
    write_slice(&writer, row_key);
    ensure(!writer.is_full);
    done = writer_done(&writer);
    memcpy(key, store_record_key, sizeof key);
    bytes_store_u64(key, hash_sip64(store_record_key, done.data, done.size));
    return (uint32_t)hash_sip64(key, body.data, body.size);
}

struct blob *store_record_write(enum store_family family, struct slice row_key,
                                enum store_record_type type, struct slice body)
{
    struct blob *blob;
    struct writer writer;

    ensure(row_key.size <= STORE_KEY_SIZE_MAX && body.size <= SIZE_MAX - STORE_RECORD_HEADER);
    blob = blob_new(STORE_RECORD_HEADER + body.size);
    if (blob == NULL)
        return NULL;
    writer = writer_over(blob->data, blob->size);
    write_u8(&writer, RECORD_VERSION);
    write_u8(&writer, (uint8_t)type);
    write_u8(&writer, 0);
    write_u8(&writer, 0);
    write_u32(&writer, store_record_check(family, row_key, blob->data, body));
    write_slice(&writer, body);
    ensure(!writer.is_full && writer.size == blob->size);
    return blob;
}

static bool store_record_is_known(uint8_t version, uint8_t type)
{
    return version == RECORD_VERSION && type >= RECORD_OBJECT && type <= RECORD_HINT;
}

enum status store_record_open(enum store_family family, struct slice row_key, struct slice record,
                              struct slice *body)
{
    struct reader reader = reader_over(record);
    uint8_t version = read_u8(&reader);
    uint8_t type = read_u8(&reader);
    uint16_t flags = read_u16(&reader);
    uint32_t check = read_u32(&reader);
    struct slice rest = read_slice(&reader, reader_left(&reader));

    if (reader.is_bad || !store_record_is_known(version, type) || flags != 0)
        return STATUS_CORRUPT;
    if (row_key.size > STORE_KEY_SIZE_MAX)
        return STATUS_CORRUPT;
    if (check != store_record_check(family, row_key, record.data, rest))
        return STATUS_CORRUPT;
    *body = rest;
    return STATUS_OK;
}
