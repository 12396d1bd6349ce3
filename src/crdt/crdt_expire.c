/* crdt_expire.c: values with a time to live (protocols.md 7.4).
 *
 * The idea: an expiry is no event. The writer puts an absolute wall clock reading beside the value,
 * under the same dot, and from then on whoever looks decides by looking at his clock. So nothing
 * has to be sent or written when a million values expire at once, and copies that were equal stay
 * equal: what peers compare is made of dots.
 *
 *      before `expires`           from `expires` on           collected (by the owners together)
 *      VALUE, meta, body    ->    TOMBSTONE, same dot    ->   no row
 *
 * Where others let a replica delete what has expired, we do not: the dot is what keeps an older
 * sibling or a late copy of an older value from coming back, exactly as a tombstone does.
 *
 * Clocks: whoever looks passes the wall clock he goes by. Peers whose clocks differ disagree about
 * a value for as long as they differ; a peer that is ahead hides it early and destroys nothing,
 * because rows keep their bytes until all owners hold the object for dead. */
#include "crdt_room.h"

bool crdt_value_is_live(const struct crdt_value *value, uint64_t wall_ms)
{
    return value->kind != CRDT_TOMBSTONE && (value->expires == 0 || value->expires > wall_ms);
}

bool crdt_object_is_dead(const struct crdt_object *object, uint64_t wall_ms)
{
    for (unsigned i = 0; i < object->value_count; i++)
        if (crdt_value_is_live(&object->values[i], wall_ms))
            return false;
    return true;
}

uint16_t crdt_object_expire(struct crdt_object *object, uint64_t wall_ms)
{
    uint16_t count = 0;

    for (unsigned i = 0; i < object->value_count; i++) {
        struct crdt_value *value = &object->values[i];

        if (value->kind == CRDT_TOMBSTONE || crdt_value_is_live(value, wall_ms))
            continue;
        value->kind = CRDT_TOMBSTONE;
        value->meta = value->body = SLICE_NONE;
        value->body_size = 0;
        count++;
    }
    return count;
}
