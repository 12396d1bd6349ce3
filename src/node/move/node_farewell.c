/* node_farewell.c: the last moments of a peer that leaves. Its record says OUT, and nobody needs it
 * any more; but if it stopped while those who stay are down, they would come back to a list on
 * which it still owns something, and wait for it for ever (simulator, profile `move`, seed 11: the
 * last two of four left behind the back of the one owner that stayed).
 *
 *   OUT --TABLE to everybody on the list, until most of them hold our record--> LEFT --> the end
 *
 * Who holds it shows in the table that a peer sends anyway: its list names the stamp of each
 * record. */
#include "node_impl.h"
#include "node_parts.h"

#define LEAVE_TELL_US INSTANT_S(1)      /* OUT reaches everybody before LEFT: that closes links */
#define LEAVE_KNOWN_MAX 8u              /* so many who know tell the others: tables are large */
#define LEAVE_LINGER_US INSTANT_MS(300) /* so that LEFT is on its way before the socket closes */

/* The table of a peer: has it our record? */
void node_farewell_heard(struct node *node, uint64_t id8, struct slice places)
{
    const struct place_record *record = node->place ? place_find(node->place, node->self) : NULL;
    struct node_peer *peer = node_peer(node, id8);
    struct reader in = reader_over(places);

    while (node->is_leaving && record && peer && reader_left(&in) >= 16) {
        uint64_t subject = read_u64(&in), stamp = read_u64(&in);

        peer->knows_us |= subject == node->self && stamp >= record->stamp;
    }
}

/* Tells whether most of those who stay know that we are OUT, and asks the others. */
static bool farewell_is_known(struct node *node)
{
    uint32_t others = 0, known = 0, asked = 0;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);
        struct node_peer *peer = id8 == node->self ? NULL : node_peer(node, id8);

        if (id8 == node->self || record->state == PLACE_OUT || record->state == PLACE_GONE)
            continue;
        others++;
        if (peer && peer->knows_us)
            known++;
        else if (node_peer_is_reachable(node, id8) && asked++ < LEAVE_KNOWN_MAX)
            node_table_soon(node, id8);
    }
    return others == 0 || 2 * known > others || known >= LEAVE_KNOWN_MAX;
}

void node_farewell(struct node *node)
{
    if (!node->is_leave_done && farewell_is_known(node) &&
        node->now >= node->placed_at + LEAVE_TELL_US) {
        swim_leave(node->swim, node->now);
        node->is_leave_done = true;
        node->placed_at = node->now;
    }
    if (node->is_leave_done && node->now >= node->placed_at + LEAVE_LINGER_US) {
        node->phase = NODE_STOPPED;
        effects_push(node->fx, EFFECT_STOP)->stop.reason = STATUS_OK;
    }
}
