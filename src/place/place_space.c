/* place_space.c: settings of namespaces. Placement says who holds a key, this says how it is held;
 * both are lists of last-writer records that every peer of the cell has, gossips and keeps, merged
 * by a total order, so that any order of arrival ends in the same list.
 *
 *        what is built in  <-  record "_default"  <-  record of the namespace
 *        (every setting)        (what it sets)         (what it sets)
 *
 * A namespace needs no record: it comes into being with its first key. A deleted record stays, or a
 * peer that slept would bring the old settings back; that is what NAMESPACES_MAX bounds. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "ensure.h"
#include "hash.h"
#include "place.h"

#define SPACE_DEFAULT "_default"
#define SPACE_FORM_SIZE (1 + NS_SIZE_MAX + 1 + 4 + 8 + 24) /* bytes of the canonical form */

struct place_spaces {
    uint8_t seed[HASH_SEED_SIZE];
    uint32_t count;
    uint64_t digest;                             /* sum of hashes of the records */
    struct space_record records[NAMESPACES_MAX]; /* by name */
};

struct place_spaces *place_spaces_new(const uint8_t seed[HASH_SEED_SIZE])
{
    struct place_spaces *spaces = calloc(1, sizeof(*spaces));

    if (spaces)
        memcpy(spaces->seed, seed, HASH_SEED_SIZE);
    return spaces;
}

void place_spaces_delete(struct place_spaces *spaces)
{
    free(spaces);
}

/* The whole record in one spelling; for comparing and hashing only. */
static struct slice space_form(const struct space_record *record, uint8_t into[SPACE_FORM_SIZE])
{
    struct writer out = writer_over(into, SPACE_FORM_SIZE);

    write_u8(&out, record->name_size);
    write_bytes(&out, record->name, record->name_size);
    write_u8(&out, record->is_deleted);
    write_u8(&out, record->settings.set);
    write_u8(&out, record->settings.replicas);
    write_u8(&out, record->settings.consistency);
    write_u8(&out, record->settings.conflict);
    write_u64(&out, record->settings.ttl_ms);
    write_u64(&out, record->stamp);
    write_u64(&out, record->by);
    if (record->replicas_stamp)
        write_u64(&out, record->replicas_stamp);
    ensure(!out.is_full);
    return writer_done(&out);
}

static uint64_t space_hash(const struct place_spaces *spaces, const struct space_record *record)
{
    uint8_t form[SPACE_FORM_SIZE];
    struct slice bytes = space_form(record, form);

    return hash_sip64(spaces->seed, bytes.data, bytes.size);
}

static bool space_is_newer(const struct space_record *a, const struct space_record *b)
{
    uint8_t form_a[SPACE_FORM_SIZE], form_b[SPACE_FORM_SIZE];

    if (a->stamp != b->stamp)
        return a->stamp > b->stamp;
    if (a->by != b->by)
        return a->by > b->by;
    return slice_compare(space_form(a, form_a), space_form(b, form_b)) > 0;
}

/* Tells whether the replicas of a are set later than those of b. */
static bool space_has_newer_replicas(const struct space_record *a, const struct space_record *b)
{
    if (a->replicas_stamp != b->replicas_stamp)
        return a->replicas_stamp > b->replicas_stamp;
    return a->replicas_stamp > 0 && a->settings.replicas > b->settings.replicas;
}

/* The newer of two records of a name, with the newer replicas. */
static struct space_record space_join(const struct space_record *a, const struct space_record *b)
{
    struct space_record joined = space_is_newer(a, b) ? *a : *b;
    const struct space_record *replicas = space_has_newer_replicas(a, b) ? a : b;

    if (a->replicas_stamp == 0 && b->replicas_stamp == 0)
        return joined;
    joined.settings.set = (uint8_t)((joined.settings.set & ~SPACE_REPLICAS) |
                                    (replicas->settings.set & SPACE_REPLICAS));
    joined.settings.replicas = replicas->settings.replicas;
    joined.replicas_stamp = replicas->replicas_stamp;
    return joined;
}

