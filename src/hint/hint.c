/* Books of what owners lack. A row is looked up by owner and key in a hash table that doubles, so
 * the same key missed a thousand times is one hint; the hints of an owner stand in a list in the
 * order they were made, so age is the front of it.
 *
 * Dynamo (DeCandia et al. 2007, section 4.6) and Cassandra keep the value itself until it can be
 * handed on. Here the coordinator is an owner and holds the row anyway: the reference is enough,
 * ten overwrites are one delivery, and what is delivered cannot be older than what is known. What
 * does not fit is not kept: comparing (sync.h) finds it, only later. */
#include "hint.h"

#include <stdlib.h>
#include <string.h>
#include "ensure.h"
#include "hash.h"

#define BUCKETS_MIN 64u

struct hints {
    struct hint_config config;
    struct list owners;    /* in the order they came */
    struct list saving;    /* hints without a row */
    struct hint **buckets; /* owned, of a power of two */
    uint32_t bucket_count;
    uint32_t count, owner_count;
    uint64_t bytes;      /* of all hints */
    uint32_t *open;      /* owned: per partition */
    uint32_t partitions; /* of them that are not zero */
};

struct hints *hints_new(const struct hint_config *config)
{
    struct hints *hints = calloc(1, sizeof(*hints));

    if (hints == NULL)
        return NULL;
    hints->config = *config;
    list_init(&hints->owners);
    list_init(&hints->saving);
    hints->bucket_count = BUCKETS_MIN;
    hints->buckets = calloc(BUCKETS_MIN, sizeof(struct hint *));
    hints->open = calloc(config->partitions, sizeof(*hints->open));
    if (hints->buckets == NULL || hints->open == NULL) {
        hints_delete(hints);
        return NULL;
    }
    return hints;
}

static void hint_owner_free(struct hints *hints, struct hint_owner *owner)
{
    list_remove(&owner->in_owners);
    hints->owner_count--;
    free(owner);
}

void hints_delete(struct hints *hints)
{
    if (hints == NULL)
        return;
    for (uint32_t i = 0; hints->buckets != NULL && i < hints->bucket_count; i++)
        while (hints->buckets[i] != NULL) {
            struct hint *next = hints->buckets[i]->next;

            free(hints->buckets[i]);
            hints->buckets[i] = next;
        }
    list_for_each_safe (&hints->owners, link)
        hint_owner_free(hints, list_entry(link, struct hint_owner, in_owners));
    free(hints->buckets);
    free(hints->open);
    free(hints);
}

/* --- the table */

static struct hint **hint_bucket(const struct hints *hints, uint64_t owner, struct slice row_key)
{
    uint64_t hash = hash_sip64(hints->config.seed, row_key.data, row_key.size);

    hash = (hash ^ owner) * 0x9E3779B97F4A7C15u; /* ids are hashes: no secret is needed for them */
    return &hints->buckets[(hash >> 32) & (hints->bucket_count - 1)];
}

static bool hint_is_of(const struct hint *hint, uint64_t owner, struct slice row_key)
{
    return hint->owner->id8 == owner && hint->key_size == row_key.size &&
           memcmp(hint->key, row_key.data, row_key.size) == 0;
}

struct hint *hint_find(const struct hints *hints, uint64_t owner, struct slice row_key)
{
    struct hint *hint = *hint_bucket(hints, owner, row_key);

    while (hint != NULL && !hint_is_of(hint, owner, row_key))
        hint = hint->next;
    return hint;
}

/* Twice as many buckets; without memory for them chains grow longer. */
static void hints_grow(struct hints *hints)
{
    uint32_t old_count = hints->bucket_count;
    struct hint **old = hints->buckets;
    struct hint **more = calloc(2 * (size_t)old_count, sizeof(struct hint *));

    if (more == NULL)
        return;
    hints->buckets = more;
    hints->bucket_count = 2 * old_count;
    for (uint32_t i = 0; i < old_count; i++)
        while (old[i] != NULL) {
            struct hint *hint = old[i];
            struct hint **bucket = hint_bucket(hints, hint->owner->id8, hint_key(hint));

            old[i] = hint->next;
            hint->next = *bucket;
            *bucket = hint;
        }
    free(old);
}

