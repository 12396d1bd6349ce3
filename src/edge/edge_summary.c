/* edge_summary.c: the cluster in one answer: a sentence, the numbers, and warnings that name the
 * next step. /readyz tells the same as yes or no. */
#include "edge_json.h"
#include "edge_room.h"

static const char *edge_summary_health(const struct result_cluster *cluster)
{
    if (!cluster->is_founded)
        return "the peer has not met its cluster yet";
    if (cluster->partitions_unavailable)
        return "some keys cannot reach their quorum";
    if (cluster->is_read_only)
        return "this peer takes no writes";
    if (cluster->suspect || cluster->dead)
        return "every key is served; some peers are missing";
    if (cluster->partitions_under)
        return "every key is served; some partitions have too few owners";
    if (cluster->partitions_moving || cluster->joining || cluster->leaving || cluster->forgotten)
        return "healthy; data is moving to its new owners";
    return "healthy";
}

static void edge_warn(json_t *warnings, bool is_true, const char *code, const char *text,
                      const char *next)
{
    json_t *warning;

    if (!is_true)
        return;
    warning = json_object();
    edge_json_put(warning, "code", json_string(code));
    edge_json_put(warning, "text", json_string(text));
    edge_json_put(warning, "next", json_string(next));
    (void)json_array_append_new(warnings, warning);
}

static json_t *edge_summary_warnings(const struct result_cluster *c)
{
    json_t *warnings = json_array();

    edge_warn(warnings, c->dead > 0, "members-dead", "peers of the placement list are dead",
              "start them again; who stays dead is given up after cluster.forget_after, or by "
              "gossamer forget");
    edge_warn(warnings, c->suspect > 0, "members-suspect", "peers are suspected to be dead",
              "wait some seconds and look again");
    edge_warn(warnings, c->alive && c->alive < c->replicas, "too-few-peers",
              "there are fewer peers than replicas", "add peers: gossamerd --join ADDRESS");
    edge_warn(warnings, c->partitions_unavailable > 0, "partitions-unavailable",
              "partitions are below their quorum", "bring back the dead peers that own them");
    edge_warn(warnings, c->seeds_silent > 0, "seeds-silent", "seeds do not answer",
              "check their addresses and that UDP and TCP of mesh.listen are open");
    edge_warn(warnings, c->key_id_seen != 0, "wrong-key",
              "a peer uses a cluster key that is not ours",
              "copy the same cluster.key to all peers");
    edge_warn(warnings, c->blocked > 0, "blocked", "mesh traffic with some peers is blocked",
              "DELETE /v1/self/block");
    edge_warn(warnings, c->is_read_only, "read-only", "the store takes no writes",
              "look at the log and at the free space of the disk");
    edge_warn(warnings, c->is_recovering, "recovering", "the store is refilled from other owners",
              "wait; reads use the other owners");
    edge_warn(warnings, c->are_hints_lost, "hints-dropped",
              "an owner missed more writes, or for longer, than hints are kept for",
              "bring it back: comparing finds what it lacks, within sync.interval");
    edge_warn(warnings, c->partitions_uncounted > 0, "counting",
              "rows are counted after an unclean stop: this peer serves, and is compared later",
              "wait; gossamer_partitions_uncounted tells how many partitions are left");
    edge_warn(warnings, c->rows_bad > 0, "damaged-rows", "damaged rows wait for their other owners",
              "bring back the peers that are away; then look at the disk of this one");
    return warnings;
}

/* What a dead peer waits for before it is given up; null: nobody waits. */
static json_t *edge_summary_forget(const struct result_cluster *c)
{
    static const char *const waits[] = {
        [FORGET_MAJORITY] = "a majority of the peers, seen alive all the time",
        [FORGET_PACE] = "the time since the last one was forgotten, or since a start",
        [FORGET_HOSTS] = "more hosts: fewer than replicas would stay",
        [FORGET_OWNERS] = "sound owners: another owner of its partitions is away too",
        [FORGET_ACKS] = "the agreement of a majority",
        [FORGET_HEIRS] = "others, who are taking over its share"};
    json_t *forget;

    if (c->forget_wait == FORGET_NOBODY)
        return json_null();
    forget = json_object();
    edge_json_put(forget, "peer", edge_json_label(&c->forget_name));
    edge_json_put(forget, "waits_for", json_string(waits[c->forget_wait]));
    return forget;
}

