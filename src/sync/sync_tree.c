/* sync_tree.c: the tree over the shared partitions. A node is a range of partitions and the sum
 * over those of them that both sides hold; sums add up, so a node is computed when it is asked for
 * and nothing but the partitions' sums is kept up. Two levels of ranges lie between the root and
 * the partitions, 2^14 of them as 32 x 64 x 8: as wide at the top as one difference can afford,
 * narrow at the bottom, where a thousand differences would pay for every child.
 *
 *   nodes:  n x (node u16 | hash 8 of each child), ascending
 *
 * Both sides take children in turn: what one sends of its own, the other compares with its own, and
 * answers one level deeper. */
#include "sync_private.h"

#include "ensure.h"
#include "hash.h"

unsigned sync_tree_shift(const struct sync *sync, unsigned depth)
{
    unsigned bits = 0, bottom, top;

    while (1u << bits < sync->used)
        bits++;
    bottom = bits / 4;
    top = (bits - bottom) / 2;
    ensure(depth <= SYNC_TREE_DEPTH);
    if (depth == 0)
        return bits;
    return depth == 1 ? bits - top : depth == 2 ? bottom : 0;
}

/* The sum over the shared partitions of [from, until), as it is hashed: count and sum. */
static void tree_sum(const struct sync *sync, const uint8_t *shared, uint32_t from, uint32_t until,
                     uint8_t room[4 + sizeof(struct hash16)])
{
    struct writer out = writer_over(room, 4 + sizeof(struct hash16));
    struct sync_sum total = {0};

    for (uint32_t p = from; p < until && p < sync->used; p++)
        if (sync_bit(shared, p) &&
            (sync->sums[p].count > 0 || sync->stables[p].standing.number > 0))
            sync_sum_add(&total, &sync->sums[p]);
    write_u32(&out, total.count);
    write_bytes(&out, total.sum.bytes, sizeof(total.sum.bytes));
}

void sync_tree_root(const struct sync *sync, const uint8_t *shared, uint8_t root[SYNC_ROOT_SIZE])
{
    uint8_t room[4 + sizeof(struct hash16)];
    struct hash16 hash;

    tree_sum(sync, shared, 0, sync->used, room);
    hash = hash_sip128(sync->config.seed, room, sizeof(room));
    memcpy(root, hash.bytes, SYNC_ROOT_SIZE);
}

static uint64_t tree_hash(const struct sync *sync, const uint8_t *shared, unsigned depth,
                          uint32_t node)
{
    uint8_t room[4 + sizeof(struct hash16)];
    unsigned shift = sync_tree_shift(sync, depth);

    tree_sum(sync, shared, node << shift, (node + 1) << shift, room);
    return hash_sip64(sync->config.seed, room, sizeof(room));
}

static uint32_t tree_fan(const struct sync *sync, unsigned depth)
{
    return 1u << (sync_tree_shift(sync, depth) - sync_tree_shift(sync, depth + 1));
}

size_t sync_tree_entry_size(const struct sync *sync, unsigned depth)
{
    return sizeof(uint16_t) + tree_fan(sync, depth) * SYNC_HASH_SIZE;
}

static bool tree_any(const struct sync *sync, const uint8_t *set, unsigned depth, uint32_t node)
{
    unsigned shift = sync_tree_shift(sync, depth);

    for (uint32_t p = node << shift; p < (node + 1) << shift; p++)
        if (sync_bit(set, p))
            return true;
    return false;
}

static uint32_t tree_nodes(const struct sync *sync, unsigned depth)
{
    return 1u << (sync_tree_shift(sync, 0) - sync_tree_shift(sync, depth));
}

void sync_tree_write(const struct sync *sync, const uint8_t *shared, const uint8_t *differs,
                     unsigned depth, struct writer *out)
{
    uint32_t fan = tree_fan(sync, depth);

    for (uint32_t node = 0; node < tree_nodes(sync, depth); node++) {
        if (!tree_any(sync, differs, depth, node))
            continue;
        write_u16(out, (uint16_t)node);
        for (uint32_t i = 0; i < fan; i++)
            write_u64(out, tree_hash(sync, shared, depth + 1, node * fan + i));
    }
}

bool sync_tree_list(struct sync *sync, const uint8_t *shared, const uint8_t *differs,
                    unsigned depth, struct slice *nodes)
{
    size_t size = 0;
    struct writer out;
    uint8_t *room;

    for (uint32_t node = 0; node < tree_nodes(sync, depth); node++)
        if (tree_any(sync, differs, depth, node))
            size += sync_tree_entry_size(sync, depth);
    buffer_clear(&sync->scratch, SYNC_PAGE_KEEP);
    room = buffer_reserve(&sync->scratch, size + 1);
    if (!room)
        return false;
    out = writer_over(room, size);
    sync_tree_write(sync, shared, differs, depth, &out);
    ensure(!out.is_full);
    *nodes = writer_done(&out);
    return true;
}

bool sync_tree_check(const struct sync *sync, struct slice nodes, unsigned depth)
{
    size_t entry = sync_tree_entry_size(sync, depth);
    uint32_t least = 0;

    if (nodes.size % entry != 0)
        return false;
    for (size_t at = 0; at < nodes.size; at += entry) {
        uint32_t node = (uint32_t)nodes.data[at] << 8 | nodes.data[at + 1];

        if (node < least || node >= tree_nodes(sync, depth))
            return false;
        least = node + 1;
    }
    return true;
}

void sync_tree_compare(const struct sync *sync, const uint8_t *shared, struct slice nodes,
                       unsigned depth, uint8_t *differs)
{
    unsigned shift = sync_tree_shift(sync, depth + 1);
    uint32_t fan = tree_fan(sync, depth);
    struct reader in = reader_over(nodes);

    memset(differs, 0, sync_bits_size(sync));
    while (reader_left(&in) > 0) {
        uint32_t node = read_u16(&in) * fan;

        for (uint32_t i = node; i < node + fan; i++) {
            if (read_u64(&in) == tree_hash(sync, shared, depth + 1, i))
                continue;
            for (uint32_t p = i << shift; p < (i + 1) << shift; p++)
                sync_bit_set(differs, p);
        }
    }
    ensure(!in.is_bad);
}
