/* SCAN: a range of rows of one partition with their whole objects, every row read at R owners like
 * a GET reads its key: a page is asked of as many owners as are needed, the best first, and the
 * pages are merged row by row (quorum_pages.c). What was acknowledged by W owners before the
 * question is at one of those R and therefore in the answer; both sets count while a partition
 * moves.
 *
 *   from <= row < until    owner 1   r1 r2 r3 r4 |           read up to r4
 *                          owner 3   r1    r3 r4 r5 r6 .     the end
 *                          DONE      r1 r2 r3 r4             more behind r4
 *
 * A row that an owner cannot read (damaged) spoils its page: that owner does not count. Rows of
 * which two copies contradict each other spoil the scan. A scan is complete or it fails. */
#include "ensure.h"
#include "quorum_room.h"

/* Bytes by which a merged object may exceed its parts: one write alone has a short spelling. */
#define SPELLING_MAX 32

void quorum_scan_send(struct quorum *quorum, struct quorum_op *op, struct quorum_part *part)
{
    const struct quorum_scanning *scanning = op->scanning;
    struct quorum_output output = {.kind = QUORUM_SEND_SCAN, .id = op->id};

    part->state = PART_ASKED;
    output.to = part->owner.id8;
    output.deadline = op->deadline;
    output.ns = slice_of(op->ns, op->ns_size);
    output.from = slice_of(scanning->from, scanning->from_size);
    output.until = slice_of(scanning->until, scanning->until_size);
    output.limit = scanning->limit;
    output.bytes_max = scanning->bytes_max;
    quorum->config.emit(quorum->config.context, &output);
}

/* --- merging */

/* Tells whether of the owners that answered not all hold the row at the front as one of them does:
 * then what is merged may lie at fewer than a quorum. */
static bool scan_is_apart(const struct quorum_page *pages, unsigned count, struct slice key)
{
    struct slice first = SLICE_NONE;

    for (unsigned i = 0; i < count; i++) {
        if (pages[i].bytes == NULL)
            continue;
        if (!pages[i].has_row || !slice_equal(pages[i].key, key) ||
            (first.size > 0 && !slice_equal(pages[i].object, first)))
            return true;
        first = pages[i].object;
    }
    return false;
}

/* Writes the row in scratch `a`. False: the page is full without it. */
static bool scan_pack(struct quorum *quorum, struct quorum_scanning *scanning, struct slice key,
                      struct writer *out)
{
    size_t size = crdt_object_size(&quorum->a);
    enum status status;

    if (scanning->row_count == scanning->limit ||
        (scanning->row_count > 0 && out->size + 6 + key.size + size > scanning->bytes_max))
        return false;
    write_u16(out, (uint16_t)key.size);
    write_slice(out, key);
    write_u32(out, (uint32_t)size);
    status = crdt_object_encode(&quorum->a, out);
    ensure(status == STATUS_OK);
    scanning->row_count++;
    scanning->reach = key;
    return true;
}

/* Puts all rows up to the end of the page into `out`. OK, or why a row cannot be merged. */
static enum status scan_merge(struct quorum *quorum, struct quorum_op *op, struct writer *out)
{
    struct quorum_scanning *scanning = op->scanning;
    struct slice bound = SLICE_NONE, key;
    bool is_bounded = quorum_pages_bound(scanning->pages, op->part_count, &bound);

    quorum_pages_rewind(scanning->pages, op->part_count, SLICE_NONE);
    scanning->is_truncated = true;
    while (quorum_pages_first(scanning->pages, op->part_count, &key) &&
           (!is_bounded || slice_compare(key, bound) <= 0)) {
        bool is_apart = scan_is_apart(scanning->pages, op->part_count, key);
        enum status status = quorum_pages_merge(quorum, scanning->pages, op->part_count, key);
        uint32_t at = scanning->row_count;

        if (status != STATUS_OK)
            return status;
        if (!scan_pack(quorum, scanning, key, out))
            return STATUS_OK;
        scanning->apart[at / 8] |= (uint8_t)(is_apart << at % 8);
    }
    scanning->is_truncated = is_bounded;
    scanning->reach = bound;
    return STATUS_OK;
}

static enum status scan_join(struct quorum *quorum, struct quorum_op *op)
{
    size_t size = 0;
    struct writer out;
    enum status status;

    for (unsigned i = 0; i < op->part_count; i++)
        if (op->scanning->pages[i].bytes != NULL)
            size += op->scanning->pages[i].bytes->size +
                    (size_t)SPELLING_MAX * op->scanning->pages[i].row_count;
    op->merged = blob_new(size);
    if (op->merged == NULL)
        return STATUS_MEMORY;
    out = writer_over(op->merged->data, size);
    status = scan_merge(quorum, op, &out);
    op->merged->size = out.size;
    return status;
}

/* --- ending */

