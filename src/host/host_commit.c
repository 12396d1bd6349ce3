/* host_commit.c: requests come as jobs of a lane, one batch at a time goes to the engine. After one
 * failed write nothing is written any more: the same clock actor must not commit again
 * (security.md S3). Memory for a batch is bounded by the batch; when there is none, we stop. */
#include "host_commit.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "bytes.h"
#include "ensure.h"

struct host_commit_request {
    struct host_job job; /* first: a job is cast back to its request */
    uint64_t write;
    enum status status;
    uint32_t count;          /* rows */
    size_t size;             /* bytes of keys and values */
    bool has_put;            /* a row that may not use the reserve */
    struct store_row rows[]; /* their bytes follow in the same allocation */
};

struct host_commit {
    struct host_lane lane;
    struct host_commit_config config;
    /* Of the thread alone: */
    struct host_commit_request **batch; /* owned, ops_max of them */
    struct host_commit_request *held;   /* popped, but too large for the batch before it */
    struct store_row *rows;             /* owned; the batch's rows in one array */
    uint32_t rows_capacity;
    bool is_failed; /* a write failed: the outcome of everything from then on is unknown */
};

/* --- the thread */

static uint32_t host_commit_gather(struct host_commit *commit)
{
    uint32_t count = 0;
    size_t size = 0;

    while (count < commit->config.ops_max) {
        struct host_commit_request *request = commit->held;

        commit->held = NULL;
        if (request == NULL)
            request = (struct host_commit_request *)host_lane_next(&commit->lane);
        if (request == NULL)
            break;
        if (count > 0 && size + request->size > commit->config.bytes_max) {
            commit->held = request;
            break;
        }
        size += request->size;
        commit->batch[count++] = request;
    }
    return count;
}

static uint64_t host_commit_free_bytes(const struct host_commit *commit)
{
    struct statvfs info;

    if (commit->config.directory == NULL || statvfs(commit->config.directory, &info) != 0)
        return UINT64_MAX; /* cannot be known: the write itself will tell */
    return (uint64_t)info.f_bavail * info.f_frsize;
}

static void host_commit_append(struct host_commit *commit, uint32_t at,
                               const struct host_commit_request *request)
{
    if (at + request->count > commit->rows_capacity) {
        commit->rows_capacity = (at + request->count) * 2;
        commit->rows = realloc(commit->rows, commit->rows_capacity * sizeof *commit->rows);
        ensure(commit->rows != NULL);
    }
    for (uint32_t i = 0; i < request->count; i++)
        commit->rows[at + i] = request->rows[i];
}

/* Decides per request and lays the rows of those that go on into one array. */
static uint32_t host_commit_collect(struct host_commit *commit, uint32_t count)
{
    uint64_t room = host_commit_free_bytes(commit);
    uint64_t min_free = commit->config.min_free;
    uint32_t rows = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct host_commit_request *request = commit->batch[i];
        bool has_room = room >= (request->has_put ? min_free : min_free / 2);

        request->status = has_room ? STATUS_OK : STATUS_NO_SPACE;
        if (!has_room)
            continue;
        host_commit_append(commit, rows, request);
        rows += request->count;
    }
    return rows;
}

static enum status host_commit_apply(struct host_commit *commit, uint32_t rows)
{
    enum status status = STATUS_OK;

    if (rows > 0)
        status = commit->config.store.apply(commit->config.store.context, commit->rows, rows);
    if (status == STATUS_OK || status == STATUS_NO_SPACE)
        return status;
    commit->is_failed = true;
    return STATUS_UNKNOWN_OUTCOME;
}

static void host_commit_batch(struct host_commit *commit, uint32_t count)
{
    enum status status = STATUS_UNKNOWN_OUTCOME;

    if (!commit->is_failed)
        status = host_commit_apply(commit, host_commit_collect(commit, count));
    for (uint32_t i = 0; i < count; i++) {
        if (commit->batch[i]->status != STATUS_NO_SPACE)
            commit->batch[i]->status = status;
        host_lane_finish(&commit->lane, &commit->batch[i]->job);
    }
    commit->config.wake(commit->config.wake_context);
}

