/* sync.c: do our copies match, and what is missing?
 *
 * Dynamo (DeCandia et al. 2007, section 4.7) keeps a tree of hashes per key range and descends
 * where hashes differ. Here only the partitions have something that is kept up, one sum of row
 * fingerprints each, so that a commit costs one addition and no path of hashes. Everything else of
 * the tree is computed when it is asked for:
 *
 *   root            all partitions two peers share          one keyed hash, 12 bytes
 *   depth 1, 2      ranges of partitions, 32 x 64 nodes     sums of sums        (sync_tree.c)
 *   depth 3         2^14 partitions, 8 below each node      the sums kept up    (sync_trie.c)
 *   sub-ranges      about 8 rows each, by key hash          from a listing      (sync_split.c)
 *   rows            8 bytes of fingerprint                  from a listing      (sync_leaf.c)
 *
 * Above the partitions that is possible because sums add up: a node is a pass over the sums below
 * it, 16,384 additions for all of a level. Below them a listing of one partition is short, and only
 * differing partitions are listed. So memory stays 20 bytes a partition, whatever is stored.
 *
 * The two sides take turns in descending, each message one level deeper, and the rows lacking come
 * as the answer to what is held: one difference is found and mended in 7 messages, where a
 * question and an answer for each level would take 11.
 *
 * Every door function changes state first and then lets sync_run do what is due, one output at a
 * time. Whatever the node calls while it is handed an output changes state only; the loop that is
 * under way sees it. */
#include "sync.h"

#include <stdlib.h>

#include "ensure.h"
#include "sync_private.h"

struct sync *sync_new(const struct sync_config *config)
{
    struct sync *sync = calloc(1, sizeof(*sync));

    ensure(config->emit && config->is_shared);
    ensure(config->partitions > 0 && config->partitions <= 1u << PARTITION_BITS_MAX);
    ensure(config->rounds_max <= SYNC_ROUNDS_MAX);
    if (!sync)
        return NULL;
    sync->config = *config;
    sync->rate = UINT64_MAX;
    sync->used = config->partitions;
    sync->bits_size = 1;
    while (sync->bits_size * 8 < config->partitions)
        sync->bits_size *= 2;
    sync->sums = calloc(config->partitions, sizeof(*sync->sums));
    sync->stables = calloc(config->partitions, sizeof(*sync->stables));
    sync->bits = calloc(SYNC_ROUNDS_MAX * SYNC_TREE_SETS + 2, sync_bits_size(sync));
    sync->serves = calloc(config->serves_max + 1u, sizeof(*sync->serves));
    buffer_init(&sync->scratch, SYNC_NODES_SIZE_MAX + 1);
    if (!sync->sums || !sync->stables || !sync->bits || !sync->serves) {
        sync_delete(sync);
        return NULL;
    }
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++) {
        struct sync_round *round = &sync->rounds[i];

        round->shared = sync->bits + (i * SYNC_TREE_SETS + 0) * sync_bits_size(sync);
        round->differs = sync->bits + (i * SYNC_TREE_SETS + 1) * sync_bits_size(sync);
        round->done = sync->bits + (i * SYNC_TREE_SETS + 2) * sync_bits_size(sync);
        for (unsigned k = 0; k < SYNC_LANES; k++)
            buffer_init(&round->lanes[k].page, SYNC_PAGE_SIZE_MAX);
    }
    sync->shared = sync->bits + SYNC_ROUNDS_MAX * SYNC_TREE_SETS * sync_bits_size(sync);
    sync->named = sync->shared + sync_bits_size(sync);
    for (uint32_t i = 0; i < config->serves_max; i++) {
        for (unsigned k = 0; k < SYNC_LANES; k++) {
            buffer_init(&sync->serves[i].leaves[k].asked, SCAN_ROWS_MAX * SYNC_HASH_SIZE);
            buffer_init(&sync->serves[i].leaves[k].keys, SYNC_PAGE_SIZE_MAX);
        }
    }
    return sync;
}