static void scan_finish(struct quorum *quorum, struct quorum_op *op, enum status status)
{
    quorum_op_unlink(quorum, op);
    if (status == STATUS_OK)
        status = scan_join(quorum, op);
    quorum_op_tell(quorum, op, status, OUTCOME_NONE);
    quorum_op_free(quorum, op);
}

static void scan_judge(struct quorum *quorum, instant now, struct quorum_op *op)
{
    if (quorum_op_suffices(op, 1u << PART_ANSWERED)) {
        scan_finish(quorum, op, STATUS_OK);
        return;
    }
    quorum_ask(quorum, now, op);
    if (!quorum_op_suffices(op, 1u << PART_ANSWERED | 1u << PART_ASKED))
        scan_finish(quorum, op, quorum_op_failure(op));
}

/* --- beginning */

enum status quorum_scan(struct quorum *quorum, instant now, const struct quorum_request *request)
{
    struct quorum_op *op;

    ensure(request->limit > 0 && request->limit <= SCAN_ROWS_MAX && request->from.size > 0);
    ensure(request->from.size <= STORE_KEY_SIZE_MAX + 1 &&
           request->until.size <= STORE_KEY_SIZE_MAX + 1);
    if (request->deadline <= now)
        return STATUS_DEADLINE;
    if (!quorum_request_is_possible(request, true))
        return STATUS_UNREACHABLE;
    if (pool_used(&quorum->scannings) == SCANS_MAX)
        return STATUS_OVERLOAD;
    op = quorum_op_take(quorum, QUORUM_SCAN, request->id, request->deadline);
    if (op == NULL)
        return STATUS_OVERLOAD;
    quorum_op_fill(op, request);
    op->scanning = pool_take(&quorum->scannings);
    op->scanning->limit = request->limit;
    op->scanning->bytes_max = request->bytes_max;
    op->scanning->from_size = (uint16_t)request->from.size;
    op->scanning->until_size = (uint16_t)request->until.size;
    memcpy(op->scanning->from, request->from.data, request->from.size);
    if (request->until.size > 0)
        memcpy(op->scanning->until, request->until.data, request->until.size);
    scan_judge(quorum, now, op);
    return STATUS_OK;
}

/* --- answers */

/* Checks what an owner sent: rows whole, ascending, within the range and up to `reach`; objects
 * that decode; a page that ends early ends somewhere new. */
static bool scan_page_is_valid(struct quorum *quorum, const struct quorum_scanning *scanning,
                               const struct quorum_answer *answer, uint32_t *rows)
{
    struct reader in = reader_over(answer->items);
    struct slice from = slice_of(scanning->from, scanning->from_size);
    struct slice until = slice_of(scanning->until, scanning->until_size);
    struct slice end = answer->is_last ? SLICE_NONE : answer->reach, last = SLICE_NONE;

    if (!answer->is_last && (end.size > STORE_KEY_SIZE_MAX || slice_compare(end, from) < 0 ||
                             (until.size > 0 && slice_compare(end, until) >= 0)))
        return false;
    while (reader_left(&in) > 0) {
        struct slice key = read_slice(&in, read_u16(&in));
        struct slice object = read_slice(&in, read_u32(&in));

        if (in.is_bad || key.size > STORE_KEY_SIZE_MAX || slice_compare(key, from) < 0 ||
            (last.size > 0 && slice_compare(key, last) <= 0) ||
            (until.size > 0 && slice_compare(key, until) >= 0) ||
            (end.size > 0 && slice_compare(key, end) > 0) || object.size == 0 ||
            crdt_object_decode(object, &quorum->a) != STATUS_OK)
            return false;
        last = key;
        (*rows)++;
    }
    return !in.is_bad;
}

void quorum_scanned(struct quorum *quorum, instant now, uint64_t id,
                    const struct quorum_answer *answer)
{
    struct quorum_op *op = quorum_op_find(quorum, QUORUM_SCAN, id);
    struct quorum_part *part = op != NULL ? quorum_part_find(op, answer->from) : NULL;
    enum status status = answer->status;
    struct quorum_page *page;

    if (part == NULL)
        return;
    page = &op->scanning->pages[part - op->parts];
    if (status == STATUS_OK && !scan_page_is_valid(quorum, op->scanning, answer, &page->row_count))
        status = STATUS_BAD;
    if (status == STATUS_OK)
        status =
            quorum_page_keep(quorum, page, answer, answer->is_last ? SLICE_NONE : answer->reach);
    quorum_part_end(part, status);
    scan_judge(quorum, now, op);
}

void quorum_scan_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8)
{
    struct quorum_part *part = quorum_part_find(op, id8);

    if (part == NULL)
        return;
    quorum_part_end(part, STATUS_CLOSED);
    scan_judge(quorum, now, op);
}

void quorum_scan_expire(struct quorum *quorum, instant now, struct quorum_op *op)
{
    if (instant_is_due(op->deadline, now))
        scan_finish(quorum, op, STATUS_DEADLINE);
    else
        quorum_ask_slow(quorum, now, op);
}
