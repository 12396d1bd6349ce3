/* PUT: the coordinator's new state goes to every reachable owner at once, the local commit runs
 * beside it, and 2xx waits for W durable acknowledgements, whoever gives them (protocols.md 7.1).
 * Nothing is taken back when W is not reached: the state is merged wherever it arrived and
 * spreads. So what counts afterwards is what can be said about it:
 *
 *      some owner acknowledged                      -> PARTIAL: it will spread
 *      none did, but some may have it               -> UNKNOWN
 *      every owner refused, or was never asked      -> NOT_STORED, for ever
 *
 * Who has not answered when W have is waited for a while longer, behind the client's back: the
 * operation lingers until all have answered or LINGER_US have passed since it was sent, or its
 * place is needed. Then QUORUM_SPREAD names the owners that lack the state: the node remembers them
 * (hint.h).
 */
#include "ensure.h"
#include "quorum_room.h"

#define LINGER_US INSTANT_S(1) /* protocols.md 7.1: after 1 s without an ack */

static void put_send(struct quorum *quorum, const struct quorum_op *op, uint64_t to,
                     struct slice object)
{
    struct quorum_output output = {.kind = QUORUM_SEND_PUT, .id = op->id, .to = to};

    output.deadline = op->deadline;
    output.ns = slice_of(op->ns, op->ns_size);
    output.key = slice_of(op->key, op->key_size);
    output.object = object;
    output.gc = op->gc;
    quorum->config.emit(quorum->config.context, &output);
}

bool quorum_is_possible(const struct quorum_request *request)
{
    return quorum_request_is_possible(request, true);
}

enum status quorum_put(struct quorum *quorum, instant now, const struct quorum_request *request)
{
    struct quorum_op *op;

    if (request->deadline <= now)
        return STATUS_DEADLINE;
    if (!quorum_request_is_possible(request, true))
        return STATUS_UNREACHABLE;
    op = quorum_op_take(quorum, QUORUM_PUT, request->id, request->deadline);
    if (op == NULL)
        return STATUS_OVERLOAD;
    quorum_op_fill(op, request);
    op->gc = request->gc;
    op->sent = now;
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].state == PART_IDLE)
            op->parts[i].state = PART_ASKED;
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].state == PART_ASKED && !op->parts[i].owner.is_self)
            put_send(quorum, op, op->parts[i].owner.id8, request->object);
    return STATUS_OK;
}

static enum outcome put_outcome(const struct quorum_op *op)
{
    enum outcome outcome = OUTCOME_NOT_STORED;

    for (unsigned i = 0; i < op->part_count; i++) {
        enum quorum_state state = op->parts[i].state;

        if (state == PART_ANSWERED)
            return OUTCOME_PARTIAL;
        if (state == PART_ASKED || state == PART_FAILED)
            outcome = OUTCOME_UNKNOWN;
    }
    return outcome;
}

/* Tells whether an answer may still come; of others, or of our own disk, which always speaks. */
static bool put_is_open(const struct quorum_op *op, bool is_own)
{
    for (unsigned i = 0; i < op->part_count; i++)
        if (op->parts[i].state == PART_ASKED && (!is_own || op->parts[i].owner.is_self))
            return true;
    return false;
}

/* Who lacks the state, for the node to remember: only if this peer has it to give. */
static void put_spread(struct quorum *quorum, const struct quorum_op *op)
{
    struct quorum_role lacking[SET_MAX];
    struct quorum_output output = {.kind = QUORUM_SPREAD, .id = op->id, .told = op->told};
    bool is_here = false;

    for (unsigned i = 0; i < op->part_count; i++) {
        const struct quorum_part *part = &op->parts[i];

        if (part->owner.is_self)
            is_here = part->state == PART_ANSWERED;
        else if (part->state != PART_ANSWERED)
            lacking[output.role_count++] =
                (struct quorum_role){.id8 = part->owner.id8, .status = part->status};
    }
    output.ns = slice_of(op->ns, op->ns_size);
    output.key = slice_of(op->key, op->key_size);
    output.roles = lacking;
    if (is_here)
        quorum->config.emit(quorum->config.context, &output);
}

