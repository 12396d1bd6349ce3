/* node_rounds.c: when this peer compares itself with which other, how fast it asks for what it
 * lacks, and what follows from a round. The comparison itself is sync's; what its outcome means for
 * a move is node_move's. */
#include "hint/node_hint.h"
#include "node_impl.h"
#include "node_parts.h"

#define SYNC_TICK_US INSTANT_MS(100)
#define CLIENTS_FIRST_US 1000         /* between two questions for rows while clients are served */
#define SYNC_AGAIN_US INSTANT_MS(250) /* after a round that failed */
#define SYNC_MOVING_US INSTANT_S(2)   /* while something is moving */

/* Tells whether most of what others hold is lacking: they are asked one after the other, so that
 * what the first brings the next finds here, and sums are all that is compared. */
static bool rounds_pull(const struct node *node)
{
    return node_place_state(node) == PLACE_JOINING || node->is_recovering;
}

/* How fast rows may be asked for. Clients come first: while there are any, a question follows the
 * last one only after a moment in which they have this peer and its disk for themselves. */
static void rounds_pace(struct node *node)
{
    const struct node_config *config = &node->config;
    bool is_moving = place_is_moving(node->place) || node->is_recovering;
    bool has_clients = node->jobs.asked != node->jobs.asked_seen;
    uint64_t rate = is_moving ? config->rebalance_rate : config->sync_rate;

    node->jobs.asked_seen = node->jobs.asked;
    rate = is_moving && config->is_rebalance_paused ? 0 : rate ? rate : UINT64_MAX;
    sync_rate(node->sync, rate, has_clients ? CLIENTS_FIRST_US : 0);
}

/* Begins the rounds that are due. */
void node_sync_tick(struct node *node)
{
    enum status status;

    if (!node->sync || !node_is_counted(node))
        return;
    heap_set(&node->timers, &node->sync_timer.in_timers, node->now + SYNC_TICK_US);
    rounds_pace(node);
    list_for_each_safe (&node->peer_list, link) {
        struct node_peer *peer = list_entry(link, struct node_peer, in_peers);
        const struct place_record *record = place_find(node->place, peer->id8);

        if (sync_is_pulling(node->sync) && rounds_pull(node))
            return;
        if (peer->sync_at > node->now || !record || record->state == PLACE_OUT ||
            node_take_runs(node, peer->id8) || !node_peer_is_reachable(node, peer->id8))
            continue;
        status = sync_pull(node->sync, node->now, peer->id8, place_layout(node->place));
        if (status == STATUS_FULL)
            return;
        if (status == STATUS_OK) /* BUSY: what it compares is of the time it began */
            peer->pulled_at = node->now;
        peer->sync_at =
            node->now + prng_jitter(&node->prng, INSTANT_MS(node->config.sync_interval_ms), 25);
        list_remove(link); /* behind the others, so that few rounds at once serve all peers */
        list_push_back(&node->peer_list, link);
        metric_add(&node->metrics, METRIC_SYNC_ROUNDS, 1);
    }
}

static bool rounds_is_leaving(const struct node *node, uint64_t id8)
{
    const struct place_record *record = place_find(node->place, id8);

    return record && record->state == PLACE_LEAVING;
}

void node_sync_done(struct node *node, const struct sync_output *done)
{
    struct node_peer *peer = node_peer(node, done->peer);

    if (done->is_taken) {
        node_take_done(node, done);
        return;
    }
    node_trace(node, TRACE_SYNC_ROUND, done->peer, done->compared, done->differed);
    if (peer && done->status == STATUS_OK) {
        peer->synced_at = node->now;
        peer->differed = done->differed;
        if (done->differed == 0)
            node_hint_agreed(node, done->peer, peer->pulled_at);
    }
    if (peer && done->status != STATUS_OK)
        peer->sync_at = node->now + prng_jitter(&node->prng, SYNC_AGAIN_US, 25);
    else if (peer && (node_move_is_needed(node) || rounds_is_leaving(node, done->peer)))
        peer->sync_at = node->now + prng_jitter(&node->prng, SYNC_MOVING_US, 25);
    if (rounds_pull(node))
        heap_set(&node->timers, &node->sync_timer.in_timers, node->now);
    heap_set(&node->timers, &node->move_timer.in_timers, node->now);
}

/* A fact of sync: the partition was pulled from a peer, or by a peer from us. There is one per
 * partition and round, so that it is not queued; nobody but a mover needs it. */
void node_sync_fact(struct node *node, const struct sync_output *fact)
{
    bool is_given = fact->kind == SYNC_GIVEN;

    if (fact->is_taken)
        node_take_pulled(node, fact);
    if (fact->is_taken || fact->layout != place_layout(node->place) || !node_move_is_needed(node) ||
        (is_given && node_place_state(node) != PLACE_LEAVING))
        return;
    node_marks_trim(node);
    node_marks_add(node, fact->partition, fact->peer, is_given);
}

bool node_sync_shares(void *context, uint64_t peer, uint16_t partition)
{
    struct node *node = context;

    return place_owns(node->place, partition, node->self) &&
           place_owns(node->place, partition, peer);
}
