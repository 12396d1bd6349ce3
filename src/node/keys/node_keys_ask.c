/* node_keys_ask.c: what an operator does with the cluster's keys, through any peer, and who has
 * acknowledged it.
 *
 * Three steps change a ring: a key is installed, made the primary, removed. `use` and `remove`
 * first ask every member whether this very ring is on its disk, and are refused while one of them
 * is missing. So two rings in the cluster are never more than one step apart: each step leaves the
 * primary of the ring before in place, and any two members have a key in common, whoever steps at
 * the same time. An operator who forces a step leaves the missing behind: after `use` they still
 * meet the others with the old key and learn the new one, after `remove` they are shut out and come
 * back with a new key file.
 *
 * A member is who stands on the placement list, who lives, and who left that list by dying. */
#include "node_impl.h"
#include "node_parts.h"

#define KEYS_WAIT_US INSTANT_MS(1500) /* for answers: each is one write to a disk */

static bool keys_is_member(struct node *node, uint64_t id8)
{
    const struct place_record *record = place_find(node->place, id8);
    int rank = node_rank(node, id8);

    return (record && record->state != PLACE_OUT) || rank == RANK_ALIVE || rank == RANK_SUSPECT ||
           (record && rank == RANK_DEAD);
}

/* Lists all members but this one, in the arena of the step. */
static uint32_t keys_members(struct node *node, uint64_t **ids)
{
    uint32_t places = place_count(node->place), count = 0;

    *ids = effects_alloc(node->fx, (places + swim_count(node->swim) + 1) * sizeof(**ids));
    for (uint32_t i = 0; i < places; i++)
        (*ids)[count++] = id_front(&place_at(node->place, i)->id);
    for (uint32_t i = 0; i < swim_count(node->swim); i++) {
        uint64_t id8 = id_front(&swim_at(node->swim, i)->id);

        if (!place_find(node->place, id8))
            (*ids)[count++] = id8;
    }
    for (uint32_t i = 0; i < count;)
        if ((*ids)[i] != node->self && keys_is_member(node, (*ids)[i]))
            i++;
        else
            (*ids)[i] = (*ids)[--count];
    return count;
}

/* Tells what a member said in a round of questions about the ring as it is now. */
static enum key_ack keys_ack(struct node *node, uint64_t id8, uint32_t round)
{
    const struct node_peer *peer = node_peer(node, id8);

    if (!peer || peer->key_round != round)
        return KEY_SILENT;
    return peer->key_stamp == node->keyring.stamp && peer->key_by == node->keyring.by
               ? KEY_ACKNOWLEDGED
               : KEY_BEHIND;
}

/* Asks all members, and waits. */
static void keys_ask(struct node *node, struct node_task *task, bool is_changed)
{
    struct frame head = {.priority = 1, .request = task->id};
    struct message ring = node_keys_message(node);
    struct message ask = {.kind = MESSAGE_KEYS};
    uint64_t *ids;
    uint32_t count = keys_members(node, &ids);

    task->step = STEP_LIST;
    task->is_read_done = is_changed;
    task->rows = ++node->key_state.round;
    ask.keys.round = task->rows;
    for (uint32_t i = 0; i < count; i++) {
        if (!node_peer_is_reachable(node, ids[i]))
            continue;
        if (is_changed)
            (void)node_send_plain(node, ids[i], &ring);
        (void)node_send(node, ids[i], &head, &ask);
    }
    task->deadline = instant_min(task->deadline, node->now + KEYS_WAIT_US);
    heap_set(&node->timers, &task->timer.in_timers, task->deadline);
    node_keys_look(node, task, false);
}

static void keys_finish(struct node *node, struct node_task *task, enum status status)
{
    struct node_outcome outcome = {.status = status};
    struct result *result = node_reply_client(node, &task->op, task->ticket, &outcome);
    uint64_t *ids;
    uint32_t count = keys_members(node, &ids);
    struct result_key_member *members = effects_alloc(node->fx, (count + 1) * sizeof(*members));

    for (uint32_t i = 0; i < count; i++)
        members[i] = (struct result_key_member){.id8 = ids[i],
                                                .name = node_peer_name(node, ids[i]),
                                                .ack = keys_ack(node, ids[i], task->rows)};
    members[count] = (struct result_key_member){.id8 = node->self,
                                                .name = node->config.name,
                                                .ack = node_keys_are_saved(node) ? KEY_ACKNOWLEDGED
                                                                                 : KEY_BEHIND};
    result->key_members = members;
    result->key_member_count = count + 1;
    result->key_count = node->keyring.count;
    result->key_changed = task->op.key_id;
    for (unsigned i = 0; i < node->keyring.count; i++)
        result->keys[i] = node->keyring.keys[i].id;
    node_task_end(node, task);
}

static enum status keys_install(struct node *node, struct seal_keyring *ring, uint16_t *id)
{
    uint8_t key[SEAL_KEY_SIZE];
    uint8_t before = ring->count;
    enum status status = STATUS_CONFLICT;

