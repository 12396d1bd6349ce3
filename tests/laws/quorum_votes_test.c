/* quorum_votes_test.c: every shape of owner sets (N from 1 to 5, base and target sharing 0 to N
 * owners), every subset of owners that answer, every consistency: DONE is OK exactly when both sets
 * have their quorum, at the very answer that completes it, and once. For N up to 3 also every mix
 * of acknowledgement, refusal, lost link and silence: the outcome never claims more than is known.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "quorum.h"

#define SETS_MAX 10 /* two disjoint sets of five */

/* What the last operation told. */
struct record {
    unsigned done;
    enum status status;
    enum outcome outcome;
    uint8_t acks;
    unsigned asked; /* owners a question went to, as bits */
};

struct shape {
    unsigned count;
    unsigned base, target; /* owners in each set, as bits */
    uint8_t size;          /* of each set */
};

static struct record record;

static void emit(void *context, const struct quorum_output *output)
{
    (void)context;
    if (output->kind == QUORUM_DONE) {
        record.done++;
        record.status = output->status;
        record.outcome = output->outcome;
        record.acks = output->acks;
    } else if (output->kind != QUORUM_SPREAD && output->id != 0) {
        record.asked |= 1u << (output->to - 1);
    }
}

static struct quorum *quorum_make(void)
{
    const struct quorum_config config = {.operations_max = 4, .emit = emit};
    struct quorum *quorum = quorum_new(&config);

    assert_non_null(quorum);
    return quorum;
}

static struct shape shape_make(unsigned size, unsigned overlap)
{
    struct shape shape = {.count = 2 * size - overlap, .size = (uint8_t)size};

    shape.base = (1u << size) - 1;
    shape.target = shape.base << (size - overlap);
    return shape;
}

static unsigned bits(unsigned set)
{
    return (unsigned)__builtin_popcount(set);
}

/* The oracle: counting members, nothing else. */
static bool is_enough(const struct shape *shape, unsigned consistency, unsigned set)
{
    const unsigned need[] = {shape->size / 2 + 1u, 1, shape->size / 2 + 1u, shape->size};

    return bits(set & shape->base) >= need[consistency] &&
           bits(set & shape->target) >= need[consistency];
}

/* Owner 1 is this peer. */
static struct quorum_request request_make(const struct shape *shape, unsigned consistency,
                                          struct quorum_owner *owners)
{
    for (unsigned i = 0; i < shape->count; i++)
        owners[i] = (struct quorum_owner){.id8 = i + 1,
                                          .is_base = (shape->base >> i & 1) != 0,
                                          .is_target = (shape->target >> i & 1) != 0,
                                          .is_reachable = true,
                                          .is_self = i == 0};
    record = (struct record){0};
    return (struct quorum_request){.id = 1,
                                   .consistency = (enum consistency)consistency,
                                   .deadline = INSTANT_S(2),
                                   .ns = slice_text("n"),
                                   .key = slice_text("k"),
                                   .owners = owners,
                                   .owner_count = (uint8_t)shape->count,
                                   .base_count = shape->size,
                                   .target_count = shape->size};
}

static void put_answer(struct quorum *quorum, unsigned owner, enum status status)
{
    if (owner == 0)
        quorum_stored(quorum, 1, 1, status);
    else
        quorum_put_ack(quorum, 1, 1, owner + 1, status);
}

static void put_check(struct quorum *quorum, const struct shape *shape, unsigned consistency,
                      unsigned subset)
{
    struct quorum_owner owners[SETS_MAX];
    struct quorum_request request = request_make(shape, consistency, owners);
    unsigned all = (1u << shape->count) - 1, acked = 0;

    assert_int_equal(quorum_put(quorum, 0, &request), STATUS_OK);
    assert_int_equal(record.asked, all & ~1u);
    for (unsigned i = 0; i < shape->count; i++) {
        if ((subset >> i & 1) == 0)
            continue;
        put_answer(quorum, i, STATUS_OK);
        acked |= 1u << i;
        assert_int_equal(record.done, is_enough(shape, consistency, acked));
        if (record.done > 0)
            break;
    }
    if (record.done > 0) {
        assert_int_equal(record.status, STATUS_OK);
        assert_int_equal(record.acks, bits(acked));
    } else {
        quorum_expire(quorum, INSTANT_S(2));
        assert_int_equal(record.done, 1);
        assert_int_equal(record.status, STATUS_DEADLINE);
        assert_int_equal(record.outcome, acked != 0 ? OUTCOME_PARTIAL : OUTCOME_UNKNOWN);
    }
    /* Stragglers change nothing. */
    for (unsigned i = 0; i < shape->count; i++)
        put_answer(quorum, i, STATUS_OK);
    assert_int_equal(record.done, 1);
    assert_int_equal(quorum_count(quorum), 0);
}

