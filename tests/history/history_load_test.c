/* history_load_test.c: files as they are written, and files that are cut, edited or nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history.h"

#define HEADER "{\"seed\":7,\"n\":3}\n"
#define PUT                                                                                        \
    "{\"i\":5,\"t\":10,\"c\":\"s3\",\"ty\":\"inv\",\"f\":\"put\",\"k\":\"b/"                       \
    "4\",\"v\":\"x\",\"peer\":2}\n"
#define PUT_OK                                                                                     \
    "{\"i\":5,\"t\":12,\"ty\":\"ok\",\"f\":\"put\",\"k\":\"b/4\",\"e\":\"tag\",\"http\":204}\n"
#define GET                                                                                        \
    "{\"i\":6,\"t\":11,\"c\":\"s4\",\"ty\":\"inv\",\"f\":\"get\",\"k\":\"b/4\",\"peer\":0}\n"
#define GET_OK                                                                                     \
    "{\"i\":6,\"t\":13,\"ty\":\"ok\",\"f\":\"get\",\"vs\":[[\"x\",\"tag\"],[\"y\",\"\"]],"         \
    "\"http\":300}\n"
#define DELETE                                                                                     \
    "{\"i\":7,\"t\":14,\"c\":\"s3\",\"ty\":\"inv\",\"f\":\"del\",\"k\":\"b/4\",\"ctx\":6}\n"
#define DELETE_INFO "{\"i\":7,\"t\":19,\"ty\":\"info\",\"f\":\"del\",\"http\":0}\n"

static bool load(struct history *history, const char *text, size_t size, char why[160])
{
    FILE *file = fmemopen((void *)text, size, "r");
    bool is_loaded;

    assert_non_null(file);
    is_loaded = history_load(history, file, why, 160);
    fclose(file);
    return is_loaded;
}

static void test_load(void **state)
{
    static const char text[] = HEADER PUT GET PUT_OK GET_OK DELETE DELETE_INFO;
    struct history history;
    char why[160];
    const struct history_op *ops;

    (void)state;
    assert_true(load(&history, text, sizeof text - 1, why));
    assert_int_equal(history.count, 3);
    ops = history.ops;
    assert_int_equal(ops[0].function, HISTORY_PUT);
    assert_int_equal(ops[0].outcome, HISTORY_OK);
    assert_int_equal(ops[0].invoked, 10);
    assert_int_equal(ops[0].returned, 12);
    assert_int_equal(ops[0].peer, 2);
    assert_string_equal(history.texts[ops[0].value], "x");
    assert_string_equal(history.texts[ops[0].etag], "tag");
    assert_int_equal(ops[1].item_count, 2);
    assert_true(history_shows(&history, &ops[1], ops[0].value));
    assert_string_equal(history.texts[history.items[ops[1].first + 1].value], "y");
    assert_int_equal(history.items[ops[1].first + 1].etag, 0);
    assert_int_equal(ops[2].context, 1);
    assert_int_equal(ops[2].outcome, HISTORY_INFO);
    assert_true(ops[2].returned == HISTORY_NEVER);
    history_free(&history);
}

/* A file that was cut between two lines is a history whose last outcomes are unknown. */
static void test_load_cut(void **state)
{
    static const char text[] = HEADER PUT GET;
    struct history history;
    char why[160];

    (void)state;
    assert_true(load(&history, text, sizeof text - 1, why));
    assert_int_equal(history.count, 2);
    assert_int_equal(history.ops[0].outcome, HISTORY_INFO);
    assert_true(history.ops[1].returned == HISTORY_NEVER);
    history_free(&history);
}

