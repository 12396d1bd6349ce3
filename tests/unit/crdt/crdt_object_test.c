/* crdt_object_test.c: one state, one spelling; everything else is refused. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"
#include "guard.h"
#include "prng.h"

static uint8_t bytes[4096];

static struct slice spell(const struct crdt_object *object)
{
    struct writer out = writer_over(bytes, sizeof(bytes));

    assert_int_equal(crdt_object_encode(object, &out), STATUS_OK);
    assert_int_equal(out.size, crdt_object_size(object));
    return writer_done(&out);
}

static void write_value(struct crdt_object *object, uint64_t actor, uint64_t stamp,
                        struct crdt_value value)
{
    const struct crdt_context none = {0};

    assert_int_equal(crdt_object_write(object, &none, actor, stamp, &value), STATUS_OK);
}

/* Three actors, values, a tombstone, one seen further than its value, and a dot gone unseen. */
static void object_rich(struct crdt_object *object)
{
    static uint8_t meta[300];
    const struct crdt_value value = {
        .kind = CRDT_VALUE, .meta = slice_of(meta, sizeof(meta)), .body = slice_text("body")};
    struct crdt_context context = {.vector_count = 1, .dot_count = 1};

    crdt_object_clear(object);
    write_value(object, 3, 10, value);
    write_value(object, 3, 11, value);
    write_value(object, 1, 12, (struct crdt_value){.kind = CRDT_TOMBSTONE});
    context.vector[0] = (struct dot){2, 5};
    context.dots[0] = (struct dot){3, 11};
    context.dots[context.dot_count++] = (struct dot){3, 12};
    assert_int_equal(crdt_object_write(object, &context, 2, 13, &value), STATUS_OK);
    assert_int_equal(object->gone_count, 1);
}

