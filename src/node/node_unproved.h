/* node_unproved.h: the address a step answers without knowing who is there (node_datagram.c): all
 * that is sent to it must not be more than what came from it. Part of node_impl.h. */
#ifndef GOSSAMER_NODE_UNPROVED_H
#define GOSSAMER_NODE_UNPROVED_H

#include "types.h"

struct node_unproved {
    struct address address; /* family 0: none */
    size_t room;            /* bytes that may still be sent there */
};

uint64_t node_cookie_mask(const struct address *address); /* node_send.c */

#endif
