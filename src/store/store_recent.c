/* store_recent.c: the records committed last, kept in memory in front of the engine. A key that is
 * written again, or read right after, is found here without asking the engine. Direct-mapped: a
 * newer record simply takes the place of an older one, so there is nothing to age or to scan. */
#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "store.h"

struct store_recent {
    uint8_t seed[HASH_SEED_SIZE];
    uint32_t mask; /* slots - 1 */
    struct {
        struct blob *key, *record; /* both or none */
    } slots[];
};

#define RECENT_RECORD_MAX 1024 /* bytes: larger values would make the bound meaningless */

struct store_recent *store_recent_new(uint32_t slots, const uint8_t seed[HASH_SEED_SIZE])
{
    struct store_recent *recent;

    ensure(slots > 0 && (slots & (slots - 1)) == 0);
    recent = calloc(1, sizeof(*recent) + slots * sizeof(recent->slots[0]));
    if (!recent)
        return NULL;
    recent->mask = slots - 1;
    for (unsigned i = 0; i < HASH_SEED_SIZE; i++)
        recent->seed[i] = seed[i];
    return recent;
}

static uint32_t recent_slot(const struct store_recent *recent, struct slice row_key)
{
    if (recent->mask == 0)
        return 0; /* one slot: next to nothing is kept, nothing need be hashed */
    return (uint32_t)hash_sip64(recent->seed, row_key.data, row_key.size) & recent->mask;
}

static void recent_drop(struct store_recent *recent, uint32_t slot)
{
    blob_drop(&recent->slots[slot].key);
    blob_drop(&recent->slots[slot].record);
}

void store_recent_clear(struct store_recent *recent)
{
    for (uint32_t i = 0; i <= recent->mask; i++)
        recent_drop(recent, i);
}

void store_recent_delete(struct store_recent *recent)
{
    if (!recent)
        return;
    store_recent_clear(recent);
    free(recent);
}

void store_recent_put(struct store_recent *recent, struct blob *row_key, struct blob *record)
{
    uint32_t slot = recent_slot(recent, blob_slice(row_key));

    recent_drop(recent, slot);
    if (record->size > RECENT_RECORD_MAX || record->size == 0)
        return; /* and what was there before is old now */
    recent->slots[slot].key = blob_take(row_key);
    recent->slots[slot].record = blob_take(record);
}

struct blob *store_recent_get(const struct store_recent *recent, struct slice row_key)
{
    uint32_t slot = recent_slot(recent, row_key);

    if (!recent->slots[slot].key || !slice_equal(blob_slice(recent->slots[slot].key), row_key))
        return NULL;
    return recent->slots[slot].record;
}
