/* edge_room.h: what the files of this room share: the edge, one request on its way in (call), one
 * request in work (slot), one answer on its way out. */
#ifndef GOSSAMER_EDGE_ROOM_H
#define GOSSAMER_EDGE_ROOM_H

#include "edge.h"
#include "edge_body.h"
#include "edge_head.h"
#include "edge_out.h"
#include "edge_problem.h"
#include "prng.h"

#define EDGE_MADE_KEY_SIZE 26 /* 128 bits in base 32 */
#define EDGE_TRACE_SIZE 32    /* hex digits */
#define EDGE_ID_TEXT (2 * NODE_ID_SIZE)

struct edge {
    struct edge_config config;
    struct prng prng;
    uint64_t wall_ms;
    char date[29];           /* of wall_ms, "Sat, 21 Nov 2026 10:00:00 GMT" */
    struct edge_head head;   /* scratch: the head being looked at */
    llhttp_t parser;         /* scratch, same */
    struct edge_fault fault; /* scratch: why the request in hand is refused */
    char common[160];        /* header lines every reply has, without the Date */
    size_t common_size;
    uint64_t made_ms; /* of the newest key made for POST */
    uint64_t made[2]; /* its random part: 16 and 64 bits, rising within one millisecond */
};

enum edge_scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_METRICS, SCOPE_ADMIN };

/* What becomes of a request after its head, or after its body. */
enum edge_verdict {
    VERDICT_OP,    /* the core must answer */
    VERDICT_LOCAL, /* the route's reply function can answer without a result */
    VERDICT_FAULT, /* call->fault says why not */
};

struct edge_slot;
struct edge_call;
struct edge_answer;

/* One row of the route table: the decision to permit is taken on the same row that runs. */
struct edge_route {
    const char *pattern; /* "{x}" is one segment, "{x...}" the rest */
    unsigned methods;    /* bits of enum edge_method */
    enum edge_scope scope;
    bool is_local_only; /* only from this machine */
    uint32_t body_max;  /* 0: value_max, and the body is dropped unless the build keeps it */
    const char *params; /* query parameters it takes, separated by spaces */
    const char *later;  /* parameters with a meaning that is not built yet: 501 */
    /* makes the op from the head */
    enum edge_verdict (*build)(struct edge_call *call);
    /* completes the op from the body; NULL when there is nothing to do */
    enum edge_verdict (*finish)(struct edge_call *call, struct slice body);
    /* renders the answer; result is NULL after VERDICT_LOCAL */
    void (*reply)(struct edge_answer *answer, const struct result *result);
};

#define EDGE_PARAMS_MAX 8

/* One query parameter, decoded into the slot's text. */
struct edge_param {
    struct slice name, value;
};

/* A request between its first byte and its op. */
struct edge_call {
    struct edge *edge;
    struct edge_slot *slot;
    const struct edge_route *route;
    const struct edge_head *head; /* NULL once the body is awaited */
    struct op *op;
    struct edge_fault *fault;
    bool is_loopback;
    struct slice parts[2]; /* raw text of the pattern's segments */
    unsigned param_count;
    struct edge_param params[EDGE_PARAMS_MAX];
};

enum edge_slot_state { SLOT_FREE, SLOT_READING, SLOT_OPEN, SLOT_DONE };
/* What a reader of siblings asked for. */
enum edge_form { FORM_PLAIN, FORM_ALL, FORM_ONE };

