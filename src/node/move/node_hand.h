/* node_hand.h: what a former owner still holds, and what an owner takes over from one. Part of
 * node_impl.h. */
#ifndef GOSSAMER_NODE_HAND_H
#define GOSSAMER_NODE_HAND_H

#include "blob.h"
#include "limits.h"
#include "message.h"
#include "op.h"
#include "types.h"

/* One partition we hold rows of and do not own, offered to its owners. */
struct node_hand {
    bool is_active;
    uint16_t partition;
    uint16_t confirmed; /* bit per owner in the order of place_owners: it holds all of it */
    uint32_t token;     /* new whenever the offer is: an answer to an older one is none */
    uint32_t count;     /* rows offered */
    struct hash16 sum;  /* of their fingerprints */
    uint32_t dropped;   /* rows deleted so far */
};

struct node_hands {
    struct node_hand items[HAND_OFFERS_MAX];
    uint64_t layout;    /* they are offered under it */
    uint32_t token;     /* last one given out */
    uint32_t next;      /* partition the search for more goes on at */
    bool is_clean;      /* the last search found none */
    bool is_new;        /* something was not offered yet */
    instant rest_until; /* the layout is too young */
    instant offer_at;   /* all that is unconfirmed is offered again */
    bool is_join_due;   /* we are OUT and ask for a share once nothing is left */
    /* the one being deleted */
    struct node_hand *drop;  /* NULL: none */
    struct blob *drop_after; /* last row key seen to; NULL: from the start */
    uint32_t drop_open;      /* deletes not yet committed */
    bool is_drop_reading;
    bool is_drop_changed; /* something else was committed there meanwhile */
    uint64_t dropped;     /* rows since the start */
    struct blob *later;   /* placement records that wait for deletes: (u16 size, bytes)... */
    uint8_t
        stuck[(1u << PARTITION_BITS_MAX) / 8]; /* a row does not read: left alone until a start */
};

/* One round that takes over what a former owner offers. */
struct node_take {
    uint64_t peer; /* 0: none */
    uint64_t layout;
    uint32_t count;
    uint16_t partitions[HAND_OFFERS_MAX]; /* ascending */
    uint32_t tokens[HAND_OFFERS_MAX];
    bool is_done[HAND_OFFERS_MAX];
};

/* A question under way; who said yes is in node_peer.forget_round. */
enum { FORGET_MAY, FORGET_DONE }; /* FORGET_ASK.kind */
struct node_forget_ask {
    uint64_t subject, layout;
    uint32_t round; /* its number, 0: none was asked */
};

/* The forgetting of dead peers. Times are of our own clock. */
struct node_forget {
    instant majority_since; /* a strict majority of the list was alive since; has_majority */
    bool has_majority;
    instant acked_at; /* when we last agreed to forget somebody; acked 0: never */
    uint64_t acked, acked_layout;
    struct node_forget_ask asks[2];
    enum forget_wait wait;
    uint64_t waiting; /* for whom, id8 */
};

#endif
