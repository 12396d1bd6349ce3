#include "recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const recorder_functions[] = {"put", "get", "del"};
static const char *const recorder_outcomes[] = {"info", "ok", "fail"};

uint64_t recorder_now(const struct recorder *recorder)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - recorder->begin;
}

void recorder_open(struct recorder *recorder, const char *path, uint64_t seed)
{
    memset(recorder, 0, sizeof *recorder);
    recorder->file = fopen(path, "we");
    if (!recorder->file || pthread_mutex_init(&recorder->lock, NULL) != 0)
        abort();
    recorder->begin = recorder_now(recorder) - 1;
    recorder->next = 1;
    recorder->last_success = recorder->last_write = recorder_now(recorder);
    fprintf(recorder->file,
            "{\"seed\":%" PRIu64 ",\"n\":3,\"w\":2,\"r\":2,\"workload\":\"set register siblings\","
            "\"faults\":\"kill pause partition restart\"}\n",
            seed);
}

void recorder_close(struct recorder *recorder)
{
    if (fclose(recorder->file) != 0)
        abort();
    pthread_mutex_destroy(&recorder->lock);
}

uint32_t recorder_begin(struct recorder *recorder, const struct recorder_call *call)
{
    uint32_t number;

    pthread_mutex_lock(&recorder->lock);
    number = recorder->next++;
    fprintf(recorder->file,
            "{\"i\":%u,\"t\":%" PRIu64 ",\"c\":\"%s\",\"ty\":\"inv\",\"f\":\"%s\",\"k\":\"%s\"",
            number, recorder_now(recorder), call->client, recorder_functions[call->function],
            call->key);
    if (call->value)
        fprintf(recorder->file, ",\"v\":\"%s\"", call->value);
    if (call->context != RECORDER_NO_CONTEXT)
        fprintf(recorder->file, ",\"ctx\":%u", call->context);
    fprintf(recorder->file, ",\"peer\":%u%s}\n", call->peer + 1,
            call->is_final ? ",\"fin\":1" : "");
    pthread_mutex_unlock(&recorder->lock);
    return number;
}

/* Raises `gap` to the time since `last`, which becomes now. */
static void recorder_gap(uint64_t *last, uint64_t *gap, uint64_t now)
{
    if (now - *last > *gap)
        *gap = now - *last;
    *last = now;
}

static void recorder_success(struct recorder *recorder, uint64_t now, bool is_write)
{
    if (!recorder->has_majority)
        return;
    recorder_gap(&recorder->last_success, &recorder->gap, now);
    if (is_write)
        recorder_gap(&recorder->last_write, &recorder->write_gap, now);
}

void recorder_finish(struct recorder *recorder, uint32_t number, const struct recorder_call *call,
                     const struct recorder_end *end)
{
    uint64_t now;

    pthread_mutex_lock(&recorder->lock);
    now = recorder_now(recorder);
    fprintf(recorder->file,
            "{\"i\":%u,\"t\":%" PRIu64 ",\"c\":\"%s\",\"ty\":\"%s\",\"f\":\"%s\",\"k\":\"%s\"",
            number, now, call->client, recorder_outcomes[end->outcome],
            recorder_functions[call->function], call->key);
    if (end->etag && end->etag[0])
        fprintf(recorder->file, ",\"e\":\"%s\"", end->etag);
    if (end->values)
        fprintf(recorder->file, ",\"vs\":%s", end->values);
    if (end->why)
        fprintf(recorder->file, ",\"why\":\"%s\"", end->why);
    fprintf(recorder->file, ",\"http\":%u}\n", end->status);
    recorder->counts[call->function][end->outcome]++;
    if (end->outcome == HISTORY_OK)
        recorder_success(recorder, now, call->function != HISTORY_GET);
    pthread_mutex_unlock(&recorder->lock);
}

void recorder_majority(struct recorder *recorder, bool has_majority)
{
    uint64_t now;

    pthread_mutex_lock(&recorder->lock);
    now = recorder_now(recorder);
    if (recorder->has_majority) {
        uint64_t success = recorder->last_success, write = recorder->last_write;

        /* Time up to now counts; it goes on counting unless the majority ends. */
        recorder_gap(&success, &recorder->gap, now);
        recorder_gap(&write, &recorder->write_gap, now);
    }
    if (has_majority && !recorder->has_majority)
        recorder->last_success = recorder->last_write = now;
    recorder->has_majority = has_majority;
    pthread_mutex_unlock(&recorder->lock);
}