/* --- owners */

struct hint_owner *hint_owner_find(const struct hints *hints, uint64_t id8)
{
    list_for_each (&hints->owners, link) {
        struct hint_owner *owner = list_entry(link, struct hint_owner, in_owners);

        if (owner->id8 == id8)
            return owner;
    }
    return NULL;
}

struct hint_owner *hint_owner_next(const struct hints *hints, const struct hint_owner *at)
{
    struct list *next = at != NULL ? at->in_owners.next : hints->owners.next;

    return next == &hints->owners ? NULL : list_entry(next, struct hint_owner, in_owners);
}

static struct hint_owner *hint_owner_make(struct hints *hints, uint64_t id8)
{
    struct hint_owner *owner = hint_owner_find(hints, id8);

    if (owner != NULL || hints->owner_count == HINT_OWNERS_MAX)
        return owner;
    owner = calloc(1, sizeof(*owner));
    if (owner == NULL)
        return NULL;
    owner->id8 = id8;
    list_init(&owner->waiting);
    list_init(&owner->sending);
    list_init(&owner->in_owners);
    list_push_back(&hints->owners, &owner->in_owners);
    hints->owner_count++;
    return owner;
}

void hints_tidy(struct hints *hints)
{
    list_for_each_safe (&hints->owners, link) {
        struct hint_owner *owner = list_entry(link, struct hint_owner, in_owners);

        if (owner->count == 0 && owner->dropped == 0)
            hint_owner_free(hints, owner);
    }
}

/* --- coming */

static enum hint_fate hint_make(struct hints *hints, instant now, struct hint_owner *owner,
                                const struct hint_row *row)
{
    size_t size = sizeof(struct hint) + row->key.size;
    /* What has a row already was within the bound when it was made. */
    bool is_room = (owner->count < hints->config.count_max || row->is_saved) &&
                   hints->bytes + size <= HINT_BYTES_MAX;
    struct hint *hint = is_room ? calloc(1, size) : NULL;
    struct hint **bucket;

    if (hint == NULL) {
        owner->dropped = now;
        return HINT_REFUSED;
    }
    if (hints->count >= hints->bucket_count)
        hints_grow(hints);
    hint->owner = owner;
    hint->made_ms = row->made_ms;
    hint->touched = now;
    hint->partition = row->partition;
    hint->is_saved = row->is_saved;
    hint->key_size = (uint16_t)row->key.size;
    memcpy(hint->key, row->key.data, row->key.size);
    list_init(&hint->in_owner);
    list_init(&hint->in_saving);
    list_push_back(&owner->waiting, &hint->in_owner);
    if (!hint->is_saved)
        list_push_back(&hints->saving, &hint->in_saving);
    bucket = hint_bucket(hints, owner->id8, row->key);
    hint->next = *bucket;
    *bucket = hint;
    owner->count++;
    hints->count++;
    hints->bytes += size;
    hints->partitions += hints->open[row->partition]++ == 0;
    return HINT_NEW;
}

enum hint_fate hint_add(struct hints *hints, instant now, const struct hint_row *row)
{
    struct hint *hint = hint_find(hints, row->owner, row->key);
    struct hint_owner *owner;

    ensure(row->partition < hints->config.partitions && row->key.size <= UINT16_MAX);
    if (hint != NULL && row->is_saved) { /* made again before its row was read */
        hint->is_saved = true;
        list_remove(&hint->in_saving);
        return HINT_KNOWN;
    }
    if (hint != NULL) {
        hint->touched = now;
        hint->is_again = hint->is_sending;
        return HINT_KNOWN;
    }
    owner = hint_owner_make(hints, row->owner);
    return owner == NULL ? HINT_REFUSED : hint_make(hints, now, owner, row);
}

/* --- going */

struct hint *hint_first(const struct hint_owner *owner)
{
    return list_is_empty(&owner->waiting) ? NULL
                                          : list_entry(owner->waiting.next, struct hint, in_owner);
}

bool hint_is_settled(const struct hint *hint)
{
    return hint->touched < hint->owner->agreed;
}

