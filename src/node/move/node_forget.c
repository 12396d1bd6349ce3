/* node_forget.c: giving up a peer that stays dead, and making its copies anew (protocols.md part
 * 4).
 *
 *   ACTIVE --dead for forget_after, and a majority agrees--> GONE --heirs have pulled--> OUT
 *
 * Nobody leads. Whoever saw the peer dead for so long, and a strict majority of the list alive all
 * that time by its own clock, asks the others; each agrees once in forget_every, never soon after
 * its own start, never under another layout, and only if it saw the same. Two majorities share a
 * peer, so two sides never forget at once. Those who agreed are alive and sound, and every
 * partition of the dead peer must keep N-W+1 of them: then no write that was acknowledged lies on
 * forgotten peers alone.
 *
 * Our own: who is forgotten leaves base at once, and nobody moves up before it has pulled from
 * N-W+1 of the owners that stay (place.h, GONE). The peer of the smallest id asks the heirs, and
 * when all of them are done the record becomes OUT. */
#include "node_impl.h"
#include "node_parts.h"

#define FORGET_TICK_US INSTANT_S(1)
#define FORGET_EVERY_US INSTANT_S(900)

static uint64_t forget_every(const struct node *node)
{
    uint64_t every = node->config.forget_every_ms;

    return every ? INSTANT_MS(every) : FORGET_EVERY_US;
}

static bool forget_is_alive(struct node *node, uint64_t id8)
{
    return node_rank(node, id8) == RANK_ALIVE;
}

/* Called when a rank changes, and each second. */
void node_forget_watch(struct node *node)
{
    struct node_forget *forget = &node->forget;
    bool is_majority = node->place && node_has_majority(node, forget_is_alive);

    if (is_majority && !forget->has_majority)
        forget->majority_since = node->now;
    forget->has_majority = is_majority;
}

/* For how long a peer is dead, as far as we may count: only while a majority was alive, and only in
 * this life of ours. */
static uint64_t forget_dead_us(struct node *node, uint64_t id8)
{
    const struct swim_view *view = swim_find(node->swim, id8);
    instant since = node->forget.majority_since;

    if (!view || view->rank < RANK_DEAD || !node->forget.has_majority)
        return 0;
    if (view->changed > since)
        since = view->changed;
    if (node->started > since)
        since = node->started;
    return node->now - since;
}

/* --- the conditions */

/* Hosts that stay on the list without a peer. */
static uint32_t forget_hosts(struct node *node, uint64_t subject)
{
    uint32_t hosts = 0;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        bool is_new = record->state != PLACE_OUT && record->state != PLACE_GONE &&
                      id_front(&record->id) != subject;

        for (uint32_t k = 0; k < i && is_new; k++) {
            const struct place_record *other = place_at(node->place, k);

            if (other->state != PLACE_OUT && other->state != PLACE_GONE &&
                id_front(&other->id) != subject)
                is_new = !label_equal(&other->host, &record->host);
        }
        hosts += is_new;
    }
    return hosts;
}

/* What this peer has against forgetting another: FORGET_ACKS stands for nothing. */
static enum forget_wait forget_check(struct node *node, uint64_t subject)
{
    const struct node_forget *forget = &node->forget;
    const struct place_record *record = place_find(node->place, subject);
    uint64_t after = INSTANT_MS(node->config.forget_after_ms);
    bool is_same = forget->acked == subject && forget->acked_layout == place_layout(node->place);

    if (after == 0 || !record || record->state == PLACE_OUT || record->state == PLACE_GONE ||
        node_rank(node, subject) < RANK_DEAD)
        return FORGET_NOBODY;
    if (forget_dead_us(node, subject) < after)
        return forget->has_majority ? FORGET_NOBODY : FORGET_MAJORITY;
    if (node->phase != NODE_OPEN || node->is_recovering ||
        !place_is_in_base(node_place_state(node)))
        return FORGET_MAJORITY;
    if (node->now < node->started + forget_every(node) ||
        (forget->acked && !is_same && node->now < forget->acked_at + forget_every(node)))
        return FORGET_PACE;
    if (forget_hosts(node, subject) < node->founding.replicas)
        return FORGET_HOSTS;
    return FORGET_ACKS;
}

/* Tells whether a peer said yes to our present question; we do. */
bool node_forget_agrees(struct node *node, uint64_t id8, unsigned kind)
{
    struct node_peer *peer = id8 == node->self ? NULL : node_peer(node, id8);

    return id8 == node->self || (peer && peer->forget_round[kind] == node->forget.asks[kind].round);
}

static bool forget_may(struct node *node, uint64_t id8)
{
    return node_forget_agrees(node, id8, FORGET_MAY);
}

/* Tells whether every partition of the subject keeps N-W+1 owners that agreed: alive and sound. */
static bool forget_is_covered(struct node *node, uint64_t subject)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;
        unsigned full, sound = 0;
        bool is_concerned = false;

        place_owners(node->place, p, &owners);
        full = owners.base_count + owners.gone_count;
        for (uint8_t i = 0; i < owners.base_count; i++) {
            is_concerned |= owners.peers[i].id8 == subject;
            sound += owners.peers[i].id8 != subject &&
                     node_forget_agrees(node, owners.peers[i].id8, FORGET_MAY);
        }
        if (is_concerned && sound < full - full / 2)
            return false;
    }
    return true;
}

/* --- asking */

