/* The rules of dotted version vector sets (protocols.md 5.1; Almeida, Baquero et al., "Scalable
 * and Accurate Causality Tracking", 2014).
 *
 * The idea: per actor one number `seen` says how far a copy knows what the actor wrote, and the
 * values that are still there are listed. What is not listed up to there was discarded. So of two
 * copies a value stays if both have it, or if one has it and the other has not seen so far.
 *
 *        live   discarded      seen
 *   ------o---------------------|.......x.......   o: a value; x: a dot of `gone`
 *
 * `gone` are single dots above seen. A token may name a write that this copy has not met: who was
 * shown it may discard it, but what lies between may still be on its way to us. So seen grows by
 * own writes and by merged states, and by a token only as far as that says "everything up to here",
 * never by a single dot. When seen passes a gone dot, that is forgotten: nothing is left to say.
 *
 * Where we differ: protocols.md 5.1, after Garage's K2V, keeps a second number below which all is
 * discarded, and lists every discarded dot above it. A value that nobody resolves then holds that
 * list open, and it grows with every write beside it until the key is full (decision 0018).
 *
 * All of this rests on one property: who has seen (A, t) has met every write of A up to t. Whole
 * objects travel, a coordinator writes on top of all it holds, and an actor ends when its owner may
 * have lost a row (protocols.md 5.4, node_actor.c).
 *
 * A context is an object too: for each actor a seen without values, the shown dots as gone. So a
 * write is a merge with its context, and one more value. */
#include "crdt_room.h"
#include "ensure.h"

/* A part of one object that is merged: the entry, or an empty one where the actor is unknown. */
struct dvv_side {
    const struct crdt_value *values, *values_end;
    const uint64_t *gone, *gone_end;
    uint64_t seen;
};

static struct dvv_side dvv_side_of(const struct crdt_object *object, const struct crdt_entry *entry)
{
    struct dvv_side side = {0};

    if (entry == NULL)
        return side;
    side.values = object->values + entry->value_first;
    side.values_end = side.values + entry->value_count;
    side.gone = object->gone + entry->gone_first;
    side.gone_end = side.gone + entry->gone_count;
    side.seen = entry->seen;
    return side;
}

/* Takes the smaller head of two ascending lists; equal heads leave both. */
static uint64_t dvv_gone_pop(struct dvv_side *a, struct dvv_side *b)
{
    uint64_t stamp;

    if (b->gone == b->gone_end || (a->gone != a->gone_end && *a->gone <= *b->gone))
        stamp = *a->gone;
    else
        stamp = *b->gone;
    if (a->gone != a->gone_end && *a->gone == stamp)
        a->gone++;
    if (b->gone != b->gone_end && *b->gone == stamp)
        b->gone++;
    return stamp;
}

static enum status dvv_gone_merge(struct crdt_object *out, struct crdt_entry *entry,
                                  struct dvv_side *a, struct dvv_side *b)
{
    while (a->gone != a->gone_end || b->gone != b->gone_end) {
        uint64_t stamp = dvv_gone_pop(a, b);

        if (stamp <= entry->seen)
            continue;
        if (out->gone_count == OBJECT_GONE_MAX)
            return STATUS_TOO_LARGE;
        out->gone[out->gone_count++] = stamp;
        entry->gone_count++;
    }
    return STATUS_OK;
}

/* Tells whether a side that does not list a value of this stamp has discarded it. */
static bool dvv_has_discarded(const struct dvv_side *side, uint64_t stamp)
{
    for (const uint64_t *gone = side->gone; gone != side->gone_end; gone++)
        if (*gone == stamp)
            return true;
    return stamp <= side->seen;
}

/* Chooses between two copies of one dot. They must be one content; but an expired value is its
 * tombstone, so where one copy has lost its bytes already the join has none: more was forgotten. */
static const struct crdt_value *dvv_value_same(const struct crdt_value *a,
                                               const struct crdt_value *b, bool *is_corrupt)
{
    if (a->expires != b->expires)
        *is_corrupt = true;
    else if (crdt_values_equal(a, b))
        return a;
    else if (a->expires == 0 || (a->kind != CRDT_TOMBSTONE && b->kind != CRDT_TOMBSTONE))
        *is_corrupt = true;
    return a->kind == CRDT_TOMBSTONE ? a : b;
}

/* Takes the value with the smaller stamp; NULL if the other side has discarded it. One dot on both
 * sides must be one content. */
static const struct crdt_value *dvv_value_pop(struct dvv_side *a, struct dvv_side *b,
                                              bool *is_corrupt)
{
    const struct crdt_value *value;

    if (a->values != a->values_end && b->values != b->values_end &&
        a->values->stamp == b->values->stamp)
        return dvv_value_same(a->values++, b->values++, is_corrupt);
    if (a->values == a->values_end ||
        (b->values != b->values_end && b->values->stamp < a->values->stamp)) {
        struct dvv_side *swap = a;

        a = b;
        b = swap;
    }
    value = a->values++;
    return dvv_has_discarded(b, value->stamp) ? NULL : value;
}

