/* node_gc_level.c: the numbers of partitions between owners, and copies that come too late.
 *
 * A copy carries the number its sender had when it read the row. Where the receiver's number is
 * larger, the copy may be of the time before a drop: it is refused, unless our row says all it says
 * already, and the sender hears our standing. It raises its number and sends what it reads then; or
 * it learns that rows of its own are of that time: those go, and it pulls the partition anew. */
#include "gc/node_gc.h"
#include "node_parts.h"

uint32_t node_gc_number(struct node *node, uint64_t hash_front)
{
    return sync_standing(node->sync, place_partition(node->place, hash_front))->number;
}

uint32_t node_gc_number_of(struct node *node, struct slice ns, struct slice key)
{
    return sync_standing(node->sync, node_partition_of(node, ns, key))->number;
}

bool node_gc_is_purging(struct node *node, uint64_t hash_front)
{
    struct gc_round *round = node_gc_round_of(node, place_partition(node->place, hash_front));

    return round && (round->state == GC_PURGE_READ || round->state == GC_PURGE_DROP);
}

static void level_send(struct node *node, uint64_t peer, uint32_t partition)
{
    uint8_t room[SYNC_STANDING_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct message level = {.kind = MESSAGE_GC_LEVEL,
                            .gc_level = {.partition = (uint16_t)partition}};

    sync_standing_write(sync_standing(node->sync, partition), &out);
    level.gc_level.standing = writer_done(&out);
    if (peer != 0 && peer != node->self)
        (void)node_send_plain(node, peer, &level);
}

/* Tells whether a copy read under `gc` may bring back what is gone; `peer` hears what holds here.
 */
bool node_gc_is_stale(struct node *node, uint64_t peer, uint64_t hash_front, uint32_t gc)
{
    uint32_t partition = place_partition(node->place, hash_front);

    if (gc >= sync_standing(node->sync, partition)->number)
        return false;
    node_trace(node, TRACE_GC_STALE_COPY, partition, peer, gc);
    metric_add(&node->metrics, METRIC_STALE_COPIES, 1);
    level_send(node, peer, partition);
    return true;
}

/* What the task keeps may be older than a drop: it is not merged. A read is made again. A write of
 * ours that has left is in our row by now, and goes out again as that; if it is not, nobody can say
 * what became of it. False: the task is on another way. */
bool node_gc_forgets(struct node *node, struct node_task *task, const struct crdt_object *row)
{
    bool is_written = task->is_written;

    if (task->gc >= node_gc_number(node, task->hash_front))
        return true;
    blob_drop(&task->object);
    task->gc = node_gc_number(node, task->hash_front);
    if (is_written && !crdt_object_covers(row, &task->dot, 1)) {
        node_task_fail(node, task, STATUS_DEADLINE);
        return false;
    }
    if (task->is_read_done && !is_written) {
        task->is_read_done = false;
        node_task_pause(node, task);
        return false;
    }
    return true;
}

/* Tells whether an owner's answer to a read is of another time than our own copy. A difference of
 * numbers is mended like one of layouts, by asking again: the one below hears of the other. */
bool node_gc_is_apart(struct node *node, uint64_t request, const struct quorum_answer *answer)
{
    const struct node_task *task = node_task_find(node, request);

    if (!task || (answer->status != STATUS_OK && answer->status != STATUS_MISSING))
        return false;
    if (answer->gc > node_gc_number(node, task->hash_front) && !node->is_recovering) {
        level_send(node, answer->from, place_partition(node->place, task->hash_front));
        return true;
    }
    return node_gc_is_stale(node, answer->from, task->hash_front, answer->gc);
}

/* --- what another owner has */

static void level_write(struct node *node, uint32_t partition)
{
    struct store_row *row = effects_alloc(node->fx, sizeof(*row));

    node_gc_standing_row(node, partition, sync_standing(node->sync, partition), false, row);
    node_write_rows(node, row, 1);
}

static void level_raise(struct node *node, uint64_t peer, uint32_t partition, uint32_t number)
{
    struct sync_standing after = *sync_standing(node->sync, partition);

    after.number = number;
    sync_standing_set(node->sync, partition, &after);
    level_write(node, partition);
    node_trace(node, TRACE_GC_RAISED, partition, number, peer);
}

static bool level_is_written(struct node *node, uint32_t partition)
{
    for (uint32_t i = 0; i < node->writes.capacity; i++) {
        const struct node_write *write = pool_at(&node->writes, i);

        if (write->ticket != 0 && write->is_object && write->partition == partition)
            return true;
    }
    return false;
}

/* Who holds nothing can be of no time before. */
static void level_learn(struct node *node, uint64_t peer, uint32_t partition,
                        const struct sync_standing *theirs)
{
    sync_standing_set(node->sync, partition, theirs);
    level_write(node, partition);
    node_trace(node, TRACE_GC_LEARNED, partition, theirs->number, peer);
}

/* Tells whether whoever counts is there to pull the partition from. */
static bool level_may_purge(struct node *node, uint32_t partition)
{
    struct place_owners owners;

    place_owners(node->place, partition, &owners);
    for (uint8_t i = 0; i < owners.count; i++)
        if (owners.peers[i].is_base && owners.peers[i].id8 != node->self &&
            !node_peer_is_reachable(node, owners.peers[i].id8))
            return false;
    return !node->is_read_only;
}

static bool level_is_owner(struct node *node, uint64_t id8, uint32_t partition)
{
    struct place_owners owners;

    place_owners(node->place, partition, &owners);
    return place_owners_find(&owners, id8) >= 0;
}

static void level_purge(struct node *node, uint64_t peer, uint32_t partition,
                        const struct sync_standing *theirs)
{
    struct gc_round *round = node_gc_round_of(node, partition);

    if (round && (round->state == GC_PROMISE || round->state >= GC_DROP))
        return; /* what it writes is on its way; we shall hear of it again */
    if (round)
        node_gc_end(round);
    if (!level_may_purge(node, partition) || !(round = node_gc_begin(node, partition, node->self)))
        return;
    round->standing = *theirs;
    node->is_recovering |= level_is_owner(node, node->self, partition);
    node->pulled[partition] = node->given[partition] = (struct node_marks){.target = 0};
    node_trace(node, TRACE_GC_PURGED, partition, theirs->number, peer);
    memset(round->bits, 0xFF, sizeof(round->bits));
    node_gc_purge_more(node, round);
    node_move_wake(node);
}

/* Another owner tells what it has of a partition. A former owner hears it as well, when it offers
 * what it has left: rows that may have been dropped since are of no use to anybody. */
void node_gc_heard(struct node *node, uint64_t peer, uint32_t partition, struct slice bytes)
{
    struct sync_standing theirs;
    const struct sync_standing *ours;
    enum sync_verdict verdict;
    uint32_t rows;
    bool is_owner;

    if (!node->gc || !node_is_counted(node) || partition >= place_partition_count(node->place) ||
        !sync_standing_read(bytes, &theirs))
        return;
    ours = sync_standing(node->sync, partition);
    is_owner = level_is_owner(node, node->self, partition);
    verdict = sync_standing_judge(ours, &theirs, node->self, is_owner && !node->is_recovering);
    if (!level_is_owner(node, verdict == SYNC_AHEAD ? node->self : peer, partition))
        return; /* only an owner's standing counts */
    switch (verdict) {
    case SYNC_LEVEL:
        break;
    case SYNC_AHEAD:
        level_send(node, peer, partition);
        break;
    case SYNC_RAISE:
        level_raise(node, peer, partition, theirs.number);
        break;
    case SYNC_BEHIND:
        (void)sync_fingerprint(node->sync, partition, &rows);
        if (rows == 0 && !level_is_written(node, partition) && !node_gc_round_of(node, partition))
            level_learn(node, peer, partition, &theirs);
        else
            level_purge(node, peer, partition, &theirs);
        break;
    }
}

/* --- older rows of ours */

void node_gc_purge_more(struct node *node, struct gc_round *round)
{
    round->item_count = round->at = round->pages = 0;
    buffer_clear(&round->keys, 0);
    node_gc_progress(node, round, GC_PURGE_READ);
    node_gc_range(node, round, NULL);
    node_gc_read(node, round);
}

void node_gc_purge_page(struct node *node, struct gc_round *round, bool is_any)
{
    struct sync_standing theirs = round->standing;
    uint32_t partition = round->partition;

    if (round->item_count > 0) {
        node_gc_drop(node, round);
    } else if (is_any || level_is_written(node, partition)) {
        node_gc_purge_more(node, round); /* what is on its way ends first */
    } else {
        node_gc_end(round);
        level_learn(node, node->self, partition, &theirs);
    }
}

/* --- messages */

void node_gc_message(struct node *node, uint64_t peer, const struct message *message)
{
    if (!node->gc || !node_is_counted(node))
        return;
    if (message->kind == MESSAGE_GC_ASK)
        node_gc_asked(node, peer, &message->gc_ask);
    else if (message->kind == MESSAGE_GC_ANSWER)
        node_gc_answered(node, peer, &message->gc_answer);
    else if (message->kind == MESSAGE_GC_DROP)
        node_gc_told(node, peer, &message->gc_drop);
    else
        node_gc_heard(node, peer, message->gc_level.partition, message->gc_level.standing);
}
