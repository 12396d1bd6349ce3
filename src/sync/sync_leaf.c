/* sync_leaf.c: the answer to one AE_LEAF_GET. Our rows of the range are listed and compared with
 * what the asker says it holds: sums of sub-ranges are answered with a mask, fingerprints with the
 * rows that none of them stands for. Both sides go in key order, so equal rows meet in equal order.
 * When our rows take more than a page, the answer ends where the page does and the asker goes on
 * there; sums cannot be compared then, and every sub-range counts as different. */
#include "sync_private.h"

#include "ensure.h"

static bool leaf_get_is_good(const struct message_ae_leaf_get *get)
{
    size_t rows = get->prints.size / SYNC_HASH_SIZE;

    if (get->after.size > STORE_KEY_SIZE_MAX || get->until.size > STORE_KEY_SIZE_MAX ||
        (get->until.size > 0 && slice_compare(get->after, get->until) >= 0))
        return false;
    if (get->sums.size > 0)
        return get->sums.size % SYNC_HASH_SIZE == 0 && get->mask.size == 0 && rows == 0 &&
               sync_split_is_count(get->sums.size / SYNC_HASH_SIZE);
    return get->prints.size % SYNC_HASH_SIZE == 0 && rows <= SCAN_ROWS_MAX &&
           (get->mask.size == 0 || sync_split_is_count(get->mask.size * 8));
}

static void leaf_ask(struct sync_leaf *leaf, const struct message_ae_leaf_get *get)
{
    struct slice asked = get->sums.size > 0 ? get->sums : get->prints;

    leaf->state = LEAF_ASKED;
    leaf->status = STATUS_OK;
    leaf->partition = get->partition;
    leaf->question = get->question;
    leaf->is_sums = get->sums.size > 0;
    leaf->split = (uint32_t)(leaf->is_sums ? get->sums.size / SYNC_HASH_SIZE : get->mask.size * 8);
    memset(leaf->mask, 0, sizeof(leaf->mask));
    if (get->mask.size > 0)
        memcpy(leaf->mask, get->mask.data, get->mask.size);
    sync_key_keep(&leaf->after, get->after);
    sync_key_keep(&leaf->until, get->until);
    leaf->covered.size = 0;
    buffer_clear(&leaf->keys, SYNC_PAGE_KEEP);
    buffer_clear(&leaf->asked, SYNC_PAGE_KEEP);
    if (asked.size > 0 && !buffer_append(&leaf->asked, asked.data, asked.size))
        leaf->status = STATUS_MEMORY;
}

/* Tells whether the asker may see the rows of a partition: as an owner, or because we offered it.
 */
static bool leaf_is_open(const struct sync *sync, const struct sync_serve *serve,
                         uint16_t partition)
{
    const struct sync_config *config = &sync->config;

    if (serve->is_offered)
        return config->is_offered && config->is_offered(config->context, serve->peer, partition);
    return config->is_shared(config->context, serve->peer, partition);
}

void sync_leaf_get(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                   const struct message_ae_leaf_get *get)
{
    struct sync_leaf *leaf = NULL;

    if (get->partition >= sync->config.partitions || !leaf_get_is_good(get) ||
        !leaf_is_open(sync, serve, get->partition))
        return;
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        if (serve->leaves[i].state == LEAF_FREE)
            leaf = &serve->leaves[i];
        else if (serve->leaves[i].partition == get->partition)
            return; /* asked already */
    }
    if (!leaf)
        return;
    leaf_ask(leaf, get);
    if (serve->layout != layout)
        leaf->status = STATUS_LAYOUT;
    if (leaf->status != STATUS_OK || sync->sums[get->partition].count == 0)
        leaf->state = LEAF_READY; /* having nothing needs no look at the store */
}

/* --- comparing */

static bool leaf_pack(struct sync_leaf *leaf, struct slice key)
{
    size_t size = sizeof(uint16_t) + key.size;
    uint8_t *room = NULL;
    struct writer out;

    if (leaf->keys.size + size <= SYNC_PAGE_SIZE_MAX)
        room = buffer_reserve(&leaf->keys, size);
    if (!room)
        return false;
    out = writer_over(room, size);
    write_u16(&out, (uint16_t)key.size);
    write_slice(&out, key);
    leaf->keys.size += out.size;
    return true;
}

/* Sets the bits of sub-ranges whose sums are not the asker's. */
static void leaf_compare_sums(struct sync_leaf *leaf, const struct sync_page *page, uint32_t count)
{
    struct reader in = reader_over(slice_of(leaf->asked.data, leaf->asked.size));
    uint64_t sums[SYNC_SPLIT_MAX] = {0};

    for (uint32_t i = 0; i < count; i++)
        if (!sync_print_is_none(&page->rows[i].fingerprint))
            sync_split_add(sums, leaf->split, sync_split_front(page->rows[i].key),
                           bytes_load_u64(page->rows[i].fingerprint.bytes));
    for (uint32_t i = 0; i < leaf->split; i++)
        if (read_u64(&in) != sums[i] || leaf->covered.size > 0)
            sync_bit_set(leaf->mask, i);
}

