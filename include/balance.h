/* balance.h: which of several peers we ask first, and when we give up on one for a while. It is
 * told what we sent and what came back; it never learns what a request was about, and it never
 * decides who may be asked: the caller passes owners that are alive. Prequal's hot/cold rule
 * (Wydrowski et al. 2024, section 4) over signals that ride on replies; outlier ejection by
 * failures in a row. */
#ifndef GOSSAMER_BALANCE_H
#define GOSSAMER_BALANCE_H

#include "limits.h"
#include "status.h"
#include "types.h"

struct balance;

/* balance_new makes an empty record of at most `peers_max` (1 or more) peers. NULL: no memory. */
struct balance *balance_new(uint32_t peers_max);
/* balance_delete frees it; `balance` may be NULL. */
void balance_delete(struct balance *balance);

/* Load as it travels in PING, ACK and replies: requests in flight u16, latency u16 in 16 us units.
 * balance_load_pack caps what does not fit. */
uint32_t balance_load_pack(uint32_t in_flight, uint32_t latency_us);

/* How one of our requests to a peer ended. */
struct balance_result {
    uint32_t rtt_us; /* from sending to the answer, or to giving up */
    uint32_t load;   /* what the peer said of itself with the answer; read only if has_load */
    bool has_load;
    bool is_ok; /* the peer did its work. A timeout, a broken link, OVERLOAD are not ok; MISSING is
                 */
};

/* balance_started notes a request sent to the peer. Each must be matched by one balance_finished
 * or balance_cancelled. A stranger gets a record; if all records are taken, that of the idle peer
 * heard of least recently is given up; if none is idle, the peer goes unobserved. */
void balance_started(struct balance *balance, instant now, uint64_t id8);
/* balance_finished learns from the end of a request. The fifth failure in a row, or a failed trial,
 * ejects the peer. A finish without its start is learned from all the same. */
void balance_finished(struct balance *balance, instant now, uint64_t id8,
                      const struct balance_result *result);
/* balance_cancelled takes a request back that says nothing about the peer: our own client left, the
 * other of two answers sufficed. */
void balance_cancelled(struct balance *balance, uint64_t id8);
/* balance_heard learns a load that came on a PING or ACK. Strangers are ignored. */
void balance_heard(struct balance *balance, instant now, uint64_t id8, uint32_t load);
/* balance_forget drops the record of a peer that died or left. */
void balance_forget(struct balance *balance, uint64_t id8);

/* balance_rank writes the indices 0 to count - 1 of `id8s` to `order`, the best first. Peers that
 * are ejected come last, unless more than half of all are: then health says more about us than
 * about them and is ignored (B8). Among the others the cold come before the hot (more than
 * BALANCE_HOT_ABOVE requests in flight); the cold by latency, the hot by requests in flight; ties
 * by requests in flight, then id8. A peer without record is cold and has no latency: it is tried.
 */
void balance_rank(const struct balance *balance, instant now, const uint64_t *id8s, uint8_t count,
                  uint8_t *order);
/* balance_is_ejected tells whether the peer is to be left alone at `now`. Once its time is over it
 * is not ejected while no request to it is in flight: that request is its trial. */
bool balance_is_ejected(const struct balance *balance, instant now, uint64_t id8);
/* balance_in_flight counts our own requests to the peer that have not ended. */
uint32_t balance_in_flight(const struct balance *balance, uint64_t id8);

#endif
