/* crdt_hll_test.c: estimates within the error of the paper, joins, canonical bytes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"

static const uint8_t seed[HASH_SEED_SIZE] = "a seed of tests";

static void add_range(struct crdt_hll *hll, uint64_t from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint8_t element[8];

        bytes_store_u64(element, from + i);
        crdt_hll_add(hll, seed, slice_of(element, sizeof(element)));
    }
}

static void test_estimates_are_near(void **state)
{
    static const uint64_t counts[] = {1,    2,     10,    100,    250,    1000,
                                      4096, 10000, 20000, 100000, 1000000};
    struct crdt_hll hll;

    (void)state;
    crdt_hll_clear(&hll);
    assert_int_equal(crdt_hll_estimate(&hll), 0);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t n = counts[i], estimate, off;

        crdt_hll_clear(&hll);
        add_range(&hll, n * 1000003, n);
        estimate = crdt_hll_estimate(&hll);
        off = estimate > n ? estimate - n : n - estimate;
        if (off * 1000 > n * 50) /* three standard errors */
            fail_msg("%llu elements were estimated as %llu", (unsigned long long)n,
                     (unsigned long long)estimate);
        if (n <= 100)
            assert_true(off <= 1 + n / 50);
    }
}

/* The root of the mean square error over many sets is what the paper says, 1.04 / sqrt(4096). */
static void test_the_standard_error_is_the_papers(void **state)
{
    static const uint64_t sizes[] = {500, 3000, 12000, 30000};

    (void)state;
    for (unsigned s = 0; s < 4; s++) {
        uint64_t n = sizes[s], squares = 0; /* of errors in 1/10000 */
        struct crdt_hll hll;

        for (uint64_t round = 0; round < 60; round++) {
            uint64_t estimate, off;

            crdt_hll_clear(&hll);
            add_range(&hll, (round + 1) << 32, n);
            estimate = crdt_hll_estimate(&hll);
            off = (estimate > n ? estimate - n : n - estimate) * 10000 / n;
            squares += off * off;
        }
        if (squares / 60 > 200 * 200)
            fail_msg("mean square error of %llu elements: %llu", (unsigned long long)n,
                     (unsigned long long)(squares / 60));
    }
}

static void test_join_is_the_union(void **state)
{
    struct crdt_hll a, b, both;
    uint8_t room[CRDT_UPDATE_ROOM], other[CRDT_UPDATE_ROOM];
    struct writer out = writer_over(room, sizeof(room)), again = writer_over(other, sizeof(other));

    (void)state;
    crdt_hll_clear(&a);
    crdt_hll_clear(&b);
    crdt_hll_clear(&both);
    add_range(&a, 0, 200);
    add_range(&b, 100, 3000);
    add_range(&both, 0, 3100);
    crdt_hll_encode(&a, &out);
    assert_true(out.size < 1 + 3 * 201); /* sparse */
    assert_int_equal(crdt_hll_join(&b, writer_done(&out)), STATUS_OK);
    out = writer_over(room, sizeof(room));
    crdt_hll_encode(&b, &out);
    assert_int_equal(out.size, 1 + CRDT_HLL_REGISTERS);
    crdt_hll_encode(&both, &again);
    assert_true(slice_equal(writer_done(&out), writer_done(&again)));
}

static void test_bytes_have_one_spelling(void **state)
{
    uint8_t room[CRDT_UPDATE_ROOM], dense[1 + CRDT_HLL_REGISTERS] = {2, 1, 2, 3};
    struct writer out = writer_over(room, sizeof(room));
    struct crdt_hll hll;

    (void)state;
    crdt_hll_clear(&hll);
    crdt_hll_encode(&hll, &out);
    assert_int_equal(out.size, 1);
    assert_true(crdt_hll_is_sound(writer_done(&out)));
    assert_false(crdt_hll_is_sound(slice_of(dense, sizeof(dense)))); /* few registers */
    assert_int_equal(crdt_hll_join(&hll, slice_of(dense, sizeof(dense))), STATUS_BAD);
    memset(dense + 1, 54, CRDT_HLL_REGISTERS);
    assert_false(crdt_hll_is_sound(slice_of(dense, sizeof(dense)))); /* no such rank */
    memset(dense + 1, 53, CRDT_HLL_REGISTERS);
    assert_true(crdt_hll_is_sound(slice_of(dense, sizeof(dense))));
    assert_int_equal(crdt_hll_join(&hll, slice_of(dense, sizeof(dense))), STATUS_OK);
    assert_true(crdt_hll_estimate(&hll) > (uint64_t)1 << 60);   /* no overflow at the end */
    assert_false(crdt_hll_is_sound(slice_of("\1\0\1\0", 4)));   /* rank 0 */
    assert_false(crdt_hll_is_sound(slice_of("\1\x10\0\1", 4))); /* no such register */
    assert_false(crdt_hll_is_sound(slice_of("\1\0\1", 3)));
    assert_false(crdt_hll_is_sound(slice_of("\3", 1)));
    assert_true(crdt_hll_is_sound(slice_of("\1\0\1\5", 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimates_are_near),
        cmocka_unit_test(test_the_standard_error_is_the_papers),
        cmocka_unit_test(test_join_is_the_union),
        cmocka_unit_test(test_bytes_have_one_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
