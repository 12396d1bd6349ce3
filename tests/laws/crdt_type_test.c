/* crdt_type_test.c: every CRDT type against a naive reader of the history.
 *
 * A history is a random order of changes, merges, reads that give a token, and crashes (the owner
 * comes back without its last, unsent change and as another actor) at two to four owners. The model
 * keeps sets of changes: what each owner heard of, and what somebody who had seen it replaced. From
 * them alone it says what must be read:
 *
 *   counter   the sum of all changes that a live one carries, each once
 *   flag      whether a live change enables     register    the newest change
 *   element   whether a live change adds        mvregister  all live changes
 *   hll       about as many as the live changes carry different elements
 *
 * After every action the owner must show that, and merging must be commutative, associative and
 * idempotent down to the bytes. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"
#include "prng.h"

#define HISTORIES 6000 /* of each type */
#define ACTIONS 16
#define OWNERS 4
#define TOKENS 4
#define BYTES_MAX (64u << 10)

typedef uint32_t changes; /* a set: number i is bit i */

struct change {
    uint64_t actor, stamp;
    bool is_removal;
    int64_t delta; /* counter */
    uint8_t arg[3];
    changes carried; /* itself, and what it replaced while keeping its effect */
};

struct owner {
    struct crdt_object object;
    changes heard, replaced;
    uint64_t actor;
};

struct history {
    struct prng prng;
    enum crdt_kind type;
    struct change changes[ACTIONS];
    unsigned change_count;
    struct owner owners[OWNERS], before;
    unsigned owner_count, before_index;
    bool has_before;
    struct crdt_context tokens[TOKENS];
    changes covers[TOKENS];
    unsigned token_count;
    uint64_t actors, stamp;
};

static struct history history;
static uint8_t rooms[ACTIONS][CRDT_UPDATE_ROOM];
static const uint8_t seed[HASH_SEED_SIZE] = "laws";

static unsigned below(struct history *h, unsigned bound)
{
    return (unsigned)prng_below(&h->prng, bound);
}

static changes live_of(const struct owner *owner)
{
    return owner->heard & ~owner->replaced;
}

static changes dots_of(const struct history *h, uint64_t actor, changes among)
{
    changes set = 0;

    for (unsigned i = 0; i < h->change_count; i++)
        if (h->changes[i].actor == actor)
            set |= 1u << i & among;
    return set;
}

static changes removals_of(const struct history *h, changes among)
{
    changes set = 0;

    for (unsigned i = 0; i < h->change_count; i++)
        if (h->changes[i].is_removal)
            set |= 1u << i & among;
    return set;
}

static changes carried_of(const struct history *h, changes live)
{
    changes set = 0;

    for (unsigned i = 0; i < h->change_count; i++)
        if (live >> i & 1)
            set |= h->changes[i].carried;
    return set;
}

/* --- what must be read */

static void check_counter(const struct history *h, const struct owner *owner)
{
    changes carried = carried_of(h, live_of(owner));
    int64_t expected = 0, value;

    for (unsigned i = 0; i < h->change_count; i++)
        if (carried >> i & 1)
            expected += h->changes[i].delta;
    assert_int_equal(crdt_counter_value(&owner->object, &value), STATUS_OK);
    assert_int_equal(value, expected);
}

static void check_hll(const struct history *h, const struct owner *owner)
{
    changes carried = carried_of(h, live_of(owner));
    unsigned elements = 0, count = 0;
    struct crdt_hll hll;

    for (unsigned i = 0; i < h->change_count; i++)
        if (carried >> i & 1)
            elements |= 1u << h->changes[i].arg[2];
    for (unsigned i = 0; i < 16; i++)
        count += elements >> i & 1;
    crdt_hll_of_object(&hll, &owner->object);
    assert_int_equal(crdt_hll_estimate(&hll), count); /* exact for so few */
}

