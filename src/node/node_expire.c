/* node_expire.c: what time it is for values that expire (protocols.md 7.4): this peer's wall clock.
 * Not the hybrid clock: after a start that begins up to ten seconds ahead, and it follows whoever
 * is ahead by up to a minute, so that every restart would shorten lives everywhere. Peers whose
 * clocks differ disagree about a value for as long as they differ; nothing is destroyed by it,
 * because rows keep their bytes until the owners have agreed to collect them. */
#include "node_impl.h"
#include "node_parts.h"

uint64_t node_wall_ms(const struct node *node)
{
    return node->wall_ms;
}

/* When the value of a PUT will expire, 0 for never. Asked once, by the coordinator: had every owner
 * its own opinion, one dot would have several contents. */
uint64_t node_expiry(const struct node *node, const struct op *op)
{
    uint64_t now = node_wall_ms(node);

    if (op->ttl_ms == 0)
        return 0;
    if (op->ttl_ms >= CRDT_EXPIRES_MAX || now >= CRDT_EXPIRES_MAX - op->ttl_ms)
        return CRDT_EXPIRES_MAX;
    return now + op->ttl_ms;
}

/* The object as a client would see it now: `object` itself, or a copy of it in scratch. What is
 * stored keeps the bytes of expired values. */
const struct crdt_object *node_seen(struct node *node, const struct op *op,
                                    const struct crdt_object *object)
{
    bool is_other = object->value_count > 1 && node_space_is_lww(node, op->ns, op->key);

    for (unsigned i = 0; i < object->value_count; i++)
        is_other |= object->values[i].expires > 0;
    if (!is_other)
        return object;
    crdt_object_copy(&node->object_c, object);
    node_space_resolve(node, op, &node->object_c);
    (void)crdt_object_expire(&node->object_c, node_wall_ms(node));
    return &node->object_c;
}
