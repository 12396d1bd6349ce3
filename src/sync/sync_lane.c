/* sync_lane.c: pulling one partition, range by range. We list our own rows of a range and say what
 * we hold; the other side lists its rows and gives what we lack. Where much is held and much else
 * differs too, sub-ranges are told apart first, and only rows of those that differ are spelled.
 *
 *   A                                                     B
 *   |--- AE_LEAF_GET sums of sub-ranges -------------------->|   (left out for few rows, and when
 *   |<-- AE_LEAF mask of those that differ ------------------|    few partitions differ)
 *   |--- AE_LEAF_GET fingerprints of our rows in them ------>|
 *   |<-- AE_ITEMS all rows A lacks, if one fetch holds them -|
 *   |    or AE_LEAF their keys, AE_FETCH, AE_ITEMS ...  (sync_want.c)
 *
 * A fingerprint stands for key and state, so 8 bytes a row say all. A partition counts as pulled
 * only when every row that was named or given is merged durably. */
#include "sync_private.h"

#include "ensure.h"

#define LANE_ROW_SIZE (2 * SYNC_HASH_SIZE) /* front 8 | print 8 */

void sync_lane_start(struct sync_lane *lane, uint16_t partition)
{
    ensure(lane->state == LANE_FREE && lane->reserved == 0);
    lane->state = LANE_LIST;
    lane->partition = partition;
    lane->after.size = 0;
    lane->token = 0;
}

struct sync_range sync_lane_range(const struct sync_lane *lane)
{
    return (struct sync_range){sync_key_slice(&lane->after), sync_key_slice(&lane->until)};
}

void sync_lane_free(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    sync_want_release(sync, round, lane);
    lane->state = LANE_FREE;
    buffer_clear(&lane->page, SYNC_PAGE_KEEP);
}

void sync_lane_fail(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                    enum status status)
{
    sync_lane_free(sync, round, lane);
    if (round->status == STATUS_OK)
        round->status = status;
    if (++round->failed >= SYNC_FAILURES_MAX)
        sync_round_end(round, status, false);
}

bool sync_lane_is_level(struct sync *sync, const struct sync_round *round, uint32_t partition,
                        struct slice standing)
{
    struct sync_standing theirs;
    struct sync_output output = {.kind = SYNC_STANDING,
                                 .peer = round->peer,
                                 .partition = (uint16_t)partition,
                                 .items = standing};

    if (!sync_standing_read(standing, &theirs))
        return false;
    if (theirs.number == sync->stables[partition].standing.number)
        return true;
    sync_emit(sync, &output);
    return false;
}

/* --- our own rows */

/* What a page is cut into: nothing where the fingerprints themselves are cheap. */
static uint32_t lane_split(const struct sync_round *round, uint32_t rows)
{
    bool is_split =
        rows > SYNC_WHOLE_ROWS || (rows > SYNC_SPLIT_ROWS && round->differed > SYNC_WHOLE_MAX);

    return is_split ? sync_split_count(rows) : 0;
}

/* Begins a range that ends with `until`; empty: with the partition. */
static void lane_begin(struct sync_round *round, struct sync_lane *lane, struct slice until)
{
    sync_key_keep(&lane->until, until);
    lane->is_last = until.size == 0;
    lane->want_at = lane->fetch_end = 0;
    lane->split = lane_split(round, (uint32_t)(lane->page.size / LANE_ROW_SIZE));
    lane->state = lane->split ? LANE_NARROW : LANE_HAVE;
}

bool sync_lane_listed(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                      const struct sync_page *page)
{
    uint32_t count = page->count < SCAN_ROWS_MAX ? page->count : SCAN_ROWS_MAX;
    struct slice until = count > 0 ? page->rows[count - 1].key : SLICE_NONE;
    uint8_t *room = buffer_reserve(&lane->page, count * LANE_ROW_SIZE + 1);
    struct writer out = writer_over(room, room ? count * LANE_ROW_SIZE : 0);

    if (lane->state != LANE_OWN)
        return false;
    if (page->is_last && count == page->count)
        until = SLICE_NONE;
    else if (until.size == 0 || until.size > STORE_KEY_SIZE_MAX ||
             slice_compare(sync_key_slice(&lane->after), until) >= 0)
        room = NULL; /* a page that leads nowhere */
    if (!room) {
        sync_lane_fail(sync, round, lane, STATUS_BAD);
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sync_print_is_none(&page->rows[i].fingerprint))
            continue;
        write_u64(&out, sync_split_front(page->rows[i].key));
        write_bytes(&out, page->rows[i].fingerprint.bytes, SYNC_HASH_SIZE);
    }
    lane->page.size += out.size;
    lane_begin(round, lane, until);
    return true;
}

/* --- what comes in */

static struct sync_lane *lane_find(struct sync_round *round, const struct message_ae_leaf *leaf)
{
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        struct sync_lane *lane = &round->lanes[i];

        if ((lane->state == LANE_MASK || lane->state == LANE_PAGE) &&
            lane->question == leaf->question && lane->partition == leaf->partition)
            return lane;
    }
    return NULL;
}

/* Which sub-ranges differ. With none our rows of the range are theirs. */
static bool lane_masked(struct sync_lane *lane, const struct message_ae_leaf *leaf)
{
    bool is_any = false;

    if (leaf->mask.size * 8 != lane->split || leaf->keys.size > 0 || leaf->until.size > 0)
        return false;
    for (size_t i = 0; i < leaf->mask.size; i++) {
        lane->mask[i] = leaf->mask.data[i];
        is_any |= lane->mask[i] != 0;
    }
    lane->state = is_any ? LANE_HAVE : LANE_WANT;
    if (!is_any)
        buffer_clear(&lane->page, SYNC_PAGE_KEEP);
    return true;
}

