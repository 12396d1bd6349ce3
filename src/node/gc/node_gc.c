/* node_gc.c: rows nobody needs any more are dropped by all owners of a partition at once, or not at
 * all (protocols.md 7.4, decision 0010). The first owner runs the round:
 *
 *   first owner                                   every other owner
 *   reads rows in which nothing is live
 *   |--- GC_ASK number, rows ------------------------>|  reads its own rows
 *   |                                                 |  writes its promise of `number`, then
 *   |<-- GC_ANSWER a bit per row: nothing live here --|  stamps its copies with it
 *   drops what all agree to, with its own number,
 *   in one batch
 *   |--- GC_DROP bits -------------------------------->|  drops the same rows, if nobody wrote them
 *
 * What was read of a row before its owner gave its word carries a smaller number and is refused
 * where the row is gone (node_gc_level.c). No clock takes part; an owner that is away, or in
 * recovery, keeps everything where it is. Every message may be lost: rows are collected in a later
 * round then. A row that some dropped and others kept comes back as the tombstone it is. */
#include "gc/node_gc.h"
#include "node_parts.h"

#define GC_PATIENCE_US INSTANT_S(5) /* for one stage of a round */
#define GC_RICH 8u                  /* rows of a round after which the next comes sooner */

/* --- rounds */

struct gc_round *node_gc_round(struct node *node, uint32_t ref)
{
    struct gc_round *round = &node->gc->rounds[ref % GC_ROUNDS_MAX];

    return ref != 0 && round->ref == ref ? round : NULL;
}

struct gc_round *node_gc_round_of(struct node *node, uint32_t partition)
{
    for (unsigned i = 0; node->gc && i < GC_ROUNDS_MAX; i++)
        if (node->gc->rounds[i].ref != 0 && node->gc->rounds[i].partition == partition)
            return &node->gc->rounds[i];
    return NULL;
}

void node_gc_progress(struct node *node, struct gc_round *round, enum gc_state state)
{
    round->state = state;
    round->deadline = node->now + GC_PATIENCE_US;
}

/* Begins a round for a partition that has none; others may take what our own leave free. */
struct gc_round *node_gc_begin(struct node *node, uint32_t partition, uint64_t peer)
{
    struct gc_round *round = NULL;
    unsigned own = 0;

    for (unsigned i = 0; i < GC_ROUNDS_MAX; i++) {
        struct gc_round *slot = &node->gc->rounds[i];

        own += slot->ref != 0 && slot->peer == node->self;
        if (slot->ref == 0 && !round)
            round = slot;
    }
    if (!round || (peer == node->self && own >= GC_OWN_MAX) || node_gc_round_of(node, partition))
        return NULL;
    *round = (struct gc_round){.partition = (uint16_t)partition, .peer = peer};
    round->items = calloc(GC_ITEMS_MAX, sizeof(*round->items));
    if (!round->items)
        return NULL;
    if (++node->gc->serial >= UINT32_MAX / GC_ROUNDS_MAX)
        node->gc->serial = 1;
    round->ref = node->gc->serial * GC_ROUNDS_MAX + (uint32_t)(round - node->gc->rounds);
    buffer_init(&round->keys, GC_KEYS_MAX);
    node_gc_progress(node, round, GC_READ);
    if (node->gc->timer.in_timers.place == 0)
        node_gc_wake(node);
    return round;
}

/* The store was reopened: nothing that was read or promised in memory holds any more. */
void node_gc_reset(struct node *node)
{
    for (unsigned i = 0; node->gc && i < GC_ROUNDS_MAX; i++)
        if (node->gc->rounds[i].ref != 0)
            node_gc_end(&node->gc->rounds[i]);
}

bool node_gc_new(struct node *node)
{
    struct node_gc *gc = calloc(1, sizeof(*gc));

    if (!gc)
        return false;
    node->gc = gc;
    gc->timer.kind = TIMER_GC;
    gc->again = calloc(place_partition_max(node->place), sizeof(*gc->again));
    gc->ended = calloc(place_partition_max(node->place), sizeof(*gc->ended));
    gc->due = calloc(place_partition_max(node->place), sizeof(*gc->due));
    return gc->again != NULL && gc->ended != NULL && gc->due != NULL;
}

void node_gc_delete(struct node *node)
{
    if (!node->gc)
        return;
    node_gc_reset(node);
    if (node->timers.nodes)
        heap_remove(&node->timers, &node->gc->timer.in_timers);
    free(node->gc->again);
    free(node->gc->ended);
    free(node->gc->due);
    free(node->gc);
    node->gc = NULL;
}

void node_gc_end(struct gc_round *round)
{
    buffer_close(&round->keys);
    free(round->items);
    free(round->marks);
    *round = (struct gc_round){0};
}

/* --- ends */

/* Gives up a round. */
void node_gc_fail(struct node *node, struct gc_round *round, enum status status)
{
    if (round->peer == node->self) {
        node->gc->due[round->partition] = 1;
        node->gc->is_rich = false;
        node->gc->again[round->partition] = node->now + prng_jitter(&node->prng, GC_AGAIN_US, 25);
        node_trace(node, TRACE_GC_REFUSED, round->partition, node->self, status);
    }
    node_gc_end(round);
}

/* A round of ours found nothing, or only rows that are too young. */
void node_gc_idle(struct node *node, struct gc_round *round, bool is_young)
{
    node->gc->is_rich = round->dropped > GC_RICH;
    node->gc->again[round->partition] = node->now + (is_young ? GC_SOON_US : GC_AGAIN_US);
    node_gc_end(round);
}
