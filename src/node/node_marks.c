/* node_marks.c: evidence for a move: per partition, which owners it was pulled from and which have
 * pulled it from us. A mark outlives changes of the layout as long as this peer stays an owner of
 * the partition: whoever was pulled from knew us as one, so every write acknowledged since went to
 * a set that we are in. */
#include "node_impl.h"
#include "node_parts.h"

/* Forgets everything: this peer's own part in the layout begins anew. */
void node_marks_reset(struct node *node)
{
    size_t size = place_partition_count(node->place) * sizeof(*node->pulled);

    memset(node->pulled, 0, size);
    memset(node->given, 0, size);
    node->marks_layout = place_layout(node->place);
}

/* Tells whether a peer is an owner of the kind that counts. */
static bool marks_counts(const struct place_owners *owners, uint64_t id8, bool is_base)
{
    for (uint8_t i = 0; i < owners->count; i++)
        if (owners->peers[i].id8 == id8)
            return is_base ? owners->peers[i].is_base : owners->peers[i].is_target;
    return false;
}

/* Keeps the marks of peers that still count. */
static void marks_keep(const struct node *node, struct node_marks *marks,
                       const struct place_owners *owners, bool is_base)
{
    struct node_marks kept = {{0}};
    unsigned count = 0;

    for (unsigned i = 0; i < NODE_MARKS_MAX && marks->peers[i]; i++) {
        const struct node_peer *peer = pool_at(&node->peers, marks->peers[i] - 1u);

        if (marks_counts(owners, peer->id8, is_base))
            kept.peers[count++] = marks->peers[i];
    }
    *marks = kept;
}

/* Forgets the partitions this peer no longer owns under the present layout, and peers that no
 * longer count. */
void node_marks_trim(struct node *node)
{
    if (node->marks_layout == place_layout(node->place))
        return;
    node->marks_layout = place_layout(node->place);
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;
        bool is_ours = false;

        place_owners(node->place, p, &owners);
        for (uint8_t i = 0; i < owners.count; i++)
            is_ours |= owners.peers[i].id8 == node->self;
        if (!is_ours)
            node->pulled[p] = node->given[p] = (struct node_marks){{0}};
        marks_keep(node, &node->pulled[p], &owners, true);
        marks_keep(node, &node->given[p], &owners, false);
    }
}

/* Notes that the partition was pulled from a base owner, or (given) by a target owner from us.
 * There is room for as many as are ever needed. */
void node_marks_add(struct node *node, uint32_t partition, uint64_t id8, bool is_given)
{
    struct node_marks *marks = is_given ? &node->given[partition] : &node->pulled[partition];
    struct node_peer *peer = node_peer(node, id8);
    struct place_owners owners;
    uint16_t number;

    place_owners(node->place, partition, &owners);
    if (!peer || !marks_counts(&owners, id8, !is_given))
        return;
    number = (uint16_t)(pool_index(&node->peers, peer) + 1u);
    for (unsigned i = 0; i < NODE_MARKS_MAX; i++) {
        if (marks->peers[i] == 0)
            marks->peers[i] = number;
        if (marks->peers[i] == number)
            return;
    }
}

unsigned node_marks_count(const struct node_marks *marks)
{
    unsigned count = 0;

    while (count < NODE_MARKS_MAX && marks->peers[count])
        count++;
    return count;
}
