/* node_late.c: how late is what a link brings? Every record tells when it left, by the sender's
 * clock. The distance of the two clocks is not known, but the least of what was seen is near it;
 * what a record took above that it was late: on the way, in a buffer, or because this very process
 * stood still. The first record answers words of ours, so it left after those had come: with that
 * as the first "least" even it cannot be late unseen.
 *
 * A least holds for one to two stretches of WINDOW, and for RECORDS records each: clocks that were
 * set, or a machine that slept, are forgotten soon, and a pause of ours however long takes away
 * nothing, for it brings no record. */
#include "node_late.h"

#define WINDOW_US INSTANT_S(10)
#define RECORDS 8u

/* The distance can have grown so far since. */
static uint64_t late_now(const struct node_late *late, const struct node_least *least, instant now)
{
    return least->gap + (now - least->at) * late->drift / 1000u;
}

void node_late_heard(struct node_late *late, instant now, uint64_t sent)
{
    struct node_least seen = {.gap = now - sent, .at = now};
    uint64_t least, before;
    int64_t above;

    if (!late->is_known) {
        late->is_known = true;
        late->turned = now;
        late->least[0] = late->least[1] = (struct node_least){late->asked - sent, late->asked};
    }
    if (++late->records > RECORDS && now - late->turned >= WINDOW_US) {
        late->least[1] = late->least[0];
        late->least[0] = seen;
        late->turned = now;
        late->records = 0;
    }
    least = late_now(late, &late->least[0], now);
    before = late_now(late, &late->least[1], now);
    if ((int64_t)(seen.gap - least) <= 0)
        late->least[0] = seen;
    if ((int64_t)(before - least) < 0)
        least = before;
    above = (int64_t)(seen.gap - least);
    late->there = sent + (above > 0 ? (uint64_t)above : 0);
}

uint32_t node_late_spell(instant deadline)
{
    uint32_t ms = (uint32_t)(deadline / 1000u);

    return ms ? ms : 1;
}

int32_t node_late_left(const struct node_late *late, uint32_t deadline_ms)
{
    return (int32_t)(deadline_ms - (uint32_t)((late->there + 999u) / 1000u));
}
