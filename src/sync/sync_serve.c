/* sync_serve.c: the answerer's side of a peer's round. A serve remembers which round of which peer
 * runs under which layout, and the few pages of rows being listed for it. It claims nothing: what
 * the asker tells in AE_DONE counts only for a round this peer took part in, under a layout that
 * still holds. */
#include "sync_private.h"

#include "ensure.h"

static struct sync_serve *serve_find(struct sync *sync, uint64_t peer, uint32_t number)
{
    for (uint32_t i = 0; i < sync->config.serves_max; i++) {
        struct sync_serve *serve = &sync->serves[i];

        if (serve->is_active && serve->peer == peer && serve->number == number)
            return serve;
    }
    return NULL;
}

void sync_serve_end(struct sync_serve *serve)
{
    serve->is_active = false;
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        serve->leaves[i].state = LEAF_FREE;
        buffer_clear(&serve->leaves[i].rows, 0);
    }
}

/* A peer has one round with us at a time: its next one takes the place of the last. */
static struct sync_serve *serve_new(struct sync *sync, uint64_t peer)
{
    struct sync_serve *unused = NULL;

    for (uint32_t i = 0; i < sync->config.serves_max; i++) {
        struct sync_serve *serve = &sync->serves[i];

        if (serve->is_active && serve->peer == peer) {
            sync_serve_end(serve);
            return serve;
        }
        if (!serve->is_active && !unused)
            unused = serve;
    }
    return unused;
}

static void serve_tell_layout(struct sync *sync, uint64_t peer, uint64_t layout)
{
    struct sync_output output = {.kind = SYNC_LAYOUT, .peer = peer, .layout = layout};

    sync_emit(sync, &output);
}

static uint8_t *serve_shared(const struct sync *sync)
{
    return sync->bits + SYNC_ROUNDS_MAX * 3 * sync_bits_size(sync); /* the set behind the rounds' */
}

/* --- roots */

/* Answers with the partitions that differ; without any, everything asked about is equal. */
static void serve_answer(struct sync *sync, uint64_t peer, const struct message_ae_diff *diff)
{
    struct message answer = {.kind = MESSAGE_AE_DIFF, .ae_diff = *diff};

    sync_send(sync, peer, &answer);
}

static bool serve_sum_equal(const struct sync_sum *a, const struct sync_sum *b)
{
    return a->count == b->count && memcmp(&a->sum, &b->sum, sizeof(a->sum)) == 0;
}

static void serve_super(struct sync *sync, instant now, uint64_t peer,
                        const struct message_ae_root *root)
{
    static const uint8_t differs[] = {SYNC_SUPER >> 8, SYNC_SUPER & 0xFF};
    struct message_ae_diff diff = {.layout = root->layout, .round = root->round};
    struct reader in = reader_over(root->roots);
    struct sync_serve *serve;
    struct sync_sum theirs, ours;

    if (sync_pack_read_root(&in, &theirs) != SYNC_SUPER || !reader_is_done(&in))
        return;
    serve = serve_new(sync, peer);
    if (!serve) {
        diff.status = STATUS_OVERLOAD;
        serve_answer(sync, peer, &diff);
        return;
    }
    serve->is_active = true;
    serve->peer = peer;
    serve->layout = root->layout;
    serve->number = root->round;
    serve->deadline = instant_add(now, sync->config.round_timeout_us);
    (void)sync_shared(sync, peer, serve_shared(sync));
    ours = sync_super(sync, serve_shared(sync));
    if (!serve_sum_equal(&ours, &theirs))
        diff.partitions = slice_of(differs, sizeof(differs));
    serve_answer(sync, peer, &diff);
}

static bool serve_roots_are_good(const struct sync *sync, uint64_t peer, struct slice roots)
{
    struct reader in = reader_over(roots);
    uint32_t least = 0;

    while (reader_left(&in) > 0) {
        struct sync_sum sum;
        uint32_t partition = sync_pack_read_root(&in, &sum);

        if (in.is_bad || partition < least || partition >= sync->config.partitions ||
            !sync->config.is_shared(sync->config.context, peer, (uint16_t)partition))
            return false;
        least = partition + 1;
    }
    return reader_is_done(&in) && least > 0;
}

