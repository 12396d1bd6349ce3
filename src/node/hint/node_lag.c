/* node_lag.c: how far behind copies are, for those who look: writes that some owner lacks, and
 * since when; partitions that are known to differ; keys with several values. Everything here was
 * counted as it happened: a look costs a pass over the owners of each partition, never over rows.
 */
#include "hint/node_hint.h"
#include "node_parts.h"

/* A write has reached an owner so long after the client was told: the last of them, or one that was
 * late. Buckets hold all that is not longer. */
void node_lag_seen(struct node *node, uint64_t lag_ms)
{
    static const uint64_t bounds[] = {10, 100, 1000, 10000, 60000, 600000};

    for (unsigned i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
        metric_add(&node->metrics, (enum metric)(METRIC_LAG_10MS + i), lag_ms <= bounds[i]);
    metric_add(&node->metrics, METRIC_LAG_ANY, 1);
    metric_add(&node->metrics, METRIC_LAG_SUM, lag_ms);
    metric_add(&node->metrics, METRIC_LAG_COUNT, 1);
}

/* Milliseconds since a hint was made; clocks may have gone back. */
uint64_t node_lag_since(const struct node *node, uint64_t made_ms)
{
    return made_ms != 0 && node->wall_ms > made_ms ? node->wall_ms - made_ms : 0;
}

/* Tells whether clients see several values of a key. Types of CRDT keep theirs apart as a matter of
 * course. */
bool node_object_is_split(const struct crdt_object *object)
{
    unsigned count = 0;

    for (uint16_t i = 0; i < object->value_count; i++)
        count += object->values[i].kind == CRDT_VALUE;
    return count > 1;
}

/* What this peer remembers that a peer lacks. */
void node_lag_of(struct node *node, uint64_t id8, uint32_t *hints, uint64_t *lag_ms)
{
    const struct hint_owner *owner = node->hints ? hint_owner_find(node->hints->books, id8) : NULL;

    *hints = owner ? owner->count : 0;
    *lag_ms = owner ? node_lag_since(node, hint_owner_oldest_ms(owner)) : 0;
}

/* Partitions known not to be equal at all owners: a write is missing somewhere, or the last
 * comparison with a live peer found a difference. The two overlap, so the larger is shown. */
static uint32_t lag_diverged(const struct node *node, uint32_t differing)
{
    uint32_t open = node->hints ? hints_partitions(node->hints->books) : 0;

    return open > differing ? open : differing;
}

void node_lag_show(struct node *node, struct result_cluster *cluster)
{
    const struct hint_owner *owner = NULL;
    uint64_t most = 0;

    cluster->siblings = node->siblings;
    cluster->hints_dropped = node->metrics.values[METRIC_HINTS_DROPPED];
    cluster->partitions_diverged = lag_diverged(node, cluster->partitions_differing);
    if (!node->hints)
        return;
    cluster->hints = hints_count(node->hints->books);
    cluster->are_hints_lost = hints_are_lost(node->hints->books);
    cluster->unconfirmed_ms = node_lag_since(node, hints_oldest_ms(node->hints->books));
    while ((owner = hint_owner_next(node->hints->books, owner)))
        if (owner->count > most) {
            most = owner->count;
            cluster->hints_for = node_peer_name(node, owner->id8);
        }
}

void node_lag_gauges(struct node *node, const struct result_cluster *cluster)
{
    uint32_t bad = cluster->partitions_under + cluster->partitions_diverged;
    struct metrics *metrics = &node->metrics;

    metric_set(metrics, METRIC_PARTITIONS_MOVING, cluster->partitions_moving);
    metric_set(metrics, METRIC_PARTITIONS_UNDER, cluster->partitions_under);
    metric_set(metrics, METRIC_PARTITIONS_UNAVAILABLE, cluster->partitions_unavailable);
    metric_set(metrics, METRIC_PARTITIONS_DIVERGED, cluster->partitions_diverged);
    metric_set(metrics, METRIC_PARTITIONS_OK,
               bad < cluster->partitions ? cluster->partitions - bad : 0);
    metric_set(metrics, METRIC_UNCONFIRMED_AGE, cluster->unconfirmed_ms / 1000u);
    metric_set(metrics, METRIC_SIBLINGS, cluster->siblings);
}

/* --- a lookup asks every owner whom it remembers to lack the key */

void node_lag_ask(struct node *node, const struct node_task *task, uint64_t to)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct frame head = {.priority = 1, .request = task->id};
    struct message ask = {.kind = MESSAGE_HINT_ASK};

    ask.hint_ask.row_key = node_row_key(node, task->op.ns, task->op.key, room);
    if (to == node->self)
        node_lag_asked(node, to, &head, &ask.hint_ask);
    else
        (void)node_send(node, to, &head, &ask);
}

void node_lag_asked(struct node *node, uint64_t peer, const struct frame *frame,
                    const struct message_hint_ask *ask)
{
    uint8_t room[HINT_OWNERS_MAX * 8];
    struct writer out = writer_over(room, sizeof(room));
    struct message kept = {.kind = MESSAGE_HINT_KEPT};
    const struct hint_owner *owner = NULL;

    while (node->hints && (owner = hint_owner_next(node->hints->books, owner)))
        if (hint_find(node->hints->books, owner->id8, ask->row_key))
            write_u64(&out, owner->id8);
    kept.hint_kept.owners = writer_done(&out);
    if (peer == node->self)
        node_lag_answered(node, frame->request, &kept.hint_kept);
    else
        node_send_reply(node, peer, frame->request, &kept);
}

void node_lag_answered(struct node *node, uint64_t request, const struct message_hint_kept *kept)
{
    struct node_task *task = node_task_find(node, request);
    struct reader in = reader_over(kept->owners);
    struct result_owner *rows;
    uint32_t count;

    if (!task || task->op.kind != OP_LOOKUP || task->kind != TASK_CLIENT || !task->object)
        return;
    rows = node_verify_rows(task, &count);
    while (reader_left(&in) > 0) {
        uint64_t id8 = read_u64(&in);

        for (uint32_t i = 0; i < count; i++)
            rows[i].hints += id_front(&rows[i].id) == id8;
    }
}
