/* Counting. An operation is a row of owners, each with what became of its question, and two
 * numbers: how many of the base set and how many of the target set must answer (joint quorums as
 * in Raft, Ongaro 2014, section 4.3). While nothing moves both sets are one. Sets are made of the
 * placement list, so a dead owner still counts in their size (Gifford, "Weighted Voting", 1979):
 * a minority can never form a quorum of its own.
 *
 *         base:   1 1 1 0     required 2        ANSWERED   x x . .
 *         target: 0 1 1 1     required 2        base 2, target 1: not yet
 */
#include <stdlib.h>
#include "ensure.h"
#include "quorum_room.h"

/* --- life */

struct quorum *quorum_new(const struct quorum_config *config)
{
    struct quorum *quorum = calloc(1, sizeof(*quorum));
    uint32_t buckets = 16;

    ensure(config->operations_max > 0 && config->emit != NULL);
    if (quorum == NULL)
        return NULL;
    while (buckets < config->operations_max && buckets < 1u << 20)
        buckets *= 2;
    quorum->config = *config;
    quorum->bucket_mask = buckets - 1;
    list_init(&quorum->active);
    list_init(&quorum->lingering);
    quorum->buckets = calloc(buckets, sizeof(*quorum->buckets));
    quorum->items = calloc(LIST_LIMIT_MAX, sizeof(*quorum->items));
    if (quorum->buckets == NULL || quorum->items == NULL ||
        pool_init(&quorum->operations, sizeof(struct quorum_op), config->operations_max) !=
            STATUS_OK ||
        pool_init(&quorum->listings, sizeof(struct quorum_listing), LISTS_MAX) != STATUS_OK ||
        pool_init(&quorum->scannings, sizeof(struct quorum_scanning), SCANS_MAX) != STATUS_OK ||
        heap_init(&quorum->timers, config->operations_max) != STATUS_OK) {
        quorum_delete(quorum);
        return NULL;
    }
    for (uint32_t i = 0; i < buckets; i++)
        list_init(&quorum->buckets[i]);
    return quorum;
}

static void quorum_drop(struct quorum *quorum, struct list *ops)
{
    list_for_each_safe (ops, link) {
        struct quorum_op *op = list_entry(link, struct quorum_op, in_active);

        quorum_op_unlink(quorum, op);
        quorum_op_free(quorum, op);
    }
}

void quorum_delete(struct quorum *quorum)
{
    if (quorum == NULL)
        return;
    quorum_drop(quorum, &quorum->active);
    quorum_drop(quorum, &quorum->lingering);
    heap_close(&quorum->timers);
    pool_close(&quorum->listings);
    pool_close(&quorum->scannings);
    pool_close(&quorum->operations);
    free(quorum->items);
    free(quorum->buckets);
    free(quorum);
}

static struct list *quorum_bucket(const struct quorum *quorum, uint64_t id)
{
    /* Ids are our own counters: multiplying spreads them, no secret is needed. */
    return &quorum->buckets[id * 0x9e3779b97f4a7c15u >> 40 & quorum->bucket_mask];
}

/* Tells whether an operation goes by this id: in flight, or waiting for stragglers. */
static bool quorum_has(const struct quorum *quorum, uint64_t id)
{
    list_for_each (quorum_bucket(quorum, id), link)
        if (list_entry(link, struct quorum_op, in_bucket)->id == id)
            return true;
    return false;
}

struct quorum_op *quorum_op_take(struct quorum *quorum, enum quorum_kind kind, uint64_t id,
                                 instant deadline)
{
    struct quorum_op *op;

    ensure(id != 0 && !quorum_has(quorum, id));
    op = pool_take(&quorum->operations);
    if (op == NULL && !list_is_empty(&quorum->lingering)) {
        quorum_put_end(quorum, list_entry(quorum->lingering.next, struct quorum_op, in_active));
        op = pool_take(&quorum->operations);
    }
    if (op == NULL)
        return NULL;
    op->kind = kind;
    op->id = id;
    op->deadline = deadline;
    op->hedge = INSTANT_NEVER;
    list_init(&op->in_bucket);
    list_init(&op->in_active);
    list_push_back(quorum_bucket(quorum, id), &op->in_bucket);
    list_push_back(&quorum->active, &op->in_active);
    quorum_timer_set(quorum, op);
    return op;
}

void quorum_op_unlink(struct quorum *quorum, struct quorum_op *op)
{
    list_remove(&op->in_bucket);
    list_remove(&op->in_active);
    heap_remove(&quorum->timers, &op->timer);
}

void quorum_op_free(struct quorum *quorum, struct quorum_op *op)
{
    ensure(list_is_empty(&op->in_active));
    blob_drop(&op->merged);
    blob_drop(&op->wanted);
    if (op->listing != NULL) {
        quorum_pages_drop(quorum, op->listing->pages, op->listing->peer_count);
        pool_give(&quorum->listings, op->listing);
        op->listing = NULL;
    }
    if (op->scanning != NULL) {
        quorum_pages_drop(quorum, op->scanning->pages, SET_MAX);
        pool_give(&quorum->scannings, op->scanning);
        op->scanning = NULL;
    }
    pool_give(&quorum->operations, op);
}

