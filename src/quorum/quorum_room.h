/* quorum_room.h: what the files of this room share. */
#ifndef GOSSAMER_QUORUM_ROOM_H
#define GOSSAMER_QUORUM_ROOM_H

#include "blob.h"
#include "heap.h"
#include "list.h"
#include "pool.h"
#include "quorum.h"
#include "store.h"

enum quorum_kind { QUORUM_PUT, QUORUM_GET, QUORUM_LIST, QUORUM_SCAN };

/*   IDLE --asked--> ASKED --OK--> ANSWERED
 *    |                |---certainly nothing---> REFUSED
 *    '--cannot be-----'---anything else-------> FAILED
 */
enum quorum_state {
    PART_IDLE,     /* not asked, could be */
    PART_ASKED,    /* an answer may come */
    PART_ANSWERED, /* counts */
    PART_REFUSED,  /* does not count, and a write certainly is not there */
    PART_FAILED,   /* does not count; a write may be there */
};

/* One owner in a PUT or GET. */
struct quorum_part {
    struct quorum_owner owner;
    enum quorum_state state;
    enum status status;   /* ANSWERED: OK; REFUSED, FAILED: why */
    struct hash16 digest; /* GET, ANSWERED: what the owner holds */
};

/* One peer in a LIST, or one owner in a SCAN; there its state stands in quorum_part. */
struct quorum_page {
    uint64_t id8;
    enum quorum_state state;
    enum status status;
    bool is_head;       /* objects in it are heads */
    bool is_last;       /* nothing follows its last row */
    struct blob *bytes; /* rows, checked; NULL until it came */
    uint32_t row_count; /* SCAN */
    size_t rows_size;   /* bytes of them; a SCAN's last key may stand behind */
    struct slice last;  /* rows were read up to this key, into bytes; empty: no rows */
    /* While pages are merged: what is left, and the row at the front. */
    struct reader rest;
    struct slice key, object;
    bool has_row;
};

struct quorum_listing {
    uint32_t limit;
    uint16_t may_miss, peer_count;
    uint64_t wall_ms;                 /* values expired by now are not listed */
    bool is_lww;                      /* of concurrent values only the newest counts */
    uint16_t prefix_size, after_size; /* bytes */
    uint8_t prefix[KEY_SIZE_MAX];
    uint8_t after[KEY_SIZE_MAX];
    struct quorum_page pages[LIST_PEERS_MAX];
};

struct quorum_scanning {
    uint32_t limit, bytes_max;
    uint16_t from_size, until_size; /* bytes */
    bool is_truncated;
    uint32_t row_count;
    struct slice reach;                   /* DONE, truncated: rows are complete up to this key */
    uint8_t apart[SCAN_ROWS_MAX / 8 + 1]; /* a bit per row: owners hold different states of it */
    uint8_t from[STORE_KEY_SIZE_MAX + 1];
    uint8_t until[STORE_KEY_SIZE_MAX + 1];
    struct quorum_page pages[SET_MAX]; /* beside the parts of the operation */
};

/* One operation in flight. */
struct quorum_op {
    struct heap_node timer; /* the earlier of deadline and hedge */
    struct list in_bucket;  /* by id */
    struct list in_active;  /* all of them, oldest first; or those that linger */
    enum quorum_kind kind;
    uint64_t id;
    instant deadline;
    instant sent; /* PUT */
    instant told; /* PUT that lingers: when DONE was emitted */
    bool is_told;
    instant hedge;                          /* GET, SCAN: when the next owner is asked too */
    uint8_t base_required, target_required; /* PUT, GET, SCAN */
    uint8_t base_count, target_count;       /* sizes of both sets */
    uint8_t part_count;
    uint32_t gc; /* GET: least number of all that is in `merged` */
    uint8_t ns_size;
    uint16_t key_size;
    struct quorum_part parts[SET_MAX];
    struct blob *merged; /* GET: everything read so far; NULL is the empty object. SCAN: rows */
    struct hash16 merged_digest;
    struct hash16 local_digest;       /* GET: of the local copy */
    struct blob *wanted;              /* GET: dots the answer must know, NULL: any will do */
    bool is_covered;                  /* GET: `merged` knows them */
    enum quorum_search search;        /* GET */
    struct quorum_listing *listing;   /* LIST, owned */
    struct quorum_scanning *scanning; /* SCAN, owned */
    uint8_t ns[NS_SIZE_MAX];
    uint8_t key[ROW_NAME_SIZE_MAX];
};

struct quorum {
    struct quorum_config config;
    struct pool operations; /* struct quorum_op */
    struct pool listings;   /* struct quorum_listing */
    struct pool scannings;  /* struct quorum_scanning */
    struct heap timers;
    struct list *buckets; /* owned; hash table by id */
    uint32_t bucket_mask; /* buckets - 1, a power of two less one */
    struct list active;
    struct list lingering; /* PUTs that were told, some owners have not answered */
    uint32_t lingering_count;
    size_t list_bytes;         /* held by pages of all listings and scans */
    struct quorum_item *items; /* owned; LIST_LIMIT_MAX of them */
    struct crdt_object a, b;   /* scratch */
};