static void *host_commit_run(void *context)
{
    struct host_commit *commit = context;

    do {
        for (;;) {
            uint32_t count;

            /* A loop that waits for this very processor first: what it would add now shares the
             * next sync. Where nobody waits for it this costs nothing. */
            sched_yield();
            count = host_commit_gather(commit);
            if (count == 0)
                break;
            host_commit_batch(commit, count);
        }
    } while (host_lane_wait(&commit->lane));
    return NULL;
}

/* --- the loop */

static void host_commit_free(struct host_commit *commit)
{
    free(commit->rows);
    free(commit->batch);
    free(commit);
}

enum status host_commit_open(struct host_commit **commit, const struct host_commit_config *config)
{
    struct host_commit *new = aligned_alloc(HOST_QUEUE_LINE, sizeof *new);

    *commit = NULL;
    if (new == NULL)
        return STATUS_MEMORY;
    ensure(config->ops_max > 0 && config->wake != NULL);
    memset(new, 0, sizeof *new);
    new->config = *config;
    new->batch = calloc(config->ops_max, sizeof(struct host_commit_request *));
    if (new->batch == NULL || host_lane_init(&new->lane) != STATUS_OK) {
        host_commit_free(new);
        return STATUS_MEMORY;
    }
    if (host_lane_start(&new->lane, host_commit_run, new) != STATUS_OK) {
        host_lane_close(&new->lane);
        host_commit_free(new);
        return STATUS_MEMORY;
    }
    *commit = new;
    return STATUS_OK;
}

static struct slice host_commit_copy(uint8_t **at, struct slice bytes)
{
    struct slice copy = slice_of(*at, bytes.size);

    if (bytes.size > 0)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return copy;
}

static size_t host_commit_size(const struct store_row *row)
{
    return row->key.size + (row->is_delete ? 0 : row->value.size);
}

void host_commit_write(struct host_commit *commit, uint64_t write, const struct store_row *rows,
                       uint32_t count)
{
    struct host_commit_request *request;
    size_t size = 0;
    uint8_t *at;

    for (uint32_t i = 0; i < count; i++)
        size += host_commit_size(&rows[i]);
    request = malloc(sizeof *request + count * sizeof *rows + size);
    ensure(request != NULL);
    *request = (struct host_commit_request){
        .write = write, .status = STATUS_UNKNOWN_OUTCOME, .count = count, .size = size};
    at = (uint8_t *)(request->rows + count);
    for (uint32_t i = 0; i < count; i++) {
        struct store_row *row = &request->rows[i];

        *row = (struct store_row){.family = rows[i].family, .is_delete = rows[i].is_delete};
        row->key = host_commit_copy(&at, rows[i].key);
        if (!row->is_delete)
            row->value = host_commit_copy(&at, rows[i].value);
        request->has_put = request->has_put || !(row->is_delete || rows[i].may_use_reserve);
    }
    host_lane_add(&commit->lane, &request->job);
}

void host_commit_flush(struct host_commit *commit)
{
    host_lane_flush(&commit->lane);
}

bool host_commit_poll(struct host_commit *commit, uint64_t *write, enum status *status)
{
    struct host_commit_request *request =
        (struct host_commit_request *)host_lane_take(&commit->lane);

    if (request == NULL)
        return false;
    *write = request->write;
    *status = request->status;
    free(request);
    return true;
}

void host_commit_stop(struct host_commit *commit)
{
    host_lane_stop(&commit->lane);
}

void host_commit_close(struct host_commit *commit)
{
    enum status status;
    uint64_t write;

    if (commit == NULL)
        return;
    host_commit_stop(commit);
    while (host_commit_poll(commit, &write, &status))
        ;
    host_lane_close(&commit->lane);
    host_commit_free(commit);
}
