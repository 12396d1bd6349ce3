/* node_join.c: finding the others and belonging to one cluster (protocols.md part 1 and 2.7).
 *
 *   seeds --RESOLVE--> addresses --dial, JOIN--> JOINED --> founding adopted, tables compared
 *
 * A peer without seeds founds at once. One whose every seed answers that it is new as well founds
 * if it has the smallest NodeID among them. As long as a seed is silent nobody founds: the peer
 * keeps trying, for ever (decision 0002). */
#include "node_impl.h"
#include "node_parts.h"

#define JOIN_FIRST_US INSTANT_MS(250) /* first retry: a local cluster starts at once */
#define JOIN_RETRY_MAX_US INSTANT_S(30)
#define JOIN_REMEMBERED_MAX 8      /* members asked by a peer that has no seeds */
#define JOIN_AGAIN_US INSTANT_S(1) /* between two questions about foundings to one peer */

static uint64_t founding_hash(const struct founding_record *record)
{
    uint8_t room[256];
    struct writer out = writer_over(room, sizeof(room));
    uint8_t key[HASH_SEED_SIZE] = {0};

    if (wire_founding_encode(record, &out) != STATUS_OK)
        return 0;
    return hash_sip64(key, out.data, out.size);
}

uint64_t node_founding_hash(const struct node *node)
{
    return node->is_founded ? founding_hash(&node->founding) : 0;
}

static struct slice founding_bytes(struct node *node)
{
    struct writer out = writer_over(effects_alloc(node->fx, 256), 256);

    if (!node->is_founded || wire_founding_encode(&node->founding, &out) != STATUS_OK)
        return SLICE_NONE;
    return writer_done(&out);
}

/* Tells whether founding `a` stays where both meet: the smaller (stamp, founder). */
static bool founding_precedes(const struct founding_record *a, const struct founding_record *b)
{
    return a->stamp != b->stamp ? a->stamp < b->stamp : id_compare(&a->founder, &b->founder) < 0;
}

static void join_schedule(struct node *node)
{
    uint64_t wait = profile_numbers(node->config.profile)->absent_seed_us;

    if (!node->is_founded) {
        wait = JOIN_FIRST_US << (node->join_round < 8 ? node->join_round : 8);
        wait = instant_min(wait, JOIN_RETRY_MAX_US);
        node->join_round++;
    }
    heap_set(&node->timers, &node->join_timer.in_timers,
             node->now + prng_jitter(&node->prng, wait, 25));
}

static void join_found(struct node *node)
{
    struct founding_record record = {.stamp = node_stamp(node),
                                     .partition_bits = node->config.partition_bits,
                                     .cell_depth = node->config.cell_depth,
                                     .replicas = node->config.replicas};

    record.founder = *node_self(node);
    node->ports.entropy.fill(node->ports.entropy.context, record.hash_seed, HASH_SEED_SIZE);
    node_trace(node, TRACE_FOUNDED, record.stamp, 0, 0);
    node_founding_adopt(node, &record);
    node_place_set(node, PLACE_ACTIVE); /* the very first peer holds everything there is */
    if (node->config.defaults.set)
        (void)(node_space_write(node, slice_text("_default"), &node->config.defaults, false) ==
               STATUS_OK); /* the first record: there is room */
}

/* Every seed of this round has answered or failed. */
static void join_settle(struct node *node)
{
    uint32_t others = node->seed_count - node->seeds_self;

    if (node->seeds_open > 0)
        return;
    if (!node->is_founded && !node->is_uncounted && node->seed_count > 0 &&
        node->seeds_new == others && node->is_new_smallest)
        join_found(node);
    join_schedule(node);
}

/* Without seeds: asks some of those we remember what they remember of us. */
static void join_remembered(struct node *node)
{
    for (uint32_t i = 0; i < swim_count(node->swim) && i < JOIN_REMEMBERED_MAX; i++)
        if (id_front(&swim_at(node->swim, i)->id) != node->self)
            node_join_ask(node, id_front(&swim_at(node->swim, i)->id));
}

void node_join_start(struct node *node)
{
    if (node->seeds_text[0] == 0) {
        /* Rows of a cluster nobody remembers: never founded over. Seeds must be given. */
        if (!node->is_founded && !node->is_uncounted)
            join_found(node);
        else if (!node->is_joined)
            join_remembered(node);
        return;
    }
    if (node->is_resolving)
        return;
    node->is_resolving = true;
    effects_push(node->fx, EFFECT_RESOLVE)->resolve.names = slice_text(node->seeds_text);
}

/* Tells whether a live member is known at this address already. */
static bool join_is_known(const struct node *node, const struct address *address)
{
    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        const struct swim_view *view = swim_at(node->swim, i);

        if (view->rank == RANK_ALIVE && address_equal(&view->address, address))
            return true;
    }
    return false;
}

void node_join_seeds(struct node *node, const struct event *event)
{
    uint32_t known = event->seeds.count,
             count = known < NODE_SEED_ADDRESSES_MAX ? known : NODE_SEED_ADDRESSES_MAX;

    memcpy(node->seeds, event->seeds.addresses, count * sizeof(struct address));
    node->is_resolving = false;
    node->seed_count = count;
    node->seeds_open = node->seeds_new = node->seeds_self = node->seeds_silent = 0;
    node->is_new_smallest = true;
    node->seeds_open = 1; /* held while dialling, so that nothing settles half-way */
    for (uint32_t i = 0; i < count; i++) {
        if (node->is_joined && join_is_known(node, &node->seeds[i]))
            continue;

        struct node_link *link = node_link_dial(node, &node->seeds[i]);

        if (!link)
            continue;
        link->is_join = true;
        node->seeds_open++;
    }
    node->seeds_open--;
    join_settle(node);
}

