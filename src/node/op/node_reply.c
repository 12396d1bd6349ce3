/* node_reply.c: telling the outcome, to the client of this peer or to the edge that asked us. What
 * a client is shown of an object, and which context goes with it, is decided here, at the edge. */
#include "node_impl.h"
#include "node_parts.h"

static void reply_edge(struct node *node, const struct node_task *task,
                       const struct node_outcome *outcome)
{
    uint8_t room[9 * ROUTE_MAX];
    struct writer route = writer_over(room, sizeof(room));
    struct message reply = {.kind = MESSAGE_OP_REPLY,
                            .op_reply = {.status = (uint8_t)outcome->status,
                                         .outcome = (uint8_t)outcome->outcome,
                                         .acks = outcome->acks,
                                         .required = outcome->required,
                                         .total = outcome->total,
                                         .created = outcome->is_created,
                                         .etag = outcome->etag,
                                         .expires = outcome->expires,
                                         .context = outcome->context,
                                         .session = outcome->session,
                                         .load = node_load(node),
                                         .object = outcome->object}};

    for (uint8_t i = 0; i < outcome->route_count; i++) {
        write_u64(&route, outcome->route[i].id8);
        write_u8(&route, outcome->route[i].roles);
    }
    reply.op_reply.route = writer_done(&route);
    node_send_reply(node, task->origin, task->request, &reply);
}

/* The edge stands first; as coordinator it is one entry with both roles. */
static void reply_route(struct node *node, const struct node_outcome *outcome,
                        struct result *result)
{
    result->route[result->route_count].name = node->config.name;
    result->route[result->route_count++].roles = ROLE_EDGE;
    for (uint8_t i = 0; i < outcome->route_count && result->route_count < ROUTE_MAX; i++) {
        if (outcome->route[i].id8 == node->self) {
            result->route[0].roles |= outcome->route[i].roles;
            continue;
        }
        result->route[result->route_count].name = node_peer_name(node, outcome->route[i].id8);
        result->route[result->route_count++].roles = outcome->route[i].roles;
    }
    if (outcome->absent) {
        int rank = node_rank(node, outcome->absent);

        result->absent = node_peer_name(node, outcome->absent);
        result->absent_rank = rank < 0 ? RANK_DEAD : (enum member_rank)rank;
    }
}

void node_value_show(const struct crdt_value *value, struct result_value *shown)
{
    *shown = (struct result_value){.etag = crdt_etag(value->actor, value->stamp),
                                   .modified_ms = crdt_stamp_ms(value->stamp),
                                   .expires_ms = value->expires,
                                   .is_tombstone = value->kind == CRDT_TOMBSTONE,
                                   .type = (uint8_t)value->kind,
                                   .size = value->body_size,
                                   .meta = value->meta,
                                   .body = value->body};
}

/* Lists what a client may see, winner first, and the context that covers exactly that. */
static void reply_values(struct node *node, const struct op *op, struct slice bytes,
                         struct result *result)
{
    struct crdt_object *object = &node->object_c;
    struct crdt_scope scope = {node->founding.hash_seed, op->ns, op->key};
    uint16_t order[OBJECT_VALUES_MAX], count;
    struct result_value *values;
    SCRATCH uint8_t room[CONTEXT_SIZE_MAX];
    struct writer out;

    if (crdt_object_decode(bytes, object) != STATUS_OK) {
        result->status = STATUS_CORRUPT;
        return;
    }
    node_space_resolve(node, op, object);
    count = crdt_object_expire(object, node_wall_ms(node));
    if (count > 0)
        node_trace(node, TRACE_VALUE_EXPIRED, count, 0, 0);
    node_update_show(object, result);
    count = crdt_object_siblings(object, order);
    values = effects_alloc(node->fx, (count + 1u) * sizeof(*values));
    for (uint16_t i = 0; i < count; i++)
        node_value_show(&object->values[order[i]], &values[i]);
    result->values = values;
    result->value_count = count;
    if (count == 0 || values[0].is_tombstone)
        result->status = STATUS_MISSING;
    else
        result->etag = values[0].etag;
    if (op->kind == OP_GET && !node_condition_holds(op, object))
        result->status = op->condition & (CONDITION_MATCH | CONDITION_EXISTS) ? STATUS_PRECONDITION
                                                                              : STATUS_NOT_MODIFIED;
    if (object->entry_count == 0)
        return;
    if (op->has_siblings || op->kind == OP_UPDATE || result->status == STATUS_MISSING)
        crdt_context_of_all(object, &node->context);
    else
        crdt_context_of_shown(object, order[0], &node->context);
    out = writer_over(room, sizeof(room));
    if (crdt_context_encode(&node->context, &scope, &out) == STATUS_OK)
        result->context = effects_copy(node->fx, writer_done(&out));
}

static void reply_count(struct node *node, const struct node_outcome *outcome)
{
    static const enum metric metrics[] = {[OUTCOME_NONE] = METRIC_OP_OK,
                                          [OUTCOME_NOT_STORED] = METRIC_OP_NOT_STORED,
                                          [OUTCOME_PARTIAL] = METRIC_OP_PARTIAL,
                                          [OUTCOME_UNKNOWN] = METRIC_OP_UNKNOWN};

    metric_add(&node->metrics, metrics[outcome->outcome], 1);
}

/* The answer to a client of this peer. Slices of the outcome live in this step's arena; the caller
 * may add to the result. */
