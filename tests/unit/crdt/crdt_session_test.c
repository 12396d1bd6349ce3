/* crdt_session_test.c: session tokens come back whole and only from their cluster; what is dropped
 * for room makes reads stricter and never weaker, whatever the order of events. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>
#include "crdt.h"
#include "prng.h"

static const uint8_t seed[HASH_SEED_SIZE] = {1, 2, 3};
static const uint8_t other_seed[HASH_SEED_SIZE] = {1, 2, 4};
static uint8_t text_bytes[SESSION_SIZE_MAX];

static struct slice token(const struct crdt_session *session)
{
    struct writer out = writer_over(text_bytes, sizeof(text_bytes));

    assert_int_equal(crdt_session_encode(session, seed, &out), STATUS_OK);
    return writer_done(&out);
}

static void fill(struct crdt_session *session, unsigned count, uint32_t weak, uint32_t partial)
{
    *session = (struct crdt_session){.clock = 77, .count = (uint8_t)count};
    for (unsigned i = 0; i < count; i++)
        session->entries[i] = (struct crdt_session_entry){.row = 100 + i,
                                                          .dot = {i + 1, 1000 + i},
                                                          .is_weak = weak >> i & 1u,
                                                          .is_partial = partial >> i & 1u};
}

static void assert_same(const struct crdt_session *a, const struct crdt_session *b)
{
    assert_int_equal(a->clock, b->clock);
    assert_int_equal(a->strength, b->strength);
    assert_int_equal(a->count, b->count);
    for (unsigned i = 0; i < a->count; i++) {
        assert_int_equal(a->entries[i].row, b->entries[i].row);
        assert_int_equal(a->entries[i].dot.actor, b->entries[i].dot.actor);
        assert_int_equal(a->entries[i].dot.stamp, b->entries[i].dot.stamp);
        assert_int_equal(a->entries[i].is_weak, b->entries[i].is_weak);
        assert_int_equal(a->entries[i].is_partial, b->entries[i].is_partial);
    }
}

static void test_tokens_come_back(void **state)
{
    struct crdt_session session, again;

    (void)state;
    for (unsigned count = 0; count <= SESSION_ENTRIES_MAX; count++)
        for (unsigned bit = 0; bit <= count; bit++)
            for (unsigned strength = 0; strength <= CRDT_STRENGTH_ALL; strength++) {
                fill(&session, count, bit < count ? 1u << bit : 0, bit > 0 ? 1u << (bit - 1) : 0);
                session.strength = (enum crdt_strength)strength;
                assert_int_equal(crdt_session_decode(token(&session), seed, &again), STATUS_OK);
                assert_same(&session, &again);
            }
    fill(&session, SESSION_ENTRIES_MAX, 0, 0);
    assert_int_equal(token(&session).size, 996);
}

static void test_new_has_seen_nothing(void **state)
{
    struct crdt_session session;

    (void)state;
    fill(&session, 3, 0, 0);
    assert_int_equal(crdt_session_decode(slice_text("new"), seed, &session), STATUS_OK);
    assert_int_equal(session.count, 0);
    assert_int_equal(session.clock, 0);
    assert_int_equal(session.strength, CRDT_STRENGTH_ANY);
    assert_int_equal(crdt_session_decode(slice_text("New"), seed, &session), STATUS_SESSION);
    assert_int_equal(crdt_session_decode(slice_text(""), seed, &session), STATUS_SESSION);
}

/* Every character changed to every other, every prefix, one more character, another cluster. */
static void test_damage_is_seen(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ =\n";
    struct crdt_session session, again;
    uint8_t copy[SESSION_SIZE_MAX + 1];
    struct slice text;

    (void)state;
    fill(&session, 2, 1, 2);
    text = token(&session);
    memcpy(copy, text.data, text.size);
    for (size_t i = 0; i < text.size; i++)
        for (size_t k = 0; k < sizeof(alphabet); k++) {
            uint8_t right = copy[i];

            if ((uint8_t)alphabet[k] == right)
                continue;
            copy[i] = (uint8_t)alphabet[k];
            assert_int_equal(crdt_session_decode(slice_of(copy, text.size), seed, &again),
                             STATUS_SESSION);
            assert_int_equal(again.count, 0);
            copy[i] = right;
        }
    for (size_t size = 0; size < text.size; size++)
        assert_int_equal(crdt_session_decode(slice_of(copy, size), seed, &again), STATUS_SESSION);
    copy[text.size] = 'A';
    assert_int_equal(crdt_session_decode(slice_of(copy, text.size + 1), seed, &again),
                     STATUS_SESSION);
    assert_int_equal(crdt_session_decode(text, other_seed, &again), STATUS_SESSION);
    assert_int_equal(crdt_session_decode(text, seed, &again), STATUS_OK);
}

