/* edge_cluster_reply.c: what the core tells about peers and ring, as JSON with the names of
 * api.md 7. */
#include "edge_json.h"
#include "edge_room.h"
#include "ensure.h"

static json_t *edge_number(uint64_t number)
{
    return json_integer((json_int_t)(number & INT64_MAX));
}

static const char *edge_rank_name(enum member_rank rank)
{
    switch (rank) {
    case RANK_ALIVE:
        return "alive";
    case RANK_SUSPECT:
        return "suspect";
    case RANK_DEAD:
        return "dead";
    case RANK_LEFT:
        return "left";
    }
    return "unknown";
}

static const char *edge_place_name(unsigned state)
{
    return state == PLACE_JOINING    ? "joining"
           : state == PLACE_ACTIVE   ? "active"
           : state == PLACE_LEAVING  ? "leaving"
           : state == PLACE_OUT      ? "out"
           : state == PLACE_GONE     ? "forgotten"
           : state == PLACE_WEIGHING ? "weighing"
                                     : "none";
}

/* Weight 1 is 256 inside. */
static json_t *edge_weight_json(uint16_t weight)
{
    return weight % 256 ? edge_json_thousandths(weight * 1000u / 256) : json_integer(weight / 256);
}

static bool edge_reply_is_refused(struct edge_answer *answer, const struct result *result)
{
    if (result->status == STATUS_OK)
        return false;
    edge_answer_refuse(answer, result);
    return true;
}

static const char *edge_self_state(const struct result_self *self)
{
    if (self->place_state == PLACE_LEAVING || self->place_state == PLACE_OUT)
        return "leaving";
    if (self->is_draining)
        return "draining";
    return self->is_ready ? "ready" : "joining";
}

void edge_self_reply(struct edge_answer *answer, const struct result *result)
{
    const struct result_self *self = result->self;
    json_t *body, *part;

    if (edge_reply_is_refused(answer, result))
        return;
    body = json_object();
    edge_json_put(body, "id", edge_json_hex(self->id.bytes, NODE_ID_SIZE));
    edge_json_put(body, "name", edge_json_label(&self->name));
    edge_json_put(body, "version", json_string(answer->edge->config.version));
    edge_json_put(body, "cluster_id", edge_json_hex(self->cluster_id, CLUSTER_ID_SIZE));
    edge_json_put(body, "host", edge_json_label(&self->host));
    edge_json_put(body, "zone", edge_json_label(&self->zone));
    edge_json_put(body, "weight", edge_weight_json(self->weight));
    part = json_object();
    edge_json_put(part, "advertised", edge_json_address(&self->mesh));
    edge_json_put(part, "http_port", json_integer(self->http_port));
    edge_json_put(body, "addresses", part);
    part = json_object();
    edge_json_put(part, "keys", edge_number(self->keys));
    edge_json_put(part, "bytes", edge_number(self->bytes));
    edge_json_put(part, "read_only", json_boolean(self->is_read_only));
    edge_json_put(part, "recovering", json_boolean(self->is_recovering));
    edge_json_put(body, "store", part);
    edge_json_put(body, "state", json_string(edge_self_state(self)));
    edge_json_put(body, "place", json_string(edge_place_name(self->place_state)));
    edge_json_put(body, "incarnation", edge_number(self->incarnation));
    edge_json_put(body, "uptime_s", edge_number(self->uptime_s));
    edge_json_put(body, "blocked", json_integer(self->blocked));
    edge_json_reply(answer, 200, result, body);
}

/* --- members */

static json_t *edge_member_http(const struct result_member *member)
{
    struct address http = member->mesh;

    http.port = member->http_port;
    return member->http_port ? edge_json_address(&http) : json_null();
}

static json_t *edge_rtt_json(uint32_t us)
{
    return us ? edge_json_thousandths(us) : json_null();
}

static json_t *edge_member_json(const struct result_member *member)
{
    json_t *object = json_object();

    edge_json_put(object, "id", edge_json_hex(member->id.bytes, NODE_ID_SIZE));
    edge_json_put(object, "name", edge_json_label(&member->name));
    edge_json_put(object, "state", json_string(edge_rank_name(member->rank)));
    edge_json_put(object, "place", json_string(edge_place_name(member->place_state)));
    edge_json_put(object, "incarnation", edge_number(member->incarnation));
    edge_json_put(object, "mesh", edge_json_address(&member->mesh));
    edge_json_put(object, "http", edge_member_http(member));
    edge_json_put(object, "host", edge_json_label(&member->host));
    edge_json_put(object, "zone", edge_json_label(&member->zone));
    edge_json_put(object, "weight", edge_weight_json(member->weight));
    edge_json_put(object, "tags", json_object());
    edge_json_put(object, "rtt_ms", edge_rtt_json(member->rtt_us));
    edge_json_put(object, "since",
                  member->since_ms ? edge_json_time(member->since_ms) : json_null());
    edge_json_put(object, "self", json_boolean(member->is_self));
    edge_json_put(object, "blocked", json_boolean(member->is_blocked));
    edge_json_put(object, "hints", json_integer(member->hints));
    edge_json_put(object, "lag_s", edge_json_thousandths(member->lag_ms));
    return object;
}

