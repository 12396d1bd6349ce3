/* quorum.h: operations in flight at the owner that coordinates them: whom to ask, who has answered,
 * when it is enough, and what may be said when it is not (protocols.md 7.1). It knows neither the
 * store nor placement: the node hands it the owners and the local state and performs the outputs.
 *
 *              quorum_put / quorum_get / quorum_list / quorum_scan
 *                                  |
 *      QUORUM_SEND_* to owners <---+---> put_ack, get_answer, rows, stored, peer_lost, expire
 *                                  |
 *                             QUORUM_DONE  (once)  then QUORUM_REPAIR_LOCAL, QUORUM_SEND_PUT id 0
 *                                                  then QUORUM_SPREAD (once, of a PUT)
 *
 * The emit callback must not call back into quorum; slices in an output live for the callback. */
#ifndef GOSSAMER_QUORUM_H
#define GOSSAMER_QUORUM_H

#include "crdt.h"
#include "limits.h"
#include "message.h"
#include "op.h"
#include "status.h"
#include "types.h"

/* One owner of the key's partition. */
struct quorum_owner {
    uint64_t id8;
    bool is_base;      /* counts in the set the layout moves from */
    bool is_target;    /* counts in the set it moves to; while nothing moves both are set */
    bool is_reachable; /* a link is up, or could be; false: not even asked */
    bool is_self;      /* this peer; always reachable */
};

/* A PUT, a GET or a SCAN. Everything is copied that is needed after the call. */
struct quorum_request {
    uint64_t id; /* frame request number of what is sent: not 0, never used twice */
    enum consistency consistency; /* DEFAULT is QUORUM */
    instant deadline;
    struct slice ns, key; /* key: a row name. SCAN: no key; ns empty, or only its rows */
    const struct quorum_owner *owners; /* best first */
    uint8_t owner_count;               /* at most SET_MAX */
    uint8_t base_count, target_count;  /* sizes of both sets: their quorums are made of these */
    struct slice object; /* PUT: the new state. GET: the local committed state, empty if missing */
    uint32_t gc;         /* number of the partition `object` was read under */
    bool is_local_counted;    /* GET: false while this owner's own copy must not vote */
    struct slice from, until; /* SCAN: half-open range of OBJ row keys; until empty: no end */
    uint32_t limit;           /* SCAN: rows of the page, 1 to SCAN_ROWS_MAX */
    uint32_t bytes_max;       /* SCAN: of the page; one row is always given */
    const struct dot *wanted; /* GET: dots the answer must know; a session has seen them */
    uint8_t wanted_count;     /* at most SESSION_ENTRIES_MAX */
};

/* A listing of one namespace. Slices are copied. */
struct quorum_list_request {
    uint64_t id; /* as above */
    instant deadline;
    struct slice ns, prefix, after; /* after: exclusive start, empty from the beginning */
    uint32_t limit;                 /* keys wanted, 1 to LIST_LIMIT_MAX */
    const uint64_t *peers;          /* id8 of everyone who holds a part, this peer as well */
    const bool *is_reachable;       /* one per peer */
    uint16_t peer_count;            /* at most LIST_PEERS_MAX */
    uint16_t may_miss;              /* so many may fail and every key still has R answers */
    uint64_t wall_ms;               /* what has expired by now is not listed */
    bool is_lww;                    /* of concurrent values only the newest counts */
};

enum quorum_output_kind {
    QUORUM_SEND_PUT,     /* send PUT_OBJ to `to`; id 0: a read repair, nobody waits for its ack */
    QUORUM_SEND_GET,     /* send GET_OBJ with `digest` to `to` */
    QUORUM_SEND_LIST,    /* send LIST to `to`, which may be this peer itself: then scan */
    QUORUM_SEND_SCAN,    /* send SCAN to `to`, as above */
    QUORUM_DONE,         /* the operation `id` is over */
    QUORUM_REPAIR_LOCAL, /* merge `object` into the local copy: a read showed that it is stale */
    QUORUM_SPREAD, /* a PUT this peer holds was told, and all owners have answered or had a second:
                      `roles` are those that do not hold it durably, as far as is known */
};

