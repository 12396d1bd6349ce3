/* worker_crdt.c: what a client asks of counters and or-sets. In the history an element of a set is
 * a key of its own, SET/ELEMENT: PUT adds it, DELETE removes it, a read shows it or nothing. */
#include <stdlib.h>
#include <string.h>

#include "worker.h"

#define PATH_SIZE 192

/* A write; `query` says what. An edge that lost an owner on the way asked another: the first may
 * have done it too, which the history says by a second write of unknown outcome. */
static void crdt_write(struct worker *worker, struct recorder_call *call, const char *path,
                       const struct worker_read *seen)
{
    char fields[CLIENT_CONTEXT_MAX + 64] = "", name[WORKLOAD_NAME_SIZE];
    struct client_request request = {.method = "POST", .path = path, .fields = fields};
    struct client_reply reply;
    uint32_t number;

    worker_name(worker, name);
    call->client = name;
    call->peer = worker_peer(worker);
    call->context = seen ? seen->number : RECORDER_NO_CONTEXT;
    if (seen)
        snprintf(fields, sizeof fields, "Gossamer-Context: %s\r\n", seen->context);
    number = recorder_begin(worker->workload->recorder, call);
    reply = worker_ask(worker, call->peer, &request);
    worker_finish(worker, number, call, &reply, NULL);
    if (call->function == HISTORY_PUT && reply.status / 100 == 2 && reply.has_failed)
        (void)recorder_begin(worker->workload->recorder, call); /* and never an end */
}

/* A read; `show` makes of the answer what the history shows: a new string, NULL for no answer. */
static bool crdt_read(struct worker *worker, struct recorder_call *call, const char *path,
                      char *(*show)(const struct client_reply *reply))
{
    char name[WORKLOAD_NAME_SIZE], *text;
    struct worker_read *read = worker_slot(worker, call->key);
    struct client_reply reply;
    uint32_t number;

    worker_name(worker, name);
    call->client = name;
    call->context = RECORDER_NO_CONTEXT;
    number = recorder_begin(worker->workload->recorder, call);
    reply = worker_ask(worker, call->peer, &(struct client_request){.method = "GET", .path = path});
    text = show(&reply);
    if (text) {
        snprintf(read->key, sizeof read->key, "%s", call->key);
        memcpy(read->context, reply.context, sizeof read->context);
        read->number = number;
    }
    worker_finish(worker, number, call, &reply, text);
    free(text);
    return text != NULL;
}

/* --- counters */

static char *sum_shown(const struct client_reply *reply)
{
    char text[40] = "[]";
    json_t *body;

    if (reply->status == 404)
        return strdup(text);
    if (reply->status != 200)
        return NULL;
    body = json_loadb(reply->body, reply->body_size, 0, NULL);
    snprintf(text, sizeof text, "[[\"%lld\",\"\"]]",
             (long long)json_integer_value(json_object_get(body, "value")));
    json_decref(body);
    return strdup(text);
}

void worker_add(struct worker *worker, const char *key, int delta)
{
    char path[PATH_SIZE], value[64];
    struct recorder_call call = {.function = HISTORY_PUT, .key = key, .value = value};

    snprintf(value, sizeof value, "%+d.%c%u.%u", delta, worker->kind, worker->index,
             worker->serial++);
    snprintf(path, sizeof path, "/v1/crdt/chaos/%s?add=%d&consistency=%s", key, delta,
             worker->workload->consistency);
    crdt_write(worker, &call, path, NULL);
}

bool worker_sum(struct worker *worker, const char *key, unsigned peer, bool is_final)
{
    char path[PATH_SIZE];
    struct recorder_call call = {
        .function = HISTORY_GET, .key = key, .peer = peer, .is_final = is_final};

    snprintf(path, sizeof path, "/v1/crdt/chaos/%s?consistency=%s", key,
             is_final ? "quorum" : worker->workload->consistency);
    return crdt_read(worker, &call, path, sum_shown);
}

/* --- or-sets */

static char *member_shown(const struct client_reply *reply)
{
    json_t *body;
    bool is_present;

    if (reply->status == 404)
        return strdup("[]");
    if (reply->status != 200)
        return NULL;
    body = json_loadb(reply->body, reply->body_size, 0, NULL);
    is_present = json_is_true(json_object_get(body, "present"));
    json_decref(body);
    return strdup(is_present ? "[[\"here\",\"\"]]" : "[]");
}

/* /v1/crdt/chaos/SET?`verb`=ELEMENT of a key SET/ELEMENT. */
static void member_path(char path[PATH_SIZE], const struct worker *worker, const char *key,
                        const char *verb)
{
    const char *slash = strrchr(key, '/');

    snprintf(path, PATH_SIZE, "/v1/crdt/chaos/%.*s?%s=%s&consistency=%s", (int)(slash - key), key,
             verb, slash + 1, worker->workload->consistency);
}

void worker_member_add(struct worker *worker, const char *key)
{
    char path[PATH_SIZE], value[64];
    struct recorder_call call = {.function = HISTORY_PUT, .key = key, .value = value};

    snprintf(value, sizeof value, "%c%u.%u", worker->kind, worker->index, worker->serial++);
    member_path(path, worker, key, "add_member");
    crdt_write(worker, &call, path, NULL);
}

void worker_member_remove(struct worker *worker, const char *key, const struct worker_read *seen)
{
    char path[PATH_SIZE];
    struct recorder_call call = {.function = HISTORY_DELETE, .key = key};

    member_path(path, worker, key, "remove_member");
    crdt_write(worker, &call, path, seen);
}

bool worker_member(struct worker *worker, const char *key, unsigned peer, bool is_final)
{
    char path[PATH_SIZE];
    struct recorder_call call = {
        .function = HISTORY_GET, .key = key, .peer = peer, .is_final = is_final};

    member_path(path, worker, key, "member");
    return crdt_read(worker, &call, path, member_shown);
}
