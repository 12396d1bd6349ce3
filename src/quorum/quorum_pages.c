/* Pages: rows of several peers, each page in key order, merged row by row like copies of a key are.
 *
 * A page that ends early says nothing about rows behind its end, so the merged page ends at the
 * smallest end of all that do (quorum_list.c draws it). A page is (key length u16 | key | length
 * u32 | object) n times; who keeps one has checked it. */
#include "ensure.h"
#include "quorum_room.h"

void quorum_pages_drop(struct quorum *quorum, struct quorum_page *pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (pages[i].bytes != NULL)
            quorum->list_bytes -= pages[i].bytes->size;
        blob_drop(&pages[i].bytes);
    }
}

enum status quorum_page_keep(struct quorum *quorum, struct quorum_page *page,
                             const struct quorum_answer *answer, struct slice last)
{
    size_t items = answer->items.size;
    /* of a LIST it lies in the rows; of a SCAN it comes beside them */
    bool is_row = items > 0 && last.size > 0 && last.data >= answer->items.data &&
                  last.data < answer->items.data + items;

    if (items + last.size > LIST_BYTES_MAX - quorum->list_bytes)
        return STATUS_OVERLOAD;
    page->bytes = blob_new(items + (is_row ? 0 : last.size));
    if (page->bytes == NULL)
        return STATUS_MEMORY;
    if (items > 0)
        memcpy(page->bytes->data, answer->items.data, items);
    if (!is_row && last.size > 0)
        memcpy(page->bytes->data + items, last.data, last.size);
    quorum->list_bytes += page->bytes->size;
    page->is_last = answer->is_last;
    page->rows_size = items;
    page->last = SLICE_NONE;
    if (last.size > 0)
        page->last = slice_of(page->bytes->data +
                                  (is_row ? (size_t)(last.data - answer->items.data) : items),
                              last.size);
    return STATUS_OK;
}

/* Steps to the next row of a checked page. */
static void page_next(struct quorum_page *page)
{
    page->has_row = reader_left(&page->rest) > 0;
    if (!page->has_row)
        return;
    page->key = read_slice(&page->rest, read_u16(&page->rest));
    page->object = read_slice(&page->rest, read_u32(&page->rest));
    ensure(!page->rest.is_bad);
}

bool quorum_pages_bound(const struct quorum_page *pages, unsigned count, struct slice *bound)
{
    bool is_bounded = false;

    for (unsigned i = 0; i < count; i++) {
        if (pages[i].bytes == NULL || pages[i].is_last)
            continue;
        if (!is_bounded || slice_compare(pages[i].last, *bound) < 0)
            *bound = pages[i].last;
        is_bounded = true;
    }
    return is_bounded;
}

void quorum_pages_rewind(struct quorum_page *pages, unsigned count, struct slice after)
{
    for (unsigned i = 0; i < count; i++) {
        pages[i].has_row = false;
        if (pages[i].bytes == NULL)
            continue;
        pages[i].rest = reader_over(slice_of(pages[i].bytes->data, pages[i].rows_size));
        do
            page_next(&pages[i]);
        while (pages[i].has_row && after.size > 0 && slice_compare(pages[i].key, after) <= 0);
    }
}

bool quorum_pages_first(const struct quorum_page *pages, unsigned count, struct slice *key)
{
    bool is_found = false;

    for (unsigned i = 0; i < count; i++)
        if (pages[i].has_row && (!is_found || slice_compare(pages[i].key, *key) < 0)) {
            *key = pages[i].key;
            is_found = true;
        }
    return is_found;
}

enum status quorum_pages_merge(struct quorum *quorum, struct quorum_page *pages, unsigned count,
                               struct slice key)
{
    struct slice merged = SLICE_NONE;
    enum status result = STATUS_OK;

    crdt_object_clear(&quorum->a);
    for (unsigned i = 0; i < count; i++) {
        struct quorum_page *page = &pages[i];

        if (!page->has_row || !slice_equal(page->key, key))
            continue;
        if (merged.size == 0 || !slice_equal(page->object, merged)) {
            enum status status = page->is_head ? crdt_object_decode_head(page->object, &quorum->b)
                                               : crdt_object_decode(page->object, &quorum->b);

            ensure(status == STATUS_OK);
            status = crdt_object_merge(&quorum->a, &quorum->b);
            if (status == STATUS_OK)
                merged = page->object;
            else
                result = status;
        }
        page_next(page);
    }
    return result;
}
