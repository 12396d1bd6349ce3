/* crdt_type.c: CRDT types as readings of the set of values that every row is (decision 0009).
 *
 * The idea: a dotted version vector set already is a CRDT whose merge we have proved. A type only
 * chooses which of the values it sees a write replaces, and how the values that are left are read:
 *
 *   type         a write replaces                       what is read
 *   counter      this actor's own totals, tombstones    sum of all totals
 *   flag         all it sees, or the context            true if any live value says so
 *   register     all that is there                      the newest
 *   mvregister   all it sees, or the context            all of them
 *   hll          all that is there, joined into it      the maximum of all
 *   head, element   all that is there                   there is a live one
 *   removal      all it sees, or the context            nothing
 *
 * Where we differ: the usual designs (Shapiro et al., "Conflict-free Replicated Data Types", 2011;
 * Riak's) give each type a state and a merge of its own and ship deltas between them. Here there is
 * one state, one merge and one set of laws; the price is that a counter carries a dot per actor. */
#include "crdt_room.h"
#include "ensure.h"

bool crdt_value_is_sound(const struct crdt_value *value, bool is_head)
{
    if (value->kind == CRDT_VALUE)
        return true;
    if (value->meta.size > 0)
        return false;
    switch (value->kind) {
    case CRDT_VALUE:
    case CRDT_REGISTER:
    case CRDT_MVREGISTER:
        return true;
    case CRDT_TOMBSTONE:
    case CRDT_SET:
    case CRDT_MAP:
        return value->body_size == 0;
    case CRDT_FLAG:
        return value->body_size == 1 && (is_head || value->body.data[0] <= 1);
    case CRDT_COUNTER:
        return is_head ? value->body_size >= 2 : crdt_counter_is_sound(value->body);
    case CRDT_HLL:
        return is_head ? value->body_size >= 1 : crdt_hll_is_sound(value->body);
    }
    return false; /* a number from outside that is no kind */
}

unsigned crdt_object_types(const struct crdt_object *object)
{
    unsigned types = 0;

    for (unsigned i = 0; i < object->value_count; i++)
        if (object->values[i].kind != CRDT_TOMBSTONE)
            types |= 1u << object->values[i].kind;
    return types;
}

static bool type_elements_are_sound(struct slice arg)
{
    struct reader in = reader_over(arg);

    while (reader_left(&in) > 0)
        (void)read_slice(&in, read_u16(&in));
    return !in.is_bad;
}

bool crdt_update_is_sound(enum crdt_kind type, struct slice arg)
{
    switch (type) {
    case CRDT_VALUE:
    case CRDT_TOMBSTONE:
    case CRDT_SET:
    case CRDT_MAP:
        return arg.size == 0;
    case CRDT_COUNTER:
        return arg.size == 8;
    case CRDT_FLAG:
        return arg.size == 1 && arg.data[0] <= 1;
    case CRDT_REGISTER:
    case CRDT_MVREGISTER:
        return arg.size <= VALUE_SIZE_MAX;
    case CRDT_HLL:
        return type_elements_are_sound(arg);
    }
    return false;
}

/* Tells whether a context covers the dot of a value; NULL covers everything. */
static bool type_is_covered(const struct crdt_context *context, const struct crdt_value *value)
{
    if (context == NULL)
        return true;
    for (unsigned i = 0; i < context->vector_count; i++)
        if (context->vector[i].actor == value->actor && context->vector[i].stamp >= value->stamp)
            return true;
    for (unsigned i = 0; i < context->dot_count; i++)
        if (context->dots[i].actor == value->actor && context->dots[i].stamp == value->stamp)
            return true;
    return false;
}

/* Narrows a context to dots that are there: what a token names beside them, other elements or
 * writes we have not seen, does not enter this row. Returns how many live values it takes. */
static unsigned type_observed(const struct crdt_object *object, const struct crdt_context *context,
                              struct crdt_context *observed)
{
    unsigned live = 0;

    observed->vector_count = observed->dot_count = 0;
    for (unsigned i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i];

        if (!type_is_covered(context, value))
            continue;
        observed->dots[observed->dot_count++] = (struct dot){value->actor, value->stamp};
        live += value->kind != CRDT_TOMBSTONE;
    }
    return live;
}

/* A counter replaces what this actor said before and what is only a tombstone, nothing else. */
static void type_own(const struct crdt_object *object, uint64_t actor,
                     struct crdt_context *observed)
{
    observed->vector_count = observed->dot_count = 0;
    for (unsigned i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i];

        if (value->actor == actor || value->kind == CRDT_TOMBSTONE)
            observed->dots[observed->dot_count++] = (struct dot){value->actor, value->stamp};
    }
}

static void type_hll(const struct crdt_object *object, const struct crdt_update *update,
                     struct writer *out)
{
    CRDT_SCRATCH struct crdt_hll hll;
    struct reader in = reader_over(update->arg);

    crdt_hll_of_object(&hll, object);
    while (reader_left(&in) > 0)
        crdt_hll_add(&hll, update->seed, read_slice(&in, read_u16(&in)));
    crdt_hll_encode(&hll, out);
}

/* A write in the making. */
struct type_plan {
    const struct crdt_context *context; /* the client's, NULL: none */
    uint64_t actor;
    struct crdt_context *observed; /* what is replaced; NULL: all there is */
    struct writer body;            /* where it is not the argument */
};

/* Fills what is written and what it replaces. */
static enum status type_plan(const struct crdt_object *object, const struct crdt_update *update,
                             struct type_plan *plan)
{
    const struct crdt_context *context = plan->context;
    struct crdt_context **observed = &plan->observed;
    struct writer *body = &plan->body;

    switch (update->type) {
    case CRDT_COUNTER:
        type_own(object, plan->actor, *observed);
        return crdt_counter_add(object, plan->actor, (int64_t)bytes_load_u64(update->arg.data),
                                body);
    case CRDT_HLL:
        type_hll(object, update, body);
        *observed = NULL;
        return STATUS_OK;
    case CRDT_REGISTER:
    case CRDT_VALUE:
    case CRDT_SET:
    case CRDT_MAP:
        *observed = NULL;
        return STATUS_OK;
    case CRDT_FLAG:
    case CRDT_MVREGISTER:
        (void)type_observed(object, context, *observed);
        return STATUS_OK;
    case CRDT_TOMBSTONE:
        return type_observed(object, context, *observed) > 0 ? STATUS_OK : STATUS_MISSING;
    }
    ensure_unreachable(); /* crdt_update_is_sound */
}

enum status crdt_object_update(struct crdt_object *object, const struct crdt_context *context,
                               const struct dot *dot, const struct crdt_update *update,
                               uint8_t *room)
{
    CRDT_SCRATCH struct crdt_context kept;
    struct type_plan plan = {context, dot->actor, &kept, writer_over(room, CRDT_UPDATE_ROOM)};
    struct crdt_value value = {.kind = update->type, .body = update->arg};
    enum status status;

    ensure(crdt_update_is_sound(update->type, update->arg));
    if (update->type != CRDT_TOMBSTONE && (crdt_object_types(object) & ~(1u << update->type)) != 0)
        return STATUS_TYPE;
    status = type_plan(object, update, &plan);
    if (status != STATUS_OK)
        return status;
    ensure(!plan.body.is_full);
    if (update->type == CRDT_COUNTER || update->type == CRDT_HLL)
        value.body = writer_done(&plan.body);
    return crdt_object_write(object, plan.observed, dot->actor, dot->stamp, &value);
}