    if (before == SEAL_KEYS_MAX)
        return STATUS_FULL;
    for (unsigned tries = 0; tries < 8 && (status != STATUS_OK || ring->count == before); tries++) {
        node->ports.entropy.fill(node->ports.entropy.context, key, sizeof(key));
        status = seal_keyring_add(ring, key);
    }
    memset(key, 0, sizeof(key));
    *id = ring->keys[ring->count - 1].id;
    return status;
}

/* Makes the step; everybody is told with the next questions. */
static void keys_step(struct node *node, struct node_task *task)
{
    struct seal_keyring ring = node->keyring;
    enum status status = STATUS_OK;

    switch (task->op.key_step) {
    case KEY_LIST:
        ensure_unreachable();
    case KEY_INSTALL:
        status = keys_install(node, &ring, &task->op.key_id);
        break;
    case KEY_USE:
        status = seal_keyring_use(&ring, task->op.key_id);
        break;
    case KEY_REMOVE:
        status = seal_keyring_drop(&ring, task->op.key_id);
        break;
    }
    if (status == STATUS_OK) {
        ring.stamp = crdt_clock_next(&node->clock, node->wall_ms, ring.stamp);
        ring.by = node->self;
        node_keys_adopt(node, &ring);
        keys_ask(node, task, true);
    } else {
        keys_finish(node, task, status);
    }
    seal_keyring_wipe(&ring);
}

/* Looks whether enough is known: every member that can be reached has answered, or time is up. */
void node_keys_look(struct node *node, struct node_task *task, bool is_over)
{
    uint64_t *ids;
    uint32_t count = keys_members(node, &ids), missing = !node_keys_are_saved(node), open = missing;

    for (uint32_t i = 0; i < count; i++) {
        enum key_ack ack = keys_ack(node, ids[i], task->rows);

        missing += ack != KEY_ACKNOWLEDGED;
        open += ack == KEY_SILENT && node_peer_is_reachable(node, ids[i]);
    }
    if (open > 0 && !is_over)
        return;
    if (task->op.key_step == KEY_LIST || task->is_read_done)
        keys_finish(node, task, STATUS_OK);
    else if (missing > 0 && !task->op.is_on)
        keys_finish(node, task, STATUS_CONFLICT);
    else
        keys_step(node, task);
}

/* A client's request. Installing is safe whoever is missing. */
void node_keys_begin(struct node *node, struct node_task *task)
{
    if (!place_find(node->place, node->self)) {
        node_task_fail(node, task, STATUS_NOT_READY);
        return;
    }
    task->rows = node->key_state.round;
    if (task->op.key_step == KEY_INSTALL)
        keys_step(node, task);
    else if (task->op.key_step != KEY_LIST &&
             seal_keyring_find(&node->keyring, task->op.key_id) < 0)
        keys_finish(node, task, STATUS_MISSING);
    else
        keys_ask(node, task, false);
}

/* Tells those who asked which ring is on our disk. */
void node_keys_answer(struct node *node)
{
    struct node_keys *keys = &node->key_state;
    struct message reply = {.kind = MESSAGE_KEYS,
                            .keys = {.is_reply = 1,
                                     .stamp = keys->saved_stamp,
                                     .by = keys->saved_by,
                                     .places = node->place ? place_digest(node->place) : 0}};

    for (uint32_t i = 0; i < keys->asker_count; i++) {
        reply.keys.round = keys->askers[i].round;
        node_send_reply(node, keys->askers[i].peer, keys->askers[i].request, &reply);
    }
    keys->asker_count = 0;
    for (uint32_t i = 0; i < node->tasks.capacity; i++) { /* our own part may be what was missing */
        struct node_task *task = pool_at(&node->tasks, i);

        if (task->id != 0 && task->kind == TASK_CLIENT && task->op.kind == OP_KEYS)
            node_keys_look(node, task, false);
    }
}

void node_keys_asked(struct node *node, uint64_t peer, const struct frame *frame,
                     const struct message_keys *keys)
{
    struct node_task *task = node_task_find(node, frame->request);
    struct node_peer *known = node_peer(node, peer);

    if (!keys->is_reply) {
        if (node->key_state.asker_count == NODE_KEYS_ASKERS)
            return; /* it counts us as missing and asks again */
        node->key_state.askers[node->key_state.asker_count].peer = peer;
        node->key_state.askers[node->key_state.asker_count].request = frame->request;
        node->key_state.askers[node->key_state.asker_count++].round = keys->round;
        if (!node->key_state.is_saving)
            node_keys_answer(node);
        return;
    }
    if (!known || !node->place)
        return;
    if (keys->places != place_digest(node->place)) { /* it may know a member that we do not */
        node_table_soon(node, peer);
        return;
    }
    known->key_round = keys->round;
    known->key_stamp = keys->stamp;
    known->key_by = keys->by;
    node_keys_tell(node, peer, keys->stamp, keys->by);
    if (task && task->kind == TASK_CLIENT && task->op.kind == OP_KEYS)
        node_keys_look(node, task, false);
}
