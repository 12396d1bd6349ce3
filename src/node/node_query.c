/* node_query.c: questions about the peer and the cluster, answered from what this node knows. */
#include "node_impl.h"
#include "node_parts.h"

static void query_self(struct node *node, struct result *result)
{
    struct result_self *self = effects_alloc(node->fx, sizeof(*self));
    const struct place_record *place = node->place ? place_find(node->place, node->self) : NULL;

    *self = (struct result_self){.id = *node_self(node),
                                 .name = node->config.name,
                                 .host = node->config.host,
                                 .zone = node->config.zone,
                                 .place_state = (uint8_t)node_place_state(node),
                                 .weight = place ? place->weight : node->config.weight,
                                 .mesh = node->config.addresses[0],
                                 .http_port = node->config.http_port,
                                 .incarnation = node_own_incarnation(node),
                                 .uptime_s = (node->now - node->started) / 1000000u,
                                 .keys = node->keys,
                                 .bytes = node->bytes,
                                 .is_read_only = node->is_read_only,
                                 .is_recovering = node->is_recovering,
                                 .is_draining = node->is_draining,
                                 .is_ready = node_is_ready(node),
                                 .blocked = node->blocked_count};
    memcpy(self->cluster_id, node->keyring.cluster_id, CLUSTER_ID_SIZE);
    result->self = self;
}

void node_query_member(struct node *node, const struct swim_view *view,
                       struct result_member *member)
{
    uint64_t id8 = id_front(&view->id);
    const struct place_record *place = node->place ? place_find(node->place, id8) : NULL;
    uint64_t ago_ms = (node->now - view->changed) / 1000u;

    *member =
        (struct result_member){.id = view->id,
                               .name = view->record->name,
                               .host = view->record->host,
                               .zone = view->record->zone,
                               .rank = view->rank,
                               .place_state = place ? place->state : 0,
                               .incarnation = view->incarnation,
                               .weight = place ? place->weight : 0,
                               .mesh = view->address,
                               .http_port = view->record->http_port,
                               .rtt_us = view->rtt_us,
                               .rtt_var_us = view->rtt_var_us,
                               .since_ms = node->wall_ms > ago_ms ? node->wall_ms - ago_ms : 0,
                               .is_self = id8 == node->self,
                               .is_blocked = node_is_blocked(node, id8)};
    node_lag_of(node, id8, &member->hints, &member->lag_ms);
}

static void query_members(struct node *node, struct result *result)
{
    uint32_t count = swim_count(node->swim);
    struct result_member *members = effects_alloc(node->fx, count * sizeof(*members) + 1);

    for (uint32_t i = 0; i < count; i++)
        node_query_member(node, swim_at(node->swim, i), &members[i]);
    result->members = members;
    result->member_count = count;
    result->digest = node_digest(node);
}

/* Counts partitions that lack owners: below the quorum, or below all. */
static void query_partitions(struct node *node, struct result_cluster *cluster)
{
    for (uint32_t p = 0; p < place_partition_count(node->place); p++) {
        struct place_owners owners;
        uint8_t up = 0;

        place_owners(node->place, p, &owners);
        for (uint8_t i = 0; i < owners.count; i++)
            up = (uint8_t)(up + (owners.peers[i].is_base &&
                                 (owners.peers[i].id8 == node->self ||
                                  node_peer_is_reachable(node, owners.peers[i].id8))));
        cluster->partitions_unavailable +=
            up < quorum_required(CONSISTENCY_QUORUM, owners.base_count);
        cluster->partitions_under += up < owners.base_count;
        cluster->partitions_moving +=
            owners.count > owners.base_count || owners.target_count != owners.base_count;
    }
}