struct result *node_reply_client(struct node *node, const struct op *op, ticket asker,
                                 const struct node_outcome *outcome)
{
    struct result *result = effects_alloc(node->fx, sizeof(*result));
    struct effect *effect;

    result->kind = op->kind; /* the arena gave it zeroed */
    result->status = outcome->status;
    result->outcome = node_once_outcome(op, outcome);
    result->is_created = outcome->is_created;
    result->acks = outcome->acks;
    result->required = outcome->required;
    result->total = outcome->total;
    result->etag = outcome->etag;
    result->expires_ms = outcome->expires;
    result->context = outcome->context;
    result->session = outcome->session.size ? outcome->session : node_session_same(node, op);
    reply_route(node, outcome, result);
    if (outcome->status == STATUS_TYPE &&
        crdt_object_decode_head(outcome->object, &node->object_c) == STATUS_OK)
        result->types = crdt_object_types(&node->object_c);
    if ((op->kind == OP_GET && outcome->status == STATUS_OK) ||
        (op->kind == OP_UPDATE && op->shows && outcome->status == STATUS_OK) ||
        outcome->status == STATUS_PRECONDITION) {
        reply_values(node, op, outcome->object, result);
        if (outcome->status == STATUS_PRECONDITION)
            result->status = STATUS_PRECONDITION;
    }
    effect = effects_push(node->fx, EFFECT_REPLY);
    effect->reply.ticket = asker;
    effect->reply.result = result;
    return result;
}

/* Owners that were asked to do the work and did not answer; who repeats a write can see from them
 * that it may have been carried out twice. */
static void reply_silent(const struct node_task *task, struct node_outcome *outcome)
{
    for (uint8_t i = 0; i < task->tries; i++) {
        uint8_t at = 0;

        while (at < outcome->route_count && outcome->route[at].id8 != task->tried[i])
            at++;
        if (at == ROUTE_MAX)
            continue;
        if (at == outcome->route_count)
            outcome->route[outcome->route_count++].roles = 0;
        outcome->route[at].id8 = task->tried[i];
        outcome->route[at].roles |= ROLE_FAILED; /* it may have answered the coordinator */
    }
}

/* Ends a task of a client or an edge with its outcome. */
void node_finish(struct node *node, struct node_task *task, const struct node_outcome *outcome)
{
    struct node_outcome kept = *outcome;

    if (task->leads) { /* time is up, or it never began */
        node_group_end(node, task);
    } else if (task->kind == TASK_CLIENT && !task->group && task->op.kind == OP_DELETE &&
               outcome->status == STATUS_TYPE && node_group_begin(node, task)) {
        return; /* a collection: its rows go first */
    }
    /* An earlier try, under another layout, was sent: what the last one knows is not all. */
    if (task->was_sent && kept.status != STATUS_OK && kept.outcome == OUTCOME_NOT_STORED)
        kept.outcome = OUTCOME_UNKNOWN;
    if (task->kind == TASK_RECORD) {
        node_once_heard(node, task, &kept);
        return;
    }
    outcome = node_once_closes(node, task, &kept);
    if (!outcome)
        return;
    kept = *outcome;
    reply_count(node, &kept);
    kept.object = effects_copy(node->fx, outcome->object); /* may lie in what the task owns */
    kept.context = effects_copy(node->fx, outcome->context);
    kept.session = effects_copy(node->fx, outcome->session);
    reply_silent(task, &kept);
    if (task->group) {
        struct node_group *group = node_group_of(node, task->group, task->group_number);
        enum op_kind kind = task->op.kind;

        node_task_end(node, task);
        if (group)
            node_group_heard(node, group, kind, &kept);
        return;
    }
    if (task->kind == TASK_OP) {
        reply_edge(node, task, &kept);
    } else if (!task->is_cancelled) {
        struct op op = task->op;

        /* what a result shows must outlive the task */
        op.ns = effects_copy(node->fx, op.ns);
        op.key = effects_copy(node->fx, op.key);
        op.session = effects_copy(node->fx, op.session);
        node_reply_client(node, &op, task->ticket, &kept)->took_ms =
            (uint32_t)((node->now - task->started) / 1000u);
    }
    node_task_end(node, task);
}

/* Says how many owners there are, how many were needed, and one that is missing. */
static void task_name_missing(struct node *node, const struct node_task *task,
                              struct node_outcome *outcome)
{
    struct place_owners owners;

    if (!node->is_founded ||
        (task->op.kind > OP_DELETE && task->op.kind != OP_SCAN && !node_op_is_write(&task->op)))
        return;
    place_owners(node->place, place_partition(node->place, task->hash_front), &owners);
    outcome->total = owners.base_count;
    outcome->required = quorum_required(task->op.consistency, owners.base_count);
    for (uint8_t i = 0; i < owners.base_count; i++)
        if (owners.peers[i].id8 != node->self && !node_peer_is_reachable(node, owners.peers[i].id8))
            outcome->absent = owners.peers[i].id8;
}

void node_task_fail(struct node *node, struct node_task *task, enum status status)
{
    struct node_outcome outcome = {.status = status};

    if (status == STATUS_DEADLINE && task->is_behind)
        outcome.status = status = STATUS_SESSION_BEHIND;
    if (task->kind == TASK_ROW) {
        node_restore_ended(node, task, status);
        return;
    }
    if (status == STATUS_UNREACHABLE || status == STATUS_DEADLINE)
        task_name_missing(node, task, &outcome);
    if (node_op_is_write(&task->op))
        outcome.outcome = task->is_sent || task->tries > 0 ? OUTCOME_UNKNOWN : OUTCOME_NOT_STORED;
    node_finish(node, task, &outcome);
}
