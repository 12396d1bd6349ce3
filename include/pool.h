/* pool.h: a fixed number of equal objects, allocated once. A full pool is an answer, not growth. */
#ifndef GOSSAMER_POOL_H
#define GOSSAMER_POOL_H

#include "status.h"
#include "types.h"

struct pool {
    uint8_t *memory;   /* owned */
    uint32_t *free;    /* stack of free indices, owned */
    size_t item_size;  /* bytes, rounded up to 16 */
    uint32_t capacity; /* items */
    uint32_t free_count;
};

/* pool_init allocates room for `capacity` items of `item_size` bytes. OK, or MEMORY. */
enum status pool_init(struct pool *pool, size_t item_size, uint32_t capacity) MUST_USE;
/* pool_close frees everything; pointers from pool_take end. */
void pool_close(struct pool *pool);
/* pool_take returns a zeroed item, or NULL when all are taken. */
void *pool_take(struct pool *pool);
/* pool_give returns an item taken from this pool. */
void pool_give(struct pool *pool, void *item);
/* pool_used counts the taken items. */
uint32_t pool_used(const struct pool *pool);
/* pool_index and pool_at convert between an item and its stable number in [0, capacity).
 * pool_at of a free slot gives its memory all the same. */
uint32_t pool_index(const struct pool *pool, const void *item);
void *pool_at(const struct pool *pool, uint32_t index);

#endif
