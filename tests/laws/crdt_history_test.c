/* crdt_history_test.c: random histories of two to four owners against a model made of plain sets.
 *
 * The model numbers every write of a history and keeps, per owner, the set of writes it has heard
 * of and the set of writes that somebody who was shown them discarded. Values are heard
 * \ discarded; merging is union. The implementation must hold exactly the same values after every
 * action (D7), a token must cover exactly what was shown (D8), and an owner that loses its last
 * write (a crash before the commit) goes on under a new actor (protocols.md 5.4). */
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

#define HISTORIES 20000
#define ACTIONS 14
#define OWNERS 4
#define TOKENS 6

/* A write of the history: number i is bit i of every set below. */
struct event {
    uint64_t actor, stamp;
};

/* A set of writes, at most one per action. */
typedef uint32_t writes;

struct owner {
    struct crdt_object object;
    writes heard, discarded;
    uint64_t actor;
};

struct token {
    struct crdt_context context;
    writes covers;
};

struct history {
    struct prng prng;
    struct event events[ACTIONS];
    unsigned event_count;
    struct owner owners[OWNERS], before; /* `before`: one owner as it was a write ago */
    unsigned owner_count, before_index;
    bool has_before;
    struct token tokens[TOKENS];
    unsigned token_count;
    uint64_t actors;
    struct crdt_clock clocks[OWNERS];
};

static struct history history;
static const uint8_t history_bodies[ACTIONS + 1] = "abcdefghijklmn";

static writes owner_live(const struct owner *owner)
{
    return owner->heard & ~owner->discarded;
}

/* The writes of `actor` up to `stamp`. */
static writes writes_until(const struct history *h, uint64_t actor, uint64_t stamp)
{
    writes set = 0;

    for (unsigned i = 0; i < h->event_count; i++)
        if (h->events[i].actor == actor && h->events[i].stamp <= stamp)
            set |= 1u << i;
    return set;
}

static writes writes_dot(const struct history *h, uint64_t actor, uint64_t stamp)
{
    for (unsigned i = 0; i < h->event_count; i++)
        if (h->events[i].actor == actor && h->events[i].stamp == stamp)
            return 1u << i;
    fail_msg("a dot that nobody wrote");
    return 0;
}

static writes context_covers(const struct history *h, const struct crdt_context *context)
{
    writes set = 0;

    for (unsigned i = 0; i < context->vector_count; i++)
        set |= writes_until(h, context->vector[i].actor, context->vector[i].stamp);
    for (unsigned i = 0; i < context->dot_count; i++)
        set |= writes_dot(h, context->dots[i].actor, context->dots[i].stamp);
    return set;
}

static void owner_check(const struct history *h, const struct owner *owner)
{
    writes found = 0;
    uint16_t winner = 0, expected = 0;
    uint64_t newest = 0;

    for (uint16_t i = 0; i < owner->object.value_count; i++) {
        const struct crdt_value *value = &owner->object.values[i];
        bool is_newer =
            value->stamp > newest ||
            (value->stamp == newest && value->actor > owner->object.values[expected].actor);

        found |= writes_dot(h, value->actor, value->stamp);
        if (is_newer) {
            newest = value->stamp;
            expected = i;
        }
    }
    assert_int_equal(found, owner_live(owner));
    assert_int_equal(crdt_object_winner(&owner->object, &winner), found != 0);
    if (found != 0)
        assert_int_equal(winner, expected);
}

static unsigned below(struct history *h, unsigned bound)
{
    return (unsigned)prng_below(&h->prng, bound);
}

/* Keeps a token, perhaps in the place of an old one: clients may come back late. */
static void token_keep(struct history *h, const struct crdt_context *context)
{
    unsigned at = h->token_count < TOKENS ? h->token_count++ : below(h, TOKENS);

    h->tokens[at].context = *context;
    h->tokens[at].covers = context_covers(h, context);
}

