/* check_siblings.c: several writers per key, with and without contexts, and deletes.
 *
 * Writes form a DAG: the parents of a write are the values in the read whose context it carried.
 * What a write surely covers must be gone from every read that begins after the write ended, and
 * from the final reads also when its end is unknown but its value was seen. No path has to be
 * followed for that: each link of the DAG kills on its own, wherever the covering write is held.
 *
 *     put a ──> read {a} ──> put b with that context         a is dead once b is acknowledged
 *                      └───> delete with it                  or seen; b and c are siblings
 *     put c (other client)
 *
 * Lost is the opposite question: an acknowledged put must be in the final reads, or there must be a
 * path of writes that *may* each cover the one before, ending in a final value or a delete. Here
 * values are compared without their tags, and a write without context may cover everything that
 * was invoked before it ended. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A write that carried the context of a read that showed this item. */
struct cover {
    struct history_item item;
    uint32_t by;
};

struct siblings {
    const struct history *history;
    const uint32_t *puts;
    const struct history_key *key;
    struct check_siblings *found;
    uint64_t *seen_until; /* by index of a PUT: the latest end of a read of its value; 0: none */
    bool *is_settled;     /* by index of a PUT: in a final read, or maybe covered */
    struct cover *covers; /* sorted by item */
    uint32_t cover_count, cover_room;
    struct check_ended deletes; /* acknowledged ones without context */
    uint32_t *queue;            /* writes that took effect, for all we know */
    uint32_t queue_count;
};

static bool siblings_is_read(const struct history_op *op)
{
    return op->function == HISTORY_GET && op->outcome == HISTORY_OK;
}

static bool siblings_is_write(const struct history_op *op)
{
    return op->function != HISTORY_GET && op->outcome != HISTORY_FAIL;
}

static const struct history_op *siblings_at(const struct siblings *siblings, uint32_t i)
{
    return &siblings->history->ops[siblings->key->ops[i]];
}

static const char *siblings_text(const struct siblings *siblings, uint32_t text)
{
    return siblings->history->texts[text];
}

/* --- what was seen, and what covers what */

static void siblings_see(struct siblings *siblings, const struct history_op *read)
{
    const struct history *history = siblings->history;

    for (uint32_t i = 0; i < read->item_count; i++) {
        struct history_item item = history->items[read->first + i];
        uint32_t put = siblings->puts[item.value];

        if (check_is_phantom(history, siblings->puts, read, item.value)) {
            siblings->found->phantom++;
            check_note(&siblings->found->notes, "siblings: key %s: \"%s\" was not written",
                       siblings_text(siblings, read->key), siblings_text(siblings, item.value));
            continue;
        }
        if (siblings->seen_until[put] < read->returned)
            siblings->seen_until[put] = read->returned;
        siblings->found->repeats += history->ops[put].etag && history->ops[put].etag != item.etag;
    }
}

static void siblings_cover(struct siblings *siblings, uint32_t by)
{
    const struct history *history = siblings->history;
    const struct history_op *read = &history->ops[history->ops[by].context];

    for (uint32_t i = 0; i < read->item_count; i++) {
        if (siblings->cover_count == siblings->cover_room) {
            siblings->cover_room = siblings->cover_room ? siblings->cover_room * 2 : 64;
            siblings->covers =
                history_room(siblings->covers, siblings->cover_room, sizeof(struct cover));
        }
        siblings->covers[siblings->cover_count++] =
            (struct cover){history->items[read->first + i], by};
    }
}

static int siblings_item_order(const struct history_item *a, const struct history_item *b)
{
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return a->etag < b->etag ? -1 : a->etag > b->etag;
}

static int siblings_cover_order(const void *left, const void *right)
{
    const struct cover *a = left, *b = right;

    return siblings_item_order(&a->item, &b->item);
}

