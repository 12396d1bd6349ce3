/* edge_crdt_reply.c: answers about keys of CRDT types: {"type","value","context"}. */
#include "edge_crdt.h"

static void crdt_put(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new_nocheck(object, name, value);
}

/* Tells whether a partition left the key with several types. */
static bool crdt_is_mixed(unsigned types)
{
    return (types & (types - 1)) != 0;
}

/* The values of one type, as a list, winner first. */
static json_t *crdt_values(const struct result *result, unsigned type)
{
    json_t *values = json_array();

    for (uint32_t i = 0; i < result->value_count; i++)
        if (result->values[i].type == type)
            (void)json_array_append_new(values, edge_json_text(result->values[i].body));
    return values;
}

/* Values are listed winner first: of one type, the first is its winner. */
static json_t *crdt_newest(const struct result *result, unsigned type)
{
    for (uint32_t i = 0; i < result->value_count; i++)
        if (result->values[i].type == type)
            return edge_json_text(result->values[i].body);
    return json_null();
}

static json_t *crdt_value(const struct result *result, unsigned type)
{
    switch ((enum value_type)type) {
    case TYPE_COUNTER:
    case TYPE_HLL:
        return json_integer(result->number);
    case TYPE_FLAG:
        return json_boolean(result->is_true);
    case TYPE_MVREGISTER:
        return crdt_values(result, type);
    case TYPE_REGISTER:
    case TYPE_VALUE:
        return crdt_newest(result, type);
    case TYPE_SET:
    case TYPE_MAP:
    case TYPE_TOMBSTONE:
    case TYPE_COUNT:
        break;
    }
    return json_null();
}

/* Two types on one key: both are shown, and DELETE ?type= removes one. */
static void crdt_parts(struct edge_answer *answer, const struct result *result)
{
    json_t *body = json_object(), *parts = json_array();

    for (unsigned type = 0; type < TYPE_COUNT; type++) {
        json_t *part;

        if (!(result->types & 1u << type))
            continue;
        part = json_object();
        crdt_put(part, "type", json_string(edge_type_text(type)));
        crdt_put(part, "value", crdt_value(result, type));
        (void)json_array_append_new(parts, part);
    }
    crdt_put(body, "parts", parts);
    crdt_put(body, "context", edge_json_text(result->context));
    edge_json_reply(answer, 300, result, body);
}

/* "the key holds a counter, not a set": names both and says where to go. */
void edge_crdt_mismatch(struct edge_answer *answer, const struct result *result)
{
    struct edge_fault fault;
    const struct edge_slot *slot = answer->slot;
    char ns[NS_SIZE_MAX + 1];
    const char *held = "value";
    unsigned types = result->types;

    for (unsigned type = 1; type < TYPE_COUNT; type++)
        if (types & 1u << type)
            held = edge_type_text(type);
    edge_text_copy(ns, sizeof ns, slot->ns);
    edge_fault_set(&fault, PROBLEM_TYPE_MISMATCH,
                   crdt_is_mixed(types) ? "the key holds values of several types, one of them a "
                                        : "the key holds a ",
                   held, "; this request is about a ",
                   slot->wanted_type == TYPE_COUNT ? "CRDT type"
                   : slot->wanted_type             ? edge_type_text(slot->wanted_type)
                                                   : "value",
                   NULL);
    if (crdt_is_mixed(types))
        edge_fault_hint(&fault, "read it, then DELETE /v1/crdt/", ns, "/KEY?type=TYPE removes one",
                        NULL);
    else
        edge_fault_hint(&fault, "use ",
                        (types & ~(1u << TYPE_VALUE)) == 0 ? "/v1/kv/" : "/v1/crdt/", ns,
                        "/KEY; DELETE removes a key of any type", NULL);
    edge_answer_fault(answer, &fault, result);
}

static void crdt_answer(struct edge_answer *answer, const struct result *result)
{
    unsigned type = (unsigned)__builtin_ctz(result->types);
    json_t *body;

    if (result->is_beyond && type == TYPE_COUNTER) {
        struct edge_fault fault;

        edge_fault_set(&fault, PROBLEM_COUNTER_OVERFLOW,
                       "two sides of a partition counted beyond 64 bits", NULL);
        edge_fault_hint(&fault, "count back towards zero", NULL);
        edge_answer_fault(answer, &fault, result);
        return;
    }
    body = json_object();
    crdt_put(body, "type", json_string(edge_type_text(type)));
    crdt_put(body, "value", crdt_value(result, type));
    crdt_put(body, "context", edge_json_text(result->context));
    edge_json_reply(answer, 200, result, body);
}

void edge_crdt_reply_read(struct edge_answer *answer, const struct result *result)
{
    if (result->status == STATUS_MISSING) {
        struct edge_fault fault;

        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "the key has no value", NULL);
        edge_answer_fault(answer, &fault, result);
    } else if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
    } else if (crdt_is_mixed(result->types)) {
        crdt_parts(answer, result);
    } else if (result->types == 1u << TYPE_VALUE || result->types == 0) {
        edge_crdt_mismatch(answer, result);
    } else {
        crdt_answer(answer, result);
    }
}

void edge_crdt_reply_write(struct edge_answer *answer, const struct result *result)
{
    if (result->status == STATUS_TYPE) {
        edge_crdt_mismatch(answer, result);
        return;
    }
    if (result->status != STATUS_OK || !answer->slot->is_echo || result->types == 0) {
        edge_kv_reply_write(answer, result);
        return;
    }
    crdt_answer(answer, result);
}
