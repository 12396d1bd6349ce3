/* edge_route.c: the route table. What is not in it does not exist; what is in it says who may use
 * it on the same row that runs, so a permission cannot be checked on one path and used on another.
 */
#include "edge_room.h"

#define KV_READ "consistency timeout siblings sibling"
#define KV_READ_LATER "wait timing type"
#define KV_WRITE "consistency timeout return ttl"
#define KV_WRITE_LATER "sloppy timing type"
#define CRDT_READ "consistency timeout member field start_after next limit"
#define CRDT_READ_LATER "timing"
#define CRDT_WRITE "consistency timeout return add add_member remove_member set type"
#define KV_LIST "prefix start_after next limit consistency timeout"
#define GET_HEAD ((unsigned)EDGE_GET | EDGE_HEAD)
#define ANY_METHOD                                                                                 \
    ((unsigned)EDGE_GET | EDGE_HEAD | EDGE_PUT | EDGE_POST | EDGE_DELETE | EDGE_OTHER)

/* pattern, methods, scope, local only, body, parameters, later ones, build, finish, reply */
static const struct edge_route EDGE_ROUTES[] = {
    {"/v1/kv/{ns}/{key...}", GET_HEAD, SCOPE_READ, false, 0, KV_READ, KV_READ_LATER, edge_kv_get,
     NULL, edge_kv_reply_read},
    {"/v1/kv/{ns}/{key...}", EDGE_PUT, SCOPE_WRITE, false, 0, KV_WRITE, KV_WRITE_LATER, edge_kv_put,
     edge_kv_body, edge_kv_reply_write},
    {"/v1/kv/{ns}/{key...}", EDGE_DELETE, SCOPE_WRITE, false, 0, "consistency timeout",
     KV_WRITE_LATER, edge_kv_delete, NULL, edge_kv_reply_write},
    {"/v1/crdt/{ns}/{key...}", GET_HEAD, SCOPE_READ, false, 0, CRDT_READ, CRDT_READ_LATER,
     edge_crdt_get, NULL, edge_crdt_reply_read},
    {"/v1/crdt/{ns}/{key...}", EDGE_POST, SCOPE_WRITE, false, 0, CRDT_WRITE, "ttl sloppy timing",
     edge_crdt_post, edge_crdt_post_body, edge_crdt_reply_write},
    {"/v1/crdt/{ns}/{key...}", EDGE_DELETE, SCOPE_WRITE, false, 0, "consistency timeout type",
     "sloppy timing", edge_crdt_delete, NULL, edge_crdt_reply_write},
    {"/v1/kv/{ns}", GET_HEAD, SCOPE_READ, false, 0, KV_LIST, "delimiter values timing",
     edge_kv_list, NULL, edge_list_reply},
    {"/v1/kv/{ns}", EDGE_POST, SCOPE_WRITE, false, 0, KV_WRITE, KV_WRITE_LATER, edge_kv_post,
     edge_kv_body, edge_kv_reply_write},
    {"/v1/kv/{ns}", EDGE_DELETE, SCOPE_WRITE, false, 0, "", "prefix confirm", edge_page_reserved,
     NULL, NULL},
    {"/livez", GET_HEAD, SCOPE_NONE, false, 0, "verbose", "exclude", edge_page_build, NULL,
     edge_page_live},
    {"/readyz", GET_HEAD, SCOPE_NONE, false, 0, "verbose", "exclude", edge_cluster_ready, NULL,
     edge_ready_reply},
    {"/metrics", GET_HEAD, SCOPE_METRICS, false, 0, "", "", edge_cluster_metrics, NULL,
     edge_metrics_reply},
    {"/version", GET_HEAD, SCOPE_NONE, false, 0, "", "", edge_page_build, NULL, edge_page_version},
    {"/", GET_HEAD, SCOPE_NONE, false, 0, "", "", edge_page_build, NULL, edge_page_welcome},
    {"/problems", GET_HEAD, SCOPE_NONE, false, 0, "", "", edge_page_build, NULL,
     edge_page_problems},
    {"/problems/{slug}", GET_HEAD, SCOPE_NONE, false, 0, "", "", edge_page_problem, NULL,
     edge_page_problem_one},
    {"/v1/self", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_cluster_self, NULL, edge_self_reply},
    {"/v1/self/block", EDGE_PUT, SCOPE_ADMIN, true, EDGE_JSON_SIZE_MAX, "", "", edge_cluster_block,
     edge_cluster_block_body, edge_accepted_reply},
    {"/v1/self/block", EDGE_DELETE, SCOPE_ADMIN, true, EDGE_JSON_SIZE_MAX, "", "",
     edge_cluster_unblock, NULL, edge_accepted_reply},
    {"/v1/self/drain", EDGE_POST, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_cluster_drain, NULL, edge_accepted_reply},
    {"/v1/self/drain", EDGE_DELETE, SCOPE_ADMIN, false, 0, "", "", edge_cluster_undrain, NULL,
     edge_accepted_reply},
    {"/v1/cluster/leave", EDGE_POST, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_cluster_leave, NULL, edge_accepted_reply},
    {"/v1/cluster/join", EDGE_POST, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_cluster_join, edge_cluster_join_body, edge_accepted_reply},
    {"/v1/cluster/keys", GET_HEAD, SCOPE_ADMIN, false, 0, "", "", edge_keys_list, NULL,
     edge_keys_reply},
    {"/v1/cluster/keys", EDGE_POST, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_keys_install, NULL, edge_keys_reply},
    {"/v1/cluster/keys/{id}/use", EDGE_PUT, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "force", "",
     edge_keys_use, NULL, edge_keys_reply},
    {"/v1/cluster/keys/{id}", EDGE_DELETE, SCOPE_ADMIN, false, 0, "force", "", edge_keys_remove,
     NULL, edge_keys_reply},
    {"/v1/members", GET_HEAD, SCOPE_READ, false, 0, "state", "zone", edge_cluster_members, NULL,
     edge_members_reply},
    {"/v1/members/{peer}", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_cluster_member, NULL,
     edge_member_reply},
    {"/v1/members/{peer}", EDGE_DELETE, SCOPE_ADMIN, false, 0, "confirm", "revoke",
     edge_cluster_forget, NULL, edge_accepted_reply},
    {"/v1/members/{peer}/weight", EDGE_PUT, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_weight, edge_weight_body, edge_weight_reply},
    {"/v1/rtt", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_cluster_rtt, NULL, edge_rtt_reply},
    {"/v1/jobs", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_jobs, NULL, edge_jobs_reply},
    {"/v1/jobs/{id}", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_jobs, NULL, edge_jobs_reply},
    {"/v1/jobs/{id}", (unsigned)EDGE_DELETE | EDGE_OTHER, SCOPE_ADMIN, false, 0, "", "",
     edge_page_reserved, NULL, NULL},
    {"/v1/cluster", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_cluster_summary, NULL,
     edge_summary_reply},
    {"/v1/ring/lookup", GET_HEAD, SCOPE_READ, false, 0, "ns key verify timeout", "",
     edge_cluster_ring, NULL, edge_ring_reply},
    {"/v1/ring/preview", GET_HEAD, SCOPE_READ, false, 0, "add remove weight", "", edge_preview,
     NULL, edge_preview_reply},
    {"/v1/overlay/lookup", GET_HEAD, SCOPE_READ, false, 0, "ns key id timeout", "",
     edge_cluster_overlay, NULL, edge_overlay_reply},
    {"/v1/backup", EDGE_POST, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "ns after timeout", "",
     edge_backup_page, NULL, edge_backup_reply},
    {"/v1/restore", EDGE_POST, SCOPE_ADMIN, false, RESTORE_BODY_MAX, "replace timeout", "",
     edge_restore_page, edge_restore_body, edge_restore_reply},
    {"/v1/namespaces", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_space_list, NULL,
     edge_space_list_reply},
    {"/v1/namespaces/{ns}", GET_HEAD, SCOPE_READ, false, 0, "", "", edge_space_get, NULL,
     edge_space_reply},
    {"/v1/namespaces/{ns}", EDGE_PUT, SCOPE_ADMIN, false, EDGE_JSON_SIZE_MAX, "", "",
     edge_space_put, edge_space_body, edge_space_reply},
    {"/v1/namespaces/{ns}", EDGE_DELETE, SCOPE_ADMIN, false, 0, "", "", edge_space_delete, NULL,
     edge_space_delete_reply},
/* Names with a meaning that is not built yet: nothing else may use them (api.md 14). */
#define RESERVED(pattern)                                                                          \
    {                                                                                              \
        pattern, ANY_METHOD, SCOPE_READ, false, 0, "", NULL, edge_page_reserved, NULL, NULL        \
    }
    RESERVED("/openapi.json"),
    RESERVED("/ui/{rest...}"),
    RESERVED("/v1/batch"),
    RESERVED("/v1/watch/{rest...}"),
    RESERVED("/v1/namespaces/{rest...}"),
    RESERVED("/v1/events"),
    RESERVED("/v1/tokens"),
    RESERVED("/v1/tokens/{rest...}"),
    RESERVED("/v1/cluster/{rest...}"),
    RESERVED("/v1/ring"),
    RESERVED("/v1/self/{rest...}"),
    RESERVED("/v1/config"),
    RESERVED("/v1/config/{rest...}"),
    RESERVED("/v1/debug/{rest...}"),
    RESERVED("/v1/services"),
    RESERVED("/v1/services/{rest...}"),
    RESERVED("/v1/routes"),
    RESERVED("/v1/routes/{rest...}"),
    RESERVED("/v1/query"),
    RESERVED("/v1/strong/{rest...}"),
    RESERVED("/v1/leases/{rest...}"),
    RESERVED("/v1/locks/{rest...}"),
#undef RESERVED
};

