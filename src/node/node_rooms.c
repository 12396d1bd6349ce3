/* node_rooms.c: putting a node together and taking it apart. Everything a node ever needs is
 * allocated here, from the capacities in its configuration. */
#include "gc/node_gc.h"
#include "hint/node_hint.h"
#include "node_parts.h"

#define SERIAL_SHIFT 24 /* 40 bits drawn leave 500 years at 65,000 requests a second */
#define PLACE_SLACK 256 /* records of peers that are OUT, beside those in the view */

/* Makes our signed self record for swim. */
static size_t rooms_sign(void *context, uint64_t incarnation, uint16_t flags, uint8_t *into,
                         struct self_record *record)
{
    struct node *node = context;
    struct writer out = writer_over(into, SELF_RECORD_SIZE_MAX);

    *record = (struct self_record){.incarnation = incarnation,
                                   .boot_counter = node->boot_counter,
                                   .actor = node->actor,
                                   .epoch = node->epoch,
                                   .flags = flags,
                                   .protocol_min = 1,
                                   .protocol_max = 1,
                                   .address_count = node->config.address_count,
                                   .http_port = node->config.http_port,
                                   .name = node->config.name,
                                   .host = node->config.host,
                                   .zone = node->config.zone};
    memcpy(record->public_key, node->config.identity->public_key, PUBLIC_KEY_SIZE);
    memcpy(record->addresses, node->config.addresses, sizeof(record->addresses));
    if (wire_self_encode(record, node->keyring.cluster_id, &out) != STATUS_OK)
        ensure_unreachable(); /* the configuration was checked */
    seal_record_sign(node->config.identity, writer_done(&out), into + out.size);
    return out.size + SIGNATURE_SIZE;
}

static uint64_t rooms_random(struct node *node)
{
    uint64_t value;

    node->ports.entropy.fill(node->ports.entropy.context, &value, sizeof(value));
    return value;
}

/* Tables and pools. */
static bool rooms_pools(struct node *node)
{
    const struct node_config *config = &node->config;
    uint32_t peers = config->members_max * 2, tasks = config->operations_max * 2;
    uint8_t seed[HASH_SEED_SIZE];

    node->ports.entropy.fill(node->ports.entropy.context, seed, sizeof(seed));
    map_init(&node->link_by_id, config->links_max, seed);
    map_init(&node->read_by_key, tasks, seed);
    map_init(&node->peer_by_id, peers, seed);
    node->pending = store_pending_new(tasks + GC_ROUNDS_MAX * GC_CHUNK_ROWS, seed);
    map_init(&node->mend.by_key, NODE_BAD_MAX, seed);
    list_init(&node->mend.rows);
    node->recent = store_recent_new(config->recent_rows, seed);
    return node->pending && node->recent &&
           pool_init(&node->links, sizeof(struct node_link), config->links_max) == STATUS_OK &&
           pool_init(&node->tasks, sizeof(struct node_task), tasks) == STATUS_OK &&
           pool_init(&node->writes, sizeof(struct node_write), tasks) == STATUS_OK &&
           pool_init(&node->reads, sizeof(struct node_read), tasks) == STATUS_OK &&
           pool_init(&node->mend.pool, sizeof(struct node_bad), NODE_BAD_MAX) == STATUS_OK &&
           pool_init(&node->peers, sizeof(struct node_peer), peers) == STATUS_OK &&
           heap_init(&node->timers, tasks + config->links_max + 16) == STATUS_OK;
}

/* The rooms that exist before the cluster is known. */
static bool rooms_protocol(struct node *node)
{
    const struct node_config *config = &node->config;
    struct seal_config seal = {.identity = config->identity,
                               .keyring = &node->keyring,
                               .epoch = node->epoch,
                               .peers_max = config->members_max * 2,
                               .entropy = node->ports.entropy};
    struct swim_config swim = {.self = config->identity->id,
                               .profile = config->profile,
                               .members_max = config->members_max,
                               .prng_seed = rooms_random(node),
                               .cell_depth = config->cell_depth,
                               .emit = node_swim_emit,
                               .sign = rooms_sign,
                               .context = node};
    struct kad_config kad = {.self = config->identity->id,
                             .seed = rooms_random(node),
                             .cell_depth = config->cell_depth,
                             .emit = node_kad_emit,
                             .context = node};
    struct quorum_config quorum = {
        .operations_max = config->operations_max, .emit = node_quorum_emit, .context = node};

    node->seal = seal_new(&seal);
    node->swim = swim_new(&swim);
    node->kad = kad_new(&kad);
    node->quorum = quorum_new(&quorum);
    node->balance = balance_new(config->members_max);
    return node->seal && node->swim && node->kad && node->quorum && node->balance;
}

struct place_config node_place_config(const struct node *node)
{
    struct place_config config = {.cache = node->config.tables,
                                  .self8 = node->self,
                                  .peers_max = node->config.members_max + PLACE_SLACK,
                                  .partition_bits = node->founding.partition_bits,
                                  .cell_depth = node->founding.cell_depth,
                                  .replicas = node->founding.replicas};

    memcpy(config.seed, node->founding.hash_seed, HASH_SEED_SIZE);
    return config;
}

