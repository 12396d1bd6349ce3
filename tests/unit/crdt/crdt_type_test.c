/* crdt_type_test.c: what each type replaces, what it refuses, how it is read. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"

static uint8_t rooms[64][CRDT_UPDATE_ROOM];
static unsigned rooms_used;

static enum status update(struct crdt_object *object, const struct crdt_context *context,
                          uint64_t actor, enum crdt_kind type, struct slice arg)
{
    static const uint8_t seed[HASH_SEED_SIZE];
    const struct crdt_update change = {type, arg, seed};
    const struct dot dot = {actor, crdt_object_stamp_max(object) + 1};

    return crdt_object_update(object, context, &dot, &change, rooms[rooms_used++ % 64]);
}

static unsigned live(const struct crdt_object *object)
{
    unsigned count = 0;

    for (unsigned i = 0; i < object->value_count; i++)
        count += object->values[i].kind != CRDT_TOMBSTONE;
    return count;
}

static bool flag_of(const struct crdt_object *object)
{
    for (unsigned i = 0; i < object->value_count; i++)
        if (object->values[i].kind == CRDT_FLAG && object->values[i].body.data[0] == 1)
            return true;
    return false;
}

static void test_enable_wins(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(update(&a, NULL, 1, CRDT_FLAG, slice_of("\1", 1)), STATUS_OK);
    crdt_object_copy(&b, &a);
    assert_int_equal(update(&a, NULL, 1, CRDT_FLAG, slice_of("\0", 1)), STATUS_OK);
    assert_false(flag_of(&a));
    assert_int_equal(crdt_object_types(&a), 1u << CRDT_FLAG); /* it keeps its type */
    assert_int_equal(update(&b, NULL, 2, CRDT_FLAG, slice_of("\1", 1)), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_true(flag_of(&a));
    assert_int_equal(update(&a, NULL, 1, CRDT_FLAG, slice_of("\0", 1)), STATUS_OK);
    assert_false(flag_of(&a));
    assert_int_equal(a.value_count, 1);
}