/* Names those whose share nobody serves: they are given up, or wait for it. */
static void query_away(struct node *node, struct result_cluster *cluster)
{
    for (uint32_t i = 0; i < place_count(node->place); i++) {
        const struct place_record *record = place_at(node->place, i);
        uint64_t id8 = id_front(&record->id);

        if (record->state == PLACE_GONE ||
            (record->state != PLACE_OUT && node_rank(node, id8) >= RANK_DEAD))
            if (cluster->away_count < CLUSTER_AWAY_MAX)
                cluster->away[cluster->away_count++] = node_peer_name(node, id8);
    }
}

static void query_cluster(struct node *node, struct result *result)
{
    struct result_cluster *cluster = effects_alloc(node->fx, sizeof(*cluster));
    uint32_t ranks[4] = {0}, states[PLACE_WEIGHING + 1] = {0};
    uint64_t absent;

    for (uint32_t i = 0; i < swim_count(node->swim); i++)
        ranks[swim_at(node->swim, i)->rank]++;
    for (uint32_t i = 0; node->place && i < place_count(node->place); i++)
        states[place_at(node->place, i)->state]++;
    *cluster = (struct result_cluster){.alive = ranks[RANK_ALIVE],
                                       .suspect = ranks[RANK_SUSPECT],
                                       .dead = ranks[RANK_DEAD],
                                       .left = ranks[RANK_LEFT],
                                       .joining = states[PLACE_JOINING],
                                       .active = states[PLACE_ACTIVE],
                                       .leaving = states[PLACE_LEAVING],
                                       .weighing = states[PLACE_WEIGHING],
                                       .forgotten = states[PLACE_GONE],
                                       .forget_wait = node->forget.wait,
                                       .is_draining = node->is_draining,
                                       .layout = node_layout(node),
                                       .replicas = node->founding.replicas,
                                       .is_founded = node->is_founded,
                                       .is_ready = node_is_ready(node),
                                       .partitions_uncounted = node_uncounted(node),
                                       .is_recovering = node->is_recovering,
                                       .is_read_only = node->is_read_only,
                                       .scrub_age_s = node_scrub_age_s(node),
                                       .scrub_rows = node->metrics.values[METRIC_SCRUB_ROWS],
                                       .rows_corrupt = node->metrics.values[METRIC_STORE_CORRUPT],
                                       .rows_mended = node->metrics.values[METRIC_STORE_MENDED],
                                       .rows_bad = node->mend.by_key.count,
                                       .blocked = node->blocked_count,
                                       .seeds = node->seed_count,
                                       .seeds_silent = node->seeds_silent,
                                       .key_id_seen = node->key_state.seen,
                                       .key_id_ours = node->keyring.keys[0].id,
                                       .key_from = node->key_state.from};
    result->digest = node_digest(node);
    cluster->tombstones = node_tombstones(node, &absent);
    if (absent)
        cluster->tombstones_absent = node_peer_name(node, absent);
    if (node->forget.wait != FORGET_NOBODY)
        cluster->forget_name = node_peer_name(node, node->forget.waiting);
    if (node->place) {
        cluster->partitions = place_partitions_used(node->place);
        query_away(node, cluster);
        query_partitions(node, cluster);
        node_view_convergence(node, &cluster->partitions_differing, &cluster->compared_s);
        node_lag_show(node, cluster);
        node_lag_gauges(node, cluster);
    }
    result->cluster = cluster;
}

static void query_ready(struct node *node, struct result *result)
{
    query_self(node, result);
    query_cluster(node, result);
    if (!node_is_ready(node) || node->is_draining)
        result->status = STATUS_NOT_READY;
    else if (result->cluster->partitions_unavailable > 0)
        result->status = STATUS_UNREACHABLE;
}

