/* sync_lane.c: pulling one partition. The other side's rows come page by page in key order; ours
 * are listed over the same range; two ordered lists are compared in one pass. What they have and we
 * lack, or hold otherwise, is fetched and merged. A partition counts as pulled only when every
 * wanted row was given and merged durably: what an answer leaves out is asked for again, as long
 * as each answer brings something.
 *
 * The room of a page serves twice: wanted keys are gathered at its front while rows are read from
 * behind. A key is shorter than its row, so the two never meet. */
#include "sync_private.h"

#include "ensure.h"

void sync_lane_start(struct sync_lane *lane, uint16_t partition)
{
    ensure(lane->state == LANE_FREE);
    lane->state = LANE_ASK;
    lane->partition = partition;
    lane->after_size = 0;
    lane->own_size = 0;
    lane->token = 0;
}

static struct slice lane_after(const struct sync_lane *lane)
{
    return slice_of(lane->after, lane->after_size);
}

static void lane_free(struct sync_round *round, struct sync_lane *lane)
{
    lane->state = LANE_FREE;
    buffer_clear(&lane->page, SYNC_PAGE_KEEP);
    if (round->fetching == lane)
        round->fetching = NULL;
}

void sync_lane_fail(struct sync_round *round, struct sync_lane *lane, enum status status)
{
    lane_free(round, lane);
    if (round->status == STATUS_OK)
        round->status = status;
    if (++round->failed >= SYNC_FAILURES_MAX)
        sync_round_end(round, status, false);
}

/* --- what comes in */

static struct sync_lane *lane_find(struct sync_round *round, uint16_t partition,
                                   enum sync_lane_state state)
{
    for (unsigned i = 0; i < SYNC_LANES; i++)
        if (round->lanes[i].state == state && round->lanes[i].partition == partition)
            return &round->lanes[i];
    return NULL;
}

static void lane_keep(uint8_t *room, uint16_t *size, struct slice key)
{
    ensure(key.size <= STORE_KEY_SIZE_MAX);
    memmove(room, key.data, key.size);
    *size = (uint16_t)key.size;
}

bool sync_lane_leaf(struct sync_round *round, const struct message_ae_leaf *leaf)
{
    struct sync_lane *lane = lane_find(round, leaf->partition, LANE_PAGE);
    struct sync_item item = {0};
    struct reader in;

    if (!lane)
        return false;
    if (leaf->status != STATUS_OK) {
        sync_lane_fail(round, lane, status_from_wire(leaf->status));
        return true;
    }
    if (leaf->items.size > SYNC_PAGE_SIZE_MAX || (leaf->items.size == 0 && !leaf->is_last) ||
        !sync_pack_check(leaf->items, SYNC_PRINTS, SCAN_ROWS_MAX, lane_after(lane)))
        return false;
    buffer_clear(&lane->page, SYNC_PAGE_KEEP);
    if (!buffer_append(&lane->page, leaf->items.data, leaf->items.size)) {
        sync_lane_fail(round, lane, STATUS_MEMORY);
        return true;
    }
    lane_keep(lane->own, &lane->own_size, lane_after(lane));
    in = reader_over(leaf->items);
    while (sync_pack_next(&in, SYNC_PRINTS, &item))
        continue;
    if (item.key.size)
        lane_keep(lane->after, &lane->after_size, item.key);
    lane->is_last = leaf->is_last;
    lane->at = lane->want_at = lane->want_end = lane->fetch_end = 0;
    lane->state = LANE_COMPARE;
    return true;
}

/* Notes a key as wanted: u16 length and the key, moved to the front of the page. */
static void lane_want(struct sync_lane *lane, struct slice key)
{
    const uint8_t *packed = key.data - sizeof(uint16_t);

    ensure(packed >= lane->page.data + lane->want_end);
    memmove(lane->page.data + lane->want_end, packed, sizeof(uint16_t) + key.size);
    lane->want_end += sizeof(uint16_t) + key.size;
}

/* Compares the rest of their page with ours, up to our last key unless nothing follows it. */
static void lane_compare(struct sync_lane *lane, const struct sync_page *page)
{
    const struct sync_row *rows = page->rows;
    uint32_t ours = 0;

    while (lane->at < lane->page.size) {
        struct reader in =
            reader_over(slice_of(lane->page.data + lane->at, lane->page.size - lane->at));
        struct sync_item theirs;
        bool is_same;

        if (!sync_pack_next(&in, SYNC_PRINTS, &theirs))
            ensure_unreachable(); /* checked when it came */
        while (ours < page->count && slice_compare(rows[ours].key, theirs.key) < 0)
            ours++;
        if (ours == page->count && !page->is_last)
            return; /* our next page tells */
        is_same = ours < page->count && slice_equal(rows[ours].key, theirs.key) &&
                  memcmp(&rows[ours].fingerprint, &theirs.print, sizeof(theirs.print)) == 0;
        lane->at += in.at;
        if (!is_same)
            lane_want(lane, theirs.key);
    }
}

bool sync_lane_listed(struct sync_round *round, struct sync_lane *lane,
                      const struct sync_page *page)
{
    struct slice last = page->count ? page->rows[page->count - 1].key : SLICE_NONE;

    if (lane->state != LANE_OWN)
        return false;
    lane_compare(lane, page);
    if (lane->at == lane->page.size) {
        lane->state = LANE_WANT;
    } else if (last.size == 0 || last.size > STORE_KEY_SIZE_MAX) {
        sync_lane_fail(round, lane, STATUS_BAD); /* a page without rows that is not the last */
    } else {
        lane_keep(lane->own, &lane->own_size, last);
        lane->state = LANE_COMPARE;
    }
    return true;
}

