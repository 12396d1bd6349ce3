/* node_class.c: which class of replicas a namespace is of, as far as this peer knows, and whether
 * everybody has followed (decision 0020).
 *
 * What is known of classes is part of the layout: a quorum counts peers of one opinion only. A
 * peer that learns of a change has rows in the partitions of before, and node_stray.c carries them
 * over. A copy of before that somebody still has could bring back what was deleted, and collected,
 * in the partitions of now. So nobody collects before every peer of the list has told that nothing
 * is left with it:
 *
 *   a first owner with tombstones                any peer of the placement list
 *     |--- SWEPT_ASK version ------------------------->|  knows the same changes, holds no stray
 *     |<-- SWEPT version ------------------------------|  else it is silent and asked again
 *
 * The version stands for all changes of replicas ever heard of, so it never comes back. */
#include "node_impl.h"
#include "node_parts.h"

#define ASK_US INSTANT_S(1) /* between two questions to the same peers */

unsigned node_class(const struct node *node, struct slice ns)
{
    return node->stray.version == 0
               ? 0
               : place_class(node->place, place_spaces_replicas(node->spaces, ns));
}

/* What the row keys of a key begin with, under the settings we know. */
uint64_t node_front(const struct node *node, struct slice ns, struct slice key)
{
    struct hash16 hash = hash_key(node->founding.hash_seed, ns, key);

    if (!node->place)
        return hash_key_front(&hash);
    return place_front(node->place, hash_key_front(&hash), node_class(node, ns));
}

/* Tells whether a row lies in a partition that is not of its namespace's class. */
bool node_row_is_stray(const struct node *node, struct slice row_key)
{
    struct slice ns, key;
    uint64_t front;

    return node->stray.version != 0 && store_key_split(row_key, &front, &ns, &key) == STATUS_OK &&
           place_front_class(node->place, front) != node_class(node, ns);
}

/* The settings of namespaces changed, or were read: brings all that depends on classes up to
 * date. Written to disk at once, like a placement record: rows are counted under it. */
void node_classes_changed(struct node *node)
{
    uint64_t version;
    uint8_t used = place_spaces_classes(node->spaces, node->place, &version);

    if (version == node->stray.version)
        return;
    node->stray.version = version;
    place_classes(node->place, used, version);
    sync_use(node->sync, place_partition_count(node->place));
    sync_relayout(node->sync, place_layout(node->place));
    node_persist(node);
    node_stray_wake(node);
    node_move_wake(node);
}

/* Tells whether no peer holds a stray any more, which could bring back what is collected; else asks
 * those that have not said so. */
bool node_classes_are_settled(struct node *node)
{
    const uint64_t version = node->stray.version;
    bool is_settled = node_stray_is_clean(node), is_asking = node->now >= node->stray.ask_at;
    struct message ask = {.kind = MESSAGE_SWEPT_ASK, .swept_ask = {.version = version}};

    if (version == 0)
        return true;
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);
        const struct node_peer *peer = id8 == node->self ? NULL : node_peer(node, id8);

        if (id8 == node->self || record->state == PLACE_OUT || record->state == PLACE_GONE ||
            (peer && peer->swept == version))
            continue;
        is_settled = false;
        if (is_asking)
            (void)node_send_plain(node, id8, &ask);
    }
    if (is_asking)
        node->stray.ask_at = node->now + ASK_US;
    return is_settled;
}

void node_classes_message(struct node *node, uint64_t peer, const struct message *message)
{
    struct message swept = {.kind = MESSAGE_SWEPT, .swept = {.version = node->stray.version}};
    struct node_peer *known = node_peer(node, peer);

    if (message->kind == MESSAGE_SWEPT) {
        if (known)
            known->swept = message->swept.version;
    } else if (message->swept_ask.version != node->stray.version) {
        node_table_soon(node, peer);
    } else if (node->phase == NODE_OPEN && node_stray_is_clean(node)) {
        (void)node_send_plain(node, peer, &swept);
    }
}
