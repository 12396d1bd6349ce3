/* node_view.c: what drivers, checkers and tests may see of a node. Nothing here changes it, but for
 * gauges that are brought up to date. */
#include "hint/node_hint.h"
#include "node_parts.h"

const struct node_id *node_self(const struct node *node)
{
    return &node->config.identity->id;
}

int node_member_rank(const struct node *node, const struct node_id *id)
{
    return node_rank(node, id_front(id));
}

uint64_t node_member_incarnation(const struct node *node, const struct node_id *id)
{
    const struct swim_view *view = swim_find(node->swim, id_front(id));

    return view ? view->incarnation : 0;
}

uint64_t node_own_incarnation(const struct node *node)
{
    return node_member_incarnation(node, node_self(node));
}

uint64_t node_digest(const struct node *node)
{
    return swim_digest(node->swim);
}

uint64_t node_layout(const struct node *node)
{
    return node->place ? place_layout(node->place) : 0;
}

bool node_is_ready(const struct node *node)
{
    unsigned state = node_place_state(node);

    return node->phase == NODE_OPEN && node->is_founded && place_is_in_base(state);
}

bool node_is_recovering(const struct node *node)
{
    return node->is_recovering || node->mend.by_key.count > 0;
}

unsigned node_place_of(const struct node *node, const struct node_id *id)
{
    const struct place_record *record = node->place ? place_find(node->place, id_front(id)) : NULL;

    return record ? record->state : 0;
}

uint32_t node_partitions(const struct node *node)
{
    return place_partition_count(node->place);
}

uint32_t node_partition_of(const struct node *node, struct slice ns, struct slice key)
{
    ensure(node->place != NULL);
    return place_partition(node->place, node_front(node, ns, key));
}

unsigned node_owners(const struct node *node, uint32_t partition, struct node_id *ids)
{
    struct place_owners owners;
    unsigned count = 0;

    place_owners(node->place, partition, &owners);
    for (uint8_t i = 0; i < owners.count; i++)
        if (owners.peers[i].is_base)
            ids[count++] = place_find(node->place, owners.peers[i].id8)->id;
    return count;
}

struct slice node_row_key(const struct node *node, struct slice ns, struct slice key, uint8_t *into)
{
    return store_key_obj(node_front(node, ns, key), ns, key, into);
}

struct hash16 node_fingerprint(const struct node *node, uint32_t partition, uint32_t *count)
{
    return sync_fingerprint(node->sync, partition, count);
}

uint32_t node_uncounted(const struct node *node)
{
    return node->recount.unknown_count;
}

uint32_t node_hints(const struct node *node)
{
    return node->hints ? hints_count(node->hints->books) : 0;
}

/* How far apart copies were when they were last compared, over the live peers: partitions that
 * differed, and seconds since the comparison that is longest ago. */
void node_view_convergence(const struct node *node, uint32_t *differing, uint32_t *age_s)
{
    *differing = *age_s = 0;
    list_for_each (&node->peer_list, link) {
        const struct node_peer *peer = list_entry(link, struct node_peer, in_peers);
        uint64_t ago = (node->now - peer->synced_at) / 1000000u;

        if (peer->synced_at == 0 || node_rank(node, peer->id8) != RANK_ALIVE)
            continue;
        *differing += peer->differed;
        *age_s = ago > *age_s ? (uint32_t)ago : *age_s;
    }
}

const struct metrics *node_metrics(struct node *node)
{
    uint64_t absent;
    static const enum metric gauges[] = {[RANK_ALIVE] = METRIC_MEMBERS_ALIVE,
                                         [RANK_SUSPECT] = METRIC_MEMBERS_SUSPECT,
                                         [RANK_DEAD] = METRIC_MEMBERS_DEAD,
                                         [RANK_LEFT] = METRIC_MEMBERS_LEFT};

    uint32_t differing, age_s;

    node_view_convergence(node, &differing, &age_s);
    metric_set(&node->metrics, METRIC_SYNC_DIFFERING, differing);
    metric_set(&node->metrics, METRIC_SYNC_AGE, age_s);
    for (unsigned rank = 0; rank < 4; rank++)
        metric_set(&node->metrics, gauges[rank], 0);
    for (uint32_t i = 0; i < swim_count(node->swim); i++)
        metric_add(&node->metrics, gauges[swim_at(node->swim, i)->rank], 1);
    metric_set(&node->metrics, METRIC_LOCAL_HEALTH, swim_health(node->swim));
    metric_set(&node->metrics, METRIC_KEYS, node->keys);
    metric_set(&node->metrics, METRIC_HINTS_PENDING, node_hints(node));
    metric_set(&node->metrics, METRIC_TOMBSTONES, node_tombstones(node, &absent));
    metric_set(&node->metrics, METRIC_STORE_BYTES, node->bytes);
    metric_set(&node->metrics, METRIC_UNCOUNTED, node_uncounted(node));
    metric_set(&node->metrics, METRIC_STORE_BAD, node->mend.by_key.count);
    metric_set(&node->metrics, METRIC_SCRUB_AGE, node_scrub_age_s(node));
    metric_set(&node->metrics, METRIC_STORE_READ_ONLY, node->is_read_only);
    return &node->metrics;
}
