/* sync_stable.c: what every owner holds may be forgotten. Cassandra forgets a tombstone by age and
 * gets deleted values back from replicas that were away for longer. Here no clock decides: a row
 * goes when every owner has confirmed that it holds nothing live of it, and copies that were read
 * before that are told from later ones by a number (protocols.md 7.4, decision 0010).
 *
 *   number     of a partition at one peer: copies it sends carry it; a copy with a smaller one than
 *              the receiver's may be of the time before a drop, and brings back what is gone
 *   confirmed  the latest round this peer gave its word to: no drop above it has happened as long
 *              as this peer was an owner
 *   owners     who took part in that, and since when: an owner's number may be raised without
 *              more ado if it took part in every round since
 *
 * A drop needs the word of every owner, and giving it raises the number, durably. So an owner with
 * a smaller number has missed no drop, if it was an owner all the time: RAISE. One that was not,
 * or whose store lost something, holds rows others may have dropped: BEHIND. Rounds of another set
 * of owners use numbers of another block, so that what a former owner promised to the old set is
 * never as large. */
#include "sync_private.h"

#include "ensure.h"
#include "hash.h"

#define STANDING_BLOCK 256u /* numbers of one set of owners, at least */

/* What stands for the number in the sum of a partition: peers that differ there compare. */
static struct hash16 stable_print(const struct sync *sync, uint32_t partition, uint32_t number)
{
    uint8_t bytes[10] = {'g', 'c'};

    bytes_store_u64(bytes + 2, (uint64_t)partition << 32 | number);
    return hash_sip128(sync->config.seed, bytes, sizeof(bytes));
}

void sync_stable_print_add(struct sync *sync, uint32_t partition)
{
    uint32_t number = sync->stables[partition].standing.number;
    struct hash16 print = stable_print(sync, partition, number);

    if (number > 0)
        sync_sum_shift(&sync->sums[partition], &print, true);
}

void sync_stable_print_take(const struct sync *sync, uint32_t partition, struct sync_sum *sum)
{
    uint32_t number = sync->stables[partition].standing.number;
    struct hash16 print = stable_print(sync, partition, number);

    if (number > 0)
        sync_sum_shift(sum, &print, false);
}

const struct sync_standing *sync_standing(const struct sync *sync, uint32_t partition)
{
    ensure(partition < sync->config.partitions);
    return &sync->stables[partition].standing;
}

void sync_standing_set(struct sync *sync, uint32_t partition, const struct sync_standing *standing)
{
    ensure(partition < sync->config.partitions && standing->count <= REPLICAS_MAX);
    sync_stable_print_take(sync, partition, &sync->sums[partition]);
    sync->stables[partition].standing = *standing;
    sync_stable_print_add(sync, partition);
}

/* --- counting what waits */

void sync_dead_add(struct sync *sync, uint32_t partition, int change)
{
    ensure(partition < sync->config.partitions);
    ensure(change >= 0 || sync->stables[partition].dead > 0);
    sync->stables[partition].dead += (uint32_t)change;
    sync->dead += (uint64_t)(int64_t)change;
}

uint32_t sync_dead(const struct sync *sync, uint32_t partition)
{
    ensure(partition < sync->config.partitions);
    return sync->stables[partition].dead;
}

uint64_t sync_dead_total(const struct sync *sync)
{
    return sync->dead;
}

/* --- standings in bytes: number u32 | confirmed u32 | owners u8 | n x (id8 8 | since u32) */

void sync_standing_write(const struct sync_standing *standing, struct writer *out)
{
    write_u32(out, standing->number);
    write_u32(out, standing->confirmed);
    write_u8(out, standing->count);
    for (unsigned i = 0; i < standing->count; i++) {
        write_u64(out, standing->owners[i].id8);
        write_u32(out, standing->owners[i].since);
    }
}

bool sync_standing_read(struct slice bytes, struct sync_standing *standing)
{
    struct reader in = reader_over(bytes);

    *standing = (struct sync_standing){0};
    if (bytes.size == 0)
        return true; /* nothing was ever promised */
    standing->number = read_u32(&in);
    standing->confirmed = read_u32(&in);
    standing->count = read_u8(&in);
    for (unsigned i = 0; i < standing->count && i < REPLICAS_MAX; i++) {
        standing->owners[i].id8 = read_u64(&in);
        standing->owners[i].since = read_u32(&in);
    }
    if (!reader_is_done(&in) || standing->count > REPLICAS_MAX ||
        standing->confirmed > standing->number) {
        *standing = (struct sync_standing){0};
        return false;
    }
    return true;
}

/* --- rules */

/* Since when a peer took part, as `standing` knows it. */
static uint32_t standing_since(const struct sync_standing *standing, uint64_t id8)
{
    for (unsigned i = 0; i < standing->count; i++)
        if (standing->owners[i].id8 == id8)
            return standing->owners[i].since;
    return standing->confirmed;
}

enum sync_verdict sync_standing_judge(const struct sync_standing *ours,
                                      const struct sync_standing *theirs, uint64_t self,
                                      bool is_continuous)
{
    if (theirs->number == ours->number)
        return SYNC_LEVEL;
    if (theirs->number < ours->number)
        return SYNC_AHEAD;
    if (theirs->confirmed <= ours->number)
        return SYNC_RAISE; /* no drop that they know of lies between */
    if (is_continuous && standing_since(theirs, self) <= ours->number)
        return SYNC_RAISE; /* a drop between would have needed our word */
    return SYNC_BEHIND;
}

static bool standing_is_of(const struct sync_standing *standing, const uint64_t *owners,
                           unsigned count)
{
    bool is_same = standing->count == count;

    for (unsigned i = 0; i < standing->count && is_same; i++) {
        bool is_found = false;

        for (unsigned k = 0; k < count; k++)
            is_found |= standing->owners[i].id8 == owners[k];
        is_same = is_found;
    }
    return is_same;
}

uint32_t sync_standing_next(const struct sync_standing *standing, const uint64_t *owners,
                            unsigned count)
{
    if (standing->number == 0 || standing_is_of(standing, owners, count))
        return standing->number + 1;
    return (standing->number / STANDING_BLOCK + 1) * STANDING_BLOCK;
}

struct sync_standing sync_standing_promise(const struct sync_standing *standing, uint32_t number,
                                           const uint64_t *owners, unsigned count)
{
    struct sync_standing after = {
        .number = number, .confirmed = standing->confirmed, .count = (uint8_t)count};

    ensure(count <= REPLICAS_MAX && number > standing->number);
    for (unsigned i = 0; i < count; i++) {
        after.owners[i].id8 = owners[i];
        after.owners[i].since = standing_since(standing, owners[i]);
    }
    return after;
}

bool sync_standing_knows(const struct sync_standing *standing, uint64_t id8)
{
    for (unsigned i = 0; i < standing->count; i++)
        if (standing->owners[i].id8 == id8)
            return true;
    return false;
}
