/* What a register shows of its object: the winner, the siblings, tags, and the two hashes that
 * stand for it between peers. The winner only decides what a plain GET shows; it discards nothing
 * (protocols.md 5.1). */
#include "crdt_room.h"
#include "ensure.h"
#include "hash.h"

/* Both hashes below are about dots, which clients do not choose; constant keys only keep them
 * apart from other uses. */
static const uint8_t register_etag_key[HASH_SEED_SIZE] = "gossamer etag";
static const uint8_t register_digest_key[HASH_SEED_SIZE] = "gossamer digest";

bool crdt_values_equal(const struct crdt_value *a, const struct crdt_value *b)
{
    return a->kind == b->kind && a->body_size == b->body_size && slice_equal(a->meta, b->meta) &&
           slice_equal(a->body, b->body);
}

/* The total order of what is shown: values before tombstones, newer before older, ties by actor. */
static bool register_is_before(const struct crdt_value *a, const struct crdt_value *b)
{
    bool is_live = a->kind != CRDT_TOMBSTONE;

    if (is_live != (b->kind != CRDT_TOMBSTONE))
        return is_live;
    if (a->stamp != b->stamp)
        return a->stamp > b->stamp;
    return a->actor > b->actor;
}

bool crdt_object_winner(const struct crdt_object *object, uint16_t *index)
{
    if (object->value_count == 0)
        return false;
    *index = 0;
    for (uint16_t i = 1; i < object->value_count; i++)
        if (register_is_before(&object->values[i], &object->values[*index]))
            *index = i;
    return true;
}

static bool register_is_shown(const struct crdt_object *object, const struct crdt_value *value,
                              const uint16_t *order, uint16_t count)
{
    if (object->is_head && value->kind != CRDT_TOMBSTONE)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (crdt_values_equal(&object->values[order[i]], value))
            return true;
    return false;
}

uint16_t crdt_object_siblings(const struct crdt_object *object, uint16_t order[OBJECT_VALUES_MAX])
{
    CRDT_SCRATCH uint16_t sorted[OBJECT_VALUES_MAX];
    uint16_t count = 0;

    for (uint16_t i = 0; i < object->value_count; i++) {
        uint16_t at = i;

        for (; at > 0 && register_is_before(&object->values[i], &object->values[sorted[at - 1]]);
             at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = i;
    }
    for (uint16_t i = 0; i < object->value_count; i++)
        if (!register_is_shown(object, &object->values[sorted[i]], order, count))
            order[count++] = sorted[i];
    return count;
}

uint16_t crdt_object_live_count(const struct crdt_object *object)
{
    CRDT_SCRATCH uint16_t order[OBJECT_VALUES_MAX];
    uint16_t count = crdt_object_siblings(object, order);

    /* Tombstones are last, and all of them are one. */
    if (count > 0 && object->values[order[count - 1]].kind == CRDT_TOMBSTONE)
        count--;
    return count;
}

uint64_t crdt_object_stamp_max(const struct crdt_object *object)
{
    uint64_t max = 0;

    for (unsigned i = 0; i < object->entry_count; i++) {
        uint64_t top = crdt_entry_top(object, &object->entries[i]);

        max = top > max ? top : max;
    }
    return max;
}

bool crdt_object_dominates(const struct crdt_object *object, const struct crdt_object *other)
{
    CRDT_SCRATCH struct crdt_object joined;
    struct hash16 before = crdt_object_digest(object), after;

    crdt_object_copy(&joined, object);
    if (crdt_object_merge(&joined, other) != STATUS_OK)
        return false;
    after = crdt_object_digest(&joined);
    return memcmp(before.bytes, after.bytes, sizeof(before.bytes)) == 0;
}

uint64_t crdt_etag(uint64_t actor, uint64_t stamp)
{
    uint8_t dot[16];
    uint64_t etag;

    bytes_store_u64(dot, actor);
    bytes_store_u64(dot + 8, stamp);
    etag = hash_sip64(register_etag_key, dot, sizeof(dot));
    return etag != 0 ? etag : 1;
}

struct hash16 crdt_object_fingerprint(const uint8_t seed[HASH_SEED_SIZE], struct slice row_key,
                                      const struct crdt_object *object)
{
    CRDT_SCRATCH uint8_t bytes[CRDT_ROW_KEY_MAX + OBJECT_VALUES_MAX * 16];
    struct writer out = writer_over(bytes, sizeof(bytes));

    ensure(row_key.size <= CRDT_ROW_KEY_MAX);
    if (object->value_count == 0)
        return (struct hash16){{0}};
    write_slice(&out, row_key);
    for (unsigned i = 0; i < object->value_count; i++) {
        write_u64(&out, object->values[i].actor);
        write_u64(&out, object->values[i].stamp);
    }
    ensure(!out.is_full);
    return hash_sip128(seed, bytes, out.size);
}

struct hash16 crdt_object_digest(const struct crdt_object *object)
{
    CRDT_SCRATCH uint8_t bytes[OBJECT_ENTRIES_MAX * 26 + (OBJECT_VALUES_MAX + OBJECT_GONE_MAX) * 8];
    struct writer out = writer_over(bytes, sizeof(bytes));

    if (object->entry_count == 0)
        return (struct hash16){{0}};
    for (unsigned i = 0; i < object->entry_count; i++) {
        const struct crdt_entry *entry = &object->entries[i];

        write_u64(&out, entry->actor);
        write_u64(&out, entry->seen);
        write_u8(&out, (uint8_t)entry->value_count);
        write_u16(&out, entry->gone_count);
        for (unsigned k = 0; k < entry->value_count; k++)
            write_u64(&out, object->values[entry->value_first + k].stamp);
        for (unsigned k = 0; k < entry->gone_count; k++)
            write_u64(&out, object->gone[entry->gone_first + k]);
    }
    ensure(!out.is_full);
    return hash_sip128(register_digest_key, bytes, out.size);
}
