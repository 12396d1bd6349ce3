/* crdt_dvv_test.c: the rules told as small stories. The laws are in tests/laws. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"

enum { A = 10, B = 20, C = 30 };

static void put(struct crdt_object *object, const struct crdt_context *context, uint64_t actor,
                uint64_t stamp, const char *body)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text(body)};

    assert_int_equal(crdt_object_write(object, context, actor, stamp, &value), STATUS_OK);
}

static void assert_bodies(const struct crdt_object *object, const char *bodies)
{
    char found[OBJECT_VALUES_MAX + 1];

    for (unsigned i = 0; i < object->value_count; i++)
        found[i] = (char)object->values[i].body.data[0];
    found[object->value_count] = 0;
    assert_string_equal(found, bodies);
}

static void assert_equal(const struct crdt_object *a, const struct crdt_object *b)
{
    struct hash16 x = crdt_object_digest(a), y = crdt_object_digest(b);

    assert_memory_equal(x.bytes, y.bytes, sizeof(x.bytes));
}

static void merge(struct crdt_object *into, const struct crdt_object *other)
{
    assert_int_equal(crdt_object_merge(into, other), STATUS_OK);
}

static void test_a_blind_write_replaces_all_that_is_there(void **state)
{
    struct crdt_object object;

    (void)state;
    crdt_object_clear(&object);
    put(&object, NULL, A, 1, "a");
    put(&object, NULL, B, 2, "b");
    assert_bodies(&object, "b");
    assert_int_equal(object.entries[0].seen, 1);
    assert_int_equal(object.entries[0].value_count, 0);
    put(&object, NULL, A, 3, "c");
    assert_bodies(&object, "c");
}

static void test_concurrent_writes_become_siblings(void **state)
{
    struct crdt_object x, y;

    (void)state;
    crdt_object_clear(&x);
    crdt_object_clear(&y);
    put(&x, NULL, A, 1, "a");
    put(&y, NULL, B, 1, "b");
    merge(&x, &y);
    assert_bodies(&x, "ab");
    merge(&y, &x);
    assert_equal(&x, &y);
    put(&x, NULL, A, 2, "c");
    merge(&x, &y);
    assert_bodies(&x, "c");
}

/* "You can only discard what you were shown": the newer of two values of one actor goes, the older
 * stays, on every copy. */
static void test_only_the_shown_value_is_discarded(void **state)
{
    struct crdt_object object, copy;
    struct crdt_context none = {0}, shown;
    uint16_t winner;

    (void)state;
    crdt_object_clear(&object);
    put(&object, &none, A, 1, "a");
    put(&object, &none, A, 2, "b");
    crdt_object_copy(&copy, &object);
    assert_true(crdt_object_winner(&object, &winner));
    crdt_context_of_shown(&object, winner, &shown);
    put(&object, &shown, B, 3, "c");
    assert_bodies(&object, "ac");
    assert_int_equal(object.gone_count, 0); /* (A,2) was seen: that it is not there says it */
    merge(&copy, &object);
    assert_bodies(&copy, "ac");
    crdt_context_of_all(&copy, &shown);
    put(&copy, &shown, B, 4, "d");
    assert_bodies(&copy, "d");
    assert_int_equal(copy.gone_count, 0);
    assert_int_equal(copy.entries[0].seen, 2);
}

/* A token about (A,2) reaches a copy that never saw A: the dot is gone there, but (A,1), which
 * nobody discarded, may still come. */
static void test_seen_does_not_grow_by_a_token(void **state)
{
    struct crdt_object object, behind;
    struct crdt_context none = {0}, shown;

    (void)state;
    crdt_object_clear(&object);
    crdt_object_clear(&behind);
    put(&object, &none, A, 1, "a");
    put(&object, &none, A, 2, "b");
    crdt_context_of_shown(&object, 1, &shown);
    put(&behind, &shown, B, 3, "c");
    assert_bodies(&behind, "c");
    assert_int_equal(behind.entries[0].seen, 0);
    assert_int_equal(behind.entries[0].gone_count, 1);
    merge(&behind, &object);
    assert_bodies(&behind, "ac");
}