static void test_no_room_leaves_the_text(void **state)
{
    struct crdt_session session;
    uint8_t small[20];
    struct writer out = writer_over(small, sizeof(small));

    (void)state;
    fill(&session, 1, 0, 0);
    write_u8(&out, 'x');
    assert_int_equal(crdt_session_encode(&session, seed, &out), STATUS_TOO_LARGE);
    assert_int_equal(out.size, 1);
}

static void test_rows_have_names_of_their_own(void **state)
{
    struct slice element = slice_of((const uint8_t *)"k\0e", 3);

    (void)state;
    assert_true(crdt_session_row(seed, slice_text("a"), slice_text("k")) !=
                crdt_session_row(seed, slice_text("b"), slice_text("k")));
    assert_true(crdt_session_row(seed, slice_text("a"), slice_text("k")) !=
                crdt_session_row(seed, slice_text("a"), element));
    assert_true(crdt_session_row(seed, slice_text("a"), slice_text("k")) !=
                crdt_session_row(other_seed, slice_text("a"), slice_text("k")));
}

/* --- covering */

static void put(struct crdt_object *object, uint64_t actor, uint64_t stamp,
                const struct crdt_context *context)
{
    struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v"), .body_size = 1};

    assert_int_equal(crdt_object_write(object, context, actor, stamp, &value), STATUS_OK);
}

static void test_an_object_covers_what_it_knows(void **state)
{
    static const struct crdt_context nothing = {0};
    struct crdt_object object;
    struct crdt_context context = {.dot_count = 1, .dots = {{7, 50}}};

    (void)state;
    crdt_object_clear(&object);
    assert_true(crdt_object_covers(&object, NULL, 0));
    assert_false(crdt_object_covers(&object, &(struct dot){7, 1}, 1));
    put(&object, 7, 10, &nothing);
    put(&object, 8, 20, &nothing);
    assert_true(crdt_object_covers(&object, &(struct dot){7, 10}, 1));
    assert_false(crdt_object_covers(&object, &(struct dot){7, 11}, 1));
    assert_false(crdt_object_covers(&object, &(struct dot){9, 1}, 1));
    put(&object, 8, 60, &context); /* discards (7, 50), which was never here */
    assert_true(crdt_object_covers(&object, &(struct dot){7, 50}, 1));
    assert_false(crdt_object_covers(&object, &(struct dot){7, 40}, 1));
    assert_true(crdt_object_covers(&object, (struct dot[]){{7, 10}, {8, 60}}, 2));
    assert_false(crdt_object_covers(&object, (struct dot[]){{7, 10}, {8, 61}}, 2));
    put(&object, 9, 70, NULL); /* discards everything: known for ever */
    assert_true(crdt_object_covers(&object, (struct dot[]){{7, 10}, {8, 20}}, 2));
}

/* --- what is noted */

static void test_a_read_replaces_what_was_listed(void **state)
{
    static const struct crdt_context nothing = {0};
    struct crdt_session session = {0};
    struct crdt_object object;
    struct dot dots[SESSION_ENTRIES_MAX];

    (void)state;
    crdt_object_clear(&object);
    put(&object, 7, 10, &nothing);
    put(&object, 8, 20, &nothing);
    assert_true(crdt_session_shown(&session, 1, &object, false));
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 2);
    assert_int_equal(session.clock, 20);
    assert_true(session.entries[0].is_weak);
    put(&object, 9, 30, NULL);
    assert_true(crdt_session_shown(&session, 1, &object, true));
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 1);
    assert_int_equal(dots[0].actor, 9);
    assert_false(session.entries[0].is_weak);
    assert_true(crdt_session_shown(&session, 1, &object, false)); /* it was settled once */
    assert_false(session.entries[0].is_weak);
    assert_int_equal(session.clock, 30);
    assert_int_equal(crdt_session_wanted(&session, 2, dots), 0);
}

