/* edge_cluster.c: requests about the peer, the cluster and the ring become ops (api.md 7). */
#include "edge_json.h"
#include "edge_room.h"

static enum edge_verdict edge_cluster_op(struct edge_call *call, enum op_kind kind)
{
    edge_kv_kind(call, kind);
    return VERDICT_OP;
}

enum edge_verdict edge_cluster_self(struct edge_call *call)
{
    return edge_cluster_op(call, OP_SELF);
}

enum edge_verdict edge_cluster_summary(struct edge_call *call)
{
    return edge_cluster_op(call, OP_CLUSTER);
}

enum edge_verdict edge_cluster_metrics(struct edge_call *call)
{
    return edge_cluster_op(call, OP_METRICS);
}

enum edge_verdict edge_cluster_leave(struct edge_call *call)
{
    return edge_cluster_op(call, OP_LEAVE);
}

enum edge_verdict edge_cluster_drain(struct edge_call *call)
{
    call->op->is_on = true;
    return edge_cluster_op(call, OP_DRAIN);
}

enum edge_verdict edge_cluster_undrain(struct edge_call *call)
{
    return edge_cluster_op(call, OP_DRAIN);
}

enum edge_verdict edge_cluster_unblock(struct edge_call *call)
{
    return edge_cluster_op(call, OP_BLOCK);
}

enum edge_verdict edge_cluster_ready(struct edge_call *call)
{
    struct slice value;

    call->slot->is_verbose = edge_query_get(call, "verbose", &value);
    return edge_cluster_op(call, OP_READY);
}

enum edge_verdict edge_cluster_members(struct edge_call *call)
{
    if (edge_query_choice(call, "state", "alive suspect dead left") == -2)
        return VERDICT_FAULT;
    (void)edge_query_get(call, "state", &call->slot->filter);
    call->slot->is_http10 = call->head->is_http10;
    call->slot->is_stream = call->op->is_watch = edge_stream_is_asked(call);
    return edge_cluster_op(call, OP_MEMBERS);
}

enum edge_verdict edge_cluster_member(struct edge_call *call)
{
    call->slot->filter = edge_call_copy(call, call->parts[0]);
    return edge_cluster_op(call, OP_MEMBERS);
}

enum edge_verdict edge_cluster_rtt(struct edge_call *call)
{
    return edge_cluster_op(call, OP_MEMBERS);
}

static bool edge_cluster_timeout(struct edge_call *call)
{
    static const uint32_t range[2] = {10, 60000};

    return edge_query_duration(call, "timeout", range, &call->op->timeout_ms);
}

/* ns and key as query parameters, both needed. */
static bool edge_cluster_target(struct edge_call *call)
{
    struct slice ns;

    if (!edge_query_get(call, "ns", &ns) || !edge_query_get(call, "key", &call->op->key)) {
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "the parameters ns and key are needed");
        return false;
    }
    if (!edge_path_ns(call, ns, &call->op->ns) || !edge_key_check(call, call->op->key))
        return false;
    call->slot->ns = call->op->ns;
    call->slot->key = call->op->key;
    return true;
}

enum edge_verdict edge_cluster_ring(struct edge_call *call)
{
    int verify = edge_query_choice(call, "verify", "false true");

    if (verify == -2 || !edge_cluster_target(call) || !edge_cluster_timeout(call))
        return VERDICT_FAULT;
    call->op->is_verify = verify == 1;
    call->slot->is_verbose = verify == 1;
    return edge_cluster_op(call, OP_LOOKUP);
}

/* 64 hex digits are an id: 32 bytes in op.key, and no namespace. */
static bool edge_cluster_id(struct edge_call *call, struct slice text)
{
    uint8_t id[NODE_ID_SIZE];

    if (text.size != EDGE_ID_TEXT)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0)
            return false;
        id[i / 2] = (uint8_t)(i % 2 ? id[i / 2] << 4 | digit : digit);
    }
    call->op->key = edge_call_copy(call, slice_of(id, sizeof id));
    return true;
}

/* What cannot be undone names its object twice. */
enum edge_verdict edge_cluster_forget(struct edge_call *call)
{
    struct slice confirm;

    if (!edge_query_get(call, "confirm", &confirm) || !slice_equal(confirm, call->parts[0]) ||
        !edge_cluster_id(call, confirm))
        return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                               "the path names 64 hex digits, and confirm repeats them");
    return edge_cluster_op(call, OP_FORGET);
}

enum edge_verdict edge_cluster_overlay(struct edge_call *call)
{
    struct slice id;

    if (!edge_cluster_timeout(call))
        return VERDICT_FAULT;
    if (!edge_query_get(call, "id", &id))
        return edge_cluster_target(call) ? edge_cluster_op(call, OP_OVERLAY) : VERDICT_FAULT;
    if (call->param_count > 1 || !edge_cluster_id(call, id))
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "id is 64 hex digits, and stands alone");
    return edge_cluster_op(call, OP_OVERLAY);
}

/* --- JSON bodies */

enum edge_verdict edge_cluster_join(struct edge_call *call)
{
    return edge_cluster_op(call, OP_JOIN);
}

enum edge_verdict edge_cluster_block(struct edge_call *call)
{
    return edge_cluster_op(call, OP_BLOCK);
}

static bool edge_is_seed_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']' || c == '~';
}

/* Appends one text to the comma separated list; false when it is no seed or name. */
static bool edge_list_add(struct buffer *list, const json_t *item)
{
    const char *text = json_string_value(item);
    size_t size = text ? json_string_length(item) : 0;

    for (size_t i = 0; i < size; i++)
        if (!edge_is_seed_char((uint8_t)text[i]))
            return false;
    return size > 0 && size <= 255 && (list->size == 0 || buffer_append(list, ",", 1)) &&
           buffer_append(list, text, size);
}

/* {"name":["a","b"]} and nothing else becomes "a,b" in op.key, kept in the slot's echo buffer. */
static enum edge_verdict edge_cluster_list(struct edge_call *call, struct slice body,
                                           const char *name, size_t count_min)
{
    json_t *json = edge_json_read(call, body);
    const json_t *items = json_object_get(json, name);
    struct buffer *list = &call->slot->echo;
    bool is_good = json_is_array(items) && json_array_size(items) <= SEEDS_MAX &&
                   json_array_size(items) >= count_min;
    const char *field;
    json_t *value;
    char text[40];

    if (!json)
        return VERDICT_FAULT;
    json_object_foreach(json, field, value)
    {
        if (strcmp(field, name) == 0)
            continue;
        edge_text_copy(text, sizeof text, slice_text(field));
        (void)edge_call_fault(call, PROBLEM_UNKNOWN_PARAMETER, "unknown field \"", text, "\"");
        edge_fault_hint(call->fault, "the body is {\"", name, "\":[...]}", NULL);
        json_decref(json);
        return VERDICT_FAULT;
    }
    for (size_t i = 0; is_good && i < json_array_size(items); i++)
        is_good = edge_list_add(list, json_array_get(items, i));
    json_decref(json);
    if (!is_good)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST, "\"", name,
                               "\" is no list of at most 64 names or addresses");
    call->op->key = slice_of(list->data, list->size);
    return VERDICT_OP;
}

enum edge_verdict edge_cluster_join_body(struct edge_call *call, struct slice body)
{
    return edge_cluster_list(call, body, "seeds", 1);
}

enum edge_verdict edge_cluster_block_body(struct edge_call *call, struct slice body)
{
    return edge_cluster_list(call, body, "peers", 0);
}
