/* check_stories_test.c: histories written by hand, each with its verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "story.h"

/* What a checker must count, by the name of the count; "" is a clean history. */
struct tale {
    const char *checker, *verdict, *text;
};

static const struct tale tales[] = {
    /* --- set */
    {"set", "", "put a 1 2; get a 3 4"},
    {"set", "", "put a 1 5; get - 2 3; get a 6 7"},
    {"set", "", "put a 1 ?; get - 2 3; get - 8 9"},
    {"set", "", "put a 1 !; get - 3 4"},
    {"set", "", "put a 1 4; get - 2 6; get a 7 8"},
    {"set", "lost", "put a 1 2; get - 3 4"},
    {"set", "lost", "put a 1 2; get a 3 4; get - 5 6; get - 7 8"},
    {"set", "lost", "put a 1 ?; get a 3 4; get - 5 6"},
    {"set", "stale", "put a 1 2; get - 3 4; get a 5 6"},
    {"set", "flicker", "put a 1 9; get a 2 3; get - 4 5; get a 6 7"},
    {"set", "flicker", "put a 1 ?; get a 2 3; get - 4 5; get a 6 7"},
    {"set", "phantom", "get b 1 2"},
    {"set", "phantom", "get a 1 2; put a 3 4"},
    {"set", "phantom", "put a 1 !; get a 3 4"},
    {"set", "phantom", "put a 1 2; key l; get a 3 4"},
    {"set", "surplus", "put a 1 2; get a,a:2 3 4"},
    /* --- register */
    {"register", "", "put a 1 2; put b 3 4; get b 5 6"},
    {"register", "", "put a 1 2; put b 3 6; get a 4 5; get b 4 5"},
    {"register", "", "put a 1 2; put b 3 8; get b 4 5; get a 6 7"}, /* an inversion, legal */
    {"register", "", "put a 1 2; put b 3 ?; get a 9 10; get b 11 12; get a 13 14"},
    {"register", "", "put a 1 2; put b 3 4; get a:2,b 5 6"}, /* a late repeat beside the newest */
    {"register", "", "get - 1 2; put a 3 4; get a 5 6"},
    {"register", "old", "put a 1 2; put b 3 4; get a 5 6"},
    {"register", "old", "put a 1 2; get - 3 4"},
    {"register", "old", "put a 1 ?; put b 3 4; put c 5 6; get a,b 7 8"},
    {"register", "phantom", "get a 1 2; put a 3 4"},
    {"register", "phantom", "put a 1 !; get a 3 4"},
    /* --- zones */
    {"zones", "", "put a 1 2; put b 3 6; get a 4 5; get b 7 8"},
    {"zones", "", "put a 1 9; put b 2 8; get b 10 11; get b 12 13"},
    {"zones", "overlaps", "put a 1 2; put b 3 20; get b 4 5; get a 6 7; get b 8 9"},
    {"zones", "overlaps", "put a 1 2; put b 3 4; get a 5 6; get b 7 8"},
    {"zones", "inside", "put a 1 2; put b 3 4; get a 5 6"},
    {"zones", "inside", "put a 1 2; get - 3 4"},
    {"zones", "phantom", "get a 1 2; put a 3 4"},
    /* --- siblings */
    {"siblings", "", "put a 1 2; get a 3 4; put b 5 6 r1; get b 7 8 final"},
    {"siblings", "", "put a 1 3; put b 2 4; get a,b 5 6 final p0; get b,a 7 8 final p1"},
    {"siblings", "", "put a 1 2; get a 3 4; del 5 6 r1; get - 7 8 final"},
    {"siblings", "", "put a 1 2; get a 3 4; del 5 6 r1; get a:2 7 8 final"}, /* a repeat survives */
    {"siblings", "", "put a 1 2; get a 3 4; del 5 ? r1; get a 7 8 final"},
    {"siblings", "", "put a 1 2; get a 3 4; put b 5 ? r1; get a 7 8 final"},
    {"siblings", "", "put a 1 5; put b 2 6; get b 7 8 final"}, /* b saw a at its coordinator */
    {"siblings", "", "put a 1 2; put x 3 4; get a 5 6; put b 7 8 r2; get a:2,b,x 9 10 final"},
    {"siblings", "",
     "put a 1 2; get a 3 4; put b 5 6 r1; get b 7 8; put c 9 10 r3; get c 11 12 final"},
    {"siblings", "lost", "put a 1 2; get - 3 4 final"},
    {"siblings", "lost", "put a 1 2; get a 3 4; put b 5 ? r1; get - 7 8 final"},
    {"siblings", "lost", "put a 1 2; get a 3 4; put x 5 6 r1; put b 7 8 r1; get b 9 10 final"},
    {"siblings", "lost", "put a 1 2; get a 3 4; put x 5 6; del 7 8 r1; get - 9 10 final"},
    {"siblings", "overtaken", "put a 1 2; put b 3 4; get a 5 6 final"},
    {"siblings", "overtaken", "put a 1 2; del 3 4; put b 5 6; get - 7 8 final"},
    {"siblings", "resurrected", "put a 1 2; get a 3 4; del 5 6 r1; get a 7 8 final"},
    {"siblings", "resurrected", "put a 1 2; get a 3 4; del 5 6 r1; get a 7 8; get - 9 10 final"},
    {"siblings", "resurrected", "put a 1 2; del 3 4; get a 5 6"},
    {"siblings", "resurrected", "put a 1 2; get a 3 4; put b 5 6 r1; get a,b 7 8 final"},
    {"siblings", "resurrected", "put a 1 2; get a 3 4; put b 5 ? r1; get b 7 8; get a 9 10 final"},
    {"siblings", "ordered", "put a 1 2; get a 3 4; put b 5 20 r1; get a,b 7 8"},
    {"siblings", "diverged", "put a 1 3; put b 2 4; get a,b 5 6 final p0; get b 7 8 final p1"},
    {"siblings", "phantom", "put a 1 2; get a,c 3 4"},
    {"siblings", "phantom", "put a 1 !; get a 3 4"},
    /* --- counter */
    {"counter", "", "put +1.a 1 2; put +1.b 3 4; get 2 5 6; put -1.c 7 8; get 1 9 10 final"},
    {"counter", "", "get - 1 2; put +5.a 3 6; get 5 4 5; get - 4 5; get 5 7 8"},
    {"counter", "", "put +1.a 1 ?; get - 3 4; get 1 5 6; get - 7 8"}, /* from different owners */
    {"counter", "", "put +1.a 1 ?; put -2.b 1 ?; get -2 3 4; get 1 3 4; get -1 3 4"},
    {"counter", "", "put +1.a 1 !; get - 3 4"},
    {"counter", "", "put +1.a 1 2; put +1.b 1 ?; get 1 3 4 final p0; get 1 3 4 final p1"},
    {"counter", "below", "put +1.a 1 2; get - 3 4"},
    {"counter", "below", "put +1.a 1 2; put +1.b 1 2; get 1 3 4"},
    {"counter", "below", "put +3.a 1 2; put -1.b 1 ?; get 1 3 4"},
    {"counter", "above", "put +1.a 1 2; get 2 3 4"},
    {"counter", "above", "get 1 1 2; put +1.a 3 4"},
    {"counter", "above", "put +1.a 1 !; get 1 3 4"},
    {"counter", "above", "put +2.a 1 2; put -1.b 3 4; get 2 5 6"},
    {"counter", "diverged", "put +1.a 1 ?; get - 3 4 final p0; get 1 3 4 final p1"},
    /* --- or-set */
    {"orset", "", "put a 1 2; get a 3 4; del 5 6 r1; get - 7 8 final"},
    {"orset", "", "put a 1 2; del 3 4; get - 5 6"},
    {"orset", "", "put a 1 2; get a 3 4; put b 5 6; del 7 8 r1; get b 9 10"}, /* add wins */
    {"orset", "", "put a 1 6; get a 2 3; del 4 5 r1; get a 7 8"},             /* may, not must */
    {"orset", "", "put a 1 6; get a 2 3; del 4 5 r1; get - 7 8"},
    {"orset", "", "put a 1 2; get a 3 4; del 5 ? r1; get - 7 8; get a 9 10"},
    {"orset", "", "put a 1 ?; get - 2 3; del 4 5 r1; get - 6 7; get a 8 9"},
    {"orset", "", "put a 1 2; get a 3 4; del 5 8 r1; get a 6 7; get - 9 10"},
    {"orset", "", "put a 1 2; put a 1 ?; del 3 4; get a 5 6"}, /* carried out twice */
    {"orset", "lost", "put a 1 2; get - 3 4"},
    {"orset", "lost", "put a 1 2; get a 3 4; put b 5 6; del 7 8 r1; get - 9 10"},
    {"orset", "lost", "put a 1 2; del 3 !; get - 5 6"},
    {"orset", "resurrected", "put a 1 2; get a 3 4; del 5 6 r1; get a 7 8"},
    {"orset", "resurrected", "put a 1 2; del 3 4; get a 5 6"},
    {"orset", "resurrected", "get a 1 2; put a 3 4"},
    {"orset", "resurrected", "put a 1 !; get a 3 4"},
    {"orset", "diverged", "put a 1 ?; get a 3 4 final p0; get - 3 4 final p1"},
};

