/* node_take.c: an owner takes over what a former owner offers. What it holds already, by the sum of
 * the partition, it confirms at once; the rest is pulled in a round of sync and confirmed when
 * every row of it is durable here (node_hand.c draws the messages). Nothing is remembered between
 * offers: the former owner repeats what is not confirmed. */
#include "node_impl.h"
#include "node_parts.h"

static struct node_take *take_find(struct node *node, uint64_t peer)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (node->takes[i].peer == peer)
            return &node->takes[i];
    return NULL;
}

bool node_take_runs(struct node *node, uint64_t peer)
{
    return take_find(node, peer) != NULL;
}

static void take_tell(struct node *node, uint64_t peer, struct slice taken)
{
    struct message message = {.kind = MESSAGE_HAND_TAKEN,
                              .hand_taken = {.layout = place_layout(node->place), .taken = taken}};

    if (taken.size > 0)
        (void)node_send_plain(node, peer, &message);
}

static bool take_is_ours(struct node *node, uint32_t partition)
{
    struct place_owners owners;

    place_owners(node->place, partition, &owners);
    return place_owners_find(&owners, node->self) >= 0;
}

/* Sorts offers into those that are taken and those to be pulled, which are kept in order. */
static void take_sort(struct node *node, struct reader *in, struct writer *taken,
                      struct node_take *take)
{
    while (reader_left(in) > 0 && take->count < HAND_OFFERS_MAX) {
        uint16_t partition = read_u16(in);
        uint32_t token = read_u32(in), count = read_u32(in), rows, at = take->count;
        struct slice sum = read_slice(in, sizeof(struct hash16));
        struct hash16 ours;

        if (in->is_bad || partition >= place_partition_count(node->place) ||
            !take_is_ours(node, partition))
            continue;
        ours = sync_fingerprint(node->sync, partition, &rows);
        if (rows == count && memcmp(ours.bytes, sum.data, sizeof(ours.bytes)) == 0) {
            write_u16(taken, partition);
            write_u32(taken, token);
            continue;
        }
        while (at > 0 && take->partitions[at - 1] > partition) {
            take->partitions[at] = take->partitions[at - 1];
            take->tokens[at] = take->tokens[at - 1];
            at--;
        }
        if (at > 0 && take->partitions[at - 1] == partition)
            return; /* no peer of ours offers a partition twice */
        take->partitions[at] = partition;
        take->tokens[at] = token;
        take->count++;
    }
}

void node_take_offered(struct node *node, uint64_t peer, const struct message_hand_offer *offer)
{
    uint8_t room[HAND_OFFERS_MAX * 6];
    struct writer taken = writer_over(room, sizeof(room));
    struct reader in = reader_over(offer->offers);
    struct node_take *take = take_find(node, 0);
    struct sync_taking taking = {.peer = peer};

    if (!node->sync || !node_is_counted(node) || offer->offers.size % HAND_OFFER_SIZE != 0 ||
        offer->offers.size > HAND_OFFERS_MAX * HAND_OFFER_SIZE)
        return;
    if (offer->layout != place_layout(node->place)) {
        node_table_soon(node, peer);
        return;
    }
    if (!take || take_find(node, peer))
        return; /* it will offer again */
    *take = (struct node_take){.layout = offer->layout};
    take_sort(node, &in, &taken, take);
    take_tell(node, peer, writer_done(&taken));
    if (take->count == 0 || node->is_read_only)
        return;
    taking.layout = take->layout;
    taking.partitions = take->partitions;
    taking.count = take->count;
    take->peer = peer;
    if (sync_take(node->sync, node->now, &taking) != STATUS_OK)
        take->peer = 0;
}

/* Everything the peer held of a partition is durable here. */
void node_take_pulled(struct node *node, const struct sync_output *fact)
{
    struct node_take *take = take_find(node, fact->peer);

    for (uint32_t i = 0; take && i < take->count; i++)
        if (take->partitions[i] == fact->partition && take->layout == fact->layout)
            take->is_done[i] = true;
}

void node_take_done(struct node *node, const struct sync_output *done)
{
    struct node_take *take = take_find(node, done->peer);
    uint8_t room[HAND_OFFERS_MAX * 6];
    struct writer taken = writer_over(room, sizeof(room));
    uint32_t count = 0;

    if (!take)
        return;
    for (uint32_t i = 0; i < take->count; i++) {
        if (!take->is_done[i])
            continue;
        write_u16(&taken, take->partitions[i]);
        write_u32(&taken, take->tokens[i]);
        count++;
    }
    node_trace(node, TRACE_LEFTOVER_TAKEN, done->peer, count, take->count);
    take->peer = 0;
    if (node->phase == NODE_OPEN && take->layout == place_layout(node->place))
        take_tell(node, done->peer, writer_done(&taken));
}
