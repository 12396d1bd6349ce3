/* crdt_counter_test.c: totals per actor, sums, the edges of 64 bits. */
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

static enum status add(struct crdt_object *object, uint64_t actor, int64_t delta)
{
    uint8_t arg[8];

    bytes_store_u64(arg, (uint64_t)delta);
    return update(object, NULL, actor, CRDT_COUNTER, slice_of(arg, sizeof(arg)));
}

static int64_t value_of(const struct crdt_object *object)
{
    int64_t value;

    assert_int_equal(crdt_counter_value(object, &value), STATUS_OK);
    return value;
}

static void test_each_actor_keeps_one_value(void **state)
{
    struct crdt_object object;

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(value_of(&object), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(add(&object, 7, 10), STATUS_OK);
        assert_int_equal(add(&object, 8, -3), STATUS_OK);
    }
    assert_int_equal(value_of(&object), 35);
    assert_int_equal(object.entry_count, 2);
    assert_int_equal(object.value_count, 2);
    assert_int_equal(object.values[0].body_size, 2); /* 50, 0 */
    assert_memory_equal(object.values[0].body.data, "\x32\0", 2);
    assert_memory_equal(object.values[1].body.data, "\0\x0f", 2);
}

static void test_concurrent_changes_add_up(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(add(&a, 1, 100), STATUS_OK);
    crdt_object_copy(&b, &a);
    assert_int_equal(add(&a, 1, 5), STATUS_OK);
    assert_int_equal(add(&b, 2, -7), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(value_of(&a), 98);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(value_of(&a), 98);
}

/* An owner that lost its row goes on under another actor (node_actor.c): the sum stays right. Under
 * the same one it would claim to know what it has forgotten, and all would forget it. */
static void test_totals_begun_apart_are_added(void **state)
{
    struct crdt_object before, after, same;

    (void)state;
    crdt_object_clear(&before);
    crdt_object_clear(&after);
    assert_int_equal(add(&before, 1, 5), STATUS_OK);
    assert_int_equal(add(&after, 2, 1), STATUS_OK);
    crdt_object_copy(&same, &after);
    assert_int_equal(add(&after, 3, 2), STATUS_OK);
    assert_int_equal(crdt_object_merge(&after, &before), STATUS_OK);
    assert_int_equal(after.value_count, 3);
    assert_int_equal(value_of(&after), 8);
    assert_int_equal(add(&same, 1, 2), STATUS_OK);
    assert_int_equal(crdt_object_merge(&same, &before), STATUS_OK);
    assert_int_equal(value_of(&same), 3);
}

static void test_a_delete_takes_what_it_saw(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(add(&a, 1, 10), STATUS_OK);
    assert_int_equal(add(&a, 2, 10), STATUS_OK);
    crdt_object_copy(&b, &a);
    assert_int_equal(update(&a, NULL, 1, CRDT_TOMBSTONE, SLICE_NONE), STATUS_OK);
    assert_int_equal(crdt_object_types(&a), 0);
    assert_int_equal(add(&b, 2, 1), STATUS_OK);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    assert_int_equal(value_of(&a), 11); /* api.md 5: it comes back with that peer's counts */
    assert_int_equal(add(&a, 2, 1), STATUS_OK);
    assert_int_equal(a.value_count, 1); /* the tombstone is not needed beside a value */
    assert_int_equal(value_of(&a), 12);
}

static void test_the_edges_of_64_bits(void **state)
{
    struct crdt_object a, b;
    int64_t value;

    (void)state;
    crdt_object_clear(&a);
    assert_int_equal(add(&a, 1, INT64_MAX), STATUS_OK);
    assert_int_equal(add(&a, 1, 1), STATUS_OVERFLOW);
    assert_int_equal(value_of(&a), INT64_MAX);
    crdt_object_copy(&b, &a);
    assert_int_equal(add(&a, 1, -5), STATUS_OK);
    assert_int_equal(add(&a, 1, 3), STATUS_OK);
    assert_int_equal(add(&a, 1, -1), STATUS_OK);
    assert_int_equal(add(&b, 2, -1), STATUS_OK);
    assert_int_equal(add(&b, 3, 1), STATUS_OK);
    crdt_object_clear(&b);
    assert_int_equal(add(&b, 2, INT64_MAX), STATUS_OK);
    assert_int_equal(crdt_object_merge(&b, &a), STATUS_OK);
    assert_int_equal(crdt_counter_value(&b, &value), STATUS_OVERFLOW);
    assert_int_equal(value, INT64_MAX);
    assert_int_equal(add(&b, 2, 1), STATUS_OVERFLOW);
    assert_int_equal(add(&b, 2, -1), STATUS_OK); /* the way back is open */
    crdt_object_clear(&a);
    assert_int_equal(add(&a, 1, INT64_MIN), STATUS_OK);
    assert_int_equal(value_of(&a), INT64_MIN);
    assert_int_equal(add(&a, 1, -1), STATUS_OVERFLOW);
    /* Totals beyond 64 bits are refused even where the sum is small. */
    crdt_object_clear(&a);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(add(&a, 1, INT64_MAX), STATUS_OK);
        assert_int_equal(add(&a, 1, -INT64_MAX), STATUS_OK);
    }
    assert_int_equal(add(&a, 1, 2), STATUS_OVERFLOW);
    assert_int_equal(add(&a, 2, 2), STATUS_OK); /* another owner may */
}

/* More actors than siblings are allowed: totals are no siblings. */
static void test_actors_are_not_siblings(void **state)
{
    static struct crdt_object object;

    (void)state;
    crdt_object_clear(&object);
    rooms_used = 0;
    for (uint64_t actor = 1; actor <= OBJECT_ENTRIES_MAX; actor++) {
        struct crdt_object part;
        uint8_t body[2] = {1, 0};
        const struct crdt_context none = {0};
        const struct crdt_value one = {.kind = CRDT_COUNTER, .body = slice_of("\1\0", 2)};

        (void)body;
        crdt_object_clear(&part);
        assert_int_equal(crdt_object_write(&part, &none, actor, actor, &one), STATUS_OK);
        assert_int_equal(crdt_object_merge(&object, &part), STATUS_OK);
    }
    assert_int_equal(value_of(&object), OBJECT_ENTRIES_MAX);
    assert_int_equal(add(&object, 3, 1), STATUS_OK);
    assert_int_equal(add(&object, 9999, 1), STATUS_TOO_LARGE);
    assert_int_equal(value_of(&object), OBJECT_ENTRIES_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_actor_keeps_one_value),
        cmocka_unit_test(test_concurrent_changes_add_up),
        cmocka_unit_test(test_totals_begun_apart_are_added),
        cmocka_unit_test(test_a_delete_takes_what_it_saw),
        cmocka_unit_test(test_the_edges_of_64_bits),
        cmocka_unit_test(test_actors_are_not_siblings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