bool hint_is_old(const struct hints *hints, const struct hint *hint, uint64_t wall_ms)
{
    return wall_ms > hint->made_ms && wall_ms - hint->made_ms > hints->config.age_max_ms;
}

void hint_send(struct hint *hint)
{
    ensure(!hint->is_sending);
    hint->is_sending = true;
    list_remove(&hint->in_owner);
    list_push_back(&hint->owner->sending, &hint->in_owner);
    hint->owner->sending_count++;
}

static void hint_end_sending(struct hint *hint)
{
    hint->owner->sending_count -= hint->is_sending;
    hint->is_sending = hint->is_again = false;
    list_remove(&hint->in_owner);
}

bool hint_sent(struct hints *hints, struct hint *hint, bool is_held)
{
    bool is_gone = is_held && !hint->is_again;

    if (is_gone) {
        hint_drop(hints, 0, hint, false);
        return true;
    }
    hint_end_sending(hint);
    list_push_back(&hint->owner->waiting, &hint->in_owner);
    return false;
}

void hint_drop(struct hints *hints, instant now, struct hint *hint, bool is_lost)
{
    struct hint_owner *owner = hint->owner;
    struct hint **at = hint_bucket(hints, owner->id8, hint_key(hint));

    while (*at != hint)
        at = &(*at)->next;
    *at = hint->next;
    hint_end_sending(hint);
    list_remove(&hint->in_saving);
    if (is_lost)
        owner->dropped = now;
    owner->count--;
    hints->count--;
    hints->bytes -= sizeof(*hint) + hint->key_size;
    hints->partitions -= --hints->open[hint->partition] == 0;
    free(hint);
}

void hint_agreed(struct hints *hints, uint64_t id8, instant since)
{
    struct hint_owner *owner = hint_owner_find(hints, id8);

    if (owner == NULL)
        return;
    owner->agreed = since;
    if (owner->dropped < since)
        owner->dropped = 0;
}

/* --- rows of their own */

struct hint *hint_unsaved(struct hints *hints)
{
    struct list *link = list_pop_front(&hints->saving);
    struct hint *hint = link != NULL ? list_entry(link, struct hint, in_saving) : NULL;

    if (hint != NULL)
        hint->is_saved = true;
    return hint;
}

void hints_unsave(struct hints *hints)
{
    for (uint32_t i = 0; i < hints->bucket_count; i++)
        for (struct hint *hint = hints->buckets[i]; hint != NULL; hint = hint->next)
            if (hint->is_saved) {
                hint->is_saved = false;
                list_push_back(&hints->saving, &hint->in_saving);
            }
}

/* --- how many */

uint32_t hints_open(const struct hints *hints, uint32_t partition)
{
    return hints->open[partition];
}

uint32_t hints_count(const struct hints *hints)
{
    return hints->count;
}

uint32_t hints_partitions(const struct hints *hints)
{
    return hints->partitions;
}

/* A hint that went back behind the others may be older than the first: of those there are few, and
 * they are given again soon. */
uint64_t hint_owner_oldest_ms(const struct hint_owner *owner)
{
    const struct list *lists[] = {&owner->waiting, &owner->sending};
    uint64_t oldest = 0;

    for (unsigned i = 0; i < 2; i++)
        if (!list_is_empty(lists[i])) {
            const struct hint *hint = list_entry(lists[i]->next, struct hint, in_owner);

            oldest = oldest == 0 || hint->made_ms < oldest ? hint->made_ms : oldest;
        }
    return oldest;
}

uint64_t hints_oldest_ms(const struct hints *hints)
{
    uint64_t oldest = 0;

    list_for_each (&hints->owners, link) {
        uint64_t made = hint_owner_oldest_ms(list_entry(link, struct hint_owner, in_owners));

        oldest = oldest == 0 || (made != 0 && made < oldest) ? made : oldest;
    }
    return oldest;
}

bool hints_are_lost(const struct hints *hints)
{
    list_for_each (&hints->owners, link)
        if (list_entry(link, struct hint_owner, in_owners)->dropped != 0)
            return true;
    return false;
}
