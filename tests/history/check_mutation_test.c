/* check_mutation_test.c: histories made by a model are clean; with one thing changed they are not.
 * And 200,000 operations are judged quickly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "check.h"
#include "model.h"
#include "story.h"

#define ROUNDS 400u
#define COUNT 120u
#define BIG 200000u
#define CLIENTS 32u
#define BIG_MS 5000u /* processor time, sanitized; the release build needs a fiftieth of it */

static struct history *history_of(void **state)
{
    return *state;
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct history));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* --- judges */

static bool is_set_good(const struct history *history)
{
    struct check_set found;

    check_set(history, "", &found);
    return check_set_is_good(&found);
}

static bool is_register_good(const struct history *history)
{
    struct check_register found;

    check_register(history, "", &found);
    return check_register_is_good(&found);
}

static bool is_atomic(const struct history *history)
{
    struct check_zones found;

    check_zones(history, "", &found);
    return check_zones_is_good(&found);
}

static bool is_siblings_good(const struct history *history)
{
    struct check_siblings found;

    check_siblings(history, "", &found);
    if (!check_siblings_is_good(&found) && found.notes.count)
        printf("%s\n", found.notes.text[0]);
    return check_siblings_is_good(&found);
}

/* --- finding a place to change */

static struct history_op *pick(struct history *history, struct prng *prng,
                               enum history_function function)
{
    for (unsigned i = 0; i < 1000; i++) {
        struct history_op *op = &history->ops[prng_below(prng, history->count)];

        if (op->function == function && op->outcome == HISTORY_OK)
            return op;
    }
    return NULL;
}

static struct history_op *put_of(struct history *history, uint32_t value)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->ops[i].function == HISTORY_PUT && history->ops[i].value == value)
            return &history->ops[i];
    return NULL;
}

static uint32_t shown(const struct history *history, const struct history_op *read)
{
    return read->item_count ? history->items[read->first].value : 0;
}

/* --- register: each mutation says whether it found a place */

typedef bool mutation(struct history *history, struct prng *prng);

/* A read that came after some acknowledged write shows nothing. */
static bool drop_value(struct history *history, struct prng *prng)
{
    struct history_op *read = pick(history, prng, HISTORY_GET);
    struct history_op *put = pick(history, prng, HISTORY_PUT);

    if (put->returned >= read->invoked || put->key != read->key)
        return false;
    read->item_count = 0;
    return true;
}

/* The earlier of two reads shows what was not yet written. */
static bool swap_values(struct history *history, struct prng *prng)
{
    struct history_op *early = pick(history, prng, HISTORY_GET);
    struct history_op *late = pick(history, prng, HISTORY_GET), *put;
    struct history_item item;

    if (early->item_count != 1 || late->item_count != 1)
        return false;
    put = put_of(history, shown(history, late));
    if (!put || put->invoked < early->returned)
        return false;
    item = history->items[early->first];
    history->items[early->first] = history->items[late->first];
    history->items[late->first] = item;
    return true;
}

/* A write under way while a read showed an earlier value had ended before the read began. */
static bool move_return(struct history *history, struct prng *prng)
{
    struct history_op *read = pick(history, prng, HISTORY_GET);
    struct history_op *put = pick(history, prng, HISTORY_PUT);
    struct history_op *seen = put_of(history, shown(history, read));

    if (put->invoked + 1 >= read->invoked || put->returned <= read->invoked ||
        (seen && seen->returned >= put->invoked))
        return false;
    put->returned = read->invoked - 1;
    return true;
}

/* A read ended before what it shows was written. */
static bool move_read(struct history *history, struct prng *prng)
{
    struct history_op *read = pick(history, prng, HISTORY_GET), *put;

    put = put_of(history, shown(history, read));
    if (!put || put->invoked < 3 || read->item_count == 0)
        return false;
    read->invoked = put->invoked - 2;
    read->returned = put->invoked - 1;
    return true;
}

static void must_refuse(const struct history *good, mutation *change, struct prng *prng,
                        bool (*judge)(const struct history *))
{
    for (unsigned i = 0; i < 2000; i++) {
        struct history bad;
        bool is_changed;

        story_copy(&bad, good);
        is_changed = change(&bad, prng);
        if (is_changed && judge(&bad))
            fail_msg("a mutated history of %u operations is called good", bad.count);
        history_free(&bad);
        if (is_changed)
            return;
    }
    fail_msg("no place for the mutation");
}

static void test_register_mutations(void **state)
{
    static mutation *const changes[] = {drop_value, swap_values, move_return, move_read};
    struct history *history = history_of(state);
    struct prng prng;

    prng_init(&prng, 4);
    for (unsigned i = 0; i < ROUNDS; i++) {
        model_register(history, &prng, COUNT, 4);
        assert_true(is_register_good(history));
        assert_true(is_atomic(history));
        must_refuse(history, changes[i % 4], &prng, is_register_good);
        must_refuse(history, changes[i % 4], &prng, is_atomic);
        history_free(history);
    }
}

/* --- set */

static bool swap_keys(struct history *history, struct prng *prng)
{
    struct history_op *a = pick(history, prng, HISTORY_GET), *b = pick(history, prng, HISTORY_GET);
    struct history_item item;

    if (a->key == b->key)
        return false;
    item = history->items[a->first];
    history->items[a->first] = history->items[b->first];
    history->items[b->first] = item;
    return true;
}

