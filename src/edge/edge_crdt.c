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
    if (changes->count != 1 || (path.size && op->shows)) {
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

/* --- reading */

/* "n2." and the last path in base64url. */
static bool crdt_cursor(struct edge_call *call)
{
    struct slice next, start;
    bool has_next = edge_query_get(call, "next", &next);
    bool has_start = edge_query_get(call, "start_after", &start);

    if (has_next && (next.size <= 3 || memcmp(next.data, "n2.", 3) != 0 ||
                     !edge_base64_decode(&call->slot->text, slice_of(next.data + 3, next.size - 3),
                                         &call->op->after) ||
                     call->op->after.size > PATH_SIZE_MAX))
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "next is not what a page gave");
    else if (has_start && (start.size == 0 || start.size > KEY_SIZE_MAX || !edge_is_utf8(start)))
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "start_after is a member or a field");
    else if (has_next && has_start)
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "next and start_after exclude each other");
    else {
        call->op->body = has_start ? start : SLICE_NONE;
        return true;
    }
    return false;
}

/* `key 0 path` in the slot's echo buffer; of a field only the path. */
static bool crdt_place(struct edge_call *call, enum value_type type, struct slice text,
                       struct slice *name)
{
    struct buffer *echo = &call->slot->echo;
    uint8_t zero = 0, kind = (uint8_t)type;
    bool is_member = type == TYPE_SET;

    if (text.size == 0 || text.size > KEY_SIZE_MAX || !edge_is_utf8(text)) {
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "a member or field is 1 to 1024 bytes of UTF-8 without control "
                              "characters");
        return false;
    }
    if (!(is_member ? buffer_append(echo, call->op->key.data, call->op->key.size) &&
                          buffer_append(echo, &zero, 1)
                    : true) ||
        !buffer_append(echo, &kind, 1) || !buffer_append(echo, text.data, text.size) ||
        !(is_member || buffer_append(echo, &zero, 1))) {
        (void)edge_call_fault(call, PROBLEM_OVERLOADED, "no memory for the request");
        return false;
    }
    *name = slice_of(echo->data, echo->size);
    return true;
}

enum edge_verdict edge_crdt_get(struct edge_call *call)
{
    struct slice member, field;
    bool has_member = edge_query_get(call, "member", &member);
    bool has_field = edge_query_get(call, "field", &field);

    edge_kv_kind(call, has_member ? OP_GET : OP_COLLECTION);
    call->op->limit = call->slot->limit = 1000;
    if (!edge_kv_target(call) ||
        !edge_query_number(call, "limit", LIST_LIMIT_MAX, &call->op->limit) || !crdt_cursor(call))
        return VERDICT_FAULT;
    if (has_member && (has_field || call->param_count > 1))
        for (unsigned i = 0; i < call->param_count; i++)
            if (!slice_equal(call->params[i].name, slice_text("member")) &&
                !slice_equal(call->params[i].name, slice_text("consistency")) &&
                !slice_equal(call->params[i].name, slice_text("timeout")))
                return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                                       "member stands alone: it asks about one");
    if (has_member && !crdt_place(call, TYPE_SET, member, &call->op->key))
        return VERDICT_FAULT;
    if (has_field && !crdt_place(call, TYPE_MAP, field, &call->op->prefix))
        return VERDICT_FAULT;
    call->slot->form = has_member ? FORM_ONE : has_field ? FORM_ALL : FORM_PLAIN;
    call->slot->filter = has_field ? field : SLICE_NONE;
    call->slot->limit = call->op->limit;
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
    call->op->is_many = true; /* what is in a set or map goes first */
    if (!edge_query_get(call, "type", &name))
        return VERDICT_OP;
    if (edge_type_find(name) == TYPE_COUNT)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "no type has this name");
    if (call->op->context.size)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "type and a context exclude each other");
    call->op->type = (uint8_t)edge_type_find(name);
    call->op->is_many = call->op->type == TYPE_SET || call->op->type == TYPE_MAP;
    return VERDICT_OP;
}
