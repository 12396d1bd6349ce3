/* node_gc_settle.c: rows that live on lose what is over of them (crdt_settle.c, decision 0018). A
 * round that asks for dead rows asks for parts of live ones as well, by marks:
 *
 *   no value of actor A is here     the entry of A goes, from every owner
 *   A holds these totals here, and   who asked adds them to its own under a new dot, which discards
 *   we never write under A again     A's; that spreads like any write
 *
 * The word means what it means for a dead row: from then on copies of an earlier number are
 * refused, so no value of A can come back, and nobody who still wrote under A could have its totals
 * counted once more.
 *
 * And when to look: each partition keeps the wall clock time from which a row of it may be over, so
 * that partitions of rows that only expire, or only grow wide, are looked at in time. */
#include "gc/node_gc.h"
#include "node_parts.h"

#define SETTLE_MARK_SIZE 19u /* bytes on the wire */
#define SETTLE_ROW_MAX 255u  /* marks of one row */

/* --- when a partition is due */

/* When the last value that is live expires; 0: some value never does, or none is live. */
static uint64_t settle_expiry(const struct crdt_object *object)
{
    uint64_t last = 0;

    for (uint16_t i = 0; i < object->value_count; i++) {
        const struct crdt_value *value = &object->values[i];

        if (value->kind == CRDT_TOMBSTONE)
            continue;
        if (value->expires == 0)
            return 0;
        last = value->expires > last ? value->expires : last;
    }
    return last;
}

/* A row of the partition is there: remembers when it will be of interest. */
void node_gc_note(struct node *node, uint32_t partition, const struct crdt_object *object)
{
    uint64_t due = crdt_object_is_wide(object, node->founding.replicas) ? 1 : settle_expiry(object);

    if (node->gc && due > 0 && (node->gc->due[partition] == 0 || due < node->gc->due[partition]))
        node->gc->due[partition] = due;
}

bool node_gc_is_due(const struct node *node, uint32_t partition)
{
    return node->gc->due[partition] > 0 && node->gc->due[partition] <= node->wall_ms;
}

/* --- marks */

static bool settle_begin(struct gc_round *round)
{
    if (!round->marks)
        round->marks = calloc(GC_MARKS_MAX, sizeof(*round->marks));
    return round->marks != NULL;
}

/* Tells whether our own word is refused for a mark of the row in object_a. */
static bool settle_refuses(struct node *node, const struct gc_round *round, struct crdt_mark *mark)
{
    return !crdt_mark_holds(&node->object_a, mark) ||
           (mark->is_fold && mark->actor == node_actor(node, round->partition));
}

/* Our own round: marks what may be over of the row in object_a, the next item. */
void node_gc_marks_own(struct node *node, struct gc_round *round, struct gc_item *item)
{
    struct crdt_mark marks[SETTLE_ROW_MAX];
    unsigned count;

    if (!crdt_object_is_wide(&node->object_a, node->founding.replicas) || !settle_begin(round))
        return;
    count = crdt_object_marks(&node->object_a, marks, SETTLE_ROW_MAX);
    for (unsigned i = 0; i < count && round->mark_count < GC_MARKS_MAX; i++) {
        if (settle_refuses(node, round, &marks[i]))
            continue;
        round->marks[round->mark_count++] =
            (struct gc_mark){.mark = marks[i], .item = (uint16_t)round->item_count};
        item->marks++;
    }
}

/* Another's round: what is asked about our row in object_a. */
void node_gc_marks_check(struct node *node, struct gc_round *round, uint32_t item)
{
    for (uint32_t i = 0; i < round->mark_count; i++)
        if (round->marks[i].item == item)
            round->marks[i].is_refused = settle_refuses(node, round, &round->marks[i].mark);
}

struct slice node_gc_marks_write(struct node *node, const struct gc_round *round)
{
    size_t size = SETTLE_MARK_SIZE * round->mark_count;
    struct writer out = writer_over(effects_alloc(node->fx, size + 1), size);

    for (uint32_t i = 0; i < round->mark_count; i++) {
        write_u16(&out, round->marks[i].item);
        write_u64(&out, round->marks[i].mark.actor);
        write_u64(&out, round->marks[i].mark.stamp);
        write_u8(&out, round->marks[i].mark.is_fold);
    }
    return writer_done(&out);
}

/* Takes the marks of another's round. False: they are none. */
bool node_gc_marks_read(struct gc_round *round, struct slice bytes)
{
    struct reader in = reader_over(bytes);

    if (bytes.size % SETTLE_MARK_SIZE != 0 || bytes.size / SETTLE_MARK_SIZE > GC_MARKS_MAX ||
        (bytes.size > 0 && !settle_begin(round)))
        return false;
    while (reader_left(&in) > 0) {
        struct gc_mark *mark = &round->marks[round->mark_count++];

        *mark = (struct gc_mark){.item = read_u16(&in)};
        mark->mark.actor = read_u64(&in);
        mark->mark.stamp = read_u64(&in);
        mark->mark.is_fold = read_u8(&in) != 0;
        mark->is_refused = mark->mark.is_fold; /* where there is no row there are no totals */
        if (mark->item >= round->item_count || round->items[mark->item].marks == SETTLE_ROW_MAX)
            return false;
        round->items[mark->item].marks++;
    }
    return true;
}

