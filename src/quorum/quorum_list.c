/* LIST: every peer reads a page of its own keys, and the pages are merged by key like any copies
 * are. A peer that does not answer is no loss as long as every key still has R answers: with three
 * owners a key and R = 2 one silent peer may be missing, whichever it is.
 *
 * A page that ends early says nothing about keys behind its last one, so the merged page ends at
 * the smallest last key of all that do:
 *
 *      page 1   a  c  d  f ...            (more)      last f
 *      page 2   a  b  c ...               (more)      last c   <- the merged page ends here
 *      page 3   b  d  e .                 (the end)
 *      merged   a  b  c                   (more)
 *
 * Only keys whose winner is a value that has not expired are listed. If a page had nothing but
 * tombstones the next is asked for at once: whoever pages through always finds a key to go on
 * behind, or the end. */
#include "ensure.h"
#include "quorum_room.h"

/* --- pages */

/* Checks what a peer sent: rows whole, keys ascending and of the prefix, heads that decode. */
static bool page_is_valid(struct quorum *quorum, const struct quorum_listing *listing,
                          struct slice items, struct slice *last)
{
    struct reader in = reader_over(items);
    struct slice prefix = slice_of(listing->prefix, listing->prefix_size);

    *last = SLICE_NONE;
    while (reader_left(&in) > 0) {
        struct slice key = read_slice(&in, read_u16(&in));
        struct slice head = read_slice(&in, read_u32(&in));

        if (in.is_bad || key.size == 0 || key.size > KEY_SIZE_MAX ||
            slice_compare(key, *last) <= 0 || !slice_has_prefix(key, prefix) ||
            crdt_object_decode_head(head, &quorum->a) != STATUS_OK)
            return false;
        *last = key;
    }
    return !in.is_bad;
}

static enum status page_keep(struct quorum *quorum, const struct quorum_listing *listing,
                             struct quorum_page *page, const struct quorum_answer *answer)
{
    struct slice last;

    if (!page_is_valid(quorum, listing, answer->items, &last) ||
        (last.size == 0 && !answer->is_last))
        return STATUS_BAD;
    return quorum_page_keep(quorum, page, answer, last);
}

/* --- asking */

static void list_send(struct quorum *quorum, const struct quorum_op *op, struct quorum_page *page)
{
    const struct quorum_listing *listing = op->listing;
    struct quorum_output output = {.kind = QUORUM_SEND_LIST, .id = op->id, .to = page->id8};

    page->state = PART_ASKED;
    output.deadline = op->deadline;
    output.ns = slice_of(op->ns, op->ns_size);
    output.prefix = slice_of(listing->prefix, listing->prefix_size);
    output.after = slice_of(listing->after, listing->after_size);
    output.limit = listing->limit;
    quorum->config.emit(quorum->config.context, &output);
}

static void bytes_keep(uint8_t *into, struct slice from)
{
    if (from.size > 0)
        memcpy(into, from.data, from.size);
}

static void list_fill(struct quorum_op *op, const struct quorum_list_request *request)
{
    struct quorum_listing *listing = op->listing;

    op->ns_size = (uint8_t)request->ns.size;
    bytes_keep(op->ns, request->ns);
    listing->prefix_size = (uint16_t)request->prefix.size;
    bytes_keep(listing->prefix, request->prefix);
    listing->after_size = (uint16_t)request->after.size;
    bytes_keep(listing->after, request->after);
    listing->limit = request->limit;
    listing->may_miss = request->may_miss;
    listing->wall_ms = request->wall_ms;
    listing->is_lww = request->is_lww;
    if (request->may_miss >= request->peer_count) /* somebody must answer */
        listing->may_miss = (uint16_t)(request->peer_count - 1);
    listing->peer_count = request->peer_count;
    for (unsigned i = 0; i < request->peer_count; i++) {
        struct quorum_page *page = &listing->pages[i];

        *page = (struct quorum_page){.id8 = request->peers[i], .state = PART_IDLE, .is_head = true};
        if (!request->is_reachable[i]) {
            page->state = PART_REFUSED;
            page->status = STATUS_UNREACHABLE;
        }
    }
}