static struct slice space_name(const struct space_record *record)
{
    return slice_of(record->name, record->name_size);
}

/* The index of a name, or of the first record behind where it would stand. */
static uint32_t space_search(const struct place_spaces *spaces, struct slice name)
{
    uint32_t low = 0, high = spaces->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (slice_compare(space_name(&spaces->records[middle]), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status place_spaces_merge(struct place_spaces *spaces, const struct space_record *record)
{
    uint32_t at = space_search(spaces, space_name(record));
    struct space_record *known = &spaces->records[at], joined = *record;
    uint8_t form[2][SPACE_FORM_SIZE];

    if (at < spaces->count && slice_equal(space_name(known), space_name(record))) {
        joined = space_join(record, known);
        if (slice_equal(space_form(&joined, form[0]), space_form(known, form[1])))
            return STATUS_STALE;
        spaces->digest -= space_hash(spaces, known);
    } else {
        if (spaces->count == NAMESPACES_MAX)
            return STATUS_FULL;
        memmove(known + 1, known, (spaces->count - at) * sizeof(*known));
        spaces->count++;
    }
    *known = joined;
    spaces->digest += space_hash(spaces, known);
    return STATUS_OK;
}

const struct space_record *place_spaces_find(const struct place_spaces *spaces, struct slice name)
{
    uint32_t at = space_search(spaces, name);

    if (at == spaces->count || !slice_equal(space_name(&spaces->records[at]), name))
        return NULL;
    return &spaces->records[at];
}

uint32_t place_spaces_count(const struct place_spaces *spaces)
{
    return spaces->count;
}

const struct space_record *place_spaces_at(const struct place_spaces *spaces, uint32_t index)
{
    ensure(index < spaces->count);
    return &spaces->records[index];
}

uint64_t place_spaces_name_hash(const struct place_spaces *spaces, struct slice name)
{
    return hash_sip64(spaces->seed, name.data, name.size);
}

uint64_t place_spaces_digest(const struct place_spaces *spaces)
{
    return spaces->digest;
}

uint8_t place_spaces_replicas(const struct place_spaces *spaces, struct slice name)
{
    const struct space_record *record = place_spaces_find(spaces, name);

    return record && record->settings.set & SPACE_REPLICAS ? record->settings.replicas : 0;
}

uint8_t place_spaces_classes(const struct place_spaces *spaces, const struct place *place,
                             uint64_t *version)
{
    uint8_t used = 1;

    *version = 0;
    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct space_record *record = &spaces->records[i];
        uint8_t form[1 + 8 + NS_SIZE_MAX];
        struct writer out = writer_over(form, sizeof(form));

        if (record->replicas_stamp == 0)
            continue;
        used |= (uint8_t)(1u << place_class(place, record->settings.replicas));
        write_u8(&out, record->settings.replicas);
        write_u64(&out, record->replicas_stamp);
        write_slice(&out, space_name(record));
        *version += hash_sip64(spaces->seed, form, out.size);
    }
    return used;
}

static void space_apply(const struct place_spaces *spaces, struct slice name,
                        struct space_settings *settings)
{
    const struct space_record *record = place_spaces_find(spaces, name);
    const struct space_settings *own;

    if (!record)
        return;
    own = &record->settings;
    if (own->set & SPACE_REPLICAS)
        settings->replicas = own->replicas;
    if (own->set & SPACE_CONSISTENCY)
        settings->consistency = own->consistency;
    if (own->set & SPACE_CONFLICT)
        settings->conflict = own->conflict;
    if (own->set & SPACE_TTL)
        settings->ttl_ms = own->ttl_ms;
}

void place_spaces_apply(const struct place_spaces *spaces, struct slice name,
                        struct space_settings *settings)
{
    if (spaces->count == 0)
        return;
    space_apply(spaces, slice_text(SPACE_DEFAULT), settings);
    space_apply(spaces, name, settings);
}