/* Asks everybody on the list who has not said yes; `kind` is FORGET_MAY or FORGET_DONE. */
void node_forget_ask(struct node *node, unsigned kind, uint64_t subject)
{
    struct node_forget_ask *asked = &node->forget.asks[kind];
    uint64_t layout = place_layout(node->place);
    struct message ask = {
        .kind = MESSAGE_FORGET_ASK,
        .forget_ask = {.kind = (uint8_t)kind, .subject = subject, .layout = layout}};

    if (asked->subject != subject || asked->layout != layout || asked->round == 0) {
        asked->subject = subject;
        asked->layout = layout;
        asked->round++;
        if (kind == FORGET_MAY)
            node_trace(node, TRACE_FORGET_ASKED, subject, forget_dead_us(node, subject) / 1000, 0);
    }
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        uint64_t id8 = id_front(&place_at(node->place, i)->id);

        if (place_at(node->place, i)->state != PLACE_OUT && !node_forget_agrees(node, id8, kind) &&
            node_peer_is_reachable(node, id8))
            (void)node_send_plain(node, id8, &ask);
    }
}

/* A promise: for a while we agree to nothing else. */
static void forget_promise(struct node *node, uint64_t subject)
{
    if (node->forget.acked != subject || node->forget.acked_layout != place_layout(node->place))
        node->forget.acked_at = node->now;
    node->forget.acked = subject;
    node->forget.acked_layout = place_layout(node->place);
}

void node_forget_asked(struct node *node, uint64_t peer, const struct message_forget_ask *ask)
{
    struct message yes = {
        .kind = MESSAGE_FORGET_ACK,
        .forget_ack = {.kind = ask->kind, .subject = ask->subject, .layout = ask->layout}};

    if (!node->place || node->phase != NODE_OPEN)
        return;
    if (ask->layout != place_layout(node->place)) {
        node_table_soon(node, peer);
        return;
    }
    if (ask->kind == FORGET_MAY ? forget_check(node, ask->subject) != FORGET_ACKS
                                : !node_heir_is_done(node, ask->subject))
        return;
    if (ask->kind == FORGET_MAY)
        forget_promise(node, ask->subject);
    (void)node_send_plain(node, peer, &yes);
}

void node_forget_acked(struct node *node, uint64_t peer, const struct message_forget_ack *ack)
{
    const struct node_forget_ask *asked = &node->forget.asks[ack->kind];
    struct node_peer *known = node_peer(node, peer);

    if (!node->place || !known || ack->subject != asked->subject || ack->layout != asked->layout ||
        asked->layout != place_layout(node->place))
        return;
    known->forget_round[ack->kind] = asked->round;
    heap_set(&node->timers, &node->forget_timer.in_timers, node->now);
}

/* --- forgetting */

static void forget_put(struct node *node, uint64_t subject, bool is_told)
{
    bool is_joining = place_find(node->place, subject)->state == PLACE_JOINING;

    node_trace(node, TRACE_FORGOTTEN, subject, is_told, 0);
    node_place_other(node, subject, is_joining ? PLACE_OUT : PLACE_GONE);
}

/* An operator forgets a dead peer and answers for what only it held. OK; MISSING: not on the list;
 * CONFLICT: it is not dead; NOT_READY. */
enum status node_forget_now(struct node *node, uint64_t id8)
{
    const struct place_record *record = node->place ? place_find(node->place, id8) : NULL;

    if (!record)
        return node->is_founded ? STATUS_MISSING : STATUS_NOT_READY;
    if (id8 == node->self || node_rank(node, id8) == RANK_ALIVE ||
        node_rank(node, id8) == RANK_SUSPECT)
        return STATUS_CONFLICT;
    if (record->state != PLACE_OUT && record->state != PLACE_GONE)
        forget_put(node, id8, true);
    return STATUS_OK;
}

/* Of those dead for too long the one that died first: all peers count from the same declaration. */
static uint64_t forget_choose(struct node *node)
{
    uint64_t after = INSTANT_MS(node->config.forget_after_ms);
    const struct swim_view *first = NULL;

    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        const struct swim_view *view = swim_find(node->swim, id_front(&record->id));

        if (record->state == PLACE_OUT || record->state == PLACE_GONE || !view ||
            view->rank < RANK_DEAD)
            continue;
        if (node->forget.has_majority && forget_dead_us(node, id_front(&record->id)) < after)
            continue;
        if (!first || view->since < first->since)
            first = view;
    }
    return first ? id_front(&first->id) : 0;
}

static void forget_dead(struct node *node)
{
    struct node_forget *forget = &node->forget;
    uint64_t subject = node->config.forget_after_ms ? forget_choose(node) : 0;

    forget->waiting = subject;
    forget->wait = subject ? forget_check(node, subject) : FORGET_NOBODY;
    if (forget->wait != FORGET_ACKS)
        return;
    forget_promise(node, subject);
    node_forget_ask(node, FORGET_MAY, subject);
    if (node_has_majority(node, forget_may) && !forget_is_covered(node, subject))
        forget->wait = FORGET_OWNERS;
    else if (node_has_majority(node, forget_may))
        forget_put(node, subject, false);
}

void node_forget_tick(struct node *node)
{
    heap_set(&node->timers, &node->forget_timer.in_timers, node->now + FORGET_TICK_US);
    if (!node->place || node->phase != NODE_OPEN || node->is_leaving)
        return;
    node_forget_watch(node);
    forget_dead(node);
    node_heir_tick(node);
    node_jobs_watch(node);
}
