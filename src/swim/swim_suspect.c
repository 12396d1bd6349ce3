/* swim_suspect.c: from suspicion to death, or back. An accusation starts a clock that is long for
 * one accuser and shorter with each independent one (Lifeguard section IV-B); only the accused can
 * stop it, with a record of a higher incarnation. Witnesses: on the first news the three live
 * members nearest to the accused probe it at once, so that confirmations come by design. */
#include "swim_private.h"

unsigned swim_witnesses(const struct swim *swim)
{
    if (swim->live <= 2)
        return 0;
    return swim->live - 2 < SWIM_RELAYS ? swim->live - 2 : SWIM_RELAYS;
}

uint64_t swim_suspicion_min_us(const struct swim *swim)
{
    uint64_t log_milli = logint_log10_milli(swim->live > 0 ? swim->live : 1);

    if (log_milli < 1000)
        log_milli = 1000;
    return swim->numbers->suspicion_factor * log_milli * swim->numbers->period_us / 1000;
}

uint64_t swim_suspicion_us(const struct swim *swim, unsigned extra, uint64_t minimum_us)
{
    unsigned wanted = swim_witnesses(swim);
    uint64_t range = (swim->numbers->suspicion_span - 1) * minimum_us;

    if (extra >= wanted)
        return minimum_us;
    return minimum_us + range -
           range * logint_log10_milli(extra + 1) / logint_log10_milli(wanted + 1);
}

static void suspicion_schedule(struct swim *swim, uint32_t slot)
{
    struct swim_suspicion *suspicion = &swim->suspicions[slot];
    uint64_t minimum = swim_suspicion_min_us(swim);
    unsigned extra = suspicion->count > 0 ? suspicion->count - 1u : 0;

    if (suspicion->is_fast) {
        uint64_t fast = 4 * swim_rtt_p99(&swim->members[slot]);

        fast = fast > swim->numbers->refused_us ? fast : swim->numbers->refused_us;
        minimum = fast < minimum ? fast : minimum;
    }
    heap_set(&swim->due, &suspicion->in_due,
             suspicion->started + swim_suspicion_us(swim, extra, minimum));
}

/* One more accuser; false when it does not count. We know it, or it is us; never the accused. */
static bool suspicion_confirm(struct swim *swim, uint32_t slot, uint64_t from)
{
    struct swim_suspicion *suspicion = &swim->suspicions[slot];
    uint32_t accuser = swim_slot(swim, from);

    if (from == 0 || from == swim->members[slot].id8 || accuser == SWIM_NONE ||
        suspicion->count == SWIM_ACCUSERS_MAX)
        return false;
    for (unsigned i = 0; i < suspicion->count; i++)
        if (suspicion->accusers[i] == from)
            return false;
    suspicion->accusers[suspicion->count++] = from;
    return true;
}

/* Tells whether we are one of the three live members nearest to the accused by XOR. */
static bool suspect_is_witness(const struct swim *swim, uint32_t slot)
{
    uint64_t accused = swim->members[slot].id8;
    unsigned nearer = 0;

    for (uint32_t i = 1; i < swim->count; i++)
        if (i != slot && swim_is_live(&swim->members[i]) &&
            (swim->members[i].id8 ^ accused) < (swim->self8 ^ accused))
            nearer++;
    return nearer < SWIM_RELAYS;
}

void swim_accuse(struct swim *swim, instant now, uint32_t slot, uint64_t from, bool is_fast)
{
    struct swim_member *member = &swim->members[slot];
    struct swim_suspicion *suspicion = &swim->suspicions[slot];
    struct swim_state state = swim_state_of(swim, slot);
    bool is_first = member->rank == RANK_ALIVE, is_news;

    if (!swim_is_live(member))
        return;
    if (is_first) {
        state.rank = RANK_SUSPECT;
        suspicion->count = 0;
        suspicion->is_fast = false;
        suspicion->started = now;
        swim_set_state(swim, now, slot, state);
    }
    is_news = suspicion_confirm(swim, slot, from) || is_first;
    if (is_fast && !suspicion->is_fast)
        suspicion->is_fast = true;
    else if (!is_news)
        return;
    suspicion_schedule(swim, slot);
    if (is_first)
        swim_emit_member(swim, slot, RANK_ALIVE, from);
    if (is_news)
        swim_news(swim, now, slot);
    if (is_first && from == swim->self8)
        swim_cast(swim, slot, 0);
    if (is_first && from != swim->self8 && suspect_is_witness(swim, slot))
        swim_probe_start(swim, now, slot);
}