void sync_delete(struct sync *sync)
{
    if (!sync)
        return;
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        for (unsigned k = 0; k < SYNC_LANES; k++)
            buffer_close(&sync->rounds[i].lanes[k].page);
    for (uint32_t i = 0; sync->serves && i < sync->config.serves_max; i++) {
        for (unsigned k = 0; k < SYNC_LANES; k++) {
            buffer_close(&sync->serves[i].leaves[k].asked);
            buffer_close(&sync->serves[i].leaves[k].keys);
        }
    }
    buffer_close(&sync->scratch);
    free(sync->serves);
    free(sync->bits);
    free(sync->stables);
    free(sync->sums);
    free(sync);
}

void sync_emit(struct sync *sync, const struct sync_output *output)
{
    ensure(!sync->is_emitting);
    sync->is_emitting = true;
    sync->config.emit(sync->config.context, output);
    sync->is_emitting = false;
}

void sync_send(struct sync *sync, uint64_t peer, const struct message *message)
{
    struct sync_output send = {.kind = SYNC_SEND, .peer = peer, .message = message};

    sync_emit(sync, &send);
}

uint32_t sync_token_next(struct sync *sync)
{
    if (++sync->token == 0)
        sync->token = 1;
    return sync->token;
}

uint32_t sync_shared(const struct sync *sync, uint64_t peer, uint8_t *shared)
{
    uint32_t count = 0;

    memset(shared, 0, sync_bits_size(sync));
    for (uint32_t p = 0; p < sync->used; p++) {
        if (!sync->config.is_shared(sync->config.context, peer, (uint16_t)p))
            continue;
        sync_bit_set(shared, p);
        count++;
    }
    return count;
}

/* --- what is due */

static bool sync_step(struct sync *sync)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync_round_step(sync, &sync->rounds[i]))
            return true;
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        if (sync_serve_step(sync, &sync->serves[i]))
            return true;
    return false;
}

bool sync_is_pulling(const struct sync *sync)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync->rounds[i].state != ROUND_FREE && !sync->rounds[i].is_taking)
            return true;
    return false;
}

void sync_rate(struct sync *sync, uint64_t rate, uint64_t gap_us)
{
    sync->rate = rate;
    sync->gap_us = gap_us;
}

static void sync_run(struct sync *sync)
{
    if (sync->is_emitting || sync->is_running)
        return;
    sync->is_running = true;
    while (sync_step(sync))
        continue;
    sync->is_running = false;
}

/* --- fingerprints */

void sync_use(struct sync *sync, uint32_t partitions)
{
    ensure(partitions <= sync->config.partitions);
    sync->used = partitions;
}

void sync_change(struct sync *sync, uint32_t partition, const struct hash16 *before,
                 const struct hash16 *after)
{
    ensure(partition < sync->config.partitions);
    sync_sum_change(&sync->sums[partition], before, after);
}

void sync_count_begin(struct sync *sync)
{
    sync->count = (struct sync_sum){.count = 0};
}

void sync_count_change(struct sync *sync, const struct hash16 *before, const struct hash16 *after)
{
    sync_sum_change(&sync->count, before, after);
}

void sync_count_end(struct sync *sync, uint32_t partition)
{
    ensure(partition < sync->config.partitions);
    sync->sums[partition] = sync->count;
    sync_stable_print_add(sync, partition); /* the number counts in the comparison */
}

void sync_sum_put(struct sync *sync, uint32_t partition, const struct hash16 *sum, uint32_t rows)
{
    sync->count = (struct sync_sum){.count = rows, .sum = *sum};
    sync_count_end(sync, partition);
}

void sync_reset(struct sync *sync)
{
    memset(sync->sums, 0, sync->config.partitions * sizeof(*sync->sums));
    for (uint32_t p = 0; p < sync->config.partitions; p++) {
        if (sync->stables[p].dead > 0) /* memory that was never used stays so */
            sync->stables[p].dead = 0;
        sync_stable_print_add(sync, p); /* numbers outlive the rows */
    }
    sync->dead = 0;
    memset(sync->merges, 0, sizeof(sync->merges));
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        sync_serve_end(&sync->serves[i]);
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        sync_round_end(&sync->rounds[i], STATUS_CLOSED, true);
    sync_run(sync);
}

struct hash16 sync_fingerprint(const struct sync *sync, uint32_t partition, uint32_t *count)
{
    struct sync_sum rows = sync->sums[partition];

