/* place_spread.c: which peers become owners, given their scores.
 *
 * Owners are picked one by one, each time the best score of the first class that is not empty:
 *
 *   class 0   host unused and zone unused
 *   class 1   host unused
 *   class 2   peer unused
 *
 * so that two owners share a host only when no other host is left, then the same for zones (K11).
 * The classes are looked at per pick and not fixed beforehand: a zone that fills up late must not
 * spoil the earlier picks. */
#include "place_private.h"

#include <stdlib.h>
#include <string.h>

#include "ensure.h"

enum status place_spread_init(struct place_spread *spread, const struct place_peer *peers,
                              uint32_t count)
{
    *spread = (struct place_spread){.peers = peers, .count = count};
    spread->draws = calloc(count ? count : 1, 2 * sizeof *spread->draws);
    spread->is_used = calloc(count ? count : 1, 3);
    if (!spread->draws || !spread->is_used) {
        place_spread_close(spread);
        return STATUS_MEMORY;
    }
    spread->scores = spread->draws + count;
    spread->is_host_used = spread->is_used + count;
    spread->is_zone_used = spread->is_host_used + count;
    return STATUS_OK;
}

void place_spread_close(struct place_spread *spread)
{
    free(spread->draws);
    free(spread->is_used);
    *spread = (struct place_spread){0};
}

/* The class of an unused peer; smaller is better. */
static unsigned place_spread_class(const struct place_spread *spread, uint32_t peer)
{
    if (spread->is_host_used[spread->peers[peer].host])
        return 2;
    return spread->is_zone_used[spread->peers[peer].zone] ? 1 : 0;
}

static uint64_t place_spread_score(struct place_spread *spread, uint32_t peer)
{
    uint64_t *score = &spread->scores[peer];

    if (*score == 0)
        *score = place_draw_score(spread->draws[peer], spread->peers[peer].weight);
    return *score;
}

/* Whether peer `a`, which stands behind `b` in id order, has the better score. Among equal weights
 * the larger draw has it, unless the two are so close that the truncated logarithms could tie:
 * then, and among unequal weights, the scores themselves decide. */
static bool place_spread_is_better(struct place_spread *spread, uint32_t a, uint32_t b)
{
    uint64_t draw_a = spread->draws[a], draw_b = spread->draws[b];
    uint64_t larger = draw_a > draw_b ? draw_a : draw_b;
    uint64_t smaller = draw_a > draw_b ? draw_b : draw_a;

    if (spread->peers[a].weight == spread->peers[b].weight &&
        larger - smaller > (smaller >> 28) + 1)
        return draw_a > draw_b;
    return place_spread_score(spread, a) < place_spread_score(spread, b);
}

static uint32_t place_spread_best(struct place_spread *spread)
{
    uint32_t best = UINT32_MAX;
    unsigned best_class = UINT32_MAX;

    for (uint32_t i = 0; i < spread->count; i++) {
        unsigned class;

        if (spread->is_used[i])
            continue;
        class = place_spread_class(spread, i);
        /* Peers stand in id order, so that a strict comparison breaks ties by id. */
        if (class < best_class ||
            (class == best_class && place_spread_is_better(spread, i, best))) {
            best = i;
            best_class = class;
        }
    }
    return best;
}

static void place_spread_use(struct place_spread *spread, uint32_t peer, uint8_t is_used)
{
    spread->is_used[peer] = is_used;
    spread->is_host_used[spread->peers[peer].host] = is_used;
    spread->is_zone_used[spread->peers[peer].zone] = is_used;
}

bool place_spread_keeps(struct place_spread *spread, const uint16_t *owners, unsigned count,
                        uint16_t newcomer)
{
    unsigned rank = 0;

    spread->scores[newcomer] = 0;
    for (unsigned i = 0; i < count; i++)
        spread->scores[owners[i]] = 0;
    for (; rank < count; rank++) {
        uint16_t owner = owners[rank];
        unsigned class = place_spread_class(spread, owner);
        unsigned other = place_spread_class(spread, newcomer);
        bool is_passed = newcomer > owner ? place_spread_is_better(spread, newcomer, owner)
                                          : !place_spread_is_better(spread, owner, newcomer);

        if (other < class || (other == class && is_passed))
            break;
        place_spread_use(spread, owner, 1);
    }
    for (unsigned i = 0; i < rank; i++)
        place_spread_use(spread, owners[i], 0);
    return rank == count;
}

void place_spread_pick(struct place_spread *spread, unsigned wanted, uint16_t *owners)
{
    ensure(wanted <= spread->count);
    memset(spread->scores, 0, spread->count * sizeof *spread->scores);
    for (unsigned rank = 0; rank < wanted; rank++) {
        uint32_t best = place_spread_best(spread);

        ensure(best < spread->count);
        owners[rank] = (uint16_t)best;
        place_spread_use(spread, best, 1);
    }
    for (unsigned rank = 0; rank < wanted; rank++)
        place_spread_use(spread, owners[rank], 0);
}
