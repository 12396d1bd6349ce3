/* host_queue.h: a bounded ring between exactly one thread that pushes and one that pops. The only
 * way threads of a peer talk: no locks, no shared state beside the two counters. */
#ifndef GOSSAMER_HOST_QUEUE_H
#define GOSSAMER_HOST_QUEUE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "status.h"
#include "types.h"

#define HOST_QUEUE_LINE 64 /* bytes of a cache line: the two sides do not disturb each other */

struct host_queue {
    void **slots;                                    /* owned, mask + 1 of them */
    uint32_t mask;                                   /* a power of two, minus one */
    _Alignas(HOST_QUEUE_LINE) atomic_uint head;      /* next to pop; written by the popping side */
    _Alignas(HOST_QUEUE_LINE) atomic_uint tail;      /* next to push; written by the pushing side */
    _Alignas(HOST_QUEUE_LINE) atomic_bool is_asleep; /* the popping side waits, or is about to */
    sem_t wakeup;
};

/* host_queue_init makes an empty ring for `capacity` items, a power of two. OK, MEMORY. */
enum status host_queue_init(struct host_queue *queue, uint32_t capacity) MUST_USE;
/* host_queue_close frees the ring; what is still in it stays the caller's. */
void host_queue_close(struct host_queue *queue);
/* host_queue_push appends; false when full. Wakes nobody: see host_queue_wake. */
bool host_queue_push(struct host_queue *queue, void *item) MUST_USE;
/* host_queue_pop returns the oldest item, NULL when empty. */
void *host_queue_pop(struct host_queue *queue);
/* host_queue_is_empty tells the popping side whether there is nothing to pop now. */
bool host_queue_is_empty(struct host_queue *queue);
/* host_queue_wake is for the pushing side: the popping side returns from host_queue_wait. Costs
 * nothing while it is awake. */
void host_queue_wake(struct host_queue *queue);
/* host_queue_wait is for the popping side: returns when there may be something to pop or something
 * else to look at; without either it sleeps. `is_stopped` is looked at before going to sleep. */
void host_queue_wait(struct host_queue *queue, atomic_bool *is_stopped);

#endif
