/* pool.c: equal objects in one block, the free ones named by a stack of indices. The most recently
 * given one is taken first, as it is the likeliest to be in the cache. */
#include "pool.h"
#include "ensure.h"
#include <stdlib.h>
#include <string.h>

#define POOL_ALIGNMENT 16 /* bytes; what malloc promises on every 64-bit system */

enum status pool_init(struct pool *pool, size_t item_size, uint32_t capacity)
{
    ensure(item_size > 0);
    ensure(item_size <= SIZE_MAX - POOL_ALIGNMENT);
    *pool = (struct pool){.capacity = capacity};
    pool->item_size = (item_size + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT;
    pool->memory = calloc(capacity ? capacity : 1, pool->item_size);
    pool->free = calloc(capacity ? capacity : 1, sizeof *pool->free);
    if (!pool->memory || !pool->free) {
        pool_close(pool);
        return STATUS_MEMORY;
    }
    while (pool->free_count < capacity) {
        pool->free[pool->free_count] = capacity - 1 - pool->free_count;
        pool->free_count++;
    }
    return STATUS_OK;
}

void pool_close(struct pool *pool)
{
    free(pool->memory);
    free(pool->free);
    *pool = (struct pool){0};
}

void *pool_take(struct pool *pool)
{
    void *item;

    if (pool->free_count == 0)
        return NULL;
    item = pool_at(pool, pool->free[--pool->free_count]);
    return memset(item, 0, pool->item_size);
}

void pool_give(struct pool *pool, void *item)
{
    uint32_t index = pool_index(pool, item);

    ensure(pool->free_count < pool->capacity);
    pool->free[pool->free_count++] = index;
}

uint32_t pool_used(const struct pool *pool)
{
    return pool->capacity - pool->free_count;
}

uint32_t pool_index(const struct pool *pool, const void *item)
{
    size_t offset = (size_t)((const uint8_t *)item - pool->memory);

    ensure(offset % pool->item_size == 0);
    ensure(offset / pool->item_size < pool->capacity);
    return (uint32_t)(offset / pool->item_size);
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    ensure(index < pool->capacity);
    return pool->memory + index * pool->item_size;
}