/* Counts by name, so that a verdict names all that is not zero. */
struct count {
    const char *name;
    uint32_t count;
};

static void compare(const struct tale *tale, const struct count *counts, unsigned count,
                    bool is_good)
{
    static const char *const legal[] = {"", "flicker", "overtaken"};
    bool is_legal = false;

    for (unsigned i = 0; i < 3; i++)
        is_legal = is_legal || strcmp(tale->verdict, legal[i]) == 0;
    for (unsigned i = 0; i < count; i++)
        if ((counts[i].count > 0) != (strcmp(counts[i].name, tale->verdict) == 0))
            fail_msg("%s: \"%s\": %u %s", tale->checker, tale->text, counts[i].count,
                     counts[i].name);
    if (is_good != is_legal)
        fail_msg("%s: \"%s\" is called %s", tale->checker, tale->text, is_good ? "good" : "bad");
}

static void tell_set(const struct tale *tale, const struct history *history)
{
    struct check_set found;

    check_set(history, "", &found);
    compare(tale,
            (struct count[]){{"lost", found.lost},
                             {"stale", found.stale},
                             {"flicker", found.flicker},
                             {"phantom", found.phantom},
                             {"surplus", found.surplus}},
            5, check_set_is_good(&found));
}

static void tell_register(const struct tale *tale, const struct history *history)
{
    struct check_register found;

    check_register(history, "", &found);
    compare(tale, (struct count[]){{"old", found.old}, {"phantom", found.phantom}}, 2,
            check_register_is_good(&found));
}

