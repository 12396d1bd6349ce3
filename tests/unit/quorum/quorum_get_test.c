/* quorum_get_test.c: whom a read asks, what it answers, and whom it repairs. */
#include "quorum_bench.h"

static struct bench bench;
static struct quorum_owner owners[SET_MAX];
static struct crdt_object scratch;

struct state {
    uint8_t bytes[512];
    size_t size;
};

/* One write of `actor` on top of `before` (NULL: nothing). */
static struct state state_make(const struct state *before, uint64_t actor, uint64_t stamp)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("body")};
    struct state after;
    struct writer out = writer_over(after.bytes, sizeof(after.bytes));

    crdt_object_clear(&scratch);
    if (before != NULL)
        assert_int_equal(crdt_object_decode(slice_of(before->bytes, before->size), &scratch),
                         STATUS_OK);
    assert_int_equal(crdt_object_write(&scratch, NULL, actor, stamp, &value), STATUS_OK);
    assert_int_equal(crdt_object_encode(&scratch, &out), STATUS_OK);
    after.size = out.size;
    return after;
}

static struct slice bytes(const struct state *state)
{
    return slice_of(state->bytes, state->size);
}

static void begin(uint8_t count, struct slice local)
{
    struct quorum_request request = bench_request(1, count, owners);

    request.object = local;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
}

static void answer(uint64_t from, enum status status, struct slice object)
{
    const struct quorum_answer given = {.from = from, .status = status, .object = object};

    quorum_get_answer(bench.quorum, 1, 1, &given);
}

static void assert_object(const struct state *expected)
{
    assert_int_equal(bench.object_size, expected->size);
    assert_memory_equal(bench.object, expected->bytes, expected->size);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&bench, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(quorum_count(bench.quorum), 0);
    quorum_delete(bench.quorum);
    return 0;
}

static void test_equal_copies_move_no_value(void **state)
{
    struct state local = state_make(NULL, 7, 1);
    struct hash16 digest;

    (void)state;
    begin(3, bytes(&local));
    bench_expect(&bench, "get:2"); /* one more is enough, the best first */
    assert_int_equal(crdt_object_decode(bytes(&local), &scratch), STATUS_OK);
    digest = crdt_object_digest(&scratch);
    assert_memory_equal(&bench.digest, &digest, sizeof(digest));
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    bench_expect(&bench, "done:0");
    assert_object(&local);
    assert_string_equal(bench.roles, "1+ 2+ ");
    assert_int_equal(bench.acks, 2);
}

static void test_one_is_answered_at_once(void **state)
{
    struct state local = state_make(NULL, 7, 1);
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    request.consistency = CONSISTENCY_ONE;
    request.object = bytes(&local);
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "done:0");
    assert_object(&local);
}

static void test_nothing_anywhere(void **state)
{
    const struct hash16 zero = {{0}};

    (void)state;
    begin(3, SLICE_NONE);
    assert_memory_equal(&bench.digest, &zero, sizeof(zero));
    answer(2, STATUS_MISSING, SLICE_NONE);
    bench_expect(&bench, "get:2 done:0");
    assert_int_equal(bench.object_size, 0);
}

static void test_a_stale_local_copy_is_repaired(void **state)
{
    struct state local = state_make(NULL, 7, 1), newer = state_make(&local, 8, 2);

    (void)state;
    begin(3, bytes(&local));
    answer(2, STATUS_OK, bytes(&newer));
    bench_expect(&bench, "get:2 done:0 local:1");
    assert_object(&newer);
}

static void test_a_stale_owner_is_repaired(void **state)
{
    struct state old = state_make(NULL, 7, 1), local = state_make(&old, 8, 2);

    (void)state;
    begin(3, bytes(&local));
    answer(2, STATUS_OK, bytes(&old));
    bench_expect(&bench, "get:2 done:0 repair:2");
    assert_object(&local);
    begin(3, bytes(&local));
    answer(2, STATUS_MISSING, SLICE_NONE);
    bench_expect(&bench, "get:2 done:0 repair:2");
}

