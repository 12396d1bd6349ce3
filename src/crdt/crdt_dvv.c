/* The rules of dotted version vector sets (protocols.md 5.1; Almeida, Baquero et al., "Scalable
 * and Accurate Causality Tracking", 2014; the compact per-actor form is that of Garage's K2V).
 *
 * The idea: per actor one number `td` says "everything up to here is discarded", and what is not
 * discarded is listed. Two copies merge by taking the larger td and the union of the lists.
 *
 * Where we differ: a reader who was shown the newer of two values of one actor may discard that
 * one and must not discard the older. One number cannot say so, hence `gone`, single discarded
 * dots above td. A gone dot folds into td as soon as nothing below it can be live:
 *
 *        td          live   gone          seen
 *   -----|============o======x=============|.......   x stays: o lives below it
 *   -----|===================x=============|.......   x <= seen, nothing lives: td = x
 *   -----|======|............x.....................   x stays: between seen and x there may be
 *              seen                                   writes that nobody showed us
 *
 * `seen` grows by own writes and by merged states, never by a token: who sends a token has seen
 * those dots, we have not. (td may come from a token; then everything below is discarded, which is
 * as good as seen.)
 *
 * There is one primitive. A context is an object too: for each actor a td, the shown dots as gone,
 * seen no further than td. A new value is an object with one dot. So a write is two merges, and
 * the laws of merge are the laws of everything. */
#include "crdt_room.h"
#include "ensure.h"

/* A part of one object that is merged: the entry, or an empty one where the actor is unknown. */
struct dvv_side {
    const struct crdt_value *values, *values_end;
    const uint64_t *gone, *gone_end;
    uint64_t td, seen;
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
    side.td = entry->td;
    side.seen = entry->seen;
    return side;
}

static uint64_t dvv_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
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

        if (stamp <= entry->td)
            continue;
        if (out->gone_count == OBJECT_GONE_MAX)
            return STATUS_TOO_LARGE;
        out->gone[out->gone_count++] = stamp;
        entry->gone_count++;
    }
    return STATUS_OK;
}

