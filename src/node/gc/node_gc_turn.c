/* node_gc_turn.c: which owner begins a round about which partition, and when (node_gc.c). The first
 * owner of a partition does, as soon as a row of it may be over: one is dead, or the time has come
 * that node_gc_settle.c keeps. One owner away, and nothing begins. */
#include "gc/node_gc.h"
#include "hint/node_hint.h"
#include "node_parts.h"

#define GC_MANY 256u /* dead rows from which rounds come faster */
#define GC_FASTER 8u
#define GC_TURNS 8u      /* one of so many spans of GC_AGAIN_US is each other owner's */
#define GC_TRIES_MAX 16u /* partitions asked about in one tick for one we may collect */
#define GC_LOOKS_MAX                                                                               \
    2048u /* partitions passed in one tick: all of them are half a million steps                   \
           */

/* --- who may run one */

/* The owners of a partition, first us or not; 0 while it moves, one of them is away, or lacks a
 * write. */
unsigned node_gc_owners(struct node *node, uint32_t partition, uint64_t owners[REPLICAS_MAX],
                        uint64_t *absent)
{
    struct place_owners found;
    bool is_ours = false;

    *absent = 0;
    place_owners(node->place, partition, &found);
    if (found.count != found.base_count || found.count != found.target_count ||
        found.count > REPLICAS_MAX)
        return 0;
    for (uint8_t i = 0; i < found.count; i++) {
        const struct swim_view *view = swim_find(node->swim, found.peers[i].id8);

        owners[i] = found.peers[i].id8;
        is_ours |= owners[i] == node->self;
        if (owners[i] != node->self &&
            (!view || view->rank != RANK_ALIVE || node_is_blocked(node, owners[i])))
            *absent = owners[i];
    }
    return is_ours && *absent == 0 && !node_hints_hold(node, partition) ? found.count : 0;
}

uint64_t node_tombstones(struct node *node, uint64_t *absent)
{
    uint64_t count = 0;

    *absent = 0;
    for (uint32_t p = 0; node->gc && p < place_partition_count(node->place); p++) {
        uint64_t owners[REPLICAS_MAX], away;
        uint32_t dead = sync_dead(node->sync, p);

        if (dead == 0 || !node_sync_shares(node, node->self, (uint16_t)p))
            continue;
        (void)node_gc_owners(node, p, owners, &away);
        count += dead;
        *absent = away ? away : *absent;
    }
    return count;
}

bool node_gc_is_able(const struct node *node)
{
    return node->gc && node_is_counted(node) && !node->is_recovering && !node->is_read_only &&
           !node->is_leaving;
}

/* The first owner asks. Others may, now and then, about rows that are wider than the first one's.
 */
static bool gc_is_turn(const struct node *node, uint32_t partition, const uint64_t *owners,
                       unsigned count)
{
    unsigned rank = 0;

    while (rank < count && owners[rank] != node->self)
        rank++;
    return rank == 0 || (node_gc_is_due(node, partition) &&
                         (node->now / GC_AGAIN_US + partition) % GC_TURNS == rank);
}

/* Begins a round of ours. False: we are not the one to begin it, or may not now. */
static bool gc_start(struct node *node, uint32_t partition)
{
    uint64_t owners[REPLICAS_MAX], absent;
    unsigned count = node_gc_owners(node, partition, owners, &absent);
    struct gc_round *round;
    bool is_going = node->gc->going == partition + 1;

    node->gc->going = is_going ? 0 : node->gc->going;
    if (count == 0 || !gc_is_turn(node, partition, owners, count)) {
        node->gc->again[partition] = node->now + GC_SOON_US;
        return false;
    }
    round = node_gc_begin(node, partition, node->self);
    if (!round)
        return true; /* enough is under way */
    round->owner_count = (uint8_t)count;
    memcpy(round->owners, owners, count * sizeof(*owners));
    round->layout = place_layout(node->place);
    round->number = sync_standing_next(sync_standing(node->sync, partition), owners, count);
    if (!is_going)
        node->gc->due[partition] = 0; /* what is left is found again */
    node_gc_range(node, round, is_going ? &node->gc->after : NULL);
    node_gc_read(node, round);
    return true;
}

/* Finds the next partition with something to drop. */
static void gc_next(struct node *node)
{
    struct node_gc *gc = node->gc;
    uint32_t count = place_partition_count(node->place);
    uint32_t looks = count < GC_LOOKS_MAX ? count : GC_LOOKS_MAX;

    if (gc->going) {
        (void)gc_start(node, gc->going - 1);
        return;
    }
    for (uint32_t i = 0, tried = 0; i < looks && tried < GC_TRIES_MAX; i++) {
        uint32_t partition = gc->cursor % count;

        gc->cursor = (partition + 1) % count;
        if (gc->again[partition] > node->now ||
            (sync_dead(node->sync, partition) == 0 && !node_gc_is_due(node, partition)))
            continue;
        if (gc_start(node, partition))
            return;
        tried++;
    }
}

/* --- time */

/* Much waits, and clients leave room. */
static bool gc_is_pressed(const struct node *node)
{
    return node->sync && (node->gc->is_rich || sync_dead_total(node->sync) > GC_MANY) &&
           pool_used(&node->tasks) <= node->tasks.capacity / 8;
}

void node_gc_wake(struct node *node)
{
    uint64_t tick = INSTANT_MS(node->config.gc_interval_ms ? node->config.gc_interval_ms : 1000);

    if (gc_is_pressed(node))
        tick /= GC_FASTER;
    heap_set(&node->timers, &node->gc->timer.in_timers, node->now + tick);
}

void node_gc_tick(struct node *node)
{
    if (!node->gc)
        return;
    for (unsigned i = 0; i < GC_ROUNDS_MAX; i++) {
        struct gc_round *round = &node->gc->rounds[i];

        /* A page or a batch under way ends by itself. */
        if (round->ref != 0 && round->deadline <= node->now &&
            (round->state == GC_ASK || round->state == GC_WORD)) {
            node_gc_silent(node, round);
            node_gc_fail(node, round, STATUS_DEADLINE);
        }
    }
    /* A minority moves partitions among itself while it is cut off; it must not collect as well. */
    if (node->config.gc_interval_ms && node_gc_is_able(node) &&
        node_has_majority(node, node_peer_is_reachable) && node_classes_are_settled(node))
        for (unsigned i = 0; i < (gc_is_pressed(node) ? GC_OWN_MAX : 1u); i++)
            gc_next(node);
    if (node->config.gc_interval_ms)
        node_gc_wake(node);
    for (unsigned i = 0; !node->config.gc_interval_ms && i < GC_ROUNDS_MAX; i++)
        if (node->gc->rounds[i].ref != 0)
            node_gc_wake(node);
}
