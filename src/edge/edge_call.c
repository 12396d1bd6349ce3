/* edge_call.c: everything that is decided about a request from its head alone, in one order:
 * through which name it came, what it expects, which route it takes and who sends it, how large it
 * is. */
#include <strings.h>
#include "edge_room.h"

static bool edge_is_hex_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* traceparent "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context section 3.2); anything else is
 * ignored and a new id is made when one is needed. */
static void edge_call_trace(struct edge_slot *slot, struct slice parent)
{
    bool is_zero = true;

    if (parent.size != 55 || memcmp(parent.data, "00-", 3) != 0 || parent.data[35] != '-')
        return;
    for (unsigned i = 0; i < EDGE_TRACE_SIZE; i++) {
        if (!edge_is_hex_digit(parent.data[3 + i]))
            return;
        is_zero = is_zero && parent.data[3 + i] == '0';
    }
    if (is_zero)
        return;
    memcpy(slot->trace, parent.data + 3, EDGE_TRACE_SIZE);
    slot->has_trace = true;
}

/* How many bytes of body the request may bring. */
static uint64_t edge_call_body_max(const struct edge_call *call)
{
    if (call->route && call->route->body_max)
        return call->route->body_max;
    return call->edge->config.value_max;
}

static bool edge_call_expects(const struct edge_call *call)
{
    const struct edge_head *head = call->head;
    struct slice expect = head->fields[EDGE_FIELD_EXPECT];

    if (!head->seen[EDGE_FIELD_EXPECT] || head->is_http10)
        return true;
    return expect.size == 12 && strncasecmp((const char *)expect.data, "100-continue", 12) == 0;
}

enum edge_verdict edge_call_begin(struct edge_call *call)
{
    const struct edge_head *head = call->head;
    enum edge_verdict verdict;
    char max[EDGE_NUMBER_TEXT];

    call->slot->is_head = head->method == EDGE_HEAD;
    call->slot->instance = edge_call_copy(call, head->path);
    edge_call_trace(call->slot, head->fields[EDGE_FIELD_TRACEPARENT]);
    if (!head->is_foreign && !edge_auth_host(call))
        return VERDICT_FAULT;
    if (!edge_call_expects(call))
        return edge_call_fault(call, PROBLEM_EXPECTATION_FAILED, "Expect is not 100-continue");
    verdict = edge_route_call(call);
    if (head->length <= edge_call_body_max(call))
        return verdict;
    return edge_call_fault(call, PROBLEM_TOO_LARGE, "this route takes at most ",
                           edge_text_number(max, edge_call_body_max(call)), " bytes of body");
}
