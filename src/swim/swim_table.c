/* swim_table.c: the members, and how two beliefs about one become one.
 *
 * The SWIM paper lets the order of messages decide in places (section 4.2); here a belief is the
 * pair (incarnation, rank), and joining two of them takes the greater. That is commutative,
 * associative and idempotent, so no order of arrival can leave two peers with different views. A
 * rank above ALIVE is only believed about an incarnation whose signed record we hold: so a member's
 * incarnation is always that of its record, and nobody can invent one for another. */
#include "swim_private.h"

struct swim_state swim_merge(struct swim_state a, struct swim_state b)
{
    if (a.incarnation != b.incarnation)
        return a.incarnation > b.incarnation ? a : b;
    if (a.rank != b.rank)
        return a.rank > b.rank ? a : b;
    if (a.since == 0 || (b.since != 0 && b.since < a.since))
        a.since = b.since;
    return a;
}

uint32_t swim_lower(const struct swim *swim, uint64_t id8)
{
    uint32_t low = 0, high = swim->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (swim->members[swim->order[middle]].id8 < id8)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t swim_slot(const struct swim *swim, uint64_t id8)
{
    uint32_t at = swim_lower(swim, id8);

    if (at < swim->count && swim->members[swim->order[at]].id8 == id8)
        return swim->order[at];
    return SWIM_NONE;
}

uint32_t swim_insert(struct swim *swim, const struct node_id *id)
{
    uint64_t id8 = id_front(id);
    uint32_t at = swim_lower(swim, id8), slot = swim->count;

    if (slot == swim->config.members_max)
        return SWIM_NONE;
    memmove(&swim->order[at + 1], &swim->order[at], (slot - at) * sizeof(*swim->order));
    swim->order[at] = slot;
    swim->members[slot] =
        (struct swim_member){.id8 = id8, .rank = RANK_LEFT, .cast = SWIM_CAST_NOT};
    swim->colds[slot].id = *id;
    swim->count++;
    if (swim->is_seeded)
        swim->digest += swim_digest_row(swim, &swim->members[slot]);
    return slot;
}

void swim_set_state(struct swim *swim, instant now, uint32_t slot, struct swim_state state)
{
    struct swim_member *member = &swim->members[slot];

    swim->live -= swim_is_live(member);
    if (swim->is_seeded)
        swim->digest -= swim_digest_row(swim, member);
    if (member->rank != state.rank)
        member->changed = now;
    if (member->rank != state.rank || member->incarnation != state.incarnation)
        member->cast = SWIM_CAST_NOT;
    member->incarnation = state.incarnation;
    member->rank = (uint8_t)state.rank;
    member->since = state.rank == RANK_DEAD ? state.since : 0;
    if (swim->is_seeded)
        swim->digest += swim_digest_row(swim, member);
    swim->live += swim_is_live(member);
}

void swim_keep_record(struct swim *swim, uint32_t slot, const struct self_record *record,
                      struct slice bytes)
{
    struct swim_cold *cold = &swim->colds[slot];

    if (cold->size > 0 && cold->record.epoch != record->epoch)
        cold->epoch_before = cold->record.epoch;
    if (cold->size > 0 && cold->record.actor != record->actor &&
        cold->record.boot_counter >= record->boot_counter)
        cold->actor_behind = record->actor;
    cold->record = *record;
    memcpy(cold->bytes, bytes.data, bytes.size);
    cold->size = (uint16_t)bytes.size;
}

struct swim_state swim_state_of(const struct swim *swim, uint32_t slot)
{
    const struct swim_member *member = &swim->members[slot];

    return (struct swim_state){.incarnation = member->incarnation,
                               .rank = (enum member_rank)member->rank,
                               .since = member->since};
}

bool swim_is_in_cell(const struct swim *swim, uint64_t id8)
{
    unsigned depth = swim->config.cell_depth;

    return depth == 0 || (id8 ^ swim->self8) >> (64 - depth) == 0;
}

void swim_twin(struct swim *swim, instant now, uint32_t slot)
{
    struct swim_cold *cold = &swim->colds[slot];

    if (cold->twin_at != 0 && now < cold->twin_at + SWIM_TWIN_AGAIN_US)
        return;
    cold->twin_at = now > 0 ? now : 1;
    swim_emit(swim, &(struct swim_output){.kind = SWIM_TWIN, .id8 = swim->members[slot].id8});
}

/* A process chooses its epoch at random: one that comes back after another was seen, or a second
 * one under the same incarnation, belongs to a second process that is alive. */
static bool table_is_twin(const struct swim *swim, uint32_t slot, const struct self_record *record)
{
    const struct swim_cold *cold = &swim->colds[slot];

    if (record->epoch == cold->record.epoch)
        return false;
    return record->incarnation == cold->record.incarnation ||
           (cold->epoch_before != 0 && record->epoch == cold->epoch_before &&
            record->incarnation > cold->record.incarnation);
}

static void table_take(struct swim *swim, instant now, uint32_t slot,
                       const struct self_record *record, struct slice bytes)
{
    bool is_new = swim->colds[slot].size == 0;
    int old_rank = is_new ? -1 : swim->members[slot].rank;
    struct swim_state theirs = {.incarnation = record->incarnation,
                                .rank = record->flags & SELF_LEFT ? RANK_LEFT : RANK_ALIVE};
    struct swim_state ours = swim_state_of(swim, slot);
    struct swim_state merged = is_new ? theirs : swim_merge(ours, theirs);

    if (!is_new && table_is_twin(swim, slot, record))
        swim_twin(swim, now, slot);
    if (!is_new && merged.incarnation == ours.incarnation && merged.rank == ours.rank)
        return;
    swim_suspect_end(swim, slot);
    swim_keep_record(swim, slot, record, bytes);
    swim_set_state(swim, now, slot, merged);
    swim_emit_member(swim, slot, old_rank, 0);
    swim_news(swim, now, slot);
}

/* It joins through us, or comes back: nobody else has heard of it. */
static bool table_is_first_hand(const struct swim_from *from, uint64_t id8)
{
    return from && from->is_stream && from->id8 == id8;
}

void swim_receive_record(struct swim *swim, instant now, const struct swim_from *from,
                         const struct self_record *record, struct slice signed_bytes)
{
    struct node_id id = hash_node_id(record->public_key);
    uint64_t id8 = id_front(&id);
    uint32_t slot;

    if (!swim->is_started || signed_bytes.size == 0 || signed_bytes.size > SELF_RECORD_SIZE_MAX ||
        record->address_count == 0)
        return;
    if (id_equal(&id, &swim->config.self)) {
        swim_self_record(swim, now, record);
        return;
    }
    if (!swim_is_in_cell(swim, id8)) {
        swim_emit(swim,
                  &(struct swim_output){
                      .kind = SWIM_STRANGER, .id8 = id8, .record = record, .bytes = signed_bytes});
        return;
    }
    slot = swim_slot(swim, id8);
    if (slot == SWIM_NONE)
        slot = swim_insert(swim, &id);
    if (slot == SWIM_NONE || !id_equal(&swim->colds[slot].id, &id))
        return;
    table_take(swim, now, slot, record, signed_bytes);
    swim_cast(swim, slot, table_is_first_hand(from, id8) ? 0 : swim_cast_depth(from));
}

/* --- views */

static const struct swim_view *table_view(const struct swim *swim, uint32_t slot)
{
    const struct swim_member *member = &swim->members[slot];
    struct swim_cold *cold = &swim->colds[slot];

    cold->view = (struct swim_view){
        .id = cold->id,
        .rank = (enum member_rank)member->rank,
        .incarnation = member->incarnation,
        .address = cold->record.addresses[0],
        .record = &cold->record,
        .record_bytes = slice_of(cold->bytes, cold->size),
        .since = member->since,
        .changed = member->changed,
        .rtt_us = member->rtt_us,
        .rtt_var_us = member->rtt_var_us,
        .actor_behind = cold->actor_behind,
    };
    return &cold->view;
}

const struct swim_view *swim_find(const struct swim *swim, uint64_t id8)
{
    uint32_t slot = swim_slot(swim, id8);

    return slot == SWIM_NONE ? NULL : table_view(swim, slot);
}

uint32_t swim_count(const struct swim *swim)
{
    return swim->count;
}

const struct swim_view *swim_at(const struct swim *swim, uint32_t index)
{
    ensure(index < swim->count);
    return table_view(swim, swim->order[index]);
}

uint32_t swim_alive_count(const struct swim *swim)
{
    return swim->live;
}

bool swim_knows_record(const struct swim *swim, uint64_t id8, struct slice bytes)
{
    uint32_t slot = swim_slot(swim, id8);

    return slot != SWIM_NONE &&
           slice_equal(slice_of(swim->colds[slot].bytes, swim->colds[slot].size), bytes);
}
