/* crdt_register_test.c: what is shown of an object, and the hashes that stand for it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"

static void add(struct crdt_object *object, uint64_t actor, uint64_t stamp, const char *body)
{
    struct crdt_object part;
    const struct crdt_context none = {0};
    struct crdt_value value = {.kind = CRDT_TOMBSTONE};

    if (body != NULL)
        value = (struct crdt_value){.kind = CRDT_VALUE, .body = slice_text(body)};
    crdt_object_clear(&part);
    assert_int_equal(crdt_object_write(&part, &none, actor, stamp, &value), STATUS_OK);
    assert_int_equal(crdt_object_merge(object, &part), STATUS_OK);
}

static void test_the_winner_is_the_newest_value(void **state)
{
    struct crdt_object object;
    uint16_t winner;

    (void)state;
    crdt_object_clear(&object);
    assert_false(crdt_object_winner(&object, &winner));
    add(&object, 1, 50, NULL);
    assert_true(crdt_object_winner(&object, &winner));
    assert_int_equal(object.values[winner].kind, CRDT_TOMBSTONE);
    add(&object, 2, 10, "old");
    add(&object, 3, 20, "tie");
    add(&object, 4, 20, "won");
    assert_true(crdt_object_winner(&object, &winner));
    assert_true(slice_equal(object.values[winner].body, slice_text("won")));
}

static void test_siblings_come_winner_first_and_equal_ones_once(void **state)
{
    struct crdt_object object;
    uint16_t order[OBJECT_VALUES_MAX];

    (void)state;
    crdt_object_clear(&object);
    assert_int_equal(crdt_object_siblings(&object, order), 0);
    add(&object, 1, 90, NULL);
    add(&object, 2, 80, NULL);
    add(&object, 3, 10, "same");
    add(&object, 4, 20, "same");
    add(&object, 5, 15, "other");
    assert_int_equal(crdt_object_siblings(&object, order), 3);
    assert_int_equal(object.values[order[0]].actor, 4);
    assert_int_equal(object.values[order[1]].actor, 5);
    assert_int_equal(object.values[order[2]].kind, CRDT_TOMBSTONE);
    assert_int_equal(crdt_object_live_count(&object), 2);
    /* A head cannot tell bodies apart, so it shows them all. */
    crdt_object_strip(&object);
    assert_int_equal(crdt_object_live_count(&object), 3);
}

static void test_etags_follow_dots(void **state)
{
    (void)state;
    assert_int_equal(crdt_etag(1, 2), crdt_etag(1, 2));
    assert_true(crdt_etag(1, 2) != crdt_etag(2, 1));
    assert_true(crdt_etag(1, 2) != crdt_etag(1, 3));
}

static void test_fingerprints_are_made_of_values_only(void **state)
{
    const uint8_t seed[HASH_SEED_SIZE] = {1};
    const struct hash16 zero = {{0}};
    struct crdt_object object, trimmed;
    struct hash16 before, after;

    (void)state;
    crdt_object_clear(&object);
    after = crdt_object_fingerprint(seed, slice_text("row"), &object);
    assert_memory_equal(&after, &zero, sizeof(zero));
    add(&object, 7, 3, "v");
    before = crdt_object_fingerprint(seed, slice_text("row"), &object);
    assert_memory_not_equal(&before, &zero, sizeof(zero));
    /* An entry without values changes nothing here, but it does change the digest. */
    crdt_object_clear(&trimmed);
    trimmed.entry_count = 1;
    trimmed.entries[0] = (struct crdt_entry){.actor = 5, .seen = 2};
    assert_int_equal(crdt_object_merge(&trimmed, &object), STATUS_OK);
    after = crdt_object_fingerprint(seed, slice_text("row"), &trimmed);
    assert_memory_equal(&before, &after, sizeof(before));
    after = crdt_object_fingerprint(seed, slice_text("raw"), &object);
    assert_memory_not_equal(&before, &after, sizeof(before));
    before = crdt_object_digest(&object);
    after = crdt_object_digest(&trimmed);
    assert_memory_not_equal(&before, &after, sizeof(before));
}

static void test_domination_and_the_largest_stamp(void **state)
{
    struct crdt_object newer, older;
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("w")};

    (void)state;
    crdt_object_clear(&older);
    assert_int_equal(crdt_object_stamp_max(&older), 0);
    add(&older, 1, 4, "v");
    crdt_object_copy(&newer, &older);
    assert_int_equal(crdt_object_write(&newer, NULL, 2, 9, &value), STATUS_OK);
    assert_true(crdt_object_dominates(&newer, &older));
    assert_false(crdt_object_dominates(&older, &newer));
    assert_true(crdt_object_dominates(&older, &older));
    assert_int_equal(crdt_object_stamp_max(&newer), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_winner_is_the_newest_value),
        cmocka_unit_test(test_siblings_come_winner_first_and_equal_ones_once),
        cmocka_unit_test(test_etags_follow_dots),
        cmocka_unit_test(test_fingerprints_are_made_of_values_only),
        cmocka_unit_test(test_domination_and_the_largest_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
