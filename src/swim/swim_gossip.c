/* swim_gossip.c: how news travel. Every member has at most one piece of news, its present state,
 * so what is newer replaces what is older by itself. It rides on any datagram that has room (SWIM
 * section 4.1), fewest sends first; a tick sends what found no ride; and while we are at most
 * SWIM_ALL_MAX, whoever first hears something tells everybody at once. */
#include "swim_private.h"

#define UPDATE_SIZE_MAX 48u /* bytes: 4 u64, two small integers, kind and framing */
#define SELF_FRAMING 12u    /* bytes around the record */

void swim_emit(struct swim *swim, const struct swim_output *output)
{
    swim->config.emit(swim->config.context, output);
}

void swim_emit_member(struct swim *swim, uint32_t slot, int old_rank, uint64_t from)
{
    const struct swim_member *member = &swim->members[slot];

    swim_emit(swim, &(struct swim_output){.kind = SWIM_MEMBER,
                                          .id8 = member->id8,
                                          .old_rank = old_rank,
                                          .rank = (enum member_rank)member->rank,
                                          .incarnation = member->incarnation,
                                          .from = from});
}

struct message swim_record_message(const struct swim *swim, uint32_t slot)
{
    const struct swim_cold *cold = &swim->colds[slot];

    return (struct message){.kind = MESSAGE_SELF,
                            .self = {.record = slice_of(cold->bytes, cold->size)}};
}

/* Accusers take turns, the newest first, so that each of them becomes known everywhere. */
struct message swim_statement(const struct swim *swim, uint32_t slot)
{
    const struct swim_member *member = &swim->members[slot];
    const struct swim_suspicion *suspicion = &swim->suspicions[slot];
    uint64_t from = 0;

    if (member->rank == RANK_ALIVE || member->rank == RANK_LEFT)
        return swim_record_message(swim, slot);
    if (suspicion->count > 0 && member->rank == RANK_SUSPECT)
        from =
            suspicion->accusers[(suspicion->count - 1u) * (member->sends + 1u) % suspicion->count];
    else if (suspicion->count > 0)
        from = suspicion->accusers[0];
    return (struct message){.kind = MESSAGE_UPDATE,
                            .update = {.rank = member->rank,
                                       .subject = member->id8,
                                       .incarnation = member->incarnation,
                                       .from = from,
                                       .since = member->since}};
}

size_t swim_message_size(const struct message *message)
{
    if (message->kind == MESSAGE_SELF)
        return message->self.record.size + SELF_FRAMING;
    return UPDATE_SIZE_MAX;
}

static void gossip_emit(struct swim *swim, uint64_t to, const struct address *address,
                        const struct message *messages, unsigned count)
{
    swim_emit(swim, &(struct swim_output){.kind = SWIM_SEND,
                                          .id8 = to,
                                          .address = *address,
                                          .messages = messages,
                                          .count = count});
}

void swim_send(struct swim *swim, uint64_t to, const struct address *address,
               const struct message *messages, unsigned count)
{
    uint32_t slot = swim_slot(swim, to);
    struct message all[4];
    unsigned used = 0;

    ensure(count > 0 && count < 4);
    if (slot != SWIM_NONE && swim->members[slot].rank != RANK_ALIVE &&
        swim->members[slot].rank != RANK_LEFT)
        all[used++] = swim_statement(swim, slot); /* buddy rule */
    memcpy(all + used, messages, count * sizeof(*messages));
    swim_emit(swim, &(struct swim_output){.kind = SWIM_SEND,
                                          .id8 = to,
                                          .address = *address,
                                          .messages = all,
                                          .count = used + count,
                                          .may_append = true});
}

void swim_send_member(struct swim *swim, uint32_t slot, const struct message *messages,
                      unsigned count)
{
    swim_send(swim, swim->members[slot].id8, &swim->colds[slot].record.addresses[0], messages,
              count);
}

void swim_answer(struct swim *swim, const struct swim_from *from, const struct message *messages,
                 unsigned count)
{
    if (!from->is_stream) {
        swim_send(swim, from->id8, &from->address, messages, count);
        return;
    }
    swim_emit(swim, &(struct swim_output){.kind = SWIM_SEND_STREAM,
                                          .id8 = from->id8,
                                          .messages = messages,
                                          .count = count});
}

/* --- the queue */

/* ceil(log10(n + 1)), at least 1. */
static unsigned gossip_digits(const struct swim *swim)
{
    return (logint_log10_milli((uint64_t)swim->live + 1) + 999) / 1000;
}

static unsigned gossip_limit(const struct swim *swim, const struct swim_member *member)
{
    bool is_record = member->rank == RANK_ALIVE || member->rank == RANK_LEFT;

    return gossip_digits(swim) *
           (is_record ? swim->numbers->record_sends : swim->numbers->update_sends);
}

static void queue_remove(struct swim *swim, uint32_t at)
{
    swim->members[swim->queue[at]].is_queued = false;
    swim->queue_count--;
    memmove(&swim->queue[at], &swim->queue[at + 1],
            (swim->queue_count - at) * sizeof(*swim->queue));
}

/* Makes room: the first of those sent most often goes. */
static void queue_shed(struct swim *swim)
{
    uint32_t most = 0;

    for (uint32_t i = 1; i < swim->queue_count; i++)
        if (swim->members[swim->queue[i]].sends > swim->members[swim->queue[most]].sends)
            most = i;
    queue_remove(swim, most);
}

