/* sync_round.c: the asker's side of a round: down the tree to the partitions that differ, then
 * lanes over those. The sides take turns, so each message goes one level deeper.
 *
 *   A                                              B
 *   |--- AE_ROOT hash over all that is shared ----->|
 *   |<-- AE_DIFF B's 32 nodes, or none: equal ------|
 *   |--- AE_NODES A's 64 below each that differs -->|
 *   |<-- AE_DIFF B's 8 partitions below each -------|
 *   |--- AE_LEAF_GET, AE_FETCH (sync_lane.c) ------>|
 *   |--- AE_DONE pulled partitions ---------------->|   none named: all that are shared;
 *                                                       layout 0: given up, nothing is claimed
 *
 * A round that takes over what a former owner offers (sync_take) knows its partitions: its AE_ROOT
 * is empty, is answered only by a refusal, and lanes begin at once.
 *
 * Two owners that agree pay three short messages. A partition below equal nodes is pulled at once:
 * our sums count what is durable here, theirs what they held when they hashed or compared, which
 * is after the round began. */
#include "sync_private.h"

#include "ensure.h"

void sync_round_progress(const struct sync *sync, struct sync_round *round, instant now)
{
    round->deadline = instant_add(now, sync->config.round_timeout_us);
}

void sync_round_end(struct sync_round *round, enum status status, bool is_mute)
{
    if (round->state == ROUND_FREE || round->state == ROUND_ENDING)
        return;
    if (status != STATUS_OK)
        round->status = status;
    round->is_mute = is_mute;
    round->state = ROUND_ENDING;
}

bool sync_round_pulled(struct sync *sync, struct sync_round *round, uint32_t partition)
{
    struct sync_output pulled = {.kind = SYNC_PULLED,
                                 .peer = round->peer,
                                 .partition = (uint16_t)partition,
                                 .layout = round->layout,
                                 .is_taken = round->is_taking};

    ensure(!sync_bit(round->done, partition));
    sync_bit_set(round->done, partition);
    round->pulled++;
    sync_emit(sync, &pulled);
    return round->state != ROUND_FREE && round->state != ROUND_ENDING;
}

/* Every shared partition that does not differ is pulled. */
static bool round_equal(struct sync *sync, struct sync_round *round)
{
    for (uint32_t p = 0; p < sync->config.partitions; p++)
        if (sync_bit(round->shared, p) && !sync_bit(round->differs, p) &&
            !sync_bit(round->done, p) && !sync_round_pulled(sync, round, p))
            return false;
    return true;
}

/* Takes the answerer's children of the nodes of `depth`: what it named and is not ours differs. */
static void round_told(struct sync *sync, struct sync_round *round, struct slice nodes,
                       unsigned depth)
{
    bool is_any = false;

    sync_tree_compare(sync, round->shared, nodes, depth, sync->named);
    for (uint32_t i = 0; i < sync_bits_size(sync); i++) {
        round->differs[i] &= sync->named[i];
        is_any |= round->differs[i] != 0;
    }
    round->state = depth > 0 ? ROUND_PULLING : ROUND_NODES;
    for (uint32_t p = 0; depth > 0 && p < sync->config.partitions; p++)
        round->differed += sync_bit(round->differs, p);
    if (round_equal(sync, round) && !is_any)
        sync_round_end(round, STATUS_OK, false);
}

void sync_round_diff(struct sync *sync, struct sync_round *round,
                     const struct message_ae_diff *diff)
{
    struct sync_output layout = {.kind = SYNC_LAYOUT, .peer = round->peer, .layout = diff->layout};
    unsigned depth = round->state == ROUND_ROOT ? 0 : SYNC_TREE_DEPTH - 1;
    bool is_refused = round->is_taking && diff->status != STATUS_OK;

    if (round->state != ROUND_ROOT && round->state != ROUND_LISTED && !is_refused)
        return;
    if (diff->status == STATUS_LAYOUT) {
        sync_round_end(round, STATUS_LAYOUT, true);
        sync_emit(sync, &layout);
    } else if (diff->status != STATUS_OK) {
        sync_round_end(round, status_from_wire(diff->status), true);
    } else if (sync_tree_check(sync, diff->nodes, depth)) {
        round_told(sync, round, diff->nodes, depth);
    }
}

/* --- what goes out */

