/* balance.c: who is asked first.
 *
 * Summing load and latency into one figure loses to looking at them one after the other (Prequal,
 * section 4.2): while a peer is not busy its latency says all, once it is busy its latency lags
 * behind its queue. So peers are split by requests in flight into cold and hot; the cold are
 * ordered by latency, and only if all are hot the shortest queue wins.
 *
 * Three things keep the loop from feeding on itself.
 *  - Our own unanswered requests count at once, so that many requests in one millisecond do not all
 *    go to the peer whose last report was best.
 *  - A failure enters the latency as a slow answer, so that a peer which fails quickly does not
 *    attract the load (the fast 503).
 *  - The latency fades while nobody asks: a peer that was slow once is tried again.
 *
 * A peer that fails five times in a row is ejected:
 *
 *            5 failures in a row
 *      IN -------------------------> EJECTED 1 s x times (at most 30 s)
 *       ^                             ^   |
 *       | success       failure,      |   | time is over
 *       |               times + 1     |   v
 *       +--------------------------- TRIAL: one request at a time
 *
 * Simpler than protocols.md part 8: the hot limit is fixed instead of a quantile over the cell, and
 * success rates are not compared. */
#include "balance.h"

#include <stdlib.h>
#include <string.h>

#include "ensure.h"

#define BALANCE_LOAD_FRESH INSTANT_S(1)     /* a load older than this is not believed (Prequal) */
#define BALANCE_FADE INSTANT_S(10)          /* the latency halves in this time without an answer */
#define BALANCE_FAILURE_COST INSTANT_MS(50) /* a failure counts as an answer at least so slow */
#define BALANCE_EJECT_STEP INSTANT_S(1)     /* first ejection; each failed trial adds one */
#define BALANCE_EJECT_TIMES_MAX 30          /* 30 s at most: a mended peer is back within that */
#define BALANCE_LATENCY_UNIT_US 16u         /* of the load word */

/* What is known of one peer. */
struct balance_peer {
    uint64_t id8;
    instant heard;         /* last answer, load or start */
    instant load_at;       /* when `reported` came; 0: never */
    instant ejected_until; /* meaningful while times > 0 */
    uint64_t latency_us;   /* moving average of round trips, 1/8 new; 0: none yet */
    instant latency_at;    /* last sample */
    uint32_t in_flight;    /* our own requests */
    uint32_t reported;     /* requests in flight by the peer's own account */
    uint8_t failures;      /* in a row */
    uint8_t times;         /* ejections in a row; 0: not ejected */
};

struct balance {
    struct balance_peer *peers; /* owned, ascending by id8 */
    uint32_t count, peers_max;
};

struct balance *balance_new(uint32_t peers_max)
{
    struct balance *balance = calloc(1, sizeof *balance);

    ensure(peers_max > 0);
    if (!balance)
        return NULL;
    balance->peers_max = peers_max;
    balance->peers = calloc(peers_max, sizeof *balance->peers);
    if (!balance->peers) {
        free(balance);
        return NULL;
    }
    return balance;
}

void balance_delete(struct balance *balance)
{
    if (!balance)
        return;
    free(balance->peers);
    free(balance);
}

uint32_t balance_load_pack(uint32_t in_flight, uint32_t latency_us)
{
    uint32_t units = latency_us / BALANCE_LATENCY_UNIT_US;

    return (in_flight < UINT16_MAX ? in_flight : UINT16_MAX) << 16 |
           (units < UINT16_MAX ? units : UINT16_MAX);
}

/* --- records */