static enum status dvv_values_merge(struct crdt_object *out, struct crdt_entry *entry,
                                    struct dvv_side *a, struct dvv_side *b)
{
    bool is_corrupt = false;

    while (a->values != a->values_end || b->values != b->values_end) {
        const struct crdt_value *value = dvv_value_pop(a, b, &is_corrupt);

        if (is_corrupt)
            return STATUS_CORRUPT;
        if (value == NULL)
            continue;
        if (out->value_count == OBJECT_VALUES_MAX)
            return STATUS_TOO_LARGE;
        out->values[out->value_count++] = *value;
        entry->value_count++;
    }
    return STATUS_OK;
}

/* Joins what two copies know of one actor and appends it to `out`. */
static enum status dvv_entry_merge(struct crdt_object *out, uint64_t actor, struct dvv_side a,
                                   struct dvv_side b)
{
    struct crdt_entry entry = {.actor = actor,
                               .seen = a.seen > b.seen ? a.seen : b.seen,
                               .value_first = out->value_count,
                               .gone_first = out->gone_count};
    enum status status;

    if (out->entry_count == OBJECT_ENTRIES_MAX)
        return STATUS_TOO_LARGE;
    status = dvv_values_merge(out, &entry, &a, &b);
    if (status == STATUS_OK)
        status = dvv_gone_merge(out, &entry, &a, &b);
    if (status != STATUS_OK)
        return status;
    ensure(crdt_entry_is_canonical(out, &entry));
    out->entries[out->entry_count++] = entry;
    return STATUS_OK;
}

/* Joins two objects into a third, entry by entry in the order of actors. */
static enum status dvv_join(const struct crdt_object *a, const struct crdt_object *b,
                            struct crdt_object *out)
{
    uint16_t i = 0, j = 0;
    enum status status = STATUS_OK;

    crdt_object_clear(out);
    out->is_head = a->entry_count > 0 ? a->is_head : b->is_head;
    while (status == STATUS_OK && (i < a->entry_count || j < b->entry_count)) {
        const struct crdt_entry *x = i < a->entry_count ? &a->entries[i] : NULL;
        const struct crdt_entry *y = j < b->entry_count ? &b->entries[j] : NULL;

        if (x != NULL && y != NULL && x->actor != y->actor) {
            if (x->actor < y->actor)
                y = NULL;
            else
                x = NULL;
        }
        i = (uint16_t)(i + (x != NULL));
        j = (uint16_t)(j + (y != NULL));
        status = dvv_entry_merge(out, x != NULL ? x->actor : y->actor, dvv_side_of(a, x),
                                 dvv_side_of(b, y));
    }
    if (status == STATUS_OK && crdt_object_size(out) > OBJECT_SIZE_MAX)
        return STATUS_TOO_LARGE;
    return status;
}

enum status crdt_object_merge(struct crdt_object *into, const struct crdt_object *other)
{
    CRDT_SCRATCH struct crdt_object out;
    enum status status;

    ensure(into->entry_count == 0 || other->entry_count == 0 || into->is_head == other->is_head);
    if (other->entry_count == 0)
        return STATUS_OK;
    status = dvv_join(into, other, &out);
    if (status == STATUS_OK)
        crdt_object_copy(into, &out);
    return status;
}

/* Makes `object` one that knows of `actor` and nothing about it, and returns the entry to fill. */
static struct crdt_entry *dvv_part_begin(struct crdt_object *object, uint64_t actor)
{
    struct crdt_entry *entry;

    crdt_object_clear(object);
    entry = &object->entries[object->entry_count++];
    *entry = (struct crdt_entry){.actor = actor};
    return entry;
}

/* Tells whether a copy has not met the write of a dot. */
static bool dvv_is_new(const struct crdt_object *object, const struct dot *dot)
{
    const struct crdt_entry *entry = crdt_object_find(object, dot->actor);

    return entry == NULL || dot->stamp > entry->seen;
}

/* Applies a context: each dot as an object of its own, because a token is in no order. Dots of
 * writes that have not come here are noted only while there are few. */
static enum status dvv_discard(struct crdt_object *object, const struct crdt_context *context)
{
    CRDT_SCRATCH struct crdt_object part;
    enum status status = STATUS_OK;

    for (unsigned i = 0; i < context->vector_count && status == STATUS_OK; i++) {
        struct crdt_entry *entry = dvv_part_begin(&part, context->vector[i].actor);

        part.is_head = object->is_head;
        entry->seen = context->vector[i].stamp;
        status = crdt_object_merge(object, &part);
    }
    for (unsigned i = 0; i < context->dot_count && status == STATUS_OK; i++) {
        struct crdt_entry *entry = dvv_part_begin(&part, context->dots[i].actor);

        if (object->gone_count >= GONE_WRITE_MAX && dvv_is_new(object, &context->dots[i]))
            continue;
        part.is_head = object->is_head;
        entry->gone_count = part.gone_count = 1;
        part.gone[0] = context->dots[i].stamp;
        status = crdt_object_merge(object, &part);
    }
    return status;
}