static void test_set_mutations(void **state)
{
    static mutation *const changes[] = {drop_value, swap_keys, move_read};
    struct history *history = history_of(state);
    struct prng prng;

    prng_init(&prng, 5);
    for (unsigned i = 0; i < ROUNDS; i++) {
        model_set(history, &prng, COUNT, 4);
        /* The model reads a key from the point of its put on, or while that is under way. */
        assert_true(is_set_good(history));
        must_refuse(history, changes[i % 3], &prng, is_set_good);
        history_free(history);
    }
}

/* --- siblings */

static void final_remove(struct history *history, uint32_t value)
{
    for (uint32_t i = 0; i < history->count; i++) {
        struct history_op *op = &history->ops[i];
        uint32_t kept = 0;

        for (uint32_t j = 0; op->is_final && j < op->item_count; j++)
            if (history->items[op->first + j].value != value)
                history->items[op->first + kept++] = history->items[op->first + j];
        if (op->is_final)
            op->item_count = kept;
    }
}

static bool is_final_value(const struct history *history, uint32_t value)
{
    return history_shows(history, &history->ops[history->count - 1], value);
}

/* Nothing covers an acknowledged value, and it is gone in the end. */
static bool lose(struct history *history, struct prng *prng)
{
    struct history_op *put = pick(history, prng, HISTORY_PUT);

    if (!put || put->context == HISTORY_NONE || !is_final_value(history, put->value) ||
        is_final_value(history, history->ops[0].value))
        return false;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct history_op *op = &history->ops[i];

        if (op->function != HISTORY_GET && op->context != HISTORY_NONE &&
            history_shows(history, &history->ops[op->context], put->value))
            return false; /* a write of unknown outcome might have covered it */
    }
    final_remove(history, put->value);
    return true;
}

/* A value that an acknowledged write covers is back in one of the final reads. */
static bool resurrect(struct history *history, struct prng *prng)
{
    struct history_op *write = pick(history, prng, HISTORY_PUT), *last;
    const struct history_op *read;

    if (prng_chance(prng, 1, 2))
        write = pick(history, prng, HISTORY_DELETE);
    if (!write || write->context == HISTORY_NONE)
        return false;
    read = &history->ops[write->context];
    last = &history->ops[history->count - 1];
    if (read->item_count == 0)
        return false;

    struct history_item items[200];

    memcpy(items, history->items + last->first, last->item_count * sizeof *items);
    items[last->item_count] = history->items[read->first];
    history_show(history, history->count - 1, items, last->item_count + 1);
    return true;
}

/* One peer shows less than the others in the end. */
static bool diverge(struct history *history, struct prng *prng)
{
    struct history_op *last = &history->ops[history->count - 1 - prng_below(prng, 3)];

    if (last->item_count < 2)
        return false;
    last->item_count--;
    return !history_shows(history, last, history->items[last->first + last->item_count].value);
}

static void test_siblings_are_accepted(void **state)
{
    struct history *history = history_of(state);
    struct prng prng;

    prng_init(&prng, 6);
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        model_siblings(history, &prng, 10 + COUNT * (i % 2), i % 4 < 2);
        if (!is_siblings_good(history))
            fail_msg("round %u: a good history is refused", i);
        history_free(history);
    }
}

static void test_siblings_mutations(void **state)
{
    static mutation *const changes[] = {lose, resurrect, diverge, move_read};
    struct history *history = history_of(state);
    unsigned changed = 0;
    struct prng prng;

    prng_init(&prng, 7);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        struct history bad;

        model_siblings(history, &prng, COUNT, false);
        for (unsigned tries = 0; tries < 50; tries++) {
            struct check_siblings found;

            story_copy(&bad, history);
            if (changes[i % 4](&bad, &prng)) {
                check_siblings(&bad, "", &found);
                if (check_siblings_is_good(&found))
                    fail_msg("round %u: mutation %u is not seen", i, i % 4);
                changed++;
                tries = 50;
            }
            history_free(&bad);
        }
        history_free(history);
    }
    assert_true(changed > ROUNDS);
}

/* --- 200,000 operations */

static unsigned elapsed_ms(clock_t begin)
{
    return (unsigned)((clock() - begin) * 1000 / CLOCKS_PER_SEC);
}

static void judge_big(const struct history *history, const char *name,
                      bool (*judge)(const struct history *))
{
    clock_t begin = clock();
    bool is_good = judge(history);
    unsigned ms = elapsed_ms(begin);

    printf("%s: %u operations in %u ms\n", name, history->count, ms);
    assert_true(is_good);
    assert_in_range(ms, 0, BIG_MS);
}

static void test_big(void **state)
{
    struct history *history = history_of(state);
    struct prng prng;

    prng_init(&prng, 8);
    model_register(history, &prng, BIG, CLIENTS);
    judge_big(history, "register", is_register_good);
    judge_big(history, "zones", is_atomic);
    history_free(history);
    model_set(history, &prng, BIG, CLIENTS);
    judge_big(history, "set", is_set_good);
    history_free(history);
    model_siblings(history, &prng, BIG, false);
    judge_big(history, "siblings", is_siblings_good);
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_register_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_siblings_are_accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_siblings_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_big, setup, teardown),
    };

    return cmocka_run_group_tests_name("history mutations", tests, NULL, NULL);
}