/* The first of those who are dead or forgotten and still on the list. */
static json_t *edge_summary_away(const struct result_cluster *c)
{
    json_t *names = json_array();

    for (uint32_t i = 0; i < c->away_count && i < CLUSTER_AWAY_MAX; i++)
        (void)json_array_append_new(names, edge_json_label(&c->away[i]));
    return names;
}

static json_t *edge_summary_counts(const struct result_cluster *c)
{
    json_t *counts = json_object();

    edge_json_put(counts, "alive", json_integer(c->alive));
    edge_json_put(counts, "suspect", json_integer(c->suspect));
    edge_json_put(counts, "dead", json_integer(c->dead));
    edge_json_put(counts, "left", json_integer(c->left));
    edge_json_put(counts, "joining", json_integer(c->joining));
    edge_json_put(counts, "active", json_integer(c->active));
    edge_json_put(counts, "leaving", json_integer(c->leaving));
    edge_json_put(counts, "weighing", json_integer(c->weighing));
    edge_json_put(counts, "forgotten", json_integer(c->forgotten));
    return counts;
}

static json_t *edge_summary_key(const struct result_cluster *c)
{
    json_t *key = json_object();

    edge_json_put(key, "ours", edge_json_u64(c->key_id_ours));
    edge_json_put(key, "foreign", c->key_id_seen ? edge_json_u64(c->key_id_seen) : json_null());
    edge_json_put(key, "foreign_from",
                  c->key_id_seen ? edge_json_address(&c->key_from) : json_null());
    return key;
}

/* Rows that wait to be collected, and the owner they wait for. */
static json_t *edge_summary_tombstones(const struct result_cluster *c)
{
    json_t *tombstones = json_object();
    const struct label *absent = &c->tombstones_absent;

    edge_json_put(tombstones, "count", json_integer((json_int_t)c->tombstones));
    edge_json_put(tombstones, "waiting_for",
                  absent->size ? json_stringn(absent->text, absent->size) : json_null());
    return tombstones;
}

/* Writes some owner lacks, and since when. */
static json_t *edge_summary_hints(const struct result_cluster *c)
{
    json_t *hints = json_object();

    edge_json_put(hints, "pending", json_integer(c->hints));
    edge_json_put(hints, "dropped", json_integer((json_int_t)c->hints_dropped));
    edge_json_put(hints, "waiting_for",
                  c->hints_for.size ? edge_json_label(&c->hints_for) : json_null());
    edge_json_put(hints, "lag_s", edge_json_thousandths(c->unconfirmed_ms));
    return hints;
}

static json_t *edge_summary_scrub(const struct result_cluster *c)
{
    json_t *scrub = json_object();

    edge_json_put(scrub, "age_s", json_integer((json_int_t)c->scrub_age_s));
    edge_json_put(scrub, "verified", json_integer((json_int_t)c->scrub_rows));
    edge_json_put(scrub, "corrupt", json_integer((json_int_t)c->rows_corrupt));
    edge_json_put(scrub, "repaired", json_integer((json_int_t)c->rows_mended));
    edge_json_put(scrub, "quarantined", json_integer((json_int_t)c->rows_bad));
    return scrub;
}

