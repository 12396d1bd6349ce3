/* node_jobs.h: long work of this peer, for people to watch (node_jobs.c). Part of node_impl.h. */
#ifndef GOSSAMER_NODE_JOBS_H
#define GOSSAMER_NODE_JOBS_H

#include "op.h"
#include "types.h"

#define JOB_SIZE 47u /* bytes of one job in JOBS */

struct node_jobs {
    struct {
        instant since; /* 0: it does not run */
        uint64_t from; /* what its counter was then */
    } clocks[JOB_KINDS];
    uint32_t asked, asked_seen; /* requests of clients and coordinators; when last looked at */
    uint64_t taken;             /* bytes of rows merged from other owners since the start */
};

#endif
