/* map.c: uthash with our own hash. The stock hashes are public functions of the key, so whoever
 * chooses keys could send all of them to one bucket; SipHash with the node's seed cannot be aimed
 * at. uthash keeps the entries in a list by insertion, which makes iteration reproducible. */
#include "map.h"
#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include <stdlib.h>
#include <string.h>

/* A failed allocation unlinks the entry and tells so, instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->is_lost = true)
#include <uthash.h>

struct map_entry {
    UT_hash_handle hh;
    void *value;   /* the caller's, never NULL */
    bool is_lost;  /* no memory was left while it was linked */
    size_t size;   /* bytes of the key */
    uint8_t key[]; /* our copy */
};

void map_init(struct map *map, uint32_t capacity, const uint8_t seed[HASH_SEED_SIZE])
{
    *map = (struct map){.capacity = capacity};
    memcpy(map->seed, seed, HASH_SEED_SIZE);
}

static void map_delete(struct map *map, struct map_entry *entry)
{
    HASH_DEL(map->entries, entry);
    free(entry);
    map->count--;
}

void map_close(struct map *map)
{
    while (map->entries)
        map_delete(map, map->entries);
    ensure(map->count == 0);
}

static unsigned map_hash(const struct map *map, struct slice key)
{
    return (unsigned)hash_sip64(map->seed, key.data, key.size);
}

static struct map_entry *map_find(const struct map *map, struct slice key)
{
    struct map_entry *entry = NULL;

    if (!key.data) /* memcmp of uthash takes no null pointer, not even for 0 bytes */
        key = slice_text("");
    HASH_FIND_BYHASHVALUE(hh, map->entries, key.data, key.size, map_hash(map, key), entry);
    return entry;
}

static struct map_entry *map_entry_new(struct slice key, void *value)
{
    struct map_entry *entry = calloc(1, sizeof *entry + key.size);

    if (!entry)
        return NULL;
    entry->value = value;
    entry->size = key.size;
    if (key.size)
        memcpy(entry->key, key.data, key.size);
    return entry;
}

enum status map_put(struct map *map, struct slice key, void *value)
{
    struct map_entry *entry = map_find(map, key);

    ensure(value);
    ensure(key.size <= UINT32_MAX); /* uthash counts the bytes of a key as unsigned */
    if (entry) {
        entry->value = value;
        return STATUS_OK;
    }
    if (map->count >= map->capacity)
        return STATUS_FULL;
    entry = map_entry_new(key, value);
    if (!entry)
        return STATUS_MEMORY;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->entries, entry->key, entry->size, map_hash(map, key),
                                entry);
    if (entry->is_lost) {
        free(entry);
        return STATUS_MEMORY;
    }
    map->count++;
    return STATUS_OK;
}

void *map_get(const struct map *map, struct slice key)
{
    struct map_entry *entry = map_find(map, key);

    return entry ? entry->value : NULL;
}

void *map_remove(struct map *map, struct slice key)
{
    struct map_entry *entry = map_find(map, key);
    void *value = entry ? entry->value : NULL;

    if (entry)
        map_delete(map, entry);
    return value;
}

const struct map_entry *map_next(const struct map *map, const struct map_entry *at,
                                 struct slice *key, void **value)
{
    const struct map_entry *entry = at ? at->hh.next : map->entries;

    if (!entry)
        return NULL;
    if (key)
        *key = (struct slice){entry->key, entry->size};
    if (value)
        *value = entry->value;
    return entry;
}
