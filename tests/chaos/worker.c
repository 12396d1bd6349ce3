#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "proc.h"

#define TIMEOUT_MS 3000u /* a stopped peer holds a client no longer; the request's own is 2 s */
#define AVOID_MS 2000u   /* else all clients would soon wait for the same stopped peer */

static uint32_t worker_hash(const char *text)
{
    uint32_t sum = 2166136261u;

    for (; *text; text++)
        sum = (sum ^ (uint8_t)*text) * 16777619u;
    return sum;
}

void worker_init(struct worker *worker, struct workload *workload, char kind, unsigned index,
                 uint64_t seed)
{
    memset(worker, 0, sizeof *worker);
    worker->workload = workload;
    worker->kind = kind;
    worker->index = index;
    prng_init(&worker->prng, seed);
    for (unsigned i = 0; i < WORKLOAD_PEERS; i++) {
        worker->clients[i] = client_at(workload->ports[i]);
        worker->clients[i].timeout_ms = TIMEOUT_MS;
    }
}

void worker_name(const struct worker *worker, char name[WORKLOAD_NAME_SIZE])
{
    snprintf(name, WORKLOAD_NAME_SIZE, "%c%u/%u", worker->kind, worker->index, worker->life);
}

unsigned worker_peer(struct worker *worker)
{
    unsigned peer = (unsigned)prng_below(&worker->prng, WORKLOAD_PEERS);

    for (unsigned tries = 0; tries < 4 && worker->avoid_ms[peer] > proc_now_ms(); tries++)
        peer = (unsigned)prng_below(&worker->prng, WORKLOAD_PEERS);
    return peer;
}

struct client_reply worker_ask(struct worker *worker, unsigned peer,
                               const struct client_request *request)
{
    struct client_reply reply = client_ask(&worker->clients[peer], request);

    if (reply.status == 0)
        worker->avoid_ms[peer] = proc_now_ms() + AVOID_MS;
    return reply;
}

/* The slot where the last read of a key is, or would be. */
struct worker_read *worker_slot(struct worker *worker, const char *key)
{
    return &worker->reads[worker_hash(key) % WORKER_READS];
}

const struct worker_read *worker_seen(struct worker *worker, const char *key)
{
    struct worker_read *read = worker_slot(worker, key);

    return strcmp(read->key, key) == 0 && read->context[0] ? read : NULL;
}

/* The document that explains a refusal; NULL without one. */
static json_t *worker_problem(const struct client_reply *reply)
{
    return reply->status >= 400 ? json_loadb(reply->body, reply->body_size, 0, NULL) : NULL;
}

/* The last part of its type, "quorum-timeout", as long as the document lives. */
static const char *worker_why(const json_t *problem)
{
    const char *type = json_string_value(json_object_get(problem, "type"));
    const char *slug = type ? strrchr(type, '/') : NULL;

    return slug ? slug + 1 : NULL;
}

/* What is known of a write (api.md 8). */
static enum history_outcome worker_outcome(const struct client_reply *reply, const json_t *problem)
{
    if (reply->status / 100 == 2)
        return HISTORY_OK;
    if (reply->is_unsent || reply->status / 100 == 4)
        return HISTORY_FAIL;
    return json_is_true(json_object_get(problem, "definite")) ? HISTORY_FAIL : HISTORY_INFO;
}

void worker_finish(struct worker *worker, uint32_t number, const struct recorder_call *call,
                   const struct client_reply *reply, const char *values)
{
    json_t *problem = worker_problem(reply);
    struct recorder_end end = {
        .outcome = values ? HISTORY_OK : HISTORY_FAIL, .status = reply->status, .values = values};

    if (call->function != HISTORY_GET) {
        end.outcome = worker_outcome(reply, problem);
        end.etag = end.outcome == HISTORY_OK ? reply->etag : "";
        worker->life += end.outcome == HISTORY_INFO;
    }
    end.why = end.outcome == HISTORY_OK ? NULL : worker_why(problem);
    recorder_finish(worker->workload->recorder, number, call, &end);
    json_decref(problem);
}

/* --- reading */

