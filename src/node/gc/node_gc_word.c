/* node_gc_word.c: giving our word in another owner's round. The word is durable before it is said:
 * from then on our copies carry the round's number, and copies with a smaller one are refused where
 * there is no row. At that very step nothing live of a row whose bit we set is here or on its way
 * to the disk, so none of our copies that may still travel is as new as the round. */
#include "gc/node_gc.h"
#include "node_parts.h"

static void word_answer(struct node *node, uint64_t to, const struct message_gc_answer *answer)
{
    struct message message = {.kind = MESSAGE_GC_ANSWER, .gc_answer = *answer};
    uint8_t room[SYNC_STANDING_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));

    if (answer->status == STATUS_STALE) {
        sync_standing_write(sync_standing(node->sync, answer->partition), &out);
        message.gc_answer.standing = writer_done(&out);
    }
    (void)node_send_plain(node, to, &message);
}

static void word_refuse(struct node *node, struct gc_round *round, enum status status)
{
    struct message_gc_answer answer = {
        .status = (uint8_t)status, .partition = round->partition, .number = round->number};

    word_answer(node, round->peer, &answer);
    node_gc_end(round);
}

/* Takes the rows that are asked about. False: they are not in order. */
static bool word_items(struct gc_round *round, struct slice items)
{
    struct reader in = reader_over(items);

    if (items.size == 0 || items.size % 24 != 0 || items.size / 24 > GC_ITEMS_MAX)
        return false;
    while (reader_left(&in) > 0) {
        struct gc_item *item = &round->items[round->item_count];

        *item = (struct gc_item){.front = read_u64(&in), .id = read_u64(&in)};
        item->digest = read_u64(&in);
        if (round->item_count > 0 && item->front < item[-1].front)
            return false;
        round->item_count++;
    }
    return true;
}

/* Tells whether our word may be given in this round at all. */
static enum status word_admits(struct node *node, uint64_t peer, const struct message_gc_ask *ask)
{
    struct sync_standing theirs;
    const struct sync_standing *ours;
    uint64_t owners[REPLICAS_MAX], absent;
    unsigned count;
    bool is_owner = false;

    if (!node_gc_is_able(node))
        return node->is_recovering ? STATUS_RECOVERING : STATUS_NOT_READY;
    if (ask->layout != place_layout(node->place))
        return STATUS_LAYOUT;
    count = node_gc_owners(node, ask->partition, owners, &absent);
    for (unsigned i = 0; i < count; i++)
        is_owner |= owners[i] == peer;
    if (!is_owner || !sync_standing_read(ask->standing, &theirs))
        return STATUS_CONFLICT;
    ours = sync_standing(node->sync, ask->partition);
    if (ask->number <= ours->number || ask->number <= theirs.number ||
        sync_standing_judge(&theirs, ours, peer, true) == SYNC_BEHIND)
        return STATUS_STALE;
    if (sync_standing_judge(ours, &theirs, node->self, true) != SYNC_BEHIND)
        return STATUS_OK;
    node_gc_heard(node, peer, ask->partition, ask->standing);
    return STATUS_RECOVERING;
}

void node_gc_asked(struct node *node, uint64_t peer, const struct message_gc_ask *ask)
{
    struct message_gc_answer answer = {.partition = ask->partition, .number = ask->number};
    enum status status = STATUS_NOT_READY;
    struct gc_round *round;
    uint64_t absent;

    if (node->place && node->gc && ask->partition < place_partition_count(node->place))
        status = word_admits(node, peer, ask);
    if (status == STATUS_OK) {
        round = node_gc_round_of(node, ask->partition);
        if (round && round->peer == peer && round->state == GC_WORD)
            node_gc_end(round); /* its drop will not come any more, or come too late */
        round = node_gc_begin(node, ask->partition, peer);
        status = round ? STATUS_OK : STATUS_BUSY;
    }
    if (status != STATUS_OK) {
        answer.status = (uint8_t)status;
        if (node->sync && ask->partition < place_partition_count(node->place))
            word_answer(node, peer, &answer);
        return;
    }
    round->number = ask->number;
    round->layout = ask->layout;
    round->owner_count = (uint8_t)node_gc_owners(node, ask->partition, round->owners, &absent);
    if (word_items(round, ask->items) && node_gc_marks_read(round, ask->marks) &&
        node_gc_range_of(node, round, ask->from, ask->until))
        node_gc_read(node, round);
    else
        word_refuse(node, round, STATUS_BAD);
}

/* What our standing becomes with the word; false: it rose meanwhile. */
static bool word_standing(struct node *node, const struct gc_round *round,
                          struct sync_standing *after)
{
    const struct sync_standing *ours = sync_standing(node->sync, round->partition);
    bool is_any = false;

    if (round->number <= ours->number)
        return false;
    *after = sync_standing_promise(ours, round->number, round->owners, round->owner_count);
    for (uint32_t i = 0; i < round->item_count; i++)
        is_any |= !round->items[i].is_kept;
    if (is_any)
        after->confirmed = round->number;
    return true;
}

/* Our rows are read: the promise is written. */
void node_gc_promise(struct node *node, struct gc_round *round)
{
    struct store_row *row = effects_alloc(node->fx, sizeof(*row));
    struct node_write *write;

    if (!node_gc_is_able(node) || !word_standing(node, round, &round->standing)) {
        word_refuse(node, round, STATUS_STALE);
        return;
    }
    node_gc_standing_row(node, round->partition, &round->standing, false, row);
    write = node_write_start(node, row, 1);
    if (!write) {
        word_refuse(node, round, STATUS_OVERLOAD);
        return;
    }
    write->gc = round->ref;
    node_gc_progress(node, round, GC_PROMISE);
}

void node_gc_promised(struct node *node, struct gc_round *round)
{
    struct message_gc_answer answer = {.partition = round->partition, .number = round->number};
    size_t size = gc_bits_size(round);
    uint8_t *bits = effects_alloc(node->fx, size);

    if (round->number <= sync_standing(node->sync, round->partition)->number) {
        word_refuse(node, round, STATUS_STALE);
        return;
    }
    sync_standing_set(node->sync, round->partition, &round->standing);
    for (uint32_t i = 0; i < round->item_count; i++)
        if (!round->items[i].is_kept && round->items[i].marks == 0)
            bits[i / 8] |= (uint8_t)(1u << (i % 8));
    for (uint32_t i = 0, at = round->item_count; i < round->mark_count; i++, at++)
        if (!round->marks[i].is_refused && !round->items[round->marks[i].item].is_kept)
            bits[at / 8] |= (uint8_t)(1u << (at % 8));
    answer.bits = slice_of(bits, size);
    node_gc_progress(node, round, GC_WORD);
    word_answer(node, round->peer, &answer);
}

/* Every owner gave its word. */
void node_gc_told(struct node *node, uint64_t peer, const struct message_gc_drop *drop)
{
    struct gc_round *round = node_gc_round_of(node, drop->partition);
    uint32_t late = 0;

    if (!round || round->state != GC_WORD || round->peer != peer || round->number != drop->number ||
        drop->bits.size != gc_bits_size(round))
        return; /* the rows are collected in a later round */
    memcpy(round->bits, drop->bits.data, drop->bits.size);
    for (uint32_t i = 0; i < round->item_count; i++)
        late += gc_bit(round->bits, i) && round->items[i].is_kept;
    if (late > 0)
        node_trace(node, TRACE_GC_DROP_LATE, round->partition, late, round->number);
    node_gc_drop(node, round);
}
