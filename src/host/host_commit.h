/* host_commit.h: the one thread that writes. It takes whatever is queued, writes it as one batch
 * with one sync, and while that goes on the next batch gathers: group commit without a timer. */
#ifndef GOSSAMER_HOST_COMMIT_H
#define GOSSAMER_HOST_COMMIT_H

#include "host_lane.h"
#include "store.h"

struct host_commit_config {
    struct store store;    /* only apply is called, only by the thread */
    const char *directory; /* borrowed: its file system must have room; NULL: not looked at */
    uint64_t min_free;     /* bytes; below it puts are refused, below half of it deletes too */
    uint32_t ops_max;      /* requests per batch */
    uint32_t bytes_max;    /* keys and values per batch; a larger request goes alone */
    host_wake *wake;
    void *wake_context;
};

struct host_commit;

/* host_commit_open starts the thread. OK, MEMORY. */
enum status host_commit_open(struct host_commit **commit,
                             const struct host_commit_config *config) MUST_USE;
/* host_commit_write queues rows under a write ticket; keys and values are copied. The thread looks
 * at them after the next host_commit_flush. */
void host_commit_write(struct host_commit *commit, uint64_t write, const struct store_row *rows,
                       uint32_t count);
/* host_commit_flush hands over what was queued: once per turn of the loop. */
void host_commit_flush(struct host_commit *commit);
/* host_commit_poll takes one completion: false when there is none. Status: OK durable; NO_SPACE
 * certainly not written; UNKNOWN_OUTCOME: may or may not be, and so is everything after it. */
bool host_commit_poll(struct host_commit *commit, uint64_t *write, enum status *status);
/* host_commit_stop writes what is queued and joins the thread. host_commit_poll then still gives
 * every completion. */
void host_commit_stop(struct host_commit *commit);
/* host_commit_close is host_commit_stop, then everything is freed. */
void host_commit_close(struct host_commit *commit);

#endif
