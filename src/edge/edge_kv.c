/* edge_kv.c: key/value requests become ops (api.md 3). */
#include "edge_room.h"

static const uint32_t EDGE_TIMEOUT_RANGE[2] = {10, REQUEST_TIMEOUT_MAX_MS}; /* ms */

/* consistency and timeout, common to all of them. */
static bool edge_kv_common(struct edge_call *call)
{
    int consistency = edge_query_choice(call, "consistency", "one quorum all");

    if (consistency == -2)
        return false;
    if (consistency >= 0)
        call->op->consistency = (enum consistency)(consistency + CONSISTENCY_ONE);
    return edge_query_duration(call, "timeout", EDGE_TIMEOUT_RANGE, &call->op->timeout_ms);
}

void edge_kv_kind(struct edge_call *call, enum op_kind kind)
{
    call->op->kind = kind;
    call->slot->kind = kind;
}

/* Namespace and key of the path, and what all requests for one key share. */
bool edge_kv_target(struct edge_call *call)
{
    struct edge_slot *slot = call->slot;

    if (!edge_path_ns(call, call->parts[0], &slot->ns) ||
        !edge_path_key(call, call->parts[1], &slot->key) || !edge_kv_common(call) ||
        !edge_condition_parse(call))
        return false;
    call->op->ns = slot->ns;
    call->op->key = slot->key;
    return true;
}

bool edge_kv_context(struct edge_call *call)
{
    struct slice context = call->head->fields[EDGE_FIELD_CONTEXT];

    if (context.size > CONTEXT_SIZE_MAX) {
        (void)edge_call_fault(call, PROBLEM_INVALID_CONTEXT,
                              "Gossamer-Context is longer than 2048 bytes");
        return false;
    }
    call->op->context = edge_call_copy(call, context);
    return true;
}

static bool edge_kv_form(struct edge_call *call)
{
    struct slice value;
    int form = edge_query_choice(call, "siblings", "all");

    if (form == -2)
        return false;
    call->slot->form = form == 0 ? FORM_ALL : FORM_PLAIN;
    call->op->has_siblings = form == 0;
    if (!edge_query_get(call, "sibling", &value))
        return true;
    if (value.size == 13 && value.data[0] == '"' && value.data[12] == '"')
        value = slice_of(value.data + 1, 11);
    if (form == 0 || !edge_etag_parse(value, &call->slot->wanted)) {
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "sibling takes one entity tag, and not together with siblings");
        return false;
    }
    call->slot->form = FORM_ONE;
    return true;
}

enum edge_verdict edge_kv_get(struct edge_call *call)
{
    edge_kv_kind(call, OP_GET);
    return edge_kv_target(call) && edge_kv_form(call) ? VERDICT_OP : VERDICT_FAULT;
}

static bool edge_kv_return(struct edge_call *call)
{
    int choice = edge_query_choice(call, "return", "body");

    call->slot->is_echo = choice == 0;
    return choice != -2;
}

/* What a body is stored with: how long, and its fields. */
static bool edge_kv_meta(struct edge_call *call)
{
    if (!edge_query_ttl(call, &call->op->ttl_ms) || !edge_meta_encode(call, &call->slot->meta))
        return false;
    call->op->meta = call->slot->meta;
    return true;
}

enum edge_verdict edge_kv_put(struct edge_call *call)
{
    edge_kv_kind(call, OP_PUT);
    if (!edge_kv_target(call) || !edge_kv_context(call) || !edge_kv_return(call))
        return VERDICT_FAULT;
    return edge_kv_meta(call) ? VERDICT_OP : VERDICT_FAULT;
}

enum edge_verdict edge_kv_delete(struct edge_call *call)
{
    edge_kv_kind(call, OP_DELETE);
    return edge_kv_target(call) && edge_kv_context(call) ? VERDICT_OP : VERDICT_FAULT;
}

enum edge_verdict edge_kv_post(struct edge_call *call)
{
    char key[EDGE_MADE_KEY_SIZE];
    struct edge_slot *slot = call->slot;

    edge_kv_kind(call, OP_PUT);
    if (!edge_path_ns(call, call->parts[0], &slot->ns) || !edge_kv_common(call) ||
        !edge_kv_return(call) || !edge_kv_meta(call))
        return VERDICT_FAULT;
    if (call->op->idempotency.size > 0)
        edge_same_key(call->op->idempotency, key); /* the retry must find what the first try made */
    else
        edge_made_key(call->edge, key);
    slot->key = edge_call_copy(call, slice_of(key, sizeof key));
    slot->prefix = slot->key; /* a made key is told in Location */
    call->op->ns = slot->ns;
    call->op->key = slot->key;
    return VERDICT_OP;
}

enum edge_verdict edge_kv_body(struct edge_call *call, struct slice body)
{
    call->op->body = body;
    call->slot->body_size = body.size;
    if (call->slot->is_echo && !buffer_append(&call->slot->echo, body.data, body.size))
        return edge_call_fault(call, PROBLEM_OVERLOADED, "no memory for return=body");
    return VERDICT_OP;
}

/* "n1." and the last key in base64url: opaque to clients, valid at any peer. */
static bool edge_kv_cursor(struct edge_call *call)
{
    struct slice next, start_after;
    bool has_next = edge_query_get(call, "next", &next);
    bool has_start = edge_query_get(call, "start_after", &start_after);
    bool is_good =
        !has_next || (next.size > 3 && memcmp(next.data, "n1.", 3) == 0 &&
                      edge_base64_decode(&call->slot->text, slice_of(next.data + 3, next.size - 3),
                                         &call->op->after));

    if (has_start)
        call->op->after = start_after;
    if (has_next && has_start)
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "next and start_after exclude each other");
    else if (!is_good || !edge_is_utf8(call->op->after))
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "next or start_after is not what a listing gave");
    else if (call->op->after.size > KEY_SIZE_MAX)
        (void)edge_call_fault(call, PROBLEM_URI_TOO_LONG, "a key has at most 1024 bytes");
    else
        return true;
    return false;
}

enum edge_verdict edge_kv_list(struct edge_call *call)
{
    struct edge_slot *slot = call->slot;
    struct op *op = call->op;

    edge_kv_kind(call, OP_LIST);
    op->limit = LIST_LIMIT_DEFAULT;
    if (!edge_path_ns(call, call->parts[0], &slot->ns) || !edge_kv_common(call) ||
        !edge_query_number(call, "limit", LIST_LIMIT_MAX, &op->limit) || !edge_kv_cursor(call))
        return VERDICT_FAULT;
    if (edge_query_get(call, "prefix", &op->prefix) && op->prefix.size &&
        !edge_key_check(call, op->prefix))
        return VERDICT_FAULT;
    slot->limit = op->limit;
    slot->prefix = op->prefix;
    op->ns = slot->ns;
    return VERDICT_OP;
}