static bool dvv_is_gone(const struct crdt_object *object, const struct crdt_entry *entry,
                        uint64_t stamp)
{
    for (unsigned i = 0; i < entry->gone_count; i++)
        if (object->gone[entry->gone_first + i] == stamp)
            return true;
    return false;
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

/* Takes the value with the smaller stamp; one dot on both sides must be one content. */
static const struct crdt_value *dvv_value_pop(struct dvv_side *a, struct dvv_side *b,
                                              bool *is_corrupt)
{
    if (a->values == a->values_end)
        return b->values++;
    if (b->values == b->values_end || a->values->stamp < b->values->stamp)
        return a->values++;
    if (b->values->stamp < a->values->stamp)
        return b->values++;
    return dvv_value_same(a->values++, b->values++, is_corrupt);
}

static enum status dvv_values_merge(struct crdt_object *out, struct crdt_entry *entry,
                                    struct dvv_side *a, struct dvv_side *b)
{
    bool is_corrupt = false;

    while (a->values != a->values_end || b->values != b->values_end) {
        const struct crdt_value *value = dvv_value_pop(a, b, &is_corrupt);

        if (is_corrupt)
            return STATUS_CORRUPT;
        if (value->stamp <= entry->td || dvv_is_gone(out, entry, value->stamp))
            continue;
        if (out->value_count == OBJECT_VALUES_MAX)
            return STATUS_TOO_LARGE;
        out->values[out->value_count++] = *value;
        entry->value_count++;
    }
    return STATUS_OK;
}

/* Folds gone dots into td where nothing below can be live, and forgets `seen` where it says nothing
 * that td and the values do not say. */
static void dvv_compact(struct crdt_object *out, struct crdt_entry *entry)
{
    uint64_t *gone = out->gone + entry->gone_first;
    uint64_t live = entry->value_count > 0 ? out->values[entry->value_first].stamp : UINT64_MAX;
    uint16_t folded = 0;

    while (folded < entry->gone_count && gone[folded] <= entry->seen && gone[folded] < live)
        entry->td = gone[folded++];
    entry->gone_count = (uint16_t)(entry->gone_count - folded);
    out->gone_count = (uint16_t)(out->gone_count - folded);
    if (folded > 0)
        memmove(gone, gone + folded, entry->gone_count * sizeof(*gone));
    if (entry->gone_count == 0)
        entry->seen = crdt_entry_shown(out, entry);
}

/* Joins what two copies know of one actor and appends it to `out`. */
static enum status dvv_entry_merge(struct crdt_object *out, uint64_t actor, struct dvv_side a,
                                   struct dvv_side b)
{
    struct crdt_entry entry = {
        .actor = actor, .value_first = out->value_count, .gone_first = out->gone_count};
    enum status status;

    if (out->entry_count == OBJECT_ENTRIES_MAX)
        return STATUS_TOO_LARGE;
    entry.td = dvv_max(a.td, b.td);
    entry.seen = dvv_max(entry.td, dvv_max(a.seen, b.seen));
    status = dvv_gone_merge(out, &entry, &a, &b);
    if (status == STATUS_OK)
        status = dvv_values_merge(out, &entry, &a, &b);
    if (status != STATUS_OK)
        return status;
    dvv_compact(out, &entry);
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

/* Applies a context: each dot as an object of its own, because a token is in no order. */
static enum status dvv_discard(struct crdt_object *object, const struct crdt_context *context)
{
    CRDT_SCRATCH struct crdt_object part;
    enum status status = STATUS_OK;

    for (unsigned i = 0; i < context->vector_count && status == STATUS_OK; i++) {
        struct crdt_entry *entry = dvv_part_begin(&part, context->vector[i].actor);

        part.is_head = object->is_head;
        entry->td = entry->seen = context->vector[i].stamp;
        status = crdt_object_merge(object, &part);
    }
    for (unsigned i = 0; i < context->dot_count && status == STATUS_OK; i++) {
        struct crdt_entry *entry = dvv_part_begin(&part, context->dots[i].actor);

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

/* Discards every value there is: the context that crdt_context_of_all would give. */
static void dvv_discard_all(struct crdt_object *object)
{
    uint16_t gone_count = 0;

    object->value_count = 0;
    for (unsigned i = 0; i < object->entry_count; i++) {
        struct crdt_entry *entry = &object->entries[i];
        uint16_t first = entry->gone_first, count = entry->gone_count;

        entry->td = crdt_entry_shown(object, entry);
        entry->value_first = entry->value_count = 0;
        entry->gone_first = gone_count;
        entry->gone_count = 0;
        for (unsigned k = 0; k < count; k++) {
            uint64_t stamp = object->gone[first + k];

            if (stamp <= entry->seen)
                entry->td = dvv_max(entry->td, stamp);
            else if (stamp > entry->td) {
                object->gone[gone_count++] = stamp;
                entry->gone_count++;
            }
        }
        if (entry->gone_count == 0)
            entry->seen = entry->td;
        ensure(crdt_entry_is_canonical(object, entry));
    }
    object->gone_count = gone_count;
}

enum status crdt_object_write(struct crdt_object *object, const struct crdt_context *context,
                              uint64_t actor, uint64_t stamp, const struct crdt_value *value)
{
    CRDT_SCRATCH struct crdt_object after, part;
    struct crdt_entry *entry;
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
    entry = dvv_part_begin(&part, actor);
    entry->seen = stamp;
    entry->value_count = part.value_count = 1;
    part.values[0] = *value;
    part.values[0].actor = actor;
    part.values[0].stamp = stamp;
    part.values[0].body_size = (uint32_t)value->body.size;
    ensure(crdt_value_is_sound(&part.values[0], false));
    if (status == STATUS_OK)
        status = crdt_object_merge(&after, &part);
    if (status != STATUS_OK)
        return status;
    /* Totals of counters are no siblings: there is one per actor, and entries are bounded. */
    if (after.value_count > SIBLINGS_MAX && after.value_count > object->value_count &&
        value->kind != CRDT_COUNTER)
        return STATUS_SIBLING_LIMIT;
    /* An old value that nobody resolves keeps them from folding; who merges them later has room. */
    if (after.gone_count > GONE_WRITE_MAX && after.gone_count > object->gone_count)
        return STATUS_SIBLING_LIMIT;
    crdt_object_copy(object, &after);
    return STATUS_OK;
}