/* Which rows we lack, up to `until` if that is given. */
static bool lane_named(struct sync *sync, struct sync_round *round, struct sync_lane *lane,
                       const struct message_ae_leaf *leaf)
{
    struct sync_range range = sync_lane_range(lane);

    if (leaf->mask.size > 0 || leaf->keys.size > SYNC_PAGE_SIZE_MAX ||
        leaf->until.size > STORE_KEY_SIZE_MAX ||
        (leaf->until.size > 0 && !sync_pack_holds(&range, leaf->until)))
        return false;
    if (leaf->until.size > 0)
        range.until = leaf->until;
    if (!sync_pack_check(leaf->keys, SYNC_KEYS, SCAN_ROWS_MAX, &range) ||
        !sync_pack_ascends(leaf->keys))
        return false;
    sync_want_release(sync, round, lane);
    if (leaf->until.size > 0) {
        lane->is_last = false;
        sync_key_keep(&lane->until, leaf->until);
    }
    if (sync_want_set(lane, leaf->keys, SYNC_KEYS))
        lane->state = LANE_WANT;
    else
        sync_lane_fail(sync, round, lane, STATUS_MEMORY);
    return true;
}

bool sync_lane_leaf(struct sync *sync, struct sync_round *round, const struct message_ae_leaf *leaf)
{
    struct sync_lane *lane = lane_find(round, leaf);

    if (!lane)
        return false;
    if (leaf->status != STATUS_OK) {
        sync_lane_fail(sync, round, lane, status_from_wire(leaf->status));
        return true;
    }
    if (!sync_lane_is_level(sync, round, leaf->partition, leaf->standing)) {
        sync_lane_fail(sync, round, lane, STATUS_STALE);
        return true;
    }
    if (lane->state == LANE_MASK)
        return lane_masked(lane, leaf);
    return lane_named(sync, round, lane, leaf);
}

/* --- what goes out */

/* Lists our rows of the partition, unless it is known that there is none. */
static void lane_list(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct sync_output list = {.kind = SYNC_LIST,
                               .peer = round->peer,
                               .partition = lane->partition,
                               .after = sync_key_slice(&lane->after)};

    buffer_clear(&lane->page, SYNC_PAGE_KEEP);
    if (sync->sums[lane->partition].count == 0) {
        lane_begin(round, lane, SLICE_NONE);
        return;
    }
    list.token = lane->token = sync_token_next(sync);
    lane->state = LANE_OWN;
    sync_emit(sync, &list);
}

static struct message lane_get(struct sync *sync, const struct sync_round *round,
                               struct sync_lane *lane)
{
    struct sync_range range = sync_lane_range(lane);

    lane->question = sync_token_next(sync);
    return (struct message){.kind = MESSAGE_AE_LEAF_GET,
                            .ae_leaf_get = {.round = round->number,
                                            .partition = lane->partition,
                                            .question = lane->question,
                                            .after = range.after,
                                            .until = range.until}};
}

static void lane_send_sums(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct message get = lane_get(sync, round, lane);
    struct reader in = reader_over(slice_of(lane->page.data, lane->page.size));
    uint64_t sums[SYNC_SPLIT_MAX] = {0};
    uint8_t room[SYNC_SPLIT_MAX * SYNC_HASH_SIZE];
    struct writer out = writer_over(room, sizeof(room));

    while (reader_left(&in) > 0) {
        uint64_t front = read_u64(&in);

        sync_split_add(sums, lane->split, front, read_u64(&in));
    }
    for (uint32_t i = 0; i < lane->split; i++)
        write_u64(&out, sums[i]);
    get.ae_leaf_get.sums = writer_done(&out);
    lane->state = LANE_MASK;
    sync_send(sync, round->peer, &get);
}

/* Sends the fingerprints of our rows: packed to the front of the page, where they are shorter. */
static bool lane_send_prints(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    struct message get = lane_get(sync, round, lane);
    struct reader in = reader_over(slice_of(lane->page.data, lane->page.size));
    struct writer out = writer_over(lane->page.data, lane->page.size);

    if (!sync_want_reserve(sync, round, lane))
        return false;
    while (reader_left(&in) > 0) {
        uint64_t front = read_u64(&in), print = read_u64(&in);

        if (sync_split_has(lane->mask, lane->split, front))
            write_u64(&out, print);
    }
    lane->page.size = out.size;
    get.ae_leaf_get.prints = writer_done(&out);
    get.ae_leaf_get.mask = slice_of(lane->mask, lane->split / 8);
    lane->state = LANE_PAGE;
    sync_send(sync, round->peer, &get);
    return true;
}

static bool lane_go_on(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    if (lane->want_at < lane->page.size)
        return sync_want_fetch(sync, round, lane);
    if (!lane->is_last) {
        lane->after = lane->until;
        lane->state = LANE_LIST;
        return true;
    }
    sync_lane_free(sync, round, lane);
    (void)sync_round_pulled(sync, round, lane->partition);
    return true;
}

bool sync_lane_step(struct sync *sync, struct sync_round *round, struct sync_lane *lane)
{
    switch (lane->state) {
    case LANE_LIST:
        lane_list(sync, round, lane);
        return true;
    case LANE_NARROW:
        lane_send_sums(sync, round, lane);
        return true;
    case LANE_HAVE:
        return lane_send_prints(sync, round, lane);
    case LANE_WANT:
        return lane_go_on(sync, round, lane);
    case LANE_FREE:
    case LANE_OWN:
    case LANE_MASK:
    case LANE_PAGE:
    case LANE_ITEMS:
    case LANE_MERGE:
        return false;
    }
    ensure_unreachable();
}
