/* GET: ask as many owners as are needed, the best first, and merge what they hold (protocols.md
 * 7.1; Dynamo, DeCandia et al. 2007, section 4.5). Questions carry the digest of the local copy,
 * and an owner with the same state answers with a word, so the usual read moves no value at all.
 *
 *   local copy --digest--> owners --NOT_MODIFIED-----------------> R reached: DONE
 *                             |----object----> merge, R reached: DONE, then repair who is stale
 *                             '----error or silence--> ask the next in order
 *
 * An owner that is slow costs a hedge: one more question. A copy that must not vote (in recovery)
 * still lends what it has: merging cannot make an answer wrong, counting could.
 *
 * A session may want dots the answer must know. Then counting is not enough: whoever has not been
 * asked is asked, until the dots are there. If every owner has answered and none knows them they
 * were collected, for nothing else makes all owners forget, and what was merged is the answer. */
#include "ensure.h"
#include "quorum_room.h"

static bool digest_equal(const struct hash16 *a, const struct hash16 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* --- asking */

void quorum_get_send(struct quorum *quorum, struct quorum_op *op, struct quorum_part *part)
{
    struct quorum_output output = {.kind = QUORUM_SEND_GET, .id = op->id};

    part->state = PART_ASKED;
    output.to = part->owner.id8;
    output.deadline = op->deadline;
    output.ns = slice_of(op->ns, op->ns_size);
    output.key = slice_of(op->key, op->key_size);
    output.digest = op->local_digest;
    quorum->config.emit(quorum->config.context, &output);
}

/* --- ending */

static void get_repair(struct quorum *quorum, const struct quorum_op *op)
{
    struct quorum_output output = {.deadline = op->deadline, .gc = op->gc};

    output.ns = slice_of(op->ns, op->ns_size);
    output.key = slice_of(op->key, op->key_size);
    output.object = blob_slice(op->merged);
    for (unsigned i = 0; i < op->part_count; i++) {
        const struct quorum_part *part = &op->parts[i];

        if (part->owner.is_self) {
            if (digest_equal(&op->local_digest, &op->merged_digest))
                continue;
            output.kind = QUORUM_REPAIR_LOCAL;
            output.id = op->id;
        } else {
            if (part->state != PART_ANSWERED || digest_equal(&part->digest, &op->merged_digest))
                continue;
            output.kind = QUORUM_SEND_PUT;
            output.id = 0;
        }
        output.to = part->owner.id8;
        quorum->config.emit(quorum->config.context, &output);
    }
}

static void get_finish(struct quorum *quorum, struct quorum_op *op, enum status status)
{
    quorum_op_unlink(quorum, op);
    quorum_op_tell(quorum, op, status, OUTCOME_NONE);
    if (status == STATUS_OK)
        get_repair(quorum, op);
    quorum_op_free(quorum, op);
}

bool quorum_get_is_settled(const struct quorum_op *op)
{
    uint8_t base = 0, target = 0;

    for (unsigned i = 0; i < op->part_count; i++) {
        const struct quorum_part *part = &op->parts[i];

        if (part->state != PART_ANSWERED || !digest_equal(&part->digest, &op->merged_digest))
            continue;
        base = (uint8_t)(base + part->owner.is_base);
        target = (uint8_t)(target + part->owner.is_target);
    }
    return base >= quorum_required(CONSISTENCY_QUORUM, op->base_count) &&
           target >= quorum_required(CONSISTENCY_QUORUM, op->target_count);
}

/* Counting is done and what a session wants is missing: asks whoever is left. */
static void get_search(struct quorum *quorum, struct quorum_op *op)
{
    bool is_open = false, is_everybody = true;

    op->search = QUORUM_SEARCHED;
    for (unsigned i = 0; i < op->part_count; i++) {
        if (op->parts[i].state == PART_IDLE)
            quorum_get_send(quorum, op, &op->parts[i]);
        is_open |= op->parts[i].state == PART_ASKED;
        is_everybody &= op->parts[i].state == PART_ANSWERED;
    }
    if (is_everybody)
        op->search = QUORUM_NOWHERE;
    if (is_everybody)
        get_finish(quorum, op, STATUS_OK);
    else if (!is_open)
        get_finish(quorum, op, STATUS_SESSION_BEHIND);
}

static void get_judge(struct quorum *quorum, instant now, struct quorum_op *op)
{
    if (quorum_op_suffices(op, 1u << PART_ANSWERED)) {
        if (op->is_covered)
            get_finish(quorum, op, STATUS_OK);
        else
            get_search(quorum, op);
        return;
    }
    quorum_ask(quorum, now, op);
    if (!quorum_op_suffices(op, 1u << PART_ANSWERED | 1u << PART_ASKED))
        get_finish(quorum, op, quorum_op_failure(op));
}

/* --- beginning */

/* Looks whether what was merged knows what is wanted. */
static void get_cover(struct quorum_op *op, const struct crdt_object *merged)
{
    struct slice wanted = blob_slice(op->wanted);
    struct dot dots[SESSION_ENTRIES_MAX];

    if (wanted.size > 0)
        memcpy(dots, wanted.data, wanted.size);
    op->is_covered = crdt_object_covers(merged, dots, (unsigned)(wanted.size / sizeof(struct dot)));
}

/* Reads the local copy. One that does not decode neither votes nor lends; the digest of nothing
 * then makes the others send theirs, and the repair mends ours. */
static enum status get_local(struct quorum *quorum, struct quorum_op *op,
                             const struct quorum_request *request)
{
    bool is_counted = request->is_local_counted;

    ensure(request->wanted_count <= SESSION_ENTRIES_MAX);
    if (request->wanted_count > 0) {
        op->wanted = blob_copy(
            slice_of((const uint8_t *)request->wanted, request->wanted_count * sizeof(struct dot)));
        if (op->wanted == NULL)
            return STATUS_MEMORY;
    }
    if (crdt_object_decode(request->object, &quorum->a) != STATUS_OK) {
        is_counted = false;
    } else if (request->object.size > 0) {
        op->merged = blob_copy(request->object);
        if (op->merged == NULL)
            return STATUS_MEMORY;
    }
    op->local_digest = op->merged_digest = crdt_object_digest(&quorum->a);
    get_cover(op, &quorum->a);
    for (unsigned i = 0; i < op->part_count; i++) {
        struct quorum_part *part = &op->parts[i];

        if (!part->owner.is_self)
            continue;
        part->digest = op->local_digest;
        part->state = is_counted ? PART_ANSWERED : PART_FAILED;
        part->status = is_counted ? STATUS_OK : STATUS_RECOVERING;
    }
    return STATUS_OK;
}

enum status quorum_get(struct quorum *quorum, instant now, const struct quorum_request *request)
{
    struct quorum_op *op;
    enum status status;

    if (request->deadline <= now)
        return STATUS_DEADLINE;
    if (!quorum_request_is_possible(request, request->is_local_counted))
        return STATUS_UNREACHABLE;
    op = quorum_op_take(quorum, QUORUM_GET, request->id, request->deadline);
    if (op == NULL)
        return STATUS_OVERLOAD;
    quorum_op_fill(op, request);
    op->gc = request->gc;
    status = get_local(quorum, op, request);
    if (status != STATUS_OK) {
        quorum_op_unlink(quorum, op);
        quorum_op_free(quorum, op);
        return status;
    }
    get_judge(quorum, now, op);
    return STATUS_OK;
}

/* --- answers */

/* Joins one owner's state into what is read so far. OK; BAD, CORRUPT, TOO_LARGE, MEMORY: its answer
 * cannot be used, and nothing changed. */
static enum status get_merge(struct quorum *quorum, struct quorum_op *op, struct slice bytes,
                             struct hash16 *digest)
{
    enum status status = crdt_object_decode(bytes, &quorum->b);
    struct blob *merged;
    struct writer out;

    if (status != STATUS_OK)
        return status;
    *digest = crdt_object_digest(&quorum->b);
    if (digest_equal(digest, &op->merged_digest))
        return STATUS_OK;
    status = crdt_object_decode(blob_slice(op->merged), &quorum->a);
    ensure(status == STATUS_OK);
    status = crdt_object_merge(&quorum->a, &quorum->b);
    if (status != STATUS_OK)
        return status;
    merged = blob_new(crdt_object_size(&quorum->a));
    if (merged == NULL)
        return STATUS_MEMORY;
    out = writer_over(merged->data, merged->size);
    status = crdt_object_encode(&quorum->a, &out);
    ensure(status == STATUS_OK);
    blob_drop(&op->merged);
    op->merged = merged;
    op->merged_digest = crdt_object_digest(&quorum->a);
    get_cover(op, &quorum->a);
    return STATUS_OK;
}

void quorum_get_answer(struct quorum *quorum, instant now, uint64_t id,
                       const struct quorum_answer *answer)
{
    struct quorum_op *op = quorum_op_find(quorum, QUORUM_GET, id);
    struct quorum_part *part = op != NULL ? quorum_part_find(op, answer->from) : NULL;
    enum status status = answer->status;
    struct hash16 digest = {{0}};

    if (part == NULL)
        return;
    if (status == STATUS_OK) {
        status = get_merge(quorum, op, answer->object, &digest);
        op->gc = answer->gc < op->gc ? answer->gc : op->gc;
    } else if (status == STATUS_NOT_MODIFIED) {
        digest = op->local_digest;
        status = STATUS_OK;
    } else if (status == STATUS_MISSING) {
        status = STATUS_OK;
    }
    part->digest = digest;
    quorum_part_end(part, status);
    get_judge(quorum, now, op);
}

void quorum_get_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8)
{
    struct quorum_part *part = quorum_part_find(op, id8);

    if (part == NULL)
        return;
    quorum_part_end(part, STATUS_CLOSED);
    get_judge(quorum, now, op);
}

void quorum_get_expire(struct quorum *quorum, instant now, struct quorum_op *op)
{
    if (instant_is_due(op->deadline, now)) {
        bool is_counted = quorum_op_suffices(op, 1u << PART_ANSWERED);

        get_finish(quorum, op, is_counted ? STATUS_SESSION_BEHIND : STATUS_DEADLINE);
        return;
    }
    quorum_ask_slow(quorum, now, op);
}
