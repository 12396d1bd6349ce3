/* host_queue.c: the head and tail count for ever and wrap together; their difference is what the
 * ring holds. A push is published by the release store of the tail, a pop by that of the head.
 *
 * Sleeping without losing a wake: the popping side first says "asleep", then looks once more. The
 * pushing side first pushes, then looks for "asleep". Both with sequential consistency, so at
 * least one of them sees the other. Whoever turns "asleep" off owes or keeps the one wake-up. */
#include "host_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "ensure.h"

enum status host_queue_init(struct host_queue *queue, uint32_t capacity)
{
    ensure(capacity > 0 && (capacity & (capacity - 1)) == 0);
    queue->slots = calloc(capacity, sizeof *queue->slots);
    if (queue->slots == NULL)
        return STATUS_MEMORY;
    queue->mask = capacity - 1;
    atomic_init(&queue->head, 0);
    atomic_init(&queue->tail, 0);
    atomic_init(&queue->is_asleep, false);
    ensure(sem_init(&queue->wakeup, 0, 0) == 0);
    return STATUS_OK;
}

void host_queue_close(struct host_queue *queue)
{
    free(queue->slots);
    queue->slots = NULL;
    sem_destroy(&queue->wakeup);
}

bool host_queue_push(struct host_queue *queue, void *item)
{
    unsigned tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    unsigned head = atomic_load_explicit(&queue->head, memory_order_acquire);

    ensure(item != NULL);
    if (tail - head > queue->mask)
        return false;
    queue->slots[tail & queue->mask] = item;
    atomic_store(&queue->tail, tail + 1);
    return true;
}

void *host_queue_pop(struct host_queue *queue)
{
    unsigned head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    void *item;

    if (head == atomic_load(&queue->tail))
        return NULL;
    item = queue->slots[head & queue->mask];
    atomic_store_explicit(&queue->head, head + 1, memory_order_release);
    return item;
}

void host_queue_wake(struct host_queue *queue)
{
    if (atomic_load(&queue->is_asleep) && atomic_exchange(&queue->is_asleep, false))
        ensure(sem_post(&queue->wakeup) == 0);
}

bool host_queue_is_empty(struct host_queue *queue)
{
    return atomic_load(&queue->head) == atomic_load(&queue->tail);
}

void host_queue_wait(struct host_queue *queue, atomic_bool *is_stopped)
{
    atomic_store(&queue->is_asleep, true);
    if ((!host_queue_is_empty(queue) || atomic_load(is_stopped)) &&
        atomic_exchange(&queue->is_asleep, false))
        return; /* awake by ourselves: nobody has posted */
    while (sem_wait(&queue->wakeup) != 0)
        ensure(errno == EINTR);
}
