/* sync_round.c: the asker's side of a round: what differs at all, then lanes over what does.
 *
 *   A                                              B
 *   |--- AE_ROOT one sum over all shared ----------->|
 *   |<-- AE_DIFF nothing: all pulled; else 0xFFFF ---|
 *   |--- AE_ROOT sum and count of each partition --->|   in parts of SYNC_ROOTS_MAX
 *   |<-- AE_DIFF those that differ ------------------|
 *   |--- AE_LEAF_GET, AE_FETCH (sync_lane.c) ------->|
 *   |--- AE_DONE pulled partitions ----------------->|   none named: all that are shared;
 *                                                        layout 0: given up, nothing is claimed
 *
 * Two owners that agree pay three short messages. A partition whose sums are equal is pulled at
 * once: our sums count what is durable here, theirs what they hold now. */
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
                                 .layout = round->layout};

    ensure(!sync_bit(round->done, partition));
    sync_bit_set(round->done, partition);
    round->pulled++;
    sync_emit(sync, &pulled);
    return round->state != ROUND_FREE && round->state != ROUND_ENDING;
}

/* Every shared partition of [from, until) that does not differ is pulled. */
static bool round_equal(struct sync *sync, struct sync_round *round, uint32_t from, uint32_t until)
{
    for (uint32_t p = from; p < until; p++)
        if (sync_bit(round->shared, p) && !sync_bit(round->differs, p) &&
            !sync_round_pulled(sync, round, p))
            return false;
    return true;
}

static void round_super_told(struct sync *sync, struct sync_round *round, struct slice partitions)
{
    if (partitions.size > 0) {
        round->sent_from = round->sent_until = 0;
        round->state = ROUND_ROOTS;
        return;
    }
    if (round_equal(sync, round, 0, sync->config.partitions))
        sync_round_end(round, STATUS_OK, false);
}

static void round_roots_told(struct sync *sync, struct sync_round *round, struct slice partitions)
{
    struct reader in = reader_over(partitions);

    while (reader_left(&in) > 0) {
        uint16_t partition = read_u16(&in);

        if (sync_bit(round->shared, partition) && !sync_bit(round->differs, partition)) {
            sync_bit_set(round->differs, partition);
            round->differed++;
        }
    }
    if (!round_equal(sync, round, round->sent_from, round->sent_until))
        return;
    round->sent_from = round->sent_until;
    round->state = round->sent_from < sync->config.partitions ? ROUND_ROOTS : ROUND_PULLING;
}

/* Whether an answer to what was sent last is one that could be: nothing outside of it differs. */
static bool round_diff_is_good(const struct sync *sync, const struct sync_round *round,
                               struct slice partitions)
{
    struct reader in = reader_over(partitions);

    if (round->state == ROUND_SUPER)
        return partitions.size == 0 ||
               (partitions.size == sizeof(uint16_t) && read_u16(&in) == SYNC_SUPER);
    if (round->state != ROUND_LISTED || !sync_pack_partitions(partitions, sync->config.partitions))
        return false;
    while (reader_left(&in) > 0) {
        uint16_t partition = read_u16(&in);

        if (partition < round->sent_from || partition >= round->sent_until)
            return false;
    }
    return true;
}

void sync_round_diff(struct sync *sync, struct sync_round *round,
                     const struct message_ae_diff *diff)
{
    struct sync_output layout = {.kind = SYNC_LAYOUT, .peer = round->peer, .layout = diff->layout};

    if (round->state != ROUND_SUPER && round->state != ROUND_LISTED)
        return;
    if (diff->status == STATUS_LAYOUT) {
        sync_round_end(round, STATUS_LAYOUT, true);
        sync_emit(sync, &layout);
    } else if (diff->status != STATUS_OK) {
        sync_round_end(round, status_from_wire(diff->status), true);
    } else if (!round_diff_is_good(sync, round, diff->partitions)) {
        return;
    } else if (round->state == ROUND_SUPER) {
        round_super_told(sync, round, diff->partitions);
    } else {
        round_roots_told(sync, round, diff->partitions);
    }
}

/* --- what goes out */

static void round_send_super(struct sync *sync, struct sync_round *round)
{
    uint8_t room[SYNC_ROOT_SIZE];
    struct writer out = writer_over(room, sizeof(room));
    struct sync_sum super = sync_super(sync, round->shared);
    struct message root = {.kind = MESSAGE_AE_ROOT,
                           .ae_root = {.layout = round->layout, .round = round->number}};

    sync_pack_write_root(&out, SYNC_SUPER, &super);
    root.ae_root.roots = writer_done(&out);
    round->state = ROUND_SUPER;
    sync_send(sync, round->peer, &root);
}

static void round_send_roots(struct sync *sync, struct sync_round *round)
{
    struct message root = {.kind = MESSAGE_AE_ROOT,
                           .ae_root = {.layout = round->layout, .round = round->number}};
    uint32_t p = round->sent_from;
    size_t room_size = SYNC_ROOTS_MAX * SYNC_ROOT_SIZE;
    uint8_t *room = buffer_reserve(&sync->scratch, room_size);
    struct writer out;

    if (!room) {
        sync_round_end(round, STATUS_MEMORY, false);
        return;
    }
    out = writer_over(room, room_size);
    for (; p < sync->config.partitions && out.size < room_size; p++)
        if (sync_bit(round->shared, p))
            sync_pack_write_root(&out, (uint16_t)p, &sync->sums[p]);
    round->sent_until = p;
    if (out.size == 0) { /* nothing is shared behind what was told already */
        round->state = ROUND_PULLING;
        return;
    }
    root.ae_root.roots = writer_done(&out);
    round->state = ROUND_LISTED;
    sync_send(sync, round->peer, &root);
    buffer_clear(&sync->scratch, 0);
}

/* Names what was pulled; nothing to name when that is all there was. */
static void round_send_done(struct sync *sync, struct sync_round *round)
{
    struct message done = {.kind = MESSAGE_AE_DONE, .ae_done = {.round = round->number}};
    size_t room_size = round->pulled * sizeof(uint16_t);
    uint8_t *room = buffer_reserve(&sync->scratch, room_size + 1);
    struct writer out = writer_over(room, room ? room_size : 0);

    if (round->pulled > 0 && room && round->status != STATUS_LAYOUT) {
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
                               .rows = round->rows};

    for (unsigned i = 0; i < SYNC_LANES; i++) {
        struct sync_lane *lane = &round->lanes[i];

        for (unsigned m = 0; m < SYNC_MERGES_MAX; m++) /* rows that will not come now */
            if (lane->state == LANE_ITEMS && sync->merges[m] == lane->token)
                sync->merges[m] = 0;
        lane->state = LANE_FREE;
        buffer_clear(&lane->page, 0);
    }
    round->fetching = NULL;
    round->state = ROUND_FREE;
    sync_emit(sync, &done);
}

/* Gives the next differing partition to a free lane. */
static bool round_assign(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    while (round->next < sync->config.partitions && !sync_bit(round->differs, round->next))
        round->next++;
    if (lane->state != LANE_FREE || round->next == sync->config.partitions)
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
            round_send_super(sync, round);
        else
            sync_round_end(round, STATUS_OK, true);
        return true;
    case ROUND_ROOTS:
        round_send_roots(sync, round);
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
    case ROUND_SUPER:
    case ROUND_LISTED:
        return false;
    }
    ensure_unreachable();
}