#define EDGE_ROUTE_COUNT (sizeof EDGE_ROUTES / sizeof EDGE_ROUTES[0])

/* Compares a path with a pattern, raw byte by raw byte; the segments' texts go to `parts`. */
static bool edge_route_matches(const char *pattern, struct slice path, struct slice parts[2])
{
    size_t at = 0;
    unsigned part = 0;

    for (; *pattern; pattern++) {
        const uint8_t *end;
        size_t name;

        if (*pattern != '{') {
            if (at == path.size || path.data[at++] != (uint8_t)*pattern)
                return false;
            continue;
        }
        name = strcspn(pattern, "}");
        if (name > 3 && memcmp(pattern + name - 3, "...", 3) == 0) {
            parts[part] = slice_of(path.data + at, path.size - at);
            return true;
        }
        end = at < path.size ? memchr(path.data + at, '/', path.size - at) : NULL;
        parts[part] =
            slice_of(path.data + at, end ? (size_t)(end - path.data) - at : path.size - at);
        if (parts[part].size == 0)
            return false;
        at += parts[part++].size;
        pattern += name;
    }
    return at == path.size;
}

/* The row for this method, or NULL; slot->allow gathers what the path takes. */
static const struct edge_route *edge_route_find(struct edge_call *call)
{
    struct slice parts[2] = {SLICE_NONE, SLICE_NONE};

    for (size_t i = 0; i < EDGE_ROUTE_COUNT; i++) {
        const struct edge_route *route = &EDGE_ROUTES[i];

        if (!edge_route_matches(route->pattern, call->head->path, parts))
            continue;
        if (!route->later && call->slot->allow)
            continue; /* a reserved name gives way to a route that exists */
        call->slot->allow |= route->methods;
        if (route->methods & (unsigned)call->head->method) {
            memcpy(call->parts, parts, sizeof parts);
            return route;
        }
    }
    return NULL;
}

