#include "host_lane.h"

#include "ensure.h"

enum status host_lane_init(struct host_lane *lane)
{
    if (host_queue_init(&lane->queue, HOST_LANE_RING) != STATUS_OK)
        return STATUS_MEMORY;
    if (host_queue_init(&lane->done, HOST_LANE_RING) != STATUS_OK) {
        host_queue_close(&lane->queue);
        return STATUS_MEMORY;
    }
    lane->first = NULL;
    lane->last = &lane->first;
    lane->waiting = lane->under_way = 0;
    lane->is_joined = true;
    atomic_init(&lane->is_stopped, false);
    return STATUS_OK;
}

enum status host_lane_start(struct host_lane *lane, void *(*run)(void *), void *context)
{
    ensure(lane->is_joined);
    atomic_store(&lane->is_stopped, false);
    if (pthread_create(&lane->thread, NULL, run, context) != 0)
        return STATUS_MEMORY;
    lane->is_joined = false;
    return STATUS_OK;
}

void host_lane_close(struct host_lane *lane)
{
    ensure(lane->is_joined && host_lane_load(lane) == 0);
    host_queue_close(&lane->queue);
    host_queue_close(&lane->done);
}

void host_lane_add(struct host_lane *lane, struct host_job *job)
{
    job->next = NULL;
    *lane->last = job;
    lane->last = &job->next;
    lane->waiting++;
}

static struct host_job *host_lane_pop_waiting(struct host_lane *lane)
{
    struct host_job *job = lane->first;

    if (job == NULL)
        return NULL;
    lane->first = job->next;
    if (lane->first == NULL)
        lane->last = &lane->first;
    job->next = NULL;
    lane->waiting--;
    return job;
}

void host_lane_flush(struct host_lane *lane)
{
    bool is_moved = false;

    while (lane->first != NULL && lane->under_way < HOST_LANE_RING) {
        ensure(host_queue_push(&lane->queue, host_lane_pop_waiting(lane)));
        lane->under_way++;
        is_moved = true;
    }
    if (is_moved)
        host_queue_wake(&lane->queue);
}

struct host_job *host_lane_take(struct host_lane *lane)
{
    struct host_job *job = host_queue_pop(&lane->done);

    if (job == NULL)
        return lane->is_joined ? host_lane_pop_waiting(lane) : NULL;
    lane->under_way--;
    if (lane->first != NULL && !lane->is_joined)
        host_lane_flush(lane);
    return job;
}

uint32_t host_lane_load(const struct host_lane *lane)
{
    return lane->waiting + lane->under_way;
}

void host_lane_stop(struct host_lane *lane)
{
    if (lane->is_joined)
        return;
    host_lane_flush(lane);
    atomic_store(&lane->is_stopped, true);
    host_queue_wake(&lane->queue);
    ensure(pthread_join(lane->thread, NULL) == 0);
    lane->is_joined = true;
}

struct host_job *host_lane_next(struct host_lane *lane)
{
    return host_queue_pop(&lane->queue);
}

void host_lane_finish(struct host_lane *lane, struct host_job *job)
{
    ensure(host_queue_push(&lane->done, job));
}

bool host_lane_wait(struct host_lane *lane)
{
    /* A stop comes after the last flush; so when a stop is seen and the ring is empty after that,
     * it stays empty. */
    if (atomic_load(&lane->is_stopped))
        return !host_queue_is_empty(&lane->queue);
    host_queue_wait(&lane->queue, &lane->is_stopped);
    return true;
}
