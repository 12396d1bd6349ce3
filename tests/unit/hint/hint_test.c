/* hint_test.c: one hint per owner and row, oldest first, within bounds, gone when it was given. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdio.h>
#include <string.h>
#include "bytes.h"
#include "hint.h"

static struct hints *hints;

static int setup(void **state)
{
    struct hint_config config = {.partitions = 8, .count_max = 300, .age_max_ms = 1000};

    (void)state;
    hints = hints_new(&config);
    return hints == NULL;
}

static int teardown(void **state)
{
    (void)state;
    hints_delete(hints);
    return 0;
}

static enum hint_fate add(instant now, uint64_t owner, const char *key)
{
    struct hint_row row = {.owner = owner,
                           .key = slice_text(key),
                           .partition = (uint8_t)key[0] % 8u,
                           .made_ms = 5000 + now};

    return hint_add(hints, now, &row);
}

static struct hint *find(uint64_t owner, const char *key)
{
    return hint_find(hints, owner, slice_text(key));
}

static void test_a_row_missed_often_is_one_hint(void **state)
{
    (void)state;
    assert_int_equal(add(1, 7, "a"), HINT_NEW);
    assert_int_equal(add(2, 7, "a"), HINT_KNOWN);
    assert_int_equal(add(3, 8, "a"), HINT_NEW);
    assert_int_equal(add(4, 7, "b"), HINT_NEW);
    assert_int_equal(hints_count(hints), 3);
    assert_int_equal(hints_open(hints, 'a' % 8), 2);
    assert_int_equal(hints_partitions(hints), 2);
    assert_null(find(9, "a"));
    assert_null(find(7, "ab"));
    assert_int_equal(find(7, "a")->made_ms, 5001); /* since it was missed first */
    assert_int_equal(find(7, "a")->touched, 2);
    assert_int_equal(hints_oldest_ms(hints), 5001);
    assert_ptr_equal(hint_first(hint_owner_find(hints, 7)), find(7, "a"));
    hint_drop(hints, 9, find(7, "a"), false);
    assert_int_equal(hints_oldest_ms(hints), 5003);
    assert_int_equal(hints_open(hints, 'a' % 8), 1);
    hint_drop(hints, 9, find(8, "a"), false);
    hint_drop(hints, 9, find(7, "b"), false);
    assert_int_equal(hints_partitions(hints), 0);
    assert_int_equal(hints_oldest_ms(hints), 0);
    assert_non_null(hint_owner_next(hints, NULL));
    hints_tidy(hints);
    assert_null(hint_owner_next(hints, NULL));
}

static void test_a_hint_goes_when_it_was_given_and_not_missed_again(void **state)
{
    struct hint_owner *owner;

    (void)state;
    (void)add(1, 7, "a");
    (void)add(2, 7, "b");
    owner = hint_owner_find(hints, 7);
    hint_send(find(7, "a"));
    assert_int_equal(owner->sending_count, 1);
    assert_ptr_equal(hint_first(owner), find(7, "b"));
    assert_int_equal(hints_oldest_ms(hints), 5001); /* as long as it was not taken */
    assert_false(hint_sent(hints, find(7, "a"), false));
    assert_int_equal(owner->sending_count, 0);
    hint_send(find(7, "b"));
    assert_true(hint_sent(hints, find(7, "b"), true));
    assert_null(find(7, "b"));
    hint_send(find(7, "a"));
    assert_int_equal(add(3, 7, "a"), HINT_KNOWN);
    assert_false(hint_sent(hints, find(7, "a"), true)); /* what was given may be older than that */
    assert_ptr_equal(hint_first(owner), find(7, "a"));
    hint_send(find(7, "a"));
    assert_true(hint_sent(hints, find(7, "a"), true));
    assert_int_equal(hints_count(hints), 0);
}