    ensure(partition < sync->config.partitions);
    sync_stable_print_take(sync, partition, &rows);
    *count = rows.count;
    return rows.sum;
}

/* --- rounds */

static struct sync_round *sync_round_of(struct sync *sync, uint64_t peer)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync->rounds[i].state != ROUND_FREE && sync->rounds[i].peer == peer)
            return &sync->rounds[i];
    return NULL;
}

/* A round in its first state; `shared` is for the caller to fill. */
static enum status sync_begin(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                              struct sync_round **begun)
{
    struct sync_round *round = NULL;

    if (sync_round_of(sync, peer))
        return STATUS_BUSY;
    for (unsigned i = 0; i < sync->config.rounds_max && !round; i++)
        if (sync->rounds[i].state == ROUND_FREE)
            round = &sync->rounds[i];
    if (!round)
        return STATUS_FULL;
    round->state = ROUND_START;
    round->peer = peer;
    round->layout = layout;
    round->number = ++sync->number;
    round->status = STATUS_OK;
    round->is_mute = round->is_taking = false;
    round->differed = round->rows = round->failed = round->pulled = 0;
    round->next = 0;
    memset(round->done, 0, sync_bits_size(sync));
    sync_round_progress(sync, round, now);
    *begun = round;
    return STATUS_OK;
}

enum status sync_pull(struct sync *sync, instant now, uint64_t peer, uint64_t layout)
{
    struct sync_round *round;
    enum status status = sync_begin(sync, now, peer, layout, &round);

    sync->now = now;
    if (status != STATUS_OK)
        return status;
    round->compared = sync_shared(sync, peer, round->shared);
    memcpy(round->differs, round->shared, sync_bits_size(sync));
    sync_run(sync);
    return STATUS_OK;
}

enum status sync_take(struct sync *sync, instant now, const struct sync_taking *taking)
{
    struct sync_round *round;
    enum status status = sync_begin(sync, now, taking->peer, taking->layout, &round);

    sync->now = now;
    if (status != STATUS_OK)
        return status;
    round->is_taking = true;
    memset(round->shared, 0, sync_bits_size(sync));
    for (uint32_t i = 0; i < taking->count; i++) {
        ensure(taking->partitions[i] < sync->config.partitions);
        sync_bit_set(round->shared, taking->partitions[i]);
    }
    memcpy(round->differs, round->shared, sync_bits_size(sync));
    round->compared = round->differed = taking->count;
    sync_run(sync);
    return STATUS_OK;
}

/* A message for one of our rounds. */
static void sync_answered(struct sync *sync, instant now, struct sync_round *round,
                          const struct message *message)
{
    bool is_progress = false;

    if (message->kind == MESSAGE_AE_DIFF && message->ae_diff.round == round->number) {
        enum sync_round_state before = round->state;

        sync_round_diff(sync, round, &message->ae_diff);
        is_progress = round->state != before;
    } else if (round->state != ROUND_PULLING) {
        return;
    } else if (message->kind == MESSAGE_AE_LEAF && message->ae_leaf.round == round->number) {
        is_progress = sync_lane_leaf(sync, round, &message->ae_leaf);
    } else if (message->kind == MESSAGE_AE_ITEMS && message->ae_items.round == round->number) {
        is_progress = sync_lane_items(sync, round, &message->ae_items);
    }
    if (is_progress)
        sync_round_progress(sync, round, now);
}

void sync_receive(struct sync *sync, instant now, uint64_t peer, uint64_t layout,
                  const struct message *message)
{
    struct sync_round *round = sync_round_of(sync, peer);

    ensure(!sync->is_emitting);
    sync->now = now;
    if (round && round->layout != layout)
        sync_round_end(round, STATUS_LAYOUT, false);
    switch ((unsigned)message->kind) {
    case MESSAGE_AE_ROOT:
    case MESSAGE_AE_NODES:
    case MESSAGE_AE_LEAF_GET:
    case MESSAGE_AE_FETCH:
    case MESSAGE_AE_DONE:
        sync_serve_receive(sync, now, peer, layout, message);
        break;
    case MESSAGE_AE_DIFF:
    case MESSAGE_AE_LEAF:
    case MESSAGE_AE_ITEMS:
        if (round)
            sync_answered(sync, now, round, message);
        break;
    default:
        break; /* not ours */
    }
    sync_run(sync);
}

