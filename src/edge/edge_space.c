/* edge_space.c: settings of namespaces (api.md 3): GET, PUT and DELETE of one, and the list. A PUT
 * names all that shall differ from the defaults; what it leaves out or gives as null is a default
 * again, but for the replicas: they say where keys lie, and stay until they are named. Only what
 * this version acts on is taken: a setting without effect would be a promise. */
#include "edge_json.h"
#include "edge_room.h"

#define SPACE_DEFAULT "_default"

static enum edge_verdict space_op(struct edge_call *call, enum op_kind kind)
{
    call->op->kind = kind;
    call->slot->kind = kind;
    call->op->ns = call->slot->ns;
    return VERDICT_OP;
}

/* The namespace of the path, or "_default". */
static bool space_name(struct edge_call *call)
{
    if (slice_equal(call->parts[0], slice_text(SPACE_DEFAULT))) {
        call->slot->ns = edge_call_copy(call, call->parts[0]);
        return true;
    }
    return edge_path_ns(call, call->parts[0], &call->slot->ns);
}

enum edge_verdict edge_space_list(struct edge_call *call)
{
    return space_op(call, OP_SPACE_LIST);
}

enum edge_verdict edge_space_get(struct edge_call *call)
{
    return space_name(call) ? space_op(call, OP_SPACE_GET) : VERDICT_FAULT;
}

enum edge_verdict edge_space_put(struct edge_call *call)
{
    return space_name(call) ? space_op(call, OP_SPACE_PUT) : VERDICT_FAULT;
}

enum edge_verdict edge_space_delete(struct edge_call *call)
{
    return space_name(call) ? space_op(call, OP_SPACE_DELETE) : VERDICT_FAULT;
}

/* --- the body of a PUT */

/* The place of a word in a list that ends with NULL, from 1; 0: it is none of them. */
static uint8_t space_word(const json_t *value, const char *const *words)
{
    const char *text = json_string_value(value);

    for (uint8_t i = 0; text && words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return (uint8_t)(i + 1);
    return 0;
}

static const char *const space_consistencies[] = {"one", "quorum", "all", NULL};
static const char *const space_conflicts[] = {"siblings", "lww", NULL};

static bool space_ttl(const json_t *value, uint64_t *ms)
{
    const char *text = json_string_value(value);

    *ms = 0;
    if (text && strcmp(text, "none") == 0)
        return true;
    return text && edge_duration_ms(slice_text(text), ms) && *ms >= TTL_MIN_MS && *ms <= TTL_MAX_MS;
}

/* One setting; NULL, or what it would have to be. */
static const char *space_set(struct space_settings *own, const char *name, const json_t *value)
{
    if (strcmp(name, "replicas") == 0) {
        json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;

        own->set |= SPACE_REPLICAS;
        own->replicas = (uint8_t)(number >= 1 && number <= REPLICAS_MAX ? number : 0);
        return own->replicas ? NULL : "a number from 1 to 7";
    }
    if (strcmp(name, "consistency") == 0) {
        own->set |= SPACE_CONSISTENCY;
        own->consistency = space_word(value, space_consistencies);
        return own->consistency ? NULL : "\"one\", \"quorum\" or \"all\"";
    }
    if (strcmp(name, "conflict") == 0) {
        own->set |= SPACE_CONFLICT;
        own->conflict = space_word(value, space_conflicts);
        return own->conflict ? NULL : "\"siblings\" or \"lww\"";
    }
    own->set |= SPACE_TTL;
    return space_ttl(value, &own->ttl_ms) ? NULL : "a duration from 1s to 3650d, or \"none\"";
}

static bool space_is_later(const char *name)
{
    return strcmp(name, "sloppy") == 0 || strcmp(name, "balance") == 0 ||
           strcmp(name, "quota_bytes") == 0;
}

static bool space_is_known(const char *name)
{
    return strcmp(name, "replicas") == 0 || strcmp(name, "consistency") == 0 ||
           strcmp(name, "conflict") == 0 || strcmp(name, "ttl") == 0;
}

/* false: call->fault */
static bool space_field(struct edge_call *call, const char *name, const json_t *value)
{
    const char *wanted;
    char text[40];

    edge_text_copy(text, sizeof text, slice_text(name));
    if (space_is_later(name)) {
        (void)edge_call_fault(call, PROBLEM_NOT_IMPLEMENTED, "the setting \"", text,
                              "\" has no effect yet, so it is not taken");
        return false;
    }
    if (!space_is_known(name)) {
        (void)edge_call_fault(call, PROBLEM_UNKNOWN_PARAMETER, "unknown field \"", text, "\"");
        edge_fault_hint(call->fault, "settings are replicas, consistency, conflict, ttl", NULL);
        return false;
    }
    if (json_is_null(value))
        return true;
    wanted = space_set(&call->op->space, name, value);
    if (wanted)
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST, "the setting \"", text, "\" is ", wanted);
    return wanted == NULL;
}

