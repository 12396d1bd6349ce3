/* node_facts.c: what the rooms say, and who else must hear of it. Sends leave at once; everything
 * else is queued while the room that said it is still at work, and handled when it has returned. */
#include "hint/node_hint.h"
#include "node_parts.h"

enum fact_room { FACT_SWIM, FACT_KAD, FACT_QUORUM, FACT_SYNC };

/* One queued output with what it points at, in the arena of the step. */
struct node_fact {
    struct list in_facts;
    enum fact_room room;
    union {
        struct swim_output swim;
        struct kad_output kad;
        struct quorum_output quorum;
        struct sync_output sync;
    };
};

static struct node_fact *fact_push(struct node *node, enum fact_room room)
{
    struct node_fact *fact = effects_alloc(node->fx, sizeof(*fact));

    fact->room = room;
    list_push_back(&node->facts, &fact->in_facts);
    return fact;
}

static void *fact_copy(struct node *node, const void *items, size_t size)
{
    return (void *)(uintptr_t)effects_copy(node->fx, slice_of(items, size)).data;
}

/* --- swim */

void node_swim_emit(void *context, const struct swim_output *output)
{
    struct node *node = context;

    if (output->kind == SWIM_SEND) {
        if (output->may_append)
            node_send_datagram(node, output->id8, &output->address, output->messages,
                               output->count);
        else
            node_send_bare(node, output->id8, &output->address, output->messages, output->count);
        return;
    }
    if (output->kind == SWIM_SEND_STREAM) {
        for (unsigned i = 0; i < output->count; i++)
            (void)node_send_plain(node, output->id8, &output->messages[i]);
        return;
    }
    fact_push(node, FACT_SWIM)->swim = *output;
}

static void member_gone(struct node *node, uint64_t id8)
{
    const struct swim_view *view = swim_find(node->swim, id8);
    struct node_peer *peer = node_peer(node, id8);

    if (view)
        kad_contact_gone(node->kad, &view->id);
    balance_forget(node->balance, id8);
    if (peer && peer->link)
        node_link_close(node, peer->link, STATUS_UNREACHABLE); /* tells quorum and the tasks */
    else
        node_peer_lost(node, id8, true);
}

/* Who hears that a member's rank changed. */
static void member_changed(struct node *node, const struct swim_output *fact)
{
    static const enum trace_code traces[] = {[RANK_ALIVE] = TRACE_MEMBER_ALIVE,
                                             [RANK_SUSPECT] = TRACE_MEMBER_SUSPECT,
                                             [RANK_DEAD] = TRACE_MEMBER_DEAD,
                                             [RANK_LEFT] = TRACE_MEMBER_LEFT};
    struct node_peer *peer = node_peer(node, fact->id8);

    node_trace(node, traces[fact->rank], fact->id8, fact->incarnation, fact->from);
    node_persist_soon(node);
    node_forget_watch(node);
    if (fact->rank == RANK_SUSPECT)
        metric_add(&node->metrics, METRIC_SUSPICIONS, fact->from == node->self);
    if (fact->rank >= RANK_DEAD)
        member_gone(node, fact->id8);
    if (fact->rank == RANK_ALIVE && peer && fact->old_rank != RANK_SUSPECT)
        peer->sync_at = 0; /* it may have missed writes, and so may we */
    node_watch_member(node, fact->id8);
}

static void fact_swim(struct node *node, const struct swim_output *fact)
{
    switch (fact->kind) {
    case SWIM_MEMBER:
        member_changed(node, fact);
        break;
    case SWIM_SELF:
        node->incarnation_kept = fact->incarnation;
        node_persist_soon(node);
        node_persist(node); /* at once: a start behind it would be taken for an old recording */
        break;
    case SWIM_TABLE:
        if (fact->is_reply)
            node_table_send(node, fact->id8, true);
        else
            node_table_soon(node, fact->id8);
        break;
    case SWIM_TWIN:
        metric_add(&node->metrics, METRIC_INCIDENTS, 1);
        node_trace(node, TRACE_MEMBER_TWIN, fact->id8, 0, 0);
        break;
    case SWIM_REFUTED:
        metric_add(&node->metrics, METRIC_REFUTATIONS, 1);
        node_trace(node, TRACE_REFUTED, fact->from, fact->incarnation, 0);
        break;
    case SWIM_STRANGER: /* the overlay meets it when it answers us */
    case SWIM_SEND:
    case SWIM_SEND_STREAM:
        break;
    }
}