/* A request in work: what its answer needs. */
struct edge_slot {
    enum edge_slot_state state;
    bool is_head; /* HEAD: everything but the body */
    bool is_last; /* the connection closes behind this answer */
    bool is_http10;
    bool is_verbose; /* checks one per line */
    bool is_echo;    /* return=body */
    bool has_trace;  /* a valid traceparent came in */
    bool is_stream;  /* the answer goes on: events, until somebody ends it */
    bool is_begun;   /* the head of a stream is written */
    enum edge_form form;
    enum op_kind kind;                      /* 0 before an op was made */
    unsigned allow;                         /* methods for Allow, with 405 and OPTIONS */
    const struct edge_route *route;         /* NULL when no route was found */
    uint64_t wanted;                        /* FORM_ONE: the entity tag */
    unsigned wanted_type;                   /* enum value_type of an update, 0: a plain value */
    uint32_t limit;                         /* of a listing */
    uint64_t body_size;                     /* of a write */
    struct slice instance, ns, key, prefix; /* in `text` */
    struct slice filter;                    /* of a member listing, or one member; in `text` */
    struct slice type, meta;                /* of a write, in `text` */
    char trace[EDGE_TRACE_SIZE];
    struct buffer text; /* copies of what came in; reserved at once, so slices into it stay */
    struct buffer echo; /* the body, for return=body */
    struct buffer held; /* the answer, while earlier ones are missing */
};

/* An answer being rendered. */
struct edge_answer {
    struct edge *edge;
    struct edge_slot *slot;
    struct edge_out out;
    size_t start; /* of the answer in the buffer */
    unsigned status;
};

/* --- edge_render.c */
/* edge_answer_begin starts an answer in `buffer` with room for `size` bytes of body. */
void edge_answer_begin(struct edge_answer *answer, struct buffer *buffer, size_t size);
/* edge_answer_head writes the status line and the fields every reply has. */
void edge_answer_head(struct edge_answer *answer, unsigned status);
/* edge_answer_route writes Gossamer-Route; NULL or no hops: only this peer. */
void edge_answer_route(struct edge_answer *answer, const struct result *result);
/* edge_answer_no_store writes Cache-Control: no-store. */
void edge_answer_no_store(struct edge_answer *answer);
/* edge_answer_allow writes Allow from slot->allow. */
void edge_answer_allow(struct edge_answer *answer);
/* edge_answer_body ends the fields and writes the body, unless it is HEAD's. */
void edge_answer_body(struct edge_answer *answer, struct slice body);
/* edge_answer_empty ends the fields of 204, 304 and other replies without a body. */
void edge_answer_empty(struct edge_answer *answer);
/* edge_answer_text is a whole local reply of `type`. */
void edge_answer_text(struct edge_answer *answer, unsigned status, const char *type,
                      struct slice body);
/* edge_answer_fault is a whole problem reply; result may be NULL. */
void edge_answer_fault(struct edge_answer *answer, const struct edge_fault *fault,
                       const struct result *result);
/* edge_answer_refuse makes the fault of a result that is no success, and the reply. */
void edge_answer_refuse(struct edge_answer *answer, const struct result *result);
/* edge_put_value_field writes "name: value" CRLF if the value may stand in a header field. */
void edge_put_value_field(struct edge_out *out, const char *name, struct slice value);

/* --- edge_stream.c: answers that go on, as events (the HTML standard, section 9.2) */
/* edge_stream_is_asked tells whether the client accepts text/event-stream. */
bool edge_stream_is_asked(const struct edge_call *call);
/* edge_stream_begin writes the head of a stream. */
void edge_stream_begin(struct edge_answer *answer, const struct result *result);
/* edge_stream_beat writes a comment: nothing happened, and we are still there. */
void edge_stream_beat(struct edge_answer *answer);

/* --- edge_call.c */
/* edge_call_begin decides from the head; afterwards the head is not needed any more. */
enum edge_verdict edge_call_begin(struct edge_call *call);

/* --- edge_route.c */
/* edge_route_call finds the route of a head, checks who may use it and builds the op. */
enum edge_verdict edge_route_call(struct edge_call *call);

/* --- edge_auth.c */
/* edge_auth_host checks Host and the authority of an absolute target (H7, H9). */
bool edge_auth_host(const struct edge_call *call);
/* edge_auth_call checks scope, origin and place of the caller for call->route (H5, H6). */
bool edge_auth_call(const struct edge_call *call);

/* --- edge_path.c */
/* edge_percent_decode appends the decoded text to `text`, whose room must suffice; false when an
 * escape is bad. */
