/* swim_digest.c: one number that is equal when two tables are. A sum of keyed hashes, one per
 * member, so that a change costs one subtraction and one addition; keyed, so that nobody can
 * choose rows that cancel out. It replaces the periodic full exchange of other implementations. */
#include "swim_private.h"

uint64_t swim_digest_row(const struct swim *swim, const struct swim_member *member)
{
    uint8_t row[18];

    row[0] = 'm';
    bytes_store_u64(row + 1, member->id8);
    bytes_store_u64(row + 9, member->incarnation);
    row[17] = member->rank;
    return hash_sip64(swim->seed, row, sizeof(row));
}

void swim_seed(struct swim *swim, const uint8_t seed[HASH_SEED_SIZE])
{
    memcpy(swim->seed, seed, HASH_SEED_SIZE);
    swim->is_seeded = true;
    swim->digest = 0;
    for (uint32_t slot = 0; slot < swim->count; slot++)
        swim->digest += swim_digest_row(swim, &swim->members[slot]);
}

void swim_place_digest(struct swim *swim, uint64_t digest)
{
    swim->place_digest = digest;
}

uint64_t swim_digest(const struct swim *swim)
{
    return swim->is_seeded ? swim->digest + swim->place_digest : 0;
}

/* A difference that lasts is worth a table exchange; one that gossip mends by itself is not. */
void swim_digest_seen(struct swim *swim, instant now, uint64_t from, uint64_t digest)
{
    uint32_t slot = swim_slot(swim, from);
    uint64_t ours = swim_digest(swim);
    struct swim_member *member;

    if (slot == SWIM_NONE || digest == 0 || ours == 0)
        return;
    member = &swim->members[slot];
    if (digest == ours) {
        member->differs_since = 0;
    } else if (member->differs_since == 0) {
        member->differs_since = now > 0 ? now : 1;
    } else if (now - member->differs_since >= swim->numbers->differ_us && now >= swim->table_at) {
        member->differs_since = now;
        swim->table_at = now + swim->numbers->differ_us / 4;
        swim_emit(swim, &(struct swim_output){.kind = SWIM_TABLE, .id8 = from});
    }
}
