/* node_replace.c: what `restore --replace` makes of a row. Merging alone cannot bring back what the
 * cluster knows to be overwritten: its dots are discarded for ever. So the values of the archive
 * come in under new dots, and what is there when the row is restored is discarded:
 *
 *   present  actor 7: x      archive  actor 7: a, actor 9: b
 *   becomes  actor 7: seen   7': a    9': b            7' = hash(number of the restore, 7)
 *
 * Stamps stay, so the order of siblings does; each actor keeps an entry of its own, so counters
 * keep their sum; and the same restore repeated makes the same dots, so it changes nothing. */
#include "node_impl.h"
#include "node_parts.h"

static uint64_t replace_actor(uint64_t number, uint64_t actor)
{
    uint8_t key[HASH_SEED_SIZE] = {0}, bytes[8];
    uint64_t made;

    bytes_store_u64(key, number);
    bytes_store_u64(bytes, actor);
    made = hash_sip64(key, bytes, sizeof(bytes));
    return made == 0 ? 1 : made;
}

/* Makes an object of one entry: an actor that was seen up to `stamp`, without values. */
static struct crdt_entry *replace_entry(struct crdt_object *one, uint64_t actor, uint64_t stamp)
{
    crdt_object_clear(one);
    one->entry_count = 1;
    one->entries[0] = (struct crdt_entry){.actor = actor, .seen = stamp};
    return &one->entries[0];
}

/* Makes an object of one entry: what the archive holds of an actor, under the actor made of it.
 * False: nothing of it is to be restored. */
static bool replace_values(struct crdt_object *one, const struct crdt_object *archive,
                           const struct crdt_entry *from, uint64_t actor)
{
    struct crdt_entry *entry = replace_entry(one, actor, 0);
    bool is_live = crdt_object_live_count(archive) > 0;

    for (uint16_t i = 0; i < from->value_count; i++) {
        const struct crdt_value *value = &archive->values[from->value_first + i];

        if (is_live && value->kind == CRDT_TOMBSTONE)
            continue; /* it discarded something there, not here */
        one->values[one->value_count] = *value;
        one->values[one->value_count++].actor = actor;
        entry->seen = value->stamp;
    }
    entry->value_count = one->value_count;
    return entry->value_count > 0;
}

/* The largest stamp an entry knows of its actor. */
static uint64_t replace_last(const struct crdt_object *object, const struct crdt_entry *entry)
{
    return entry->gone_count > 0 ? object->gone[entry->gone_first + entry->gone_count - 1]
                                 : entry->seen;
}

/* Tells whether an actor is one that this restore makes of the archive's. */
static bool replace_is_ours(const struct crdt_object *archive, uint64_t number, uint64_t actor)
{
    for (uint16_t i = 0; i < archive->entry_count; i++)
        if (replace_actor(number, archive->entries[i].actor) == actor)
            return true;
    return false;
}

/* Turns `present` (object_a) into the state with the values of `archive` (object_b) only. OK, or as
 * crdt_object_merge. Uses object_c. */
enum status node_replace(struct node *node, uint64_t number)
{
    struct crdt_object *present = &node->object_a, *archive = &node->object_b;
    struct crdt_object *one = &node->object_c;
    uint64_t actors[OBJECT_ENTRIES_MAX], stamps[OBJECT_ENTRIES_MAX];
    uint16_t count = present->entry_count;
    enum status status = STATUS_OK;

    for (uint16_t i = 0; i < count; i++) {
        actors[i] = present->entries[i].actor;
        stamps[i] = replace_last(present, &present->entries[i]);
    }
    for (uint16_t i = 0; i < count && status == STATUS_OK; i++) {
        if (replace_is_ours(archive, number, actors[i]))
            continue; /* an earlier try of this restore */
        (void)replace_entry(one, actors[i], stamps[i]);
        status = crdt_object_merge(present, one);
    }
    for (uint16_t i = 0; i < archive->entry_count && status == STATUS_OK; i++) {
        const struct crdt_entry *from = &archive->entries[i];

        if (replace_values(one, archive, from, replace_actor(number, from->actor)))
            status = crdt_object_merge(present, one);
    }
    return status;
}
