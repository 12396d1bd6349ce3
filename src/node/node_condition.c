/* node_condition.c: If-Match and If-None-Match against what an object shows. */
#include "node_impl.h"
#include "node_parts.h"

/* Checks a request's conditions against what is there. */
bool node_condition_holds(const struct op *op, const struct crdt_object *object)
{
    uint16_t index;
    bool is_there, is_named = false;
    uint64_t etag = 0;

    if (op->condition == 0)
        return true;
    is_there = crdt_object_winner(object, &index) && object->values[index].kind != CRDT_TOMBSTONE;
    if (is_there)
        etag = crdt_etag(object->values[index].actor, object->values[index].stamp);
    for (uint8_t i = 0; i < op->etag_count; i++)
        is_named |= is_there && op->etags[i] == etag;
    if ((op->condition & CONDITION_EXISTS) && !is_there)
        return false;
    if ((op->condition & CONDITION_ABSENT) && is_there)
        return false;
    if ((op->condition & CONDITION_MATCH) && !is_named)
        return false;
    return !((op->condition & CONDITION_NONE_MATCH) && is_named);
}
