/* node_peer.h: what the node keeps of another peer (node_peer.c). Part of node_impl.h. */
#ifndef GOSSAMER_NODE_PEER_H
#define GOSSAMER_NODE_PEER_H

#include "list.h"
#include "types.h"

struct node_link;

/* What the node keeps per peer beside the rooms. Found by id8, never iterated by address. */
struct node_peer {
    uint64_t id8;
    instant verify_at;            /* earliest next PING of our own that proves its epoch */
    instant table_at;             /* earliest next comparison of tables */
    instant join_at;              /* earliest next question about foundings */
    instant sync_at;              /* next anti-entropy round with it */
    instant pulled_at;            /* begin of the last */
    instant synced_at;            /* end of the last one that came to its end, 0: none */
    uint32_t differed;            /* partitions that differed in it, before they were pulled */
    uint64_t boot_counter, swept; /* swept: of which version it told (node_class.c) */
    uint64_t key_stamp, key_by, key_round; /* the ring on its disk, as it said in that round */
    uint32_t forget_round[2];              /* the last questions of ours it said yes to */
    struct node_link *link;                /* the one we send on; READY, or on its way */
    bool knows_us;                         /* as we are on the placement list: node_farewell.c */
    bool is_shy; /* it gave no word when asked: in recovery, say. Others are asked after it */
    struct address address; /* of one that is no member of our view: the overlay found it */
    struct address proved;  /* where it last echoed a cookie from */
    struct list in_peers;
};

#endif