void edge_members_reply(struct edge_answer *answer, const struct result *result)
{
    struct slice filter = answer->slot->filter;
    uint32_t counts[RANK_LEFT + 1] = {0};
    json_t *body, *members, *totals;

    if (edge_reply_is_refused(answer, result))
        return;
    if (answer->slot->is_begun) {
        edge_stream_event(answer, "member", edge_member_json(result->members));
        return;
    }
    body = json_object();
    members = json_array();
    totals = json_object();
    for (uint32_t i = 0; i < result->member_count; i++) {
        const struct result_member *member = &result->members[i];

        if ((unsigned)member->rank <= RANK_LEFT)
            counts[member->rank]++;
        if (!filter.size || slice_equal(filter, slice_text(edge_rank_name(member->rank))))
            (void)json_array_append_new(members, edge_member_json(member));
    }
    for (unsigned i = RANK_ALIVE; i <= RANK_LEFT; i++)
        edge_json_put(totals, edge_rank_name((enum member_rank)i), json_integer(counts[i]));
    edge_json_put(body, "members", members);
    edge_json_put(body, "counts", totals);
    edge_json_put(body, "digest", edge_json_u64(result->digest));
    if (!result->is_more) {
        edge_json_reply(answer, 200, result, body);
        return;
    }
    edge_stream_begin(answer, result);
    edge_stream_event(answer, "members", body);
}

void edge_rtt_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *peers;

    if (edge_reply_is_refused(answer, result))
        return;
    body = json_object();
    peers = json_array();
    edge_json_put(body, "peer", edge_json_label(&answer->edge->config.name));
    for (uint32_t i = 0; i < result->member_count; i++) {
        const struct result_member *member = &result->members[i];
        json_t *object;

        if (member->is_self || member->rank > RANK_SUSPECT)
            continue;
        object = json_object();
        edge_json_put(object, "peer", edge_json_label(&member->name));
        edge_json_put(object, "rtt_ms", edge_rtt_json(member->rtt_us));
        edge_json_put(object, "deviation_ms", edge_rtt_json(member->rtt_var_us));
        (void)json_array_append_new(peers, object);
    }
    edge_json_put(body, "to", peers);
    edge_json_reply(answer, 200, result, body);
}

/* A name, an id, or at least 4 hex digits at the start of one. */
static bool edge_member_fits(const struct result_member *member, struct slice filter)
{
    bool is_id = filter.size >= 4 && filter.size <= EDGE_ID_TEXT;

    if (slice_equal(filter, slice_of(member->name.text, member->name.size)))
        return true;
    for (size_t i = 0; is_id && i < filter.size; i++) {
        unsigned digit = member->id.bytes[i / 2] >> (i % 2 ? 0 : 4) & 15;

        is_id = filter.data[i] == (uint8_t) "0123456789abcdef"[digit];
    }
    return is_id;
}

static void edge_member_ambiguous(struct edge_answer *answer, const struct result *result)
{
    struct edge_fault fault;
    char list[EDGE_HINT_MAX - 16] = "";
    struct buffer text = {
        .data = (uint8_t *)list, .capacity = sizeof list - 1, .max = sizeof list - 1};
    struct edge_out out;

    edge_out_begin(&out, &text, 0);
    for (uint32_t i = 0; i < result->member_count; i++) {
        const struct result_member *member = &result->members[i];

        if (!edge_member_fits(member, answer->slot->filter) ||
            edge_out_size(&out) + member->name.size + 12 > text.max)
            continue;
        if (edge_out_size(&out))
            EDGE_PUT(&out, ", ");
        edge_put_label(&out, &member->name);
        EDGE_PUT(&out, "~");
        edge_put_hex(&out, member->id.bytes, 4);
    }
    ensure(edge_out_end(&out, 0));
    edge_fault_set(&fault, PROBLEM_BAD_REQUEST, "several members fit", NULL);
    edge_fault_hint(&fault, "one of: ", list, NULL);
    edge_answer_fault(answer, &fault, result);
}

