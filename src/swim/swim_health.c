/* swim_health.c: local health (Lifeguard section IV-A). Who misses answers that should have come
 * doubts itself first: it probes less often and waits longer, so that a starved peer accuses
 * nobody. Both the period and the timeout grow; memberlist lets only the period grow. */
#include "swim_private.h"

void swim_health_worse(struct swim *swim, unsigned by)
{
    swim->health += by;
    if (swim->health > SWIM_HEALTH_MAX)
        swim->health = SWIM_HEALTH_MAX;
}

void swim_health_better(struct swim *swim)
{
    if (swim->health > 0)
        swim->health--;
}

uint64_t swim_scaled(const struct swim *swim, uint64_t us)
{
    return us * (swim->health + 1);
}

unsigned swim_health(const struct swim *swim)
{
    return swim->health;
}