struct quorum_op *quorum_op_find(const struct quorum *quorum, enum quorum_kind kind, uint64_t id)
{
    list_for_each (quorum_bucket(quorum, id), link) {
        struct quorum_op *op = list_entry(link, struct quorum_op, in_bucket);

        if (op->id == id && op->kind == kind)
            return op;
    }
    return NULL;
}

void quorum_timer_set(struct quorum *quorum, struct quorum_op *op)
{
    heap_set(&quorum->timers, &op->timer, instant_min(op->deadline, op->hedge));
}

void quorum_cancel(struct quorum *quorum, uint64_t id)
{
    for (unsigned kind = QUORUM_PUT; kind <= QUORUM_SCAN; kind++) {
        struct quorum_op *op = quorum_op_find(quorum, (enum quorum_kind)kind, id);

        if (op != NULL && !op->is_told) {
            quorum_op_unlink(quorum, op);
            quorum_op_free(quorum, op);
        }
    }
}

uint32_t quorum_count(const struct quorum *quorum)
{
    return pool_used(&quorum->operations) - quorum->lingering_count;
}

/* --- counting */

uint8_t quorum_required(enum consistency consistency, uint8_t count)
{
    switch (consistency) {
    case CONSISTENCY_ONE:
        return count > 0 ? 1 : 0;
    case CONSISTENCY_DEFAULT:
    case CONSISTENCY_QUORUM:
        return count > 0 ? (uint8_t)(count / 2 + 1) : 0;
    case CONSISTENCY_ALL:
        return count;
    }
    ensure_unreachable();
}

void quorum_op_fill(struct quorum_op *op, const struct quorum_request *request)
{
    ensure(request->owner_count <= SET_MAX);
    ensure(request->ns.size <= NS_SIZE_MAX && request->key.size <= ROW_NAME_SIZE_MAX);
    op->base_required = quorum_required(request->consistency, request->base_count);
    op->target_required = quorum_required(request->consistency, request->target_count);
    op->base_count = request->base_count;
    op->target_count = request->target_count;
    op->part_count = request->owner_count;
    for (unsigned i = 0; i < request->owner_count; i++) {
        op->parts[i] = (struct quorum_part){.owner = request->owners[i], .state = PART_IDLE};
        if (!request->owners[i].is_reachable && !request->owners[i].is_self) {
            op->parts[i].state = PART_REFUSED;
            op->parts[i].status = STATUS_UNREACHABLE;
        }
    }
    op->ns_size = (uint8_t)request->ns.size;
    op->key_size = (uint16_t)request->key.size;
    if (request->ns.size > 0)
        memcpy(op->ns, request->ns.data, request->ns.size);
    if (request->key.size > 0)
        memcpy(op->key, request->key.data, request->key.size);
}

bool quorum_request_is_possible(const struct quorum_request *request, bool is_local)
{
    uint8_t base = 0, target = 0;

    for (unsigned i = 0; i < request->owner_count; i++) {
        const struct quorum_owner *owner = &request->owners[i];

        if (owner->is_self ? !is_local : !owner->is_reachable)
            continue;
        base = (uint8_t)(base + owner->is_base);
        target = (uint8_t)(target + owner->is_target);
    }
    return base >= quorum_required(request->consistency, request->base_count) &&
           target >= quorum_required(request->consistency, request->target_count);
}

struct quorum_part *quorum_part_find(struct quorum_op *op, uint64_t id8)
{
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].owner.id8 == id8)
            return op->parts[i].state == PART_ASKED ? &op->parts[i] : NULL;
    return NULL;
}

static bool quorum_is_refusal(enum status status)
{
    static const enum status refusals[] = {STATUS_NO_SPACE,  STATUS_READ_ONLY,  STATUS_OVERLOAD,
                                           STATUS_FULL,      STATUS_MEMORY,     STATUS_TOO_LARGE,
                                           STATUS_BAD,       STATUS_LAYOUT,     STATUS_NOT_OWNER,
                                           STATUS_NOT_READY, STATUS_UNSUPPORTED};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (refusals[i] == status)
            return true;
    return false;
}

void quorum_part_end(struct quorum_part *part, enum status status)
{
    ensure(part->state == PART_ASKED);
    part->status = status;
    part->state = PART_FAILED;
    if (status == STATUS_OK)
        part->state = PART_ANSWERED;
    else if (quorum_is_refusal(status))
        part->state = PART_REFUSED;
}

uint8_t quorum_op_reach(const struct quorum_op *op, bool is_target, unsigned states)
{
    uint8_t count = 0;

    for (unsigned i = 0; i < op->part_count; i++) {
        const struct quorum_part *part = &op->parts[i];
        bool is_member = is_target ? part->owner.is_target : part->owner.is_base;

        if (is_member && (states >> part->state & 1) != 0)
            count++;
    }
    return count;
}

