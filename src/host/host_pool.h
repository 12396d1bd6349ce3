/* host_pool.h: the threads that wait for the disk so that the loop never does. */
#ifndef GOSSAMER_HOST_POOL_H
#define GOSSAMER_HOST_POOL_H

#include "host_read.h"

/* A cold read and a long listing can wait side by side. */
#define HOST_READ_THREADS 2u

struct host_pool;

/* host_pool_open starts the threads over an engine whose get may wait (copied). `wake` as in
 * host_lane.h. OK, MEMORY. */
enum status host_pool_open(struct host_pool **pool, const struct store *store, host_wake *wake,
                           void *wake_context) MUST_USE;
/* host_pool_read queues a read; bounds are copied. Range reads go to half of the threads, so that a
 * point read never waits behind all of them. */
void host_pool_read(struct host_pool *pool, uint64_t read, bool is_point,
                    const struct store_range *range);
/* host_pool_flush hands over what was queued: once per turn of the loop. */
void host_pool_flush(struct host_pool *pool);
/* host_pool_poll returns a finished read, the caller's to delete, or NULL. */
struct host_read *host_pool_poll(struct host_pool *pool);
/* host_pool_stop lets the threads finish and joins them; host_pool_poll then gives all the rest,
 * those that were never begun with IO. */
void host_pool_stop(struct host_pool *pool);
/* host_pool_close is host_pool_stop, then everything is freed. */
void host_pool_close(struct host_pool *pool);

#endif
