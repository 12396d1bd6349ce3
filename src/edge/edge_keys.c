/* edge_keys.c: the cluster's keys: which there are, who has them, and the steps of a rotation. Only
 * ids are shown, never a key. */
#include "edge_json.h"
#include "edge_room.h"

#define NAMED_MAX 8 /* peers named in a refusal; the others are counted */

/* An id of four hex digits in the path, and whether the step is forced. */
static enum edge_verdict keys_step(struct edge_call *call, enum key_step step)
{
    static const char digits[] = "0123456789abcdef";
    struct slice text = call->parts[0];
    unsigned id = 0;
    int force = 0;

    edge_kv_kind(call, OP_KEYS);
    call->op->key_step = step;
    if (step == KEY_LIST || step == KEY_INSTALL)
        return VERDICT_OP;
    force = edge_query_choice(call, "force", "false true");
    if (force == -2)
        return VERDICT_FAULT;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = memchr(digits, text.data[i], 16);

        if (!digit || text.size != 4)
            return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                                   "the id of a key is four hex digits, as GET /v1/cluster/keys "
                                   "shows them");
        id = id << 4 | (unsigned)(digit - digits);
    }
    call->op->key_id = (uint16_t)id;
    call->op->is_on = force == 1;
    return VERDICT_OP;
}

enum edge_verdict edge_keys_list(struct edge_call *call)
{
    return keys_step(call, KEY_LIST);
}

enum edge_verdict edge_keys_install(struct edge_call *call)
{
    return keys_step(call, KEY_INSTALL);
}

enum edge_verdict edge_keys_use(struct edge_call *call)
{
    return keys_step(call, KEY_USE);
}

enum edge_verdict edge_keys_remove(struct edge_call *call)
{
    return keys_step(call, KEY_REMOVE);
}

/* --- answers */

static json_t *key_id_json(uint16_t id)
{
    char text[8];

    (void)snprintf(text, sizeof text, "%04x", id);
    return json_string(text);
}

static const char *ack_name(enum key_ack ack)
{
    return ack == KEY_ACKNOWLEDGED ? "acknowledged" : ack == KEY_BEHIND ? "behind" : "silent";
}

static uint32_t keys_missing(const struct result *result)
{
    uint32_t missing = 0;

    for (uint32_t i = 0; i < result->key_member_count; i++)
        missing += result->key_members[i].ack != KEY_ACKNOWLEDGED;
    return missing;
}

static void keys_refuse(struct edge_answer *answer, const struct result *result)
{
    uint32_t missing = keys_missing(result), named = 0;
    char names[NAMED_MAX * (NAME_SIZE_MAX + 2) + 16] = "";
    struct edge_fault fault;
    size_t size = 0;

    for (uint32_t i = 0; i < result->key_member_count && named < NAMED_MAX; i++) {
        const struct result_key_member *member = &result->key_members[i];

        if (member->ack != KEY_ACKNOWLEDGED)
            size +=
                (size_t)snprintf(names + size, sizeof names - size, "%s%.*s", named++ ? ", " : "",
                                 (int)member->name.size, member->name.text);
    }
    if (missing > named)
        (void)snprintf(names + size, sizeof names - size, " and %u more", missing - named);
    edge_fault_of_result(&fault, result);
    if (result->status == STATUS_MISSING)
        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "the cluster has no key of this id", NULL);
    else if (result->status == STATUS_FULL)
        edge_fault_set(&fault, PROBLEM_CONFLICT, "there are four keys already: remove one", NULL);
    else if (missing > 0)
        edge_fault_set(&fault, PROBLEM_CONFLICT,
                       "not every member has acknowledged the keys as "
                       "they are; missing: ",
                       names, NULL);
    else
        edge_fault_set(&fault, PROBLEM_CONFLICT, "this is the primary: use another key first",
                       NULL);
    if (missing > 0 && result->status == STATUS_CONFLICT)
        edge_fault_hint(&fault,
                        "bring them back and try again. With force=true they are left "
                        "behind: after a remove they need a new cluster.key",
                        NULL);
    edge_answer_fault(answer, &fault, result);
}

void edge_keys_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *keys, *members;

    if (result->status != STATUS_OK && result->key_member_count == 0) {
        edge_answer_refuse(answer, result);
        return;
    }
    if (result->status != STATUS_OK) {
        keys_refuse(answer, result);
        return;
    }
    body = json_object(), keys = json_array(), members = json_array();
    for (unsigned i = 0; i < result->key_count; i++) {
        json_t *key = json_object();

        edge_json_put(key, "id", key_id_json(result->keys[i]));
        edge_json_put(key, "primary", json_boolean(i == 0));
        (void)json_array_append_new(keys, key);
    }
    for (uint32_t i = 0; i < result->key_member_count; i++) {
        json_t *member = json_object();

        edge_json_put(member, "name", edge_json_label(&result->key_members[i].name));
        edge_json_put(member, "id", edge_json_u64(result->key_members[i].id8));
        edge_json_put(member, "state", json_string(ack_name(result->key_members[i].ack)));
        (void)json_array_append_new(members, member);
    }
    edge_json_put(body, "keys", keys);
    edge_json_put(body, "members", members);
    edge_json_put(body, "complete", json_boolean(keys_missing(result) == 0));
    if (result->key_changed)
        edge_json_put(body, "changed", key_id_json(result->key_changed));
    edge_json_reply(answer, 200, result, body);
}
