/* limits.h: every bound of the system with its unit and its reason; relations between bounds are
 * static asserts at the end. A bound that has no reason says so. */
/* A library that asks for <limits.h> may find this file first: give it the system's as well. It
 * stands outside the guard because a quoted include finds this file by directory, and then "next"
 * is this file once more. */
#include_next <limits.h>

#ifndef GOSSAMER_LIMITS_H
#define GOSSAMER_LIMITS_H

/* --- keys and values (api.md 9) */
#define NS_SIZE_MAX 64     /* bytes; a namespace is a label, not a path */
#define KEY_SIZE_MAX 1024  /* bytes; fits one index row and one log line */
#define PATH_SIZE_MAX 2304 /* bytes of a path in a collection: a field and a member of 1 KiB */
#define ROW_NAME_SIZE_MAX                                                                          \
    (KEY_SIZE_MAX + 1 + PATH_SIZE_MAX) /* bytes; a key, or key | 0 | path of an element in it */
#define CRDT_CHANGES_MAX 1000         /* members, fields and elements one update names (api.md 5) */
#define CRDT_LEVELS_MAX 8             /* maps inside maps (api.md 9) */
#define VALUE_SIZE_MAX (8u << 20)     /* bytes; hard ceiling of http.value_max */
#define VALUE_SIZE_DEFAULT (1u << 20) /* bytes; http.value_max */
#define META_SIZE_MAX 4096     /* bytes of encoded metadata: 2 KiB of the user's, types, framing */
#define CONTEXT_SIZE_MAX 2048  /* bytes of a context token as text */
#define SIBLINGS_MAX 64        /* a write that would add one more is refused */
#define OBJECT_ENTRIES_MAX 255 /* actors in one object; counts are one byte in a row */
#define TTL_MIN_MS UINT64_C(1000)               /* below the skew of clocks it would mean nothing */
#define TTL_MAX_MS (UINT64_C(3650) * 86400000u) /* ten years; far from the 48 bits of an expiry */
#define OBJECT_VALUES_MAX 255  /* values in one object; merging may exceed SIBLINGS_MAX */
#define OBJECT_GONE_MAX 1024   /* discarded dots not seen yet; merging may bring so many */
#define GONE_WRITE_MAX 64      /* from here on a token makes none: its dot stays, a sibling more */
#define CONTEXT_DOTS_MAX 90    /* dots in one token: 1,451 bytes are 1,935 characters */
#define SESSION_SIZE_MAX 1024  /* characters of a session token (api.md 2) */
#define SESSION_ENTRIES_MAX 30 /* writes one token names: 747 bytes are 996 characters */
/* characters of an Idempotency-Key (api.md 2) */
#define IDEMPOTENCY_SIZE_MAX 128
#define OBJECT_SIZE_MAX                                                                            \
    (VALUE_SIZE_MAX * 2u) /* bytes of one encoded object: siblings share the room */

/* --- placement */
#define REPLICAS_MAX 7                /* owners of one partition */
#define OWNERS_MAX (REPLICAS_MAX + 2) /* owners and the two fallback ranks */
#define SET_MAX (2 * REPLICAS_MAX)    /* base and target owners of a moving partition together */
#define PARTITION_BITS_MAX 16
#define PARTITION_BITS_DEFAULT 14 /* largest/mean load 1.02 at 10 peers (protocols.md 4) */

#define NAMESPACES_MAX 256            /* with settings of their own, deleted ones too */
#define NAMESPACE_RECORD_SIZE_MAX 128 /* bytes of one record of settings */

/* --- mesh */
#define CELL_MAX 2048             /* members of a full view; 0.5 MB of records */
#define DATAGRAM_SIZE_MAX 1350    /* bytes; fits every common MTU with tunnels */
#define DATAGRAM_OVERHEAD 84      /* clear header 20, hello 40, stamp 8, tag 16 */
#define SELF_RECORD_SIZE_MAX 700  /* bytes of a signed self record */
#define PLACE_RECORD_SIZE_MAX 220 /* bytes of one placement record */
#define FRAME_HEADER_MIN 6        /* bytes of a frame that neither asks nor answers */
#define FRAME_HEADER_SIZE 18      /* and of one that does */
#define FRAME_CHUNK_MAX                                                                            \
    16384 /* bytes of a frame's body in one record: a value never delays a ping */
#define FRAME_BODY_MAX (OBJECT_SIZE_MAX + 65536u) /* bytes of one reassembled message */
#define CONTROL_SIZE_MAX (1u << 20)               /* bytes of a control message */
#define RECORD_SENT_SIZE 8 /* bytes in front of the frames of a record: when it left */
#define LINKS_PER_PEER_MAX 2
#define SEEDS_MAX 64                 /* no reason but a bound */
#define MESSAGES_PER_DATAGRAM_MAX 64 /* the smallest message takes 20 bytes */

