/* node_hand.c: rows of partitions we do not own (any more). They are offered to the owners of the
 * present layout, and deleted when every one of them has told that it holds all of them durably.
 *
 *   former owner F                                   each owner O of the partition
 *     |--- HAND_OFFER layout, token, rows, sum ------------>|
 *     |                                                     |  sums equal: taken at once
 *     |<-- AE_ROOT (empty), AE_LEAF_GET .. AE_ITEMS ------->|  else a round pulls it (node_take.c)
 *     |<-- HAND_TAKEN layout, token ------------------------|
 *     |    all owners told so: delete (node_drop.c)
 *
 * A token names one content under one layout: when a row of the partition or the layout changes,
 * the offer is made anew and what was told before counts no more. So nothing is dropped on an
 * assumption, and a crash anywhere only means to begin again: what is held is found by the scan of
 * the next start. Needed not only for room: where two sides of a cut moved the same partition, a
 * former owner may hold the only copy (decision 0011). */
#include "node_impl.h"
#include "node_parts.h"

#define HAND_TICK_US INSTANT_MS(200)
#define HAND_LOOK_US INSTANT_S(60) /* a late merge may leave a row where nothing was left */
#define HAND_AGAIN_US INSTANT_S(1) /* what is not confirmed is offered again */
#define HAND_REST_US INSTANT_S(2)  /* others hear of a change at the same time */

static bool hand_is_stuck(const struct node_hands *hands, uint32_t partition)
{
    return hands->stuck[partition / 8] >> (partition % 8) & 1;
}

/* Tells whether we hold rows of a partition that others own. */
bool node_hand_is_left(struct node *node, uint32_t partition)
{
    struct place_owners owners;
    uint32_t rows;

    (void)sync_fingerprint(node->sync, partition, &rows);
    if (rows == 0 || hand_is_stuck(&node->hands, partition))
        return false;
    place_owners(node->place, partition, &owners);
    return owners.base_count > 0 && place_owners_find(&owners, node->self) < 0;
}

static struct node_hand *hand_find(struct node_hands *hands, uint32_t partition)
{
    for (unsigned i = 0; i < HAND_OFFERS_MAX; i++)
        if (hands->items[i].is_active && hands->items[i].partition == partition)
            return &hands->items[i];
    return NULL;
}

/* Offers what is there now: nobody has confirmed that. */
static void hand_renew(struct node *node, struct node_hand *hand)
{
    struct node_hands *hands = &node->hands;

    if (++hands->token == 0)
        hands->token = 1;
    hand->token = hands->token;
    hand->confirmed = 0;
    hand->sum = sync_fingerprint(node->sync, hand->partition, &hand->count);
    if (hand->count == 0)
        hand->is_active = false;
    hands->is_new = true;
    if (hands->drop == hand)
        hands->drop = NULL;
}

/* Tells whether the partition still is what was offered. */
bool node_hand_is_same(const struct node *node, const struct node_hand *hand)
{
    uint32_t rows;
    struct hash16 sum = sync_fingerprint(node->sync, hand->partition, &rows);

    return rows == hand->count && memcmp(&sum, &hand->sum, sizeof(sum)) == 0;
}

void node_hand_changed(struct node *node, struct node_hand *hand)
{
    node_trace(node, TRACE_LEFTOVER_CHANGED, hand->partition, 0, 0);
    hand_renew(node, hand);
}

/* A row of the partition cannot be read: what is left of it stays on the disk, not offered and not
 * dropped, until a start does not count it any more. */
void node_hand_stick(struct node *node, struct node_hand *hand)
{
    node->hands.stuck[hand->partition / 8] |= (uint8_t)(1u << (hand->partition % 8));
    node->hands.drop = NULL;
    hand->is_active = false;
}

/* The layout changed, or the store was opened: everything is offered anew, a moment later. */
static void hand_begin(struct node *node)
{
    struct node_hands *hands = &node->hands;
    uint32_t rest = node->config.handoff_rest_ms;

    memset(hands->items, 0, sizeof(hands->items));
    hands->drop = NULL;
    hands->layout = place_layout(node->place);
    hands->rest_until = node->now + (rest ? INSTANT_MS(rest) : HAND_REST_US);
    hands->next = 0;
    hands->is_clean = false;
}

void node_hand_reset(struct node *node)
{
    memset(node->hands.stuck, 0, sizeof(node->hands.stuck));
    hand_begin(node);
}

/* Looks for more, once there is room for many. A joiner keeps what it has pulled and waits. */
static void hand_fill(struct node *node)
{
    struct node_hands *hands = &node->hands;
    uint32_t partitions = place_partition_count(node->place), used = 0, at = 0;

    for (unsigned i = 0; i < HAND_OFFERS_MAX; i++)
        used += hands->items[i].is_active;
    if (hands->is_clean || used > HAND_OFFERS_MAX / 2)
        return;
    for (uint32_t seen = 0; seen < partitions && used < HAND_OFFERS_MAX; seen++) {
        uint32_t partition = hands->next;

        hands->next = (partition + 1) % partitions;
        if (!node_hand_is_left(node, partition) || hand_find(hands, partition))
            continue;
        while (hands->items[at].is_active)
            at++;
        hands->items[at] = (struct node_hand){.is_active = true, .partition = (uint16_t)partition};
        hand_renew(node, &hands->items[at]);
        node_trace(node, TRACE_LEFTOVER_OFFERED, hands->items[at].count, partition, 0);
        used++;
    }
    hands->is_clean = used == 0;
}

/* --- offering */

