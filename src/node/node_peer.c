/* node_peer.c: what the node keeps per peer beside the rooms: its link, its block, when to talk to
 * it next. */
#include "node_impl.h"
#include "node_parts.h"

struct node_peer *node_peer(struct node *node, uint64_t id8)
{
    struct slice key = slice_of(&id8, sizeof(id8));
    struct node_peer *peer = map_get(&node->peer_by_id, key);

    if (peer || id8 == 0)
        return peer;
    peer = pool_take(&node->peers);
    if (!peer)
        return NULL;
    peer->id8 = id8;
    if (map_put(&node->peer_by_id, key, peer) != STATUS_OK) {
        pool_give(&node->peers, peer);
        return NULL;
    }
    list_push_back(&node->peer_list, &peer->in_peers);
    return peer;
}

bool node_peer_address(struct node *node, uint64_t id8, struct address *address)
{
    const struct swim_view *view = swim_find(node->swim, id8);
    const struct node_peer *peer = node_peer(node, id8);

    *address = view ? view->address : peer->address;
    return address->family != 0;
}

bool node_peer_is_reachable(struct node *node, uint64_t id8)
{
    const struct swim_view *view = swim_find(node->swim, id8);

    return view && (view->rank == RANK_ALIVE || view->rank == RANK_SUSPECT) &&
           !node_is_blocked(node, id8);
}

/* Tells whether this peer and those that count are more than half of the placement list. */
bool node_has_majority(struct node *node, bool (*counts)(struct node *node, uint64_t id8))
{
    uint32_t listed = 0, counted = 0;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (record->state == PLACE_OUT)
            continue;
        listed++;
        counted += id8 == node->self || counts(node, id8);
    }
    return 2 * counted > listed;
}

bool node_is_blocked(const struct node *node, uint64_t id8)
{
    for (uint32_t i = 0; i < node->blocked_count; i++)
        if (node->blocked[i] == id8)
            return true;
    return false;
}

void node_peer_lost(struct node *node, uint64_t id8, bool was_ready)
{
    quorum_peer_lost(node->quorum, node->now, id8);
    if (node->sync)
        sync_peer_lost(node->sync, id8);
    node_forward_lost(node, id8, was_ready);
}

struct label node_peer_name(struct node *node, uint64_t id8)
{
    static const char digits[] = "0123456789abcdef";

    if (id8 == node->self)
        return node->config.name;

    const struct swim_view *view = swim_find(node->swim, id8);

    if (view)
        return view->record->name;

    char text[8]; /* a stranger goes by the front of its id */

    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = digits[id8 >> (60 - 4 * i) & 15];
    return label_make(slice_of(text, sizeof(text)));
}

/* Finds a peer by name or by the first hex digits of its id. */
uint64_t node_peer_named(struct node *node, struct slice text)
{
    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        const struct swim_view *view = swim_at(node->swim, i);
        uint64_t id8 = id_front(&view->id);
        struct label name = node_peer_name(node, id8);
        char front[17];

        if (slice_equal(text, slice_of(name.text, name.size)))
            return id8;
        for (unsigned d = 0; d < 16; d++)
            front[d] = "0123456789abcdef"[id8 >> (60 - 4 * d) & 15];
        if (text.size >= 4 && slice_has_prefix(slice_of(front, 16), text))
            return id8;
    }
    return 0;
}

void node_block(struct node *node, struct slice names)
{
    size_t from = 0;

    node->blocked_count = 0;
    for (size_t i = 0; names.size > 0 && i <= names.size; i++) {
        if (i < names.size && names.data[i] != ',')
            continue;

        uint64_t id8 = node_peer_named(node, slice_of(names.data + from, i - from));

        from = i + 1;
        if (!id8 || id8 == node->self || node->blocked_count == NODE_BLOCKED_MAX)
            continue;
        node->blocked[node->blocked_count++] = id8;

        struct node_peer *peer = node_peer(node, id8);

        if (peer && peer->link)
            node_link_close(node, peer->link, STATUS_CLOSED);
    }
}

int node_rank(const struct node *node, uint64_t id8)
{
    const struct swim_view *view = swim_find(node->swim, id8);

    return view ? (int)view->rank : -1;
}

uint32_t node_load(struct node *node)
{
    /* Who is draining tells that it is busy: others choose somebody else. */
    return balance_load_pack(node->is_draining ? UINT16_MAX : pool_used(&node->tasks), 0);
}
