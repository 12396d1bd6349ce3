/* node_heir.c: taking over the share of a peer that is forgotten. It left base at once, its rank
 * stands empty, and nobody moves up before it has pulled from N-W+1 of the owners that stay
 * (place.h, GONE). The owner of the smallest id asks all heirs; when they are done the record
 * becomes OUT, and the ranks close up. */
#include "node_impl.h"
#include "node_parts.h"

#define HEIR_TICK_US INSTANT_S(1)

/* The layout changed: are we to take over the share of one that is forgotten? */
void node_heir_begin(struct node *node)
{
    uint64_t current = place_current(node->place);
    unsigned state = node_place_state(node);
    const struct place_record *record = place_find(node->place, current);
    uint64_t heir_of =
        record && record->state == PLACE_GONE && (state == PLACE_ACTIVE || state == PLACE_LEAVING)
            ? current
            : 0;

    if (heir_of && heir_of != node->heir_of)
        node_marks_reset(node); /* evidence of another time */
    node->heir_of = heir_of;
    if (node->forget_timer.in_timers.place == 0)
        heap_set(&node->timers, &node->forget_timer.in_timers, node->now + HEIR_TICK_US);
}

/* Tells whether we have pulled all we take over from a forgotten peer. */
bool node_heir_is_done(struct node *node, uint64_t subject)
{
    return node->heir_of == subject && !node->is_recovering &&
           node_move_is_complete(node, PLACE_GONE);
}

/* The owner of the smallest id asks; two who think so do no harm. */
static bool heir_asks(struct node *node)
{
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (id8 < node->self && record->state == PLACE_ACTIVE && node_peer_is_reachable(node, id8))
            return false;
    }
    return true;
}

/* Tells whether every heir said that it has pulled its share. */
static bool heir_all_done(struct node *node)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;

        place_owners(node->place, p, &owners);
        for (uint8_t i = 0; i < owners.count; i++)
            if (owners.peers[i].is_target && !owners.peers[i].is_base &&
                !node_forget_agrees(node, owners.peers[i].id8, FORGET_DONE))
                return false;
    }
    return node_heir_is_done(node, node->heir_of);
}

void node_heir_tick(struct node *node)
{
    uint64_t subject = node->heir_of;

    if (!subject)
        return;
    if (node->forget.wait == FORGET_NOBODY) {
        node->forget.wait = FORGET_HEIRS;
        node->forget.waiting = subject;
    }
    if (!heir_asks(node))
        return;
    node_forget_ask(node, FORGET_DONE, subject);
    if (!heir_all_done(node))
        return;
    node_trace(node, TRACE_FORGET_TAKEN_OVER, subject, 0, 0);
    node_place_other(node, subject, PLACE_OUT);
}
