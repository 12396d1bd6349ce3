#include "host_read.h"

#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"

#define BYTES_FIRST 4096u /* bytes of the first allocation for a page: many keys fit */

struct host_read *host_read_new(uint64_t read, bool is_point, const struct store_range *range)
{
    struct host_read *new = calloc(1, sizeof *new + range->from.size + range->until.size);

    ensure(new != NULL);
    new->read = read;
    new->is_point = is_point;
    new->status = STATUS_IO;
    new->range = *range;
    if (range->rows_max == 0 || range->rows_max > SCAN_ROWS_MAX)
        new->range.rows_max = SCAN_ROWS_MAX;
    if (range->from.size > 0)
        memcpy(new->bounds, range->from.data, range->from.size);
    if (range->until.size > 0)
        memcpy(new->bounds + range->from.size, range->until.data, range->until.size);
    new->range.from.data = new->bounds;
    new->range.until.data = new->bounds + range->from.size;
    return new;
}

void host_read_delete(struct host_read *read)
{
    free(read->rows);
    free(read->bytes);
    free(read);
}

static bool host_read_reserve(struct host_read *read, size_t size)
{
    size_t wanted = read->size + size;

    if (read->count == read->capacity) {
        uint32_t capacity = read->capacity == 0 ? 16 : read->capacity * 2;
        void *rows = realloc(read->rows, capacity * sizeof *read->rows);

        if (rows == NULL)
            return false;
        read->rows = rows;
        read->capacity = capacity;
    }
    if (wanted > read->bytes_capacity) {
        size_t capacity = read->bytes_capacity == 0 ? BYTES_FIRST : read->bytes_capacity * 2;
        uint8_t *bytes;

        if (capacity < wanted || read->is_point)
            capacity = wanted;
        bytes = realloc(read->bytes, capacity);
        if (bytes == NULL)
            return false;
        read->bytes = bytes;
        read->bytes_capacity = capacity;
    }
    return true;
}

static void host_read_copy(struct host_read *read, struct slice bytes)
{
    if (bytes.size > 0)
        memcpy(read->bytes + read->size, bytes.data, bytes.size);
    read->size += bytes.size;
}

/* Copies a row. Only its sizes are right until host_read_settle: the bytes may still move. */
static bool host_read_keep(void *context, const struct store_row *row)
{
    struct host_read *read = context;

    if (!host_read_reserve(read, row->key.size + row->value.size)) {
        read->status = STATUS_MEMORY;
        return false;
    }
    host_read_copy(read, row->key);
    host_read_copy(read, row->value);
    read->rows[read->count++] = *row;
    return true;
}

static void host_read_settle(struct host_read *read)
{
    const uint8_t *at = read->bytes;

    for (uint32_t i = 0; i < read->count; i++) {
        read->rows[i].key.data = at;
        at += read->rows[i].key.size;
        read->rows[i].value.data = at;
        at += read->rows[i].value.size;
    }
}

static enum status host_read_point(struct host_read *read, const struct store *store)
{
    struct store_row row = {.family = read->range.family, .key = read->range.from};
    struct store_pin pin = {.handle = NULL};
    enum status status = store->get(store->context, row.family, row.key, &pin);

    if (status != STATUS_OK)
        return status;
    row.value = pin.value;
    host_read_keep(read, &row);
    store->release(store->context, &pin);
    return STATUS_OK;
}

void host_read_run(struct host_read *read, const struct store *store)
{
    enum status status;

    read->status = STATUS_OK;
    if (read->is_point)
        status = host_read_point(read, store);
    else
        status = store_index_scan(store, &read->range, host_read_keep, read);
    if (read->status != STATUS_OK)
        status = STATUS_IO; /* no memory for it */
    if (status != STATUS_OK && status != STATUS_END)
        read->count = 0;
    read->status = status;
    host_read_settle(read);
}
