/* edge_crdt_reply.c: answers about keys of CRDT types: {"type","value","context"}. */
#include "edge_crdt.h"

/* Tells whether a partition left the key with several types. */
static bool crdt_is_mixed(unsigned types)
{
    return (types & (types - 1)) != 0;
}

static json_t *crdt_value(const struct result *result, unsigned type);

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

/* --- sets and maps: elements come in the order of their paths (decision 0009) */

static json_t *crdt_members(const struct result *result)
{
    json_t *members = json_array();

    for (uint32_t i = 0; i < result->element_count; i++) {
        struct slice path = result->elements[i].path;

        if (path.size > 1 && path.data[0] == TYPE_SET)
            (void)json_array_append_new(members,
                                        edge_json_text(slice_of(path.data + 1, path.size - 1)));
    }
    return members;
}

/* The value of a row inside a map: its last type byte is that of `element`. */
static json_t *crdt_leaf(const struct result_element *element, unsigned type)
{
    struct result one = {.types = element->types,
                         .is_true = element->is_true,
                         .number = element->number,
                         .values = element->values,
                         .value_count = element->value_count};

    return crdt_value(&one, type);
}

/* Finds or makes what a field of this type holds; NULL: nothing below it. */
static json_t *crdt_child(json_t *map, const char *name, unsigned type)
{
    json_t *child = json_object_get(map, name);

    if (type == TYPE_SET && !json_is_array(child))
        edge_json_put(map, name, child = json_array());
    else if (type == TYPE_MAP && !json_is_object(child))
        edge_json_put(map, name, child = json_object());
    return child;
}

/* Puts one row into the document; each field of its path is one level. */
static void crdt_field(json_t *map, const struct result_element *element)
{
    struct slice path = element->path;
    size_t at = 0;

    while (at < path.size && path.data[at] == TYPE_MAP) {
        const uint8_t *field = path.data + at + 1, *end = memchr(field, 0, path.size - at - 1);
        size_t size = end ? (size_t)(end - field) : 0, next = at + 2 + size;
        unsigned type = end && next < path.size ? path.data[next] : 0;
        char name[KEY_SIZE_MAX + 1];

        if (!type || size > KEY_SIZE_MAX)
            return;
        memcpy(name, field, size);
        name[size] = 0;
        if (type == TYPE_SET)
            (void)json_array_append_new(
                crdt_child(map, name, type),
                edge_json_text(slice_of(path.data + next + 1, path.size - next - 1)));
        else if (type != TYPE_MAP)
            edge_json_put(map, name, crdt_leaf(element, type));
        if (type != TYPE_MAP)
            return;
        map = crdt_child(map, name, type);
        at = next;
    }
}

static json_t *crdt_fields(const struct result *result)
{
    json_t *map = json_object();

    for (uint32_t i = 0; i < result->element_count; i++)
        crdt_field(map, &result->elements[i]);
    return map;
}

/* "n2." and the last path in base64url. */
static json_t *crdt_next(const struct result *result)
{
    struct buffer text;
    struct edge_out out;
    json_t *json = NULL;

    if (!result->is_truncated || !result->element_count)
        return json_null();
    buffer_init(&text, PATH_SIZE_MAX * 2);
    edge_out_begin(&out, &text, 64);
    EDGE_PUT(&out, "n2.");
    edge_put_base64(&out, result->elements[result->element_count - 1].path);
    if (edge_out_end(&out, 0))
        json = edge_json_text(slice_of(text.data, text.size));
    buffer_close(&text);
    return json;
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
        return crdt_members(result);
    case TYPE_MAP:
        return crdt_fields(result);
    case TYPE_TOMBSTONE:
    case TYPE_COUNT:
    case TYPE_ALL:
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
        edge_json_put(part, "type", json_string(edge_type_text(type)));
        edge_json_put(part, "value", crdt_value(result, type));
        (void)json_array_append_new(parts, part);
    }
    edge_json_put(body, "parts", parts);
    edge_json_put(body, "context", edge_json_text(result->context));
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

static void crdt_missing(struct edge_answer *answer, const struct result *result,
                         const char *detail)
{
    struct edge_fault fault;

    edge_fault_set(&fault, PROBLEM_NOT_FOUND, detail, NULL);
    edge_answer_fault(answer, &fault, result);
}

/* ?field=: what the one field holds. */
static void crdt_one_field(struct edge_answer *answer, const struct result *result, json_t *body)
{
    json_t *map = crdt_fields(result);
    char name[KEY_SIZE_MAX + 1];
    json_t *value;

    memcpy(name, answer->slot->filter.data, answer->slot->filter.size);
    name[answer->slot->filter.size] = 0;
    value = json_object_get(map, name);
    if (value) {
        edge_json_put(body, "value", json_incref(value));
        edge_json_put(body, "context", edge_json_text(result->context));
        edge_json_put(body, "next", crdt_next(result));
        edge_json_reply(answer, 200, result, body);
    } else {
        json_decref(body);
        crdt_missing(answer, result, "the map has no such field");
    }
    json_decref(map);
}

/* ?member=: whether it is there. */
static void crdt_one_member(struct edge_answer *answer, const struct result *result)
{
    json_t *body = json_object();

    edge_json_put(body, "present", json_boolean(result->status == STATUS_OK));
    edge_json_put(body, "context", edge_json_text(result->context));
    edge_json_reply(answer, 200, result, body);
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
    edge_json_put(body, "type", json_string(edge_type_text(type)));
    if (answer->slot->form == FORM_ALL && type == TYPE_MAP) {
        crdt_one_field(answer, result, body);
        return;
    }
    edge_json_put(body, "value", crdt_value(result, type));
    edge_json_put(body, "context", edge_json_text(result->context));
    if (type == TYPE_SET || type == TYPE_MAP)
        edge_json_put(body, "next", crdt_next(result));
    edge_json_reply(answer, 200, result, body);
}

void edge_crdt_reply_read(struct edge_answer *answer, const struct result *result)
{
    bool is_member = answer->slot->form == FORM_ONE;

    if (is_member && (result->status == STATUS_OK || result->status == STATUS_MISSING)) {
        crdt_one_member(answer, result);
    } else if (result->status == STATUS_MISSING) {
        crdt_missing(answer, result, "the key has no value");
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