static void tell_zones(const struct tale *tale, const struct history *history)
{
    struct check_zones found;

    check_zones(history, "", &found);
    compare(tale,
            (struct count[]){
                {"overlaps", found.overlaps}, {"inside", found.inside}, {"phantom", found.phantom}},
            3, check_zones_is_good(&found));
}

static void tell_siblings(const struct tale *tale, const struct history *history)
{
    struct check_siblings found;

    check_siblings(history, "", &found);
    compare(tale,
            (struct count[]){{"lost", found.lost},
                             {"overtaken", found.overtaken},
                             {"resurrected", found.resurrected},
                             {"ordered", found.ordered},
                             {"diverged", found.diverged},
                             {"phantom", found.phantom}},
            6, check_siblings_is_good(&found));
}

static void tell_counter(const struct tale *tale, const struct history *history)
{
    struct check_counter found;

    check_counter(history, "", &found);
    compare(tale,
            (struct count[]){
                {"below", found.below}, {"above", found.above}, {"diverged", found.diverged}},
            3, check_counter_is_good(&found));
}

static void tell_orset(const struct tale *tale, const struct history *history)
{
    struct check_orset found;

    check_orset(history, "", &found);
    compare(tale,
            (struct count[]){{"lost", found.lost},
                             {"resurrected", found.resurrected},
                             {"diverged", found.diverged}},
            3, check_orset_is_good(&found));
}

static void tell(const char *checker, void (*judge)(const struct tale *, const struct history *))
{
    for (size_t i = 0; i < sizeof tales / sizeof tales[0]; i++) {
        struct history history;

        if (strcmp(tales[i].checker, checker) != 0)
            continue;
        story_tell(&history, tales[i].text);
        judge(&tales[i], &history);
        history_free(&history);
    }
}

static void test_D1_set_stories(void **state)
{
    (void)state;
    tell("set", tell_set);
}

static void test_D11_register_stories(void **state)
{
    (void)state;
    tell("register", tell_register);
}

static void test_zones_stories(void **state)
{
    (void)state;
    tell("zones", tell_zones);
}

static void test_D4_D7_siblings_stories(void **state)
{
    (void)state;
    tell("siblings", tell_siblings);
}

static void test_D1_counter_stories(void **state)
{
    (void)state;
    tell("counter", tell_counter);
}

static void test_D1_D4_orset_stories(void **state)
{
    (void)state;
    tell("orset", tell_orset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D1_set_stories),     cmocka_unit_test(test_D11_register_stories),
        cmocka_unit_test(test_zones_stories),      cmocka_unit_test(test_D4_D7_siblings_stories),
        cmocka_unit_test(test_D1_counter_stories), cmocka_unit_test(test_D1_D4_orset_stories),
    };

    return cmocka_run_group_tests_name("history stories", tests, NULL, NULL);
}
