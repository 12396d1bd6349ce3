#include "host_pool.h"

#include <stdlib.h>
#include <string.h>

#include "ensure.h"

#define RANGE_THREADS ((HOST_READ_THREADS + 1) / 2)

struct host_pool_worker {
    struct host_lane lane;
    struct host_pool *pool;
};

struct host_pool {
    struct host_pool_worker workers[HOST_READ_THREADS];
    struct store store;
    host_wake *wake;
    void *wake_context;
    unsigned next; /* worker asked first for finished reads: none is starved */
};

static void *host_pool_run(void *context)
{
    struct host_pool_worker *worker = context;
    struct host_pool *pool = worker->pool;
    struct host_job *job;

    do {
        while ((job = host_lane_next(&worker->lane)) != NULL) {
            host_read_run((struct host_read *)job, &pool->store);
            host_lane_finish(&worker->lane, job);
            pool->wake(pool->wake_context);
        }
    } while (host_lane_wait(&worker->lane));
    return NULL;
}

static void host_pool_discard(struct host_pool *pool, unsigned workers)
{
    for (unsigned i = 0; i < workers; i++)
        host_lane_stop(&pool->workers[i].lane);
    for (unsigned i = 0; i < workers; i++) {
        struct host_job *job;

        while ((job = host_lane_take(&pool->workers[i].lane)) != NULL)
            host_read_delete((struct host_read *)job);
        host_lane_close(&pool->workers[i].lane);
    }
    free(pool);
}

enum status host_pool_open(struct host_pool **pool, const struct store *store, host_wake *wake,
                           void *wake_context)
{
    struct host_pool *new = aligned_alloc(HOST_QUEUE_LINE, sizeof *new);

    *pool = NULL;
    if (new == NULL)
        return STATUS_MEMORY;
    memset(new, 0, sizeof *new);
    new->store = *store;
    new->wake = wake;
    new->wake_context = wake_context;
    for (unsigned i = 0; i < HOST_READ_THREADS; i++) {
        struct host_pool_worker *worker = &new->workers[i];

        worker->pool = new;
        if (host_lane_init(&worker->lane) != STATUS_OK) {
            host_pool_discard(new, i);
            return STATUS_MEMORY;
        }
        if (host_lane_start(&worker->lane, host_pool_run, worker) != STATUS_OK) {
            host_pool_discard(new, i + 1);
            return STATUS_MEMORY;
        }
    }
    *pool = new;
    return STATUS_OK;
}

void host_pool_read(struct host_pool *pool, uint64_t read, bool is_point,
                    const struct store_range *range)
{
    unsigned threads = is_point ? HOST_READ_THREADS : RANGE_THREADS;
    struct host_pool_worker *chosen = &pool->workers[threads - 1];

    for (unsigned i = threads - 1; i-- > 0;) {
        if (host_lane_load(&pool->workers[i].lane) < host_lane_load(&chosen->lane))
            chosen = &pool->workers[i];
    }
    host_lane_add(&chosen->lane, &host_read_new(read, is_point, range)->job);
}

void host_pool_flush(struct host_pool *pool)
{
    for (unsigned i = 0; i < HOST_READ_THREADS; i++)
        host_lane_flush(&pool->workers[i].lane);
}

struct host_read *host_pool_poll(struct host_pool *pool)
{
    for (unsigned i = 0; i < HOST_READ_THREADS; i++) {
        struct host_pool_worker *worker = &pool->workers[pool->next++ % HOST_READ_THREADS];
        struct host_job *job = host_lane_take(&worker->lane);

        if (job != NULL)
            return (struct host_read *)job;
    }
    return NULL;
}

void host_pool_stop(struct host_pool *pool)
{
    for (unsigned i = 0; i < HOST_READ_THREADS; i++)
        host_lane_stop(&pool->workers[i].lane);
}

void host_pool_close(struct host_pool *pool)
{
    if (pool != NULL)
        host_pool_discard(pool, HOST_READ_THREADS);
}
