/* swim.c: membership. Every peer keeps the whole table of its cell; in every period it probes one
 * member, and news ride on the datagrams that fly anyway.
 *
 *   SELF ------> swim_table ---- newer ----> swim_gossip ---> SEND, MEMBER
 *   UPDATE ----> swim_suspect -- newer ---------^   |
 *   PING ACK --> swim_probe ---- silence --> suspect |
 *      digest -> swim_digest --- differs --> TABLE --+-> swim_repair
 *   about us --> swim_self ----- refuted ----^
 *
 *   member:  ALIVE --accused--> SUSPECT --time--> DEAD          any --own signed word--> LEFT
 *              ^------------------+----- record with a higher incarnation -----+
 *
 * Three things differ from the SWIM paper. Beliefs merge by one total order instead of rules per
 * message (swim_table.c). Accusations need the record of the accused, which only it can sign. And a
 * digest on every PING replaces periodic exchange: an idle mesh sends next to nothing. Lifeguard's
 * three parts are here in full: local health, suspicion that shortens, the buddy rule. */
#include <stdlib.h>

#include "swim_private.h"

static bool swim_allocate(struct swim *swim)
{
    uint32_t max = swim->config.members_max;

    swim->members = calloc(max, sizeof(*swim->members));
    swim->colds = calloc(max, sizeof(*swim->colds));
    swim->suspicions = calloc(max, sizeof(*swim->suspicions));
    swim->order = calloc(max, sizeof(*swim->order));
    swim->pass = calloc(max, sizeof(*swim->pass));
    swim->queue = calloc(SWIM_QUEUE_MAX, sizeof(*swim->queue));
    return swim->members && swim->colds && swim->suspicions && swim->order && swim->pass &&
           swim->queue && heap_init(&swim->due, max) == STATUS_OK;
}

struct swim *swim_new(const struct swim_config *config)
{
    struct swim *swim = calloc(1, sizeof(*swim));

    ensure(config->members_max >= 2 && config->cell_depth <= CELL_DEPTH_MAX);
    if (!swim)
        return NULL;
    swim->config = *config;
    swim->numbers = profile_numbers(config->profile);
    swim->self8 = id_front(&config->self);
    swim->period_at = swim->gossip_at = swim->dead_probe_at = INSTANT_NEVER;
    prng_init(&swim->prng, config->prng_seed);
    swim->seq = (uint32_t)prng_next(&swim->prng);
    if (!swim_allocate(swim)) {
        swim_delete(swim);
        return NULL;
    }
    return swim;
}

void swim_delete(struct swim *swim)
{
    if (!swim)
        return;
    heap_close(&swim->due);
    free(swim->members);
    free(swim->colds);
    free(swim->suspicions);
    free(swim->order);
    free(swim->pass);
    free(swim->queue);
    free(swim);
}

void swim_load(struct swim *swim, uint32_t load)
{
    swim->load = load;
}

void swim_receive(struct swim *swim, instant now, const struct swim_from *from,
                  const struct message *message)
{
    if (!swim->is_started || from->id8 == swim->self8)
        return;
    if (message->kind == MESSAGE_PING)
        swim_probe_ping(swim, now, from, &message->ping);
    else if (message->kind == MESSAGE_ACK)
        swim_probe_ack(swim, now, from, &message->ack);
    else if (message->kind == MESSAGE_PING_REQ)
        swim_probe_request(swim, now, from, &message->ping_req);
    else if (message->kind == MESSAGE_NACK)
        swim_probe_nack(swim, now, from, &message->nack);
    else if (message->kind == MESSAGE_UPDATE)
        swim_suspect_update(swim, now, from, &message->update);
    else if (message->kind == MESSAGE_RECORD_GET)
        swim_repair_records(swim, from, &message->record_get);
    else if (message->kind == MESSAGE_TABLE)
        swim_repair_table(swim, now, from, &message->table);
}

void swim_expire(struct swim *swim, instant now, uint64_t stamp_now)
{
    if (!swim->is_started)
        return;
    swim_probe_expire(swim, now);
    swim_suspect_expire(swim, now, stamp_now);
    if (instant_is_due(swim->period_at, now))
        swim_probe_period(swim, now);
    if (instant_is_due(swim->dead_probe_at, now))
        swim_probe_dead(swim, now);
    swim_gossip_expire(swim, now);
}

instant swim_deadline(const struct swim *swim)
{
    instant first = swim_probe_deadline(swim);

    first = instant_min(first, heap_deadline(&swim->due));
    first = instant_min(first, swim->period_at);
    first = instant_min(first, swim->dead_probe_at);
    return instant_min(first, swim->gossip_at);
}