static void test_D12_beyond_a_bound_anti_entropy_is_told(void **state)
{
    struct hint_row saved = {.owner = 7, .key = slice_text("saved"), .is_saved = true};
    char key[8];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        assert_int_equal(add(i + 1, 7, key), HINT_NEW);
    }
    assert_false(hints_are_lost(hints));
    assert_int_equal(add(400, 7, "x"), HINT_REFUSED);
    assert_true(hints_are_lost(hints));
    assert_int_equal(hint_add(hints, 400, &saved), HINT_NEW); /* it was within once */
    hint_drop(hints, 400, find(7, "saved"), false);
    assert_int_equal(add(401, 8, "x"), HINT_NEW); /* a bound per owner */
    for (unsigned i = 0; i < 300; i++) {
        (void)snprintf(key, sizeof(key), "%u", i);
        assert_non_null(find(7, key)); /* also after the table grew */
        hint_drop(hints, 500, find(7, key), false);
    }
    hints_tidy(hints);
    assert_non_null(hint_owner_find(hints, 7)); /* it still lacks a row */
    hint_agreed(hints, 7, 400);
    assert_true(hints_are_lost(hints));
    hint_agreed(hints, 7, 401);
    assert_false(hints_are_lost(hints));
    hints_tidy(hints);
    assert_null(hint_owner_find(hints, 7));
}

static void test_equal_copies_settle_what_was_missed_before(void **state)
{
    (void)state;
    (void)add(10, 7, "a");
    (void)add(20, 7, "b");
    hint_agreed(hints, 8, 30);
    assert_false(hint_is_settled(find(7, "a")));
    hint_agreed(hints, 7, 20);
    assert_true(hint_is_settled(find(7, "a")));
    assert_false(hint_is_settled(find(7, "b"))); /* missed when the comparison began */
    (void)add(25, 7, "a");
    assert_false(hint_is_settled(find(7, "a")));
    assert_false(hint_is_old(hints, find(7, "a"), 6010));
    assert_true(hint_is_old(hints, find(7, "a"), 6011));
    assert_false(hint_is_old(hints, find(7, "a"), 1)); /* a clock that went back */
    hint_drop(hints, 30, find(7, "a"), true);
    assert_true(hints_are_lost(hints));
}

static void test_each_hint_is_written_once(void **state)
{
    struct hint_row row = {.owner = 7, .key = slice_text("c"), .made_ms = 1, .is_saved = true};

    (void)state;
    (void)add(1, 7, "a");
    (void)add(2, 7, "b");
    (void)hint_add(hints, 3, &row);
    hint_drop(hints, 4, find(7, "a"), false); /* it came and went */
    assert_ptr_equal(hint_unsaved(hints), find(7, "b"));
    assert_null(hint_unsaved(hints));
    (void)add(5, 7, "d");
    row.key = slice_text("d"); /* there is a row of it already */
    assert_int_equal(hint_add(hints, 6, &row), HINT_KNOWN);
    assert_null(hint_unsaved(hints));
    hint_drop(hints, 7, find(7, "d"), false);
    hints_unsave(hints);
    assert_non_null(hint_unsaved(hints));
    assert_non_null(hint_unsaved(hints));
    assert_null(hint_unsaved(hints));
    assert_true(find(7, "c")->is_saved);
}

static void test_owners_are_bounded(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= HINT_OWNERS_MAX; id++)
        assert_int_equal(add(1, id, "a"), HINT_NEW);
    assert_int_equal(add(1, HINT_OWNERS_MAX + 1, "a"), HINT_REFUSED);
}

int main(void)
{
#define HINT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        HINT_TEST(test_a_row_missed_often_is_one_hint),
        HINT_TEST(test_a_hint_goes_when_it_was_given_and_not_missed_again),
        HINT_TEST(test_D12_beyond_a_bound_anti_entropy_is_told),
        HINT_TEST(test_equal_copies_settle_what_was_missed_before),
        HINT_TEST(test_each_hint_is_written_once),
        HINT_TEST(test_owners_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
