/* node_watch.h: who watches the members of the cluster (node_watch.c). Part of node_impl.h. */
#ifndef GOSSAMER_NODE_WATCH_H
#define GOSSAMER_NODE_WATCH_H

#include "op.h"

/* Tickets of requests that stay open. */
struct node_watch {
    ticket tickets[NODE_WATCHERS_MAX];
    uint32_t count;
};

#endif
