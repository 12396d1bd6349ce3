/* node_hint_give.c: an owner that is back is given what it lacks, a page at a time: the next page
 * when it has acknowledged the last, or at the next tick while clients keep us busy. What is given
 * is the row as it is now, under the partition's number as it is now; the owner merges it like any
 * other write. */
#include "hint/node_hint.h"
#include "node_parts.h"

#define GIVE_PAGE 64u                 /* rows at once: a commit's worth, as in anti-entropy */
#define GIVE_BUSY 8u                  /* while clients keep us busy */
#define GIVE_LOOK 512u                /* hints looked at in one step */
#define GIVE_PATIENCE_US INSTANT_S(5) /* with one row */
#define GIVE_PAUSE_US INSTANT_S(1)    /* after a refusal, or silence */

/* The owner is none any more: it left, was forgotten, or others stand before it now. Those in its
 * place may lack the row as well. */
static void give_elsewhere(struct node *node, struct hint *hint, const struct place_owners *owners)
{
    struct hint_row row = {
        .key = hint_key(hint), .partition = hint->partition, .made_ms = hint->made_ms};

    for (uint8_t i = 0; i < owners->count; i++) {
        row.owner = owners->peers[i].id8;
        if (row.owner != node->self)
            node_hint_add(node, &row);
    }
    node_trace(node, TRACE_HINT_MOVED, hint->owner->id8, bytes_load_u64(hint->key),
               hint->partition);
    node_hint_lose(node, hint, false);
}

static void give_row(struct node *node, struct hint *hint)
{
    struct op op = {0};
    uint64_t front;
    struct node_task *task = NULL;

    if (store_key_split(hint_key(hint), &front, &op.ns, &op.key) == STATUS_OK)
        task = node_replica_task(node, TASK_HINT, &op, SLICE_NONE);
    if (!task) {
        hint->owner->pause = node->now + GIVE_PAUSE_US;
        return;
    }
    task->origin = hint->owner->id8;
    heap_set(&node->timers, &task->timer.in_timers, node->now + GIVE_PATIENCE_US);
    hint_send(hint);
    node_task_load(node, task);
}

/* Looks at the oldest hint that waits. False: it goes on waiting. */
static bool give_next(struct node *node, struct hint_owner *owner, struct hint *hint, bool is_room)
{
    struct place_owners owners;

    if (hint_is_old(node->hints->books, hint, node->wall_ms)) {
        node_trace(node, TRACE_HINT_OLD, owner->id8, bytes_load_u64(hint->key), hint->partition);
        node_hint_lose(node, hint, true);
        return true;
    }
    if (node_row_is_stray(node, hint_key(hint))) { /* whoever has it carries it where it belongs */
        node_hint_lose(node, hint, false);
        return true;
    }
    place_owners(node->place, hint->partition, &owners);
    if (owners.base_count == 0)
        return false;
    if (place_owners_find(&owners, owner->id8) < 0) {
        give_elsewhere(node, hint, &owners);
        return true;
    }
    if (hint_is_settled(hint) && node->hints->layout == place_layout(node->place) &&
        place_owners_find(&owners, node->self) >= 0) {
        node_trace(node, TRACE_HINT_SETTLED, owner->id8, bytes_load_u64(hint->key), 0);
        node_hint_lose(node, hint, false);
        return true;
    }
    if (!is_room || node->now < owner->pause || node_rank(node, owner->id8) != RANK_ALIVE ||
        !node_peer_is_reachable(node, owner->id8))
        return false;
    give_row(node, hint);
    return true;
}

/* Gives an owner the next page, if it is there and the last one is done. */
void node_hint_give(struct node *node, struct hint_owner *owner)
{
    bool is_busy = pool_used(&node->tasks) > node->tasks.capacity / 8;
    unsigned page = is_busy ? GIVE_BUSY : GIVE_PAGE;
    bool is_next = owner->sending_count == 0;
    struct hint *hint;

    if (node->hints->is_giving)
        return; /* a row that needs nobody ends at once: whoever gave it goes on */
    node->hints->is_giving = true;
    for (unsigned i = 0; i < GIVE_LOOK && (hint = hint_first(owner)); i++)
        if (!give_next(node, owner, hint, is_next && owner->sending_count < page))
            break;
    node->hints->is_giving = false;
}

/* What the row holds now. */
void node_hint_row(struct node *node, struct node_task *task, enum status status,
                   struct slice object)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct frame head = {.priority = FRAME_PRIORITY_MAX,
                         .request = task->id,
                         .deadline_ms = node_late_spell(node->now + GIVE_PATIENCE_US)};
    struct message put = {.kind = MESSAGE_PUT_OBJ,
                          .put_obj = {.layout = place_layout(node->place),
                                      .ns = task->op.ns,
                                      .key = task->op.key,
                                      .object = object,
                                      .gc = node_gc_number(node, task->hash_front)}};

    if (status == STATUS_MISSING ||
        node_row_is_stray(node, store_key_obj(task->hash_front, task->op.ns, task->op.key, room)))
        node_hint_ended(node, task, STATUS_OK); /* collected, or handed over: nobody needs it */
    else if (status != STATUS_OK || !node_send(node, task->origin, &head, &put))
        node_hint_ended(node, task, status != STATUS_OK ? status : STATUS_UNREACHABLE);
}

/* The owner's answer. False: this is none to a hint. */
bool node_hint_answered(struct node *node, uint64_t peer, uint64_t request, enum status status)
{
    struct node_task *task = node_task_find(node, request);

    if (!task || task->kind != TASK_HINT || task->origin != peer)
        return false;
    node_hint_ended(node, task, status);
    return true;
}

/* One row was given, or was not; the task ends. */
void node_hint_ended(struct node *node, struct node_task *task, enum status status)
{
    SCRATCH uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice row_key = store_key_obj(task->hash_front, task->op.ns, task->op.key, room);
    struct hint *hint = node->hints ? hint_find(node->hints->books, task->origin, row_key) : NULL;
    struct hint_owner *owner = hint ? hint->owner : NULL;

    node_trace(node, status == STATUS_OK ? TRACE_HINT_GIVEN : TRACE_HINT_KEPT, task->origin,
               task->hash_front, status);
    node_task_end(node, task); /* row_key has its own bytes */
    if (!hint || !hint->is_sending)
        return;
    if (status != STATUS_OK)
        owner->pause = node->now + GIVE_PAUSE_US;
    if (status == STATUS_OK)
        node_lag_seen(node, node_lag_since(node, hint->made_ms));
    if (status == STATUS_OK && !hint->is_again && hint->is_saved)
        node_hint_gone(node, owner->id8, row_key);
    (void)hint_sent(node->hints->books, hint, status == STATUS_OK);
    if (owner->sending_count == 0)
        node_hint_give(node, owner);
}
