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
#include "node_parts.h"

#define MOVE_TICK_US INSTANT_MS(100)

/* Tells whether this peer is coming, going, or being made whole. */
bool node_move_is_needed(struct node *node)
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
    if (node_move_is_needed(node)) {
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
    bool is_base;
    int rank;

    place_owners(node->place, partition, &owners);
    rank = place_owners_find(&owners, node->self);
    is_base = rank >= 0 && owners.peers[rank].is_base;
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
    if (rank < 0)
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

void node_move_tick(struct node *node)
{
    unsigned state;

    if (!node->place || !node_is_counted(node))
        return; /* node_recount.c wakes us */
    state = node_place_state(node);
    if (node_move_is_needed(node))
        node_marks_trim(node);
    if (node->is_recovering && node_move_is_complete(node, PLACE_ACTIVE)) {
        node->is_recovering = false;
        node_trace(node, TRACE_RECOVERED, 0, 0, 0);
    }
    if (state == PLACE_JOINING && move_is_mine(node) && !node->is_recovering &&
        node->now >= node->placed_at + profile_numbers(node->config.profile)->stable_us &&
        node_move_is_complete(node, PLACE_JOINING) && node_heir_all_done(node))
        node_place_set(node, PLACE_ACTIVE);
    if (state == PLACE_LEAVING &&
        (!move_has_heirs(node) ||
         (move_is_mine(node) && !node->is_recovering && node_hand_is_clean(node) &&
          node_stray_is_clean(node) && node_move_is_complete(node, PLACE_LEAVING))))
        move_left(node);
    if (node->is_leaving)
        node_farewell(node);
    if (node_move_is_needed(node) && node->move_timer.in_timers.place == 0)
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
