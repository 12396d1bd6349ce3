/* cli_records.c: takes a file to import apart. Debian's package lists are stanzas: fields, ended by
 * an empty line, the name in "Package:". Anything else is lines: key, tab, value; a line without
 * a tab is its own key. */
#include "cli_room.h"

#include <stdlib.h>

#define PACKAGE "Package: "

static struct slice records_line(struct slice *rest)
{
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    struct slice line = slice_of(rest->data, size);

    rest->data += size + (end != NULL);
    rest->size -= size + (end != NULL);
    return line;
}

static bool records_stanza(struct slice *rest, struct cli_record *record)
{
    const uint8_t *start = rest->data;

    record->key = SLICE_NONE;
    while (rest->size) {
        struct slice line = records_line(rest);

        if (line.size == 0)
            break;
        record->value = slice_of(start, (size_t)(line.data + line.size - start));
        if (!record->key.size && slice_has_prefix(line, slice_text(PACKAGE)))
            record->key =
                slice_of(line.data + sizeof(PACKAGE) - 1, line.size - sizeof(PACKAGE) + 1);
    }
    return record->key.size > 0;
}

static bool records_pair(struct slice *rest, struct cli_record *record)
{
    struct slice line = records_line(rest);
    const uint8_t *tab = line.size ? memchr(line.data, '\t', line.size) : NULL;

    record->key = tab ? slice_of(line.data, (size_t)(tab - line.data)) : line;
    record->value = tab ? slice_of(tab + 1, line.size - record->key.size - 1) : line;
    return record->key.size > 0;
}

static int records_order(const void *a, const void *b)
{
    const struct cli_record *left = a, *right = b;
    int order = slice_compare(left->key, right->key);

    return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* Of equal keys only the last one stays: what an import in order would leave behind. */
static void records_unite(struct cli_records *records)
{
    uint32_t kept = 0;

    qsort(records->items, records->count, sizeof(*records->items), records_order);
    for (uint32_t i = 0; i < records->count; i++) {
        if (kept && slice_equal(records->items[kept - 1].key, records->items[i].key))
            kept--;
        records->items[kept++] = records->items[i];
    }
    records->count = kept;
}

bool cli_records_split(struct slice file, struct cli_records *records)
{
    bool has_stanzas = slice_has_prefix(file, slice_text(PACKAGE));
    struct slice rest = file;
    uint32_t room = 0;

    *records = (struct cli_records){0};
    while (rest.size) {
        struct cli_record record = {.order = records->count};
        struct cli_record *items;

        if (!(has_stanzas ? records_stanza(&rest, &record) : records_pair(&rest, &record)))
            continue;
        if (records->count == room) {
            room = room * 2 + 1024;
            items = realloc(records->items, room * sizeof(*items));
            if (!items) {
                cli_records_close(records);
                return false;
            }
            records->items = items;
        }
        records->items[records->count++] = record;
    }
    if (records->count == 0)
        return false;
    records_unite(records);
    return true;
}

void cli_records_close(struct cli_records *records)
{
    free(records->items);
    *records = (struct cli_records){0};
}
