/* node_gc_ask.c: our own round once our rows are read: every other owner is asked for its word, and
 * when all have given it the rows go (node_gc.c tells the whole). */
#include "gc/node_gc.h"
#include "node_parts.h"

static void gc_ask(struct node *node, struct gc_round *round, unsigned at)
{
    const struct gc_item *last = &round->items[round->item_count - 1];
    size_t size = 24u * round->item_count;
    struct writer out = writer_over(effects_alloc(node->fx, size), size);
    uint8_t room[SYNC_STANDING_SIZE_MAX];
    struct writer standing = writer_over(room, sizeof(room));
    struct message ask = {.kind = MESSAGE_GC_ASK,
                          .gc_ask = {.partition = round->partition,
                                     .number = round->number,
                                     .layout = round->layout}};

    for (uint32_t i = 0; i < round->item_count; i++) {
        write_u64(&out, round->items[i].front);
        write_u64(&out, round->items[i].id);
        write_u64(&out, round->items[i].digest);
    }
    sync_standing_write(sync_standing(node->sync, round->partition), &standing);
    ask.gc_ask.standing = writer_done(&standing);
    ask.gc_ask.from = node_gc_item_key(round, &round->items[0]);
    ask.gc_ask.until = node_gc_item_key(round, last);
    ask.gc_ask.items = writer_done(&out);
    ask.gc_ask.marks = node_gc_marks_write(node, round);
    round->is_asked[at] = true;
    (void)node_send_plain(node, round->owners[at], &ask);
}

static void gc_note_shy(struct node *node, uint64_t id8, bool is_shy)
{
    struct node_peer *peer = node_peer(node, id8);

    if (peer)
        peer->is_shy = is_shy;
}

/* In which turn an owner is asked. First one that could not give its word lately: the rest would
 * promise for nothing, and whoever is in recovery would run after numbers that rise. Then those
 * that were not in our last round: if somebody collected without us since, they know it, and the
 * rest must not give its word to us. */
static unsigned gc_turn(struct node *node, const struct gc_round *round, uint64_t id8)
{
    const struct sync_standing *standing = sync_standing(node->sync, round->partition);
    const struct node_peer *peer = node_peer(node, id8);

    if (peer && peer->is_shy)
        return 0;
    return standing->number > 0 && !sync_standing_knows(standing, id8) ? 1 : 2;
}

static void gc_ask_more(struct node *node, struct gc_round *round)
{
    bool is_open = false, is_all = true;

    for (unsigned turn = 0; turn < 3 && !is_open; turn++)
        for (unsigned i = 0; i < round->owner_count; i++) {
            if (round->owners[i] == node->self || gc_turn(node, round, round->owners[i]) != turn)
                continue;
            if (!round->is_asked[i])
                gc_ask(node, round, i);
            is_open |= !round->is_answered[i];
        }
    for (unsigned i = 0; i < round->owner_count; i++)
        is_all &= round->owners[i] == node->self || round->is_answered[i];
    if (is_all)
        node_gc_drop(node, round);
}

/* The owners that were asked and are silent are asked first the next time. */
void node_gc_silent(struct node *node, const struct gc_round *round)
{
    for (unsigned i = 0; i < round->owner_count; i++)
        if (round->is_asked[i] && !round->is_answered[i])
            gc_note_shy(node, round->owners[i], true);
}

void node_gc_collected(struct node *node, struct gc_round *round)
{
    memset(round->bits, 0xFF, sizeof(round->bits));
    node_gc_progress(node, round, GC_ASK);
    gc_ask_more(node, round);
}

void node_gc_answered(struct node *node, uint64_t peer, const struct message_gc_answer *answer)
{
    struct gc_round *round = node_gc_round_of(node, answer->partition);
    size_t size;
    bool is_any = false;

    if (!round || round->peer != node->self || round->state != GC_ASK ||
        round->number != answer->number)
        return;
    size = gc_bits_size(round);
    for (unsigned i = 0; i < round->owner_count; i++) {
        if (round->owners[i] != peer || !round->is_asked[i] || round->is_answered[i])
            continue;
        if (answer->status != STATUS_OK || answer->bits.size != size) {
            node_trace(node, TRACE_GC_REFUSED, round->partition, peer, answer->status);
            gc_note_shy(node, peer, answer->status != STATUS_STALE);
            if (answer->status == STATUS_STALE)
                node_gc_heard(node, peer, round->partition, answer->standing);
            round = node_gc_round_of(node, answer->partition);
            if (round && round->state == GC_ASK)
                node_gc_fail(node, round, status_from_wire(answer->status));
            return;
        }
        round->is_answered[i] = true;
        gc_note_shy(node, peer, false);
        for (size_t k = 0; k < size; k++)
            is_any |= (round->bits[k] &= answer->bits.data[k]) != 0;
        if (is_any)
            gc_ask_more(node, round);
        else
            node_gc_fail(node, round, STATUS_CONFLICT); /* owners differ: let them compare first */
        return;
    }
}