static void test_a_register_keeps_one_value(void **state)
{
    struct crdt_object a, b;
    uint16_t winner;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(update(&a, NULL, 1, CRDT_REGISTER, slice_text("one")), STATUS_OK);
    crdt_object_copy(&b, &a);
    assert_int_equal(update(&a, NULL, 1, CRDT_REGISTER, slice_text("left")), STATUS_OK);
    assert_int_equal(update(&b, NULL, 2, CRDT_REGISTER, slice_text("right")), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_true(crdt_object_winner(&a, &winner));
    assert_true(slice_equal(a.values[winner].body, slice_text("right"))); /* ties by actor */
    assert_int_equal(update(&a, NULL, 1, CRDT_REGISTER, slice_text("next")), STATUS_OK);
    assert_int_equal(a.value_count, 1);
}

static void test_a_mvregister_replaces_what_its_context_names(void **state)
{
    struct crdt_object a, b;
    struct crdt_context context;

    (void)state;
    crdt_object_clear(&a);
    crdt_object_clear(&b);
    assert_int_equal(update(&a, NULL, 1, CRDT_MVREGISTER, slice_text("x")), STATUS_OK);
    crdt_context_of_all(&a, &context);
    assert_int_equal(update(&b, NULL, 2, CRDT_MVREGISTER, slice_text("y")), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(live(&a), 2);
    assert_int_equal(update(&a, &context, 3, CRDT_MVREGISTER, slice_text("z")), STATUS_OK);
    assert_int_equal(live(&a), 2); /* y and z */
    assert_int_equal(update(&a, NULL, 3, CRDT_MVREGISTER, slice_text("w")), STATUS_OK);
    assert_int_equal(live(&a), 1);
}

static void test_a_concurrent_add_survives_a_remove(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(update(&a, NULL, 1, CRDT_VALUE, SLICE_NONE), STATUS_OK);
    crdt_object_copy(&b, &a);
    assert_int_equal(update(&a, NULL, 1, CRDT_TOMBSTONE, SLICE_NONE), STATUS_OK);
    assert_int_equal(live(&a), 0);
    assert_int_equal(update(&b, NULL, 2, CRDT_VALUE, SLICE_NONE), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(live(&a), 1);
    crdt_object_copy(&b, &a);
    assert_int_equal(update(&a, NULL, 2, CRDT_TOMBSTONE, SLICE_NONE), STATUS_OK);
    assert_int_equal(live(&a), 0);
    assert_int_equal(update(&a, NULL, 2, CRDT_TOMBSTONE, SLICE_NONE), STATUS_MISSING);
}

/* A context made of other rows names actors this row never heard of, and stamps it has not seen:
 * none of that may enter the row. */
static void test_a_removal_takes_only_what_is_there(void **state)
{
    struct crdt_object object;
    const struct crdt_context wide = {.vector_count = 3, .vector = {{1, 1}, {2, 900}, {3, 900}}};
    const struct crdt_context early = {.vector_count = 1, .vector = {{2, 1}}};

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(update(&object, NULL, 1, CRDT_VALUE, SLICE_NONE), STATUS_OK); /* (1, 1) */
    assert_int_equal(update(&object, NULL, 2, CRDT_VALUE, SLICE_NONE), STATUS_OK); /* (2, 2) */
    assert_int_equal(update(&object, &early, 1, CRDT_TOMBSTONE, SLICE_NONE), STATUS_MISSING);
    assert_int_equal(live(&object), 1);
    assert_int_equal(update(&object, &wide, 1, CRDT_TOMBSTONE, SLICE_NONE), STATUS_OK);
    assert_int_equal(live(&object), 0);
    assert_int_equal(object.entry_count, 2);
    assert_int_equal(crdt_object_stamp_max(&object), 3); /* not 900 */
}

static void test_hll_joins_what_it_sees(void **state)
{
    struct crdt_object a, b;
    struct crdt_hll hll;

    (void)state;
    crdt_object_clear(&a);
    crdt_object_clear(&b);
    assert_int_equal(update(&a, NULL, 1, CRDT_HLL, slice_of("\0\1x\0\1y", 6)), STATUS_OK);
    assert_int_equal(update(&b, NULL, 2, CRDT_HLL, slice_of("\0\1z", 3)), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    crdt_hll_of_object(&hll, &a);
    assert_int_equal(crdt_hll_estimate(&hll), 3);
    assert_int_equal(update(&a, NULL, 1, CRDT_HLL, slice_of("\0\1x", 3)), STATUS_OK);
    assert_int_equal(a.value_count, 1);
    crdt_hll_of_object(&hll, &a);
    assert_int_equal(crdt_hll_estimate(&hll), 3);
}

static void test_another_type_is_refused(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    crdt_object_clear(&b);
    assert_int_equal(update(&a, NULL, 1, CRDT_SET, SLICE_NONE), STATUS_OK);
    assert_int_equal(update(&a, NULL, 1, CRDT_FLAG, slice_of("\1", 1)), STATUS_TYPE);
    assert_int_equal(update(&a, NULL, 1, CRDT_VALUE, SLICE_NONE), STATUS_TYPE);
    assert_int_equal(crdt_object_types(&a), 1u << CRDT_SET);
    assert_int_equal(update(&b, NULL, 2, CRDT_FLAG, slice_of("\1", 1)), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(crdt_object_types(&a), 1u << CRDT_SET | 1u << CRDT_FLAG);
    assert_int_equal(update(&a, NULL, 1, CRDT_TOMBSTONE, SLICE_NONE), STATUS_OK);
    assert_int_equal(update(&a, NULL, 1, CRDT_FLAG, slice_of("\1", 1)), STATUS_OK);
}

static void test_arguments_from_outside(void **state)
{
    (void)state;
    assert_true(crdt_update_is_sound(CRDT_COUNTER, slice_of("12345678", 8)));
    assert_false(crdt_update_is_sound(CRDT_COUNTER, slice_of("1234567", 7)));
    assert_false(crdt_update_is_sound(CRDT_FLAG, slice_of("\2", 1)));
    assert_false(crdt_update_is_sound(CRDT_HLL, slice_of("\0\5abc", 5)));
    assert_false(crdt_update_is_sound(CRDT_SET, slice_of("a", 1)));
    assert_false(crdt_update_is_sound((enum crdt_kind)0, SLICE_NONE));
    assert_false(crdt_update_is_sound((enum crdt_kind)10, SLICE_NONE));
    assert_true(crdt_update_is_sound(CRDT_REGISTER, SLICE_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enable_wins),
        cmocka_unit_test(test_a_register_keeps_one_value),
        cmocka_unit_test(test_a_mvregister_replaces_what_its_context_names),
        cmocka_unit_test(test_a_concurrent_add_survives_a_remove),
        cmocka_unit_test(test_a_removal_takes_only_what_is_there),
        cmocka_unit_test(test_hll_joins_what_it_sees),
        cmocka_unit_test(test_another_type_is_refused),
        cmocka_unit_test(test_arguments_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
