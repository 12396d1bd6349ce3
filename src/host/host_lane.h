/* host_lane.h: a thread and the two rings between it and the loop. The committer is one lane, each
 * reading thread another. */
#ifndef GOSSAMER_HOST_LANE_H
#define GOSSAMER_HOST_LANE_H

#include <pthread.h>

#include "host_queue.h"

/* Called by a thread when a finished job waits; must be safe from any thread (ev_async_send). */
typedef void host_wake(void *context);

/* First field of everything that travels on a lane. The loop allocates and frees jobs; between
 * flush and take they belong to the thread. */
struct host_job {
    struct host_job *next; /* while it waits on the loop's side */
};

/*   loop --add--> waiting --flush--> [queue] --> thread --> [done] --take--> loop
 *
 * At most HOST_LANE_RING jobs are under way, so neither ring is ever full. */
#define HOST_LANE_RING 4096u /* several full batches of the committer */

struct host_lane {
    struct host_queue queue, done;
    struct host_job *first, **last; /* waiting; the loop's */
    uint32_t waiting;               /* jobs in that list */
    uint32_t under_way;             /* jobs flushed and not taken; the loop's */
    bool is_joined;                 /* the thread has ended */
    atomic_bool is_stopped;         /* it is to end when nothing is queued */
    pthread_t thread;
};

/* host_lane_init makes an empty lane without a thread; host_lane_start starts one. OK, MEMORY. */
enum status host_lane_init(struct host_lane *lane) MUST_USE;
enum status host_lane_start(struct host_lane *lane, void *(*run)(void *), void *context) MUST_USE;
/* host_lane_close frees the rings; the thread is stopped and every job taken. */
void host_lane_close(struct host_lane *lane);

/* --- for the loop */

/* host_lane_add queues a job; the thread sees it after the next flush. */
void host_lane_add(struct host_lane *lane, struct host_job *job);
/* host_lane_flush hands over what waits, as far as there is room. */
void host_lane_flush(struct host_lane *lane);
/* host_lane_take returns a finished job or NULL. After host_lane_stop also those the thread never
 * got, untouched: each job comes back exactly once. */
struct host_job *host_lane_take(struct host_lane *lane);
/* host_lane_load counts jobs that are not taken yet. */
uint32_t host_lane_load(const struct host_lane *lane);
/* host_lane_stop lets the thread finish what it has and joins it. */
void host_lane_stop(struct host_lane *lane);

/* --- for the thread */

/* host_lane_next returns the next job, NULL when there is none now. */
struct host_job *host_lane_next(struct host_lane *lane);
/* host_lane_finish gives a job back. */
void host_lane_finish(struct host_lane *lane, struct host_job *job);
/* host_lane_wait sleeps until there may be a job; false when the thread is to end. */
bool host_lane_wait(struct host_lane *lane);

#endif
