/* node_heir.c: taking over what others give up. Whoever stands in the target set of a partition and
 * not in its base set is an heir of the current move and pulls it from N-W+1 of the owners in base
 * before base becomes the target:
 *
 *   GONE      a forgotten peer left base at once, its rank stands empty, and nobody moves up before
 *             it has the rows. The owner of the smallest id asks all heirs, then writes OUT.
 *   WEIGHING  a peer takes a larger share from others or leaves a part of its own to them. It asks
 *             them itself, then counts with its new weight.
 *   JOINING   the newcomer is an heir of its own (node_move.c). Where hosts and zones are shared
 *             its coming may move another peer up as well: then it asks too. */
#include "node_impl.h"
#include "node_parts.h"

#define HEIR_TICK_US INSTANT_S(1)

static unsigned heir_state(const struct node *node, uint64_t id8)
{
    const struct place_record *record = place_find(node->place, id8);

    return record ? record->state : 0;
}

/* Tells whether every heir beside this peer said that it has pulled its share; if nobody was asked
 * yet, whether there is none. */
static bool heir_others_said(struct node *node, bool is_asked)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;

        place_owners(node->place, p, &owners);
        for (uint8_t i = owners.base_count; i < owners.count; i++)
            if (owners.peers[i].id8 != node->self &&
                !(is_asked && node_forget_agrees(node, owners.peers[i].id8, FORGET_DONE)))
                return false;
    }
    return true;
}

/* Tells whether this peer is to own a partition that it does not own in base. */
bool node_heir_gains(struct node *node)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;

        place_owners(node->place, p, &owners);
        for (uint8_t i = owners.base_count; i < owners.count; i++)
            if (owners.peers[i].id8 == node->self)
                return true;
    }
    return false;
}

/* The layout changed: are we to take over a share? */
void node_heir_begin(struct node *node)
{
    uint64_t current = place_current(node->place), heir_of = 0;
    unsigned state = heir_state(node, current);

    if (place_is_in_base(node_place_state(node)) &&
        (state == PLACE_GONE || state == PLACE_WEIGHING ||
         (state == PLACE_JOINING && node_heir_gains(node))))
        heir_of = current;
    if (heir_of && heir_of != node->heir_of)
        node_marks_reset(node); /* evidence of another time */
    node->heir_of = heir_of;
    if (node->forget_timer.in_timers.place == 0)
        heap_set(&node->timers, &node->forget_timer.in_timers, node->now + HEIR_TICK_US);
}

/* Tells whether we have pulled all we take over by the move of `subject`. */
bool node_heir_is_done(struct node *node, uint64_t subject)
{
    return node->heir_of == subject && !node->is_recovering &&
           node_move_is_complete(node, PLACE_GONE);
}

/* The owner of the smallest id asks; two who think so do no harm. Of a peer that is there, itself.
 */
static bool heir_asks(struct node *node, uint64_t subject)
{
    if (heir_state(node, subject) != PLACE_GONE)
        return subject == node->self;
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (id8 < node->self && record->state == PLACE_ACTIVE && node_peer_is_reachable(node, id8))
            return false;
    }
    return true;
}

/* Tells whether every other heir of the current move has its share, and asks those who did not say
 * so. */
bool node_heir_all_done(struct node *node)
{
    uint64_t subject = place_current(node->place);

    if (heir_state(node, subject) != PLACE_GONE && heir_others_said(node, false))
        return true;
    node_forget_ask(node, FORGET_DONE, subject);
    return heir_others_said(node, true);
}

void node_heir_tick(struct node *node)
{
    uint64_t subject = node->heir_of;

    if (!subject)
        return;
    if (heir_state(node, subject) == PLACE_GONE && node->forget.wait == FORGET_NOBODY) {
        node->forget.wait = FORGET_HEIRS;
        node->forget.waiting = subject;
    }
    if (!heir_asks(node, subject) || !node_heir_all_done(node) || !node_heir_is_done(node, subject))
        return;
    if (subject == node->self) {
        node_trace(node, TRACE_WEIGHED, place_find(node->place, subject)->weight_next, 0, 0);
        node_place_set(node, PLACE_ACTIVE);
        return;
    }
    node_trace(node, TRACE_FORGET_TAKEN_OVER, subject, 0, 0);
    node_place_other(node, subject, PLACE_OUT);
}