/* OPTIONS runs as a route of its own: permitted to all, it tells methods and nothing else. */
static const struct edge_route EDGE_OPTIONS_ROUTE = {
    "*", EDGE_OPTIONS, SCOPE_NONE, false, 0, "", "", edge_page_build, NULL, edge_page_allow};

static enum edge_verdict edge_route_options(struct edge_call *call)
{
    bool is_all = slice_equal(call->head->target, slice_text("*"));

    (void)edge_route_find(call);
    if (is_all)
        call->slot->allow = GET_HEAD | EDGE_PUT | EDGE_POST | EDGE_DELETE;
    if (!call->slot->allow)
        return edge_call_fault(call, PROBLEM_NOT_FOUND, "there is no such route");
    call->slot->allow |= EDGE_OPTIONS;
    call->route = call->slot->route = &EDGE_OPTIONS_ROUTE;
    return VERDICT_LOCAL;
}

/* Any request may belong to a session; the core reads the token. */
static bool edge_route_session(struct edge_call *call)
{
    struct slice session = call->head->fields[EDGE_FIELD_SESSION];

    if (session.size > SESSION_SIZE_MAX) {
        (void)edge_call_fault(call, PROBLEM_INVALID_SESSION,
                              "Gossamer-Session is longer than 1024 bytes");
        return false;
    }
    if (call->head->seen[EDGE_FIELD_SESSION] && session.size == 0) {
        (void)edge_call_fault(call, PROBLEM_INVALID_SESSION, "Gossamer-Session is empty");
        return false;
    }
    call->op->session = edge_call_copy(call, session);
    return true;
}