/* How a GET came by the dots that were wanted. */
enum quorum_search {
    QUORUM_AT_HAND,  /* nothing was wanted, or the first answers knew it */
    QUORUM_SEARCHED, /* more owners were asked than counting needs */
    QUORUM_NOWHERE,  /* every owner answered and none knows them: collected since */
};

/* What one owner did in an operation. Owners whose answer was not needed are not listed. */
struct quorum_role {
    uint64_t id8;
    bool is_answered; /* acknowledged or answered in time; else it failed, refused or was silent */
    enum status status; /* OK, or why not; UNREACHABLE: not asked; DEADLINE: silent */
};

/* One key of a listing, merged from all who answered. */
struct quorum_item {
    struct slice key;
    uint32_t siblings;        /* concurrent values */
    struct crdt_value winner; /* without body */
};

struct quorum_output {
    enum quorum_output_kind kind;
    uint64_t id;
    uint64_t to;          /* SEND_* */
    instant deadline;     /* SEND_*: when the answer becomes useless */
    instant told;         /* SPREAD: when DONE was */
    struct slice ns, key; /* SEND_*, REPAIR_LOCAL, SPREAD */
    struct slice object;  /* SEND_PUT, REPAIR_LOCAL; DONE of a GET that is OK: merged, or empty;
                             of a SCAN: n x (row key length u16 | row key | length u32 | object) */
    uint32_t gc; /* SEND_PUT, REPAIR_LOCAL, DONE: least number of all that is in `object` */
    struct hash16 digest;       /* SEND_GET: of the local copy, zero when missing */
    struct slice prefix, after; /* SEND_LIST */
    uint32_t limit;             /* SEND_LIST, SEND_SCAN */
    struct slice from, until;   /* SEND_SCAN */
    uint32_t bytes_max;         /* SEND_SCAN */

    /* DONE. OK: W durable acknowledgements, R answers, or a complete page. LAYOUT: owners disagree
     * about placement and the rest is not enough; try again. UNREACHABLE: too few owners are left.
     * DEADLINE: too few answered in time. SESSION_BEHIND: enough answered, and none of them knew
     * what was wanted, while an owner is silent. NO_SPACE, READ_ONLY, OVERLOAD: so many owners
     * refused for this reason. MEMORY: ours. */
    enum status status;
    enum outcome outcome; /* PUT that is not OK; else NONE */
    uint8_t lacking;      /* PUT: other owners that certainly did not acknowledge, and will not */
    uint8_t acks, required, total; /* owners that answered, that had to (the larger set), all */
    bool is_settled;               /* GET: quorums of both sets answered exactly `object` */
    enum quorum_search search;     /* GET */
    uint8_t role_count;
    const struct quorum_role *roles;
    uint32_t item_count; /* LIST: keys in byte order; not empty while is_truncated. SCAN: rows */
    const struct quorum_item *items;
    const uint8_t *apart; /* SCAN: a bit per row: the owners that answered hold different states */
    bool is_truncated;    /* LIST: more keys may follow the last. SCAN: more rows behind `reach` */
    struct slice reach;   /* SCAN, truncated: the page is complete up to this row key */
};

typedef void quorum_emit(void *context, const struct quorum_output *output);

struct quorum_config {
    uint32_t operations_max;
    quorum_emit *emit;
    void *context;
};

struct quorum;

/* quorum_new allocates everything but the objects in flight. NULL: no memory. */
struct quorum *quorum_new(const struct quorum_config *config);
/* quorum_delete frees it; operations in flight end without DONE. */
void quorum_delete(struct quorum *quorum);

/* quorum_required gives how many of a set of `count` owners must answer: 1, count/2 + 1 or count;
 * of an empty set none. */
uint8_t quorum_required(enum consistency consistency, uint8_t count);

/* quorum_is_possible tells whether enough owners of a PUT can be asked at all: what quorum_put
 * would refuse with UNREACHABLE is refused before anything is written. */
bool quorum_is_possible(const struct quorum_request *request);
/* quorum_put sends the new state to every reachable remote owner at once; the node commits its own
 * copy and reports quorum_stored. OK; UNREACHABLE: the quorum cannot be met, nothing was sent;
 * DEADLINE: it has passed, nothing was sent; OVERLOAD: operations_max are in flight. After DONE the
 * owners that have not answered are waited for up to a second in all: QUORUM_SPREAD. */