/* Packs the keys of rows the asker has no fingerprint of; returns how many rows it has looked at.
 */
static uint32_t leaf_compare_rows(struct sync_leaf *leaf, const struct sync_page *page,
                                  uint32_t count)
{
    size_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct sync_row *row = &page->rows[i];
        size_t found = at;

        if (sync_print_is_none(&row->fingerprint) ||
            !sync_split_has(leaf->mask, leaf->split, sync_split_front(row->key)))
            continue;
        while (found < leaf->asked.size &&
               memcmp(leaf->asked.data + found, row->fingerprint.bytes, SYNC_HASH_SIZE) != 0)
            found += SYNC_HASH_SIZE;
        if (found < leaf->asked.size)
            at = found + SYNC_HASH_SIZE;
        else if (!leaf_pack(leaf, row->key))
            return i;
    }
    return count;
}

/* Notes that rows were compared only up to the last of the first `count` of a page. */
static void leaf_cut(struct sync_leaf *leaf, const struct sync_page *page, uint32_t count)
{
    struct slice last = count > 0 ? page->rows[count - 1].key : SLICE_NONE;

    if (last.size == 0 || last.size > STORE_KEY_SIZE_MAX ||
        slice_compare(sync_key_slice(&leaf->after), last) >= 0)
        leaf->status = page->count > 0 ? STATUS_MEMORY : STATUS_BAD; /* it leads nowhere */
    else
        sync_key_keep(&leaf->covered, last);
}

void sync_leaf_listed(struct sync_leaf *leaf, const struct sync_page *page)
{
    struct slice until = sync_key_slice(&leaf->until);
    uint32_t count = 0, compared;

    ensure(leaf->state == LEAF_LISTING);
    leaf->status = page->status;
    leaf->state = LEAF_READY;
    if (page->status != STATUS_OK)
        return;
    while (count < page->count &&
           (until.size == 0 || slice_compare(page->rows[count].key, until) <= 0))
        count++;
    if (count == page->count && !page->is_last) /* more may follow in the range */
        leaf_cut(leaf, page, count);
    if (leaf->is_sums) {
        leaf_compare_sums(leaf, page, count);
        return;
    }
    compared = leaf_compare_rows(leaf, page, count);
    if (compared < count)
        leaf_cut(leaf, page, compared);
}

/* --- answering */

static void leaf_list(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct sync_output list = {.kind = SYNC_LIST,
                               .peer = serve->peer,
                               .token = sync_token_next(sync),
                               .partition = leaf->partition,
                               .after = sync_key_slice(&leaf->after)};

    leaf->token = list.token;
    leaf->state = LEAF_LISTING;
    sync_emit(sync, &list);
}

/* Gives what one fetch could name, without waiting for it. */
static void leaf_give(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct sync_output give = {.kind = SYNC_GIVE,
                               .peer = serve->peer,
                               .round = serve->number,
                               .token = leaf->question,
                               .partition = leaf->partition,
                               .keys = slice_of(leaf->keys.data, leaf->keys.size)};

    sync_emit(sync, &give);
}

static void leaf_send(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct message answer = {.kind = MESSAGE_AE_LEAF,
                             .ae_leaf = {.status = (uint8_t)leaf->status,
                                         .round = serve->number,
                                         .partition = leaf->partition,
                                         .question = leaf->question}};
    const struct sync_standing *standing = sync_standing(sync, leaf->partition);
    uint8_t room[SYNC_STANDING_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));

    if (standing->number > 0) {
        sync_standing_write(standing, &out);
        answer.ae_leaf.standing = writer_done(&out);
    }
    if (leaf->status == STATUS_OK && leaf->is_sums) {
        answer.ae_leaf.mask = slice_of(leaf->mask, leaf->split / 8);
    } else if (leaf->status == STATUS_OK) {
        answer.ae_leaf.keys = slice_of(leaf->keys.data, leaf->keys.size);
        answer.ae_leaf.until = sync_key_slice(&leaf->covered);
    }
    sync_send(sync, serve->peer, &answer);
}

static void leaf_answer(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct slice keys = slice_of(leaf->keys.data, leaf->keys.size);
    bool is_given = leaf->status == STATUS_OK && !leaf->is_sums && keys.size > 0 &&
                    leaf->covered.size == 0 && sync_pack_end(keys) == keys.size;

    leaf->state = LEAF_FREE;
    if (is_given)
        leaf_give(sync, serve, leaf);
    else
        leaf_send(sync, serve, leaf);
    buffer_clear(&leaf->keys, SYNC_PAGE_KEEP);
}

bool sync_leaf_step(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    if (leaf->state == LEAF_ASKED)
        leaf_list(sync, serve, leaf);
    else if (leaf->state == LEAF_READY)
        leaf_answer(sync, serve, leaf);
    else
        return false;
    return true;
}