/* Tells whether `key` is among `keys` and unmarked, and marks it. */
static bool lane_mark(struct slice keys, struct slice key, bool given[SYNC_FETCH_MAX])
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
static void lane_forget(struct sync_lane *lane, const bool given[SYNC_FETCH_MAX])
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

static void lane_merge(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                       struct slice items)
{
    struct sync_output merge = {.kind = SYNC_MERGE,
                                .peer = round->peer,
                                .token = lane->token,
                                .partition = lane->partition,
                                .items = items};

    lane->state = LANE_MERGE;
    round->fetching = NULL;
    sync_emit(sync, &merge);
}

static void lane_slot_free(struct sync *sync, uint32_t token)
{
    for (unsigned i = 0; i < SYNC_MERGES_MAX; i++)
        if (sync->merges[i] == token)
            sync->merges[i] = 0;
}

bool sync_lane_items(struct sync *sync, struct sync_round *round, struct slice items)
{
    struct sync_lane *lane = round->fetching;
    struct reader in = reader_over(items);
    struct sync_item item;
    bool given[SYNC_FETCH_MAX] = {false};
    struct slice asked;

    if (!lane || !sync_pack_check(items, SYNC_OBJECTS, SYNC_FETCH_MAX, SLICE_NONE))
        return false;
    asked = slice_of(lane->page.data + lane->want_at, lane->fetch_end - lane->want_at);
    lane->merging = 0;
    while (sync_pack_next(&in, SYNC_OBJECTS, &item)) {
        if (!lane_mark(asked, item.key, given))
            return false;
        lane->merging++;
    }
    if (lane->merging == 0) {
        lane_slot_free(sync, lane->token);
        sync_lane_fail(round, lane, STATUS_MISSING);
        return true;
    }
    lane_forget(lane, given);
    lane_merge(sync, round, lane, items);
    return true;
}

void sync_lane_merged(struct sync_round *round, struct sync_lane *lane, enum status status)
{
    if (lane->state != LANE_MERGE)
        return;
    if (status != STATUS_OK) {
        sync_lane_fail(round, lane, status);
        return;
    }
    round->rows += lane->merging;
    lane->state = LANE_WANT;
}

/* --- what goes out */

static void lane_ask(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct message get = {.kind = MESSAGE_AE_LEAF_GET,
                          .ae_leaf_get = {.layout = round->layout,
                                          .round = round->number,
                                          .partition = lane->partition,
                                          .after = lane_after(lane)}};

    lane->state = LANE_PAGE;
    sync_send(sync, round->peer, &get);
}

/* Lists our rows of the range, unless it is known that there is none to compare. */
static void lane_list(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    static const struct sync_page nothing = {.is_last = true};
    struct sync_output list = {.kind = SYNC_LIST,
                               .peer = round->peer,
                               .partition = lane->partition,
                               .after = slice_of(lane->own, lane->own_size)};

    if (lane->page.size == 0 || sync->sums[lane->partition].count == 0) {
        lane_compare(lane, &nothing);
        lane->state = LANE_WANT;
        return;
    }
    list.token = lane->token = sync_token_next(sync);
    lane->state = LANE_OWN;
    sync_emit(sync, &list);
}

/* The end of the next keys to fetch: bounded in number and bytes. */
static size_t lane_fetch_end(const struct sync_lane *lane)
{
    struct reader in =
        reader_over(slice_of(lane->page.data + lane->want_at, lane->want_end - lane->want_at));
    struct sync_item item;
    size_t end = 0;

    for (uint32_t i = 0; i < SYNC_FETCH_MAX && sync_pack_next(&in, SYNC_KEYS, &item); i++) {
        if (in.at > SYNC_FETCH_SIZE_MAX)
            break;
        end = in.at;
    }
    return lane->want_at + end;
}

/* A merge is reserved before its rows are asked for, so that rows never wait in memory. */
static bool lane_fetch(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct message fetch = {.kind = MESSAGE_AE_FETCH, .ae_fetch = {.round = round->number}};
    unsigned slot = 0;

    while (slot < SYNC_MERGES_MAX && sync->merges[slot] != 0)
        slot++;
    if (round->fetching || slot == SYNC_MERGES_MAX)
        return false;
    sync->merges[slot] = lane->token = sync_token_next(sync);
    round->fetching = lane;
    lane->fetch_end = lane_fetch_end(lane);
    lane->state = LANE_ITEMS;
    fetch.ae_fetch.keys =
        slice_of(lane->page.data + lane->want_at, lane->fetch_end - lane->want_at);
    sync_send(sync, round->peer, &fetch);
    return true;
}

static bool lane_go_on(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    if (lane->want_at < lane->want_end)
        return lane_fetch(sync, round, lane);
    if (!lane->is_last) {
        lane->state = LANE_ASK;
        return true;
    }
    lane_free(round, lane);
    (void)sync_round_pulled(sync, round, lane->partition);
    return true;
}

bool sync_lane_step(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    switch (lane->state) {
    case LANE_ASK:
        lane_ask(sync, round, lane);
        return true;
    case LANE_COMPARE:
        lane_list(sync, round, lane);
        return true;
    case LANE_WANT:
        return lane_go_on(sync, round, lane);
    case LANE_FREE:
    case LANE_PAGE:
    case LANE_OWN:
    case LANE_ITEMS:
    case LANE_MERGE:
        return false;
    }
    ensure_unreachable();
}