static void round_send_root(struct sync *sync, struct sync_round *round)
{
    uint8_t root[SYNC_ROOT_SIZE];
    struct message message = {.kind = MESSAGE_AE_ROOT,
                              .ae_root = {.layout = round->layout,
                                          .round = round->number,
                                          .root = slice_of(root, sizeof(root))}};

    if (round->is_taking)
        message.ae_root.root = SLICE_NONE; /* what is offered is compared row by row */
    else
        sync_tree_root(sync, round->shared, root);
    round->state = round->is_taking ? ROUND_PULLING : ROUND_ROOT;
    sync_send(sync, round->peer, &message);
}

static void round_send_nodes(struct sync *sync, struct sync_round *round)
{
    struct message message = {.kind = MESSAGE_AE_NODES, .ae_nodes = {.round = round->number}};

    if (!sync_tree_list(sync, round->shared, round->differs, 1, &message.ae_nodes.nodes)) {
        sync_round_end(round, STATUS_MEMORY, false);
        return;
    }
    round->state = ROUND_LISTED;
    sync_send(sync, round->peer, &message);
    buffer_clear(&sync->scratch, 0);
}

/* Names what was pulled; nothing to name when that is all there was. */
static void round_send_done(struct sync *sync, struct sync_round *round)
{
    struct message done = {.kind = MESSAGE_AE_DONE, .ae_done = {.round = round->number}};
    size_t room_size = round->pulled * sizeof(uint16_t);
    uint8_t *room = buffer_reserve(&sync->scratch, room_size + 1);
    struct writer out = writer_over(room, room ? room_size : 0);

    if (round->pulled > 0 && room && round->status != STATUS_LAYOUT && !round->is_taking) {
        done.ae_done.layout = round->layout;
        if (round->pulled < round->compared) {
            for (uint32_t p = 0; p < sync->config.partitions; p++)
                if (sync_bit(round->done, p))
                    write_u16(&out, (uint16_t)p);
            done.ae_done.partitions = writer_done(&out);
        }
    }
    round->is_mute = true;
    sync_send(sync, round->peer, &done);
    buffer_clear(&sync->scratch, 0);
}

static void round_close(struct sync *sync, struct sync_round *round)
{
    struct sync_output done = {.kind = SYNC_ROUND_DONE,
                               .peer = round->peer,
                               .round = round->number,
                               .layout = round->layout,
                               .status = round->status,
                               .compared = round->compared,
                               .differed = round->differed,
                               .rows = round->rows,
                               .is_taken = round->is_taking};

    for (unsigned i = 0; i < SYNC_LANES; i++) {
        sync_lane_free(sync, round, &round->lanes[i]); /* reserved rows will not come now */
        buffer_clear(&round->lanes[i].page, 0);
    }
    round->fetching = NULL;
    round->state = ROUND_FREE;
    sync_emit(sync, &done);
}

/* Gives the next differing partition to a free lane. */
static bool round_assign(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    while (round->next < sync->used && !sync_bit(round->differs, round->next))
        round->next++;
    if (lane->state != LANE_FREE || round->next >= sync->used)
        return false;
    sync_lane_start(lane, (uint16_t)round->next++);
    return true;
}

static bool round_pull_step(struct sync *sync, struct sync_round *round)
{
    bool is_busy = false;

    for (unsigned i = 0; i < SYNC_LANES; i++) {
        struct sync_lane *lane = &round->lanes[i];

        if (round_assign(sync, round, lane) || sync_lane_step(sync, round, lane))
            return true;
        is_busy |= lane->state != LANE_FREE;
    }
    if (!is_busy)
        sync_round_end(round, STATUS_OK, false);
    return !is_busy;
}

bool sync_round_step(struct sync *sync, struct sync_round *round)
{
    switch (round->state) {
    case ROUND_START:
        if (round->compared > 0)
            round_send_root(sync, round);
        else
            sync_round_end(round, STATUS_OK, true);
        return true;
    case ROUND_NODES:
        round_send_nodes(sync, round);
        return true;
    case ROUND_PULLING:
        return round_pull_step(sync, round);
    case ROUND_ENDING:
        if (round->is_mute)
            round_close(sync, round);
        else
            round_send_done(sync, round);
        return true;
    case ROUND_FREE:
    case ROUND_ROOT:
    case ROUND_LISTED:
        return false;
    }
    ensure_unreachable();
}