enum status quorum_put(struct quorum *quorum, instant now,
                       const struct quorum_request *request) MUST_USE;
/* quorum_get asks as many owners as are needed, in order, and others when one fails or is slow:
 * after a hedge delay of max(10 ms, 1/8 of the time left). The local copy counts if it may. DONE
 * can be emitted before the call returns. If the answers that count do not know what is wanted,
 * everybody else is asked too, and waited for until the deadline. OK; UNREACHABLE, DEADLINE,
 * OVERLOAD as above; MEMORY. */
enum status quorum_get(struct quorum *quorum, instant now,
                       const struct quorum_request *request) MUST_USE;
/* quorum_list asks all reachable peers and merges their pages. OK; UNREACHABLE: more than may_miss
 * peers are not reachable; DEADLINE; OVERLOAD: LISTS_MAX listings run; TOO_LARGE: more than
 * LIST_PEERS_MAX peers or LIST_LIMIT_MAX keys. At least one peer must always answer. */
enum status quorum_list(struct quorum *quorum, instant now,
                        const struct quorum_list_request *request) MUST_USE;

/* quorum_scan reads a page of rows with their objects, tombstones and all, each at R owners of both
 * sets; asked like quorum_get. OK; UNREACHABLE, DEADLINE as above; OVERLOAD: also SCANS_MAX scans
 * run. DONE: as above; also CORRUPT, TOO_LARGE: a row's copies cannot be merged. */
enum status quorum_scan(struct quorum *quorum, instant now,
                        const struct quorum_request *request) MUST_USE;

/* Answers. An id or a sender that is not waited for is ignored: stragglers are welcome.
 * quorum_stored: the local write of a PUT is durable (OK), certainly did not happen (NO_SPACE,
 * READ_ONLY, OVERLOAD, FULL, MEMORY, TOO_LARGE, BAD, LAYOUT, NOT_OWNER, NOT_READY, UNSUPPORTED), or
 * may have (everything else). */
void quorum_stored(struct quorum *quorum, instant now, uint64_t id, enum status status);
/* quorum_put_ack: `from` (id8) acknowledged durably or refused, read as above. */
void quorum_put_ack(struct quorum *quorum, instant now, uint64_t id, uint64_t from,
                    enum status status);

/* The answer of one owner to a question. */
struct quorum_answer {
    uint64_t from; /* id8 */
    enum status status;
    struct slice object; /* get_answer, OK: the owner's state */
    uint32_t gc;         /* and the number it was read under */
    struct slice items;  /* rows, OK: n x (key length u16 | key | length u32 | head) */
    bool is_last;        /* rows: nothing follows the last */
    struct slice reach;  /* scanned, not the last: rows were read up to this one */
};

/* quorum_get_answer: OK with an object, NOT_MODIFIED when it equals the local copy, MISSING; any
 * other status is not counted. */
void quorum_get_answer(struct quorum *quorum, instant now, uint64_t id,
                       const struct quorum_answer *answer);
/* quorum_rows: OK with a page; any other status is not counted. */
void quorum_rows(struct quorum *quorum, instant now, uint64_t id,
                 const struct quorum_answer *answer);
/* quorum_scanned: OK with `items` n x (row key length u16 | row key | length u32 | object); any
 * other status is not counted. */
void quorum_scanned(struct quorum *quorum, instant now, uint64_t id,
                    const struct quorum_answer *answer);
/* quorum_peer_lost: the link to `id8` broke. What it has not answered failed; a PUT may be stored
 * there all the same. */
void quorum_peer_lost(struct quorum *quorum, instant now, uint64_t id8);
/* quorum_cancel forgets an operation without DONE: the client is gone. Harmless if unknown. */
void quorum_cancel(struct quorum *quorum, uint64_t id);

/* quorum_expire does what is due at `now`; quorum_deadline tells when to call it next. */
void quorum_expire(struct quorum *quorum, instant now);
instant quorum_deadline(const struct quorum *quorum);
/* quorum_count tells how many operations are in flight: DONE was not emitted. */
uint32_t quorum_count(const struct quorum *quorum);

#endif