bool edge_percent_decode(struct buffer *text, struct slice raw, struct slice *decoded);
/* edge_is_utf8 tells whether bytes are valid UTF-8 without control characters. */
bool edge_is_utf8(struct slice text);
/* edge_path_ns and edge_path_key check and copy a namespace and a key; false: call->fault. */
bool edge_path_ns(struct edge_call *call, struct slice raw, struct slice *ns);
bool edge_path_key(struct edge_call *call, struct slice raw, struct slice *key);
/* edge_key_check checks a decoded key. */
bool edge_key_check(struct edge_call *call, struct slice key);

/* --- edge_query.c */
/* edge_query_parse decodes the query into call->params; false: call->fault. */
bool edge_query_parse(struct edge_call *call);
/* edge_query_get returns a parameter's value; false when it was not given. */
bool edge_query_get(const struct edge_call *call, const char *name, struct slice *value);
/* edge_query_choice reads a parameter that is one of `words` (separated by spaces): the index of
 * the word, -1 when absent, -2 when it is none of them (call->fault). */
int edge_query_choice(struct edge_call *call, const char *name, const char *words);
/* edge_query_duration reads a duration between `low` and `high` ms; false: call->fault. Absent
 * leaves `ms` alone. */
bool edge_query_duration(struct edge_call *call, const char *name, const uint32_t range[2],
                         uint32_t *ms);
/* edge_duration_ms reads "250ms", "2s", "5m", "1h", "7d"; false on anything else. */
bool edge_duration_ms(struct slice text, uint64_t *ms);
/* edge_query_ttl reads a time to live, TTL_MIN_MS to TTL_MAX_MS; without one `ms` stays. */
bool edge_query_ttl(struct edge_call *call, uint64_t *ms);
/* edge_query_number reads a number from 1 to `max`; as above. */
bool edge_query_number(struct edge_call *call, const char *name, uint32_t max, uint32_t *number);
/* edge_distance is the number of typing errors between two words, at most `max` + 1. */
unsigned edge_distance(struct slice a, struct slice b, unsigned max);

/* --- edge_code.c */
/* edge_base64_decode appends decoded base64url text to `text`; false when it is none. */
bool edge_base64_decode(struct buffer *text, struct slice code, struct slice *decoded);
/* edge_etag_parse reads the 11 characters of an entity tag (without quotes). */
bool edge_etag_parse(struct slice text, uint64_t *etag);
/* edge_condition_parse reads If-Match and If-None-Match into op; false: call->fault. */
bool edge_condition_parse(struct edge_call *call);
/* edge_made_key writes a new key of EDGE_MADE_KEY_SIZE characters that rises with time. */
void edge_made_key(struct edge *edge, char *key);
/* edge_same_key writes the key that a POST with this Idempotency-Key makes, at every peer the same.
 * It does not rise with time. */
void edge_same_key(struct slice idempotency, char *key);

/* --- edge_meta.c */
/* edge_meta_encode copies the stored header fields of a PUT; false: call->fault. */
bool edge_meta_encode(struct edge_call *call, struct slice *meta);
/* edge_meta_find returns the first field with `tag`, or an empty slice. */
struct slice edge_meta_find(struct slice meta, enum meta_tag tag);
/* edge_meta_put writes the stored fields as header lines. */
void edge_meta_put(struct edge_out *out, struct slice meta);
/* edge_is_field_value tells whether bytes may stand in a header field (H10). */
bool edge_is_field_value(struct slice value);

/* --- edge_date.c */
/* edge_date_http writes "Sat, 21 Nov 2026 10:00:00 GMT", edge_date_put appends RFC 3339 with ms. */
void edge_date_http(uint64_t wall_ms, char text[29]);
void edge_date_put(struct edge_out *out, uint64_t wall_ms);