static void check_flag(const struct history *h, const struct owner *owner)
{
    bool expected = false, value = false;

    for (unsigned i = 0; i < h->change_count; i++)
        expected |= (live_of(owner) >> i & 1) && !h->changes[i].is_removal && h->changes[i].arg[0];
    for (unsigned i = 0; i < owner->object.value_count; i++)
        value |=
            owner->object.values[i].kind == CRDT_FLAG && owner->object.values[i].body.data[0] == 1;
    assert_int_equal(value, expected);
}

static void check_newest(const struct history *h, const struct owner *owner)
{
    const struct change *newest = NULL;
    changes adds = live_of(owner) & ~removals_of(h, live_of(owner));
    uint16_t index;

    for (unsigned i = 0; i < h->change_count; i++)
        if ((adds >> i & 1) &&
            (!newest || h->changes[i].stamp > newest->stamp ||
             (h->changes[i].stamp == newest->stamp && h->changes[i].actor > newest->actor)))
            newest = &h->changes[i];
    if (!newest) {
        assert_int_equal(crdt_object_types(&owner->object), 0);
        return;
    }
    assert_true(crdt_object_winner(&owner->object, &index));
    assert_true(owner->object.values[index].actor == newest->actor);
    assert_true(owner->object.values[index].stamp == newest->stamp);
}

/* Exactly the live changes are values, for every type. */
static void check_values(const struct history *h, const struct owner *owner)
{
    changes live = live_of(owner), found = 0;

    for (unsigned i = 0; i < owner->object.value_count; i++)
        for (unsigned k = 0; k < h->change_count; k++)
            if (h->changes[k].actor == owner->object.values[i].actor &&
                h->changes[k].stamp == owner->object.values[i].stamp)
                found |= 1u << k;
    assert_int_equal(found, live);
}

static void owner_check(const struct history *h, const struct owner *owner)
{
    check_values(h, owner);
    if (h->type == CRDT_COUNTER)
        check_counter(h, owner);
    else if (h->type == CRDT_HLL)
        check_hll(h, owner);
    else if (h->type == CRDT_FLAG)
        check_flag(h, owner);
    else
        check_newest(h, owner);
}

/* --- actions */

static struct slice change_arg(struct history *h, struct change *change)
{
    static uint8_t delta[8];

    change->arg[0] = (uint8_t)below(h, 2);
    change->arg[2] = (uint8_t)below(h, 6); /* an element of hll */
    if (change->is_removal || h->type == CRDT_VALUE)
        return SLICE_NONE;
    if (h->type == CRDT_FLAG || h->type == CRDT_REGISTER || h->type == CRDT_MVREGISTER)
        return slice_of(change->arg, 1);
    if (h->type == CRDT_HLL) {
        change->arg[0] = 0;
        change->arg[1] = 1;
        return slice_of(change->arg, 3);
    }
    change->delta = (int64_t)below(h, 9) - 4;
    bytes_store_u64(delta, (uint64_t)change->delta);
    return slice_of(delta, 8);
}

/* What a change replaces, and which effects it keeps. */
static changes change_replaces(const struct history *h, const struct owner *owner,
                               const struct change *change, const changes *token, changes *kept)
{
    changes live = live_of(owner), seen = live & (token ? *token : live);

    *kept = 0;
    if (change->is_removal || h->type == CRDT_FLAG || h->type == CRDT_MVREGISTER)
        return seen;
    if (h->type == CRDT_COUNTER) {
        *kept = dots_of(h, change->actor, live);
        return *kept | removals_of(h, live);
    }
    if (h->type == CRDT_HLL)
        *kept = live;
    return live;
}

