/* swim_merge_test.c: the merge of beliefs about a member is commutative, associative and idempotent
 * (M5): {alive, suspect, dead, left} x incarnations 0 to 3, all triples, all orders, through the
 * room's own door, so that what decides is what runs. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "hash.h"
#include "swim.h"

#define BELIEFS 16 /* rank + 4 * incarnation */

static const uint8_t subject_key[PUBLIC_KEY_SIZE] = {9};

static void drop_output(void *context, const struct swim_output *output)
{
    (void)context;
    (void)output;
}

static struct self_record record_make(uint64_t incarnation, uint16_t flags)
{
    struct self_record record;

    memset(&record, 0, sizeof(record));
    memcpy(record.public_key, subject_key, sizeof(record.public_key));
    record.incarnation = incarnation;
    record.epoch = 1;
    record.flags = flags;
    record.address_count = 1;
    return record;
}

static size_t sign(void *context, uint64_t incarnation, uint16_t flags, uint8_t *into,
                   struct self_record *record)
{
    (void)context;
    *record = record_make(incarnation, flags);
    memcpy(into, record, sizeof(*record));
    return sizeof(*record);
}

static struct swim *room_new(void)
{
    struct swim *swim = swim_new(
        &(struct swim_config){.self = {{1}}, .members_max = 2, .emit = drop_output, .sign = sign});

    swim_start(swim, 1, 1, 0);
    return swim;
}

static void hear_record(struct swim *swim, uint64_t incarnation, uint16_t flags)
{
    struct self_record record = record_make(incarnation, flags);

    swim_receive_record(swim, 1, NULL, &record, slice_of(&record, sizeof(record)));
}

/* A belief arrives as it does in life: the record first, what is said of it behind. */
static void hear(struct swim *swim, unsigned belief)
{
    struct node_id id = hash_node_id(subject_key);
    struct swim_from from = {.id8 = 77};
    uint8_t rank = belief % 4;
    uint64_t incarnation = belief / 4;
    struct message update = {.kind = MESSAGE_UPDATE,
                             .update = {.rank = rank,
                                        .subject = id_front(&id),
                                        .incarnation = incarnation,
                                        .from = 77,
                                        .since = 5}};

    hear_record(swim, incarnation, rank == RANK_LEFT ? SELF_LEFT : 0);
    if (rank == RANK_SUSPECT || rank == RANK_DEAD)
        swim_receive(swim, 1, &from, &update);
}

static unsigned held(struct swim *swim)
{
    struct node_id id = hash_node_id(subject_key);
    const struct swim_view *view = swim_find(swim, id_front(&id));

    return (unsigned)(view->incarnation * 4 + view->rank);
}

static unsigned outcome(const unsigned *beliefs, unsigned count)
{
    struct swim *swim = room_new();
    unsigned result;

    for (unsigned i = 0; i < count; i++)
        hear(swim, beliefs[i]);
    result = held(swim);
    swim_delete(swim);
    return result;
}

static unsigned greatest(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void test_every_order_of_every_triple_gives_the_greatest(void **state)
{
    (void)state;
    for (unsigned a = 0; a < BELIEFS; a++)
        for (unsigned b = 0; b < BELIEFS; b++)
            for (unsigned c = 0; c < BELIEFS; c++) {
                /* all orders appear, because all triples do */
                unsigned three[] = {a, b, c};

                assert_int_equal(outcome(three, 3), greatest(a, greatest(b, c)));
            }
}

static void test_hearing_the_same_again_changes_nothing(void **state)
{
    (void)state;
    for (unsigned a = 0; a < BELIEFS; a++)
        for (unsigned b = 0; b < BELIEFS; b++) {
            unsigned often[] = {a, a, b, a, b, b};

            assert_int_equal(outcome(often, 6), greatest(a, b));
        }
}

/* Two that heard different things and tell each other what they hold end up equal. */
static void test_what_is_held_can_be_passed_on(void **state)
{
    (void)state;
    for (unsigned a = 0; a < BELIEFS; a++)
        for (unsigned b = 0; b < BELIEFS; b++)
            for (unsigned c = 0; c < BELIEFS; c++) {
                unsigned left[] = {a, b}, right[] = {b, c};
                unsigned first[] = {outcome(left, 2), c}, second[] = {a, outcome(right, 2)};

                assert_int_equal(outcome(first, 2), outcome(second, 2));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order_of_every_triple_gives_the_greatest),
        cmocka_unit_test(test_hearing_the_same_again_changes_nothing),
        cmocka_unit_test(test_what_is_held_can_be_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
