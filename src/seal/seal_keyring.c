/* seal_keyring.c: the keys of the cluster and their file.
 *
 *   gossamer-cluster-key 1
 *   cluster 00112233445566778899aabbccddeeff
 *   changed <32 hex>      stamp and peer of the last change; not there before the first
 *   key <64 hex>          the primary: it seals
 *   key <64 hex>          opens only; up to four keys in all
 *
 * The file is short and plain because an operator carries it from machine to machine. It is read
 * strictly: a file half copied must not become a ring with a key missing. */
#include "seal.h"
#include <sodium.h>

#define HEX_SIZE_MAX SEAL_KEY_SIZE

static uint16_t key_id(const uint8_t key[SEAL_KEY_SIZE])
{
    uint8_t hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, key, SEAL_KEY_SIZE, NULL, 0);
    return (uint16_t)(hash[0] << 8 | hash[1]);
}

void seal_keyring_make(struct seal_keyring *ring, const struct seal_entropy *entropy)
{
    memset(ring, 0, sizeof *ring);
    entropy->fill(entropy->context, ring->cluster_id, sizeof ring->cluster_id);
    entropy->fill(entropy->context, ring->keys[0].key, SEAL_KEY_SIZE);
    ring->keys[0].id = key_id(ring->keys[0].key);
    ring->count = 1;
}

enum status seal_keyring_add(struct seal_keyring *ring, const uint8_t key[SEAL_KEY_SIZE])
{
    uint16_t id = key_id(key);
    int found = seal_keyring_find(ring, id);

    if (found >= 0)
        return sodium_memcmp(ring->keys[found].key, key, SEAL_KEY_SIZE) == 0 ? STATUS_OK
                                                                             : STATUS_CONFLICT;
    if (ring->count >= SEAL_KEYS_MAX)
        return STATUS_FULL;
    ring->keys[ring->count].id = id;
    memcpy(ring->keys[ring->count].key, key, SEAL_KEY_SIZE);
    ring->count++;
    return STATUS_OK;
}

int seal_keyring_find(const struct seal_keyring *ring, uint16_t id)
{
    for (int i = 0; i < ring->count; i++)
        if (ring->keys[i].id == id)
            return i;
    return -1;
}

enum status seal_keyring_use(struct seal_keyring *ring, uint16_t id)
{
    int at = seal_keyring_find(ring, id);
    struct seal_keyring before = *ring;

    if (at < 0)
        return STATUS_MISSING;
    for (int i = at; i > 0; i--)
        ring->keys[i] = before.keys[i - 1];
    ring->keys[0] = before.keys[at];
    seal_keyring_wipe(&before);
    return STATUS_OK;
}

enum status seal_keyring_drop(struct seal_keyring *ring, uint16_t id)
{
    int at = seal_keyring_find(ring, id);

    if (at < 0)
        return STATUS_MISSING;
    if (at == 0)
        return STATUS_CONFLICT;
    ring->count--;
    for (int i = at; i < ring->count; i++)
        ring->keys[i] = ring->keys[i + 1];
    sodium_memzero(&ring->keys[ring->count], sizeof ring->keys[0]);
    return STATUS_OK;
}

bool seal_keyring_newer(const struct seal_keyring *a, const struct seal_keyring *b)
{
    return a->stamp != b->stamp ? a->stamp > b->stamp : a->by > b->by;
}

void seal_keyring_wipe(struct seal_keyring *ring)
{
    sodium_memzero(ring, sizeof *ring);
}

/* --- the text form */

/* Takes one line without its newline; false when no whole line is left. */
static bool line_take(struct slice *text, struct slice *line)
{
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;

    if (!end)
        return false;
    *line = slice_of(text->data, (size_t)(end - text->data));
    *text = slice_of(end + 1, text->size - line->size - 1);
    return true;
}

/* Reads "<word> <hex>" with exactly `size` bytes of hex. */
static bool line_read(struct slice line, const char *word, uint8_t *into, size_t size)
{
    struct slice prefix = slice_text(word);
    size_t got = 0;

    if (!slice_has_prefix(line, prefix) || line.size != prefix.size + 2 * size)
        return false;
    return sodium_hex2bin(into, size, (const char *)line.data + prefix.size, 2 * size, NULL, &got,
                          NULL) == 0 &&
           got == size;
}

/* A key that is twice in the file is a mistake of whoever edited it. */
static bool key_read(struct seal_keyring *ring, struct slice line)
{
    uint8_t key[SEAL_KEY_SIZE];
    uint8_t before = ring->count;
    bool is_good = line_read(line, "key ", key, sizeof key) &&
                   seal_keyring_add(ring, key) == STATUS_OK && ring->count > before;

    sodium_memzero(key, sizeof key);
    return is_good;
}

static bool changed_read(struct seal_keyring *ring, struct slice line)
{
    uint8_t bytes[16];

    if (!line_read(line, "changed ", bytes, sizeof bytes))
        return false;
    ring->stamp = bytes_load_u64(bytes);
    ring->by = bytes_load_u64(bytes + 8);
    return true;
}

enum status seal_keyring_parse(struct seal_keyring *ring, struct slice text)
{
    struct seal_keyring read = {.count = 0};
    struct slice line;
    bool is_good;

    if (!line_take(&text, &line) || !slice_has_prefix(line, slice_text("gossamer-cluster-key ")))
        return STATUS_BAD;
    if (!slice_equal(line, slice_text("gossamer-cluster-key 1")))
        return STATUS_FOREIGN;
    is_good = line_take(&text, &line) &&
              line_read(line, "cluster ", read.cluster_id, sizeof read.cluster_id);
    while (is_good && text.size)
        is_good = line_take(&text, &line) &&
                  ((read.count == 0 && read.stamp == 0 && changed_read(&read, line)) ||
                   key_read(&read, line));
    is_good = is_good && read.count > 0;
    if (is_good)
        *ring = read;
    seal_keyring_wipe(&read);
    return is_good ? STATUS_OK : STATUS_BAD;
}

static void line_write(struct writer *out, const char *word, const uint8_t *bytes, size_t size)
{
    char hex[2 * HEX_SIZE_MAX + 1];

    sodium_bin2hex(hex, sizeof hex, bytes, size);
    write_slice(out, slice_text(word));
    write_bytes(out, hex, 2 * size);
    write_u8(out, '\n');
    sodium_memzero(hex, sizeof hex);
}

enum status seal_keyring_write(const struct seal_keyring *ring, struct writer *out)
{
    uint8_t changed[16];

    write_slice(out, slice_text("gossamer-cluster-key 1\n"));
    line_write(out, "cluster ", ring->cluster_id, sizeof ring->cluster_id);
    bytes_store_u64(changed, ring->stamp);
    bytes_store_u64(changed + 8, ring->by);
    if (ring->stamp)
        line_write(out, "changed ", changed, sizeof changed);
    for (unsigned i = 0; i < ring->count; i++)
        line_write(out, "key ", ring->keys[i].key, SEAL_KEY_SIZE);
    return out->is_full ? STATUS_FULL : STATUS_OK;
}