void edge_summary_reply(struct edge_answer *answer, const struct result *result)
{
    const struct result_cluster *c = result->cluster;
    json_t *body, *partitions;

    if (result->status != STATUS_OK) {
        edge_answer_refuse(answer, result);
        return;
    }
    body = json_object();
    partitions = json_object();
    edge_json_put(body, "health", json_string(edge_summary_health(c)));
    edge_json_put(body, "ready", json_boolean(c->is_ready));
    edge_json_put(body, "size", json_integer(c->alive + c->suspect));
    edge_json_put(body, "members", edge_summary_counts(c));
    edge_json_put(body, "replicas", json_integer(c->replicas));
    edge_json_put(partitions, "total", json_integer(c->partitions));
    edge_json_put(partitions, "moving", json_integer(c->partitions_moving));
    edge_json_put(partitions, "differing", json_integer(c->partitions_differing));
    edge_json_put(partitions, "diverged", json_integer(c->partitions_diverged));
    edge_json_put(partitions, "compared_s", json_integer(c->compared_s));
    edge_json_put(partitions, "unavailable", json_integer(c->partitions_unavailable));
    edge_json_put(partitions, "under_replicated", json_integer(c->partitions_under));
    edge_json_put(body, "partitions", partitions);
    edge_json_put(body, "hints", edge_summary_hints(c));
    edge_json_put(body, "siblings", json_integer((json_int_t)c->siblings));
    edge_json_put(body, "tombstones", edge_summary_tombstones(c));
    edge_json_put(body, "ring_version", edge_json_u64(c->layout));
    edge_json_put(body, "digest", edge_json_u64(result->digest));
    edge_json_put(body, "seeds", json_integer(c->seeds));
    edge_json_put(body, "seeds_silent", json_integer(c->seeds_silent));
    edge_json_put(body, "key", edge_summary_key(c));
    edge_json_put(body, "forgetting", edge_summary_forget(c));
    edge_json_put(body, "away", edge_summary_away(c));
    edge_json_put(body, "scrub", edge_summary_scrub(c));
    edge_json_put(body, "warnings", edge_summary_warnings(c));
    edge_json_reply(answer, 200, result, body);
}

/* --- /readyz */

static void edge_check_put(struct edge_out *out, bool is_good, const char *text)
{
    edge_put_text(out, is_good ? "[+]" : "[-]");
    edge_put_text(out, text);
    EDGE_PUT(out, "\n");
}

static void edge_ready_checks(struct edge_out *out, const struct result *result)
{
    const struct result_cluster *c = result->cluster;

    edge_check_put(out, c->is_founded, c->is_founded ? "founding known" : "founding not known yet");
    edge_check_put(out, !c->is_recovering, c->is_recovering ? "store is refilled" : "store ok");
    edge_check_put(out, !c->is_draining, c->is_draining ? "draining" : "not draining");
    edge_check_put(out, !c->is_read_only, c->is_read_only ? "store read-only" : "store writable");
    edge_check_put(out, !c->partitions_unavailable,
                   c->partitions_unavailable ? "quorum missing for some partitions" : "quorum ok");
    edge_check_put(out, !c->seeds_silent,
                   c->seeds_silent ? "degraded: seeds are silent" : "seeds ok");
}

void edge_ready_reply(struct edge_answer *answer, const struct result *result)
{
    bool is_ready = result->status == STATUS_OK;
    struct edge_fault fault;
    struct buffer text;
    struct edge_out out;

    if (!is_ready && !answer->slot->is_verbose) {
        edge_fault_of_result(&fault, result);
        if (edge_problem_row(fault.problem)->status != 503)
            fault.problem = PROBLEM_NOT_READY;
        edge_answer_fault(answer, &fault, NULL);
        return;
    }
    buffer_init(&text, 4096);
    edge_out_begin(&out, &text, 512);
    if (answer->slot->is_verbose)
        edge_ready_checks(&out, result);
    edge_put_text(&out, !is_ready                       ? "not ready\n"
                        : result->cluster->seeds_silent ? "ok degraded\n"
                                                        : "ok\n");
    if (edge_out_end(&out, 0))
        edge_answer_text(answer, is_ready ? 200 : 503, "text/plain; charset=utf-8",
                         slice_of(text.data, text.size));
    else
        answer->out.is_full = true;
    buffer_close(&text);
}
