/* check_set.c: a grow-only set of keys, each written once. An element is known from the earlier of
 * its acknowledgement and the end of the first read that showed it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct set_key {
    const struct history *history;
    const struct history_key *key;
    const uint32_t *puts;
    struct check_set *found;
    const struct history_op *put; /* NULL: nobody wrote it */
    uint64_t acknowledged, known; /* HISTORY_NEVER: not at all */
    uint64_t last_seen;           /* the latest invocation of a read that showed it */
};

static bool set_is_read(const struct history_op *op)
{
    return op->function == HISTORY_GET && op->outcome == HISTORY_OK;
}

/* Checks what a read shows. */
static void set_look(struct set_key *set, const struct history_op *read)
{
    const struct history *history = set->history;

    for (uint32_t i = 0; i < read->item_count; i++) {
        uint32_t value = history->items[read->first + i].value;

        if (!check_is_phantom(history, set->puts, read, value))
            continue;
        set->found->phantom++;
        check_note(&set->found->notes, "set: key %s: a read shows \"%s\", which was not written",
                   history->texts[read->key], history->texts[value]);
    }
    if (read->item_count > 1) {
        set->found->surplus++;
        check_note(&set->found->notes, "set: key %s: a read shows %u values",
                   history->texts[read->key], read->item_count);
    }
    if (!set->put || !history_shows(history, read, set->put->value))
        return;
    if (read->returned < set->known)
        set->known = read->returned;
    if (read->invoked > set->last_seen)
        set->last_seen = read->invoked;
}

/* Judges one read that does not show a known element; true when the element is lost. */
static bool set_miss(struct set_key *set, const struct history_op *read)
{
    const char *name = set->history->texts[read->key];

    if (read->invoked > set->last_seen) {
        set->found->lost++;
        check_note(&set->found->notes,
                   "set: key %s (%s) is lost: missing at peer %u from %.3f s on", name,
                   set->acknowledged == HISTORY_NEVER ? "read before" : "acknowledged", read->peer,
                   (double)read->invoked / 1e9);
        return true;
    }
    if (read->invoked <= set->acknowledged) {
        set->found->flicker++;
        return false;
    }
    set->found->stale++;
    check_note(
        &set->found->notes,
        "set: key %s, acknowledged at %.3f s, is missing at %.3f s at peer %u and back later", name,
        (double)set->acknowledged / 1e9, (double)read->invoked / 1e9, read->peer);
    return false;
}

static void set_check_key(struct set_key *set)
{
    for (uint32_t i = 0; i < set->key->count; i++) {
        const struct history_op *op = &set->history->ops[set->key->ops[i]];

        if (op->function == HISTORY_PUT && !set->put)
            set->put = op;
    }
    if (set->put && set->put->outcome == HISTORY_OK) {
        set->found->acknowledged++;
        set->acknowledged = set->known = set->put->returned;
    }
    set->found->elements += set->put != NULL;
    for (uint32_t i = 0; i < set->key->count; i++) {
        const struct history_op *op = &set->history->ops[set->key->ops[i]];

        set->found->reads += set_is_read(op);
        if (set_is_read(op))
            set_look(set, op);
    }
    for (uint32_t i = 0; set->put && i < set->key->count; i++) {
        const struct history_op *op = &set->history->ops[set->key->ops[i]];

        if (set_is_read(op) && op->invoked > set->known &&
            !history_shows(set->history, op, set->put->value) && set_miss(set, op))
            return;
    }
}

void check_set(const struct history *history, const char *prefix, struct check_set *found)
{
    struct history_keys keys = history_keys_make(history, prefix);
    uint32_t *puts = check_puts(history);

    memset(found, 0, sizeof *found);
    for (uint32_t i = 0; i < keys.count; i++) {
        struct set_key set = {.history = history,
                              .key = &keys.keys[i],
                              .puts = puts,
                              .found = found,
                              .acknowledged = HISTORY_NEVER,
                              .known = HISTORY_NEVER};

        set_check_key(&set);
    }
    free(puts);
    history_keys_free(&keys);
}

bool check_set_is_good(const struct check_set *found)
{
    return !found->lost && !found->stale && !found->phantom && !found->surplus;
}