/* --- when all have given their word */

static void settle_start(struct node *node, struct gc_round *round, uint32_t item,
                         struct slice marks)
{
    struct op op = {.kind = OP_GET};
    struct node_task *task;
    uint64_t front;

    if (store_key_split(node_gc_item_key(round, &round->items[item]), &front, &op.ns, &op.key) !=
        STATUS_OK)
        return;
    task = node_replica_task(node, TASK_SETTLE, &op, marks);
    if (!task)
        return;
    task->gc = round->number;
    node_task_load(node, task);
}

/* Every owner's word is there: the rows lose what all agree to. Folding is for who asked. */
void node_gc_settle(struct node *node, struct gc_round *round)
{
    struct crdt_mark *marks = effects_alloc(node->fx, SETTLE_ROW_MAX * sizeof(*marks));
    uint32_t at = 0, done = 0;

    for (uint32_t i = 0; i < round->item_count && at < round->mark_count; i++) {
        unsigned count = 0;

        for (; at < round->mark_count && round->marks[at].item == i; at++)
            if (gc_bit(round->bits, round->item_count + at) && !round->items[i].is_kept &&
                (round->peer == node->self || !round->marks[at].mark.is_fold))
                marks[count++] = round->marks[at].mark;
        if (count > 0 && round->items[i].key_size > 0)
            settle_start(node, round, i, slice_of((const uint8_t *)marks, count * sizeof(*marks)));
        done += count > 0;
    }
    if (round->peer == node->self && done + round->dropped < round->item_count)
        node->gc->due[round->partition] = 1; /* somebody was not done with a row yet */
}

/* Tells whether what was agreed still holds: nobody has agreed to anything since. */
static bool settle_is_current(struct node *node, const struct node_task *task, bool is_fold)
{
    uint32_t partition = place_partition(node->place, task->hash_front);
    uint64_t owners[REPLICAS_MAX], absent;

    if (node->phase != NODE_OPEN || node->is_read_only || node->is_recovering ||
        sync_standing(node->sync, partition)->number != task->gc ||
        node_gc_is_purging(node, task->hash_front))
        return false;
    return !is_fold || node_gc_owners(node, partition, owners, &absent) > 0;
}

/* Takes out of the row at hand what the task's marks say. False: nothing. */
static bool settle_object(struct node *node, const struct node_task *task, uint8_t *room)
{
    struct crdt_object *object = &node->object_a;
    struct crdt_mark marks[SETTLE_ROW_MAX];
    unsigned count = (unsigned)(task->object->size / sizeof(*marks));
    uint32_t partition = place_partition(node->place, task->hash_front);
    bool is_fold = false;
    struct dot dot;

    memcpy(marks, task->object->data, task->object->size);
    for (unsigned i = 0; i < count; i++)
        is_fold |= marks[i].is_fold;
    if (!settle_is_current(node, task, is_fold))
        return false;
    if (is_fold) {
        dot = node_actor_dot(node, task, crdt_object_stamp_max(object));
        node_trace(node, TRACE_GC_FOLDED, partition, count, task->gc);
    } else {
        node_trace(node, TRACE_GC_TRIMMED, partition, count, task->gc);
    }
    return crdt_object_settle(object, marks, count, is_fold ? &dot : NULL, room) &&
           object->entry_count > 0;
}

void node_gc_settle_row(struct node *node, struct node_task *task, enum status status,
                        struct slice row)
{
    struct crdt_object *object = &node->object_a;
    uint8_t key[STORE_KEY_SIZE_MAX];
    uint8_t *room = effects_alloc(node->fx, CRDT_COUNTER_ROOM);
    struct slice row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, key);

    if (status == STATUS_OK && !node_row_is_bad(node, row_key) &&
        crdt_object_decode(row, object) == STATUS_OK) {
        struct hash16 before = crdt_object_fingerprint(node->founding.hash_seed, row_key, object);

        task->was_dead = crdt_object_is_dead(object, 0);
        if (settle_object(node, task, room)) {
            size_t size = crdt_object_size(object);
            struct writer out = writer_over(effects_alloc(node->fx, size), size);

            if (crdt_object_encode(object, &out) != STATUS_OK)
                ensure_unreachable();
            task->step = STEP_WRITE;
            if (node_write_object(node, task, writer_done(&out), object, &before) == STATUS_OK)
                return;
        }
    }
    node_task_end(node, task);
}
