/* crdt_expire_test.c: an expired value is a tombstone under the same dot, and nothing else. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "crdt.h"

#define WALL UINT64_C(1700000000000)

static uint8_t bytes[4096];

static struct slice spell(const struct crdt_object *object)
{
    struct writer out = writer_over(bytes, sizeof(bytes));

    assert_int_equal(crdt_object_encode(object, &out), STATUS_OK);
    assert_int_equal(out.size, crdt_object_size(object));
    return writer_done(&out);
}

/* Adds a value beside what is there. */
static void add(struct crdt_object *object, uint64_t actor, uint64_t stamp, const char *body,
                uint64_t expires)
{
    const struct crdt_context none = {0};
    const struct crdt_value value = {
        .kind = CRDT_VALUE, .expires = expires, .body = slice_text(body)};

    assert_int_equal(crdt_object_write(object, &none, actor, stamp, &value), STATUS_OK);
}

static void test_an_expiry_costs_six_bytes_behind_the_kind(void **state)
{
    const uint8_t expected[] = {0x93, 0, 0,    0, 0, 0, 7, 0, 0, 0, 0,   0,  0,
                                0,    9, 0x81, 1, 2, 3, 4, 5, 6, 0, 'h', 'i'};
    struct crdt_object object, again;
    struct slice spelled;

    (void)state;
    crdt_object_clear(&object);
    add(&object, 7, 9, "hi", UINT64_C(0x010203040506));
    spelled = spell(&object);
    assert_int_equal(spelled.size, sizeof(expected));
    assert_memory_equal(spelled.data, expected, sizeof(expected));
    assert_int_equal(crdt_object_decode(spelled, &again), STATUS_OK);
    assert_true(again.values[0].expires == UINT64_C(0x010203040506));
    assert_int_equal(again.values[0].kind, CRDT_VALUE);
    /* The long shape, and heads, and the largest expiry there is. */
    add(&object, 7, 10, "ho", CRDT_EXPIRES_MAX);
    assert_int_equal(crdt_object_decode(spell(&object), &again), STATUS_OK);
    assert_true(again.values[1].expires == CRDT_EXPIRES_MAX);
    crdt_object_strip(&object);
    assert_int_equal(crdt_object_decode_head(spell(&object), &again), STATUS_OK);
    assert_true(again.values[0].expires == UINT64_C(0x010203040506));
    assert_int_equal(again.values[1].body_size, 2);
}

static void test_never_has_one_spelling(void **state)
{
    const uint8_t zero[] = {1, 0, 0, 0,    0, 0, 0, 0, 7, 0, 0, 0,   0,  0,
                            0, 0, 9, 0x81, 0, 0, 0, 0, 0, 0, 0, 'h', 'i'};
    const uint8_t cut[] = {1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0x81, 0, 0, 1};
    struct crdt_object object;

    (void)state;
    assert_int_equal(crdt_object_decode(slice_of(zero, sizeof(zero)), &object), STATUS_BAD);
    assert_int_equal(crdt_object_decode(slice_of(cut, sizeof(cut)), &object), STATUS_BAD);
}

static void test_at_its_expiry_a_value_is_a_tombstone(void **state)
{
    struct crdt_object object;
    struct hash16 digest;
    uint16_t winner, order[OBJECT_VALUES_MAX];

    (void)state;
    crdt_object_clear(&object);
    add(&object, 1, 10, "stays", 0);
    add(&object, 2, 20, "goes", WALL);
    digest = crdt_object_digest(&object);
    assert_int_equal(crdt_object_expire(&object, WALL - 1), 0);
    assert_true(crdt_object_winner(&object, &winner));
    assert_int_equal(object.values[winner].stamp, 20);
    assert_true(crdt_value_is_live(&object.values[1], WALL - 1));
    assert_false(crdt_value_is_live(&object.values[1], WALL));
    assert_int_equal(crdt_object_expire(&object, WALL), 1);
    assert_int_equal(crdt_object_expire(&object, WALL), 0);
    assert_true(crdt_object_winner(&object, &winner));
    assert_int_equal(object.values[winner].stamp, 10);
    assert_int_equal(crdt_object_siblings(&object, order), 2);
    assert_int_equal(crdt_object_live_count(&object), 1);
    assert_int_equal(object.values[1].kind, CRDT_TOMBSTONE);
    assert_int_equal(object.values[1].body.size, 0);
    assert_int_equal(object.values[1].body_size, 0);
    assert_memory_equal(digest.bytes, crdt_object_digest(&object).bytes, 16);
}