void node_query_owners(struct node *node, const struct op *op, struct result *result)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice row_key = node_row_key(node, op->ns, op->key, room);
    struct place_owners owners;
    struct result_owner *rows;

    result->partition = place_partition(node->place, node_front(node, op->ns, op->key));
    result->layout = place_layout(node->place);
    place_owners(node->place, result->partition, &owners);
    rows = effects_alloc(node->fx, owners.count * sizeof(*rows) + 1);
    for (uint8_t i = 0; i < owners.count; i++) {
        uint64_t id8 = owners.peers[i].id8;
        const struct place_record *record = place_find(node->place, id8);
        int rank = id8 == node->self ? RANK_ALIVE : node_rank(node, id8);

        rows[i] = (struct result_owner){.id = record->id,
                                        .name = node_peer_name(node, id8),
                                        .rank = rank < 0 ? RANK_DEAD : (enum member_rank)rank,
                                        .is_base = owners.peers[i].is_base,
                                        .is_target = owners.peers[i].is_target,
                                        .hints = node_hint_is_kept(node, id8, row_key),
                                        .answer = STATUS_OK};
    }
    result->owners = rows;
    result->owner_count = owners.count;
}

/* Adds seeds and goes looking for them at once. */
static enum status query_join(struct node *node, const struct op *op)
{
    char *text = calloc(1, op->key.size + 1);

    if (!text)
        return STATUS_MEMORY;
    memcpy(text, op->key.data, op->key.size);
    free(node->seeds_text);
    node->seeds_text = text;
    node->join_round = 0;
    node_join_start(node);
    return STATUS_OK;
}

/* Answers everything that needs no other peer. */
void node_query(struct node *node, const struct op *op, ticket asker)
{
    struct node_outcome outcome = {.status = STATUS_OK};
    struct result *result = node_reply_client(node, op, asker, &outcome);

    switch (op->kind) {
    case OP_SELF:
        query_self(node, result);
        break;
    case OP_MEMBERS:
        query_members(node, result);
        result->is_more = op->is_watch && node_watch_begin(node, asker);
        if (op->is_watch && !result->is_more)
            result->status = STATUS_OVERLOAD;
        break;
    case OP_CLUSTER:
    case OP_METRICS:
        query_cluster(node, result);
        (void)node_metrics(node);
        break;
    case OP_READY:
        query_ready(node, result);
        break;
    case OP_BLOCK:
        node_block(node, op->key);
        break;
    case OP_JOIN:
        result->status = query_join(node, op);
        break;
    case OP_FORGET:
        result->status = op->key.size == NODE_ID_SIZE
                             ? node_forget_now(node, bytes_load_u64(op->key.data))
                             : STATUS_BAD;
        break;
    case OP_PREVIEW:
        node_preview(node, op, result);
        break;
    case OP_DRAIN:
        node->is_draining = op->is_on;
        break;
    case OP_SPACE_GET:
    case OP_SPACE_PUT:
    case OP_SPACE_LIST:
        node_space_query(node, op, result);
        break;
    case OP_JOBS:
    case OP_WEIGHT:
    case OP_KEYS:
    case OP_SPACE_DELETE:
    case OP_GET:
    case OP_PUT:
    case OP_DELETE:
    case OP_LIST:
    case OP_LOOKUP:
    case OP_OVERLAY:
    case OP_LEAVE:
    case OP_SCAN:
    case OP_UPDATE:
    case OP_RESTORE:
    case OP_COLLECTION:
        ensure_unreachable();
    }
}

/* Requests that never become tasks: while the node is not open, leaving, and who owns a key. */
void node_request_plain(struct node *node, const struct op *op, ticket asker)
{
    struct node_outcome outcome = {.status = STATUS_OK};

    if (node->phase != NODE_OPEN || !node->is_founded) {
        outcome.status = STATUS_NOT_READY;
        if (op->kind == OP_PUT || op->kind == OP_DELETE || op->kind == OP_UPDATE)
            outcome.outcome = OUTCOME_NOT_STORED;
    }
    if (op->kind == OP_LEAVE && outcome.status == STATUS_OK) {
        node_leave(node, asker); /* answered when everything is handed over */
        return;
    }

    struct result *result = node_reply_client(node, op, asker, &outcome);

    if (op->kind == OP_LOOKUP && outcome.status == STATUS_OK)
        node_query_owners(node, op, result);
}
