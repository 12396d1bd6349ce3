#include "brute.h"

/* What a read shows; at most one value. */
static uint32_t brute_shown(const struct history *history, const struct history_op *read)
{
    return read->item_count ? history->items[read->first].value : 0;
}

/* Nothing outside `done` has to come before `op`. */
static bool brute_may_be_next(const struct history *history, unsigned done, uint32_t next)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (!(done >> i & 1) && history->ops[i].returned < history->ops[next].invoked)
            return false;
    return true;
}

static bool brute_search(const struct history *history, unsigned done, uint32_t value)
{
    bool is_complete = true;

    for (uint32_t i = 0; i < history->count; i++)
        is_complete = is_complete && (done >> i & 1 || history->ops[i].outcome != HISTORY_OK);
    if (is_complete)
        return true;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_op *op = &history->ops[i];
        bool is_put = op->function == HISTORY_PUT;

        if (done >> i & 1 || !brute_may_be_next(history, done, i))
            continue;
        if (!is_put && brute_shown(history, op) != value)
            continue;
        if (brute_search(history, done | 1u << i, is_put ? op->value : value))
            return true;
    }
    return false;
}

bool brute_is_atomic(const struct history *history)
{
    return brute_search(history, 0, 0);
}

/* A value may be read unless its write comes later, or another write lies wholly between. */
static bool brute_may_show(const struct history *history, const struct history_op *read)
{
    uint32_t value = brute_shown(history, read);
    uint64_t written = 0;
    bool is_written = value == 0;

    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_op *op = &history->ops[i];

        if (op->function != HISTORY_PUT || op->value != value)
            continue;
        is_written = op->invoked < read->returned;
        written = op->returned;
    }
    for (uint32_t i = 0; i < history->count && is_written; i++) {
        const struct history_op *op = &history->ops[i];

        if (op->function == HISTORY_PUT && op->invoked > written && op->returned < read->invoked)
            return false;
    }
    return is_written;
}

bool brute_is_regular(const struct history *history)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].function == HISTORY_GET && !brute_may_show(history, &history->ops[i]))
            return false;
    return true;
}

/* One key, one put: a read without the value must not begin after the acknowledgement; nor may one
 * be the last word after another read has shown it. */
bool brute_is_set(const struct history *history)
{
    const struct history_op *put = NULL;

    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].function == HISTORY_PUT)
            put = &history->ops[i];
    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_op *read = &history->ops[i];
        bool is_known = put && put->outcome == HISTORY_OK && put->returned < read->invoked;
        bool is_back = false;

        if (read->function != HISTORY_GET)
            continue;
        if (read->item_count) {
            if (!put || brute_shown(history, read) != put->value || put->invoked > read->returned)
                return false;
            continue;
        }
        if (is_known)
            return false;
        for (uint32_t j = 0; j < history->count; j++) {
            const struct history_op *other = &history->ops[j];

            if (other->function != HISTORY_GET || other->item_count == 0)
                continue;
            is_known = is_known || other->returned < read->invoked;
            is_back = is_back || other->invoked > read->invoked;
        }
        if (is_known && !is_back)
            return false;
    }
    return true;
}