static void test_concurrent_copies_become_one(void **state)
{
    struct state local = state_make(NULL, 7, 1), other = state_make(NULL, 8, 1);

    (void)state;
    begin(3, bytes(&local));
    answer(2, STATUS_OK, bytes(&other));
    bench_expect(&bench, "get:2 done:0 local:1 repair:2");
    assert_int_equal(crdt_object_decode(slice_of(bench.object, bench.object_size), &scratch),
                     STATUS_OK);
    assert_int_equal(scratch.value_count, 2);
}

static void test_an_error_sends_the_question_on(void **state)
{
    struct state local = state_make(NULL, 7, 1);

    (void)state;
    begin(3, bytes(&local));
    answer(2, STATUS_RECOVERING, SLICE_NONE);
    bench_expect(&bench, "get:2 get:3");
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE); /* has spoken already */
    bench_expect(&bench, "");
    answer(3, STATUS_NOT_MODIFIED, SLICE_NONE);
    bench_expect(&bench, "done:0");
    assert_string_equal(bench.roles, "1+ 2-20 3+ ");
    begin(3, bytes(&local));
    answer(2, STATUS_RECOVERING, SLICE_NONE);
    answer(3, STATUS_RECOVERING, SLICE_NONE);
    bench_expect(&bench, "get:2 get:3 done:26");
    begin(3, bytes(&local));
    answer(2, STATUS_LAYOUT, SLICE_NONE);
    quorum_peer_lost(bench.quorum, 1, 3);
    bench_expect(&bench, "get:2 get:3 done:15");
}

static void test_junk_is_not_counted(void **state)
{
    struct state local = state_make(NULL, 7, 1), twin = local;

    (void)state;
    begin(3, bytes(&local));
    answer(2, STATUS_OK, slice_text("junk"));
    bench_expect(&bench, "get:2 get:3");
    twin.bytes[twin.size - 1] ^=
        1; /* one dot, two contents: the digest cannot tell, so it passes */
    answer(3, STATUS_OK, bytes(&twin));
    bench_expect(&bench, "done:0");
    assert_object(&local);
}

static void test_a_slow_owner_costs_a_hedge(void **state)
{
    struct state local = state_make(NULL, 7, 1);

    (void)state;
    begin(5, bytes(&local));
    bench_expect(&bench, "get:2 get:3");
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_MS(250)); /* 2 s / 8 */
    quorum_expire(bench.quorum, INSTANT_MS(250));
    bench_expect(&bench, "get:4");
    quorum_expire(bench.quorum, quorum_deadline(bench.quorum));
    bench_expect(&bench, "get:5");
    assert_int_equal(quorum_deadline(bench.quorum), INSTANT_S(2)); /* nobody is left */
    answer(5, STATUS_NOT_MODIFIED, SLICE_NONE);
    quorum_expire(bench.quorum, INSTANT_S(2));
    bench_expect(&bench, "done:17");
    assert_string_equal(bench.roles, "1+ 2-17 3-17 4-17 5+ ");
}

/* This owner's copy may be old: it does not vote, but what it has is merged and mended. */
static void test_an_owner_in_recovery_does_not_vote(void **state)
{
    struct state local = state_make(NULL, 7, 1), newer = state_make(&local, 8, 2);
    struct quorum_request request = bench_request(1, 3, owners);

    (void)state;
    request.object = bytes(&local);
    request.is_local_counted = false;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "get:2 get:3");
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    answer(3, STATUS_OK, bytes(&newer));
    bench_expect(&bench, "done:0 local:1 repair:2");
    assert_object(&newer);
    assert_int_equal(bench.acks, 2);
    owners[2].is_reachable = false;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_UNREACHABLE);
}

static void test_a_local_copy_that_does_not_decode_is_mended(void **state)
{
    struct state good = state_make(NULL, 7, 1);

    (void)state;
    begin(3, slice_text("junk"));
    bench_expect(&bench, "get:2 get:3");
    answer(2, STATUS_OK, bytes(&good));
    answer(3, STATUS_OK, bytes(&good));
    bench_expect(&bench, "done:0 local:1");
    assert_object(&good);
}

/* Base 1 2 3, target 3 4 5 with owner 1 asking: one more of base, two of target. */
static void test_a_moving_partition_asks_both_sets(void **state)
{
    struct quorum_request request = bench_request(1, 5, owners);

    (void)state;
    request.base_count = request.target_count = 3;
    owners[0].is_target = owners[1].is_target = false;
    owners[3].is_base = owners[4].is_base = false;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "get:2 get:3 get:4");
    answer(3, STATUS_MISSING, SLICE_NONE); /* counts twice */
    answer(2, STATUS_MISSING, SLICE_NONE);
    bench_expect(&bench, "");
    answer(4, STATUS_MISSING, SLICE_NONE);
    bench_expect(&bench, "done:0");
}