enum status quorum_list(struct quorum *quorum, instant now,
                        const struct quorum_list_request *request)
{
    unsigned unreachable = 0;
    struct quorum_op *op;

    ensure(request->peer_count > 0 && request->limit > 0);
    ensure(request->ns.size <= NS_SIZE_MAX && request->prefix.size <= KEY_SIZE_MAX &&
           request->after.size <= KEY_SIZE_MAX);
    if (request->peer_count > LIST_PEERS_MAX || request->limit > LIST_LIMIT_MAX)
        return STATUS_TOO_LARGE;
    for (unsigned i = 0; i < request->peer_count; i++)
        unreachable += !request->is_reachable[i];
    if (request->deadline <= now)
        return STATUS_DEADLINE;
    if (unreachable > request->may_miss)
        return STATUS_UNREACHABLE;
    if (pool_used(&quorum->listings) == LISTS_MAX)
        return STATUS_OVERLOAD;
    op = quorum_op_take(quorum, QUORUM_LIST, request->id, request->deadline);
    if (op == NULL)
        return STATUS_OVERLOAD;
    op->listing = pool_take(&quorum->listings);
    list_fill(op, request);
    for (unsigned i = 0; i < request->peer_count; i++)
        if (op->listing->pages[i].state == PART_IDLE)
            list_send(quorum, op, &op->listing->pages[i]);
    return STATUS_OK;
}

/* --- merging */

/* Makes an object what a client sees. Where there is no room to discard, siblings are shown. */
static void list_view(const struct quorum_listing *listing, struct crdt_object *object)
{
    if (listing->is_lww)
        (void)(crdt_object_newest(object) == STATUS_OK);
    (void)crdt_object_expire(object, listing->wall_ms);
}

/* Fills the items of one page of the answer. Returns how many; `is_truncated`: there may be more.
 */
static uint32_t list_merge(struct quorum *quorum, struct quorum_listing *listing,
                           bool *is_truncated)
{
    struct slice bound = SLICE_NONE, key;
    struct quorum_page *pages = listing->pages;
    bool is_bounded = quorum_pages_bound(pages, listing->peer_count, &bound);
    uint32_t count = 0;

    quorum_pages_rewind(pages, listing->peer_count, slice_of(listing->after, listing->after_size));
    *is_truncated = is_bounded;
    while (quorum_pages_first(pages, listing->peer_count, &key)) {
        struct quorum_item *item = &quorum->items[count];
        uint16_t winner;

        if (is_bounded && slice_compare(key, bound) > 0)
            break;
        if (count == listing->limit) {
            *is_truncated = true;
            break;
        }
        /* Heads that cannot be merged would be two contents under one dot; one of them stands. */
        (void)quorum_pages_merge(quorum, pages, listing->peer_count, key);
        list_view(listing, &quorum->a);
        if (!crdt_object_winner(&quorum->a, &winner) ||
            quorum->a.values[winner].kind == CRDT_TOMBSTONE)
            continue;
        item->key = key;
        item->siblings = crdt_object_live_count(&quorum->a);
        item->winner = quorum->a.values[winner];
        count++;
    }
    return count;
}

/* --- ending */

static uint16_t list_count(const struct quorum_listing *listing, enum quorum_state state)
{
    uint16_t count = 0;

    for (unsigned i = 0; i < listing->peer_count; i++)
        count = (uint16_t)(count + (listing->pages[i].state == state));
    return count;
}

/* Names the peers that failed, as far as there is room. */
static uint8_t list_roles(const struct quorum_listing *listing, struct quorum_role roles[SET_MAX])
{
    uint8_t count = 0;

    for (unsigned i = 0; i < listing->peer_count && count < SET_MAX; i++) {
        const struct quorum_page *page = &listing->pages[i];

        if (page->state == PART_ANSWERED)
            continue;
        roles[count].id8 = page->id8;
        roles[count].is_answered = false;
        roles[count].status = page->state == PART_ASKED ? STATUS_DEADLINE : page->status;
        count++;
    }
    return count;
}

