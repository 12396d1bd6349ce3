/* crdt_settle_test.c: which parts of a row may go, and what is left of it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "crdt.h"

static void put(struct crdt_object *object, uint64_t actor, uint64_t stamp)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};

    assert_int_equal(crdt_object_write(object, NULL, actor, stamp, &value), STATUS_OK);
}

static void test_only_entries_without_values_are_trimmed(void **state)
{
    struct crdt_object object;
    struct crdt_mark marks[8];

    (void)state;
    crdt_object_clear(&object);
    for (uint64_t i = 1; i <= 4; i++)
        put(&object, i, 10 * i);
    assert_false(crdt_object_is_wide(&object, 4));
    assert_true(crdt_object_is_wide(&object, 3));
    assert_int_equal(crdt_object_marks(&object, marks, 8), 3);
    assert_int_equal(crdt_object_marks(&object, marks, 2), 2);
    marks[1].stamp = 19; /* it was seen further since */
    assert_true(crdt_object_settle(&object, marks, 2, NULL, NULL));
    assert_int_equal(object.entry_count, 3);
    assert_int_equal(object.entries[0].actor, 2);
    assert_int_equal(object.value_count, 1);
    assert_false(crdt_object_settle(&object, marks, 2, NULL, NULL));
}

static void test_a_mark_holds_where_nothing_is_left(void **state)
{
    struct crdt_object object;
    struct crdt_mark mark = {.actor = 1, .stamp = 99};

    (void)state;
    crdt_object_clear(&object);
    put(&object, 1, 10);
    assert_false(crdt_mark_holds(&object, &mark));
    put(&object, 2, 20);
    assert_true(crdt_mark_holds(&object, &mark));
    assert_int_equal(mark.stamp, 10);
    mark.actor = 3;
    assert_true(crdt_mark_holds(&object, &mark));
    assert_int_equal(mark.stamp, 0);
    mark.is_fold = true;
    assert_false(crdt_mark_holds(&object, &mark));
}

static void test_totals_move_to_another_actor(void **state)
{
    static uint8_t bodies[CRDT_TOTALS_MAX + 1][CRDT_UPDATE_ROOM], room[CRDT_COUNTER_ROOM];
    struct crdt_object object;
    struct crdt_mark marks[32];
    uint8_t arg[8];
    int64_t value;
    unsigned count;

    (void)state;
    crdt_object_clear(&object);
    for (uint64_t i = 0; i <= CRDT_TOTALS_MAX; i++) {
        struct crdt_update update = {.type = CRDT_COUNTER, .arg = slice_of(arg, 8)};
        struct dot dot = {i + 1, i + 1};

        assert_int_equal(crdt_object_marks(&object, marks, 32), 0);
        bytes_store_u64(arg, i % 2 ? 100 : (uint64_t)-7);
        assert_int_equal(crdt_object_update(&object, NULL, &dot, &update, bodies[i]), STATUS_OK);
    }
    count = crdt_object_marks(&object, marks, 32);
    assert_int_equal(count, CRDT_TOTALS_MAX + 1);
    marks[0].stamp = 9; /* not these totals: they stay where they are */
    assert_true(crdt_object_settle(&object, marks, count, &(struct dot){3, 100}, room));
    assert_int_equal(object.value_count, 2);
    assert_int_equal(crdt_counter_value(&object, &value), STATUS_OK);
    assert_int_equal(value, 4 * 100 - 5 * 7);
    count = crdt_object_marks(&object, marks, 32);
    assert_int_equal(count, CRDT_TOTALS_MAX - 1); /* what is left of them, to be trimmed */
    assert_true(crdt_object_settle(&object, marks, count, NULL, room));
    assert_int_equal(object.entry_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_entries_without_values_are_trimmed),
        cmocka_unit_test(test_a_mark_holds_where_nothing_is_left),
        cmocka_unit_test(test_totals_move_to_another_actor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