/* --- the store's answers */

static struct sync_leaf *sync_leaf_of(struct sync *sync, uint32_t token)
{
    for (uint32_t i = 0; i < sync->config.serves_max; i++) {
        for (unsigned k = 0; k < SYNC_LANES; k++) {
            struct sync_leaf *leaf = &sync->serves[i].leaves[k];

            if (leaf->state == LEAF_LISTING && leaf->token == token)
                return leaf;
        }
    }
    return NULL;
}

static struct sync_lane *sync_lane_of(struct sync *sync, uint32_t token, struct sync_round **round)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++) {
        for (unsigned k = 0; k < SYNC_LANES; k++) {
            struct sync_lane *lane = &sync->rounds[i].lanes[k];

            if (sync->rounds[i].state != ROUND_PULLING || lane->token != token ||
                (lane->state != LANE_OWN && lane->state != LANE_MERGE))
                continue;
            *round = &sync->rounds[i];
            return lane;
        }
    }
    return NULL;
}

void sync_listed(struct sync *sync, instant now, uint32_t token, const struct sync_page *page)
{
    struct sync_leaf *leaf = sync_leaf_of(sync, token);
    struct sync_round *round;
    struct sync_lane *lane = leaf ? NULL : sync_lane_of(sync, token, &round);

    sync->now = now;
    if (leaf)
        sync_leaf_listed(leaf, page);
    else if (lane && page->status != STATUS_OK)
        sync_lane_fail(sync, round, lane, page->status);
    else if (lane && sync_lane_listed(sync, round, lane, page))
        sync_round_progress(sync, round, now);
    sync_run(sync);
}

void sync_merged(struct sync *sync, instant now, uint32_t token, enum status status)
{
    struct sync_round *round;
    struct sync_lane *lane = sync_lane_of(sync, token, &round);

    sync->now = now;
    for (unsigned i = 0; i < SYNC_MERGES_MAX; i++)
        if (sync->merges[i] == token)
            sync->merges[i] = 0;
    if (lane) {
        sync_lane_merged(sync, round, lane, status);
        sync_round_progress(sync, round, now);
    }
    sync_run(sync);
}

/* --- ends */

void sync_relayout(struct sync *sync, uint64_t layout)
{
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync->rounds[i].state != ROUND_FREE && sync->rounds[i].layout != layout)
            sync_round_end(&sync->rounds[i], STATUS_LAYOUT, false);
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        if (sync->serves[i].is_active && sync->serves[i].layout != layout)
            sync_serve_end(&sync->serves[i]);
    sync_run(sync);
}

void sync_peer_lost(struct sync *sync, uint64_t peer)
{
    struct sync_round *round = sync_round_of(sync, peer);

    if (round) {
        sync_round_end(round, STATUS_UNREACHABLE, true);
        round->is_mute = true; /* also when it was about to say good-bye */
    }
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        if (sync->serves[i].is_active && sync->serves[i].peer == peer)
            sync_serve_end(&sync->serves[i]);
    sync_run(sync);
}

void sync_expire(struct sync *sync, instant now)
{
    sync->now = now;
    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync->rounds[i].state != ROUND_FREE && instant_is_due(sync->rounds[i].deadline, now))
            sync_round_end(&sync->rounds[i], STATUS_DEADLINE, false);
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        if (sync->serves[i].is_active && instant_is_due(sync->serves[i].deadline, now))
            sync_serve_end(&sync->serves[i]);
    sync_run(sync);
}

instant sync_deadline(const struct sync *sync)
{
    instant due = INSTANT_NEVER;
    bool is_pulling = false;

    for (unsigned i = 0; i < SYNC_ROUNDS_MAX; i++)
        if (sync->rounds[i].state != ROUND_FREE) {
            due = instant_min(due, sync->rounds[i].deadline);
            is_pulling |= sync->rounds[i].state == ROUND_PULLING;
        }
    if (is_pulling && sync->rate > 0 && sync->paid_until > sync->now)
        due = instant_min(due, sync->paid_until);
    for (uint32_t i = 0; i < sync->config.serves_max; i++)
        if (sync->serves[i].is_active)
            due = instant_min(due, sync->serves[i].deadline);
    return due;
}
