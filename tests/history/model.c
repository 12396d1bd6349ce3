#include "model.h"

#include <stdlib.h>
#include <string.h>

#define STEP 100u     /* between the points of two operations of one client */
#define STATE_MAX 128 /* values a sibling key may hold here */

/* Operation number i of all: its client's turn, its point and an interval around that. Intervals of
 * one client do not overlap, those of different clients do. */
static uint64_t model_times(struct prng *prng, struct history_op *op, unsigned i, unsigned clients)
{
    uint64_t point = (uint64_t)(i / clients + 1) * STEP + i % clients;

    op->client = i % clients + 1;
    op->invoked = point - prng_between(prng, 1, STEP / 2 - 1);
    op->returned = point + prng_between(prng, 1, STEP / 2 - clients - 1);
    op->outcome = HISTORY_OK;
    op->context = HISTORY_NONE;
    return point;
}

static uint32_t model_value(struct history *history, const char *key, unsigned i)
{
    char text[48];

    snprintf(text, sizeof text, "%s.%u", key, i);
    return history_text(history, text);
}

static void model_unknown(struct history_op *op)
{
    op->outcome = HISTORY_INFO;
    op->returned = HISTORY_NEVER;
    op->etag = 0;
}

void model_register(struct history *history, struct prng *prng, unsigned count, unsigned clients)
{
    struct history_item now = {0, 0};

    history_init(history);
    for (unsigned i = 0; i < count; i++) {
        struct history_op op = {.key = history_text(history, "k")};

        (void)model_times(prng, &op, i, clients);
        if (i % clients == clients - 1) { /* the reads of this turn see the write before */
            op.function = HISTORY_PUT;
            op.value = model_value(history, "k", i);
            op.etag = history_text(history, "1");
            if (prng_chance(prng, 1, 16))
                model_unknown(&op);
            if (op.outcome == HISTORY_OK || prng_chance(prng, 1, 2))
                now = (struct history_item){op.value, history_text(history, "1")};
            (void)history_add(history, &op, NULL, 0);
        } else {
            op.function = HISTORY_GET;
            (void)history_add(history, &op, &now, now.value != 0);
        }
    }
}

void model_set(struct history *history, struct prng *prng, unsigned count, unsigned clients)
{
    unsigned keys = 0;

    history_init(history);
    for (unsigned i = 0; i < count; i++) {
        struct history_op op = {.etag = history_text(history, "1")};
        char key[24];

        (void)model_times(prng, &op, i, clients);
        if (keys == 0 || prng_chance(prng, 1, 2)) {
            snprintf(key, sizeof key, "k%u", keys++);
            op.function = HISTORY_PUT;
            op.key = history_text(history, key);
            op.value = model_value(history, key, 0);
            (void)history_add(history, &op, NULL, 0);
        } else {
            snprintf(key, sizeof key, "k%u", (unsigned)prng_below(prng, keys));
            op.function = HISTORY_GET;
            op.key = history_text(history, key);

            struct history_item item = {model_value(history, key, 0), op.etag};

            (void)history_add(history, &op, &item, 1);
        }
    }
}

/* --- siblings */

struct model {
    struct history *history;
    struct prng *prng;
    struct history_item state[STATE_MAX];
    uint32_t count;
};

static void model_drop(struct model *model, uint32_t value)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model->count; i++)
        if (model->state[i].value != value)
            model->state[kept++] = model->state[i];
    model->count = kept;
}

/* What the write supersedes: what its context showed; without one some of what is there. */
static void model_cover(struct model *model, const struct history_op *op)
{
    const struct history_op *read;
    uint32_t kept = 0;

    if (op->context == HISTORY_NONE) {
        for (uint32_t i = 0; i < model->count; i++)
            if (op->function == HISTORY_PUT && prng_chance(model->prng, 1, 2))
                model->state[kept++] = model->state[i];
        model->count = kept;
        return;
    }
    read = &model->history->ops[op->context];
    for (uint32_t i = 0; i < read->item_count; i++)
        model_drop(model, model->history->items[read->first + i].value);
}

/* Equal values are shown once. */
static void model_read(struct model *model, struct history_op *op)
{
    struct history_item shown[STATE_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->count; i++)
        if (i == 0 || model->state[i].value != model->state[i - 1].value)
            shown[count++] = model->state[i];
    op->function = HISTORY_GET;
    (void)history_add(model->history, op, shown, count);
}

static uint32_t model_context(struct model *model, uint64_t before)
{
    for (unsigned tries = 0; tries < 4 && model->history->count; tries++) {
        uint32_t back = (uint32_t)prng_below(model->prng, 12) + 1;
        uint32_t at = back <= model->history->count ? model->history->count - back : 0;
        const struct history_op *op = &model->history->ops[at];

        if (op->function == HISTORY_GET && op->returned < before)
            return at;
    }
    return HISTORY_NONE;
}

static void model_write(struct model *model, struct history_op *op, unsigned i)
{
    struct history_item item = {model_value(model->history, "k", i),
                                history_text(model->history, "1")};
    bool is_put = op->function == HISTORY_PUT, is_done = true;

    op->value = is_put ? item.value : 0;
    op->etag = is_put ? item.etag : 0;
    if (prng_chance(model->prng, 1, 8)) {
        model_unknown(op);
        is_done = prng_chance(model->prng, 1, 2);
    }
    if (is_done) {
        model_cover(model, op);
        if (is_put && model->count + 2 <= STATE_MAX)
            model->state[model->count++] = item;
        if (is_put && prng_chance(model->prng, 1, 10) && model->count < STATE_MAX) {
            item.etag = history_text(model->history, "2"); /* carried out twice */
            model->state[model->count++] = item;
        }
    }
    (void)history_add(model->history, op, NULL, 0);
}