static void action_change(struct history *h, unsigned index)
{
    struct owner *owner = &h->owners[index];
    struct change *change = &h->changes[h->change_count];
    int token = h->token_count > 0 && below(h, 3) == 0 ? (int)below(h, h->token_count) : -1;
    struct crdt_update update = {h->type, SLICE_NONE, seed};
    struct dot dot;
    changes replaces, kept, bit = 1u << h->change_count;
    enum status status;

    *change = (struct change){.actor = owner->actor, .is_removal = below(h, 4) == 0};
    update.arg = change_arg(h, change);
    update.type = change->is_removal ? CRDT_TOMBSTONE : h->type;
    replaces = change_replaces(h, owner, change, token < 0 ? NULL : &h->covers[token], &kept);
    /* clocks are near each other, and ties between actors happen */
    dot.stamp = crdt_object_stamp_max(&owner->object) + 1 + below(h, 2);
    for (unsigned i = 0; i < h->change_count; i++)
        if (h->changes[i].actor == owner->actor && dot.stamp <= h->changes[i].stamp)
            dot.stamp = h->changes[i].stamp + 1;
    dot.actor = owner->actor;
    if (below(h, 4) == 0) {
        h->before = *owner;
        h->before_index = index;
        h->has_before = true;
    }
    status = crdt_object_update(&owner->object, token < 0 ? NULL : &h->tokens[token], &dot, &update,
                                rooms[h->change_count]);
    if (change->is_removal && (replaces & ~removals_of(h, replaces)) == 0) {
        assert_int_equal(status, STATUS_MISSING);
        return;
    }
    assert_int_equal(status, STATUS_OK);
    change->stamp = dot.stamp;
    change->carried = change->is_removal ? 0 : bit | carried_of(h, kept);
    h->change_count++;
    owner->heard |= bit;
    owner->replaced |= replaces;
}

/* The token names all that was ever shown or replaced here. */
static void action_read(struct history *h, const struct owner *owner)
{
    unsigned at = h->token_count < TOKENS ? h->token_count++ : below(h, TOKENS);

    crdt_context_of_all(&owner->object, &h->tokens[at]);
    h->covers[at] = owner->heard;
}

static void action_merge(struct owner *into, const struct owner *from)
{
    assert_int_equal(crdt_object_merge(&into->object, &from->object), STATUS_OK);
    into->heard |= from->heard;
    into->replaced |= from->replaced;
}

/* Its last change was nowhere else: what is sent was committed before (counters), or is a change of
 * this actor for ever. */
static void action_crash(struct history *h)
{
    changes last;

    if (!h->has_before)
        return;
    h->has_before = false;
    last = h->owners[h->before_index].heard & ~h->before.heard;
    for (unsigned i = 0; i < h->owner_count; i++)
        if (i != h->before_index && (h->owners[i].heard & last) && h->type == CRDT_COUNTER)
            return;
    h->owners[h->before_index] = h->before;
    h->owners[h->before_index].actor = ++h->actors;
}

/* --- laws of merge over the states of a history */

static size_t spell(const struct crdt_object *object, uint8_t *into)
{
    struct writer out = writer_over(into, BYTES_MAX);

    assert_int_equal(crdt_object_encode(object, &out), STATUS_OK);
    return out.size;
}

static void laws_check(const struct history *h)
{
    static struct crdt_object left, right, again;
    static uint8_t one[BYTES_MAX], two[BYTES_MAX];
    size_t size;

    crdt_object_copy(&left, &h->owners[0].object);
    crdt_object_copy(&right, &h->owners[1].object);
    assert_int_equal(crdt_object_merge(&left, &h->owners[1].object), STATUS_OK);
    assert_int_equal(crdt_object_merge(&right, &h->owners[0].object), STATUS_OK);
    size = spell(&left, one);
    assert_int_equal(spell(&right, two), size); /* commutative */
    assert_memory_equal(one, two, size);
    assert_int_equal(crdt_object_merge(&right, &left), STATUS_OK);
    assert_int_equal(spell(&right, two), size); /* idempotent */
    assert_memory_equal(one, two, size);
    assert_int_equal(crdt_object_decode(slice_of(one, size), &again), STATUS_OK);
    assert_int_equal(spell(&again, two), size); /* one spelling */
    assert_memory_equal(one, two, size);
    if (h->owner_count < 3)
        return;
    assert_int_equal(crdt_object_merge(&left, &h->owners[2].object), STATUS_OK);
    crdt_object_copy(&right, &h->owners[2].object);
    assert_int_equal(crdt_object_merge(&right, &h->owners[1].object), STATUS_OK);
    crdt_object_copy(&again, &h->owners[0].object);
    assert_int_equal(crdt_object_merge(&again, &right), STATUS_OK);
    size = spell(&left, one);
    assert_int_equal(spell(&again, two), size); /* associative */
    assert_memory_equal(one, two, size);
}