void node_join_failed(struct node *node, const struct address *address, enum status reason)
{
    (void)address;
    if (reason == STATUS_OURSELVES)
        node->seeds_self++;
    else
        node->seeds_silent++;
    if (node->seeds_open > 0)
        node->seeds_open--;
    join_settle(node);
}

static struct message join_message(struct node *node)
{
    return (struct message){
        .kind = MESSAGE_JOIN,
        .join = {.record = swim_own_record(node->swim), .founding = founding_bytes(node)}};
}

void node_join_linked(struct node *node, struct node_link *link)
{
    struct frame head = {.priority = 0};
    struct message join = join_message(node);

    (void)node_send_link(node, link, &head, &join);
}

/* Asks a peer that believes in another founding which of the two stays. */
void node_join_ask(struct node *node, uint64_t id8)
{
    struct node_peer *peer = node_peer(node, id8);
    struct message join = join_message(node);

    if (!peer || peer->join_at > node->now)
        return;
    peer->join_at = node->now + JOIN_AGAIN_US;
    (void)node_send_plain(node, id8, &join);
}

/* Our founding and that of a peer differ. True: they are one now. */
static bool join_reconcile(struct node *node, struct slice bytes, uint64_t peer)
{
    struct founding_record theirs;

    if (bytes.size == 0 || wire_founding_decode(bytes, &theirs) != STATUS_OK)
        return bytes.size == 0;
    if (!node->is_founded) {
        node_founding_adopt(node, &theirs);
        return true;
    }
    if (founding_hash(&theirs) == node_founding_hash(node))
        return true;
    if (node_is_counted(node) && node->keys == 0 && store_pending_count(node->pending) == 0 &&
        founding_precedes(&theirs, &node->founding)) {
        node_founding_adopt(node, &theirs); /* an empty cluster of one gives way */
        return true;
    }
    metric_add(&node->metrics, METRIC_INCIDENTS, 1);
    node_trace(node, TRACE_FOUNDING_CONFLICT, peer, 0, 0);
    return false;
}

/* Tells a peer what is remembered of its other lives: the highest boot counter, one more than its
 * own if another opening had that, and the incarnation. Of this very life it is no news: who passed
 * its own number would do so each time it asks. */
static void join_remember(struct node *node, const struct swim_view *view, struct slice record,
                          struct message_joined *joined)
{
    const struct self_record *known = view->record;
    struct self_record asker;
    struct slice signed_part, signature;
    bool is_read = wire_self_decode(record, node->keyring.cluster_id, &asker, &signed_part,
                                    &signature) == STATUS_OK;
    bool is_behind =
        is_read && (asker.actor == view->actor_behind ||
                    (asker.boot_counter == known->boot_counter && asker.actor != known->actor));

    joined->boot_seen = is_behind ? asker.boot_counter + 1 : known->boot_counter;
    joined->incarnation_seen = is_read && asker.epoch == known->epoch ? 0 : view->incarnation;
}

static void join_asked(struct node *node, struct node_link *link, const struct message_join *join)
{
    uint64_t id8 = 0;
    struct frame head = {.flags = FRAME_REPLY};
    struct message joined = {.kind = MESSAGE_JOINED};
    const struct swim_from from = {.id8 = link->peer, .is_stream = true};
    const struct swim_view *view = swim_find(node->swim, link->peer);
    bool is_one;

    if (!node->is_booted) { /* "I am new" would be a guess, and the asker might found on it */
        node_link_close(node, link, STATUS_BUSY);
        return;
    }
    is_one = !node->is_founded || join->founding.size == 0 ||
             join_reconcile(node, join->founding, link->peer);
    if (view)
        join_remember(node, view, join->record, &joined.joined);
    joined.joined.record = swim_own_record(node->swim);
    joined.joined.founding = founding_bytes(node);
    joined.joined.contacts = node_overlay_nearest(node, link->peer);
    if (is_one && (!node_record_received(node, &from, join->record, &id8) || id8 != link->peer))
        return;
    (void)node_send_link(node, link, &head, &joined);
}

static void join_answered(struct node *node, struct node_link *link,
                          const struct message_joined *joined)
{
    uint64_t id8 = 0;
    const struct swim_from from = {.id8 = link->peer, .is_stream = true};
    bool was_join = link->is_join;
    struct node_peer *peer = node_peer(node, link->peer);

    if (!was_join && (!peer || peer->join_at == 0))
        return; /* nobody asked */
    link->is_join = false;
    if (joined->founding.size == 0 && !node->is_founded) {
        node->seeds_new++;
        if (link->peer < node->self)
            node->is_new_smallest = false;
    }
    if (join_reconcile(node, joined->founding, link->peer) &&
        node_record_received(node, &from, joined->record, &id8) && node->is_founded) {
        if (!node->is_joined)
            node_trace(node, TRACE_JOINED, link->peer, 0, 0);
        node->is_joined = true;
        if (joined->boot_seen > node->boot_counter && !node->is_recovering) {
            node->is_recovering = true;
            metric_add(&node->metrics, METRIC_INCIDENTS, 1);
            node_trace(node, TRACE_IDENTITY_BEHIND, joined->boot_seen, node->boot_counter, 0);
        }
        swim_raise(node->swim, node->now, joined->incarnation_seen);
        node_table_send(node, link->peer, false);
        node_overlay_joined(node, joined->contacts);
    }
    if (was_join && node->seeds_open > 0)
        node->seeds_open--;
    join_settle(node);
}

void node_join_message(struct node *node, struct node_link *link, const struct message *message)
{
    if (message->kind == MESSAGE_JOIN)
        join_asked(node, link, &message->join);
    else if (message->kind == MESSAGE_JOINED)
        join_answered(node, link, &message->joined);
}
