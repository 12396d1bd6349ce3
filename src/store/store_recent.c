/* store_recent.c: the records committed last, kept in memory in front of the engine. A key that is
 * written again, or read right after, is found here without asking the engine. A key has a set of
 * two slots, the newer record first, and a newcomer takes the place of the older one: there is
 * nothing to age or to scan, and two keys that are written in turn do not push each other out. */
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

/* The slots a key may be in. */
struct recent_set {
    uint32_t first, last;
};

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

static struct recent_set recent_set_of(const struct store_recent *recent, struct slice row_key)
{
    uint32_t first;

    if (recent->mask == 0)
        return (struct recent_set){0, 0}; /* next to nothing is kept, nothing need be hashed */
    first = (uint32_t)hash_sip64(recent->seed, row_key.data, row_key.size) & recent->mask & ~1u;
    return (struct recent_set){first, first + 1};
}

static bool recent_is_at(const struct store_recent *recent, uint32_t slot, struct slice row_key)
{
    return recent->slots[slot].key && slice_equal(blob_slice(recent->slots[slot].key), row_key);
}

static void recent_drop(struct store_recent *recent, uint32_t slot)
{
    blob_drop(&recent->slots[slot].key);
    blob_drop(&recent->slots[slot].record);
}

void store_recent_drop(struct store_recent *recent, struct slice row_key)
{
    struct recent_set set = recent_set_of(recent, row_key);

    for (uint32_t slot = set.first; slot <= set.last; slot++)
        if (recent_is_at(recent, slot, row_key))
            recent_drop(recent, slot);
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
    struct recent_set set = recent_set_of(recent, blob_slice(row_key));
    uint32_t slot = recent_is_at(recent, set.first, blob_slice(row_key)) ? set.first : set.last;

    if (record->size > RECENT_RECORD_MAX || record->size == 0) {
        if (recent_is_at(recent, slot, blob_slice(row_key)))
            recent_drop(recent, slot); /* what was there before is old now */
        return;
    }
    recent_drop(recent, slot);
    if (slot != set.first)
        recent->slots[slot] = recent->slots[set.first];
    recent->slots[set.first].key = blob_take(row_key);
    recent->slots[set.first].record = blob_take(record);
}

struct blob *store_recent_get(const struct store_recent *recent, struct slice row_key)
{
    struct recent_set set = recent_set_of(recent, row_key);

    if (recent_is_at(recent, set.first, row_key))
        return recent->slots[set.first].record;
    return recent_is_at(recent, set.last, row_key) ? recent->slots[set.last].record : NULL;
}

void store_recent_forget(struct store_recent *recent, struct slice row_key)
{
    struct recent_set set = recent_set_of(recent, row_key);

    if (recent_is_at(recent, set.first, row_key))
        recent_drop(recent, set.first);
    else if (recent_is_at(recent, set.last, row_key))
        recent_drop(recent, set.last);
}
