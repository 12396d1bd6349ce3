/* check_crdt_test.c: counters and or-sets made by a model are clean; with one thing changed they
 * are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "model.h"
#include "story.h"

#define ROUNDS 500u
#define COUNT 120u
#define CLIENTS 5u

static bool is_counter_good(const struct history *history)
{
    struct check_counter found;

    check_counter(history, "", &found);
    return check_counter_is_good(&found);
}

static bool is_orset_good(const struct history *history)
{
    struct check_orset found;

    check_orset(history, "", &found);
    if (!check_orset_is_good(&found) && found.notes.count)
        printf("%s\n", found.notes.text[0]);
    return check_orset_is_good(&found);
}

/* One final read shows more, or less, than anything allows, or another one than the rest. */
static void counter_shift(struct history *history, uint32_t index, int64_t by)
{
    struct history_item *item = &history->items[history->ops[index].first];
    char text[32];

    snprintf(text, sizeof text, "%lld",
             (long long)(strtoll(history->texts[item->value], NULL, 10) + by));
    item->value = history_text(history, text);
}

static void test_counter_models(void **state)
{
    static const int64_t shifts[] = {1000, -1000, 1};
    struct prng prng;

    (void)state;
    prng_init(&prng, 21);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct history history;

        model_counter(&history, &prng, COUNT, CLIENTS);
        assert_true(is_counter_good(&history));
        counter_shift(&history, history.count - 1 - (uint32_t)prng_below(&prng, 3), shifts[i % 3]);
        assert_false(is_counter_good(&history));
        history_free(&history);
    }
}

/* An increment that everybody was told of is taken out of the history: reads show too much. */
static void test_counter_without_an_add(void **state)
{
    struct prng prng;
    unsigned refused = 0;

    (void)state;
    prng_init(&prng, 22);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct history history;
        uint32_t at;

        model_counter(&history, &prng, COUNT, CLIENTS);
        at = (uint32_t)prng_below(&prng, COUNT);
        if (history.ops[at].function == HISTORY_PUT && history.ops[at].outcome == HISTORY_OK) {
            history.ops[at].outcome = HISTORY_FAIL;
            refused += !is_counter_good(&history);
        }
        history_free(&history);
    }
    assert_true(refused > ROUNDS / 16); /* unknown increments hide some */
}

static void test_orset_models(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 23);
    for (unsigned i = 0; i < 8 * ROUNDS; i++) {
        struct history history;

        model_orset(&history, &prng, 8 + COUNT * (i % 2), CLIENTS);
        if (!is_orset_good(&history))
            fail_msg("round %u: a good history is refused", i);
        history_free(&history);
    }
}

/* The last word is turned round at one peer; if the others could not say so either, at all. */
static void test_orset_turned(void **state)
{
    struct prng prng;
    unsigned refused = 0;

    (void)state;
    prng_init(&prng, 24);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct history history;
        struct history_item here;

        model_orset(&history, &prng, COUNT, CLIENTS);
        here = (struct history_item){history_text(&history, "here"), 0};
        for (uint32_t p = 1; p <= (i % 2 ? 3u : 1u); p++)
            history_show(&history, history.count - p, &here,
                         history.ops[history.count - p].item_count == 0);
        refused += !is_orset_good(&history);
        if (i % 2 == 0)
            assert_false(is_orset_good(&history));
        history_free(&history);
    }
    assert_true(refused > ROUNDS / 2 + ROUNDS / 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter_models),
        cmocka_unit_test(test_counter_without_an_add),
        cmocka_unit_test(test_orset_models),
        cmocka_unit_test(test_orset_turned),
    };

    return cmocka_run_group_tests_name("history crdt", tests, NULL, NULL);
}
