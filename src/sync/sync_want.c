/* sync_want.c: rows a lane lacks, from knowing of them to holding them durably. A merge is reserved
 * before rows are asked for, so that rows never wait in memory; one lane of a round awaits them at
 * a time, so that a peer who is asked by many is not flooded. What an answer leaves out is asked
 * for again, as long as each answer brings something. */
#include "sync_private.h"

#include "ensure.h"

/* Counts what was asked for against the rate; the next question waits until it is paid. */
static void want_pay(struct sync *sync, uint64_t bytes)
{
    uint64_t cost = bytes ? 0 : sync->gap_us;

    if (bytes && sync->rate > 0 && sync->rate < UINT64_MAX)
        cost = bytes * 1000000u / sync->rate;
    if (sync->paid_until < sync->now)
        sync->paid_until = sync->now;
    sync->paid_until = instant_add(sync->paid_until, cost);
}

bool sync_want_reserve(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    unsigned slot = 0;

    if (sync->rate == 0 || sync->paid_until > sync->now) {
        if (round->deadline < sync->paid_until)
            sync_round_progress(sync, round, sync->paid_until); /* it is not their fault */
        return false;
    }

    ensure(lane->reserved == 0);
    while (slot < SYNC_MERGES_MAX && sync->merges[slot] != 0)
        slot++;
    if (round->fetching || slot == SYNC_MERGES_MAX)
        return false;
    sync->merges[slot] = lane->reserved = sync_token_next(sync);
    round->fetching = lane;
    want_pay(sync, 0);
    return true;
}

void sync_want_release(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    for (unsigned i = 0; lane->reserved != 0 && i < SYNC_MERGES_MAX; i++)
        if (sync->merges[i] == lane->reserved)
            sync->merges[i] = 0;
    lane->reserved = 0;
    if (round->fetching == lane)
        round->fetching = NULL;
}

bool sync_want_set(struct sync_lane *lane, struct slice list, enum sync_shape shape)
{
    struct reader in = reader_over(list);
    struct sync_item item;

    buffer_clear(&lane->page, SYNC_PAGE_KEEP);
    lane->want_at = lane->fetch_end = 0;
    while (sync_pack_next(&in, shape, &item))
        if (!buffer_append(&lane->page, item.key.data - sizeof(uint16_t),
                           sizeof(uint16_t) + item.key.size))
            return false;
    return true;
}

static struct slice want_left(const struct sync_lane *lane)
{
    return slice_of(lane->page.data + lane->want_at, lane->page.size - lane->want_at);
}

bool sync_want_fetch(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct message fetch = {.kind = MESSAGE_AE_FETCH, .ae_fetch = {.round = round->number}};

    if (!sync_want_reserve(sync, round, lane))
        return false;
    lane->fetch_end = lane->want_at + sync_pack_end(want_left(lane));
    lane->state = LANE_ITEMS;
    fetch.ae_fetch.question = lane->question = sync_token_next(sync);
    fetch.ae_fetch.keys =
        slice_of(lane->page.data + lane->want_at, lane->fetch_end - lane->want_at);
    sync_send(sync, round->peer, &fetch);
    return true;
}

/* Tells whether `key` is among `keys` and unmarked, and marks it. */
static bool want_mark(struct slice keys, struct slice key, bool given[SYNC_FETCH_MAX])
{
    struct reader in = reader_over(keys);
    struct sync_item item;

    for (uint32_t i = 0; sync_pack_next(&in, SYNC_KEYS, &item); i++) {
        if (!slice_equal(item.key, key))
            continue;
        if (given[i])
            return false;
        given[i] = true;
        return true;
    }
    return false;
}

/* Drops from the keys being fetched those that were given: the others are asked for again. */
static void want_forget(struct sync_lane *lane, const bool given[SYNC_FETCH_MAX])
{
    uint8_t *page = lane->page.data;
    struct reader in = reader_over(slice_of(page + lane->want_at, lane->fetch_end - lane->want_at));
    struct sync_item item;
    size_t kept = lane->want_at, left;

    for (uint32_t i = 0; sync_pack_next(&in, SYNC_KEYS, &item); i++) {
        if (given[i])
            continue;
        memmove(page + kept, item.key.data - sizeof(uint16_t), sizeof(uint16_t) + item.key.size);
        kept += sizeof(uint16_t) + item.key.size;
    }
    left = kept - lane->want_at;
    memmove(page + lane->fetch_end - left, page + lane->want_at, left);
    lane->want_at = lane->fetch_end - left;
    lane->fetch_end = lane->want_at;
}

static void want_merge(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                       struct slice items)
{
    struct sync_output merge = {.kind = SYNC_MERGE,
                                .peer = round->peer,
                                .token = lane->reserved,
                                .partition = lane->partition,
                                .gc = lane->gc,
                                .items = items};

    want_pay(sync, items.size);
    lane->token = lane->reserved;
    lane->reserved = 0; /* taken: sync_merged frees it */
    lane->state = LANE_MERGE;
    round->fetching = NULL;
    sync_emit(sync, &merge);
}

/* Rows given without being named before: they are all that is lacking in the range. */
static bool want_unnamed(struct sync_lane *lane, struct slice items)
{
    struct sync_range range = sync_lane_range(lane);

    if (items.size == 0 || !sync_pack_check(items, SYNC_OBJECTS, SYNC_FETCH_MAX, &range) ||
        !sync_want_set(lane, items, SYNC_OBJECTS))
        return false;
    lane->fetch_end = lane->page.size;
    return true;
}

bool sync_lane_items(struct sync *sync, struct sync_round *round,
                     const struct message_ae_items *message)
{
    static const struct sync_range any = {{0}, {0}};
    struct sync_lane *lane = round->fetching;
    struct slice items = message->items;
    struct reader in = reader_over(items);
    struct sync_item item;
    bool given[SYNC_FETCH_MAX] = {false};
    struct slice asked;

    if (!lane || lane->question != message->question ||
        !sync_pack_check(items, SYNC_OBJECTS, SYNC_FETCH_MAX, &any) ||
        (lane->state == LANE_PAGE && !want_unnamed(lane, items)))
        return false;
    if (!sync_lane_is_level(sync, round, lane->partition, message->standing)) {
        sync_lane_fail(sync, round, lane, STATUS_STALE);
        return true;
    }
    asked = slice_of(lane->page.data + lane->want_at, lane->fetch_end - lane->want_at);
    lane->merging = 0;
    lane->gc = message->gc;
    while (sync_pack_next(&in, SYNC_OBJECTS, &item)) {
        if (item.object.size == 0)
            continue; /* not now */
        if (!want_mark(asked, item.key, given))
            return false;
        lane->merging++;
    }
    if (lane->merging == 0) {
        sync_lane_fail(sync, round, lane, STATUS_MISSING);
        return true;
    }
    want_forget(lane, given);
    want_merge(sync, round, lane, items);
    return true;
}

void sync_lane_merged(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                      enum status status)
{
    if (lane->state != LANE_MERGE)
        return;
    if (status != STATUS_OK) {
        sync_lane_fail(sync, round, lane, status);
        return;
    }
    round->rows += lane->merging;
    lane->state = LANE_WANT;
}