void quorum_put_end(struct quorum *quorum, struct quorum_op *op)
{
    quorum_op_unlink(quorum, op);
    quorum->lingering_count--;
    put_spread(quorum, op);
    quorum_op_free(quorum, op);
}

static void put_finish(struct quorum *quorum, instant now, struct quorum_op *op, enum status status)
{
    enum outcome outcome = status == STATUS_OK ? OUTCOME_NONE : put_outcome(op);

    op->told = now;
    op->is_told = true;
    if (status == STATUS_OK && put_is_open(op, false)) {
        list_remove(&op->in_active);
        list_push_back(&quorum->lingering, &op->in_active);
        quorum->lingering_count++;
        op->deadline = op->sent + LINGER_US;
        quorum_timer_set(quorum, op);
        quorum_op_tell(quorum, op, status, outcome);
        return;
    }
    quorum_op_unlink(quorum, op);
    quorum_op_tell(quorum, op, status, outcome);
    if (status != STATUS_LAYOUT) /* which is tried again, with other owners perhaps */
        put_spread(quorum, op);
    quorum_op_free(quorum, op);
}

/* Tells whether waiting can still turn "unknown" into "certainly not stored": so far everybody
 * refused, and somebody has not spoken. */
static bool put_may_be_definite(const struct quorum_op *op)
{
    bool is_open = false;

    for (unsigned i = 0; i < op->part_count; i++) {
        if (op->parts[i].state != PART_REFUSED && op->parts[i].state != PART_ASKED)
            return false;
        is_open |= op->parts[i].state == PART_ASKED;
    }
    return is_open;
}

/* A put that cannot succeed ends at once, unless a full cluster is about to say so to the last
 * owner. A disagreement about placement does not wait: the node tries again. */
static void put_judge(struct quorum *quorum, instant now, struct quorum_op *op)
{
    if (op->is_told) {
        if (!put_is_open(op, op->deadline == INSTANT_NEVER))
            quorum_put_end(quorum, op);
        return;
    }
    if (quorum_op_suffices(op, 1u << PART_ANSWERED)) {
        put_finish(quorum, now, op, STATUS_OK);
        return;
    }
    if (quorum_op_suffices(op, 1u << PART_ANSWERED | 1u << PART_ASKED))
        return;
    if (quorum_op_failure(op) == STATUS_LAYOUT || !put_may_be_definite(op))
        put_finish(quorum, now, op, quorum_op_failure(op));
}

void quorum_put_ack(struct quorum *quorum, instant now, uint64_t id, uint64_t from,
                    enum status status)
{
    struct quorum_op *op = quorum_op_find(quorum, QUORUM_PUT, id);
    struct quorum_part *part = op != NULL ? quorum_part_find(op, from) : NULL;

    /* Only the store speaks for this peer. */
    if (part == NULL || part->owner.is_self)
        return;
    quorum_part_end(part, status);
    put_judge(quorum, now, op);
}

void quorum_stored(struct quorum *quorum, instant now, uint64_t id, enum status status)
{
    struct quorum_op *op = quorum_op_find(quorum, QUORUM_PUT, id);

    for (unsigned i = 0; op != NULL && i < op->part_count; i++)
        if (op->parts[i].owner.is_self && op->parts[i].state == PART_ASKED) {
            quorum_part_end(&op->parts[i], status);
            put_judge(quorum, now, op);
            return;
        }
}

void quorum_put_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8)
{
    struct quorum_part *part = quorum_part_find(op, id8);

    if (part == NULL || part->owner.is_self)
        return;
    quorum_part_end(part, STATUS_CLOSED);
    put_judge(quorum, now, op);
}

void quorum_put_expire(struct quorum *quorum, instant now, struct quorum_op *op)
{
    bool is_open = quorum_op_suffices(op, 1u << PART_ANSWERED | 1u << PART_ASKED);

    if (!op->is_told) {
        put_finish(quorum, now, op, is_open ? STATUS_DEADLINE : quorum_op_failure(op));
        return;
    }
    op->deadline = INSTANT_NEVER;
    quorum_timer_set(quorum, op);
    put_judge(quorum, now, op);
}