/* Fields that promise something this version cannot keep. */
static bool edge_route_promises(struct edge_call *call)
{
    return !call->head->seen[EDGE_FIELD_IF_FENCE];
}

/* A write that is to take effect once however often it is sent. Reads are harmless anyway. */
static bool edge_route_idempotency(struct edge_call *call)
{
    struct slice key = call->head->fields[EDGE_FIELD_IDEMPOTENCY_KEY];
    bool is_good = key.size >= 1 && key.size <= IDEMPOTENCY_SIZE_MAX;

    if (!call->head->seen[EDGE_FIELD_IDEMPOTENCY_KEY] || (call->head->method & EDGE_SAFE))
        return true;
    for (size_t i = 0; i < key.size; i++)
        is_good = is_good && key.data[i] > 0x20 && key.data[i] < 0x7f;
    if (is_good)
        call->op->idempotency = edge_call_copy(call, key);
    else
        (void)edge_call_fault(call, PROBLEM_BAD_REQUEST,
                              "Idempotency-Key is 1 to 128 visible ASCII characters");
    return is_good;
}

enum edge_verdict edge_route_call(struct edge_call *call)
{
    if (call->head->method == EDGE_OPTIONS)
        return edge_route_options(call);
    call->route = call->slot->route = edge_route_find(call);
    if (!call->route && call->slot->allow) {
        call->slot->allow |= EDGE_OPTIONS;
        return edge_call_fault(call, PROBLEM_METHOD_NOT_ALLOWED,
                               "the route does not take this method");
    }
    if (!call->route && call->head->method == EDGE_OTHER) {
        call->slot->allow = GET_HEAD | EDGE_OPTIONS;
        return edge_call_fault(call, PROBLEM_METHOD_NOT_ALLOWED, "this peer knows no such method");
    }
    if (!call->route) {
        (void)edge_call_fault(call, PROBLEM_NOT_FOUND, "there is no such route");
        edge_fault_hint(call->fault, "GET / shows how to begin", NULL);
        return VERDICT_FAULT;
    }
    if (!edge_auth_call(call))
        return VERDICT_FAULT;
    if (!call->route->later)
        return call->route->build(call);
    if (!edge_route_promises(call))
        return edge_call_fault(call, PROBLEM_NOT_IMPLEMENTED, "fences are not built yet");
    if (!edge_route_session(call) || !edge_route_idempotency(call) || !edge_query_parse(call))
        return VERDICT_FAULT;
    return call->route->build(call);
}
