/* node_record.c: the row that says what became of an idempotent write (node_once.c): its name
 * beside the key, and its two spellings, a claim and a result. */
#include "node_impl.h"
#include "node_parts.h"

#define RECORD_VERSION 1u

/* Names the operation: equal for every try, different for every namespace, key and client token.
 * All clients are one as long as there is one token. */
void node_once_name(struct node *node, struct node_task *task)
{
    struct slice text = task->op.idempotency;
    uint8_t room[4 + NS_SIZE_MAX + KEY_SIZE_MAX + IDEMPOTENCY_SIZE_MAX + 2];
    struct writer out = writer_over(room, sizeof(room));

    if (text.size == 0)
        return;
    write_bytes(&out, "op", 3);
    write_slice(&out, task->op.ns);
    write_u8(&out, 0);
    write_slice(&out, store_name_key(task->op.key));
    write_u8(&out, 0);
    write_slice(&out, text);
    ensure(!out.is_full);
    task->once_name = hash_sip128(node->founding.hash_seed, out.data, out.size);
    task->op.idempotency = slice_of(task->once_name.bytes, sizeof(task->once_name.bytes));
}

/* What must be the same in a retry. */
struct hash16 node_record_body(struct node *node, const struct node_task *task)
{
    const struct op *op = &task->op;
    uint8_t room[2 + 8 + 2 + ROW_NAME_SIZE_MAX + META_SIZE_MAX + sizeof(struct hash16)];
    struct writer out = writer_over(room, sizeof(room));
    struct hash16 body = hash_sip128(node->founding.hash_seed, op->body.data, op->body.size);
    struct slice name = slice_of(op->key.data, op->key.size + task->path_size);

    write_u8(&out, (uint8_t)op->kind);
    write_u8(&out, op->type);
    write_u64(&out, op->ttl_ms);
    write_u16(&out, (uint16_t)name.size);
    write_slice(&out, name);
    write_slice(&out, op->meta);
    write_bytes(&out, body.bytes, sizeof(body.bytes));
    ensure(!out.is_full);
    return hash_sip128(node->founding.hash_seed, room, out.size);
}

struct slice node_record_row(const struct op *op, uint8_t room[NODE_RECORD_NAME_MAX])
{
    struct writer out = writer_over(room, NODE_RECORD_NAME_MAX);

    write_slice(&out, store_name_key(op->key));
    write_u8(&out, 0);
    write_u8(&out, 0);
    write_u8(&out, 'I');
    write_slice(&out, op->idempotency);
    ensure(!out.is_full);
    return writer_done(&out);
}

void node_record_write(struct writer *out, const struct node_record *value)
{
    write_u8(out, RECORD_VERSION);
    write_u8(out, value->is_done);
    write_bytes(out, value->body.bytes, sizeof(value->body.bytes));
    if (!value->is_done) {
        write_u64(out, value->peer);
        write_u64(out, value->boot);
        return;
    }
    write_u64(out, value->dot.actor);
    write_u64(out, value->dot.stamp);
    write_u64(out, value->result.etag);
    write_u64(out, value->result.expires);
    write_u8(out, value->result.is_created);
    write_u8(out, value->result.acks);
    write_u8(out, value->result.required);
    write_u8(out, value->result.total);
    write_slice(out, value->result.context);
}

/* Reads what once_write wrote; the context is a slice into `bytes`. */
bool node_record_read(struct slice bytes, struct node_record *value)
{
    struct reader in = reader_over(bytes);
    bool is_known = read_u8(&in) == RECORD_VERSION;
    struct slice body;

    *value = (struct node_record){.is_done = read_u8(&in) == 1};
    body = read_slice(&in, sizeof(value->body.bytes));
    if (!in.is_bad)
        memcpy(value->body.bytes, body.data, sizeof(value->body.bytes));
    if (!value->is_done) {
        value->peer = read_u64(&in);
        value->boot = read_u64(&in);
        return is_known && reader_is_done(&in);
    }
    value->dot.actor = read_u64(&in);
    value->dot.stamp = read_u64(&in);
    value->result.etag = read_u64(&in);
    value->result.expires = read_u64(&in);
    value->result.is_created = read_u8(&in) == 1;
    value->result.acks = read_u8(&in);
    value->result.required = read_u8(&in);
    value->result.total = read_u8(&in);
    value->result.context = read_slice(&in, reader_left(&in));
    return is_known && !in.is_bad && value->result.context.size <= CONTEXT_SIZE_MAX;
}

/* Keeps a good outcome while its record is written, or while what it shows is read. */
bool node_record_keep(struct node_task *task, const struct node_outcome *outcome)
{
    size_t context = outcome->context.size, session = outcome->session.size;
    struct writer out;

    blob_drop(&task->done);
    task->done = blob_new(sizeof(*outcome) + context + session + outcome->object.size);
    if (!task->done)
        return false;
    out = writer_over(task->done->data, task->done->size);
    write_bytes(&out, outcome, sizeof(*outcome));
    write_slice(&out, outcome->context);
    write_slice(&out, outcome->session);
    write_slice(&out, outcome->object);
    return true;
}

struct node_outcome *node_record_kept(struct node *node, const struct node_task *task)
{
    struct node_outcome *outcome = effects_alloc(node->fx, sizeof(*outcome));
    const uint8_t *rest = task->done->data + sizeof(*outcome);

    memcpy(outcome, task->done->data, sizeof(*outcome));
    outcome->context.data = rest;
    outcome->session.data = rest + outcome->context.size;
    outcome->object.data = rest + outcome->context.size + outcome->session.size;
    return outcome;
}

/* Tells whether an operation writes: it has an outcome, and may have an idempotency key. */
bool node_op_is_write(const struct op *op)
{
    return op->kind == OP_PUT || op->kind == OP_DELETE || op->kind == OP_UPDATE;
}

/* Tells whether an edge may go to another owner when one is silent: doing it twice is doing it
 * once, or the second finds the claim of the first. */
bool node_once_may_repeat(const struct op *op)
{
    return op->idempotency.size > 0 || node_update_is_repeatable(op);
}

/* What may be said of a write that an earlier try may have carried out. */
enum outcome node_once_outcome(const struct op *op, const struct node_outcome *outcome)
{
    static const enum status undecided[] = {STATUS_UNREACHABLE, STATUS_DEADLINE,  STATUS_OVERLOAD,
                                            STATUS_NOT_READY,   STATUS_READ_ONLY, STATUS_NO_SPACE,
                                            STATUS_NOT_OWNER,   STATUS_LAYOUT};

    for (size_t i = 0; op->idempotency.size > 0 && i < sizeof(undecided) / sizeof(undecided[0]);
         i++)
        if (outcome->status == undecided[i] && outcome->outcome == OUTCOME_NOT_STORED)
            return OUTCOME_UNKNOWN;
    return outcome->outcome;
}
