/* check_orset.c: membership of elements in an add-wins set. One element is one key of the history:
 * a PUT adds it, a DELETE removes it, a read shows something or nothing.
 *
 * A remove *surely* takes an add that was acknowledged before the read it goes by was invoked: that
 * read saw it (strict quorums). It *may* take one that was invoked before that read returned. A
 * remove without a context goes by a read of its own, between its call and its end.
 *
 *   must be there:  some acknowledged add, ended before the read, may be taken by no remove
 *   must be gone:   every add invoked before the read's end is surely taken by one that had ended
 *
 * An add that an edge sent twice may be carried out again long after (decision 0005); who records
 * a history adds a second one of unknown outcome when the route names a peer that failed. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* When an add can be gone, and when it must be. */
struct orset_add {
    const struct history_op *op;
    uint64_t may_go, must_go; /* HISTORY_NEVER: no remove may, or surely does, take it */
};

struct orset_key {
    const struct history *history;
    struct check_orset *found;
    struct orset_add *adds;
    uint32_t add_count;
    const struct history_op *final;
};

static void orset_remove(struct orset_key *set, const struct history_op *op)
{
    const struct history_op *seen = op;

    if (op->context != HISTORY_NONE)
        seen = &set->history->ops[op->context];
    for (uint32_t i = 0; i < set->add_count; i++) {
        struct orset_add *add = &set->adds[i];

        if (add->op->invoked < seen->returned && op->invoked < add->may_go)
            add->may_go = op->invoked;
        if (op->outcome == HISTORY_OK && add->op->outcome == HISTORY_OK &&
            add->op->returned < seen->invoked && op->returned < add->must_go)
            add->must_go = op->returned;
    }
}

static void orset_judge(struct orset_key *set, const struct history_op *read)
{
    bool is_shown = read->item_count > 0, is_possible = false;
    const char *name = set->history->texts[read->key];

    for (uint32_t i = 0; i < set->add_count; i++) {
        const struct orset_add *add = &set->adds[i];

        is_possible =
            is_possible || (add->op->invoked < read->returned && add->must_go >= read->invoked);
        if (is_shown || add->op->outcome != HISTORY_OK || add->op->returned >= read->invoked ||
            add->may_go < read->returned)
            continue;
        set->found->lost++;
        check_note(&set->found->notes,
                   "or-set: %s, added until %.6f s, is missing at %.6f s at peer %u", name,
                   (double)add->op->returned / 1e9, (double)read->invoked / 1e9, read->peer);
        break;
    }
    if (is_shown && !is_possible) {
        set->found->resurrected++;
        check_note(&set->found->notes,
                   "or-set: %s is there at %.6f s at peer %u, though all adds were removed", name,
                   (double)read->invoked / 1e9, read->peer);
    }
    if (!read->is_final)
        return;
    set->found->final_reads++;
    if (!set->final)
        set->final = read;
    if ((set->final->item_count > 0) == is_shown)
        return;
    set->found->diverged++;
    check_note(&set->found->notes, "or-set: peers %u and %u differ about %s", set->final->peer,
               read->peer, name);
}

static void orset_check_key(const struct history *history, const struct history_key *key,
                            struct check_orset *found)
{
    struct orset_key set = {.history = history, .found = found};

    set.adds = history_room(NULL, key->count, sizeof *set.adds);
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function == HISTORY_PUT && op->outcome != HISTORY_FAIL)
            set.adds[set.add_count++] = (struct orset_add){op, HISTORY_NEVER, HISTORY_NEVER};
    }
    found->adds += set.add_count;
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function != HISTORY_DELETE || op->outcome == HISTORY_FAIL)
            continue;
        found->removes++;
        orset_remove(&set, op);
    }
    for (uint32_t i = 0; i < key->count; i++) {
        const struct history_op *op = &history->ops[key->ops[i]];

        if (op->function != HISTORY_GET || op->outcome != HISTORY_OK)
            continue;
        found->reads++;
        orset_judge(&set, op);
    }
    free(set.adds);
}

void check_orset(const struct history *history, const char *prefix, struct check_orset *found)
{
    struct history_keys keys = history_keys_make(history, prefix);

    memset(found, 0, sizeof *found);
    for (uint32_t i = 0; i < keys.count; i++)
        orset_check_key(history, &keys.keys[i], found);
    history_keys_free(&keys);
}

bool check_orset_is_good(const struct check_orset *found)
{
    return !found->lost && !found->resurrected && !found->diverged;
}