static void test_a_write_keeps_what_it_did_not_see(void **state)
{
    static const struct crdt_context nothing = {0};
    struct crdt_session session = {0};
    struct crdt_object seen, other;
    struct dot dots[SESSION_ENTRIES_MAX];

    (void)state;
    crdt_object_clear(&seen);
    crdt_object_clear(&other);
    put(&seen, 7, 10, &nothing);
    put(&other, 8, 20, &nothing); /* at a coordinator that has not got (7, 10) */
    (void)crdt_session_shown(&session, 1, &seen, true);
    (void)crdt_session_wrote(&session, 1, (struct dot){8, 20}, &other, true);
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 2);
    put(&seen, 9, 30, NULL);
    (void)crdt_session_wrote(&session, 1, (struct dot){9, 30}, &seen, true);
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 2); /* (8, 20) is still apart */
    assert_int_equal(crdt_object_merge(&seen, &other), STATUS_OK);
    (void)crdt_session_shown(&session, 1, &seen, true);
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 2);
}

static void test_many_rows_ask_for_what_covers_all(void **state)
{
    struct crdt_session session = {0};
    struct crdt_object object;

    (void)state;
    assert_int_equal(crdt_session_strength_many(&session), CRDT_STRENGTH_ANY);
    crdt_object_clear(&object);
    put(&object, 7, 10, NULL);
    (void)crdt_session_shown(&session, 1, &object, true);
    assert_int_equal(crdt_session_strength_many(&session), CRDT_STRENGTH_QUORUM);
    (void)crdt_session_shown(&session, 2, &object, false);
    assert_int_equal(crdt_session_strength_many(&session), CRDT_STRENGTH_ALL);
    assert_int_equal(crdt_session_strength(&session, 3), CRDT_STRENGTH_ANY);
}

static void test_more_writers_than_fit_are_not_listed(void **state)
{
    static const struct crdt_context nothing = {0};
    struct crdt_session session = {0};
    struct crdt_object object;
    struct dot dots[SESSION_ENTRIES_MAX];

    (void)state;
    crdt_object_clear(&object);
    for (unsigned i = 0; i <= SESSION_ENTRIES_MAX; i++)
        put(&object, i + 1, i + 1, &nothing);
    assert_false(crdt_session_shown(&session, 1, &object, true));
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 0);
    assert_int_equal(crdt_session_strength(&session, 1), CRDT_STRENGTH_QUORUM);
}

/* --- never weaker: against everything that was ever seen */

#define ROWS 40
#define SEEN_MAX 4096

struct seen {
    uint64_t row;
    struct dot dot;
    bool is_settled;
};

struct truth {
    struct crdt_session session;
    struct crdt_object copies[ROWS][2]; /* two owners that have not met */
    struct seen seen[SEEN_MAX];
    unsigned count;
    uint64_t stamp;
};

static void truth_note(struct truth *truth, uint64_t row, const struct crdt_object *object,
                       bool is_settled)
{
    for (unsigned i = 0; i < object->value_count && truth->count < SEEN_MAX; i++)
        truth->seen[truth->count++] =
            (struct seen){row, {object->values[i].actor, object->values[i].stamp}, is_settled};
}

/* What a read that satisfies the token could still miss: nothing that was seen. */
static void truth_check(const struct truth *truth)
{
    struct dot dots[SESSION_ENTRIES_MAX];

    for (unsigned i = 0; i < truth->count; i++) {
        const struct seen *seen = &truth->seen[i];
        const struct crdt_object *copies = truth->copies[seen->row];
        enum crdt_strength strength = crdt_session_strength(&truth->session, seen->row);
        uint8_t count = crdt_session_wanted(&truth->session, seen->row, dots);

        if (strength == CRDT_STRENGTH_ALL || (strength == CRDT_STRENGTH_QUORUM && seen->is_settled))
            continue;
        /* Either copy that has all that is wanted has this as well. */
        for (unsigned k = 0; k < 2; k++)
            if (crdt_object_covers(&copies[k], dots, count))
                assert_true(crdt_object_covers(&copies[k], &seen->dot, 1));
    }
}