static void serve_roots(struct sync *sync, uint64_t peer, const struct message_ae_root *root)
{
    struct message_ae_diff diff = {.layout = root->layout, .round = root->round};
    struct reader in = reader_over(root->roots);
    size_t room_size = root->roots.size / SYNC_ROOT_SIZE * sizeof(uint16_t);
    uint8_t *room;
    struct writer out;

    if (!serve_roots_are_good(sync, peer, root->roots))
        return;
    room = buffer_reserve(&sync->scratch, room_size);
    out = writer_over(room, room ? room_size : 0);
    while (room && reader_left(&in) > 0) {
        struct sync_sum theirs;
        uint16_t partition = sync_pack_read_root(&in, &theirs);

        if (!serve_sum_equal(&theirs, &sync->sums[partition]))
            write_u16(&out, partition);
    }
    diff.status = room ? STATUS_OK : STATUS_MEMORY;
    diff.partitions = writer_done(&out);
    serve_answer(sync, peer, &diff);
    buffer_clear(&sync->scratch, 0);
}

/* The first message of a round carries the super-root, later ones parts of the list. */
static void serve_root(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                       const struct message_ae_root *root)
{
    struct message_ae_diff refusal = {
        .status = STATUS_LAYOUT, .layout = layout, .round = root->round};
    struct sync_serve *serve = serve_find(sync, peer, root->round);

    if (root->layout != layout) {
        if (serve)
            sync_serve_end(serve);
        serve_answer(sync, peer, &refusal);
        serve_tell_layout(sync, peer, root->layout);
    } else if (serve) {
        serve->deadline = instant_add(now, sync->config.round_timeout_us);
        serve_roots(sync, peer, root);
    } else {
        serve_super(sync, now, peer, root);
    }
}

/* --- rows */

static void serve_leaf_get(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                           const struct message_ae_leaf_get *get)
{
    struct sync_leaf *leaf = NULL;
    uint32_t partition = get->partition;

    if (partition >= sync->config.partitions || get->after.size > STORE_KEY_SIZE_MAX ||
        !sync->config.is_shared(sync->config.context, serve->peer, get->partition))
        return;
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        if (serve->leaves[i].state == LEAF_FREE)
            leaf = &serve->leaves[i];
        else if (serve->leaves[i].partition == partition)
            return; /* asked already */
    }
    if (!leaf)
        return;
    leaf->partition = get->partition;
    leaf->status = STATUS_OK;
    leaf->is_last = true;
    leaf->after_size = (uint16_t)get->after.size;
    memcpy(leaf->after, get->after.size ? get->after.data : leaf->after, get->after.size);
    buffer_clear(&leaf->rows, SYNC_PAGE_KEEP);
    leaf->state = LEAF_ASKED;
    if (get->layout != layout || serve->layout != layout) {
        leaf->status = STATUS_LAYOUT;
        leaf->state = LEAF_READY;
    } else if (sync->sums[partition].count == 0) {
        leaf->state = LEAF_READY; /* an empty page needs no look at the store */
    }
}

static bool leaf_pack(struct sync_leaf *leaf, const struct sync_row *row)
{
    size_t size = sizeof(uint16_t) + row->key.size + sizeof(row->fingerprint);
    uint8_t *room;
    struct writer out;

    if (leaf->rows.size + size > SYNC_PAGE_SIZE_MAX)
        return false;
    room = buffer_reserve(&leaf->rows, size);
    if (!room)
        return false;
    out = writer_over(room, size);
    write_u16(&out, (uint16_t)row->key.size);
    write_slice(&out, row->key);
    write_bytes(&out, row->fingerprint.bytes, sizeof(row->fingerprint.bytes));
    leaf->rows.size += out.size;
    return true;
}

void sync_serve_listed(struct sync_leaf *leaf, const struct sync_page *page)
{
    const struct sync_row *rows = page->rows;
    uint32_t packed = 0;

    ensure(leaf->state == LEAF_LISTING);
    leaf->status = page->status;
    leaf->state = LEAF_READY;
    if (page->status != STATUS_OK)
        return;
    while (packed < page->count &&
           (sync_print_is_none(&rows[packed].fingerprint) || leaf_pack(leaf, &rows[packed])))
        packed++;
    leaf->is_last = page->is_last && packed == page->count;
    if (leaf->rows.size > 0 || leaf->is_last)
        return;
    if (packed == 0 || rows[packed - 1].key.size > STORE_KEY_SIZE_MAX) {
        leaf->status = packed == page->count ? STATUS_BAD : STATUS_MEMORY;
        return;
    }
    leaf->after_size = (uint16_t)rows[packed - 1].key.size; /* nothing comparable so far: go on */
    memcpy(leaf->after, rows[packed - 1].key.data, leaf->after_size);
    leaf->state = LEAF_ASKED;
}