bool quorum_op_suffices(const struct quorum_op *op, unsigned states)
{
    return quorum_op_reach(op, false, states) >= op->base_required &&
           quorum_op_reach(op, true, states) >= op->target_required;
}

/* --- telling */

/* A disagreement about placement can be mended by asking again, so it goes before all else; a
 * refusal says more than silence. */
enum status quorum_op_failure(const struct quorum_op *op)
{
    static const enum status order[] = {STATUS_LAYOUT, STATUS_NO_SPACE, STATUS_READ_ONLY,
                                        STATUS_OVERLOAD};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (unsigned k = 0; k < op->part_count; k++) {
            enum status status = op->parts[k].status;

            if (status == order[i] || (status == STATUS_NOT_OWNER && order[i] == STATUS_LAYOUT))
                return order[i];
        }
    return STATUS_UNREACHABLE;
}

/* Lists who answered and who failed. After success owners nobody waited for are left out; after a
 * failure they are the ones who were silent. */
static uint8_t quorum_roles(const struct quorum_op *op, bool is_success,
                            struct quorum_role roles[SET_MAX])
{
    uint8_t count = 0;

    for (unsigned i = 0; i < op->part_count; i++) {
        const struct quorum_part *part = &op->parts[i];
        struct quorum_role role = {.id8 = part->owner.id8, .status = part->status};

        switch (part->state) {
        case PART_IDLE:
        case PART_ASKED:
            if (is_success)
                continue;
            role.status = STATUS_DEADLINE;
            break;
        case PART_ANSWERED:
            role.is_answered = true;
            break;
        case PART_REFUSED:
        case PART_FAILED:
            if (is_success && (part->status == STATUS_UNREACHABLE || part->owner.is_self))
                continue;
            break;
        }
        roles[count++] = role;
    }
    return count;
}

void quorum_op_tell(struct quorum *quorum, const struct quorum_op *op, enum status status,
                    enum outcome outcome)
{
    struct quorum_role roles[SET_MAX];
    struct quorum_output output = {.kind = QUORUM_DONE, .id = op->id, .status = status};

    output.outcome = outcome;
    output.ns = slice_of(op->ns, op->ns_size);
    output.key = slice_of(op->key, op->key_size);
    output.total = op->part_count;
    output.required = op->base_required;
    output.gc = op->gc;
    if (op->target_required > output.required)
        output.required = op->target_required;
    output.role_count = quorum_roles(op, status == STATUS_OK, roles);
    output.roles = roles;
    for (unsigned i = 0; i < op->part_count; i++) {
        bool is_answered = op->parts[i].state == PART_ANSWERED;

        if (is_answered)
            output.acks++;
        else if (op->parts[i].state != PART_ASKED && !op->parts[i].owner.is_self)
            output.lacking++;
    }
    if (status == STATUS_OK)
        output.object = blob_slice(op->merged);
    output.search = op->search;
    output.is_settled = op->kind == QUORUM_GET && quorum_get_is_settled(op);
    if (status == STATUS_OK && op->scanning != NULL) {
        output.item_count = op->scanning->row_count;
        output.is_truncated = op->scanning->is_truncated;
        output.reach = op->scanning->reach;
        output.apart = op->scanning->apart;
    }
    quorum->config.emit(quorum->config.context, &output);
}

/* --- what happens without being asked */

void quorum_peer_lost(struct quorum *quorum, instant now, uint64_t id8)
{
    list_for_each_safe (&quorum->lingering, link)
        quorum_put_lost(quorum, now, list_entry(link, struct quorum_op, in_active), id8);
    list_for_each_safe (&quorum->active, link) {
        struct quorum_op *op = list_entry(link, struct quorum_op, in_active);

        switch (op->kind) {
        case QUORUM_PUT:
            quorum_put_lost(quorum, now, op, id8);
            break;
        case QUORUM_GET:
            quorum_get_lost(quorum, now, op, id8);
            break;
        case QUORUM_LIST:
            quorum_list_lost(quorum, op, id8);
            break;
        case QUORUM_SCAN:
            quorum_scan_lost(quorum, now, op, id8);
            break;
        }
    }
}

void quorum_expire(struct quorum *quorum, instant now)
{
    while (instant_is_due(heap_deadline(&quorum->timers), now)) {
        struct quorum_op *op = (struct quorum_op *)(void *)heap_first(&quorum->timers);

        switch (op->kind) {
        case QUORUM_PUT:
            quorum_put_expire(quorum, now, op);
            break;
        case QUORUM_GET:
            quorum_get_expire(quorum, now, op);
            break;
        case QUORUM_LIST:
            quorum_list_expire(quorum, op);
            break;
        case QUORUM_SCAN:
            quorum_scan_expire(quorum, now, op);
            break;
        }
    }
}

instant quorum_deadline(const struct quorum *quorum)
{
    return heap_deadline(&quorum->timers);
}

_Static_assert(offsetof(struct quorum_op, timer) == 0, "a timer is its operation");
_Static_assert(LIST_PEERS_MAX <= UINT8_MAX, "counts in an output are one byte");