static void hand_offer_to(struct node *node, uint64_t peer)
{
    uint8_t room[HAND_OFFERS_MAX * HAND_OFFER_SIZE];
    struct writer out = writer_over(room, sizeof(room));
    struct message offer = {.kind = MESSAGE_HAND_OFFER,
                            .hand_offer = {.layout = node->hands.layout}};

    for (unsigned i = 0; i < HAND_OFFERS_MAX; i++) {
        const struct node_hand *hand = &node->hands.items[i];
        struct place_owners owners;
        int owner;

        if (!hand->is_active)
            continue;
        place_owners(node->place, hand->partition, &owners);
        owner = place_owners_find(&owners, peer);
        if (owner < 0 || hand->confirmed >> owner & 1)
            continue;
        write_u16(&out, hand->partition);
        write_u32(&out, hand->token);
        write_u32(&out, hand->count);
        write_bytes(&out, hand->sum.bytes, sizeof(hand->sum.bytes));
    }
    offer.hand_offer.offers = writer_done(&out);
    if (offer.hand_offer.offers.size > 0)
        (void)node_send_plain(node, peer, &offer);
}

static void hand_offer(struct node *node)
{
    struct node_hands *hands = &node->hands;

    if (!hands->is_new && node->now < hands->offer_at)
        return;
    hands->is_new = false;
    hands->offer_at = node->now + HAND_AGAIN_US;
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        uint64_t id8 = id_front(&place_at(node->place, i)->id);

        if (id8 != node->self && node_peer_is_reachable(node, id8))
            hand_offer_to(node, id8);
    }
}

/* Tells whether a peer may pull a partition from us that neither of us shares. */
bool node_hand_offers(void *context, uint64_t peer, uint16_t partition)
{
    struct node *node = context;
    const struct node_hand *hand = hand_find(&node->hands, partition);
    struct place_owners owners;

    if (!hand || node->hands.drop == hand || node->hands.layout != place_layout(node->place))
        return false;
    place_owners(node->place, partition, &owners);
    return place_owners_find(&owners, peer) >= 0;
}

/* Tells whether every owner has confirmed what is there now. */
bool node_hand_is_confirmed(struct node *node, const struct node_hand *hand)
{
    struct place_owners owners;

    place_owners(node->place, hand->partition, &owners);
    return hand->is_active && owners.base_count > 0 && place_owners_find(&owners, node->self) < 0 &&
           hand->confirmed == (1u << owners.count) - 1u && node_hand_is_same(node, hand);
}

void node_hand_taken(struct node *node, uint64_t peer, const struct message_hand_taken *taken)
{
    struct reader in = reader_over(taken->taken);

    if (!node->sync || !node_is_counted(node) || taken->layout != place_layout(node->place) ||
        taken->layout != node->hands.layout || taken->taken.size % 6 != 0)
        return;
    while (reader_left(&in) > 0) {
        struct node_hand *hand = hand_find(&node->hands, read_u16(&in));
        uint32_t token = read_u32(&in);
        struct place_owners owners;
        int owner;

        if (!hand || hand->token != token)
            continue;
        place_owners(node->place, hand->partition, &owners);
        owner = place_owners_find(&owners, peer);
        if (owner >= 0 && node_hand_is_same(node, hand))
            hand->confirmed |= (uint16_t)(1u << owner);
    }
    heap_set(&node->timers, &node->hand_timer.in_timers, node->now);
}

/* --- the whole of it */

static bool hand_has_rows(struct node *node)
{
    uint32_t rows = 0;

    for (uint32_t p = 0; p < place_partition_count(node->place) && rows == 0; p++)
        if (!hand_is_stuck(&node->hands, p))
            (void)sync_fingerprint(node->sync, p, &rows);
    return rows > 0;
}

/* Tells whether a peer that is OUT has to wait: its rows are of another time, they go to their
 * owners before it asks for a share. Where nobody owns anything there is nobody to wait for. */
bool node_hand_holds_back(struct node *node)
{
    struct place_owners owners;

    place_owners(node->place, 0, &owners);
    node->hands.is_join_due =
        !node_is_counted(node) || (owners.base_count > 0 && hand_has_rows(node));
    if (node->hands.is_join_due && node->hand_timer.in_timers.place == 0)
        heap_set(&node->timers, &node->hand_timer.in_timers, node->now + HAND_TICK_US);
    return node->hands.is_join_due;
}

/* Tells whether nothing is left under the present layout. */
bool node_hand_is_clean(struct node *node)
{
    return node->hands.is_clean && node->hands.layout == place_layout(node->place);
}

void node_hand_tick(struct node *node)
{
    struct node_hands *hands = &node->hands;
    unsigned state = node_place_state(node);

    if (!node->sync || !node_is_counted(node) || node->is_leaving)
        return;
    if (hands->layout != place_layout(node->place))
        hand_begin(node);
    else if (node->now >= hands->offer_at + HAND_LOOK_US)
        hands->is_clean = false;
    if (state != PLACE_JOINING)
        hand_fill(node);
    for (unsigned i = 0; i < HAND_OFFERS_MAX; i++)
        if (hands->items[i].is_active && hands->drop_open == 0 &&
            !node_hand_is_same(node, &hands->items[i]))
            node_hand_changed(node, &hands->items[i]);
    if (node->now >= hands->rest_until && !hands->is_clean && state != PLACE_JOINING) {
        hand_offer(node);
        node_drop_step(node);
    }
    if (hands->is_join_due && (state == PLACE_OUT || state == 0)) {
        hands->is_join_due = false;
        node_place_start(node);
    }
    if (node->hand_timer.in_timers.place == 0)
        heap_set(&node->timers, &node->hand_timer.in_timers,
                 node->now +
                     (hands->is_clean && !hands->is_join_due ? HAND_LOOK_US : HAND_TICK_US));
}