void swim_queue_add(struct swim *swim, instant now, uint32_t slot)
{
    struct swim_member *member = &swim->members[slot];

    member->sends = 0;
    if (member->is_queued)
        return;
    if (swim->queue_count == SWIM_QUEUE_MAX)
        queue_shed(swim);
    if (swim->queue_count == 0) {
        swim->gossip_at = swim->gossiped + swim->numbers->gossip_us;
        if (swim->gossip_at < now)
            swim->gossip_at = now;
    }
    member->is_queued = true;
    swim->queue[swim->queue_count++] = slot;
}

/* Live members hear gossip, and the newly dead for a while: they may only seem so. */
static bool gossip_is_target(const struct swim *swim, instant now, uint32_t slot)
{
    const struct swim_member *member = &swim->members[slot];

    if (slot == SWIM_SELF_SLOT)
        return false;
    return swim_is_live(member) ||
           (member->rank == RANK_DEAD && now - member->changed < swim->numbers->dead_gossip_us);
}

void swim_news(struct swim *swim, instant now, uint32_t slot)
{
    struct message statement = swim_statement(swim, slot);

    swim_queue_add(swim, now, slot);
    if (swim->live > SWIM_ALL_MAX) {
        if (statement.kind == MESSAGE_UPDATE && statement.update.from == swim->self8)
            gossip_emit(swim, swim->members[slot].id8, &swim->colds[slot].record.addresses[0],
                        &statement, 1); /* what we say of somebody it hears first, from us */
        return;
    }
    for (uint32_t i = 0; i < swim->count; i++) {
        uint32_t to = swim->order[i];
        bool is_own_record = to == slot && statement.kind == MESSAGE_SELF;

        if (gossip_is_target(swim, now, to) && !is_own_record)
            gossip_emit(swim, swim->members[to].id8, &swim->colds[to].record.addresses[0],
                        &statement, 1);
    }
}

/* What is being put into one datagram. */
struct gossip_load {
    uint64_t to;
    size_t room; /* bytes left */
    struct message *into;
    unsigned count, max;
};

/* Takes the queued news of one level of sends that fit. */
static void gossip_pick(struct swim *swim, struct gossip_load *load, unsigned level)
{
    for (uint32_t i = 0; i < swim->queue_count && load->count < load->max; i++) {
        struct swim_member *member = &swim->members[swim->queue[i]];
        struct message *message = &load->into[load->count];

        if (member->is_picked || member->sends != level || member->id8 == load->to)
            continue;
        *message = swim_statement(swim, swim->queue[i]);
        if (swim_message_size(message) > load->room)
            continue;
        load->room -= swim_message_size(message);
        load->count++;
        member->is_picked = true;
        member->sends++;
    }
}

unsigned swim_piggyback(struct swim *swim, uint64_t to, size_t room, struct message *into,
                        unsigned max)
{
    uint32_t slot = swim_slot(swim, to);
    struct gossip_load load = {.to = to, .room = room, .into = into, .max = max};
    unsigned levels = swim->numbers->update_sends * gossip_digits(swim);

    if (slot != SWIM_NONE && swim->members[slot].rank == RANK_LEFT)
        return 0;
    for (unsigned level = 0; level < levels && load.room >= UPDATE_SIZE_MAX; level++)
        gossip_pick(swim, &load, level);
    for (uint32_t i = swim->queue_count; i-- > 0;) {
        struct swim_member *member = &swim->members[swim->queue[i]];

        member->is_picked = false;
        if (member->sends >= gossip_limit(swim, member))
            queue_remove(swim, i);
    }
    return load.count;
}

static void gossip_to(struct swim *swim, uint32_t slot)
{
    struct message messages[MESSAGES_PER_DATAGRAM_MAX];
    uint64_t id8 = swim->members[slot].id8;
    unsigned count = swim_piggyback(swim, id8, DATAGRAM_SIZE_MAX - DATAGRAM_OVERHEAD - 16, messages,
                                    MESSAGES_PER_DATAGRAM_MAX);

    if (count > 0)
        gossip_emit(swim, id8, &swim->colds[slot].record.addresses[0], messages, count);
}

/* One tick: the queue goes to a few members drawn at random. */
void swim_gossip_expire(struct swim *swim, instant now)
{
    uint32_t chosen[4];
    unsigned fan_out = swim->numbers->fan_out, targets = 0;

    if (!instant_is_due(swim->gossip_at, now))
        return;
    swim->gossiped = now;
    for (uint32_t slot = 0; slot < swim->count; slot++) {
        if (!gossip_is_target(swim, now, slot))
            continue;
        uint64_t at = targets < fan_out ? targets : prng_below(&swim->prng, targets + 1u);

        targets++; /* every target is kept with the same chance (reservoir) */
        if (at < fan_out)
            chosen[at] = slot;
    }
    for (unsigned i = 0; i < fan_out && i < targets; i++)
        gossip_to(swim, chosen[i]);
    if (targets == 0) /* nobody listens: who comes later gets the table */
        while (swim->queue_count > 0)
            queue_remove(swim, swim->queue_count - 1);
    swim->gossip_at = swim->queue_count > 0 ? now + swim->numbers->gossip_us : INSTANT_NEVER;
}

void swim_ask(struct swim *swim, instant now, const struct swim_from *from, uint64_t subject)
{
    uint8_t subjects[8] = {0};
    struct message get = {.kind = MESSAGE_RECORD_GET,
                          .record_get = {.subjects = slice_of(subjects, sizeof(subjects))}};

    for (unsigned i = 0; i < SWIM_ASKED_MAX; i++)
        if (swim->asked[i].id8 == subject && now < swim->asked[i].when + SWIM_ASK_AGAIN_US)
            return;
    swim->asked[swim->asked_at] = (struct swim_asked){.id8 = subject, .when = now};
    swim->asked_at = (swim->asked_at + 1) % SWIM_ASKED_MAX;
    bytes_store_u64(subjects, subject);
    swim_answer(swim, from, &get, 1);
}