static void action_read(struct history *h, struct owner *owner)
{
    struct crdt_context context;
    writes covers;
    uint16_t index;

    if (below(h, 2) == 0 && crdt_object_winner(&owner->object, &index)) {
        const struct crdt_value *shown = &owner->object.values[index];

        crdt_context_of_shown(&owner->object, index, &context);
        covers = context_covers(h, &context);
        /* Of what is live exactly the shown one is covered. */
        assert_int_equal(covers & owner_live(owner), writes_dot(h, shown->actor, shown->stamp));
    } else {
        crdt_context_of_all(&owner->object, &context);
        covers = context_covers(h, &context);
        assert_int_equal(covers & owner_live(owner), owner_live(owner));
    }
    /* Nothing is covered that was neither shown nor already discarded. */
    assert_int_equal(covers & ~owner_live(owner) & ~owner->discarded, 0);
    token_keep(h, &context);
}

static void action_write(struct history *h, unsigned index)
{
    struct owner *owner = &h->owners[index];
    const struct token *token =
        h->token_count > 0 && below(h, 3) > 0 ? &h->tokens[below(h, h->token_count)] : NULL;
    const struct crdt_value value = {.kind = CRDT_VALUE,
                                     .body = slice_of(history_bodies + h->event_count, 1)};
    struct crdt_context context;
    uint64_t above = crdt_object_stamp_max(&owner->object), stamp;

    if (token != NULL && crdt_context_stamp_max(&token->context) > above)
        above = crdt_context_stamp_max(&token->context);
    if (below(h, 4) == 0) {
        h->before = *owner;
        h->before_index = index;
        h->has_before = true;
    }
    stamp = crdt_clock_next(&h->clocks[index], below(h, 3), above);
    assert_int_equal(crdt_object_write(&owner->object, token != NULL ? &token->context : NULL,
                                       owner->actor, stamp, &value),
                     STATUS_OK);
    owner->discarded |= token != NULL ? token->covers : owner->heard;
    owner->heard |= 1u << h->event_count;
    h->events[h->event_count++] = (struct event){owner->actor, stamp};
    crdt_context_of_write(&owner->object, owner->actor, stamp, &context);
    assert_int_equal(context_covers(h, &context) & owner_live(owner), 1u << (h->event_count - 1));
    assert_int_equal(context_covers(h, &context) & ~owner_live(owner) & ~owner->discarded, 0);
    token_keep(h, &context);
}

static void action_merge(struct history *h, struct owner *into, const struct owner *from)
{
    assert_int_equal(crdt_object_merge(&into->object, &from->object), STATUS_OK);
    into->heard |= from->heard;
    into->discarded |= from->discarded;
    (void)h;
}

/* A crash: the owner comes back as it was before its last write, and as somebody new. */
static void action_crash(struct history *h)
{
    if (!h->has_before)
        return;
    h->owners[h->before_index] = h->before;
    h->owners[h->before_index].actor = ++h->actors;
    h->has_before = false;
}

static void history_run(struct history *h, uint64_t seed)
{
    memset(h->clocks, 0, sizeof(h->clocks));
    prng_init(&h->prng, seed);
    h->event_count = h->token_count = 0;
    h->actors = 0;
    h->has_before = false;
    h->owner_count = 2 + below(h, OWNERS - 1);
    for (unsigned i = 0; i < h->owner_count; i++) {
        crdt_object_clear(&h->owners[i].object);
        h->owners[i].heard = h->owners[i].discarded = 0;
        h->owners[i].actor = ++h->actors;
    }
    for (unsigned step = 0; step < ACTIONS; step++) {
        unsigned at = below(h, h->owner_count), dice = below(h, 16);

        if (dice < 7)
            action_write(h, at);
        else if (dice < 10)
            action_read(h, &h->owners[at]);
        else if (dice < 15)
            action_merge(h, &h->owners[at], &h->owners[below(h, h->owner_count)]);
        else
            action_crash(h);
        owner_check(h, &h->owners[at]);
    }
    for (unsigned i = 1; i < h->owner_count; i++)
        action_merge(h, &h->owners[0], &h->owners[i]);
    owner_check(h, &h->owners[0]);
}

static void test_histories_agree_with_sets(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        history_run(&history, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_histories_agree_with_sets)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