void swim_suspect_end(struct swim *swim, uint32_t slot)
{
    heap_remove(&swim->due, &swim->suspicions[slot].in_due);
    swim->suspicions[slot].count = 0;
    swim->suspicions[slot].is_fast = false;
}

void swim_declare(struct swim *swim, instant now, uint32_t slot, uint64_t from, uint64_t since)
{
    int old_rank = swim->members[slot].rank;
    struct swim_state state = swim_state_of(swim, slot);

    swim_suspect_end(swim, slot);
    state.rank = RANK_DEAD;
    state.since = since;
    swim_set_state(swim, now, slot, state);
    swim->suspicions[slot].accusers[0] = from;
    swim->suspicions[slot].count = 1;
    swim_emit_member(swim, slot, old_rank, from);
    swim_news(swim, now, slot);
    if (from == swim->self8)
        swim_cast(swim, slot, 0);
}

/* A clock that is read late says that our own loop stood still: the refutation may be waiting in
 * the socket. The suspicion gets its minimum once more. */
void swim_suspect_expire(struct swim *swim, instant now, uint64_t stamp)
{
    while (instant_is_due(heap_deadline(&swim->due), now)) {
        struct heap_node *node = heap_first(&swim->due);
        struct swim_suspicion *suspicion = list_entry(node, struct swim_suspicion, in_due);
        uint32_t slot = (uint32_t)(suspicion - swim->suspicions);

        if (now - node->when > SWIM_LATE_US) {
            swim_health_worse(swim, 1);
            heap_set(&swim->due, node, now + swim_suspicion_min_us(swim));
        } else {
            swim_declare(swim, now, slot, swim->self8, stamp);
        }
    }
}

/* A statement about a member we know, of the incarnation we hold. */
static void suspect_take(struct swim *swim, instant now, uint32_t slot,
                         const struct message_update *update)
{
    struct swim_state ours = swim_state_of(swim, slot);
    struct swim_state theirs = {.incarnation = update->incarnation,
                                .rank = (enum member_rank)update->rank,
                                .since = update->rank == RANK_DEAD ? update->since : 0};
    struct swim_state merged = swim_merge(ours, theirs);

    if (update->rank == RANK_SUSPECT)
        swim_accuse(swim, now, slot, update->from, false);
    else if (update->rank == RANK_DEAD && ours.rank < RANK_DEAD)
        swim_declare(swim, now, slot, update->from, merged.since);
    else if (merged.since != ours.since)
        swim_set_state(swim, now, slot, merged);
}

void swim_suspect_update(struct swim *swim, instant now, const struct swim_from *from,
                         const struct message_update *update)
{
    uint32_t slot = swim_slot(swim, update->subject);
    bool is_accusation = update->rank == RANK_SUSPECT || update->rank == RANK_DEAD;

    if (update->rank > RANK_LEFT || !swim_is_in_cell(swim, update->subject))
        return;
    if (slot == SWIM_NONE) {
        if (swim->count < swim->config.members_max)
            swim_ask(swim, now, from, update->subject);
    } else if (slot == SWIM_SELF_SLOT && is_accusation) {
        swim_self_accused(swim, now, from, update->from, update->incarnation);
    } else if (update->incarnation > swim->members[slot].incarnation ||
               (update->incarnation == swim->members[slot].incarnation &&
                update->rank == RANK_LEFT && swim->members[slot].rank != RANK_LEFT)) {
        swim_ask(swim, now, from, update->subject); /* not admissible without its record */
    } else if (is_accusation) {
        if (update->incarnation == swim->members[slot].incarnation)
            suspect_take(swim, now, slot, update);
        swim_cast(swim, slot, swim_cast_depth(from));
    }
}