/* The index of `id8`, or of the first record behind where it would stand. */
static uint32_t balance_search(const struct balance *balance, uint64_t id8)
{
    uint32_t low = 0, high = balance->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (balance->peers[middle].id8 < id8)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct balance_peer *balance_find(const struct balance *balance, uint64_t id8)
{
    uint32_t index = balance_search(balance, id8);

    if (index < balance->count && balance->peers[index].id8 == id8)
        return &balance->peers[index];
    return NULL;
}

static void balance_drop(struct balance *balance, uint32_t index)
{
    ensure(index < balance->count);
    balance->count--;
    memmove(&balance->peers[index], &balance->peers[index + 1],
            (balance->count - index) * sizeof *balance->peers);
}

/* Gives up the idle record heard of least recently; false if every peer is busy. */
static bool balance_make_room(struct balance *balance)
{
    uint32_t oldest = UINT32_MAX;

    if (balance->count < balance->peers_max)
        return true;
    for (uint32_t i = 0; i < balance->count; i++)
        if (balance->peers[i].in_flight == 0 &&
            (oldest == UINT32_MAX || balance->peers[i].heard < balance->peers[oldest].heard))
            oldest = i;
    if (oldest == UINT32_MAX)
        return false;
    balance_drop(balance, oldest);
    return true;
}

static struct balance_peer *balance_find_or_add(struct balance *balance, instant now, uint64_t id8)
{
    struct balance_peer *peer = balance_find(balance, id8);
    uint32_t index;

    if (peer || !balance_make_room(balance))
        return peer;
    index = balance_search(balance, id8);
    memmove(&balance->peers[index + 1], &balance->peers[index],
            (balance->count - index) * sizeof *balance->peers);
    balance->count++;
    balance->peers[index] = (struct balance_peer){.id8 = id8, .heard = now};
    return &balance->peers[index];
}

/* --- what is learned */

static uint64_t balance_latency(const struct balance_peer *peer, instant now)
{
    uint64_t halvings = now > peer->latency_at ? (now - peer->latency_at) / BALANCE_FADE : 0;

    return halvings < 64 ? peer->latency_us >> halvings : 0;
}

static void balance_learn_latency(struct balance_peer *peer, instant now, uint64_t sample)
{
    uint64_t old = balance_latency(peer, now);

    peer->latency_us = old ? (old * 7 + sample) / 8 : sample;
    peer->latency_at = now;
}

static void balance_learn_load(struct balance_peer *peer, instant now, uint32_t load)
{
    peer->reported = load >> 16;
    peer->load_at = now;
    if (peer->latency_us == 0)
        balance_learn_latency(peer, now, (uint64_t)(load & UINT16_MAX) * BALANCE_LATENCY_UNIT_US);
}

static void balance_eject(struct balance_peer *peer, instant now)
{
    if (peer->times < BALANCE_EJECT_TIMES_MAX)
        peer->times++;
    peer->failures = 0;
    peer->ejected_until = instant_add(now, peer->times * BALANCE_EJECT_STEP);
}

static void balance_learn_failure(struct balance_peer *peer, instant now, uint32_t rtt_us)
{
    uint64_t sample = balance_latency(peer, now) * 4;

    if (sample < BALANCE_FAILURE_COST)
        sample = BALANCE_FAILURE_COST;
    if (sample > INSTANT_S(10))
        sample = INSTANT_S(10); /* repeated failures must not grow without bound */
    balance_learn_latency(peer, now, sample > rtt_us ? sample : rtt_us);
    if (peer->times > 0 && now < peer->ejected_until)
        return; /* sent before the ejection: already judged */
    peer->failures++;
    if (peer->times > 0 || peer->failures >= BALANCE_FAILURES_MAX)
        balance_eject(peer, now);
}

void balance_started(struct balance *balance, instant now, uint64_t id8)
{
    struct balance_peer *peer = balance_find_or_add(balance, now, id8);

    if (!peer)
        return;
    peer->heard = now;
    peer->in_flight++;
}

void balance_cancelled(struct balance *balance, uint64_t id8)
{
    struct balance_peer *peer = balance_find(balance, id8);

    if (peer && peer->in_flight > 0)
        peer->in_flight--;
}

void balance_finished(struct balance *balance, instant now, uint64_t id8,
                      const struct balance_result *result)
{
    struct balance_peer *peer = balance_find_or_add(balance, now, id8);

    if (!peer)
        return;
    peer->heard = now;
    if (peer->in_flight > 0)
        peer->in_flight--;
    if (result->has_load)
        balance_learn_load(peer, now, result->load);
    if (!result->is_ok) {
        balance_learn_failure(peer, now, result->rtt_us);
        return;
    }
    peer->failures = 0;
    peer->times = 0;
    balance_learn_latency(peer, now, result->rtt_us);
}

void balance_heard(struct balance *balance, instant now, uint64_t id8, uint32_t load)
{
    struct balance_peer *peer = balance_find(balance, id8);

    if (!peer)
        return;
    peer->heard = now;
    balance_learn_load(peer, now, load);
}

void balance_forget(struct balance *balance, uint64_t id8)
{
    struct balance_peer *peer = balance_find(balance, id8);

    if (peer)
        balance_drop(balance, (uint32_t)(peer - balance->peers));
}

uint32_t balance_in_flight(const struct balance *balance, uint64_t id8)
{
    const struct balance_peer *peer = balance_find(balance, id8);

    return peer ? peer->in_flight : 0;
}

/* --- ranking */

static bool balance_is_out(const struct balance_peer *peer, instant now)
{
    if (peer->times == 0)
        return false;
    return now < peer->ejected_until || peer->in_flight > 0;
}

bool balance_is_ejected(const struct balance *balance, instant now, uint64_t id8)
{
    const struct balance_peer *peer = balance_find(balance, id8);

    return peer && balance_is_out(peer, now);
}

/* One candidate, made comparable: the class, then two figures, then the id. Smaller is better. */
struct balance_rating {
    bool is_out, is_hot;
    uint64_t first, second;
    uint64_t id8;
};

static struct balance_rating balance_rate(const struct balance *balance, instant now, uint64_t id8)
{
    const struct balance_peer *peer = balance_find(balance, id8);
    struct balance_rating rating = {.id8 = id8};
    uint64_t in_flight, latency;

    if (!peer)
        return rating;
    in_flight = peer->in_flight;
    if (peer->load_at && now < instant_add(peer->load_at, BALANCE_LOAD_FRESH))
        in_flight += peer->reported;
    latency = balance_latency(peer, now);
    rating.is_out = balance_is_out(peer, now);
    rating.is_hot = in_flight > BALANCE_HOT_ABOVE;
    rating.first = rating.is_hot ? in_flight : latency;
    rating.second = rating.is_hot ? latency : in_flight;
    return rating;
}

static bool balance_is_better(const struct balance_rating *a, const struct balance_rating *b)
{
    if (a->is_out != b->is_out)
        return b->is_out;
    if (a->is_hot != b->is_hot)
        return b->is_hot;
    if (a->first != b->first)
        return a->first < b->first;
    if (a->second != b->second)
        return a->second < b->second;
    return a->id8 < b->id8;
}

void balance_rank(const struct balance *balance, instant now, const uint64_t *id8s, uint8_t count,
                  uint8_t *order)
{
    SCRATCH struct balance_rating ratings[UINT8_MAX];
    unsigned out = 0;

    for (unsigned i = 0; i < count; i++) {
        ratings[i] = balance_rate(balance, now, id8s[i]);
        out += ratings[i].is_out;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i;

        if (out * 2 > count)
            ratings[i].is_out = false;
        for (; at > 0 && balance_is_better(&ratings[i], &ratings[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}
