/* sync_split.c: the level below a partition. The rows of a page fall into sub-ranges by the lowest
 * bits of their key hash: any page, of whatever cell and wherever cut, splits evenly, and equal
 * rows fall alike on both sides. About eight rows share one, where the hash of a sub-range costs as
 * much as the row it may spare (16 rows are the most that are not split; protocols.md 7.2). The sum
 * of a sub-range is that of the first 8 bytes of its fingerprints, modulo 2^64: those are keyed
 * hashes already, and the rows of one sub-range are few. */
#include "sync_private.h"

uint32_t sync_split_count(uint32_t rows)
{
    uint32_t count = SYNC_SPLIT_MIN;

    while (count < SYNC_SPLIT_MAX && count * 8 < rows)
        count *= 2;
    return count;
}

uint64_t sync_split_front(struct slice key)
{
    return key.size >= sizeof(uint64_t) ? bytes_load_u64(key.data) >> (64 - 8 * HASH_FRONT_SIZE)
                                        : 0;
}

void sync_split_add(uint64_t *sums, uint32_t count, uint64_t front, uint64_t print)
{
    sums[front & (count - 1)] += print;
}

bool sync_split_has(const uint8_t *mask, uint32_t count, uint64_t front)
{
    return count == 0 || sync_bit(mask, (uint32_t)(front & (count - 1)));
}

bool sync_split_is_count(size_t count)
{
    return count >= SYNC_SPLIT_MIN && count <= SYNC_SPLIT_MAX && (count & (count - 1)) == 0;
}