enum status crdt_object_newest(struct crdt_object *object)
{
    CRDT_SCRATCH struct crdt_context others;
    uint16_t newest = 0;

    for (uint16_t i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i], *best = &object->values[newest];

        if (value->kind != CRDT_VALUE && value->kind != CRDT_TOMBSTONE)
            return STATUS_OK;
        if (value->stamp > best->stamp ||
            (value->stamp == best->stamp && value->actor > best->actor))
            newest = i;
    }
    others.vector_count = others.dot_count = 0;
    for (uint16_t i = 0; i < object->value_count; i++)
        if (i != newest)
            others.dots[others.dot_count++] =
                (struct dot){object->values[i].actor, object->values[i].stamp};
    return dvv_discard(object, &others);
}

/* Discards every value there is: all of them have been seen. */
static void dvv_discard_all(struct crdt_object *object)
{
    object->value_count = 0;
    for (unsigned i = 0; i < object->entry_count; i++)
        object->entries[i].value_first = object->entries[i].value_count = 0;
}

/* The place of an actor's entry, made if there is none. NULL: no room. */
static struct crdt_entry *dvv_entry_of(struct crdt_object *object, uint64_t actor)
{
    struct crdt_entry *entry = object->entries, *end = entry + object->entry_count;

    while (entry < end && entry->actor < actor)
        entry++;
    if (entry < end && entry->actor == actor)
        return entry;
    if (object->entry_count == OBJECT_ENTRIES_MAX)
        return NULL;
    memmove(entry + 1, entry, (size_t)(end - entry) * sizeof(*entry));
    object->entry_count++;
    *entry = (struct crdt_entry){.actor = actor};
    if (entry > object->entries) {
        entry->value_first = (uint16_t)(entry[-1].value_first + entry[-1].value_count);
        entry->gone_first = (uint16_t)(entry[-1].gone_first + entry[-1].gone_count);
    }
    return entry;
}

/* Adds the actor's own new value, above all stamps of the object. Its writer has met all that it
 * wrote before: seen goes up to the new dot, and what was gone below needs no mention. */
static enum status dvv_append(struct crdt_object *object, const struct crdt_value *value)
{
    struct crdt_entry *entry = dvv_entry_of(object, value->actor), *end;
    uint16_t place, known;

    if (entry == NULL || object->value_count == OBJECT_VALUES_MAX)
        return STATUS_TOO_LARGE;
    place = (uint16_t)(entry->value_first + entry->value_count);
    memmove(object->values + place + 1, object->values + place,
            (size_t)(object->value_count - place) * sizeof(*value));
    object->values[place] = *value;
    object->value_count++;
    entry->value_count++;
    entry->seen = value->stamp;
    known = entry->gone_count;
    object->gone_count = (uint16_t)(object->gone_count - known);
    memmove(object->gone + entry->gone_first, object->gone + entry->gone_first + known,
            (size_t)(object->gone_count - entry->gone_first) * sizeof(object->gone[0]));
    entry->gone_count = 0;
    end = object->entries + object->entry_count;
    while (++entry < end) {
        entry->value_first++;
        entry->gone_first = (uint16_t)(entry->gone_first - known);
    }
    return crdt_object_size(object) > OBJECT_SIZE_MAX ? STATUS_TOO_LARGE : STATUS_OK;
}

enum status crdt_object_write(struct crdt_object *object, const struct crdt_context *context,
                              uint64_t actor, uint64_t stamp, const struct crdt_value *value)
{
    CRDT_SCRATCH struct crdt_object after;
    struct crdt_value own = *value;
    enum status status = STATUS_OK;

    ensure(actor != 0 && !object->is_head);
    ensure(value->expires <= CRDT_EXPIRES_MAX);
    if (value->body.size > VALUE_SIZE_MAX || value->meta.size > META_SIZE_MAX)
        return STATUS_TOO_LARGE;
    if (stamp > CRDT_STAMP_MAX || stamp <= crdt_object_stamp_max(object) ||
        (context != NULL && stamp <= crdt_context_stamp_max(context)))
        return STATUS_CONTEXT;
    crdt_object_copy(&after, object);
    if (context != NULL)
        status = dvv_discard(&after, context);
    else
        dvv_discard_all(&after);
    own.actor = actor;
    own.stamp = stamp;
    own.body_size = (uint32_t)value->body.size;
    ensure(crdt_value_is_sound(&own, false));
    if (status == STATUS_OK)
        status = dvv_append(&after, &own);
    if (status != STATUS_OK)
        return status;
    /* Totals of counters are no siblings: there is one per actor, and entries are bounded. */
    if (after.value_count > SIBLINGS_MAX && after.value_count > object->value_count &&
        value->kind != CRDT_COUNTER)
        return STATUS_SIBLING_LIMIT;
    crdt_object_copy(object, &after);
    return STATUS_OK;
}