/* --- edge_metrics.c */
/* edge_metrics_put appends the Prometheus text of the sums of all tables. */
void edge_metrics_put(struct edge_out *out, const struct edge_config *config);
/* edge_metrics_count counts one answer. */
void edge_metrics_count(struct edge *edge, unsigned status);

/* --- edge_slot.c: the ring of requests in work */
struct edge_ring {
    struct edge_slot *slots; /* owned */
    uint32_t capacity;       /* power of two */
    uint32_t head, tail;     /* numbers of the oldest request in work and of the next one */
    uint32_t open;           /* given out and not answered */
};
/* edge_ring_push takes a slot for the next request; NULL when no memory is left. */
struct edge_slot *edge_ring_push(struct edge_ring *ring, uint32_t *number);
/* edge_ring_at returns the slot of a number in work. */
struct edge_slot *edge_ring_at(const struct edge_ring *ring, uint32_t number);
/* edge_ring_count counts the requests in work. */
static inline uint32_t edge_ring_count(const struct edge_ring *ring)
{
    return ring->tail - ring->head;
}
/* edge_ring_target returns where the answer of a slot goes: `output` when it is the oldest. */
struct buffer *edge_ring_target(struct edge_ring *ring, uint32_t number, struct buffer *output);
/* edge_ring_flush moves complete answers to `output` in order; false when it is full. */
bool edge_ring_flush(struct edge_ring *ring, struct buffer *output);
/* edge_ring_close frees everything. */
void edge_ring_close(struct edge_ring *ring);

/* --- handlers: one build (and finish) and one reply per route */
enum edge_verdict edge_kv_get(struct edge_call *call);
enum edge_verdict edge_kv_put(struct edge_call *call);
enum edge_verdict edge_kv_delete(struct edge_call *call);
enum edge_verdict edge_kv_post(struct edge_call *call);
enum edge_verdict edge_kv_body(struct edge_call *call, struct slice body);
enum edge_verdict edge_kv_list(struct edge_call *call);
void edge_kv_reply_read(struct edge_answer *answer, const struct result *result);
void edge_kv_reply_write(struct edge_answer *answer, const struct result *result);
/* edge_kv_kind, edge_kv_target, edge_kv_context: what all requests for one key share; false:
 * call->fault. */
void edge_kv_kind(struct edge_call *call, enum op_kind kind);
bool edge_kv_target(struct edge_call *call);
bool edge_kv_context(struct edge_call *call);
enum edge_verdict edge_crdt_get(struct edge_call *call);
enum edge_verdict edge_crdt_post(struct edge_call *call);
enum edge_verdict edge_crdt_post_body(struct edge_call *call, struct slice body);
enum edge_verdict edge_crdt_delete(struct edge_call *call);
void edge_crdt_reply_read(struct edge_answer *answer, const struct result *result);
void edge_crdt_reply_write(struct edge_answer *answer, const struct result *result);
/* edge_crdt_mismatch refuses a request for a key that holds another type. */
void edge_crdt_mismatch(struct edge_answer *answer, const struct result *result);
void edge_list_reply(struct edge_answer *answer, const struct result *result);