/* quorum_op_take puts a new operation in flight, or returns NULL when all are taken. */
struct quorum_op *quorum_op_take(struct quorum *quorum, enum quorum_kind kind, uint64_t id,
                                 instant deadline);
/* quorum_op_unlink makes an operation unknown: no answer finds it, no timer fires. */
void quorum_op_unlink(struct quorum *quorum, struct quorum_op *op);
/* quorum_op_free gives back what an unlinked operation held. */
void quorum_op_free(struct quorum *quorum, struct quorum_op *op);
/* quorum_op_find returns the operation of this id and kind, or NULL. */
struct quorum_op *quorum_op_find(const struct quorum *quorum, enum quorum_kind kind, uint64_t id);
/* quorum_timer_set lets the timer fire at the deadline or the hedge. */
void quorum_timer_set(struct quorum *quorum, struct quorum_op *op);

/* quorum_op_fill copies owners, required numbers and names of a request into a PUT or GET. */
void quorum_op_fill(struct quorum_op *op, const struct quorum_request *request);
/* quorum_request_is_possible tells whether enough owners can be asked at all; an owner that is
 * `is_self` counts if `is_local`. */
bool quorum_request_is_possible(const struct quorum_request *request, bool is_local);
/* quorum_part_find returns the part of a peer that is ASKED, or NULL. */
struct quorum_part *quorum_part_find(struct quorum_op *op, uint64_t id8);
/* quorum_part_end notes how the question to an owner ended: OK is ANSWERED, a status that promises
 * that nothing was stored REFUSED, anything else FAILED. */
void quorum_part_end(struct quorum_part *part, enum status status);
/* quorum_op_reach counts parts of one set whose state is in `states` (1u << state). */
uint8_t quorum_op_reach(const struct quorum_op *op, bool is_target, unsigned states);
/* quorum_op_suffices tells whether parts in `states` are enough for both sets. */
bool quorum_op_suffices(const struct quorum_op *op, unsigned states);
/* quorum_op_failure tells why an operation that cannot succeed failed. */
enum status quorum_op_failure(const struct quorum_op *op);
/* quorum_op_tell emits DONE of a PUT or GET that is unlinked. */
void quorum_op_tell(struct quorum *quorum, const struct quorum_op *op, enum status status,
                    enum outcome outcome);

/* quorum_ask asks owners of a set that is short until what is asked and answered could be enough,
 * and sets the hedge. quorum_ask_slow is the hedge: one owner more. */
void quorum_ask(struct quorum *quorum, instant now, struct quorum_op *op);
void quorum_ask_slow(struct quorum *quorum, instant now, struct quorum_op *op);
/* quorum_get_send and quorum_scan_send ask one owner. */
void quorum_get_send(struct quorum *quorum, struct quorum_op *op, struct quorum_part *part);
void quorum_scan_send(struct quorum *quorum, struct quorum_op *op, struct quorum_part *part);
/* quorum_get_is_settled tells whether quorums of both sets hold exactly what was merged. */
bool quorum_get_is_settled(const struct quorum_op *op);

/* What happens when the timer fires, and when the peer of a link is lost. */
void quorum_put_expire(struct quorum *quorum, instant now, struct quorum_op *op);
void quorum_get_expire(struct quorum *quorum, instant now, struct quorum_op *op);
void quorum_list_expire(struct quorum *quorum, struct quorum_op *op);
void quorum_scan_expire(struct quorum *quorum, instant now, struct quorum_op *op);
void quorum_put_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8);
/* quorum_put_end ends the waiting for stragglers: SPREAD, and the operation is free. */
void quorum_put_end(struct quorum *quorum, struct quorum_op *op);
void quorum_get_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8);
void quorum_list_lost(struct quorum *quorum, struct quorum_op *op, uint64_t id8);
void quorum_scan_lost(struct quorum *quorum, instant now, struct quorum_op *op, uint64_t id8);

/* Pages of a LIST or a SCAN (quorum_pages.c). quorum_pages_drop gives back their bytes. */
void quorum_pages_drop(struct quorum *quorum, struct quorum_page *pages, unsigned count);
/* quorum_page_keep copies the rows of an answer that is checked; it was read up to `last`. OK;
 * OVERLOAD: LIST_BYTES_MAX are held; MEMORY. */
enum status quorum_page_keep(struct quorum *quorum, struct quorum_page *page,
                             const struct quorum_answer *answer, struct slice last) MUST_USE;
/* quorum_pages_bound gives the smallest end of the pages that end early; false: none does. */
bool quorum_pages_bound(const struct quorum_page *pages, unsigned count, struct slice *bound);
/* quorum_pages_rewind puts every page at its first row behind `after`. */
void quorum_pages_rewind(struct quorum_page *pages, unsigned count, struct slice after);
/* quorum_pages_first gives the smallest key at the front of a page; false: none is left. */
bool quorum_pages_first(const struct quorum_page *pages, unsigned count, struct slice *key);
/* quorum_pages_merge joins the objects of `key` in all pages in scratch `a` and steps behind them.
 * OK, or why one of them is left out. */
enum status quorum_pages_merge(struct quorum *quorum, struct quorum_page *pages, unsigned count,
                               struct slice key);

#endif
