/* rows.c: the bytes come out of archives and from strangers' clients, so every length is checked.
 */
#include "rows.h"

#include "front.h"

#include "limits.h"

/* Tells whether a row of this namespace and name may be. */
static bool row_is_named(const struct row *row)
{
    const uint8_t *zero;

    if (row->ns.size == 0 || row->ns.size > NS_SIZE_MAX || row->name.size == 0 ||
        row->name.size > ROW_NAME_SIZE_MAX)
        return false;
    for (size_t i = 0; i < row->ns.size; i++)
        if (row->ns.data[i] < FRONT_CLASSES) /* these end a namespace in a row key */
            return false;
    zero = memchr(row->name.data, 0, row->name.size);
    if (zero == NULL)
        return row->name.size <= KEY_SIZE_MAX;
    return zero > row->name.data && (size_t)(zero - row->name.data) <= KEY_SIZE_MAX;
}

static bool row_is_bounded(const struct row *row)
{
    return row_is_named(row) && row->object.size > 0 && row->object.size <= OBJECT_SIZE_MAX;
}

size_t row_size(const struct row *row)
{
    return ROWS_OVERHEAD + row->ns.size + row->name.size + row->object.size;
}

void row_write(struct writer *out, const struct row *row)
{
    if (!row_is_bounded(row) || out->is_full || out->capacity - out->size < row_size(row)) {
        out->is_full = true;
        return;
    }
    write_u8(out, (uint8_t)row->ns.size);
    write_slice(out, row->ns);
    write_u16(out, (uint16_t)row->name.size);
    write_slice(out, row->name);
    write_u32(out, (uint32_t)row->object.size);
    write_slice(out, row->object);
}

enum status row_read(struct reader *in, struct row *row)
{
    *row = (struct row){0};
    if (!in->is_bad && reader_left(in) == 0)
        return STATUS_END;
    row->ns = read_slice(in, read_u8(in));
    row->name = read_slice(in, read_u16(in));
    row->object = read_slice(in, read_u32(in));
    if (!in->is_bad && row_is_bounded(row))
        return STATUS_OK;
    *row = (struct row){0};
    in->is_bad = true;
    return STATUS_BAD;
}
