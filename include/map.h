/* map.h: a keyed table from byte keys to pointers, over uthash with SipHash and insertion order.
 * For small tables: links, operations, settings. Iteration is by insertion, never by address. */
#ifndef GOSSAMER_MAP_H
#define GOSSAMER_MAP_H

#include "status.h"
#include "types.h"

struct map_entry; /* private */
struct map {
    struct map_entry *entries; /* owned */
    uint32_t count, capacity;
    uint8_t seed[HASH_SEED_SIZE];
};

/* map_init makes an empty map of at most `capacity` entries whose hash is keyed with `seed`. */
void map_init(struct map *map, uint32_t capacity, const uint8_t seed[HASH_SEED_SIZE]);
/* map_close frees the entries; the values stay the caller's. */
void map_close(struct map *map);
/* map_put copies the key and stores `value` (not NULL), replacing an old value. OK, FULL at the
 * capacity, MEMORY. */
enum status map_put(struct map *map, struct slice key, void *value) MUST_USE;
/* map_get returns the value of `key`, or NULL. */
void *map_get(const struct map *map, struct slice key);
/* map_remove forgets `key` and returns its value, or NULL. */
void *map_remove(struct map *map, struct slice key);
/* map_next walks in insertion order: pass NULL first; returns NULL at the end. `value` and `key`
 * (may be NULL) receive the entry. The entry returned last may be removed before the next call
 * only through map_remove of another key. */
const struct map_entry *map_next(const struct map *map, const struct map_entry *at,
                                 struct slice *key, void **value);

#endif
