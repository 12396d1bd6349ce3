/* check_zones.c: is a register atomic? Per value take its write and the reads of it: f is the
 * earliest end, s the latest beginning among them.
 *
 *   forward, f < s:   |--write--|            the value has to be there all the time from f to s
 *                          f====s|--read--|
 *   backward, s < f:  |-----write-----|      there is a point between s and f, any point will do
 *                        s|--read--|f
 *
 * All values fit into one order exactly if no two forward zones overlap and no backward zone lies
 * inside a forward one (Gibbons and Korach 1997, theorem 4.2). Sorting makes it O(n log n). Nothing
 * at all is the value that was written before time began. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct zone {
    uint64_t low, high; /* f and s in order */
    uint32_t value;
    bool is_forward;
};

struct zones_key {
    const struct history *history;
    const uint32_t *puts;
    struct check_zones *found;
    struct zone *zones;
    uint32_t *zone_of; /* by index of the PUT; HISTORY_NONE: no zone yet */
    uint32_t count;
};

/* The zone of a write, made when it is first needed. */
static struct zone *zones_of(struct zones_key *zones, uint32_t put)
{
    const struct history_op *op = &zones->history->ops[put];

    if (zones->zone_of[put] == HISTORY_NONE) {
        zones->zone_of[put] = zones->count;
        zones->zones[zones->count++] = (struct zone){op->returned, op->invoked, op->value, false};
    }
    return &zones->zones[zones->zone_of[put]];
}

/* While a zone is filled, low is f and high is s. */
static void zones_read(struct zones_key *zones, const struct history_op *read)
{
    uint32_t put = check_newest(zones->history, zones->puts, read);
    struct zone *zone = put == HISTORY_NONE ? &zones->zones[0] : zones_of(zones, put);

    if ((put == HISTORY_NONE && read->item_count) ||
        (put != HISTORY_NONE && check_is_phantom(zones->history, zones->puts, read, zone->value))) {
        zones->found->phantom++;
        check_note(&zones->found->notes, "zones: key %s: a read shows what was not written",
                   zones->history->texts[read->key]);
        return;
    }
    if (read->returned < zone->low)
        zone->low = read->returned;
    if (read->invoked > zone->high)
        zone->high = read->invoked;
}

static int zones_order(const void *left, const void *right)
{
    const struct zone *a = left, *b = right;

    if (a->is_forward != b->is_forward)
        return a->is_forward ? -1 : 1;
    return a->low < b->low ? -1 : a->low > b->low;
}

static void zones_complain(struct zones_key *zones, uint32_t *count, const struct zone *zone,
                           const struct zone *other)
{
    ++*count;
    check_note(&zones->found->notes, "zones: \"%s\" and \"%s\" have no order",
               zones->history->texts[zone->value], zones->history->texts[other->value]);
}

/* The last of `count` forward zones that begins before t; NULL if none does. */
static const struct zone *zones_before(const struct zone *zones, uint32_t count, uint64_t t)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (zones[middle].low < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &zones[low - 1] : NULL;
}

static void zones_judge(struct zones_key *zones)
{
    uint32_t forward = 0, widest = 0;

    for (uint32_t i = 0; i < zones->count; i++) {
        struct zone *zone = &zones->zones[i];
        uint64_t f = zone->low, s = zone->high;

        zone->is_forward = f < s;
        zone->low = f < s ? f : s;
        zone->high = f < s ? s : f;
        forward += zone->is_forward;
    }
    qsort(zones->zones, zones->count, sizeof *zones->zones, zones_order);
    for (uint32_t i = 1; i < forward; i++) {
        if (zones->zones[i].low < zones->zones[widest].high)
            zones_complain(zones, &zones->found->overlaps, &zones->zones[i], &zones->zones[widest]);
        if (zones->zones[i].high > zones->zones[widest].high)
            widest = i;
    }
    for (uint32_t i = forward; i < zones->count; i++) {
        const struct zone *around = zones_before(zones->zones, forward, zones->zones[i].low);

        if (around && zones->zones[i].high < around->high)
            zones_complain(zones, &zones->found->inside, &zones->zones[i], around);
    }
    zones->found->zones += zones->count;
}

static void zones_check_key(struct zones_key *zones, const struct history_key *key)
{
    const struct history *history = zones->history;

    zones->zones[0] = (struct zone){0, 0, 0, false};
    zones->count = 1;
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        /* A write nobody knows the end of counts only once it is read. */
        if (op->function == HISTORY_PUT && op->outcome == HISTORY_OK)
            (void)zones_of(zones, key->ops[i]);
        if (op->function == HISTORY_GET && op->outcome == HISTORY_OK)
            zones_read(zones, op);
    }
    zones->found->keys++;
    zones_judge(zones);
}

void check_zones(const struct history *history, const char *prefix, struct check_zones *found)
{
    struct history_keys keys = history_keys_make(history, prefix);
    uint32_t *puts = check_puts(history);
    struct zones_key zones = {.history = history, .puts = puts, .found = found};

    memset(found, 0, sizeof *found);
    zones.zones = history_room(NULL, (size_t)history->count + 1, sizeof *zones.zones);
    zones.zone_of = history_room(NULL, history->count, sizeof *zones.zone_of);
    memset(zones.zone_of, 0xff, history->count * sizeof *zones.zone_of);
    for (uint32_t i = 0; i < keys.count; i++)
        zones_check_key(&zones, &keys.keys[i]);
    free(zones.zones);
    free(zones.zone_of);
    free(puts);
    history_keys_free(&keys);
}

bool check_zones_is_good(const struct check_zones *found)
{
    return !found->phantom && !found->overlaps && !found->inside;
}
