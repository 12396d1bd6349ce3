/* node_effects.c: the driver's list of effects and the arena behind it. Chunks double in size, so
 * one turn of the loop costs a handful of allocations at most, and none once warm. */
#include <stdlib.h>
#include <string.h>

#include "effect.h"
#include "ensure.h"

struct effects_chunk {
    struct effects_chunk *next; /* older and full */
    size_t size, used;          /* bytes of data */
    _Alignas(16) uint8_t data[];
};

#define CHUNK_SIZE_MIN (64u << 10) /* bytes: a turn of small requests fits one chunk */
#define CHUNK_KEEP_MAX (1u << 20)  /* bytes: larger chunks go back to the system at reset */

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
}

void effects_close(struct effects *effects)
{
    effects_reset(effects);
    free(effects->chunks);
    free(effects->items);
    free(effects->pins);
    free(effects->blobs);
    *effects = (struct effects){0};
}

void effects_reset(struct effects *effects)
{
    for (uint32_t i = 0; i < effects->pin_count; i++)
        effects->pins[i].store->release(effects->pins[i].store->context, &effects->pins[i].pin);
    for (uint32_t i = 0; i < effects->blob_count; i++)
        blob_drop(&effects->blobs[i]);
    effects->pin_count = effects->blob_count = effects->count = 0;

    struct effects_chunk *chunk = effects->chunks;

    while (chunk && (chunk->next || chunk->size > CHUNK_KEEP_MAX)) {
        struct effects_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
    if (chunk)
        chunk->used = 0;
    effects->chunks = chunk;
}

/* Makes room for one more element of a growing array. */
static void *effects_grow(void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 64;
    items = realloc(items, *capacity * size);
    ensure(items != NULL);
    return items;
}

struct effect *effects_push(struct effects *effects, enum effect_kind kind)
{
    effects->items =
        effects_grow(effects->items, effects->count, &effects->capacity, sizeof(struct effect));

    struct effect *effect = &effects->items[effects->count++];

    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    return effect;
}

void *effects_alloc(struct effects *effects, size_t size)
{
    size = (size + 15u) & ~(size_t)15u;

    struct effects_chunk *chunk = effects->chunks;

    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = chunk ? chunk->size * 2 : CHUNK_SIZE_MIN;

        if (room < size)
            room = size;
        if (room > CHUNK_KEEP_MAX && size <= CHUNK_KEEP_MAX)
            room = CHUNK_KEEP_MAX;
        chunk = malloc(sizeof(*chunk) + room);
        ensure(chunk != NULL);
        chunk->next = effects->chunks;
        chunk->size = room;
        chunk->used = 0;
        effects->chunks = chunk;
    }

    uint8_t *data = chunk->data + chunk->used;

    chunk->used += size;
    memset(data, 0, size);
    return data;
}

struct slice effects_copy(struct effects *effects, struct slice bytes)
{
    if (bytes.size == 0)
        return SLICE_NONE;

    uint8_t *data = effects_alloc(effects, bytes.size);

    memcpy(data, bytes.data, bytes.size);
    return (struct slice){data, bytes.size};
}

void effects_hold_pin(struct effects *effects, const struct store *store, struct store_pin pin)
{
    effects->pins = effects_grow(effects->pins, effects->pin_count, &effects->pin_capacity,
                                 sizeof(struct effects_pin));
    effects->pins[effects->pin_count++] = (struct effects_pin){pin, store};
}

void effects_hold_blob(struct effects *effects, struct blob *blob)
{
    effects->blobs = effects_grow(effects->blobs, effects->blob_count, &effects->blob_capacity,
                                  sizeof(struct blob *));
    effects->blobs[effects->blob_count++] = blob;
}