static void truth_step(struct truth *truth, struct prng *rng, unsigned rows)
{
    uint64_t row = prng_below(rng, rows);
    unsigned side = (unsigned)prng_below(rng, 2);
    struct crdt_object *copy = &truth->copies[row][side];
    bool is_settled = prng_chance(rng, 2, 3);
    enum crdt_strength strength = crdt_session_strength(&truth->session, row);
    struct dot dots[SESSION_ENTRIES_MAX], dot = {side + 1, ++truth->stamp};
    uint8_t wanted = crdt_session_wanted(&truth->session, row, dots);

    switch (prng_below(rng, 4)) {
    case 0:
        put(copy, dot.actor, dot.stamp, NULL);
        (void)crdt_session_wrote(&truth->session, row, dot, copy, is_settled);
        truth->seen[truth->count++] = (struct seen){row, dot, is_settled};
        if (!is_settled)
            break;
        /* fall through */
    case 1: /* the owners meet */
        assert_int_equal(crdt_object_merge(&truth->copies[row][0], &truth->copies[row][1]),
                         STATUS_OK);
        crdt_object_copy(&truth->copies[row][1], &truth->copies[row][0]);
        break;
    default: /* a read of one copy, where the token allows it */
        if (strength != CRDT_STRENGTH_ANY || !crdt_object_covers(copy, dots, wanted))
            break;
        is_settled = crdt_object_dominates(copy, &truth->copies[row][1 - side]) &&
                     crdt_object_dominates(&truth->copies[row][1 - side], copy);
        (void)crdt_session_shown(&truth->session, row, copy, is_settled);
        truth_note(truth, row, copy, is_settled);
    }
}

static void test_never_weaker(void **state)
{
    static struct truth truth;
    struct prng rng;

    (void)state;
    prng_init(&rng, 11);
    for (unsigned run = 0; run < 60; run++) {
        unsigned rows = run % 2 ? ROWS : 3 + run % 29;

        memset(&truth, 0, sizeof(truth));
        for (unsigned step = 0; step < 300 && truth.count + 8 < SEEN_MAX; step++) {
            truth_step(&truth, &rng, rows);
            assert_true(truth.session.count <= SESSION_ENTRIES_MAX);
            if (step % 10 == 0)
                truth_check(&truth);
        }
        truth_check(&truth);
    }
}

static void test_what_a_quorum_holds_goes_first(void **state)
{
    struct crdt_session session = {0};
    struct crdt_object object;
    struct dot dots[SESSION_ENTRIES_MAX];

    (void)state;
    crdt_object_clear(&object);
    put(&object, 7, 10, NULL);
    (void)crdt_session_shown(&session, 1, &object, false);
    for (unsigned i = 2; i <= SESSION_ENTRIES_MAX; i++)
        assert_true(crdt_session_shown(&session, i, &object, i != 5));
    assert_false(crdt_session_shown(&session, 99, &object, true));
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 1); /* weak: stays */
    assert_int_equal(crdt_session_wanted(&session, 2, dots), 0);
    assert_int_equal(crdt_session_strength(&session, 2), CRDT_STRENGTH_QUORUM);
    for (unsigned i = 100; i < 100 + SESSION_ENTRIES_MAX - 2; i++)
        (void)crdt_session_shown(&session, i, &object, false);
    assert_int_equal(session.strength, CRDT_STRENGTH_QUORUM);
    assert_false(crdt_session_shown(&session, 200, &object, false));
    assert_int_equal(session.strength, CRDT_STRENGTH_ALL);
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 0);
    /* a write to it does not make it look as if all it saw were listed */
    (void)crdt_session_wrote(&session, 1, (struct dot){7, 10}, &object, true);
    assert_int_equal(crdt_session_wanted(&session, 1, dots), 1);
    assert_int_equal(crdt_session_strength(&session, 1), CRDT_STRENGTH_ALL);
    (void)crdt_session_shown(&session, 1, &object, true);
    assert_int_equal(crdt_session_strength(&session, 1), CRDT_STRENGTH_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_come_back),
        cmocka_unit_test(test_new_has_seen_nothing),
        cmocka_unit_test(test_damage_is_seen),
        cmocka_unit_test(test_no_room_leaves_the_text),
        cmocka_unit_test(test_rows_have_names_of_their_own),
        cmocka_unit_test(test_an_object_covers_what_it_knows),
        cmocka_unit_test(test_a_read_replaces_what_was_listed),
        cmocka_unit_test(test_a_write_keeps_what_it_did_not_see),
        cmocka_unit_test(test_many_rows_ask_for_what_covers_all),
        cmocka_unit_test(test_more_writers_than_fit_are_not_listed),
        cmocka_unit_test(test_never_weaker),
        cmocka_unit_test(test_what_a_quorum_holds_goes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