/* --- membership (SWIM) */
#define SWIM_QUEUE_MAX 4096 /* updates waiting to be passed on: two cells in turmoil */
#define SWIM_PROBES_MAX 64  /* probes in flight: own, for others, witnesses, the dead */
#define SWIM_ACCUSERS_MAX 4 /* the first and the three that shorten a suspicion */
#define SWIM_HEALTH_MAX 8   /* of the local health (Lifeguard) */
#define SWIM_RELAYS 3       /* peers asked to probe for us */
#define SWIM_ALL_MAX 8      /* up to so many live peers news go to everybody at once */
#define SWIM_ASKED_MAX 64   /* records asked for lately: no second question at once */

/* --- overlay (Kademlia) */
#define KAD_K 16              /* contacts per bucket */
#define KAD_ALPHA 3           /* queries in flight of one lookup */
#define KAD_BETA 8            /* contacts per answer */
#define KAD_REPLACEMENTS 8    /* waiting contacts per bucket */
#define KAD_BUCKETS_MAX 256   /* one per bit of the identifier */
#define CELL_DEPTH_MAX 24     /* bits of a NodeID that name a cell: 40 with those of a partition */
#define KAD_BUCKETS_KEPT 40   /* the last also holds all longer prefixes */
#define KAD_LOOKUPS_MAX 16    /* lookups at once, refreshes included: 7 KiB each */
#define KAD_CANDIDATES_MAX 64 /* contacts one lookup remembers: 4 k */
#define KAD_LOOKUP_QUERIES_MAX 96 /* of one lookup: 64 contacts, half of them twice */
#define KAD_CHECKS_MAX 16         /* contacts checked at once: no burst after a pause */

/* --- balance */
#define BALANCE_HOT_ABOVE 4    /* requests in flight a peer may have and still be cold */
#define BALANCE_FAILURES_MAX 5 /* failures in a row that eject a peer (Envoy's figure) */

/* --- the edge (api.md 9, security.md H1 to H3) */
#define EDGE_LINE_MAX                                                                              \
    8192                    /* bytes of a request line: a key of 1 KiB all in escapes, and a query \
                             */
#define EDGE_HEAD_MAX 16384 /* bytes of a request line and all header fields */
#define EDGE_FIELDS_MAX 100 /* header fields of one request */
#define EDGE_USER_MAX 32    /* Gossamer-Meta-* fields of one request; no reason but a bound */
#define EDGE_USER_SIZE_MAX 2048 /* bytes of all Gossamer-Meta-* names and values */
#define EDGE_TYPE_SIZE_MAX 255  /* bytes of a stored Content-Type, -Encoding or Cache-Control */
#define EDGE_CHUNK_LINE_MAX                                                                        \
    300                          /* bytes of a chunk header: 16 digits and an extension up to 256  \
                                  */
#define EDGE_JSON_SIZE_MAX 65536 /* bytes of a JSON request body */
#define EDGE_JSON_DEPTH_MAX 32   /* the deepest document of api.md needs 29 */
#define EDGE_PIPELINE_MAX 128    /* requests of one connection in work */
#define EDGE_INPUT_SLACK (256u << 10) /* bytes read ahead of the request in work: four reads */
#define EDGE_OUTPUT_HIGH (1u << 20)   /* unsent bytes above which no further request is taken */
#define EDGE_REPLY_MAX                                                                             \
    (64u << 20)                      /* one reply: an object of 16 MiB as base64 in JSON, and room \
                                      */
#define EDGE_OUTPUT_MAX (256u << 20) /* unsent bytes of one connection; beyond it is cut */
#define EDGE_WATCH_HIGH                                                                            \
    (256u << 10)                /* unsent bytes above which a watcher is cut: it reads again       \
                                 */
#define EDGE_BEAT_S 15          /* a comment as often on a quiet stream: proxies drop it else */
#define NODE_WATCHERS_MAX 256   /* open streams of one peer: each change is sent to all */
#define EDGE_KEEP_MAX 16384     /* bytes of an empty buffer kept for the next request */
#define EDGE_BODY_GRACE_S 20    /* a body may be slow for so long (H2) */
#define EDGE_BODY_RATE_MIN 1000 /* bytes per second after that (H2) */

/* --- anti-entropy */
#define SYNC_ROUNDS_MAX 4  /* our own pull rounds at once (security.md W13) */
#define SYNC_LANES 4       /* partitions of one round pulled at once: hides one disk, one RTT */
#define SYNC_MERGES_MAX 8  /* merges at the node at once: half of its batches */
#define SYNC_FETCH_MAX 128 /* rows asked for at once: a commit's worth, 128 store tasks */
#define SYNC_FETCH_SIZE_MAX (48u << 10) /* bytes of keys in one AE_FETCH: beside any object */
#define SYNC_PAGE_SIZE_MAX                                                                         \
    (256u << 10)                   /* bytes of one AE_LEAF: 16 records, so that a value may pass */