static json_t *worker_pair(json_t *value, const char *etag)
{
    json_t *pair = json_array();

    json_array_append_new(pair, value);
    json_array_append_new(pair, json_string(etag));
    return pair;
}

/* The values of an answer as [[value, etag], ...]; tombstones show nothing. NULL: none of ours. */
static json_t *worker_values(const struct client_reply *reply)
{
    json_t *values = json_array(), *body, *entry;
    size_t i;

    if (reply->status == 200)
        json_array_append_new(
            values, worker_pair(json_stringn(reply->body, reply->body_size), reply->etag));
    if (reply->status != 300)
        return values;
    body = json_loadb(reply->body, reply->body_size, 0, NULL);
    json_array_foreach(json_object_get(body, "values"), i, entry)
    {
        const char *etag = json_string_value(json_object_get(entry, "etag"));
        json_t *data = json_object_get(entry, "data");

        if (!json_is_true(json_object_get(entry, "tombstone")))
            json_array_append_new(
                values, worker_pair(data ? json_incref(data) : json_string("?"), etag ? etag : ""));
    }
    json_decref(body);
    return values;
}

bool worker_get(struct worker *worker, const char *key, unsigned peer, bool is_final)
{
    char path[128], name[WORKLOAD_NAME_SIZE];
    struct recorder_call call = {HISTORY_GET, name, key, NULL, RECORDER_NO_CONTEXT, peer, is_final};
    struct worker_read *read = worker_slot(worker, key);
    struct client_reply reply;
    char *text = NULL;
    uint32_t number;

    worker_name(worker, name);
    snprintf(path, sizeof path, "/v1/kv/chaos/%s?siblings=all&consistency=%s", key,
             is_final ? "quorum" : worker->workload->consistency);
    number = recorder_begin(worker->workload->recorder, &call);
    reply = worker_ask(worker, peer, &(struct client_request){.method = "GET", .path = path});
    if (reply.status == 200 || reply.status == 300 || reply.status == 404) {
        json_t *values = worker_values(&reply);

        text = json_dumps(values, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(values);
        snprintf(read->key, sizeof read->key, "%s", key);
        memcpy(read->context, reply.context, sizeof read->context);
        read->number = number;
    }
    worker_finish(worker, number, &call, &reply, text);
    free(text);
    return text != NULL;
}

/* --- writing */

static void worker_write(struct worker *worker, struct recorder_call *call,
                         const struct worker_read *seen)
{
    char path[128], fields[CLIENT_CONTEXT_MAX + 64] = "", name[WORKLOAD_NAME_SIZE];
    struct client_request request = {.path = path, .fields = fields};
    struct client_reply reply;
    uint32_t number;

    worker_name(worker, name);
    call->client = name;
    call->peer = worker_peer(worker);
    call->context = seen ? seen->number : RECORDER_NO_CONTEXT;
    request.method = call->function == HISTORY_PUT ? "PUT" : "DELETE";
    request.body = call->value;
    request.body_size = call->value ? strlen(call->value) : 0;
    snprintf(path, sizeof path, "/v1/kv/chaos/%s?consistency=%s", call->key,
             worker->workload->consistency);
    if (seen)
        snprintf(fields, sizeof fields, "Gossamer-Context: %s\r\n", seen->context);
    number = recorder_begin(worker->workload->recorder, call);
    reply = worker_ask(worker, call->peer, &request);
    worker_finish(worker, number, call, &reply, NULL);
}

void worker_put(struct worker *worker, const char *key, const struct worker_read *seen)
{
    char value[128];
    struct recorder_call call = {.function = HISTORY_PUT, .key = key, .value = value};
    int size = snprintf(value, sizeof value, "%c%u.%u.%s", worker->kind, worker->index,
                        worker->serial++, key);

    snprintf(value + size, sizeof value - (size_t)size, ".%08x", worker_hash(value));
    worker_write(worker, &call, seen);
}

void worker_delete(struct worker *worker, const char *key, const struct worker_read *seen)
{
    struct recorder_call call = {.function = HISTORY_DELETE, .key = key};

    worker_write(worker, &call, seen);
}