static void test_expired_is_as_dead_as_deleted(void **state)
{
    struct crdt_object object;
    const struct crdt_value tombstone = {.kind = CRDT_TOMBSTONE};

    (void)state;
    crdt_object_clear(&object);
    assert_true(crdt_object_is_dead(&object, 0));
    add(&object, 1, 10, "a", WALL);
    add(&object, 2, 20, "b", WALL + 5);
    assert_false(crdt_object_is_dead(&object, WALL));
    assert_true(crdt_object_is_dead(&object, WALL + 5));
    add(&object, 3, 30, "c", 0);
    assert_false(crdt_object_is_dead(&object, UINT64_MAX));
    assert_int_equal(crdt_object_write(&object, NULL, 4, 40, &tombstone), STATUS_OK);
    assert_true(crdt_object_is_dead(&object, 0));
    assert_false(crdt_value_is_live(&object.values[0], 0));
}

/* Two owners, one of which has dropped the bytes: no damage, no repair, and the join is the same
 * whoever starts. */
static void test_a_copy_without_its_bytes_is_the_same_copy(void **state)
{
    const uint8_t seed[HASH_SEED_SIZE] = {1};
    struct crdt_object full, bare, joined;
    struct slice spelled;
    uint8_t room[4096];

    (void)state;
    crdt_object_clear(&full);
    add(&full, 1, 10, "a", WALL);
    add(&full, 2, 20, "b", 0);
    crdt_object_copy(&bare, &full);
    assert_int_equal(crdt_object_expire(&bare, WALL), 1);
    assert_memory_equal(crdt_object_fingerprint(seed, slice_text("k"), &full).bytes,
                        crdt_object_fingerprint(seed, slice_text("k"), &bare).bytes, 16);
    assert_true(crdt_object_dominates(&full, &bare));
    assert_true(crdt_object_dominates(&bare, &full));
    crdt_object_copy(&joined, &full);
    assert_int_equal(crdt_object_merge(&joined, &bare), STATUS_OK);
    spelled = spell(&joined);
    memcpy(room, spelled.data, spelled.size);
    spelled.data = room;
    assert_true(slice_equal(spelled, spell(&bare)));
    crdt_object_copy(&joined, &bare);
    assert_int_equal(crdt_object_merge(&joined, &full), STATUS_OK);
    assert_true(slice_equal(spelled, spell(&joined)));
    assert_int_equal(crdt_object_decode(spelled, &joined), STATUS_OK);
    assert_true(joined.values[0].expires == WALL);
}

static void test_other_contents_under_one_dot_stay_damage(void **state)
{
    struct crdt_object a, b;

    (void)state;
    crdt_object_clear(&a);
    add(&a, 1, 10, "a", WALL);
    crdt_object_clear(&b);
    add(&b, 1, 10, "a", WALL + 1); /* an expiry that each owner chose by itself */
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_CORRUPT);
    crdt_object_clear(&b);
    add(&b, 1, 10, "b", WALL);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_CORRUPT);
    /* A tombstone without that expiry is another write. */
    crdt_object_copy(&b, &a);
    assert_int_equal(crdt_object_expire(&b, WALL), 1);
    b.values[0].expires = 0;
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_CORRUPT);
    crdt_object_clear(&a);
    add(&a, 1, 10, "a", 0);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_CORRUPT);
}

/* What a new value discarded does not return when the new one expires, whatever arrives late. */
static void test_no_older_value_returns(void **state)
{
    struct crdt_object owner, late;
    const struct crdt_value next = {
        .kind = CRDT_VALUE, .expires = WALL, .body = slice_text("short")};
    uint16_t winner;

    (void)state;
    crdt_object_clear(&owner);
    add(&owner, 1, 10, "old", 0);
    crdt_object_copy(&late, &owner);
    assert_int_equal(crdt_object_write(&owner, NULL, 2, 20, &next), STATUS_OK);
    assert_int_equal(crdt_object_expire(&owner, WALL), 1);
    assert_int_equal(crdt_object_merge(&owner, &late), STATUS_OK);
    assert_true(crdt_object_winner(&owner, &winner));
    assert_int_equal(owner.values[winner].kind, CRDT_TOMBSTONE);
    assert_int_equal(owner.value_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_expiry_costs_six_bytes_behind_the_kind),
        cmocka_unit_test(test_never_has_one_spelling),
        cmocka_unit_test(test_at_its_expiry_a_value_is_a_tombstone),
        cmocka_unit_test(test_expired_is_as_dead_as_deleted),
        cmocka_unit_test(test_a_copy_without_its_bytes_is_the_same_copy),
        cmocka_unit_test(test_other_contents_under_one_dot_stay_damage),
        cmocka_unit_test(test_no_older_value_returns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
