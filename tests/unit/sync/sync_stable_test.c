/* sync_stable_test.c: numbers of partitions: who may raise his, who is behind, and that they count
 * in the comparison without being rows. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "sync_private.h"

static void ignore(void *context, const struct sync_output *output)
{
    (void)context;
    (void)output;
}

static bool all_shared(void *context, uint64_t peer, uint16_t partition)
{
    (void)context;
    (void)peer;
    (void)partition;
    return true;
}

static struct sync *stable_new(void)
{
    struct sync_config config = {
        .partitions = 8, .rounds_max = 1, .serves_max = 1, .emit = ignore, .is_shared = all_shared};

    return sync_new(&config);
}

static struct sync_standing standing_of(uint32_t number, uint32_t confirmed, uint64_t id8,
                                        uint32_t since)
{
    struct sync_standing standing = {.number = number, .confirmed = confirmed};

    if (id8) {
        standing.count = 1;
        standing.owners[0].id8 = id8;
        standing.owners[0].since = since;
    }
    return standing;
}

static void test_an_owner_is_raised_only_past_rounds_it_gave_its_word_in(void **state)
{
    struct sync_standing ours = standing_of(5, 5, 0, 0), theirs;

    (void)state;
    theirs = standing_of(5, 5, 0, 0);
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_LEVEL);
    theirs = standing_of(4, 4, 0, 0);
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_AHEAD);
    theirs = standing_of(9, 5, 0, 0); /* promised, nothing confirmed between */
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_RAISE);
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, false), SYNC_RAISE);
    theirs = standing_of(9, 9, 1, 5); /* we were in every round after 5 */
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_RAISE);
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, false), SYNC_BEHIND);
    theirs = standing_of(9, 9, 1, 6); /* round 6 may have dropped without us */
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_BEHIND);
    theirs = standing_of(9, 9, 2, 0); /* we were not there at all */
    assert_int_equal(sync_standing_judge(&ours, &theirs, 1, true), SYNC_BEHIND);
}

static void test_a_promise_remembers_since_when_each_owner_takes_part(void **state)
{
    static const uint64_t first[] = {1, 2}, second[] = {1, 3};
    struct sync_standing standing = {0};

    (void)state;
    assert_int_equal(sync_standing_next(&standing, first, 2), 1);
    standing = sync_standing_promise(&standing, 1, first, 2);
    standing.confirmed = 1;
    assert_int_equal(sync_standing_next(&standing, first, 2), 2);
    assert_true(sync_standing_knows(&standing, 2));
    /* Another set of owners: numbers of another block, so that promises to the old one are small.
     */
    assert_int_equal(sync_standing_next(&standing, second, 2), 256);
    standing = sync_standing_promise(&standing, 256, second, 2);
    assert_false(sync_standing_knows(&standing, 2));
    assert_int_equal(standing.owners[0].since, 0);
    assert_int_equal(standing.owners[1].since, 1);
    assert_int_equal(standing.confirmed, 1);
}

static void test_standings_survive_their_bytes_and_damage_does_not_pass(void **state)
{
    struct sync_standing standing = standing_of(7, 6, 42, 3), back;
    uint8_t room[SYNC_STANDING_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct slice bytes;

    (void)state;
    sync_standing_write(&standing, &out);
    bytes = writer_done(&out);
    assert_true(sync_standing_read(bytes, &back));
    assert_int_equal(back.number, 7);
    assert_int_equal(back.confirmed, 6);
    assert_int_equal(back.owners[0].id8, 42);
    assert_int_equal(back.owners[0].since, 3);
    assert_false(sync_standing_read(slice_of(bytes.data, bytes.size - 1), &back));
    assert_int_equal(back.number, 0);
    room[7] = 9; /* confirmed above the number */
    assert_false(sync_standing_read(bytes, &back));
    assert_true(sync_standing_read(SLICE_NONE, &back));
}

static void test_a_number_differs_in_the_comparison_and_is_no_row(void **state)
{
    struct sync *a = stable_new(), *b = stable_new();
    struct sync_standing standing = standing_of(3, 0, 0, 0);
    uint8_t shared[1] = {0xFF}, ours[SYNC_ROOT_SIZE], theirs[SYNC_ROOT_SIZE];
    struct hash16 print;
    uint32_t count;

    (void)state;
    sync_standing_set(a, 5, &standing);
    sync_tree_root(a, shared, ours);
    sync_tree_root(b, shared, theirs);
    assert_memory_not_equal(ours, theirs, sizeof(ours));
    print = sync_fingerprint(a, 5, &count);
    assert_int_equal(count, 0);
    assert_true(sync_print_is_none(&print));
    sync_standing_set(b, 5, &standing);
    sync_tree_root(b, shared, theirs);
    assert_memory_equal(ours, theirs, sizeof(ours));
    sync_reset(a); /* the store is counted anew: numbers are no rows of it */
    sync_tree_root(a, shared, ours);
    assert_memory_equal(ours, theirs, sizeof(ours));
    sync_delete(a);
    sync_delete(b);
}

static void test_dead_rows_are_counted_per_partition(void **state)
{
    struct sync *sync = stable_new();

    (void)state;
    sync_dead_add(sync, 1, 1);
    sync_dead_add(sync, 1, 1);
    sync_dead_add(sync, 2, 1);
    sync_dead_add(sync, 1, -1);
    assert_int_equal(sync_dead(sync, 1), 1);
    assert_int_equal(sync_dead_total(sync), 2);
    sync_reset(sync);
    assert_int_equal(sync_dead_total(sync), 0);
    assert_int_equal(sync_dead(sync, 2), 0);
    sync_delete(sync);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_owner_is_raised_only_past_rounds_it_gave_its_word_in),
        cmocka_unit_test(test_a_promise_remembers_since_when_each_owner_takes_part),
        cmocka_unit_test(test_standings_survive_their_bytes_and_damage_does_not_pass),
        cmocka_unit_test(test_a_number_differs_in_the_comparison_and_is_no_row),
        cmocka_unit_test(test_dead_rows_are_counted_per_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