void edge_member_reply(struct edge_answer *answer, const struct result *result)
{
    const struct result_member *found = NULL;
    unsigned count = 0;

    if (edge_reply_is_refused(answer, result))
        return;
    for (uint32_t i = 0; i < result->member_count; i++) {
        if (!edge_member_fits(&result->members[i], answer->slot->filter))
            continue;
        found = &result->members[i];
        count++;
    }
    if (count == 1) {
        edge_json_reply(answer, 200, result, edge_member_json(found));
    } else if (count > 1) {
        edge_member_ambiguous(answer, result);
    } else {
        struct edge_fault fault;

        edge_fault_set(&fault, PROBLEM_NOT_FOUND, "no member has this name or id", NULL);
        edge_answer_fault(answer, &fault, result);
    }
}

/* --- ring and overlay */

static json_t *edge_owner_json(const struct result_owner *owner, unsigned rank, bool is_verify)
{
    json_t *object = json_object();

    edge_json_put(object, "rank", json_integer(rank));
    edge_json_put(object, "peer", edge_json_label(&owner->name));
    edge_json_put(object, "id", edge_json_hex(owner->id.bytes, NODE_ID_SIZE));
    edge_json_put(object, "state", json_string(edge_rank_name(owner->rank)));
    edge_json_put(object, "base", json_boolean(owner->is_base));
    edge_json_put(object, "target", json_boolean(owner->is_target));
    if (is_verify) {
        edge_json_put(object, "etag", edge_json_etag(owner->etag));
        edge_json_put(object, "answer", json_string(status_text(owner->answer)));
    }
    edge_json_put(object, "hints", json_integer(owner->hints));
    return object;
}

void edge_ring_reply(struct edge_answer *answer, const struct result *result)
{
    bool is_agreed = true, is_verify = answer->slot->is_verbose;
    json_t *body, *owners;

    if (edge_reply_is_refused(answer, result))
        return;
    body = json_object();
    owners = json_array();
    for (uint32_t i = 0; i < result->owner_count; i++) {
        const struct result_owner *owner = &result->owners[i];

        is_agreed = is_agreed && owner->etag == result->owners[0].etag &&
                    (owner->answer == STATUS_OK || owner->answer == STATUS_MISSING);
        (void)json_array_append_new(owners, edge_owner_json(owner, i, is_verify));
    }
    edge_json_put(body, "ns", edge_json_text(answer->slot->ns));
    edge_json_put(body, "key", edge_json_text(answer->slot->key));
    edge_json_put(body, "partition", json_integer(result->partition));
    edge_json_put(body, "ring_version", edge_json_u64(result->layout));
    edge_json_put(body, "owners", owners);
    if (is_verify)
        edge_json_put(body, "agree", json_boolean(is_agreed));
    edge_json_reply(answer, 200, result, body);
}

void edge_overlay_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body, *steps;

    if (edge_reply_is_refused(answer, result))
        return;
    body = json_object();
    steps = json_array();
    for (uint32_t i = 0; i < result->hop_count; i++) {
        const struct result_hop *hop = &result->hops[i];
        json_t *step = json_object();

        edge_json_put(step, "id", edge_json_hex(hop->id.bytes, NODE_ID_SIZE));
        edge_json_put(step, "address", edge_json_address(&hop->address));
        edge_json_put(step, "prefix_bits", json_integer(hop->prefix));
        edge_json_put(step, "rtt_ms", edge_rtt_json(hop->rtt_us));
        edge_json_put(step, "contacts", json_integer(hop->contacts));
        edge_json_put(step, "answered", json_boolean(hop->is_answered));
        (void)json_array_append_new(steps, step);
    }
    edge_json_put(body, "steps", steps);
    edge_json_reply(answer, 200, result, body);
}

void edge_accepted_reply(struct edge_answer *answer, const struct result *result)
{
    json_t *body;

    if (edge_reply_is_refused(answer, result))
        return;
    if (result->kind == OP_BLOCK || result->kind == OP_DRAIN) {
        edge_answer_head(answer, 204);
        edge_answer_route(answer, result);
        edge_answer_no_store(answer);
        edge_answer_empty(answer);
        return;
    }
    body = json_object();
    edge_json_put(body, "state",
                  json_string(result->kind == OP_LEAVE    ? "leaving"
                              : result->kind == OP_FORGET ? "forgotten"
                                                          : "joining"));
    edge_json_reply(answer, 202, result, body);
}