/* A value that nobody resolves, and a thousand writes beside it: the key does not grow. */
static void test_an_old_sibling_does_not_make_the_key_grow(void **state)
{
    struct crdt_object object, copy;
    struct crdt_context none = {0}, shown;
    uint16_t winner;

    (void)state;
    crdt_object_clear(&object);
    put(&object, &none, A, 1, "a");
    put(&object, &none, A, 2, "b");
    for (uint64_t stamp = 3; stamp < 1000; stamp++) {
        assert_true(crdt_object_winner(&object, &winner));
        crdt_context_of_shown(&object, winner, &shown);
        put(&object, &shown, stamp % 2 ? A : B, stamp, "c");
        crdt_object_copy(&copy, &object);
        merge(&object, &copy);
    }
    assert_bodies(&object, "ac");
    assert_in_range(crdt_object_size(&object), 1, 100);
}

static void test_a_late_copy_does_not_bring_back_what_is_discarded(void **state)
{
    struct crdt_object object, late;
    const struct crdt_value tombstone = {.kind = CRDT_TOMBSTONE};
    struct crdt_context all;

    (void)state;
    crdt_object_clear(&object);
    put(&object, NULL, A, 1, "a");
    crdt_object_copy(&late, &object);
    crdt_context_of_all(&object, &all);
    assert_int_equal(crdt_object_write(&object, &all, B, 2, &tombstone), STATUS_OK);
    merge(&object, &late);
    assert_int_equal(object.value_count, 1);
    assert_int_equal(object.values[0].kind, CRDT_TOMBSTONE);
    merge(&late, &object);
    assert_equal(&late, &object);
}

static void test_one_dot_with_two_contents_is_corrupt(void **state)
{
    struct crdt_object x, y, before;

    (void)state;
    crdt_object_clear(&x);
    crdt_object_clear(&y);
    put(&x, NULL, A, 1, "a");
    put(&y, NULL, A, 1, "b");
    crdt_object_copy(&before, &x);
    assert_int_equal(crdt_object_merge(&x, &y), STATUS_CORRUPT);
    assert_equal(&x, &before);
    assert_bodies(&x, "a");
}

static void test_the_sibling_limit_refuses_one_more(void **state)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};
    struct crdt_object object, other;
    struct crdt_context none = {0}, shown;
    uint64_t stamp = 0;

    (void)state;
    crdt_object_clear(&object);
    crdt_object_clear(&other);
    while (stamp < SIBLINGS_MAX)
        put(&object, &none, A, ++stamp, "v");
    assert_int_equal(crdt_object_write(&object, &none, A, stamp + 1, &value), STATUS_SIBLING_LIMIT);
    assert_int_equal(object.value_count, SIBLINGS_MAX);
    /* Merging drops none, and above the limit a write that takes one away is welcome. */
    put(&other, &none, B, 1, "w");
    merge(&object, &other);
    assert_int_equal(object.value_count, SIBLINGS_MAX + 1);
    crdt_context_of_shown(&object, SIBLINGS_MAX, &shown);
    put(&object, &shown, A, stamp + 1, "x");
    assert_int_equal(object.value_count, SIBLINGS_MAX + 1);
    put(&object, NULL, A, stamp + 2, "y");
    assert_bodies(&object, "y");
}

static void test_a_stamp_must_be_above_all_it_follows(void **state)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};
    struct crdt_context future = {.vector_count = 1, .vector = {{A, 9}}};
    struct crdt_object object;

    (void)state;
    crdt_object_clear(&object);
    put(&object, NULL, A, 5, "a");
    assert_int_equal(crdt_object_write(&object, NULL, B, 5, &value), STATUS_CONTEXT);
    assert_int_equal(crdt_object_write(&object, &future, B, 9, &value), STATUS_CONTEXT);
    assert_int_equal(crdt_object_write(&object, NULL, B, (uint64_t)CRDT_STAMP_MAX + 1, &value),
                     STATUS_CONTEXT);
    assert_bodies(&object, "a");
    put(&object, &future, B, 10, "b");
    assert_bodies(&object, "b");
}

static void test_bounds_are_answers(void **state)
{
    static uint8_t large[VALUE_SIZE_MAX + 1];
    struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_of(large, sizeof(large))};
    struct crdt_context none = {0};
    struct crdt_object object, other;

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, NULL, A, 1, &value), STATUS_TOO_LARGE);
    for (uint64_t actor = 1; actor <= OBJECT_ENTRIES_MAX; actor++)
        put(&object, NULL, actor, actor, "v");
    value.body = slice_text("v");
    assert_int_equal(crdt_object_write(&object, NULL, 999, 999, &value), STATUS_TOO_LARGE);
    assert_int_equal(object.entry_count, OBJECT_ENTRIES_MAX);
    /* Two values of the largest size fill an object; a third does not fit. */
    value.body = slice_of(large, VALUE_SIZE_MAX);
    crdt_object_clear(&object);
    crdt_object_clear(&other);
    assert_int_equal(crdt_object_write(&object, &none, A, 1, &value), STATUS_OK);
    assert_int_equal(crdt_object_write(&other, &none, B, 1, &value), STATUS_OK);
    assert_int_equal(crdt_object_merge(&object, &other), STATUS_TOO_LARGE);
    assert_int_equal(object.value_count, 1);
}