/* The first cover of an item, or of the next item. */
static uint32_t siblings_covers_of(const struct siblings *siblings, const struct history_item *item)
{
    uint32_t low = 0, high = siblings->cover_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (siblings_item_order(&siblings->covers[middle].item, item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- resurrected, ordered */

static void siblings_resurrected(struct siblings *siblings, const struct history_op *read,
                                 const struct history_item *item, const char *by)
{
    siblings->found->resurrected++;
    check_note(&siblings->found->notes,
               "siblings: key %s: \"%s\" (%s) is shown at %.6f s at peer %u%s, covered by %s",
               siblings_text(siblings, read->key), siblings_text(siblings, item->value),
               siblings_text(siblings, item->etag), (double)read->invoked / 1e9, read->peer,
               read->is_final ? " at the end" : "", by);
}

/* An acknowledged value, and a DELETE without context that began after that and had ended. */
static bool siblings_is_deleted(const struct siblings *siblings, const struct history_op *read,
                                const struct history_item *item)
{
    const struct history_op *put = &siblings->history->ops[siblings->puts[item->value]];

    return put->outcome == HISTORY_OK && put->etag == item->etag &&
           check_ended_before(&siblings->deletes, read->invoked) > put->returned;
}

static bool siblings_has_ended(const struct siblings *siblings, const struct history_op *read,
                               uint32_t by)
{
    const struct history_op *write = &siblings->history->ops[by];

    if (write->outcome == HISTORY_OK && write->returned < read->invoked)
        return true;
    return read->is_final && write->function == HISTORY_PUT && siblings->seen_until[by] > 0;
}

static void siblings_judge_item(struct siblings *siblings, const struct history_op *read,
                                const struct history_item *item)
{
    const struct history *history = siblings->history;

    if (siblings_is_deleted(siblings, read, item)) {
        siblings_resurrected(siblings, read, item, "a delete that read first");
        return;
    }
    for (uint32_t i = siblings_covers_of(siblings, item);
         i < siblings->cover_count && siblings_item_order(&siblings->covers[i].item, item) == 0;
         i++) {
        uint32_t by = siblings->covers[i].by;
        const struct history_op *write = &history->ops[by];
        bool is_put = write->function == HISTORY_PUT;

        if (siblings_has_ended(siblings, read, by)) {
            siblings_resurrected(siblings, read, item,
                                 is_put ? siblings_text(siblings, write->value) : "a delete");
            return;
        }
        if (is_put && history_shows(history, read, write->value)) {
            siblings->found->ordered++;
            check_note(&siblings->found->notes,
                       "siblings: key %s: the read at %.6f s at peer %u shows \"%s\" and \"%s\", "
                       "which covers it",
                       siblings_text(siblings, read->key), (double)read->invoked / 1e9, read->peer,
                       siblings_text(siblings, item->value), siblings_text(siblings, write->value));
            return;
        }
    }
}

static void siblings_judge_reads(struct siblings *siblings)
{
    for (uint32_t i = 0; i < siblings->key->count; i++) {
        const struct history_op *op = siblings_at(siblings, i);

        for (uint32_t j = 0; siblings_is_read(op) && j < op->item_count; j++)
            if (siblings->puts[siblings->history->items[op->first + j].value] != HISTORY_NONE)
                siblings_judge_item(siblings, op, &siblings->history->items[op->first + j]);
    }
}

/* --- diverged */

static bool siblings_are_alike(const struct siblings *siblings, const struct history_op *a,
                               const struct history_op *b)
{
    bool is_alike = a->item_count == b->item_count;

    for (uint32_t i = 0; is_alike && i < a->item_count; i++)
        is_alike =
            history_shows(siblings->history, b, siblings->history->items[a->first + i].value);
    return is_alike;
}

static bool siblings_judge_final(struct siblings *siblings)
{
    const struct history_op *first = NULL;

    for (uint32_t i = 0; i < siblings->key->count; i++) {
        const struct history_op *op = siblings_at(siblings, i);

        if (!siblings_is_read(op) || !op->is_final)
            continue;
        siblings->found->final_reads++;
        if (first && !siblings_are_alike(siblings, first, op)) {
            siblings->found->diverged++;
            check_note(&siblings->found->notes,
                       "siblings: key %s: peer %u shows %u values at the end, peer %u %u",
                       siblings_text(siblings, op->key), first->peer, first->item_count, op->peer,
                       op->item_count);
            return true;
        }
        first = first ? first : op;
    }
    return first != NULL;
}

/* --- lost */

static void siblings_settle(struct siblings *siblings, uint32_t write)
{
    if (siblings->is_settled[write] || !siblings_is_write(&siblings->history->ops[write]))
        return;
    siblings->is_settled[write] = true;
    siblings->queue[siblings->queue_count++] = write;
}

/* Puts in final reads and deletes: from here the paths go backwards. */
static void siblings_settle_roots(struct siblings *siblings)
{
    const struct history *history = siblings->history;

    siblings->queue_count = 0;
    for (uint32_t i = 0; i < siblings->key->count; i++)
        siblings->is_settled[siblings->key->ops[i]] = false;
    for (uint32_t i = 0; i < siblings->key->count; i++) {
        const struct history_op *op = siblings_at(siblings, i);

        if (op->function == HISTORY_DELETE && siblings_is_write(op))
            siblings_settle(siblings, siblings->key->ops[i]);
        for (uint32_t j = 0; siblings_is_read(op) && op->is_final && j < op->item_count; j++)
            if (!check_is_phantom(history, siblings->puts, op, history->items[op->first + j].value))
                siblings_settle(siblings, siblings->puts[history->items[op->first + j].value]);
    }
}

/* Until when a write without context may have covered what its coordinator held. Carried out twice,
 * the later one (`is_late`) must have shown itself, or have been covered by another that covers the
 * same; a delete never shows itself. */
static uint64_t siblings_reach(const struct siblings *siblings, uint32_t write, bool is_late)
{
    const struct history_op *op = &siblings->history->ops[write];
    uint64_t seen_until = siblings->seen_until[write];

    if (op->function == HISTORY_DELETE)
        return is_late ? HISTORY_NEVER : op->returned;
    if (op->outcome != HISTORY_OK)
        return seen_until;
    return is_late && seen_until > op->returned ? seen_until : op->returned;
}

/* Follows all paths. */
static void siblings_settle_all(struct siblings *siblings, bool is_late)
{
    const struct history *history = siblings->history;
    uint32_t next = 0; /* everything earlier in the key was invoked early enough */

    siblings_settle_roots(siblings);
    for (uint32_t at = 0; at < siblings->queue_count; at++) {
        const struct history_op *write = &history->ops[siblings->queue[at]];
        uint64_t end = siblings_reach(siblings, siblings->queue[at], is_late);

        if (write->context == HISTORY_NONE) {
            for (; next < siblings->key->count && siblings_at(siblings, next)->invoked < end;
                 next++)
                if (siblings_at(siblings, next)->function == HISTORY_PUT)
                    siblings_settle(siblings, siblings->key->ops[next]);
            continue;
        }
        const struct history_op *read = &history->ops[write->context];

        for (uint32_t i = 0; i < read->item_count; i++) {
            uint32_t put = siblings->puts[history->items[read->first + i].value];

            if (put != HISTORY_NONE && history->ops[put].key == read->key)
                siblings_settle(siblings, put);
        }
    }
}

static uint32_t siblings_count_lost(struct siblings *siblings, bool is_late)
{
    uint32_t lost = 0;

    siblings_settle_all(siblings, is_late);
    for (uint32_t i = 0; i < siblings->key->count; i++) {
        const struct history_op *op = siblings_at(siblings, i);

        if (op->function != HISTORY_PUT || op->outcome != HISTORY_OK ||
            siblings->is_settled[siblings->key->ops[i]])
            continue;
        lost++;
        if (is_late)
            check_note(&siblings->found->notes,
                       "siblings: key %s: \"%s\", acknowledged at %.6f s by peer %u, is lost",
                       siblings_text(siblings, op->key), siblings_text(siblings, op->value),
                       (double)op->returned / 1e9, op->peer);
    }
    return lost;
}

/* --- */

static void siblings_collect(struct siblings *siblings)
{
    check_ended_make(&siblings->deletes, siblings->key->count);
    siblings->cover_count = 0;
    for (uint32_t i = 0; i < siblings->key->count; i++) {
        const struct history_op *op = siblings_at(siblings, i);

        siblings->found->puts += op->function == HISTORY_PUT;
        siblings->found->deletes += op->function == HISTORY_DELETE;
        siblings->found->reads += siblings_is_read(op);
        if (siblings_is_read(op))
            siblings_see(siblings, op);
        if (siblings_is_write(op) && op->context != HISTORY_NONE)
            siblings_cover(siblings, siblings->key->ops[i]);
        else if (op->function == HISTORY_DELETE && op->outcome == HISTORY_OK)
            check_ended_add(&siblings->deletes, op);
    }
    check_ended_sort(&siblings->deletes);
    if (siblings->cover_count)
        qsort(siblings->covers, siblings->cover_count, sizeof *siblings->covers,
              siblings_cover_order);
}

void check_siblings(const struct history *history, const char *prefix, struct check_siblings *found)
{
    struct history_keys keys = history_keys_make(history, prefix);
    uint32_t *puts = check_puts(history);
    struct siblings siblings = {.history = history, .puts = puts, .found = found};

    memset(found, 0, sizeof *found);
    siblings.seen_until = history_room(NULL, history->count, sizeof(uint64_t));
    siblings.is_settled = history_room(NULL, history->count, sizeof(bool));
    siblings.queue = history_room(NULL, history->count, sizeof *siblings.queue);
    memset(siblings.seen_until, 0, history->count * sizeof(uint64_t));
    memset(siblings.is_settled, 0, history->count * sizeof(bool));
    for (uint32_t i = 0; i < keys.count; i++) {
        siblings.key = &keys.keys[i];
        siblings_collect(&siblings);
        siblings_judge_reads(&siblings);
        if (siblings_judge_final(&siblings)) {
            uint32_t lost = siblings_count_lost(&siblings, true);

            found->lost += lost;
            found->overtaken += siblings_count_lost(&siblings, false) - lost;
        }
        check_ended_free(&siblings.deletes);
    }
    found->keys = keys.count;
    free(siblings.seen_until);
    free(siblings.is_settled);
    free(siblings.queue);
    free(siblings.covers);
    free(puts);
    history_keys_free(&keys);
}

bool check_siblings_is_good(const struct check_siblings *found)
{
    return !found->phantom && !found->lost && !found->resurrected && !found->ordered &&
           !found->diverged;
}
