/* swim_probe.c: asking whether a peer lives (SWIM section 3.1). One member per period, drawn from a
 * shuffled list; if it is silent, three relays ask it, and we ask over a stream, because a network
 * may drop datagrams and nothing else. Relays that get no answer say so (NACK, Lifeguard): a
 * missing NACK accuses us, not the member. */
#include "swim_private.h"

#define P99_WEIGHT 4u /* p99 of a round trip: mean and four deviations */
#define NACK_PERCENT 80u

uint64_t swim_rtt_p99(const struct swim_member *member)
{
    return member->rtt_us + (uint64_t)P99_WEIGHT * member->rtt_var_us;
}

void swim_rtt_sample(struct swim_member *member, uint64_t rtt_us)
{
    uint32_t sample = rtt_us > INSTANT_S(60) ? (uint32_t)INSTANT_S(60) : (uint32_t)rtt_us;
    uint32_t error = sample > member->rtt_us ? sample - member->rtt_us : member->rtt_us - sample;

    if (sample == 0)
        sample = 1;
    if (member->rtt_us == 0) {
        member->rtt_us = sample;
        member->rtt_var_us = sample / 2;
        return;
    }
    member->rtt_var_us = (uint32_t)((3ull * member->rtt_var_us + error) / 4);
    member->rtt_us = (uint32_t)((7ull * member->rtt_us + sample) / 8);
    if (member->rtt_us == 0)
        member->rtt_us = 1;
}

static uint64_t probe_timeout_us(const struct swim *swim, const struct swim_member *member)
{
    uint64_t timeout = 3 * swim_rtt_p99(member);

    if (member->rtt_us == 0 || timeout > swim->numbers->timeout_high_us)
        timeout = swim->numbers->timeout_high_us;
    if (timeout < swim->numbers->timeout_low_us)
        timeout = swim->numbers->timeout_low_us;
    return swim_scaled(swim, timeout);
}

static struct message probe_ping(const struct swim *swim, const struct swim_probe *probe)
{
    return (struct message){.kind = MESSAGE_PING,
                            .ping = {.seq = probe->seq,
                                     .target = swim->members[probe->slot].id8,
                                     .digest = swim_digest(swim),
                                     .load = swim->load}};
}

/* A free probe with its PING sent, NULL when all are in use. */
static struct swim_probe *probe_open(struct swim *swim, instant now, uint32_t slot,
                                     enum probe_kind kind)
{
    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++) {
        struct swim_probe *probe = &swim->probes[i];
        struct message ping;

        if (probe->kind != PROBE_FREE)
            continue;
        *probe = (struct swim_probe){.kind = kind,
                                     .slot = slot,
                                     .seq = ++swim->seq,
                                     .incarnation = swim->members[slot].incarnation,
                                     .sent = now};
        ping = probe_ping(swim, probe);
        swim_send_member(swim, slot, &ping, 1);
        return probe;
    }
    return NULL;
}

static struct swim_probe *probe_own(struct swim *swim, uint32_t slot)
{
    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++)
        if (swim->probes[i].kind == PROBE_OWN && swim->probes[i].slot == slot)
            return &swim->probes[i];
    return NULL;
}

void swim_probe_start(struct swim *swim, instant now, uint32_t slot)
{
    struct swim_probe *probe =
        probe_own(swim, slot) ? NULL : probe_open(swim, now, slot, PROBE_OWN);

    if (!probe)
        return;
    probe->due = now + probe_timeout_us(swim, &swim->members[slot]);
    probe->end = now + swim_scaled(swim, swim->numbers->period_us);
}

/* --- whom to ask */

static void probe_shuffle(struct swim *swim)
{
    swim->pass_at = swim->pass_count = 0;
    for (uint32_t slot = 1; slot < swim->count; slot++)
        if (swim_is_live(&swim->members[slot]))
            swim->pass[swim->pass_count++] = slot;
    prng_shuffle(&swim->prng, swim->pass, swim->pass_count, sizeof(*swim->pass));
}

