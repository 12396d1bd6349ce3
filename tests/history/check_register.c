/* check_register.c: a regular register with one writer per key (Lamport, "On interprocess
 * communication", 1986): a read shows the last write that had ended before it began, or one that
 * was under way. Writes sorted by their end, the latest beginning of each prefix beside them: one
 * binary search per read. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void register_judge(const struct history *history, const uint32_t *puts,
                           const struct check_ended *ended, const struct history_op *read,
                           struct check_register *found)
{
    uint32_t newest = check_newest(history, puts, read);
    uint64_t needed = check_ended_before(ended, read->invoked);
    uint64_t end = newest == HISTORY_NONE ? 0 : history->ops[newest].returned;

    for (uint32_t i = 0; i < read->item_count; i++) {
        uint32_t value = history->items[read->first + i].value;

        if (!check_is_phantom(history, puts, read, value))
            continue;
        found->phantom++;
        check_note(&found->notes, "register: key %s: a read shows \"%s\", which was not written",
                   history->texts[read->key], history->texts[value]);
    }
    if (needed <= end)
        return;
    found->old++;
    check_note(&found->notes,
               "register: key %s: the read at %.6f s at peer %u shows \"%s\"; a later write, begun "
               "at %.6f s, had ended",
               history->texts[read->key], (double)read->invoked / 1e9, read->peer,
               newest == HISTORY_NONE ? "" : history->texts[history->ops[newest].value],
               (double)needed / 1e9);
}

static void register_check_key(const struct history *history, const uint32_t *puts,
                               const struct history_key *key, struct check_register *found)
{
    struct check_ended ended;

    check_ended_make(&ended, key->count);
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function == HISTORY_PUT && op->outcome == HISTORY_OK)
            check_ended_add(&ended, op);
        found->writes += op->function == HISTORY_PUT && op->outcome != HISTORY_FAIL;
    }
    check_ended_sort(&ended);
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function != HISTORY_GET || op->outcome != HISTORY_OK)
            continue;
        found->reads++;
        register_judge(history, puts, &ended, op, found);
    }
    check_ended_free(&ended);
}

void check_register(const struct history *history, const char *prefix, struct check_register *found)
{
    struct history_keys keys = history_keys_make(history, prefix);
    uint32_t *puts = check_puts(history);

    memset(found, 0, sizeof *found);
    for (uint32_t i = 0; i < keys.count; i++)
        register_check_key(history, puts, &keys.keys[i], found);
    free(puts);
    history_keys_free(&keys);
}

bool check_register_is_good(const struct check_register *found)
{
    return !found->phantom && !found->old;
}
