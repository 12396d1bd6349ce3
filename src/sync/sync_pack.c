/* sync_pack.c: the lists inside anti-entropy messages. All of them come from outside, so each is
 * checked as a whole before anything in it is acted upon.
 *
 *   keys:     n x (row key length u16 | row key)
 *   objects:  n x (row key length u16 | row key | length u32 | object) */
#include "sync_private.h"

#include "ensure.h"

bool sync_pack_next(struct reader *in, enum sync_shape shape, struct sync_item *item)
{
    if (in->is_bad || reader_left(in) == 0)
        return false;
    item->key = read_slice(in, read_u16(in));
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

bool sync_pack_holds(const struct sync_range *range, struct slice key)
{
    return slice_compare(range->after, key) < 0 &&
           (range->until.size == 0 || slice_compare(key, range->until) <= 0);
}

bool sync_pack_check(struct slice list, enum sync_shape shape, uint32_t count_max,
                     const struct sync_range *range)
{
    struct reader in = reader_over(list);
    struct sync_item item;
    uint32_t count = 0;

    while (sync_pack_next(&in, shape, &item))
        if (++count > count_max || !pack_key_is_good(item.key) || !sync_pack_holds(range, item.key))
            return false;
    return reader_is_done(&in);
}

bool sync_pack_ascends(struct slice keys)
{
    struct reader in = reader_over(keys);
    struct slice last = SLICE_NONE;
    struct sync_item item;

    while (sync_pack_next(&in, SYNC_KEYS, &item)) {
        if (slice_compare(last, item.key) >= 0)
            return false;
        last = item.key;
    }
    return true;
}

size_t sync_pack_end(struct slice keys)
{
    struct reader in = reader_over(keys);
    struct sync_item item;
    size_t end = 0;

    for (uint32_t i = 0; i < SYNC_FETCH_MAX && sync_pack_next(&in, SYNC_KEYS, &item); i++) {
        if (in.at > SYNC_FETCH_SIZE_MAX)
            break;
        end = in.at;
    }
    return end;
}

void sync_key_keep(struct sync_key *room, struct slice key)
{
    ensure(key.size <= STORE_KEY_SIZE_MAX);
    if (key.size)
        memmove(room->bytes, key.data, key.size);
    room->size = (uint16_t)key.size;
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