void swim_probe_period(struct swim *swim, instant now)
{
    swim->period_at = now + swim_scaled(swim, swim->numbers->period_us);
    if (swim->is_left)
        return;
    for (unsigned round = 0; round < 2; round++) {
        while (swim->pass_at < swim->pass_count) {
            uint32_t slot = swim->pass[swim->pass_at++];

            if (!swim_is_live(&swim->members[slot]))
                continue;
            swim_probe_start(swim, now, slot);
            return;
        }
        probe_shuffle(swim);
    }
}

/* One dead member, in turn: what keeps two halves of a torn network from forgetting each other. */
void swim_probe_dead(struct swim *swim, instant now)
{
    swim->dead_probe_at = now + swim->numbers->dead_probe_us;
    for (uint32_t i = 0; i < swim->count && !swim->is_left; i++) {
        uint32_t slot = swim->order[swim->dead_at++ % swim->count];
        struct swim_probe *probe;

        if (swim->members[slot].rank != RANK_DEAD)
            continue;
        probe = probe_open(swim, now, slot, PROBE_DEAD);
        if (probe)
            probe->due = now + swim->numbers->timeout_high_us;
        return;
    }
}

/* Relays: the nearest by round trip, one of another zone or host, one at random. */
static uint32_t relay_draw(struct swim *swim, const struct swim_probe *probe, unsigned way)
{
    const struct self_record *target = &swim->colds[probe->slot].record;
    uint32_t best = SWIM_NONE, seen = 0;

    for (uint32_t slot = 1; slot < swim->count; slot++) {
        const struct swim_member *member = &swim->members[slot];
        const struct self_record *record = &swim->colds[slot].record;
        bool is_taken = slot == probe->slot || member->rank != RANK_ALIVE;

        for (unsigned i = 0; i < probe->relay_count; i++)
            is_taken = is_taken || probe->relays[i] == member->id8;
        if (is_taken || (way == 0 && member->rtt_us == 0) ||
            (way == 1 && label_equal(&record->zone, &target->zone) &&
             label_equal(&record->host, &target->host)))
            continue;
        if (way == 0 && best != SWIM_NONE && member->rtt_us >= swim->members[best].rtt_us)
            continue;
        seen++;
        if (way == 0 || prng_below(&swim->prng, seen) == 0)
            best = slot;
    }
    return best;
}

static void probe_relay(struct swim *swim, struct swim_probe *probe)
{
    struct message request = {
        .kind = MESSAGE_PING_REQ,
        .ping_req = {.seq = probe->seq, .target = swim->members[probe->slot].id8}};
    struct message ping = probe_ping(swim, probe);

    probe->is_relayed = true;
    probe->due = probe->end;
    for (unsigned way = 0; way < SWIM_RELAYS; way++) {
        uint32_t slot = relay_draw(swim, probe, way);

        if (slot == SWIM_NONE)
            slot = relay_draw(swim, probe, 2);
        if (slot == SWIM_NONE)
            break;
        probe->relays[probe->relay_count++] = swim->members[slot].id8;
        swim_send_member(swim, slot, &request, 1);
    }
    swim_emit(swim, &(struct swim_output){.kind = SWIM_SEND_STREAM,
                                          .id8 = swim->members[probe->slot].id8,
                                          .messages = &ping,
                                          .count = 1});
}

/* --- how it ends */

