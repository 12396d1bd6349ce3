/* crdt_counter.c: a counter is the sum of what every actor has counted (the PN-counter of Shapiro
 * et al. 2011): totals of increments and of decrements, because a single sum could not tell two
 * concurrent changes from none. Body: inc, dec, each as a varint of 7 bits a byte, lowest first.
 *
 * An actor's totals are replaced by nobody but itself, and it never forgets them while it lives: a
 * row is committed here before any other owner sees it (node_coord.c). Two totals of one actor that
 * do not replace each other can only have been begun apart, so all live totals are added. */
#include "crdt_room.h"
#include "ensure.h"

typedef __int128 counter_wide; /* holds the sum of 255 totals of 64 bits */

static uint64_t varint_read(struct reader *in)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = read_u8(in);

        if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
            in->is_bad = true; /* beyond 64 bits; longer than needed */
        number |= (byte & 127) << shift;
        if ((byte & 128) == 0 || in->is_bad)
            return number;
    }
    in->is_bad = true;
    return 0;
}

static void varint_write(struct writer *out, uint64_t number)
{
    for (; number > 127; number >>= 7)
        write_u8(out, (uint8_t)(number | 128));
    write_u8(out, (uint8_t)number);
}

static bool counter_read(struct slice body, uint64_t *inc, uint64_t *dec)
{
    struct reader in = reader_over(body);

    *inc = varint_read(&in);
    *dec = varint_read(&in);
    return reader_is_done(&in);
}

bool crdt_counter_is_sound(struct slice body)
{
    uint64_t inc, dec;

    return counter_read(body, &inc, &dec);
}

static counter_wide counter_sum(const struct crdt_object *object)
{
    counter_wide sum = 0;
    uint64_t inc, dec;

    for (unsigned i = 0; i < object->value_count; i++)
        if (object->values[i].kind == CRDT_COUNTER &&
            counter_read(object->values[i].body, &inc, &dec))
            sum += (counter_wide)inc - (counter_wide)dec;
    return sum;
}

static bool counter_fits(counter_wide sum)
{
    return sum >= INT64_MIN && sum <= INT64_MAX;
}

enum status crdt_counter_value(const struct crdt_object *object, int64_t *value)
{
    counter_wide sum = counter_sum(object);

    *value = counter_fits(sum) ? (int64_t)sum : sum > 0 ? INT64_MAX : INT64_MIN;
    return counter_fits(sum) ? STATUS_OK : STATUS_OVERFLOW;
}

enum status crdt_counter_join(const struct crdt_object *object, const struct crdt_context *which,
                              struct writer *body)
{
    uint64_t inc = 0, dec = 0, more_inc, more_dec;

    for (unsigned i = 0, at = 0; i < object->value_count && at < which->dot_count; i++) {
        const struct crdt_value *value = &object->values[i];

        if (value->actor != which->dots[at].actor || value->stamp != which->dots[at].stamp)
            continue;
        at++;
        if (!counter_read(value->body, &more_inc, &more_dec) ||
            __builtin_add_overflow(inc, more_inc, &inc) ||
            __builtin_add_overflow(dec, more_dec, &dec))
            return STATUS_OVERFLOW;
    }
    varint_write(body, inc);
    varint_write(body, dec);
    return STATUS_OK;
}

enum status crdt_counter_add(const struct crdt_object *object, uint64_t actor, int64_t delta,
                             struct writer *body)
{
    counter_wide before = counter_sum(object), after = before + delta;
    unsigned __int128 inc = delta > 0 ? (uint64_t)delta : 0;
    unsigned __int128 dec = delta < 0 ? (uint64_t) - (counter_wide)delta : 0;

    /* What two sides of a partition made too large may come back. */
    if (!counter_fits(after) && (after > before) == (after > 0))
        return STATUS_OVERFLOW;
    for (unsigned i = 0; i < object->value_count; i++) {
        uint64_t old_inc, old_dec;

        if (object->values[i].actor != actor || object->values[i].kind != CRDT_COUNTER ||
            !counter_read(object->values[i].body, &old_inc, &old_dec))
            continue;
        inc += old_inc;
        dec += old_dec;
    }
    if (inc > UINT64_MAX || dec > UINT64_MAX)
        return STATUS_OVERFLOW;
    varint_write(body, (uint64_t)inc);
    varint_write(body, (uint64_t)dec);
    return STATUS_OK;
}
