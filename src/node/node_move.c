/* node_move.c: coming, going, and being made whole. A peer that joins pulls its partitions from the
 * base owners and turns ACTIVE; one that leaves stays an owner until the target owners have pulled
 * from it; one in recovery is compared before its copies count (protocols.md part 4, decision
 * 0003).
 *
 *   JOINING --pulled every partition from N-W+1 base owners, stable--> ACTIVE
 *   LEAVING --W target owners pulled every partition from us---------> OUT, stop
 *   WEIGHING -whoever gains by it pulled that (node_heir.c)----------> ACTIVE
 *   recovering --pulled every partition from N-W+1 others------------> sound
 */
#include "node_hint.h"
#include "node_parts.h"

#define MOVE_TICK_US INSTANT_MS(100)
#define MOVE_PATIENCE_US INSTANT_S(5) /* with a peer that was to move before us and is away */
#define SYNC_TICK_US INSTANT_MS(100)
#define CLIENTS_FIRST_US 1000         /* between two questions for rows while clients are served */
#define SYNC_AGAIN_US INSTANT_MS(250) /* after a round that failed */
#define SYNC_MOVING_US INSTANT_S(2)   /* while something is moving */

/* How long a newcomer must have been there before it counts (protocols.md 2.4). */
static const uint64_t stable_us[] = {
    [PROFILE_LOCAL] = INSTANT_S(2), [PROFILE_LAN] = INSTANT_S(30), [PROFILE_WAN] = INSTANT_S(60)};

/* Tells whether this peer is coming, going, or being made whole. */
static bool move_is_needed(struct node *node)
{
    unsigned state = node_place_state(node);

    return state == PLACE_JOINING || state == PLACE_LEAVING || state == PLACE_WEIGHING ||
           node->is_recovering || node->is_leaving || node->heir_of != 0;
}

void node_move_wake(struct node *node)
{
    if (!node->place || node->phase != NODE_OPEN)
        return;
    node_heir_begin(node);
    if (move_is_needed(node)) {
        node_marks_trim(node);
        list_for_each (&node->peer_list, link)
            list_entry(link, struct node_peer, in_peers)->sync_at = 0;
    }
    heap_set(&node->timers, &node->move_timer.in_timers, node->now);
    heap_set(&node->timers, &node->sync_timer.in_timers, node->now);
    heap_set(&node->timers, &node->hand_timer.in_timers, node->now);
}

/* Nobody of this cell holds anything: the peer whose move is current begins. Only where cells were
 * set at the founding; a cluster that splits hands its partitions over instead. */
static bool move_begins_cell(struct node *node)
{
    return node->founding.cell_depth > 0;
}

/* Tells whether a partition has what it needs before this peer may leave `state`. */
bool node_move_is_whole(struct node *node, uint32_t partition, enum place_state state)
{
    struct place_owners owners;
    unsigned others, full, enough, pulled;
    bool is_base = false, is_ours = false;

    place_owners(node->place, partition, &owners);
    for (uint8_t i = 0; i < owners.count; i++) {
        is_ours |= owners.peers[i].id8 == node->self;
        is_base |= owners.peers[i].id8 == node->self && owners.peers[i].is_base;
    }
    others = owners.base_count - (unsigned)is_base;
    full = owners.base_count + owners.gone_count;
    enough = full - full / 2u; /* N - W + 1, of the whole set: what was acknowledged is there */
    pulled = node_marks_count(&node->pulled[partition]);
    if (state == PLACE_GONE && is_base)
        return true; /* only what we take over */
    if (enough > others && state == PLACE_LEAVING)
        enough = others + 1u;
    if (state == PLACE_LEAVING) /* we count as one of the base owners compared */
        return !is_base || (pulled + 1u >= enough && node_marks_count(&node->given[partition]) >=
                                                         owners.target_count / 2u + 1u);
    if (!is_ours)
        return true;
    if (state == PLACE_JOINING && others == 0)
        return move_begins_cell(node); /* else the list has not come yet */
    return pulled >= (enough < others ? enough : others);
}

/* Tells whether every partition has what it needs before we may leave `state`; GONE: before the
 * forgotten peer whose heir we are may be OUT. */
bool node_move_is_complete(struct node *node, enum place_state state)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++)
        if (!node_move_is_whole(node, p, state))
            return false;
    return true;
}

static void move_answer(struct node *node, ticket asker, enum status status)
{
    struct op op = {.kind = OP_LEAVE};
    struct node_outcome outcome = {.status = status};

    if (asker)
        (void)node_reply_client(node, &op, asker, &outcome);
}

static void move_left(struct node *node)
{
    node->is_leaving = true;
    node_place_set(node, PLACE_OUT);
    node_trace(node, TRACE_HANDED_OVER, 0, 0, 0);
    move_answer(node, node->leave_ticket, STATUS_OK);
    node->leave_ticket = 0;
}