/* --- kad */

void node_kad_emit(void *context, const struct kad_output *output)
{
    struct node *node = context;
    struct node_fact *fact;

    if (output->kind == KAD_SEND) {
        node_overlay_send(node, output);
        return;
    }
    fact = fact_push(node, FACT_KAD);
    fact->kad = *output;
    if (output->kind == KAD_STEP)
        fact->kad.to = fact_copy(node, output->to, sizeof(*output->to));
    else
        fact->kad.contacts =
            fact_copy(node, output->contacts, output->count * sizeof(*output->contacts));
}

static void fact_kad(struct node *node, const struct kad_output *fact)
{
    if (fact->kind == KAD_STEP)
        node_overlay_step(node, fact);
    else if (fact->kind == KAD_DONE)
        node_overlay_done(node, fact);
}

/* --- quorum */

void node_quorum_emit(void *context, const struct quorum_output *output)
{
    struct node *node = context;
    struct node_fact *fact;

    if (output->kind == QUORUM_SEND_PUT || output->kind == QUORUM_SEND_GET) {
        node_quorum_send(node, output);
        return;
    }
    if (output->kind == QUORUM_SPREAD) { /* of every write, and mostly empty */
        node_hint_spread(node, output);
        return;
    }
    fact = fact_push(node, FACT_QUORUM);
    fact->quorum = *output;
    fact->quorum.ns = effects_copy(node->fx, output->ns);
    fact->quorum.key = effects_copy(node->fx, output->key);
    fact->quorum.object = effects_copy(node->fx, output->object);
    fact->quorum.prefix = effects_copy(node->fx, output->prefix);
    fact->quorum.after = effects_copy(node->fx, output->after);
    fact->quorum.from = effects_copy(node->fx, output->from);
    fact->quorum.until = effects_copy(node->fx, output->until);
    fact->quorum.reach = effects_copy(node->fx, output->reach);
    fact->quorum.roles =
        fact_copy(node, output->roles, output->role_count * sizeof(*output->roles));

    if (!output->items)
        return;

    struct quorum_item *items =
        fact_copy(node, output->items, output->item_count * sizeof(*output->items));

    for (uint32_t i = 0; i < output->item_count; i++) {
        items[i].key = effects_copy(node->fx, items[i].key);
        items[i].winner.meta = effects_copy(node->fx, items[i].winner.meta);
    }
    fact->quorum.items = items;
}

/* --- sync */

void node_sync_emit(void *context, const struct sync_output *output)
{
    struct node *node = context;
    struct node_fact *fact;

    if (output->kind == SYNC_SEND) {
        (void)node_send_plain(node, output->peer, output->message);
        return;
    }
    if (output->kind == SYNC_PULLED || output->kind == SYNC_GIVEN) {
        node_sync_fact(node, output);
        return;
    }
    fact = fact_push(node, FACT_SYNC);
    fact->sync = *output;
    fact->sync.after = effects_copy(node->fx, output->after);
    fact->sync.keys = effects_copy(node->fx, output->keys);
    fact->sync.items = effects_copy(node->fx, output->items);
}

static void fact_sync(struct node *node, const struct sync_output *fact)
{
    switch (fact->kind) {
    case SYNC_LIST:
        node_leaf_list(node, fact);
        break;
    case SYNC_GIVE:
        node_give_keys(node, fact);
        break;
    case SYNC_MERGE:
        node_merge_items(node, fact);
        break;
    case SYNC_STANDING:
        node_gc_heard(node, fact->peer, fact->partition, fact->items);
        break;
    case SYNC_LAYOUT:
        node_table_soon(node, fact->peer);
        break;
    case SYNC_ROUND_DONE:
        node_sync_done(node, fact);
        break;
    case SYNC_SEND:
    case SYNC_PULLED:
    case SYNC_GIVEN:
        break;
    }
}

void node_settle(struct node *node)
{
    struct list *link;

    while ((link = list_pop_front(&node->facts))) {
        struct node_fact *fact = list_entry(link, struct node_fact, in_facts);

        switch (fact->room) {
        case FACT_SWIM:
            fact_swim(node, &fact->swim);
            break;
        case FACT_KAD:
            fact_kad(node, &fact->kad);
            break;
        case FACT_QUORUM:
            node_quorum_fact(node, &fact->quorum);
            break;
        case FACT_SYNC:
            fact_sync(node, &fact->sync);
            break;
        }
    }
}
