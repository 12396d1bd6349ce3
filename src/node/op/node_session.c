/* node_session.c: the coordinator's side of sessions (protocols.md 5.3; decision 0013). The token
 * arrives with the request, tells how the read must be made and above which stamp a write goes, and
 * leaves with the answer, richer by what the client was shown.
 *
 *   Gossamer-Session --edge--> OP, field 12 --owner--> wanted dots, strength --> quorum read
 *                                                        |  owners that answer are behind
 *                                    wait a moment, again <'   until the deadline: SESSION_BEHIND
 *
 * An owner that coordinates for another edge waits only a part of the time it is given, so that the
 * edge can ask the next owner: one that is cut off from who knows must not hold the reader. */
#include "node_impl.h"
#include "node_parts.h"

#define SESSION_WAIT_MIN INSTANT_MS(20)  /* between two tries; what is behind catches up in ms */
#define SESSION_WAIT_MAX INSTANT_MS(320) /* and is not asked more often than this in the end */
#define SESSION_SHARE 4 /* of the time left: less than the third an edge gives one owner */

static uint64_t session_row(struct node *node, const struct op *op)
{
    return crdt_session_row(node->founding.hash_seed, op->ns, op->key);
}

/* Until when a coordinator waits for owners that are behind. */
static instant session_until(const struct node_task *task)
{
    if (task->kind == TASK_CLIENT)
        return task->deadline;
    return task->started + (task->deadline - task->started) / SESSION_SHARE;
}

/* Lets a quorum read ask for what the session wants; `dots` lives as long as the request. OK;
 * SESSION: the token is none. */
enum status node_session_read(struct node *node, struct node_task *task,
                              struct quorum_request *request, struct dot *dots)
{
    struct crdt_session session;
    uint64_t row;
    enum crdt_strength strength;

    task->is_raised = false;
    if (task->op.session.size == 0)
        return STATUS_OK;
    if (crdt_session_decode(task->op.session, node->founding.hash_seed, &session) != STATUS_OK)
        return STATUS_SESSION;
    row = session_row(node, &task->op);
    request->wanted = dots;
    request->wanted_count = crdt_session_wanted(&session, row, dots);
    strength = crdt_session_strength(&session, row);
    if (strength == CRDT_STRENGTH_ALL && request->consistency != CONSISTENCY_ALL) {
        request->consistency = CONSISTENCY_ALL;
        task->is_raised = true;
    }
    if (strength == CRDT_STRENGTH_QUORUM && request->consistency == CONSISTENCY_ONE) {
        request->consistency = CONSISTENCY_QUORUM;
        task->is_raised = true;
    }
    if (task->is_raised || request->wanted_count > 0)
        request->deadline = instant_min(request->deadline, session_until(task));
    return STATUS_OK;
}

/* Raises the stamp a write must exceed to what its session has seen. */
enum status node_session_above(struct node *node, const struct op *op, uint64_t *above)
{
    struct crdt_session session;

    if (op->session.size == 0)
        return STATUS_OK;
    if (crdt_session_decode(op->session, node->founding.hash_seed, &session) != STATUS_OK)
        return STATUS_SESSION;
    *above = session.clock > *above ? session.clock : *above;
    return STATUS_OK;
}

/* A read that ended with `status`: tells whether only the session made it fail, and then tries
 * again a moment later, or gives up. The task may be over when it returns true. */
bool node_session_waits(struct node *node, struct node_task *task, enum status status)
{
    instant pause = SESSION_WAIT_MIN << (task->waits < 4 ? task->waits : 4);
    bool is_behind = status == STATUS_SESSION_BEHIND ||
                     (task->is_raised && status == STATUS_UNREACHABLE) ||
                     (status == STATUS_DEADLINE && (task->is_raised || node->now < task->deadline));

    if (task->op.session.size == 0 || !is_behind)
        return false;
    task->is_behind = true;
    if (node->now + pause >= session_until(task)) {
        node_trace(node, TRACE_SESSION_BEHIND, task->hash_front, task->waits, 0);
        metric_add(&node->metrics, METRIC_SESSION_BEHIND, 1);
        node_task_fail(node, task, STATUS_SESSION_BEHIND);
        return true;
    }
    task->waits++;
    node_trace(node, TRACE_SESSION_WAITS, task->hash_front, task->waits, 0);
    node_task_pause_for(node, task, instant_min(pause, SESSION_WAIT_MAX));
    return true;
}

