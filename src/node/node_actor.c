/* node_actor.c: the clock actor under which this peer writes. Who has seen one write of an actor
 * counts every earlier one of that row as met (crdt_dvv.c): what is not listed is discarded. That
 * is so as long as the writer's own row holds all it wrote there. An actor therefore ends
 *
 *   for all partitions   with the opening of the store: rollback, wipe, a commit that failed
 *   for one partition    when a row of it is found damaged, is purged, or is given up to its
 * owners; when a write went to the others and could not be stored here
 *
 * and the next write there is the first of a new one. Ended actors leave rows again when all owners
 * agree (node_gc_settle.c). */
#include "gc/node_gc.h"
#include "node_parts.h"

static uint64_t actor_of(const struct node *node, uint32_t ended)
{
    uint8_t bytes[16];
    uint64_t actor;

    if (ended == 0)
        return node->actor;
    bytes_store_u64(bytes, node->actor);
    bytes_store_u64(bytes + 8, ended);
    actor = hash_sip64(node->founding.hash_seed, bytes, sizeof(bytes)) >> 16; /* as hash_actor */
    return actor == 0 ? 1 : actor;
}

/* The actor of our next write to a partition. */
uint64_t node_actor(const struct node *node, uint32_t partition)
{
    return actor_of(node, node->gc->ended[partition]);
}

/* The dot of a new write of the task's row, above the stamp `above`. */
struct dot node_actor_dot(struct node *node, const struct node_task *task, uint64_t above)
{
    return (struct dot){node_actor(node, place_partition(node->place, task->hash_front)),
                        crdt_clock_next(&node->clock, node->wall_ms, above)};
}

/* This peer may have lost a row of the partition, or what it wrote to it. */
void node_actor_end(struct node *node, uint32_t partition)
{
    if (!node->gc)
        return; /* nothing was written yet */
    node->gc->ended[partition]++;
    node_trace(node, TRACE_ACTOR_ENDED, partition, node->gc->ended[partition], 0);
}

/* Tells whether an actor wrote in this opening of the store. */
bool node_actor_is_ours(const struct node *node, uint32_t partition, uint64_t actor)
{
    bool is_ours = false;

    for (uint32_t ended = node->gc->ended[partition] + 1; ended > 0 && !is_ours; ended--)
        is_ours = actor_of(node, ended - 1) == actor;
    return is_ours;
}