static void serve_fetch(struct sync *sync, struct sync_serve *serve, struct slice keys)
{
    struct sync_output give = {
        .kind = SYNC_GIVE, .peer = serve->peer, .round = serve->number, .keys = keys};

    if (keys.size == 0 || keys.size > SYNC_FETCH_SIZE_MAX ||
        !sync_pack_check(keys, SYNC_KEYS, SYNC_FETCH_MAX, SLICE_NONE))
        return;
    sync_emit(sync, &give);
}

/* --- the end */

static void serve_done(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                       const struct message_ae_done *done)
{
    struct sync_output given = {.kind = SYNC_GIVEN, .peer = serve->peer, .layout = layout};
    struct reader in = reader_over(done->partitions);
    bool is_all = done->partitions.size == 0;

    if (!sync_pack_partitions(done->partitions, sync->config.partitions))
        return;
    is_all &= done->layout == layout;
    if (done->layout != layout || serve->layout != layout)
        in.at = in.size, is_all = false;
    sync_serve_end(serve);
    for (uint32_t p = 0; is_all && p < sync->config.partitions; p++) {
        given.partition = (uint16_t)p;
        if (sync->config.is_shared(sync->config.context, given.peer, given.partition))
            sync_emit(sync, &given);
    }
    while (reader_left(&in) > 0) {
        given.partition = read_u16(&in);
        if (sync->config.is_shared(sync->config.context, given.peer, given.partition))
            sync_emit(sync, &given);
    }
}

static void serve_message(struct sync *sync, struct sync_serve *serve, uint64_t layout,
                          const struct message *message)
{
    if (message->kind == MESSAGE_AE_LEAF_GET)
        serve_leaf_get(sync, serve, layout, &message->ae_leaf_get);
    else if (message->kind == MESSAGE_AE_FETCH)
        serve_fetch(sync, serve, message->ae_fetch.keys);
    else
        serve_done(sync, serve, layout, &message->ae_done);
}

void sync_serve_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                        const struct message *message)
{
    struct sync_serve *serve;
    uint32_t number = message->ae_done.round;

    if (message->kind == MESSAGE_AE_ROOT) {
        serve_root(sync, now, peer, layout, &message->ae_root);
        return;
    }
    if (message->kind == MESSAGE_AE_LEAF_GET)
        number = message->ae_leaf_get.round;
    if (message->kind == MESSAGE_AE_FETCH)
        number = message->ae_fetch.round;
    serve = serve_find(sync, peer, number);
    if (!serve)
        return;
    serve->deadline = instant_add(now, sync->config.round_timeout_us);
    serve_message(sync, serve, layout, message);
}

static void leaf_list(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct sync_output list = {.kind = SYNC_LIST,
                               .peer = serve->peer,
                               .token = sync_token_next(sync),
                               .partition = leaf->partition,
                               .after = slice_of(leaf->after, leaf->after_size)};

    leaf->token = list.token;
    leaf->state = LEAF_LISTING;
    sync_emit(sync, &list);
}

static void leaf_send(struct sync *sync, struct sync_serve *serve, struct sync_leaf *leaf)
{
    struct message page = {.kind = MESSAGE_AE_LEAF,
                           .ae_leaf = {.status = (uint8_t)leaf->status,
                                       .round = serve->number,
                                       .partition = leaf->partition,
                                       .is_last = leaf->is_last}};

    if (leaf->status == STATUS_OK)
        page.ae_leaf.items = slice_of(leaf->rows.data, leaf->rows.size);
    leaf->state = LEAF_FREE;
    sync_send(sync, serve->peer, &page);
    buffer_clear(&leaf->rows, SYNC_PAGE_KEEP);
}

bool sync_serve_step(struct sync *sync, struct sync_serve *serve)
{
    for (unsigned i = 0; serve->is_active && i < SYNC_LANES; i++) {
        struct sync_leaf *leaf = &serve->leaves[i];

        if (leaf->state == LEAF_ASKED) {
            leaf_list(sync, serve, leaf);
            return true;
        }
        if (leaf->state == LEAF_READY) {
            leaf_send(sync, serve, leaf);
            return true;
        }
    }
    return false;
}
