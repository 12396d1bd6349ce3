/* node_local.c: the shortest walk through the house: a read with consistency `one` of a key this
 * peer owns and has at hand needs no task, no quorum and no other peer. It is answered within the
 * step that brought it, from where the row lies (architecture.md 7.5). */
#include "node_impl.h"
#include "node_parts.h"

static bool local_is_enough(const struct node *node, const struct op *op)
{
    struct op asked = {.kind = OP_GET, .consistency = op->consistency, .ns = op->ns};

    node_space_complete(node, &asked);
    return asked.consistency == CONSISTENCY_ONE;
}

/* Answers such a read. False: it has to go the ordinary way. */
bool node_local_get(struct node *node, const struct op *op, ticket asker)
{
    struct node_outcome outcome = {.status = STATUS_OK, .acks = 1, .required = 1};
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct place_owners owners;
    struct slice row_key;
    enum status status;

    if (op->kind != OP_GET || node->is_recovering || op->session.size > 0 ||
        !local_is_enough(node, op))
        return false;

    uint64_t front = node_front(node, op->ns, op->key);

    if (!node_key_is_in_cell(node, front))
        return false;
    place_owners(node->place, place_partition(node->place, front), &owners);
    /* While the partition moves, a read needs an answer from the target as well. */
    if (owners.count != owners.base_count || owners.target_count != owners.base_count)
        return false;
    if (place_owners_find(&owners, node->self) < 0)
        return false;
    outcome.total = owners.base_count;
    row_key = store_key_obj(front, op->ns, op->key, room);
    if (node_row_read(node, row_key) || node_row_is_bad(node, row_key))
        return false;
    status = node_row_get(node, row_key, false, &outcome.object);
    if (status != STATUS_OK && status != STATUS_MISSING)
        return false;
    outcome.route[0].id8 = node->self;
    outcome.route[0].roles = ROLE_COORD;
    outcome.route_count = 1;
    metric_add(&node->metrics, METRIC_OP_OK, 1);
    (void)node_reply_client(node, op, asker, &outcome);
    return true;
}