/* Tells whether anybody else could take over what we hold. */
static bool move_has_heirs(struct node *node)
{
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);

        if (id_front(&record->id) != node->self &&
            (record->state == PLACE_ACTIVE || record->state == PLACE_JOINING ||
             record->state == PLACE_WEIGHING))
            return true;
    }
    return false;
}

static bool move_is_mine(const struct node *node)
{
    return place_current(node->place) == node->self;
}

/* Moves are made one at a time. Behind a peer that is gone we do not wait: a newer record of ours
 * takes its turn. */
static void move_queue(struct node *node, unsigned state)
{
    bool is_waiting =
        (state == PLACE_JOINING || state == PLACE_LEAVING || state == PLACE_WEIGHING) &&
        !move_is_mine(node);

    if (!is_waiting || node_peer_is_reachable(node, place_current(node->place)))
        node->queued_at = node->now;
    else if (node->now >= node->queued_at + MOVE_PATIENCE_US) {
        node->queued_at = node->now;
        node_place_set(node, (enum place_state)state);
    }
}

void node_move_tick(struct node *node)
{
    unsigned state;

    if (!node->place || node->phase != NODE_OPEN)
        return;
    state = node_place_state(node);
    if (move_is_needed(node))
        node_marks_trim(node);
    if (node->is_recovering && node_move_is_complete(node, PLACE_ACTIVE)) {
        node->is_recovering = false;
        node_trace(node, TRACE_RECOVERED, 0, 0, 0);
    }
    if (state == PLACE_JOINING && move_is_mine(node) && !node->is_recovering &&
        node->now >= node->placed_at + stable_us[node->config.profile] &&
        node_move_is_complete(node, PLACE_JOINING) && node_heir_all_done(node))
        node_place_set(node, PLACE_ACTIVE);
    if (state == PLACE_LEAVING &&
        (!move_has_heirs(node) ||
         (move_is_mine(node) && !node->is_recovering && node_hand_is_clean(node) &&
          node_stray_is_clean(node) && node_move_is_complete(node, PLACE_LEAVING))))
        move_left(node);
    move_queue(node, node_place_state(node));
    if (node->is_leaving)
        node_farewell(node);
    if (move_is_needed(node) && node->move_timer.in_timers.place == 0)
        heap_set(&node->timers, &node->move_timer.in_timers, node->now + MOVE_TICK_US);
}

/* Only who owns something hands it over. A peer that is JOINING counts for nothing yet: as LEAVING
 * it would stand in base, with copies it has not pulled. */
void node_leave(struct node *node, ticket asker)
{
    unsigned state = node_place_state(node);

    if (node->is_leaving) {
        move_answer(node, asker, STATUS_OK); /* everything is handed over already */
        return;
    }
    move_answer(node, node->leave_ticket, STATUS_BUSY); /* the latest asker hears of the end */
    node->leave_ticket = asker;
    if (state == PLACE_ACTIVE || state == PLACE_WEIGHING)
        node_place_set(node, PLACE_LEAVING);
    else if (state != PLACE_LEAVING)
        move_left(node);
}

/* Tells whether most of what others hold is lacking: they are asked one after the other, so that
 * what the first brings the next finds here, and sums are all that is compared. */
static bool move_pulls(const struct node *node)
{
    return node_place_state(node) == PLACE_JOINING || node->is_recovering;
}

/* How fast rows may be asked for. Clients come first: while there are any, a question follows the
 * last one only after a moment in which they have this peer and its disk for themselves. */
static void move_pace(struct node *node)
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

    if (!node->sync || node->phase != NODE_OPEN)
        return;
    heap_set(&node->timers, &node->sync_timer.in_timers, node->now + SYNC_TICK_US);
    move_pace(node);
    list_for_each_safe (&node->peer_list, link) {
        struct node_peer *peer = list_entry(link, struct node_peer, in_peers);
        const struct place_record *record = place_find(node->place, peer->id8);

        if (sync_is_pulling(node->sync) && move_pulls(node))
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

static bool move_is_leaving(const struct node *node, uint64_t id8)
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
    else if (peer && (move_is_needed(node) || move_is_leaving(node, done->peer)))
        peer->sync_at = node->now + prng_jitter(&node->prng, SYNC_MOVING_US, 25);
    if (move_pulls(node))
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
    if (fact->is_taken || fact->layout != place_layout(node->place) || !move_is_needed(node) ||
        (is_given && node_place_state(node) != PLACE_LEAVING))
        return;
    node_marks_trim(node);
    node_marks_add(node, fact->partition, fact->peer, is_given);
}

bool node_sync_shares(void *context, uint64_t peer, uint16_t partition)
{
    struct node *node = context;
    struct place_owners owners;
    bool is_ours = false, is_theirs = false;

    place_owners(node->place, partition, &owners);
    for (uint8_t i = 0; i < owners.count; i++) {
        is_ours |= owners.peers[i].id8 == node->self;
        is_theirs |= owners.peers[i].id8 == peer;
    }
    return is_ours && is_theirs;
}
