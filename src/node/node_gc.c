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
#include "node_gc.h"
#include "node_hint.h"
#include "node_parts.h"

#define GC_PATIENCE_US INSTANT_S(5) /* for one stage of a round */
#define GC_AGAIN_US INSTANT_S(5)    /* a partition whose round brought nothing */
#define GC_SOON_US INSTANT_MS(500)  /* one whose rows are young */
#define GC_MANY 256u                /* dead rows from which rounds come faster */
#define GC_FASTER 8u

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
    return gc->again != NULL && gc->ended != NULL;
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
    free(node->gc);
    node->gc = NULL;
}

void node_gc_end(struct gc_round *round)
{
    buffer_close(&round->keys);
    free(round->items);
    *round = (struct gc_round){0};
}

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
    return node->gc && node->phase == NODE_OPEN && !node->is_recovering && !node->is_read_only &&
           !node->is_leaving;
}

/* A minority moves partitions among itself while it is cut off; it must not collect as well. */
static bool gc_has_majority(struct node *node)
{
    uint32_t listed = 0, alive = 0;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (record->state == PLACE_OUT)
            continue;
        listed++;
        alive += id8 == node->self || node_peer_is_reachable(node, id8);
    }
    return 2 * alive > listed;
}

static void gc_start(struct node *node, uint32_t partition)
{
    uint64_t owners[REPLICAS_MAX], absent;
    unsigned count = node_gc_owners(node, partition, owners, &absent);
    struct gc_round *round;
    bool is_going = node->gc->going == partition + 1;

    node->gc->going = is_going ? 0 : node->gc->going;
    if (count == 0 || owners[0] != node->self)
        return;
    round = node_gc_begin(node, partition, node->self);
    if (!round)
        return;
    round->owner_count = (uint8_t)count;
    memcpy(round->owners, owners, count * sizeof(*owners));
    round->layout = place_layout(node->place);
    round->number = sync_standing_next(sync_standing(node->sync, partition), owners, count);
    node_gc_range(node, round, is_going ? &node->gc->after : NULL);
    node_gc_read(node, round);
}

/* Finds the next partition with something to drop. */
static void gc_next(struct node *node)
{
    struct node_gc *gc = node->gc;
    uint32_t count = place_partition_count(node->place);

    if (gc->going) {
        gc_start(node, gc->going - 1);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t partition = (gc->cursor + i) % count;

        if (sync_dead(node->sync, partition) == 0 || gc->again[partition] > node->now)
            continue;
        gc->cursor = (partition + 1) % count;
        gc_start(node, partition);
        return;
    }
}

/* --- time */

/* Much waits, and clients leave room. */
static bool gc_is_pressed(const struct node *node)
{
    return node->sync && sync_dead_total(node->sync) > GC_MANY &&
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
    if (node->config.gc_interval_ms && node_gc_is_able(node) && gc_has_majority(node) &&
        node_classes_are_settled(node))
        for (unsigned i = 0; i < (gc_is_pressed(node) ? GC_OWN_MAX : 1u); i++)
            gc_next(node);
    if (node->config.gc_interval_ms)
        node_gc_wake(node);
    for (unsigned i = 0; !node->config.gc_interval_ms && i < GC_ROUNDS_MAX; i++)
        if (node->gc->rounds[i].ref != 0)
            node_gc_wake(node);
}

/* Gives up a round. */
void node_gc_fail(struct node *node, struct gc_round *round, enum status status)
{
    if (round->peer == node->self) {
        node->gc->again[round->partition] = node->now + prng_jitter(&node->prng, GC_AGAIN_US, 25);
        node_trace(node, TRACE_GC_REFUSED, round->partition, node->self, status);
    }
    node_gc_end(round);
}

/* A round of ours found nothing, or only rows that are too young. */
void node_gc_idle(struct node *node, struct gc_round *round, bool is_young)
{
    node->gc->again[round->partition] = node->now + (is_young ? GC_SOON_US : GC_AGAIN_US);
    node_gc_end(round);
}