enum edge_verdict edge_cluster_self(struct edge_call *call);
enum edge_verdict edge_cluster_members(struct edge_call *call);
enum edge_verdict edge_cluster_member(struct edge_call *call);
enum edge_verdict edge_cluster_rtt(struct edge_call *call);
enum edge_verdict edge_cluster_summary(struct edge_call *call);
enum edge_verdict edge_cluster_ring(struct edge_call *call);
enum edge_verdict edge_cluster_overlay(struct edge_call *call);
enum edge_verdict edge_cluster_ready(struct edge_call *call);
enum edge_verdict edge_cluster_metrics(struct edge_call *call);
enum edge_verdict edge_cluster_leave(struct edge_call *call);
enum edge_verdict edge_cluster_drain(struct edge_call *call);
enum edge_verdict edge_cluster_undrain(struct edge_call *call);
enum edge_verdict edge_cluster_forget(struct edge_call *call);
enum edge_verdict edge_cluster_join(struct edge_call *call);
enum edge_verdict edge_cluster_join_body(struct edge_call *call, struct slice body);
enum edge_verdict edge_cluster_block(struct edge_call *call);
enum edge_verdict edge_cluster_block_body(struct edge_call *call, struct slice body);
enum edge_verdict edge_jobs(struct edge_call *call);
enum edge_verdict edge_preview(struct edge_call *call);
void edge_preview_reply(struct edge_answer *answer, const struct result *result);
/* edge_weight_parse reads a decimal number from 0 to 64 in steps of 1/256. */
bool edge_weight_parse(struct slice text, uint16_t *weight);
enum edge_verdict edge_weight(struct edge_call *call);
enum edge_verdict edge_keys_list(struct edge_call *call);
enum edge_verdict edge_keys_install(struct edge_call *call);
enum edge_verdict edge_keys_use(struct edge_call *call);
enum edge_verdict edge_keys_remove(struct edge_call *call);
enum edge_verdict edge_weight_body(struct edge_call *call, struct slice body);
void edge_jobs_reply(struct edge_answer *answer, const struct result *result);
void edge_keys_reply(struct edge_answer *answer, const struct result *result);
void edge_weight_reply(struct edge_answer *answer, const struct result *result);
enum edge_verdict edge_cluster_unblock(struct edge_call *call);
void edge_self_reply(struct edge_answer *answer, const struct result *result);
void edge_members_reply(struct edge_answer *answer, const struct result *result);
void edge_rtt_reply(struct edge_answer *answer, const struct result *result);
void edge_member_reply(struct edge_answer *answer, const struct result *result);
void edge_summary_reply(struct edge_answer *answer, const struct result *result);
void edge_ring_reply(struct edge_answer *answer, const struct result *result);
void edge_overlay_reply(struct edge_answer *answer, const struct result *result);
void edge_ready_reply(struct edge_answer *answer, const struct result *result);
void edge_metrics_reply(struct edge_answer *answer, const struct result *result);
void edge_accepted_reply(struct edge_answer *answer, const struct result *result);

enum edge_verdict edge_backup_page(struct edge_call *call);
enum edge_verdict edge_restore_page(struct edge_call *call);
enum edge_verdict edge_restore_body(struct edge_call *call, struct slice body);
void edge_backup_reply(struct edge_answer *answer, const struct result *result);
void edge_restore_reply(struct edge_answer *answer, const struct result *result);
enum edge_verdict edge_space_list(struct edge_call *call);
enum edge_verdict edge_space_get(struct edge_call *call);
enum edge_verdict edge_space_put(struct edge_call *call);
enum edge_verdict edge_space_body(struct edge_call *call, struct slice body);
enum edge_verdict edge_space_delete(struct edge_call *call);
void edge_space_reply(struct edge_answer *answer, const struct result *result);
void edge_space_list_reply(struct edge_answer *answer, const struct result *result);
void edge_space_delete_reply(struct edge_answer *answer, const struct result *result);

enum edge_verdict edge_page_build(struct edge_call *call);
enum edge_verdict edge_page_problem(struct edge_call *call);
enum edge_verdict edge_page_reserved(struct edge_call *call);
void edge_page_live(struct edge_answer *answer, const struct result *result);
void edge_page_welcome(struct edge_answer *answer, const struct result *result);
void edge_page_version(struct edge_answer *answer, const struct result *result);
void edge_page_problems(struct edge_answer *answer, const struct result *result);
void edge_page_problem_one(struct edge_answer *answer, const struct result *result);
void edge_page_allow(struct edge_answer *answer, const struct result *result);

/* edge_call_fault sets call->fault and returns VERDICT_FAULT; texts up to NULL. */
#define edge_call_fault(call, ...) (edge_fault_set((call)->fault, __VA_ARGS__, NULL), VERDICT_FAULT)
/* edge_call_copy copies bytes into the slot's text, where they live until the answer. */
struct slice edge_call_copy(struct edge_call *call, struct slice bytes);

#endif