/* The rooms that need the founding record: placement and comparison. False: no memory. */
bool node_rooms_found(struct node *node)
{
    struct place_config place = node_place_config(node);
    struct sync_config sync = {.rounds_max = 4,
                               .serves_max = 8,
                               .round_timeout_us = INSTANT_S(10),
                               .emit = node_sync_emit,
                               .is_shared = node_sync_shares,
                               .is_offered = node_hand_offers,
                               .context = node};

    memcpy(sync.seed, node->founding.hash_seed, HASH_SEED_SIZE);
    node_mend_reset(node);
    node_recount_reset(node);
    place_delete(node->place);
    place_spaces_delete(node->spaces);
    sync_delete(node->sync);
    node_gc_delete(node);
    node_hints_delete(node);
    free(node->pulled);
    free(node->given);
    node->place = place_new(&place);
    node->spaces = place_spaces_new(node->founding.hash_seed);
    if (!node->place)
        return false;
    sync.partitions = place_partition_max(node->place);
    node->sync = sync_new(&sync);
    node->pulled = calloc(sync.partitions, sizeof(*node->pulled));
    node->given = calloc(sync.partitions, sizeof(*node->given));
    node->marks_layout = 0;
    if (!node->spaces || !node->sync || !node->pulled || !node->given || !node_gc_new(node) ||
        !node_hints_new(node))
        return false;
    sync_use(node->sync, place_partition_count(node->place));
    node->stray.version = 0;
    return true;
}

static bool rooms_config_is_sound(const struct node_config *config)
{
    return config->identity && config->keyring && config->tables && config->address_count >= 1 &&
           config->address_count <= SELF_ADDRESSES_MAX && config->members_max >= 2 &&
           config->operations_max >= 1 && config->links_max >= 2 && config->recent_rows >= 1 &&
           (config->recent_rows & (config->recent_rows - 1)) == 0 && config->replicas >= 1 &&
           config->replicas <= REPLICAS_MAX && config->partition_bits >= 1 &&
           config->partition_bits <= PARTITION_BITS_MAX && config->seeds;
}

enum status node_new(struct node **made, const struct node_config *config,
                     const struct node_ports *ports)
{
    struct node *node;

    *made = NULL;
    if (!rooms_config_is_sound(config))
        return STATUS_BAD;
    node = calloc(1, sizeof(*node));
    if (!node)
        return STATUS_MEMORY;
    node->config = *config;
    node->ports = *ports;
    node->keyring = *config->keyring;
    node->key_state.saved_stamp = node->keyring.stamp;
    node->key_state.saved_by = node->keyring.by;
    node->self = id_front(&config->identity->id);
    node->epoch = rooms_random(node);
    node->serial = node->epoch >> SERIAL_SHIFT;
    prng_init(&node->prng, rooms_random(node));
    node->seeds_text = calloc(1, strlen(config->seeds) + 1);
    list_init(&node->peer_list);
    list_init(&node->facts);
    list_init(&node->packed);
    node->join_timer.kind = TIMER_JOIN;
    node->persist_timer.kind = TIMER_PERSIST;
    node->sync_timer.kind = TIMER_SYNC;
    node->move_timer.kind = TIMER_MOVE;
    node->hand_timer.kind = TIMER_HAND;
    node->forget_timer.kind = TIMER_FORGET;
    node->scrub.timer.kind = TIMER_SCRUB;
    node->mend.timer.kind = TIMER_MEND;
    node->recount.timer.kind = TIMER_COUNT;
    node->stray.timer.kind = TIMER_STRAY;
    if (!node->seeds_text || !rooms_pools(node) || !rooms_protocol(node)) {
        node_delete(node);
        return STATUS_MEMORY;
    }
    memcpy(node->seeds_text, config->seeds, strlen(config->seeds));
    *made = node;
    return STATUS_OK;
}

/* What open tickets still hold. */
static void rooms_release(struct node *node)
{
    for (uint32_t i = 0; i < node->links.capacity; i++) {
        struct node_link *link = pool_at(&node->links, i);

        if (link->state != LINK_FREE) {
            seal_stream_delete(link->stream);
            buffer_close(&link->part);
            buffer_close(&link->queue);
            buffer_close(&link->packed);
        }
    }
    for (uint32_t i = 0; i < node->tasks.capacity; i++) {
        struct node_task *task = pool_at(&node->tasks, i);
        struct node_write *write = pool_at(&node->writes, i);
        struct node_read *read = pool_at(&node->reads, i);

        if (task->id != 0) {
            blob_drop(&task->memory);
            blob_drop(&task->object);
            blob_drop(&task->done);
        }
        blob_drop(&write->row_key);
        blob_drop(&write->record);
        blob_drop(&read->row_key);
        blob_drop(&read->until);
        buffer_close(&read->rows);
    }
    for (unsigned i = 0; i < NODE_BATCHES_MAX; i++)
        buffer_close(&node->batches[i].items);
    for (unsigned i = 0; i < NODE_GROUPS_MAX; i++)
        node_group_free(&node->groups[i]);
    node_mend_reset(node);
    node_recount_reset(node);
    blob_drop(&node->scrub.next);
}

void node_delete(struct node *node)
{
    if (!node)
        return;
    if (node->timers.nodes)
        rooms_release(node);
    node_gc_delete(node);
    node_hints_delete(node);
    swim_delete(node->swim);
    kad_delete(node->kad);
    quorum_delete(node->quorum);
    balance_delete(node->balance);
    place_delete(node->place);
    place_spaces_delete(node->spaces);
    sync_delete(node->sync);
    seal_delete(node->seal);
    store_pending_delete(node->pending);
    store_recent_delete(node->recent);
    map_close(&node->link_by_id);
    map_close(&node->read_by_key);
    map_close(&node->peer_by_id);
    map_close(&node->mend.by_key);
    pool_close(&node->mend.pool);
    pool_close(&node->links);
    pool_close(&node->tasks);
    pool_close(&node->writes);
    pool_close(&node->reads);
    pool_close(&node->peers);
    heap_close(&node->timers);
    free(node->pulled);
    free(node->given);
    blob_drop(&node->hands.drop_after);
    blob_drop(&node->hands.later);
    blob_drop(&node->stray.after);
    free(node->seeds_text);
    free(node);
}