#define SYNC_PAGE_KEEP (16u << 10) /* bytes of an empty page kept for the next */
#define SYNC_FAILURES_MAX 16       /* partitions that may fail before the round gives up */
#define SYNC_NODES_SIZE_MAX                                                                        \
    (4096u * (2 + 16 * 8))   /* bytes of one AE_DIFF: 2^16 partitions that all differ */
#define SYNC_SPLIT_MIN 8u    /* sub-ranges of a page: one byte of mask */
#define SYNC_SPLIT_MAX 128u  /* 8 rows each in the largest page */
#define SYNC_SPLIT_ROWS 16u  /* rows up to which a page is not split (protocols.md 7.2) */
#define SYNC_WHOLE_ROWS 256u /* rows beyond which it always is: 2 KiB of fingerprints */
#define SYNC_WHOLE_MAX 4u    /* differing partitions up to which pages go whole, not by sub-range */

/* --- hints */
#define HINT_OWNERS_MAX 256u          /* owners that lack something at once */
#define HINT_BYTES_MAX (128ull << 20) /* bytes of all hints: about a million of short keys */

/* --- hand-off of former owners */
#define HAND_OFFERS_MAX 128    /* partitions offered at once: 3.3 KB of offer, a second of rounds */
#define HAND_OFFER_SIZE 26u    /* bytes: partition 2, token 4, count 4, sum 16 */
#define HAND_PAGE_ROWS 64u     /* rows deleted at once: a commit's worth, beside client work */
#define CLUSTER_AWAY_MAX 8     /* dead peers named in the summary of a cluster */
#define PREVIEW_CHANGES_MAX 64 /* peers whose weight is imagined otherwise at once */
#define PREVIEW_ADDED_MAX 64u  /* newcomers imagined at once */
#define HAND_LATER_MAX 16384u  /* bytes of placement records that wait for such a commit */

/* --- the step */
#define CLOCK_DRIFT 1u /* per thousand: how far two clocks run apart; ntpd slews by half of it */
#define REQUEST_TIMEOUT_MAX_MS 60000 /* of one request, also when a peer names it (api.md 1) */
#define ROUTE_MAX 12                 /* peers named in Gossamer-Route */
#define LIST_LIMIT_MAX 10000         /* items of one listing page */
#define LIST_LIMIT_DEFAULT 1000
#define SCAN_ROWS_MAX 1000  /* rows of one page read from the store: no long iterator */
#define LISTS_MAX 32        /* listings in flight at one peer; each asks every owner */
#define LIST_PEERS_MAX 255  /* peers one listing asks; counts in an answer are one byte */
#define SCANS_MAX 256       /* row scans in flight at one peer; 9 KiB each beside pages */
#define RESTORE_ROWS_MAX 64 /* rows of one request written at once: one commit's worth */
#define RESTORE_BODY_MAX (OBJECT_SIZE_MAX + 65536u) /* bytes of one request: any row fits */
#define SCAN_BYTES_MAX (1u << 20) /* bytes of one page of rows, unless one row is larger */
#define LIST_BYTES_MAX                                                                             \
    (8u * FRAME_BODY_MAX) /* bytes of unmerged pages held by all listings and scans together: the  \
                             largest object from every owner of two quorums of 7 */

_Static_assert(KAD_K >= KAD_BETA, "a bucket can fill one answer");
_Static_assert(SELF_RECORD_SIZE_MAX + 200 + DATAGRAM_OVERHEAD <= DATAGRAM_SIZE_MAX,
               "a ping and the greatest self record share a datagram");
_Static_assert(KAD_BETA * 100 + 100 + DATAGRAM_OVERHEAD <= DATAGRAM_SIZE_MAX,
               "one answer with beta contacts fits a datagram");
_Static_assert(OWNERS_MAX <= 16 && CELL_MAX <= 65535, "owners are u16 indices");

_Static_assert(KEY_SIZE_MAX * 3 + NS_SIZE_MAX + 1024 <= EDGE_LINE_MAX, "any key can be asked for");
_Static_assert(SYNC_NODES_SIZE_MAX <= CONTROL_SIZE_MAX, "nodes of the tree are a control message");
_Static_assert(SYNC_SPLIT_MAX * 8 >= SCAN_ROWS_MAX, "sub-ranges of any page are small");
_Static_assert(2 + 8 + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX <= SYNC_FETCH_SIZE_MAX,
               "any row can be fetched");
_Static_assert(ROW_NAME_SIZE_MAX == 3329 && 5 + NS_SIZE_MAX + 1 + ROW_NAME_SIZE_MAX == 3399,
               "messages.def says how long a row name is in OP, a row key in AE_LEAF_GET");
_Static_assert(EDGE_REPLY_MAX <= EDGE_OUTPUT_MAX && OBJECT_SIZE_MAX / 3 * 4 < EDGE_REPLY_MAX,
               "every sibling of an object fits one reply");

#endif
