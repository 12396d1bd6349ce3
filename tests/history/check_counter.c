/* check_counter.c: a counter that everybody increments. No order of increments needs to be found:
 * a sum that lies between two bounds is right.
 *
 *             certain before the read           possible before its end
 *   least   = sum of positive deltas there  +  sum of negative deltas there
 *   most    = sum of negative deltas there  +  sum of positive deltas there
 *
 * Certain: acknowledged before the read was invoked. Possible: invoked before it returned, and not
 * refused. Four lists sorted by time with prefix sums make that two searches per bound. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* Deltas by the time at which they begin to matter. */
struct ledger {
    struct ledger_line {
        uint64_t at;
        int64_t sum; /* the delta; after sorting, of this line and all before */
    } * lines;
    uint32_t count;
};

static int ledger_order(const void *left, const void *right)
{
    const struct ledger_line *a = left, *b = right;

    return a->at < b->at ? -1 : a->at > b->at;
}

static void ledger_sort(struct ledger *ledger)
{
    if (ledger->count)
        qsort(ledger->lines, ledger->count, sizeof *ledger->lines, ledger_order);
    for (uint32_t i = 1; i < ledger->count; i++)
        ledger->lines[i].sum += ledger->lines[i - 1].sum;
}

/* The sum of all deltas before `t`. */
static int64_t ledger_before(const struct ledger *ledger, uint64_t t)
{
    uint32_t low = 0, high = ledger->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ledger->lines[middle].at < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? ledger->lines[low - 1].sum : 0;
}

enum { CERTAIN_UP, CERTAIN_DOWN, POSSIBLE_UP, POSSIBLE_DOWN, LEDGERS };

struct counter_key {
    const struct history *history;
    struct check_counter *found;
    struct ledger ledgers[LEDGERS];
    const struct history_op *final; /* the first read of the end */
};

static void counter_enter(struct counter_key *counter, unsigned which, uint64_t at, int64_t delta)
{
    struct ledger *ledger = &counter->ledgers[which];

    ledger->lines[ledger->count++] = (struct ledger_line){at, delta};
}

static void counter_add(struct counter_key *counter, const struct history_op *op)
{
    int64_t delta = strtoll(counter->history->texts[op->value], NULL, 10);

    counter->found->adds++;
    if (op->outcome == HISTORY_FAIL)
        return;
    counter_enter(counter, delta > 0 ? POSSIBLE_UP : POSSIBLE_DOWN, op->invoked, delta);
    if (op->outcome == HISTORY_OK)
        counter_enter(counter, delta > 0 ? CERTAIN_UP : CERTAIN_DOWN, op->returned, delta);
}

static int64_t counter_shown(const struct history *history, const struct history_op *read)
{
    return read->item_count ? strtoll(history->texts[history->items[read->first].value], NULL, 10)
                            : 0;
}

static void counter_judge(struct counter_key *counter, const struct history_op *read)
{
    const struct ledger *ledgers = counter->ledgers;
    int64_t least = ledger_before(&ledgers[CERTAIN_UP], read->invoked) +
                    ledger_before(&ledgers[POSSIBLE_DOWN], read->returned);
    int64_t most = ledger_before(&ledgers[CERTAIN_DOWN], read->invoked) +
                   ledger_before(&ledgers[POSSIBLE_UP], read->returned);
    int64_t shown = counter_shown(counter->history, read);
    const char *name = counter->history->texts[read->key];

    counter->found->below += shown < least;
    counter->found->above += shown > most;
    if (shown < least || shown > most)
        check_note(&counter->found->notes,
                   "counter: key %s: the read at %.6f s at peer %u shows %lld, not %lld to %lld",
                   name, (double)read->invoked / 1e9, read->peer, (long long)shown,
                   (long long)least, (long long)most);
    if (!read->is_final)
        return;
    counter->found->final_reads++;
    if (!counter->final)
        counter->final = read;
    if (counter_shown(counter->history, counter->final) == shown)
        return;
    counter->found->diverged++;
    check_note(&counter->found->notes, "counter: key %s is %lld at peer %u and %lld at peer %u",
               name, (long long)counter_shown(counter->history, counter->final),
               counter->final->peer, (long long)shown, read->peer);
}

static void counter_check_key(const struct history *history, const struct history_key *key,
                              struct check_counter *found)
{
    struct counter_key counter = {.history = history, .found = found};

    for (unsigned i = 0; i < LEDGERS; i++)
        counter.ledgers[i].lines = history_room(NULL, key->count, sizeof(struct ledger_line));
    for (uint32_t i = 0; i < key->count; i++)
        if (history->ops[key->ops[i]].function == HISTORY_PUT)
            counter_add(&counter, &history->ops[key->ops[i]]);
    for (unsigned i = 0; i < LEDGERS; i++)
        ledger_sort(&counter.ledgers[i]);
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function != HISTORY_GET || op->outcome != HISTORY_OK)
            continue;
        found->reads++;
        counter_judge(&counter, op);
    }
    for (unsigned i = 0; i < LEDGERS; i++)
        free(counter.ledgers[i].lines);
}

void check_counter(const struct history *history, const char *prefix, struct check_counter *found)
{
    struct history_keys keys = history_keys_make(history, prefix);

    memset(found, 0, sizeof *found);
    for (uint32_t i = 0; i < keys.count; i++)
        counter_check_key(history, &keys.keys[i], found);
    history_keys_free(&keys);
}

bool check_counter_is_good(const struct check_counter *found)
{
    return !found->below && !found->above && !found->diverged;
}
