/* edge_crdt.c: requests for keys of CRDT types become ops (api.md 5). */
#include "edge_crdt.h"

/* One change of one row is an op by itself; several are a list, and the core makes an op of each.
 */
static enum edge_verdict crdt_op(struct edge_changes *changes)
{
    struct edge_call *call = changes->call;
    struct buffer *list = changes->list;
    struct op *op = call->op;
    struct reader in = reader_over(slice_of(list->data, list->size));
    struct slice path;
    uint8_t name[ROW_NAME_SIZE_MAX];
    struct writer out = writer_over(name, sizeof name);
    size_t start = list->size;

    path = read_slice(&in, read_u16(&in));
    op->type = read_u8(&in);
    op->body = read_slice(&in, read_u32(&in));
    call->slot->wanted_type = path.size ? path.data[0] : op->type;
    if (changes->count != 1 || path.size || op->type == TYPE_SET || op->type == TYPE_MAP)
        return edge_call_fault(call, PROBLEM_NOT_IMPLEMENTED, "sets and maps are not built yet");
    if (changes->count != 1) {
        op->is_many = true;
        op->body = slice_of(list->data, list->size);
        return VERDICT_OP;
    }
    if (path.size == 0)
        return VERDICT_OP;
    if (op->type == TYPE_TOMBSTONE && path.data[path.size - 1] == 0) {
        op->is_many = true; /* a field: whatever rows there are of it */
        op->body = slice_of(list->data, list->size);
        return VERDICT_OP;
    }
    write_slice(&out, op->key);
    write_u8(&out, 0);
    write_slice(&out, path);
    if (!buffer_append(list, name, out.size))
        return edge_call_fault(call, PROBLEM_OVERLOADED, "no memory for the update");
    op->key = slice_of(list->data + start, out.size);
    in = reader_over(slice_of(list->data, start)); /* the buffer may have moved */
    (void)read_slice(&in, read_u16(&in));
    (void)read_u8(&in);
    op->body = read_slice(&in, read_u32(&in));
    return VERDICT_OP;
}

enum edge_verdict edge_crdt_post(struct edge_call *call)
{
    struct edge_changes changes = {.call = call, .list = &call->slot->echo};
    int choice = edge_query_choice(call, "return", "body");

    edge_kv_kind(call, OP_UPDATE);
    if (choice == -2 || !edge_kv_target(call) || !edge_kv_context(call))
        return VERDICT_FAULT;
    if (call->op->condition)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                               "If-Match and If-None-Match are for /v1/kv: changes of these types "
                               "need no condition");
    call->op->shows = call->slot->is_echo = choice == 0;
    return edge_crdt_short(&changes) ? VERDICT_OP : VERDICT_FAULT;
}

enum edge_verdict edge_crdt_post_body(struct edge_call *call, struct slice body)
{
    struct edge_changes changes = {.call = call, .list = &call->slot->echo};
    json_t *json;
    bool is_good;

    call->slot->body_size = body.size;
    if (changes.list->size > 0) {
        if (body.size > 0)
            return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                                   "a change stands in the query and another in the body");
        changes.count = 1;
        return crdt_op(&changes);
    }
    json = edge_json_read(call, body);
    if (!json)
        return VERDICT_FAULT;
    is_good = edge_crdt_changes(&changes, json);
    json_decref(json);
    return is_good ? crdt_op(&changes) : VERDICT_FAULT;
}

enum edge_verdict edge_crdt_get(struct edge_call *call)
{
    edge_kv_kind(call, OP_GET);
    if (!edge_kv_target(call))
        return VERDICT_FAULT;
    call->op->has_siblings = true;
    call->slot->wanted_type = TYPE_COUNT; /* any but bytes */
    return VERDICT_OP;
}

enum edge_verdict edge_crdt_delete(struct edge_call *call)
{
    struct slice name;

    edge_kv_kind(call, OP_DELETE);
    if (!edge_kv_target(call) || !edge_kv_context(call))
        return VERDICT_FAULT;
    if (!edge_query_get(call, "type", &name))
        return VERDICT_OP;
    if (edge_type_find(name) == TYPE_COUNT)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "no type has this name");
    if (call->op->context.size)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "type and a context exclude each other");
    call->op->type = (uint8_t)edge_type_find(name);
    return VERDICT_OP;
}
