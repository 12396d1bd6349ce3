/* node_group.h: requests that are work on many rows, and changes of typed rows. Part of
 * node_impl.h.
 */
#ifndef GOSSAMER_NODE_GROUP_H
#define GOSSAMER_NODE_GROUP_H

#define NODE_GROUPS_MAX 32 /* requests about many rows at once */

/* What the row at hand means for an update (node_update.c). */
enum node_update_next {
    UPDATE_WRITE,   /* go on as any write does */
    UPDATE_READ,    /* nothing is here: ask the others before a type is given */
    UPDATE_ELEMENT, /* the head is as it should be: now the row of the element */
};

/* One request that is work on many rows (node_group.c). */
enum node_group_stage {
    GROUP_LIST,  /* a child per change of an update */
    GROUP_SWEEP, /* rows are read and what was observed is removed */
    GROUP_LAST,  /* DELETE: the head goes when everything in it is gone */
    GROUP_HEAD,  /* a reader asks what the key is */
    GROUP_PAGE,  /* and gathers rows */
    GROUP_DONE,
};
struct node_group {
    struct node_task *parent; /* NULL: free */
    uint32_t number;          /* tells it from the one that was here before */
    enum node_group_stage stage;
    bool is_running;     /* node_group_run is on the stack */
    bool is_asked;       /* HEAD: the child is out */
    bool is_last;        /* no page follows */
    bool is_last_row;    /* the rest of the page is behind the prefix */
    bool is_full;        /* PAGE: of bytes */
    uint32_t open, oks;  /* children out; that ended well */
    size_t at, name_at;  /* next in the parent's list; in `names` */
    struct slice prefix; /* in the parent's memory: paths begin so */
    struct buffer names; /* SWEEP: (length u16 | row name) to remove */
    struct buffer after; /* row name behind which the next page begins */
    struct buffer rows;  /* PAGE: gathered */
    uint32_t row_count;  /* in it */
    struct blob *head;   /* HEAD: the head's object; else a head that refused */
    struct node_outcome sum;
};

#endif