static void test_load_refuses(void **state)
{
    static const struct {
        const char *why, *text;
    } bad[] = {
        {"line 1: not a JSON object", "\n"},
        {"line 1: not a JSON object", "[]\n"},
        {"line 2: not a JSON object", HEADER "{\"i\":5,\"t\"\n"},
        {"line 3: no i", HEADER PUT "{\"t\":3}\n"},
        {"line 1: no i or no ty", "{\"i\":-1,\"ty\":\"inv\"}\n"},
        {"line 1: no i or no ty", "{\"i\":4000000000,\"ty\":\"inv\"}\n"},
        {"line 1: no i or no ty", "{\"i\":1}\n"},
        {"line 1: no f or no k", "{\"i\":1,\"ty\":\"inv\",\"f\":\"cas\",\"k\":\"a\",\"t\":1}\n"},
        {"line 1: no f or no k", "{\"i\":1,\"ty\":\"inv\",\"f\":\"get\",\"k\":1,\"t\":1}\n"},
        {"line 1: no t", "{\"i\":1,\"ty\":\"inv\",\"f\":\"get\",\"k\":\"a\",\"t\":-1}\n"},
        {"line 1: a put without v", "{\"i\":1,\"ty\":\"inv\",\"f\":\"put\",\"k\":\"a\",\"t\":1}\n"},
        {"line 2: this i was called before", PUT PUT},
        {"line 3: this i has ended before", PUT PUT_OK PUT_OK},
        {"line 1: ty is none of inv ok fail info, or i was never called", PUT_OK},
        {"line 2: ty is none of inv ok fail info, or i was never called",
         PUT "{\"i\":5,\"t\":12,\"ty\":\"maybe\"}\n"},
        {"line 2: no t, or one before the call", PUT "{\"i\":5,\"t\":9,\"ty\":\"ok\"}\n"},
        {"line 2: a read without vs, or with too many", GET "{\"i\":6,\"t\":12,\"ty\":\"ok\"}\n"},
        {"line 2: vs holds something else than [value, etag]",
         GET "{\"i\":6,\"t\":12,\"ty\":\"ok\",\"vs\":[\"x\"]}\n"},
        {"line 1: ctx names no earlier read of this key", DELETE},
        {"line 2: ctx names no earlier read of this key",
         PUT "{\"i\":7,\"t\":14,\"ty\":\"inv\",\"f\":\"del\",\"k\":\"b/4\",\"ctx\":5}\n"},
        {"line 2: ctx is no number",
         GET "{\"i\":7,\"t\":14,\"ty\":\"inv\",\"f\":\"del\",\"k\":\"b/4\",\"ctx\":\"6\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct history history;
        char why[160] = "";

        assert_false(load(&history, bad[i].text, strlen(bad[i].text), why));
        assert_string_equal(why, bad[i].why);
    }
}

/* Every prefix either loads or is refused with a reason. */
static void test_load_prefixes(void **state)
{
    static const char text[] = HEADER PUT GET PUT_OK GET_OK DELETE DELETE_INFO;
    unsigned loaded = 0;

    (void)state;
    for (size_t size = 1; size < sizeof text; size++) {
        struct history history;
        char why[160] = "";

        if (load(&history, text, size, why)) {
            loaded++;
            history_free(&history);
        } else {
            assert_int_equal(strncmp(why, "line ", 5), 0);
        }
    }
    assert_in_range(loaded, 7, 14); /* at the end of each line, with and without its newline */
}

static void test_texts(void **state)
{
    struct history history;
    char text[16];

    (void)state;
    history_init(&history);
    assert_int_equal(history_text(&history, ""), 0);
    for (uint32_t i = 1; i < 1000; i++) {
        snprintf(text, sizeof text, "text %u", i);
        assert_int_equal(history_text(&history, text), i);
    }
    for (uint32_t i = 1; i < 1000; i++) {
        snprintf(text, sizeof text, "text %u", i);
        assert_int_equal(history_text(&history, text), i);
    }
    history_free(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),         cmocka_unit_test(test_load_cut),
        cmocka_unit_test(test_load_refuses), cmocka_unit_test(test_load_prefixes),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests_name("history files", tests, NULL, NULL);
}