static void get_check(struct quorum *quorum, const struct shape *shape, unsigned consistency,
                      unsigned subset)
{
    struct quorum_owner owners[SETS_MAX];
    struct quorum_request request = request_make(shape, consistency, owners);
    unsigned answered = subset & 1, failed = ~subset & 1, open = 0;

    request.is_local_counted = answered != 0;
    if (!is_enough(shape, consistency, ((1u << shape->count) - 1) & ~failed)) {
        assert_int_equal(quorum_get(quorum, 0, &request), STATUS_UNREACHABLE);
        assert_int_equal(record.done + record.asked, 0);
        return;
    }
    assert_int_equal(quorum_get(quorum, 0, &request), STATUS_OK);
    while (record.done == 0) {
        struct quorum_answer answer = {.status = STATUS_MISSING};

        /* While it is not done, open questions could complete it. */
        open = record.asked & ~answered & ~failed;
        assert_true(open != 0);
        assert_true(is_enough(shape, consistency, answered | open));
        assert_false(is_enough(shape, consistency, answered));
        answer.from = (uint64_t)__builtin_ctz(open) + 1;
        if ((subset >> (answer.from - 1) & 1) != 0) {
            answered |= 1u << (answer.from - 1);
        } else {
            failed |= 1u << (answer.from - 1);
            answer.status = STATUS_RECOVERING;
        }
        quorum_get_answer(quorum, 1, 1, &answer);
    }
    assert_int_equal(record.done, 1);
    assert_int_equal(record.status == STATUS_OK, is_enough(shape, consistency, subset));
    assert_int_equal(record.status == STATUS_OK, is_enough(shape, consistency, answered));
    assert_int_equal(quorum_count(quorum), 0);
}

static void test_done_exactly_when_both_sets_have_their_quorum(void **state)
{
    struct quorum *quorum = quorum_make();
    unsigned checks = 0;

    (void)state;
    for (unsigned size = 1; size <= 5; size++)
        for (unsigned overlap = 0; overlap <= size; overlap++) {
            struct shape shape = shape_make(size, overlap);

            for (unsigned consistency = 0; consistency <= CONSISTENCY_ALL; consistency++)
                for (unsigned subset = 0; subset < 1u << shape.count; subset++, checks++) {
                    put_check(quorum, &shape, consistency, subset);
                    get_check(quorum, &shape, consistency, subset);
                }
        }
    assert_int_equal(checks, 4 * (6 + 28 + 120 + 496 + 2016));
    quorum_delete(quorum);
}

/* One fate per owner, two bits each. */
enum fate { FATE_ACK, FATE_REFUSE, FATE_LOST, FATE_SILENT };

static void fate_apply(struct quorum *quorum, unsigned owner, enum fate fate)
{
    switch (fate) {
    case FATE_ACK:
        put_answer(quorum, owner, STATUS_OK);
        break;
    case FATE_REFUSE:
        put_answer(quorum, owner, STATUS_NO_SPACE);
        break;
    case FATE_LOST:
        if (owner == 0)
            put_answer(quorum, owner, STATUS_UNKNOWN_OUTCOME);
        else
            quorum_peer_lost(quorum, 1, owner + 1);
        break;
    case FATE_SILENT:
        break;
    }
}

static void outcome_check(struct quorum *quorum, const struct shape *shape, unsigned fates)
{
    struct quorum_owner owners[SETS_MAX];
    struct quorum_request request = request_make(shape, CONSISTENCY_QUORUM, owners);
    unsigned all = (1u << shape->count) - 1, acked = 0, dead = 0, refused = 0;
    bool is_over;

    assert_int_equal(quorum_put(quorum, 0, &request), STATUS_OK);
    for (unsigned i = 0; i < shape->count && record.done == 0; i++) {
        enum fate fate = (enum fate)(fates >> 2 * i & 3);

        fate_apply(quorum, i, fate);
        acked |= fate == FATE_ACK ? 1u << i : 0;
        refused |= fate == FATE_REFUSE ? 1u << i : 0;
        dead |= fate == FATE_REFUSE || fate == FATE_LOST ? 1u << i : 0;
        /* It ends when it is decided; with refusals only, when the last owner has spoken. */
        is_over = is_enough(shape, CONSISTENCY_QUORUM, acked) ||
                  (!is_enough(shape, CONSISTENCY_QUORUM, all & ~dead) &&
                   (refused != dead || acked != 0 || refused == all));
        assert_int_equal(record.done, is_over);
    }
    quorum_expire(quorum, INSTANT_S(2));
    assert_int_equal(record.done, 1);
    if (is_enough(shape, CONSISTENCY_QUORUM, acked))
        assert_int_equal(record.outcome, OUTCOME_NONE);
    else if (acked != 0)
        assert_int_equal(record.outcome, OUTCOME_PARTIAL);
    else
        assert_int_equal(record.outcome, refused == all ? OUTCOME_NOT_STORED : OUTCOME_UNKNOWN);
    assert_int_equal(record.status == STATUS_OK, record.outcome == OUTCOME_NONE);
    assert_int_equal(quorum_count(quorum), 0);
    put_answer(quorum, 0, STATUS_OK); /* what lingers waits for our own commit, which always ends */
    assert_int_equal(record.done, 1);
}

static void test_the_outcome_says_no_more_than_is_known(void **state)
{
    struct quorum *quorum = quorum_make();

    (void)state;
    for (unsigned size = 1; size <= 3; size++)
        for (unsigned overlap = 0; overlap <= size; overlap++) {
            struct shape shape = shape_make(size, overlap);

            for (unsigned fates = 0; fates < 1u << 2 * shape.count; fates++)
                outcome_check(quorum, &shape, fates);
        }
    quorum_delete(quorum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done_exactly_when_both_sets_have_their_quorum),
        cmocka_unit_test(test_the_outcome_says_no_more_than_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
