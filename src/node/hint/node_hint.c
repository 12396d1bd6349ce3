/* node_hint.c: what owners miss is remembered, and given to them when they are back (protocols.md
 * 7.1, decision 0016).
 *
 *   quorum: SPREAD  -> node_hint_spread -> books (hint.h) -> a row on the disk (node_hint_keep.c)
 *   owner is back   -> node_hint_give.c: PUT_OBJ of what the row holds now -> PUT_ACK -> both go
 *   sync: all equal -> node_hint_agreed: what was missed before is settled
 *
 * A write that every owner acknowledges leaves nothing here and costs nothing. While a hint of a
 * partition is open none of its rows is collected (node_gc_owners). */
#include "hint/node_hint.h"
#include "node_parts.h"

#define HINT_TICK_US INSTANT_MS(100)
#define HINT_GONE_MAX (4u << 20) /* bytes of keys whose rows are to go: 40,000 short ones */

static void hint_wake(struct node *node)
{
    if (node->hints->timer.in_timers.place == 0)
        heap_set(&node->timers, &node->hints->timer.in_timers, node->now + HINT_TICK_US);
}

/* False: no memory. Without hints.count_max there are no books at all. */
bool node_hints_new(struct node *node)
{
    struct hint_config config = {.partitions = place_partition_max(node->place),
                                 .count_max = node->config.hints_count_max,
                                 .age_max_ms = node->config.hints_age_max_ms};

    if (config.count_max == 0)
        return true;
    node->hints = calloc(1, sizeof(*node->hints));
    if (!node->hints)
        return false;
    memcpy(config.seed, node->founding.hash_seed, HASH_SEED_SIZE);
    node->hints->books = hints_new(&config);
    node->hints->timer.kind = TIMER_HINT;
    buffer_init(&node->hints->gone, HINT_GONE_MAX);
    hint_wake(node);
    return node->hints->books != NULL;
}

void node_hints_delete(struct node *node)
{
    if (!node->hints)
        return;
    if (node->timers.nodes)
        heap_remove(&node->timers, &node->hints->timer.in_timers);
    hints_delete(node->hints->books);
    buffer_close(&node->hints->gone);
    blob_drop(&node->hints->after);
    free(node->hints);
    node->hints = NULL;
}

/* Tells whether some owner lacks a row of the partition, as far as we know. */
bool node_hints_hold(const struct node *node, uint32_t partition)
{
    return node->hints &&
           (!node->hints->is_loaded || hints_open(node->hints->books, partition) > 0);
}

/* Tells whether this peer remembers that an owner lacks a row. */
bool node_hint_is_kept(const struct node *node, uint64_t owner, struct slice row_key)
{
    return node->hints && hint_find(node->hints->books, owner, row_key);
}

/* A row that leaves no room for the id of an owner in front of it has no hint: comparing finds
 * it. */
void node_hint_add(struct node *node, const struct hint_row *row)
{
    enum hint_fate fate = HINT_REFUSED;

    if (row->key.size + 8 <= STORE_KEY_SIZE_MAX)
        fate = hint_add(node->hints->books, node->now, row);
    if (fate == HINT_REFUSED && row->is_saved)
        node_hint_gone(node, row->owner, row->key);
    if (fate == HINT_REFUSED)
        metric_add(&node->metrics, METRIC_HINTS_DROPPED, 1);
    if (fate != HINT_KNOWN)
        node_trace(node, fate == HINT_NEW ? TRACE_HINT_MADE : TRACE_HINT_REFUSED, row->owner,
                   bytes_load_u64(row->key.data), row->partition);
    hint_wake(node);
}

/* All owners of a write we coordinated have answered, or had their time. */
void node_hint_spread(struct node *node, const struct quorum_output *spread)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct hint_row row;
    uint64_t front;

    if (spread->role_count == 0)
        node_lag_seen(node, (node->now - spread->told) / 1000u);
    if (!node->hints || spread->role_count == 0)
        return;
    front = node_front(node, spread->ns, spread->key);
    row.key = store_key_obj(front, spread->ns, spread->key, room);
    row.partition = place_partition(node->place, front);
    row.made_ms = node->wall_ms - (node->now - spread->told) / 1000u;
    row.is_saved = false;
    for (uint8_t i = 0; i < spread->role_count; i++) {
        row.owner = spread->roles[i].id8;
        node_hint_add(node, &row);
    }
}

/* A hint goes without having been given. */
void node_hint_lose(struct node *node, struct hint *hint, bool is_lost)
{
    metric_add(&node->metrics, METRIC_HINTS_DROPPED, is_lost);
    if (hint->is_saved)
        node_hint_gone(node, hint->owner->id8, hint_key(hint));
    hint_drop(node->hints->books, node->now, hint, is_lost);
}

void node_hint_agreed(struct node *node, uint64_t peer, instant since)
{
    if (node->hints && node->hints->layout == place_layout(node->place))
        hint_agreed(node->hints->books, peer, since);
}

void node_hint_tick(struct node *node)
{
    struct node_hints *hints = node->hints;
    struct hint_owner *owner = NULL;

    if (node->phase != NODE_OPEN) {
        hint_wake(node);
        return;
    }
    if (!hints->is_loaded)
        node_hint_load(node);
    if (hints->layout != place_layout(node->place)) { /* what was compared was of other owners */
        hints->layout = place_layout(node->place);
        while ((owner = hint_owner_next(hints->books, owner)))
            owner->agreed = 0;
    }
    while (hints->is_loaded && (owner = hint_owner_next(hints->books, owner)))
        node_hint_give(node, owner);
    node_hint_save(node);
    hints_tidy(hints->books);
    if (hint_owner_next(hints->books, NULL) || hints->gone.size > 0 || !hints->is_loaded)
        hint_wake(node);
}