static void test_ten_thousand_interleaving_clients_leave_few_siblings(void **state)
{
    struct crdt_object object;
    struct crdt_context contexts[2] = {{0}, {0}};

    (void)state;
    crdt_object_clear(&object);
    for (uint64_t round = 1; round <= 10000; round++) {
        struct crdt_context *own = &contexts[round % 2];

        put(&object, own, A, round, "v");
        crdt_context_of_write(&object, A, round, own);
        assert_true(object.value_count <= 2);
    }
    assert_true(crdt_object_size(&object) <= 64);
}

/* Four concurrent writes; each of 24 orders of arrival, collapsing on the way, ends in one state.
 */
static void test_of_concurrent_values_the_newest_stays(void **state)
{
    static struct crdt_object parts[4], owner, first;
    const struct crdt_context none = {0};
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};
    const struct crdt_value tombstone = {.kind = CRDT_TOMBSTONE};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        crdt_object_clear(&parts[i]);
        assert_int_equal(
            crdt_object_write(&parts[i], &none, 9 - i, 10 + i / 2, i == 2 ? &tombstone : &value),
            STATUS_OK);
    }
    for (unsigned order = 0; order < 24; order++) {
        unsigned left[] = {0, 1, 2, 3}, rest = order;

        crdt_object_clear(&owner);
        for (unsigned count = 4; count > 0; count--) {
            unsigned at = rest % count;

            rest /= count;
            assert_int_equal(crdt_object_merge(&owner, &parts[left[at]]), STATUS_OK);
            assert_int_equal(crdt_object_newest(&owner), STATUS_OK);
            left[at] = left[count - 1];
        }
        assert_int_equal(owner.value_count, 1);
        assert_int_equal(owner.values[0].stamp, 11);
        assert_int_equal(owner.values[0].actor, 7); /* ties by actor; here it is the delete */
        assert_int_equal(owner.values[0].kind, CRDT_TOMBSTONE);
        if (order == 0)
            crdt_object_copy(&first, &owner);
        assert_true(crdt_object_dominates(&first, &owner));
        assert_true(crdt_object_dominates(&owner, &first));
    }
    for (unsigned i = 0; i < 4; i++) /* what lost does not come back */
        assert_true(crdt_object_dominates(&owner, &parts[i]));
    crdt_object_copy(&owner, &parts[0]);
    assert_int_equal(crdt_object_merge(&owner, &parts[1]), STATUS_OK);
    crdt_object_strip(&owner); /* heads collapse alike */
    assert_int_equal(crdt_object_newest(&owner), STATUS_OK);
    assert_int_equal(owner.value_count, 1);
    assert_int_equal(owner.values[0].actor, 9);
}

/* Values of other types merge by their own rules. */
static void test_other_types_are_not_collapsed(void **state)
{
    struct crdt_object object;
    const struct crdt_context none = {0};
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, &none, 1, 10, &value), STATUS_OK);
    assert_int_equal(crdt_object_write(&object, &none, 2, 11, &value), STATUS_OK);
    object.values[0].kind = (enum crdt_kind)5;
    assert_int_equal(crdt_object_newest(&object), STATUS_OK);
    assert_int_equal(object.value_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_blind_write_replaces_all_that_is_there),
        cmocka_unit_test(test_concurrent_writes_become_siblings),
        cmocka_unit_test(test_only_the_shown_value_is_discarded),
        cmocka_unit_test(test_seen_does_not_grow_by_a_token),
        cmocka_unit_test(test_an_old_sibling_does_not_make_the_key_grow),
        cmocka_unit_test(test_a_late_copy_does_not_bring_back_what_is_discarded),
        cmocka_unit_test(test_one_dot_with_two_contents_is_corrupt),
        cmocka_unit_test(test_the_sibling_limit_refuses_one_more),
        cmocka_unit_test(test_a_stamp_must_be_above_all_it_follows),
        cmocka_unit_test(test_bounds_are_answers),
        cmocka_unit_test(test_ten_thousand_interleaving_clients_leave_few_siblings),
        cmocka_unit_test(test_of_concurrent_values_the_newest_stays),
        cmocka_unit_test(test_other_types_are_not_collapsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
