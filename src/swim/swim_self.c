/* swim_self.c: what we say of ourselves. Only here does our incarnation rise: at a start, when
 * somebody accuses us, when a record of ours from an earlier life turns up, when we change or
 * leave. A refutation is signed in the call that brought the accusation. */
#include "swim_private.h"

/* Incarnations begin at a clock's milliseconds and rise by ones: what is above this nobody of us
 * said, and following it would leave no number for the next refutation. */
#define INCARNATION_MAX (UINT64_MAX / 2)

/* Keeps the persisted bound ahead, in blocks, so that no refutation waits for a disk. */
static void self_persist(struct swim *swim, uint64_t incarnation)
{
    if (incarnation < swim->persisted)
        return;
    swim->persisted = incarnation + SWIM_PERSIST_BLOCK;
    swim_emit(swim, &(struct swim_output){
                        .kind = SWIM_SELF, .id8 = swim->self8, .incarnation = swim->persisted});
}

void swim_self_sign(struct swim *swim, instant now, uint64_t incarnation, uint16_t flags)
{
    struct self_record record = {0};
    uint8_t bytes[SELF_RECORD_SIZE_MAX];
    size_t size = swim->config.sign(swim->config.context, incarnation, flags, bytes, &record);
    struct swim_state state = {.incarnation = incarnation,
                               .rank = flags & SELF_LEFT ? RANK_LEFT : RANK_ALIVE};

    ensure(size > 0 && size <= SELF_RECORD_SIZE_MAX);
    self_persist(swim, incarnation);
    swim_keep_record(swim, SWIM_SELF_SLOT, &record, slice_of(bytes, size));
    swim_set_state(swim, now, SWIM_SELF_SLOT, state);
    swim_news(swim, now, SWIM_SELF_SLOT);
    swim_cast(swim, SWIM_SELF_SLOT, 0);
}

void swim_start(struct swim *swim, instant now, uint64_t wall_ms, uint64_t incarnation_persisted)
{
    uint64_t incarnation = incarnation_persisted + 1;
    uint32_t slot;

    ensure(!swim->is_started);
    if (incarnation < wall_ms)
        incarnation = wall_ms;
    slot = swim_insert(swim, &swim->config.self);
    ensure(slot == SWIM_SELF_SLOT);
    swim->is_started = true;
    swim->period_at = now + prng_below(&swim->prng, swim->numbers->period_us);
    swim->dead_probe_at = now + swim->numbers->dead_probe_us;
    swim_self_sign(swim, now, incarnation, 0);
}

void swim_renew(struct swim *swim, instant now)
{
    if (swim->is_started && !swim->is_left)
        swim_self_sign(swim, now, swim->members[SWIM_SELF_SLOT].incarnation + 1, 0);
}

void swim_raise(struct swim *swim, instant now, uint64_t seen)
{
    if (swim->is_started && seen >= swim->members[SWIM_SELF_SLOT].incarnation &&
        seen <= INCARNATION_MAX)
        swim_self_sign(swim, now, seen + 1, swim->is_left ? SELF_LEFT : 0);
}

void swim_leave(struct swim *swim, instant now)
{
    if (!swim->is_started || swim->is_left)
        return;
    swim->is_left = true;
    swim_self_sign(swim, now, swim->members[SWIM_SELF_SLOT].incarnation + 1, SELF_LEFT);
}

struct slice swim_own_record(const struct swim *swim)
{
    if (!swim->is_started)
        return SLICE_NONE;
    return slice_of(swim->colds[SWIM_SELF_SLOT].bytes, swim->colds[SWIM_SELF_SLOT].size);
}

/* Somebody says that we are SUSPECT or DEAD. The one who brought it hears the answer directly,
 * whatever we think of it: so do two halves of a healed network find each other. */
void swim_self_accused(struct swim *swim, instant now, const struct swim_from *from,
                       uint64_t accuser, uint64_t incarnation)
{
    struct swim_member *self = &swim->members[SWIM_SELF_SLOT];
    struct message record;

    if (incarnation > self->incarnation) { /* of another life of ours, if the record exists */
        swim_ask(swim, now, from, swim->self8);
        return;
    }
    if (incarnation == self->incarnation && !swim->is_left) {
        swim_health_worse(swim, 1);
        swim_self_sign(swim, now, incarnation + 1, 0);
        swim_emit(swim, &(struct swim_output){.kind = SWIM_REFUTED,
                                              .id8 = swim->self8,
                                              .from = accuser,
                                              .incarnation = self->incarnation});
    } else {
        swim_queue_add(swim, now, SWIM_SELF_SLOT);
    }
    record = swim_record_message(swim, SWIM_SELF_SLOT);
    swim_answer(swim, from, &record, 1);
}

/* A record signed with our own key came back. An older one is our past. A newer one is a life we
 * forgot (lost state, clock set back), and we pass it; when that goes on, a twin is alive. */
void swim_self_record(struct swim *swim, instant now, const struct self_record *record)
{
    struct swim_member *self = &swim->members[SWIM_SELF_SLOT];
    struct swim_cold *cold = &swim->colds[SWIM_SELF_SLOT];
    bool is_foreign = record->epoch != cold->record.epoch;

    if (record->incarnation < self->incarnation ||
        (record->incarnation == self->incarnation && !is_foreign))
        return;
    if (swim->raised_at != 0 && now < swim->raised_at + SWIM_RAISE_AGAIN_US)
        return;
    if (is_foreign && cold->epoch_before == record->epoch)
        swim_twin(swim, now, SWIM_SELF_SLOT);
    cold->epoch_before = record->epoch;
    swim->raised_at = now > 0 ? now : 1;
    swim_raise(swim, now, record->incarnation);
}
