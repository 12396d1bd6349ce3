/* node_marks.c: evidence for a move: per partition, which owners it was pulled from and which have
 * pulled it from us. What was acknowledged since then is in a quorum of the target set of that
 * time; so a mark outlives changes of the layout as long as the partition's target set, which base
 * is to become, stays the same and this peer is an owner. (Kept for longer, three peers that left
 * one behind the other took what only they had acknowledged with them: each had been pulled from
 * while the others still counted. Simulator, profile `move`, seed 144.) */
#include "node_impl.h"
#include "node_parts.h"

/* Forgets everything: this peer's own part in the layout begins anew. */
void node_marks_reset(struct node *node)
{
    size_t size = place_partition_max(node->place) * sizeof(*node->pulled);

    memset(node->pulled, 0, size);
    memset(node->given, 0, size);
    node->marks_layout = place_layout(node->place);
}

/* Tells whether a peer is an owner of the kind that counts. */
static bool marks_counts(const struct place_owners *owners, uint64_t id8, bool is_base)
{
    int rank = place_owners_find(owners, id8);

    return rank >= 0 && (is_base ? owners->peers[rank].is_base : owners->peers[rank].is_target);
}

/* What stands for the target set of a partition. */
static uint32_t marks_target(const struct place_owners *owners)
{
    uint64_t sum = 0;

    for (uint8_t i = 0; i < owners->count; i++)
        if (owners->peers[i].is_target)
            sum += owners->peers[i].id8; /* ids are random: sets with equal sums do not happen */
    return (uint32_t)(sum >> 32 ^ sum) | 1u;
}

/* Keeps the marks of peers that still count, if they were gathered for this target set. */
static void marks_keep(const struct node *node, struct node_marks *marks,
                       const struct place_owners *owners, bool is_base)
{
    struct node_marks kept = {.target = marks->target};
    unsigned count = 0;

    if (marks->target != marks_target(owners)) {
        *marks = (struct node_marks){.target = 0};
        return;
    }

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

        place_owners(node->place, p, &owners);
        if (place_owners_find(&owners, node->self) < 0)
            node->pulled[p] = node->given[p] = (struct node_marks){.target = 0};
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
    marks->target = marks_target(&owners);
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
