/* host_read.h: one read of the store and the rows it found. */
#ifndef GOSSAMER_HOST_READ_H
#define GOSSAMER_HOST_READ_H

#include "host_lane.h"
#include "store.h"

struct host_read {
    struct host_job job;      /* first: a job is cast back to its read */
    uint64_t read;            /* read ticket */
    bool is_point;            /* only range.from is read */
    struct store_range range; /* its bounds are copies at the end of this allocation */
    enum status status;       /* OK: found (point) or more follows; END; MISSING; CORRUPT; IO */
    struct store_row *rows;   /* owned */
    uint32_t count, capacity;
    uint8_t *bytes; /* owned; keys and values, in the order of the rows */
    size_t size, bytes_capacity;
    uint8_t bounds[];
};

/* host_read_new copies a request. Memory that is out stops us: reads under way are bounded. */
struct host_read *host_read_new(uint64_t read, bool is_point, const struct store_range *range);
/* host_read_run performs it on an engine; waits as long as that engine's get and scan do. */
void host_read_run(struct host_read *read, const struct store *store);
/* host_read_delete frees it with its rows. */
void host_read_delete(struct host_read *read);

#endif
