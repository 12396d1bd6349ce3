/* store_pending.c: rows between "queued" and "committed". Two writes of one key in one turn would
 * lose each other if the second merged with what the disk holds; so merges look here first.
 * Clients never do: what is queued can still be lost.
 *
 * A chained hash table of a fixed number of buckets. One allocation per entry, because row keys
 * run from ten bytes to a thousand. */
#include "store.h"

#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"

struct store_pending_entry {
    struct store_pending_entry *next; /* in the bucket */
    struct blob *record;              /* owned reference */
    uint64_t write;                   /* the ticket that carries `record` */
    size_t key_size;                  /* bytes */
    uint8_t key[];
};

struct store_pending {
    struct store_pending_entry **buckets; /* owned, mask + 1 of them */
    uint32_t mask;                        /* a power of two, minus one */
    uint32_t count, capacity;             /* entries */
    uint8_t seed[HASH_SEED_SIZE];         /* keys come from clients: the hash is keyed */
};

static uint32_t store_pending_mask(uint32_t capacity)
{
    uint32_t size = 16;

    while (size < capacity && size < (1u << 30))
        size *= 2;
    return size - 1;
}

struct store_pending *store_pending_new(uint32_t capacity, const uint8_t seed[HASH_SEED_SIZE])
{
    struct store_pending *pending = calloc(1, sizeof *pending);

    if (pending == NULL)
        return NULL;
    pending->capacity = capacity;
    pending->mask = store_pending_mask(capacity);
    memcpy(pending->seed, seed, HASH_SEED_SIZE);
    pending->buckets = calloc((size_t)pending->mask + 1, sizeof(struct store_pending_entry *));
    if (pending->buckets == NULL) {
        free(pending);
        return NULL;
    }
    return pending;
}

static void store_pending_free(struct store_pending_entry *entry)
{
    blob_drop(&entry->record);
    free(entry);
}

void store_pending_delete(struct store_pending *pending)
{
    if (pending == NULL)
        return;
    for (uint32_t i = 0; i <= pending->mask; i++) {
        struct store_pending_entry *entry = pending->buckets[i];

        while (entry != NULL) {
            struct store_pending_entry *next = entry->next;

            store_pending_free(entry);
            entry = next;
        }
    }
    free(pending->buckets);
    free(pending);
}

/* Returns the link that points at the entry of `row_key`, or the NULL link at the bucket's end. */
static struct store_pending_entry **store_pending_find(const struct store_pending *pending,
                                                       struct slice row_key)
{
    uint64_t hash = hash_sip64(pending->seed, row_key.data, row_key.size);
    struct store_pending_entry **link = &pending->buckets[(uint32_t)hash & pending->mask];

    while (*link != NULL && !slice_equal(slice_of((*link)->key, (*link)->key_size), row_key))
        link = &(*link)->next;
    return link;
}

enum status store_pending_put(struct store_pending *pending, struct slice row_key,
                              struct blob *record, uint64_t write)
{
    struct store_pending_entry **link = store_pending_find(pending, row_key);
    struct store_pending_entry *entry = *link;

    ensure(record != NULL);
    if (entry == NULL) {
        if (pending->count == pending->capacity)
            return STATUS_FULL;
        entry = calloc(1, sizeof *entry + row_key.size);
        if (entry == NULL)
            return STATUS_MEMORY;
        entry->key_size = row_key.size;
        if (row_key.size > 0)
            memcpy(entry->key, row_key.data, row_key.size);
        *link = entry;
        pending->count++;
    }
    blob_take(record); /* first: it may be the one already here */
    blob_drop(&entry->record);
    entry->record = record;
    entry->write = write;
    return STATUS_OK;
}

struct blob *store_pending_get(const struct store_pending *pending, struct slice row_key)
{
    struct store_pending_entry *entry = *store_pending_find(pending, row_key);

    return entry == NULL ? NULL : entry->record;
}

void store_pending_end(struct store_pending *pending, struct slice row_key, uint64_t write)
{
    struct store_pending_entry **link = store_pending_find(pending, row_key);
    struct store_pending_entry *entry = *link;

    if (entry == NULL || entry->write != write)
        return;
    *link = entry->next;
    store_pending_free(entry);
    ensure(pending->count > 0);
    pending->count--;
}

uint32_t store_pending_count(const struct store_pending *pending)
{
    return pending->count;
}
