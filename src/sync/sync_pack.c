/* sync_pack.c: the lists inside anti-entropy messages. All of them come from outside, so each is
 * checked as a whole before anything in it is acted upon.
 *
 *   keys:     n x (row key length u16 | row key)
 *   prints:   n x (row key length u16 | row key | fingerprint 16)
 *   objects:  n x (row key length u16 | row key | length u32 | object)
 *   roots:    n x (partition u16 | count u32 | fingerprint 16) */
#include "sync_private.h"

bool sync_pack_next(struct reader *in, enum sync_shape shape, struct sync_item *item)
{
    if (in->is_bad || reader_left(in) == 0)
        return false;
    item->key = read_slice(in, read_u16(in));
    if (shape == SYNC_PRINTS)
        read_bytes(in, item->print.bytes, sizeof(item->print.bytes));
    if (shape == SYNC_OBJECTS)
        item->object = read_slice(in, read_u32(in));
    return !in->is_bad;
}

/* A row key as the store makes them; nothing else may reach it. */
static bool pack_key_is_good(struct slice key)
{
    struct slice ns, name;
    uint64_t front;

    return key.size <= STORE_KEY_SIZE_MAX && store_key_split(key, &front, &ns, &name) == STATUS_OK;
}

bool sync_pack_check(struct slice list, enum sync_shape shape, uint32_t count_max,
                     struct slice after)
{
    struct reader in = reader_over(list);
    struct sync_item item;
    uint32_t count = 0;

    while (sync_pack_next(&in, shape, &item)) {
        if (++count > count_max || !pack_key_is_good(item.key))
            return false;
        if (shape == SYNC_PRINTS && slice_compare(after, item.key) >= 0)
            return false;
        after = item.key;
    }
    return reader_is_done(&in);
}

bool sync_pack_partitions(struct slice list, uint32_t limit)
{
    struct reader in = reader_over(list);
    uint32_t least = 0;

    while (reader_left(&in) > 0) {
        uint32_t partition = read_u16(&in);

        if (in.is_bad || partition < least || partition >= limit)
            return false;
        least = partition + 1;
    }
    return reader_is_done(&in);
}

void sync_pack_write_root(struct writer *out, uint16_t partition, const struct sync_sum *sum)
{
    write_u16(out, partition);
    write_u32(out, sum->count);
    write_bytes(out, sum->sum.bytes, sizeof(sum->sum.bytes));
}

uint16_t sync_pack_read_root(struct reader *in, struct sync_sum *sum)
{
    uint16_t partition = read_u16(in);

    sum->count = read_u32(in);
    read_bytes(in, sum->sum.bytes, sizeof(sum->sum.bytes));
    return partition;
}
