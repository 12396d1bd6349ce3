/* Asking owners in order for a GET or a SCAN: as many as are needed, the best first, and one more
 * when one fails or is slow ("The Tail at Scale", Dean and Barroso 2013). A PUT asks everybody at
 * once, a LIST too. */
#include "ensure.h"
#include "quorum_room.h"

#define HEDGE_MIN INSTANT_MS(10) /* several round trips of a LAN, and one disk read */
#define HEDGE_SHARE 8            /* of the time left: leaves room for further hedges */

static void ask_send(struct quorum *quorum, struct quorum_op *op, struct quorum_part *part)
{
    if (op->kind == QUORUM_GET)
        quorum_get_send(quorum, op, part);
    else
        quorum_scan_send(quorum, op, part);
}

static void ask_hedge_set(struct quorum *quorum, instant now, struct quorum_op *op)
{
    uint64_t delay = op->deadline > now ? (op->deadline - now) / HEDGE_SHARE : 0;

    op->hedge = INSTANT_NEVER;
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].state == PART_IDLE)
            op->hedge = instant_add(now, delay > HEDGE_MIN ? delay : HEDGE_MIN);
    quorum_timer_set(quorum, op);
}

void quorum_ask(struct quorum *quorum, instant now, struct quorum_op *op)
{
    const unsigned counted = 1u << PART_ANSWERED | 1u << PART_ASKED;
    bool is_asked = false;

    for (unsigned i = 0; i < op->part_count; i++) {
        struct quorum_part *part = &op->parts[i];
        bool base = quorum_op_reach(op, false, counted) < op->base_required;
        bool target = quorum_op_reach(op, true, counted) < op->target_required;

        if (part->state != PART_IDLE)
            continue;
        if ((base && part->owner.is_base) || (target && part->owner.is_target)) {
            ask_send(quorum, op, part);
            is_asked = true;
        }
    }
    if (is_asked)
        ask_hedge_set(quorum, now, op);
}

void quorum_ask_slow(struct quorum *quorum, instant now, struct quorum_op *op)
{
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].state == PART_IDLE) {
            ask_send(quorum, op, &op->parts[i]);
            break;
        }
    ask_hedge_set(quorum, now, op);
}
