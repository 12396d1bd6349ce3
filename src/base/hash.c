/* hash.c: which hash serves what. BLAKE2b where the result is an identity, SipHash where it is
 * only a place in a table or a check among peers who share the seed, XXH3 where nobody has to be
 * kept from guessing. */
#include "hash.h"
#include "bytes.h"
#include "ensure.h"
#include <sodium.h>
#include <xxhash.h>

_Static_assert(HASH_SEED_SIZE == crypto_shorthash_siphash24_KEYBYTES, "SipHash takes the seed");
_Static_assert(HASH_SEED_SIZE == crypto_shorthash_siphashx24_KEYBYTES, "so does SipHashx");

uint64_t hash_sip64(const uint8_t key[HASH_SEED_SIZE], const void *data, size_t size)
{
    uint8_t out[crypto_shorthash_siphash24_BYTES];

    crypto_shorthash_siphash24(out, data, size, key);
    return bytes_load_u64(out);
}

struct hash16 hash_sip128(const uint8_t key[HASH_SEED_SIZE], const void *data, size_t size)
{
    struct hash16 hash;

    crypto_shorthash_siphashx24(hash.bytes, data, size, key);
    return hash;
}

uint64_t hash_xxh64(uint64_t seed, const void *data, size_t size)
{
    return XXH3_64bits_withSeed(data, size, seed);
}

/* A namespace holds no zero byte, so the zero between the two parts leaves one reading only. */
struct hash16 hash_key(const uint8_t seed[HASH_SEED_SIZE], struct slice ns, struct slice key)
{
    SCRATCH uint8_t name[NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX];
    struct writer writer = writer_over(name, sizeof name);
    const uint8_t *path = key.size > 0 ? memchr(key.data, 0, key.size) : NULL;

    if (path != NULL)
        key.size = (size_t)(path - key.data);
    write_bytes(&writer, ns.data, ns.size);
    write_u8(&writer, 0);
    write_bytes(&writer, key.data, key.size);
    ensure(!writer.is_full);
    return hash_sip128(seed, name, writer.size);
}

uint64_t hash_key_front(const struct hash16 *hash)
{
    return bytes_load_u64(hash->bytes) & ~(UINT64_MAX >> 8 * HASH_FRONT_SIZE);
}

struct node_id hash_node_id(const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    struct node_id id;

    crypto_generichash(id.bytes, sizeof id.bytes, public_key, PUBLIC_KEY_SIZE, NULL, 0);
    return id;
}

/* libsodium gives no BLAKE2b shorter than 16 bytes: the actor is the front of such a hash. */
uint64_t hash_actor(const struct node_id *id, uint64_t boot_counter, uint64_t boot_nonce)
{
    uint8_t record[NODE_ID_SIZE + 16], out[crypto_generichash_BYTES_MIN];
    struct writer writer = writer_over(record, sizeof record);
    uint64_t actor;

    write_bytes(&writer, id->bytes, NODE_ID_SIZE);
    write_u64(&writer, boot_counter);
    write_u64(&writer, boot_nonce);
    ensure(!writer.is_full);
    crypto_generichash(out, sizeof out, record, sizeof record, NULL, 0);
    actor = bytes_load_u64(out) >> 16;
    return actor ? actor : 1;
}