static unsigned probe_bits(unsigned bits)
{
    unsigned count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* Fast evidence: we and as many relays as there are witnesses were refused. One peer's word is
 * never enough: it may be deaf, and a refusal may be forged. */
static bool probe_is_fast(const struct swim *swim, const struct swim_probe *probe)
{
    return probe->is_refused && swim_witnesses(swim) > 0 &&
           probe_bits(probe->refused) >= swim_witnesses(swim);
}

static void probe_fail(struct swim *swim, instant now, struct swim_probe *probe)
{
    unsigned missing = probe->relay_count - probe_bits(probe->nacked);
    uint32_t slot = probe->slot;
    bool is_fast = probe_is_fast(swim, probe);

    probe->kind = PROBE_FREE;
    if (!is_fast)
        swim_health_worse(swim, 1 + missing);
    if (probe->incarnation != swim->members[slot].incarnation)
        return;
    swim_accuse(swim, now, slot, swim->self8, is_fast);
    for (unsigned i = 0; i < probe->relay_count; i++)
        if (probe->refused & 1u << i)
            swim_accuse(swim, now, slot, probe->relays[i], is_fast);
}

static void probe_nack(struct swim *swim, struct swim_probe *probe)
{
    struct message nack = {.kind = MESSAGE_NACK,
                           .nack = {.seq = probe->asker_seq,
                                    .target = swim->members[probe->slot].id8,
                                    .reason = probe->is_refused ? 1 : 0}};

    probe->kind = PROBE_FREE;
    swim_answer(swim, &probe->asker, &nack, 1);
}

static void probe_due(struct swim *swim, instant now, struct swim_probe *probe)
{
    bool is_late = now - probe->due > SWIM_LATE_US;

    switch (probe->kind) {
    case PROBE_FREE:
        break;
    case PROBE_DEAD:
        probe->kind = PROBE_FREE;
        break;
    case PROBE_RELAY:
        probe_nack(swim, probe);
        break;
    case PROBE_OWN:
        if (is_late) { /* our loop stood still: the answer may be waiting in the socket */
            probe->kind = PROBE_FREE;
            swim_health_worse(swim, 1);
        } else if (!swim_is_live(&swim->members[probe->slot])) {
            probe->kind = PROBE_FREE;
        } else if (probe->is_relayed) {
            probe_fail(swim, now, probe);
        } else {
            probe_relay(swim, probe);
        }
        break;
    }
}

void swim_probe_expire(struct swim *swim, instant now)
{
    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++)
        if (swim->probes[i].kind != PROBE_FREE && instant_is_due(swim->probes[i].due, now))
            probe_due(swim, now, &swim->probes[i]);
}

instant swim_probe_deadline(const struct swim *swim)
{
    instant first = INSTANT_NEVER;

    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++)
        if (swim->probes[i].kind != PROBE_FREE)
            first = instant_min(first, swim->probes[i].due);
    return first;
}

/* --- what comes in */

void swim_probe_ping(struct swim *swim, instant now, const struct swim_from *from,
                     const struct message_ping *ping)
{
    struct message ack = {.kind = MESSAGE_ACK,
                          .ack = {.seq = ping->seq,
                                  .target = swim->self8,
                                  .digest = swim_digest(swim),
                                  .cookie = ping->cookie,
                                  .load = swim->load}};

    if (ping->target != swim->self8)
        return; /* somebody else lived at this address */
    swim_answer(swim, from, &ack, 1);
    if (swim_slot(swim, from->id8) == SWIM_NONE && swim_is_in_cell(swim, from->id8) &&
        swim->count < swim->config.members_max)
        swim_ask(swim, now, from, from->id8);
    swim_digest_seen(swim, now, from->id8, ping->digest);
}

static int probe_relay_index(const struct swim_probe *probe, uint64_t id8)
{
    for (unsigned i = 0; i < probe->relay_count; i++)
        if (probe->relays[i] == id8)
            return (int)i;
    return -1;
}

/* The open probe that this answer of `from` about `target` belongs to. */
static struct swim_probe *probe_find(struct swim *swim, uint64_t from, uint32_t seq,
                                     uint64_t target)
{
    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++) {
        struct swim_probe *probe = &swim->probes[i];

        if (probe->kind != PROBE_FREE && probe->seq == seq &&
            swim->members[probe->slot].id8 == target &&
            (from == target || probe_relay_index(probe, from) >= 0))
            return probe;
    }
    return NULL;
}