/* The decision on metadata per key (0021) counts on these widths. */
static void test_a_single_value_costs_twelve_bytes(void **state)
{
    static const struct {
        uint64_t actor, stamp;
        size_t size;
        uint8_t spelled[20];
    } cases[] = {
        {7, 1577836800001ull << 16, 14, {0x80, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 1, 'h', 'i'}},
        {7, 1577836800001ull << 16 | 2, 15, {0x81, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 1, 2, 'h', 'i'}},
        {7,
         1577836800001ull << 16 | 258,
         16,
         {0x82, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 1, 1, 2, 'h', 'i'}},
        {7, 9, 17, {0x83, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 'h', 'i'}},
        {1ull << 48,
         1577836800001ull << 16,
         16,
         {0x84, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'h', 'i'}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct crdt_object object, again;
        struct slice spelled;

        crdt_object_clear(&object);
        write_value(&object, cases[i].actor, cases[i].stamp,
                    (struct crdt_value){.kind = CRDT_VALUE, .body = slice_text("hi")});
        spelled = spell(&object);
        assert_int_equal(spelled.size, cases[i].size);
        assert_memory_equal(spelled.data, cases[i].spelled, cases[i].size);
        assert_int_equal(crdt_object_decode(spelled, &again), STATUS_OK);
        assert_true(again.entries[0].seen == cases[i].stamp);
        assert_true(again.values[0].actor == cases[i].actor);
        assert_true(slice_equal(again.values[0].body, slice_text("hi")));
    }
}

static void test_the_empty_object_is_no_bytes(void **state)
{
    struct crdt_object object;

    (void)state;
    assert_int_equal(crdt_object_decode(SLICE_NONE, &object), STATUS_OK);
    assert_int_equal(object.entry_count, 0);
    assert_int_equal(spell(&object).size, 0);
}

static void test_a_rich_object_comes_back(void **state)
{
    struct crdt_object object, again;
    struct slice spelled;

    (void)state;
    object_rich(&object);
    spelled = spell(&object);
    assert_int_equal(crdt_object_decode(spelled, &again), STATUS_OK);
    assert_int_equal(again.entry_count, 3);
    assert_int_equal(again.value_count, 3);
    assert_int_equal(again.values[2].meta.size, 300);
    assert_int_equal(again.values[2].body_size, 4);
    assert_int_equal(again.entries[1].seen, 13);
    assert_int_equal(again.entries[2].seen, 11);
    assert_int_equal(again.entries[2].value_count, 1);
    assert_int_equal(again.gone[0], 12);
}

static void test_a_head_keeps_sizes_and_is_no_object(void **state)
{
    struct crdt_object object, head, other;
    struct slice spelled;

    (void)state;
    object_rich(&object);
    crdt_object_copy(&head, &object);
    crdt_object_strip(&head);
    spelled = spell(&head);
    assert_int_equal(crdt_object_decode(spelled, &other), STATUS_BAD);
    assert_int_equal(crdt_object_decode_head(spelled, &other), STATUS_OK);
    assert_true(other.is_head);
    assert_int_equal(other.values[2].body_size, 4);
    assert_int_equal(other.values[2].body.size, 0);
    assert_memory_equal(crdt_object_digest(&object).bytes, crdt_object_digest(&other).bytes, 16);
    assert_int_equal(crdt_object_merge(&other, &head), STATUS_OK);
    assert_int_equal(crdt_object_decode_head(spell(&object), &other), STATUS_BAD);
    /* The same for the short shape. */
    crdt_object_clear(&object);
    write_value(&object, 7, 9, (struct crdt_value){.kind = CRDT_VALUE, .body = slice_text("hi")});
    crdt_object_strip(&object);
    spelled = spell(&object);
    assert_int_equal(spelled.size, 19);
    assert_int_equal(crdt_object_decode(spelled, &other), STATUS_BAD);
    assert_int_equal(crdt_object_decode_head(spelled, &other), STATUS_OK);
    assert_int_equal(other.values[0].body_size, 2);
}

static void test_encode_without_room_leaves_the_writer(void **state)
{
    struct crdt_object object;
    uint8_t small[32];
    struct writer out = writer_over(small, sizeof(small));

    (void)state;
    object_rich(&object);
    write_u8(&out, 1);
    assert_int_equal(crdt_object_encode(&object, &out), STATUS_TOO_LARGE);
    assert_int_equal(out.size, 1);
    assert_false(out.is_full);
}

/* Every prefix of the general shape is bad; of the short one, every prefix that cuts the fixed
 * part. Each copy ends at a guard page. */
static void test_every_prefix_is_refused(void **state)
{
    struct crdt_object object, other;
    struct slice spelled;

    (void)state;
    object_rich(&object);
    spelled = spell(&object);
    for (size_t size = 1; size < spelled.size; size++) {
        uint8_t *copy = guard_copy(spelled.data, size);

        assert_int_equal(crdt_object_decode(slice_of(copy, size), &other), STATUS_BAD);
        assert_int_equal(crdt_object_decode_head(slice_of(copy, size), &other), STATUS_BAD);
        assert_int_equal(other.entry_count, 0);
        guard_free(copy, size);
    }
}

/* Whatever is accepted must be the only spelling of what was read. */
static void test_mutations_are_refused_or_canonical(void **state)
{
    struct crdt_object object, other;
    uint8_t original[4096], again[4096];
    size_t size;
    struct prng prng;
    unsigned accepted = 0;

    (void)state;
    prng_init(&prng, 5);
    object_rich(&object);
    size = spell(&object).size;
    memcpy(original, bytes, size);
    for (unsigned i = 0; i < 50000; i++) {
        struct writer out = writer_over(again, sizeof(again));
        uint8_t *copy = guard_copy(original, size);

        for (uint64_t n = prng_between(&prng, 1, 3); n > 0; n--)
            copy[prng_below(&prng, size)] = (uint8_t)prng_below(&prng, 12);
        if (crdt_object_decode(slice_of(copy, size), &other) == STATUS_OK) {
            accepted++;
            assert_int_equal(crdt_object_encode(&other, &out), STATUS_OK);
            assert_int_equal(out.size, size);
            assert_memory_equal(again, copy, size);
        }
        guard_free(copy, size);
    }
    assert_true(accepted > 0); /* bodies and metadata are free */
}

/* One bad field each, in a spelling that is otherwise right. */
static void test_each_bad_field_is_refused(void **state)
{
    static const struct {
        const char *what;
        uint8_t spelled[40];
        size_t size;
    } cases[] = {
#define ZERO5 0, 0, 0, 0, 0
#define ZERO7 ZERO5, 0, 0
        {"shape 0", {0}, 1},
        {"shape 9", {9, ZERO5, 1, ZERO7, 1}, 15},
        {"unknown bit", {0xa3, ZERO5, 1, ZERO7, 1}, 15},
        {"a head", {0x8b, ZERO5, 1, ZERO7, 1, 0, 0, 0, 0}, 19},
        {"small actor in eight bytes", {0x87, ZERO7, 1, ZERO7, 1}, 17},
        {"whole stamp that could be short",
         {0x83, ZERO5, 1, 1, 0x6f, 0x5e, 0x66, 0xe8, 0, 0, 0},
         15},
        {"counter 0 spelled out", {0x81, ZERO5, 1, 0, 0, 0, 0, 1, 0}, 13},
        {"counter in a byte too many", {0x82, ZERO5, 1, 0, 0, 0, 0, 1, 0, 1}, 14},
        {"plain kind spelled out", {0x93, ZERO5, 1, ZERO7, 1, 1, 0}, 17},
        {"actor 0", {0x83, ZERO5, 0, ZERO7, 1}, 15},
        {"stamp 0", {0x83, ZERO5, 1, ZERO7, 0}, 15},
        {"stamp huge", {0x83, ZERO5, 1, 0x80, ZERO7}, 15},
        {"kind 0", {0x93, ZERO5, 1, ZERO7, 1, 0, 0}, 17},
        {"kind 10", {0x93, ZERO5, 1, ZERO7, 1, 10, 0}, 17},
        {"head of a set with body", {0x93, ZERO5, 1, ZERO7, 1, 3, 0, 'x'}, 18},
        {"counter without totals", {0x93, ZERO5, 1, ZERO7, 1, 5, 0}, 17},
        {"counter with a long zero", {0x93, ZERO5, 1, ZERO7, 1, 5, 0, 0x80, 0, 0}, 20},
        {"counter with metadata", {0x93, ZERO5, 1, ZERO7, 1, 5, 1, 'x', 0, 0}, 20},
        {"flag 2", {0x93, ZERO5, 1, ZERO7, 1, 6, 0, 2}, 18},
        {"register with metadata", {0x93, ZERO5, 1, ZERO7, 1, 7, 1, 'x', 'y'}, 19},
        {"hll of nothing", {0x93, ZERO5, 1, ZERO7, 1, 9, 0}, 17},
        {"hll out of order", {0x93, ZERO5, 1, ZERO7, 1, 9, 0, 1, 0, 2, 1, 0, 1, 1}, 24},
        {"long metadata size for 0", {0x93, ZERO5, 1, ZERO7, 1, 1, 0x80, 0}, 18},
        {"tombstone with body", {0x93, ZERO5, 1, ZERO7, 1, 2, 0, 'x'}, 18},
        {"tombstone with metadata", {0x93, ZERO5, 1, ZERO7, 1, 2, 1, 'x'}, 18},
        {"no entries", {2, 0}, 2},
        {"entry of nothing", {2, 1, ZERO7, 1, 0, 0}, 12},
        {"unknown flag", {2, 1, ZERO7, 1, 5, ZERO7, 1, 0}, 20},
        {"seen 0 spelled out", {2, 1, ZERO7, 1, 1, ZERO7, 0, 0}, 20},
        {"no gone spelled out", {2, 1, ZERO7, 1, 3, ZERO7, 1, 0, 0, 0}, 22},
        {"gone that was seen", {2, 1, ZERO7, 1, 3, ZERO7, 2, 0, 0, 1, ZERO7, 2}, 30},
        {"gone out of order", {2, 1, ZERO7, 1, 2, 0, 0, 2, ZERO7, 2, ZERO7, 1}, 30},
        {"one value in the long shape", {2, 1, ZERO7, 1, 0, 1, ZERO7, 1, 1, 0, 0, 0, 0, 0}, 26},
        {"trailing byte", {2, 1, ZERO7, 1, 1, ZERO7, 1, 0, 0}, 21},
        {"same actor twice", {2, 2, ZERO7, 1, 1, ZERO7, 1, 0, ZERO7, 1, 1, ZERO7, 1, 0}, 38},
        {"actors descending", {2, 2, ZERO7, 2, 1, ZERO7, 1, 0, ZERO7, 1, 1, ZERO7, 1, 0}, 38},
    };
    const uint8_t good[] = {2, 2, ZERO7, 1, 1, ZERO7, 1, 0, ZERO7, 2, 1, ZERO7, 1, 0};
    struct crdt_object object;

    (void)state;
    assert_int_equal(crdt_object_decode(slice_of(good, sizeof(good)), &object), STATUS_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (crdt_object_decode(slice_of(cases[i].spelled, cases[i].size), &object) != STATUS_BAD)
            fail_msg("accepted: %s", cases[i].what);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_single_value_costs_twelve_bytes),
        cmocka_unit_test(test_the_empty_object_is_no_bytes),
        cmocka_unit_test(test_a_rich_object_comes_back),
        cmocka_unit_test(test_a_head_keeps_sizes_and_is_no_object),
        cmocka_unit_test(test_encode_without_room_leaves_the_writer),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_mutations_are_refused_or_canonical),
        cmocka_unit_test(test_each_bad_field_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
