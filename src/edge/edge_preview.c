/* edge_preview.c: /v1/ring/preview: what would move if a peer came, went or changed its weight. */
#include "edge_json.h"
#include "edge_room.h"

/* Appends one change to the packed list in the slot's echo buffer. */
static bool preview_change(struct edge_call *call, struct slice name, uint16_t weight)
{
    uint8_t head[3];
    struct writer out = writer_over(head, sizeof head);

    if (name.size == 0 || name.size > EDGE_ID_TEXT)
        return false;
    write_u16(&out, weight);
    write_u8(&out, (uint8_t)name.size);
    return buffer_append(&call->slot->echo, head, sizeof head) &&
           buffer_append(&call->slot->echo, name.data, name.size);
}

/* A comma separated list: names, or with `has_weight` name:weight. */
static bool preview_list(struct edge_call *call, struct slice list, bool has_weight)
{
    for (size_t from = 0, at = 0; at <= list.size; at++) {
        struct slice item = slice_of(list.data + from, at - from), name = item;
        const uint8_t *colon;
        uint16_t weight = 0;

        if (at < list.size && list.data[at] != ',')
            continue;
        from = at + 1;
        colon = item.size ? memchr(item.data, ':', item.size) : NULL;
        if (has_weight != (colon != NULL))
            return false;
        if (colon) {
            name.size = (size_t)(colon - item.data);
            if (!edge_weight_parse(slice_of(colon + 1, item.size - name.size - 1), &weight))
                return false;
        }
        if (!preview_change(call, name, weight))
            return false;
    }
    return true;
}

enum edge_verdict edge_preview(struct edge_call *call)
{
    struct slice value;
    uint32_t add = 0;
    bool has_add = edge_query_get(call, "add", &value);
    bool is_good = !has_add || (value.size > 0 && value.size <= 2);

    for (size_t i = 0; is_good && has_add && i < value.size; i++) {
        is_good = value.data[i] >= '0' && value.data[i] <= '9';
        add = add * 10 + value.data[i] - '0';
    }
    if (is_good && edge_query_get(call, "remove", &value))
        is_good = preview_list(call, value, false);
    if (is_good && edge_query_get(call, "weight", &value))
        is_good = preview_list(call, value, true);
    if (!is_good || add > PREVIEW_ADDED_MAX || call->param_count == 0)
        return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                               "add=N, remove=PEER,.. or weight=PEER:N,.. say what is imagined");
    call->op->kind = call->slot->kind = OP_PREVIEW;
    call->op->limit = add;
    call->op->key = slice_of(call->slot->echo.data, call->slot->echo.size);
    return VERDICT_OP;
}

void edge_preview_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *moves;

    if (result->status == STATUS_MISSING) {
        struct edge_fault fault;

        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "no member has this name or id", NULL);
        edge_answer_fault(answer, &fault, result);
        return;
    }
    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    body = json_object();
    moves = json_array();
    for (uint32_t i = 0; i < result->flow_count; i++) {
        const struct result_flow *flow = &result->flows[i];
        json_t *move = json_object();

        edge_json_put(move, "from", flow->from.size ? edge_json_label(&flow->from) : json_null());
        edge_json_put(move, "to", edge_json_label(&flow->to));
        edge_json_put(move, "partitions", json_integer(flow->partitions));
        edge_json_put(move, "bytes", json_integer((json_int_t)flow->bytes));
        (void)json_array_append_new(moves, move);
    }
    edge_json_put(body, "ring_version", edge_json_u64(result->layout));
    edge_json_put(body, "partitions", json_integer(result->moved));
    edge_json_put(body, "of", json_integer(result->slots));
    edge_json_put(
        body, "share",
        edge_json_thousandths(result->slots ? 1000ull * result->moved / result->slots : 0));
    edge_json_put(body, "bytes", json_integer((json_int_t)result->moved_bytes));
    edge_json_put(body, "moves", moves);
    edge_json_reply(answer, 200, result, body);
}