static void list_finish(struct quorum *quorum, struct quorum_op *op, struct quorum_output *output)
{
    struct quorum_role roles[SET_MAX];
    const struct quorum_listing *listing = op->listing;

    quorum_op_unlink(quorum, op);
    output->kind = QUORUM_DONE;
    output->id = op->id;
    output->ns = slice_of(op->ns, op->ns_size);
    output->acks = (uint8_t)list_count(listing, PART_ANSWERED);
    output->required = (uint8_t)(listing->peer_count - listing->may_miss);
    output->total = (uint8_t)listing->peer_count;
    if (output->status != STATUS_OK)
        output->role_count = list_roles(listing, roles);
    output->roles = roles;
    output->items = quorum->items;
    quorum->config.emit(quorum->config.context, output);
    quorum_op_free(quorum, op);
}

/* Everything up to the bound was tombstones: ask those who answered for what is behind it. Who has
 * not answered yet still may: rows before `after` are skipped. */
static void list_again(struct quorum *quorum, struct quorum_op *op)
{
    struct quorum_listing *listing = op->listing;
    struct slice bound = SLICE_NONE;

    ensure(quorum_pages_bound(listing->pages, listing->peer_count, &bound));
    ensure(bound.size > 0 && bound.size <= KEY_SIZE_MAX);
    listing->after_size = (uint16_t)bound.size;
    memcpy(listing->after, bound.data, bound.size);
    quorum_pages_drop(quorum, listing->pages, listing->peer_count);
    for (unsigned i = 0; i < listing->peer_count; i++)
        if (listing->pages[i].state == PART_ANSWERED)
            list_send(quorum, op, &listing->pages[i]);
}

static enum status list_failure(const struct quorum_listing *listing)
{
    for (unsigned i = 0; i < listing->peer_count; i++)
        if (listing->pages[i].status == STATUS_LAYOUT)
            return STATUS_LAYOUT;
    return STATUS_UNREACHABLE;
}

static void list_judge(struct quorum *quorum, struct quorum_op *op)
{
    struct quorum_listing *listing = op->listing;
    struct quorum_output output = {.status = STATUS_OK};
    uint16_t answered = list_count(listing, PART_ANSWERED);

    if (answered + listing->may_miss >= listing->peer_count) {
        output.item_count = list_merge(quorum, listing, &output.is_truncated);
        if (output.item_count == 0 && output.is_truncated)
            list_again(quorum, op);
        else
            list_finish(quorum, op, &output);
        return;
    }
    if (answered + list_count(listing, PART_ASKED) + listing->may_miss < listing->peer_count) {
        output.status = list_failure(listing);
        list_finish(quorum, op, &output);
    }
}

static struct quorum_page *list_page_find(struct quorum_op *op, uint64_t id8)
{
    for (unsigned i = 0; i < op->listing->peer_count; i++)
        if (op->listing->pages[i].id8 == id8 && op->listing->pages[i].state == PART_ASKED)
            return &op->listing->pages[i];
    return NULL;
}

void quorum_rows(struct quorum *quorum, instant now, uint64_t id,
                 const struct quorum_answer *answer)
{
    struct quorum_op *op = quorum_op_find(quorum, QUORUM_LIST, id);
    struct quorum_page *page = op != NULL ? list_page_find(op, answer->from) : NULL;
    struct slice after, last;

    (void)now;
    if (page == NULL)
        return;
    after = slice_of(op->listing->after, op->listing->after_size);
    page->status = answer->status;
    if (answer->status == STATUS_OK && !answer->is_last && after.size > 0 &&
        page_is_valid(quorum, op->listing, answer->items, &last) && last.size > 0 &&
        slice_compare(last, after) <= 0) {
        /* A late page of an earlier round: the others are further on. */
        list_send(quorum, op, page);
        return;
    }
    if (answer->status == STATUS_OK)
        page->status = page_keep(quorum, op->listing, page, answer);
    page->state = page->status == STATUS_OK ? PART_ANSWERED : PART_FAILED;
    list_judge(quorum, op);
}

void quorum_list_lost(struct quorum *quorum, struct quorum_op *op, uint64_t id8)
{
    struct quorum_page *page = list_page_find(op, id8);

    if (page == NULL)
        return;
    page->state = PART_FAILED;
    page->status = STATUS_CLOSED;
    list_judge(quorum, op);
}

void quorum_list_expire(struct quorum *quorum, struct quorum_op *op)
{
    struct quorum_output output = {.status = STATUS_DEADLINE};

    list_finish(quorum, op, &output);
}