/* An owner we forwarded to is behind. Reads go on to the next owner; a write was refused. */
bool node_session_elsewhere(struct node *node, struct node_task *task, enum status status)
{
    if (status != STATUS_SESSION_BEHIND || task->op.kind != OP_GET)
        return false;
    task->is_behind = true;
    node_task_begin(node, task);
    return true;
}

/* No owner is left to forward to: when they were behind, asks all of them once more. */
bool node_session_restarts(struct node *node, struct node_task *task)
{
    if (!task->is_behind || task->op.kind != OP_GET)
        return false;
    task->tries = 0;
    node_task_pause_for(node, task, SESSION_WAIT_MIN);
    return true;
}

static void session_told(struct node *node, const struct quorum_output *done,
                         const struct node_task *task)
{
    if (done->search == QUORUM_AT_HAND)
        return;
    node_trace(node,
               done->search == QUORUM_NOWHERE ? TRACE_SESSION_COLLECTED : TRACE_SESSION_SEARCHED,
               task->hash_front, done->acks, 0);
    metric_add(&node->metrics, METRIC_SESSION_SEARCHED, 1);
}

static void session_put(struct node *node, const struct crdt_session *session, struct slice *text)
{
    struct writer out = writer_over(effects_alloc(node->fx, SESSION_SIZE_MAX), SESSION_SIZE_MAX);

    if (crdt_session_encode(session, node->founding.hash_seed, &out) == STATUS_OK)
        *text = writer_done(&out);
}

/* Puts the next token into an outcome of this coordinator: `done` is what quorum said, NULL when
 * the write was refused after its read, which was shown all the same. */
void node_session_next(struct node *node, struct node_task *task, const struct quorum_output *done,
                       struct node_outcome *outcome)
{
    const struct op *op = &task->op;
    struct crdt_object *object = &node->object_a;
    struct crdt_session session;
    bool is_stored = done && task->step == STEP_WRITE, is_whole = true;
    struct slice bytes = done && !is_stored ? done->object : blob_slice(task->object);

    if (op->session.size == 0 || (done && done->status != STATUS_OK) ||
        crdt_session_decode(op->session, node->founding.hash_seed, &session) != STATUS_OK ||
        crdt_object_decode(bytes, object) != STATUS_OK)
        return;
    if (done)
        session_told(node, done, task);
    if (is_stored && task->dot.stamp != 0)
        is_whole = crdt_session_wrote(&session, session_row(node, op), task->dot, object,
                                      op->consistency != CONSISTENCY_ONE);
    else
        is_whole = crdt_session_shown(
            &session, session_row(node, op), object,
            done && (done->is_settled || (is_stored && op->consistency != CONSISTENCY_ONE)));
    if (!is_whole)
        node_trace(node, TRACE_SESSION_FULL, task->hash_front, session.strength, 0);
    session_put(node, &session, &outcome->session);
}

/* The next token of a write that an earlier try carried out under `dot`. */
void node_session_replayed(struct node *node, struct node_task *task, struct dot dot,
                           struct node_outcome *outcome)
{
    const struct op *op = &task->op;
    struct crdt_session session;

    if (op->session.size == 0 ||
        crdt_session_decode(op->session, node->founding.hash_seed, &session) != STATUS_OK)
        return;
    crdt_object_clear(&node->object_a);
    (void)crdt_session_wrote(&session, session_row(node, op), dot, &node->object_a, true);
    session_put(node, &session, &outcome->session);
}

/* Tells whether a request names no session or one of ours. */
bool node_session_is_good(struct node *node, const struct op *op)
{
    return op->session.size == 0 || node_session_same(node, op).size > 0;
}

/* The token of an answer that taught the session nothing, as it came; empty: it was none. */
struct slice node_session_same(struct node *node, const struct op *op)
{
    struct crdt_session session;
    struct slice text = SLICE_NONE;

    if (op->session.size > 0 && node->is_founded &&
        crdt_session_decode(op->session, node->founding.hash_seed, &session) == STATUS_OK)
        session_put(node, &session, &text);
    return text;
}