void swim_probe_ack(struct swim *swim, instant now, const struct swim_from *from,
                    const struct message_ack *ack)
{
    struct swim_probe *probe = probe_find(swim, from->id8, ack->seq, ack->target);

    swim_digest_seen(swim, now, from->id8, ack->target == from->id8 ? ack->digest : 0);
    if (!probe)
        return;
    if (from->id8 == ack->target && !from->is_stream && now > probe->sent)
        swim_rtt_sample(&swim->members[probe->slot], now - probe->sent);
    if (probe->kind == PROBE_OWN)
        swim_health_better(swim);
    if (probe->kind == PROBE_RELAY) {
        struct message attest = {.kind = MESSAGE_ACK,
                                 .ack = {.seq = probe->asker_seq, .target = ack->target}};

        swim_answer(swim, &probe->asker, &attest, 1);
    }
    probe->kind = PROBE_FREE;
}

void swim_probe_request(struct swim *swim, instant now, const struct swim_from *from,
                        const struct message_ping_req *request)
{
    uint32_t slot = swim_slot(swim, request->target);
    struct message nack = {.kind = MESSAGE_NACK,
                           .nack = {.seq = request->seq, .target = request->target, .reason = 2}};
    struct swim_probe *probe = NULL;

    if (slot == SWIM_SELF_SLOT)
        return;
    if (slot != SWIM_NONE && swim->members[slot].rank != RANK_LEFT)
        probe = probe_open(swim, now, slot, PROBE_RELAY);
    if (!probe) {
        swim_answer(swim, from, &nack, 1);
        return;
    }
    probe->asker = *from;
    probe->asker_seq = request->seq;
    probe->due = now + (uint64_t)(swim->numbers->period_us - swim->numbers->timeout_high_us) *
                           NACK_PERCENT / 100;
}

void swim_probe_nack(struct swim *swim, instant now, const struct swim_from *from,
                     const struct message_nack *nack)
{
    struct swim_probe *probe = probe_find(swim, from->id8, nack->seq, nack->target);
    int index = probe ? probe_relay_index(probe, from->id8) : -1;

    if (index < 0 || probe->kind != PROBE_OWN)
        return;
    probe->nacked |= (uint8_t)(1u << index);
    if (nack->reason == 1)
        probe->refused |= (uint8_t)(1u << index);
    if (probe_is_fast(swim, probe) && swim_is_live(&swim->members[probe->slot]))
        probe_fail(swim, now, probe);
}

/* --- evidence */

/* Probes a member that is alive by all we know, unless the last such doubt is fresh: what we send
 * to one that is gone is refused as well. */
static void probe_doubt(struct swim *swim, instant now, uint32_t slot)
{
    struct swim_suspicion *suspicion = &swim->suspicions[slot];

    if (slot == SWIM_SELF_SLOT || swim->members[slot].rank != RANK_ALIVE || swim->is_left ||
        (suspicion->doubted != 0 && now < suspicion->doubted + swim->numbers->period_us))
        return;
    suspicion->doubted = now;
    swim_probe_start(swim, now, slot);
}

void swim_doubt(struct swim *swim, instant now, uint64_t id8)
{
    uint32_t slot = swim_slot(swim, id8);

    if (slot != SWIM_NONE)
        probe_doubt(swim, now, slot);
}

static bool probe_is_at(const struct swim *swim, uint32_t slot, const struct address *address)
{
    return address_equal(&swim->colds[slot].record.addresses[0], address);
}

void swim_refused(struct swim *swim, instant now, const struct address *address)
{
    bool is_probed = false;

    for (unsigned i = 0; i < SWIM_PROBES_MAX; i++) {
        struct swim_probe *probe = &swim->probes[i];

        if (probe->kind == PROBE_FREE || !probe_is_at(swim, probe->slot, address))
            continue;
        is_probed |= probe->kind == PROBE_OWN;
        probe->is_refused = true;
        if (probe->kind == PROBE_RELAY)
            probe_nack(swim, probe);
        else if (probe->kind == PROBE_OWN && !probe->is_relayed && now <= probe->end)
            probe_relay(swim, probe);
    }
    for (uint32_t slot = 1; slot < swim->count && !is_probed; slot++)
        if (probe_is_at(swim, slot, address))
            probe_doubt(swim, now, slot);
}