void model_siblings(struct history *history, struct prng *prng, unsigned count, bool is_blind)
{
    struct model model = {.history = history, .prng = prng};
    struct history_op final = {.outcome = HISTORY_OK, .context = HISTORY_NONE, .is_final = true};

    history_init(history);
    for (unsigned i = 0; i < count; i++) {
        struct history_op op = {.key = history_text(history, "k"), .function = HISTORY_PUT};

        (void)model_times(prng, &op, i, 4);
        if (i > 0) {
            op.context = model_context(&model, op.invoked);
            if (is_blind && prng_chance(prng, 1, 4))
                op.context = HISTORY_NONE;
            if (prng_chance(prng, 1, 6))
                op.function = HISTORY_DELETE;
        }
        if (i > 0 && (prng_chance(prng, 1, 2) || (!is_blind && op.context == HISTORY_NONE) ||
                      model.count + 2 > STATE_MAX)) {
            op.context = HISTORY_NONE;
            model_read(&model, &op);
        } else {
            model_write(&model, &op, i);
        }
    }
    final.key = history_text(history, "k");
    for (uint8_t p = 0; p < 3; p++) {
        final.peer = p;
        final.invoked = (uint64_t)(count + 10 + p) * STEP;
        final.returned = final.invoked + 1;
        model_read(&model, &final);
    }
}

/* --- counter */

static uint32_t model_sum(struct history *history, int64_t sum)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)sum);
    return history_text(history, text);
}

/* Three reads after everything, of which `item` says what they show; value 0: nothing. */
static void model_finals(struct history *history, unsigned count, struct history_item item)
{
    struct history_op final = {.function = HISTORY_GET,
                               .outcome = HISTORY_OK,
                               .context = HISTORY_NONE,
                               .key = history_text(history, "k"),
                               .is_final = true};

    for (uint8_t p = 0; p < 3; p++) {
        final.peer = p;
        final.invoked = (uint64_t)(count + 10 + p) * STEP;
        final.returned = final.invoked + 1;
        (void)history_add(history, &final, &item, item.value != 0);
    }
}

void model_counter(struct history *history, struct prng *prng, unsigned count, unsigned clients)
{
    int64_t sum = 0;

    history_init(history);
    for (unsigned i = 0; i < count; i++) {
        struct history_op op = {.key = history_text(history, "k")};
        int delta = (int)prng_between(prng, 1, 3) * (prng_chance(prng, 1, 3) ? -1 : 1);
        char text[32];

        (void)model_times(prng, &op, i, clients);
        if (prng_chance(prng, 1, 2)) {
            struct history_item item = {model_sum(history, sum), 0};

            op.function = HISTORY_GET;
            (void)history_add(history, &op, &item, 1);
            continue;
        }
        snprintf(text, sizeof text, "%+d.%u", delta, i);
        op.function = HISTORY_PUT;
        op.value = history_text(history, text);
        if (prng_chance(prng, 1, 12))
            model_unknown(&op);
        if (op.outcome == HISTORY_OK || prng_chance(prng, 1, 2))
            sum += delta;
        (void)history_add(history, &op, NULL, 0);
    }
    model_finals(history, count, (struct history_item){model_sum(history, sum), 0});
}

/* --- or-set: `live` holds the adds that are there, `seen` how many operations a read knew of */

void model_orset(struct history *history, struct prng *prng, unsigned count, unsigned clients)
{
    struct history_item shown;
    uint32_t live = 0, *added; /* of each live add the index of its operation */
    struct model model = {.history = history, .prng = prng};

    history_init(history);
    added = history_room(NULL, count, sizeof *added);
    for (unsigned i = 0; i < count; i++) {
        struct history_op op = {.key = history_text(history, "k")};
        unsigned what = (unsigned)prng_below(prng, 4);
        uint32_t kept = 0;

        (void)model_times(prng, &op, i, clients);
        shown = (struct history_item){live ? history_text(history, "here") : 0, 0};
        op.function = what < 2 ? HISTORY_GET : what == 2 ? HISTORY_PUT : HISTORY_DELETE;
        if (op.function == HISTORY_DELETE)
            op.context = prng_chance(prng, 1, 3) ? HISTORY_NONE : model_context(&model, op.invoked);
        op.value = op.function == HISTORY_PUT ? model_value(history, "k", i) : 0;
        if (op.function != HISTORY_GET && prng_chance(prng, 1, 12))
            model_unknown(&op);
        if (op.outcome == HISTORY_INFO && prng_chance(prng, 1, 2))
            what = 0; /* it never happens */
        if (what == 2)
            added[live++] = i;
        for (uint32_t a = 0; what == 3 && a < live; a++)
            if (op.context != HISTORY_NONE && added[a] > op.context)
                added[kept++] = added[a]; /* the read it goes by did not see this one */
        live = what == 3 ? kept : live;
        (void)history_add(history, &op, &shown, op.function == HISTORY_GET && shown.value != 0);
    }
    free(added);
    model_finals(history, count,
                 (struct history_item){live ? history_text(history, "here") : 0, 0});
}