static void history_run(struct history *h, enum crdt_kind type, uint64_t number)
{
    memset(h, 0, sizeof(*h));
    prng_init(&h->prng, number << 4 | type);
    h->type = type;
    h->owner_count = 2 + below(h, OWNERS - 1);
    for (unsigned i = 0; i < h->owner_count; i++)
        h->owners[i].actor = ++h->actors;
    for (unsigned step = 0; step < ACTIONS; step++) {
        unsigned at = below(h, h->owner_count), dice = below(h, 16);

        if (dice < 8)
            action_change(h, at);
        else if (dice < 10)
            action_read(h, &h->owners[at]);
        else if (dice < 15)
            action_merge(&h->owners[at], &h->owners[below(h, h->owner_count)]);
        else
            action_crash(h);
        owner_check(h, &h->owners[at]);
    }
    laws_check(h);
    for (unsigned i = 1; i < h->owner_count; i++)
        action_merge(&h->owners[0], &h->owners[i]);
    owner_check(h, &h->owners[0]);
}

static void test_types_agree_with_the_naive_reader(void **state)
{
    static const enum crdt_kind types[] = {CRDT_COUNTER,    CRDT_FLAG, CRDT_REGISTER,
                                           CRDT_MVREGISTER, CRDT_HLL,  CRDT_VALUE};

    (void)state;
    for (unsigned t = 0; t < sizeof(types) / sizeof(types[0]); t++)
        for (uint64_t number = 1; number <= HISTORIES; number++)
            history_run(&history, types[t], number);
}

/* All histories of four changes at two owners, each change followed by any merge: 3 x 3 choices a
 * step (who counts; nobody, one or the other merges). */
static void test_counters_of_every_short_history(void **state)
{
    static struct crdt_object owners[2];
    static const int64_t deltas[4] = {1, -10, 100, -1000};

    (void)state;
    for (unsigned number = 0; number < 6 * 6 * 6 * 6; number++) {
        int64_t value, sum = 0;

        crdt_object_clear(&owners[0]);
        crdt_object_clear(&owners[1]);
        for (unsigned step = 0, rest = number; step < 4; step++, rest /= 6) {
            unsigned at = rest % 2, merge = rest % 6 / 2;
            uint8_t arg[8];
            struct crdt_update update = {CRDT_COUNTER, slice_of(arg, 8), seed};
            struct dot dot = {at + 1, crdt_object_stamp_max(&owners[at]) + 1};

            bytes_store_u64(arg, (uint64_t)deltas[step]);
            sum += deltas[step];
            assert_int_equal(crdt_object_update(&owners[at], NULL, &dot, &update, rooms[step]),
                             STATUS_OK);
            if (merge > 0)
                assert_int_equal(crdt_object_merge(&owners[merge - 1], &owners[2 - merge]),
                                 STATUS_OK);
        }
        assert_int_equal(crdt_object_merge(&owners[0], &owners[1]), STATUS_OK);
        assert_int_equal(crdt_counter_value(&owners[0], &value), STATUS_OK);
        assert_int_equal(value, sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_agree_with_the_naive_reader),
        cmocka_unit_test(test_counters_of_every_short_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
