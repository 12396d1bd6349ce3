/* edge_jobs.c: long work as people see it, and the weight of a peer, which makes some. */
#include <stdlib.h>

#include "edge_json.h"
#include "edge_room.h"

#define WEIGHT_MAX 64u

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)(value & INT64_MAX));
}

/* --- jobs */

enum edge_verdict edge_jobs(struct edge_call *call)
{
    call->op->kind = call->slot->kind = OP_JOBS;
    call->slot->filter = edge_call_copy(call, call->parts[0]); /* empty: all */
    return VERDICT_OP;
}

static const char *job_kind_name(enum job_kind kind)
{
    static const char *const names[] = {
        [JOB_JOIN] = "join",       [JOB_LEAVE] = "leave",   [JOB_WEIGH] = "weigh",
        [JOB_INHERIT] = "inherit", [JOB_REFILL] = "refill", [JOB_HAND_OFF] = "hand-off"};

    return names[kind];
}

/* A job is known by its kind and its peer: there is one at a time. */
static json_t *job_json(const struct result_job *job)
{
    static const char *const states[] = {
        [JOB_RUNNING] = "running", [JOB_WAITING] = "waiting", [JOB_PAUSED] = "paused"};
    json_t *object = json_object(), *partitions = json_object();
    uint64_t left = job->total > job->done ? job->total - job->done : 0;
    char id[32 + NAME_SIZE_MAX];

    snprintf(id, sizeof id, "%s-%.*s", job_kind_name(job->kind), (int)job->name.size,
             job->name.text);
    edge_json_put(object, "id", json_string(id));
    edge_json_put(object, "kind", json_string(job_kind_name(job->kind)));
    edge_json_put(object, "state", json_string(states[job->state]));
    edge_json_put(object, "peer", edge_json_label(&job->name));
    edge_json_put(object, "of", edge_json_label(&job->of));
    edge_json_put(object, "done", number(job->done));
    edge_json_put(object, "total", job->total ? number(job->total) : json_null());
    edge_json_put(object, "unit", json_string("bytes"));
    edge_json_put(object, "rate", number(job->rate));
    edge_json_put(object, "eta_s",
                  job->total && job->rate ? number(left / job->rate) : json_null());
    edge_json_put(object, "running_s", number(job->since_s));
    edge_json_put(partitions, "done", json_integer(job->parts_done));
    edge_json_put(partitions, "total", json_integer(job->parts_total));
    edge_json_put(object, "partitions", partitions);
    return object;
}

void edge_jobs_reply(struct edge_answer *answer, const struct result *result)
{
    struct slice wanted = answer->slot->filter;
    json_t *body, *jobs;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    jobs = json_array();
    for (uint32_t i = 0; i < result->job_count; i++) {
        json_t *job = job_json(&result->jobs[i]);

        if (!wanted.size ||
            slice_equal(wanted, slice_text(json_string_value(json_object_get(job, "id")))))
            (void)json_array_append_new(jobs, job);
        else
            json_decref(job);
    }
    if (wanted.size && json_array_size(jobs) == 0) {
        struct edge_fault fault;

        json_decref(jobs);
        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "no such job runs", NULL);
        edge_answer_fault(answer, &fault, result);
        return;
    }
    body = wanted.size ? json_incref(json_array_get(jobs, 0)) : json_object();
    if (wanted.size) {
        json_decref(jobs);
    } else {
        edge_json_put(body, "jobs", jobs);
        edge_json_put(body, "peers_silent", json_integer(result->silent_count));
    }
    edge_json_reply(answer, 200, result, body);
}

/* --- weight */

enum edge_verdict edge_weight(struct edge_call *call)
{
    call->op->kind = call->slot->kind = OP_WEIGHT;
    call->op->key = edge_call_copy(call, call->parts[0]);
    return VERDICT_OP;
}

/* A decimal number as jansson spells it, in 1/256; false when it is no multiple, or above 64. */
bool edge_weight_parse(struct slice text, uint16_t *weight)
{
    uint64_t number = 0, scale = 1;
    bool is_fraction = false;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9' || number > 1000000000)
            return false; /* a sign, an exponent, or more digits than 1/256 has */
        number = number * 10 + (uint64_t)(text.data[i] - '0');
        scale *= is_fraction ? 10 : 1;
    }
    *weight = (uint16_t)(number * 256 / scale);
    return number * 256 % scale == 0 && number <= WEIGHT_MAX * scale && text.size > 0;
}

/* {"weight": 1.5}: from 0 to 64 in steps of 1/256. */
enum edge_verdict edge_weight_body(struct edge_call *call, struct slice body)
{
    json_t *json = edge_json_read(call, body);
    const json_t *value = json_object_get(json, "weight");
    char *text = json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    bool is_good = text && json_object_size(json) == 1 &&
                   edge_weight_parse(slice_text(text), &call->op->weight);

    free(text);
    if (!json)
        return VERDICT_FAULT;
    json_decref(json);
    if (is_good)
        return VERDICT_OP;
    return edge_call_fault(call, PROBLEM_BAD_REQUEST,
                           "the body is {\"weight\": N}, N from 0 to 64 in steps of 1/256");
}

void edge_weight_reply(struct edge_answer *answer, const struct result *result)
{
    struct edge_fault fault;

    if (result->status == STATUS_OK) {
        edge_json_reply(answer, 202, result, json_pack("{s:s}", "state", "weighing"));
        return;
    }
    if (result->status != STATUS_CONFLICT && result->status != STATUS_MISSING) {
        edge_answer_refuse(answer, result);
        return;
    }
    edge_fault_of_result(&fault, result);
    edge_fault_set(&fault, fault.problem,
                   result->status == STATUS_MISSING
                       ? "no member has this name or id"
                       : "the peer is joining or leaving, or nobody else would store anything",
                   NULL);
    edge_answer_fault(answer, &fault, result);
}