enum edge_verdict edge_space_body(struct edge_call *call, struct slice body)
{
    json_t *json = edge_json_read(call, body), *value;
    bool is_good = json != NULL;
    const char *name;

    call->op->space = (struct space_settings){0};
    json_object_foreach(json, name, value)
    {
        is_good = is_good && space_field(call, name, value);
    }
    json_decref(json);
    return is_good ? VERDICT_OP : VERDICT_FAULT;
}

/* --- answers */

/* The largest unit that says it without a rest: "90s", "1h"; null for ever. */
static json_t *space_duration(uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    char text[EDGE_NUMBER_TEXT];
    unsigned at = 0;

    if (ms == 0)
        return json_null();
    while (ms % units[at].ms != 0)
        at++;
    return json_sprintf("%s%s", edge_text_number(text, ms / units[at].ms), units[at].unit);
}

static json_t *space_json(const struct result_space *space)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {{SPACE_REPLICAS, "replicas"},
                 {SPACE_CONSISTENCY, "consistency"},
                 {SPACE_CONFLICT, "conflict"},
                 {SPACE_TTL, "ttl"}};
    const struct space_settings *full = &space->full;
    json_t *object = json_object(), *own = json_array();

    edge_json_put(object, "namespace", edge_json_text(space->name));
    edge_json_put(object, "replicas", json_integer(full->replicas));
    edge_json_put(object, "consistency", json_string(space_consistencies[full->consistency - 1]));
    edge_json_put(object, "conflict", json_string(space_conflicts[full->conflict - 1]));
    edge_json_put(object, "ttl", space_duration(full->ttl_ms));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (space->own.set & names[i].bit)
            (void)json_array_append_new(own, json_string(names[i].name));
    edge_json_put(object, "set", own);
    return object;
}

static void space_refuse(struct edge_answer *answer, const struct result *result)
{
    struct edge_fault fault;

    edge_fault_of_result(&fault, result);
    if (result->status == STATUS_MISSING) {
        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "the namespace has no settings of its own", NULL);
        edge_fault_hint(&fault, "what holds for it is at /v1/namespaces/_default", NULL);
    } else if (result->status == STATUS_CONFLICT) {
        edge_fault_set(&fault, PROBLEM_CONFLICT, "there are keys in the namespace", NULL);
        edge_fault_hint(&fault,
                        result->kind == OP_SPACE_PUT
                            ? "replicas change while it is empty: fill a new one, or back up first"
                            : "PUT {} gives up its other settings and keeps the keys and replicas",
                        NULL);
    } else if (result->status == STATUS_UNSUPPORTED) {
        edge_fault_set(&fault, PROBLEM_NOT_IMPLEMENTED,
                       "the replicas of the cluster are fixed when it is founded", NULL);
        edge_fault_hint(&fault, "name them for a namespace (a cluster of 65536 partitions cannot)",
                        NULL);
    } else if (result->status == STATUS_FULL) {
        edge_fault_set(&fault, PROBLEM_CONFLICT, "256 namespaces have settings already", NULL);
    }
    edge_answer_fault(answer, &fault, result);
}

void edge_space_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body;

    if (result->status != STATUS_OK || result->space_count == 0) {
        space_refuse(answer, result);
        return;
    }
    body = space_json(&result->spaces[0]);
    edge_json_reply(answer, result->is_created && result->kind == OP_SPACE_PUT ? 201 : 200, result,
                    body);
}

void edge_space_list_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *rows;

    if (result->status != STATUS_OK) {
        space_refuse(answer, result);
        return;
    }
    body = json_object();
    rows = json_array();
    for (uint32_t i = 0; i < result->space_count; i++)
        (void)json_array_append_new(rows, space_json(&result->spaces[i]));
    edge_json_put(body, "namespaces", rows);
    edge_json_reply(answer, 200, result, body);
}

void edge_space_delete_reply(struct edge_answer *answer, const struct result *result)
{
    if (result->status != STATUS_OK) {
        space_refuse(answer, result);
        return;
    }
    edge_answer_head(answer, 204);
    edge_answer_route(answer, result);
    edge_answer_no_store(answer);
    edge_answer_empty(answer);
}