/* A session wants a dot; with consistency=one the local copy would be enough to count. */
static void begin_wanted(struct slice local, const struct dot *wanted)
{
    struct quorum_request request = bench_request(1, 3, owners);

    request.object = local;
    request.consistency = CONSISTENCY_ONE;
    request.wanted = wanted;
    request.wanted_count = 1;
    assert_int_equal(quorum_get(bench.quorum, 0, &request), STATUS_OK);
}

static void test_what_a_session_wants_is_looked_for(void **state)
{
    struct state old = state_make(NULL, 7, 10), new = state_make(&old, 8, 20);

    (void)state;
    begin_wanted(bytes(&old), &(struct dot){7, 10});
    bench_expect(&bench, "done:0"); /* at hand */
    assert_int_equal(bench.search, QUORUM_AT_HAND);
    begin_wanted(bytes(&old), &(struct dot){8, 20});
    bench_expect(&bench, "get:2 get:3");
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    bench_expect(&bench, "");
    answer(3, STATUS_OK, bytes(&new));
    bench_expect(&bench, "done:0 local:1 repair:2");
    assert_int_equal(bench.search, QUORUM_SEARCHED);
    assert_object(&new);
}

static void test_owners_that_are_behind_are_told(void **state)
{
    struct state old = state_make(NULL, 7, 10);

    (void)state;
    begin_wanted(bytes(&old), &(struct dot){8, 20});
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    quorum_peer_lost(bench.quorum, 1, 3);
    bench.log[bench.log_size = 0] = 0;
    begin_wanted(bytes(&old), &(struct dot){8, 20});
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    bench_expect(&bench, "get:2 get:3");
    quorum_expire(bench.quorum, INSTANT_S(2));
    assert_int_equal(bench.outcome, OUTCOME_NONE);
    assert_string_equal(bench.log, "done:41");
    bench.log[bench.log_size = 0] = 0;
}

static void test_what_no_owner_knows_was_collected(void **state)
{
    struct state old = state_make(NULL, 7, 10);

    (void)state;
    begin_wanted(bytes(&old), &(struct dot){8, 20});
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    answer(3, STATUS_MISSING, SLICE_NONE);
    bench_expect(&bench, "get:2 get:3 done:0 repair:3");
    assert_int_equal(bench.search, QUORUM_NOWHERE);
}

static void test_settled_is_what_a_quorum_holds(void **state)
{
    struct state old = state_make(NULL, 7, 10), new = state_make(&old, 8, 20);

    (void)state;
    begin(3, bytes(&old));
    answer(2, STATUS_NOT_MODIFIED, SLICE_NONE);
    assert_true(bench.is_settled);
    begin(3, bytes(&old));
    answer(2, STATUS_OK, bytes(&new));
    assert_false(bench.is_settled); /* one copy is known to hold it */
    begin(1, bytes(&old));
    assert_true(bench.is_settled);
    bench.log[bench.log_size = 0] = 0;
}

int main(void)
{
#define GET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        GET_TEST(test_equal_copies_move_no_value),
        GET_TEST(test_one_is_answered_at_once),
        GET_TEST(test_nothing_anywhere),
        GET_TEST(test_a_stale_local_copy_is_repaired),
        GET_TEST(test_a_stale_owner_is_repaired),
        GET_TEST(test_concurrent_copies_become_one),
        GET_TEST(test_an_error_sends_the_question_on),
        GET_TEST(test_junk_is_not_counted),
        GET_TEST(test_a_slow_owner_costs_a_hedge),
        GET_TEST(test_an_owner_in_recovery_does_not_vote),
        GET_TEST(test_a_local_copy_that_does_not_decode_is_mended),
        GET_TEST(test_a_moving_partition_asks_both_sets),
        GET_TEST(test_what_a_session_wants_is_looked_for),
        GET_TEST(test_owners_that_are_behind_are_told),
        GET_TEST(test_what_no_owner_knows_was_collected),
        GET_TEST(test_settled_is_what_a_quorum_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
