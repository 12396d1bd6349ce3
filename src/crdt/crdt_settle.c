/* crdt_settle.c: what of a row is over. An entry without values only remembers that its actor's
 * writes are discarded; the totals of a counter's actor that ended can be another actor's. Both
 * leave the row once every owner has said that it agrees (node_gc_settle.c, decision 0018):
 *
 *   trim   nobody holds a value of the actor       -> the entry goes
 *   fold   everybody holds one value, the same     -> its totals are added to another actor's,
 * under a new dot that discards it; what is left of the entry is trimmed in a later round
 *
 * One copy must not do either alone: a value that came late would live again, and totals that two
 * copies fold count twice. */
#include "crdt_room.h"
#include "ensure.h"

static const struct crdt_value *settle_total(const struct crdt_object *object,
                                             const struct crdt_entry *entry)
{
    const struct crdt_value *value = &object->values[entry->value_first];

    return entry->value_count == 1 && entry->gone_count == 0 && value->kind == CRDT_COUNTER &&
                   value->stamp == entry->seen
               ? value
               : NULL;
}

bool crdt_object_is_wide(const struct crdt_object *object, unsigned owners)
{
    unsigned bare = 0, totals = 0;

    for (unsigned i = 0; i < object->entry_count; i++) {
        bare += object->entries[i].value_count == 0;
        totals += settle_total(object, &object->entries[i]) != NULL;
    }
    return (bare > 0 && object->entry_count > owners) || totals > CRDT_TOTALS_MAX;
}

unsigned crdt_object_marks(const struct crdt_object *object, struct crdt_mark *marks, unsigned max)
{
    unsigned count = 0, totals = 0;

    for (unsigned i = 0; i < object->entry_count; i++)
        totals += settle_total(object, &object->entries[i]) != NULL;
    for (unsigned i = 0; i < object->entry_count && count < max; i++) {
        const struct crdt_entry *entry = &object->entries[i];

        if (entry->value_count == 0)
            marks[count++] = (struct crdt_mark){
                .actor = entry->actor, .stamp = crdt_entry_top(object, entry), .is_fold = false};
        else if (totals > CRDT_TOTALS_MAX && settle_total(object, entry))
            marks[count++] =
                (struct crdt_mark){.actor = entry->actor, .stamp = entry->seen, .is_fold = true};
    }
    return count;
}

bool crdt_mark_holds(const struct crdt_object *object, struct crdt_mark *mark)
{
    const struct crdt_entry *entry = crdt_object_find(object, mark->actor);

    if (mark->is_fold)
        return entry != NULL && settle_total(object, entry) && entry->seen == mark->stamp;
    if (entry != NULL && entry->value_count > 0)
        return false;
    mark->stamp = entry == NULL ? 0 : crdt_entry_top(object, entry);
    return true;
}

static const struct crdt_mark *settle_mark(const struct crdt_mark *marks, unsigned count,
                                           uint64_t actor)
{
    for (unsigned i = 0; i < count; i++)
        if (marks[i].actor == actor)
            return &marks[i];
    return NULL;
}

/* Takes entries without values out. They have no values to move, but dots may be listed. */
static bool settle_trim(struct crdt_object *object, const struct crdt_mark *marks, unsigned count)
{
    uint16_t kept = 0, gone = 0;

    for (unsigned i = 0; i < object->entry_count; i++) {
        struct crdt_entry entry = object->entries[i];
        const struct crdt_mark *mark = settle_mark(marks, count, entry.actor);

        if (mark && !mark->is_fold && entry.value_count == 0 &&
            crdt_entry_top(object, &entry) <= mark->stamp)
            continue;
        memmove(object->gone + gone, object->gone + entry.gone_first,
                entry.gone_count * sizeof(object->gone[0]));
        entry.gone_first = gone;
        gone = (uint16_t)(gone + entry.gone_count);
        object->entries[kept++] = entry;
    }
    if (kept == object->entry_count)
        return false;
    object->entry_count = kept;
    object->gone_count = gone;
    return true;
}

/* Adds the totals of marked actors to those of the dot's actor. False: there is nothing to add, or
 * the sum has no room. */
static bool settle_fold(struct crdt_object *object, const struct crdt_mark *marks, unsigned count,
                        const struct dot *dot, uint8_t *room)
{
    CRDT_SCRATCH struct crdt_context folded;
    struct writer body = writer_over(room, CRDT_COUNTER_ROOM);
    struct crdt_value value = {.kind = CRDT_COUNTER};
    bool is_any = false;

    folded.vector_count = folded.dot_count = 0;
    for (unsigned i = 0; i < object->value_count; i++) {
        const struct crdt_value *old = &object->values[i];
        const struct crdt_mark *mark = settle_mark(marks, count, old->actor);
        bool is_marked = mark && mark->is_fold && mark->stamp == old->stamp;

        if (old->kind != CRDT_COUNTER || (!is_marked && old->actor != dot->actor))
            continue;
        folded.dots[folded.dot_count++] = (struct dot){old->actor, old->stamp};
        is_any |= is_marked;
    }
    if (!is_any || crdt_counter_join(object, &folded, &body) != STATUS_OK)
        return false;
    value.body = writer_done(&body);
    return crdt_object_write(object, &folded, dot->actor, dot->stamp, &value) == STATUS_OK;
}

bool crdt_object_settle(struct crdt_object *object, const struct crdt_mark *marks, unsigned count,
                        const struct dot *dot, uint8_t *room)
{
    bool is_changed = settle_trim(object, marks, count);

    return (dot && settle_fold(object, marks, count, dot, room)) || is_changed;
}
