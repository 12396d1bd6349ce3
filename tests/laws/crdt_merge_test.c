/* crdt_merge_test.c: merge is commutative, associative and idempotent, with equal bytes, for every
 * triple of states that three copies of one key can be in.
 *
 * An actor writes at stamps 1 to 3. What a copy knows of the actor: how far it has seen (a
 * prefix), and which dots are discarded, seen or not. Every such state is built, every triple
 * merged in every order. Actors do not touch each other, so the three actors of one object run
 * through the triple in three rotations: each triple is met by each pair of places. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include "crdt.h"

#define STAMPS 3
#define ACTORS 3
#define STATES_MAX 64
#define BYTES_MAX 512

/* One actor as one copy knows it: a set of discarded stamps (bit s-1) and a seen prefix. */
struct knowledge {
    unsigned discarded;
    unsigned seen;
};

/* All states over the stamps an actor wrote. `seen` is a written stamp or 0. */
static unsigned states_list(unsigned written, struct knowledge *states)
{
    unsigned count = 0;

    for (unsigned seen = 0; seen <= STAMPS; seen++)
        for (unsigned discarded = 0; discarded < 1u << STAMPS; discarded++) {
            if (seen > 0 && (written >> (seen - 1) & 1) == 0)
                continue;
            if ((discarded & ~written) != 0)
                continue;
            states[count++] = (struct knowledge){discarded, seen};
        }
    assert_true(count <= STATES_MAX);
    return count;
}

static const uint8_t body_bytes[] = "abcdefghi";

/* Adds one actor to an object: values up to seen, gone dots above. */
static void actor_add(struct crdt_object *object, unsigned actor, unsigned written,
                      struct knowledge what)
{
    struct crdt_entry *entry = &object->entries[object->entry_count];

    *entry = (struct crdt_entry){.actor = actor + 1, .seen = what.seen};
    entry->value_first = object->value_count;
    entry->gone_first = object->gone_count;
    for (unsigned s = 1; s <= STAMPS; s++) {
        bool is_discarded = (what.discarded >> (s - 1) & 1) != 0;

        if (is_discarded && s > what.seen) {
            object->gone[object->gone_count++] = s;
            entry->gone_count++;
        } else if (!is_discarded && (written >> (s - 1) & 1) != 0 && s <= what.seen) {
            object->values[object->value_count++] =
                (struct crdt_value){.actor = actor + 1,
                                    .stamp = s,
                                    .kind = CRDT_VALUE,
                                    .body_size = 1,
                                    .body = slice_of(body_bytes + actor * STAMPS + s - 1, 1)};
            entry->value_count++;
        }
    }
    if (entry->seen > 0 || entry->gone_count > 0)
        object->entry_count++;
}

struct bytes {
    uint8_t data[BYTES_MAX];
    size_t size;
};

static struct bytes spell(const struct crdt_object *object)
{
    struct bytes bytes;
    struct writer out = writer_over(bytes.data, sizeof(bytes.data));

    assert_int_equal(crdt_object_encode(object, &out), STATUS_OK);
    bytes.size = out.size;
    return bytes;
}

static struct bytes merge3(const struct crdt_object *a, const struct crdt_object *b,
                           const struct crdt_object *c)
{
    static struct crdt_object joined;

    crdt_object_copy(&joined, a);
    assert_int_equal(crdt_object_merge(&joined, b), STATUS_OK);
    assert_int_equal(crdt_object_merge(&joined, c), STATUS_OK);
    return spell(&joined);
}

static void assert_same(const struct bytes *a, const struct bytes *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
}

static struct crdt_object copies[3];

static void triple_check(unsigned written, const struct knowledge *x, const struct knowledge *y,
                         const struct knowledge *z)
{
    const struct knowledge *turn[3] = {x, y, z};
    static struct crdt_object right, again;
    struct bytes left, other;

    for (unsigned replica = 0; replica < 3; replica++) {
        crdt_object_clear(&copies[replica]);
        for (unsigned actor = 0; actor < ACTORS; actor++)
            actor_add(&copies[replica], actor, written, *turn[(replica + actor) % 3]);
    }
    left = merge3(&copies[0], &copies[1], &copies[2]);
    /* commutative */
    other = merge3(&copies[2], &copies[1], &copies[0]);
    assert_same(&left, &other);
    other = merge3(&copies[1], &copies[0], &copies[2]);
    assert_same(&left, &other);
    /* associative */
    crdt_object_copy(&right, &copies[1]);
    assert_int_equal(crdt_object_merge(&right, &copies[2]), STATUS_OK);
    crdt_object_copy(&again, &copies[0]);
    assert_int_equal(crdt_object_merge(&again, &right), STATUS_OK);
    other = spell(&again);
    assert_same(&left, &other);
    /* idempotent, and the bytes give the state back */
    assert_int_equal(crdt_object_merge(&again, &copies[1]), STATUS_OK);
    assert_int_equal(crdt_object_merge(&again, &again), STATUS_OK);
    other = spell(&again);
    assert_same(&left, &other);
    assert_int_equal(crdt_object_decode(slice_of(left.data, left.size), &again), STATUS_OK);
    other = spell(&again);
    assert_same(&left, &other);
}

/* What the merge of two copies must hold, said with sets: live = seen by one of them and discarded
 * by none. */
static void pair_check(unsigned written, const struct knowledge *x, const struct knowledge *y)
{
    unsigned seen = x->seen > y->seen ? x->seen : y->seen, live = 0, found = 0;
    static struct crdt_object a, b;

    for (unsigned s = 1; s <= seen; s++)
        live |= 1u << (s - 1);
    live &= written & ~(x->discarded | y->discarded);
    crdt_object_clear(&a);
    crdt_object_clear(&b);
    actor_add(&a, 0, written, *x);
    actor_add(&b, 0, written, *y);
    assert_int_equal(crdt_object_merge(&a, &b), STATUS_OK);
    for (unsigned i = 0; i < a.value_count; i++)
        found |= 1u << (a.values[i].stamp - 1);
    assert_int_equal(found, live);
}

static void test_merge_laws_hold_for_every_triple(void **state)
{
    struct knowledge states[STATES_MAX];
    unsigned long triples = 0;

    (void)state;
    for (unsigned written = 0; written < 1u << STAMPS; written++) {
        unsigned count = states_list(written, states);

        for (unsigned x = 0; x < count; x++)
            for (unsigned y = 0; y < count; y++) {
                pair_check(written, &states[x], &states[y]);
                for (unsigned z = 0; z < count; z++, triples++)
                    triple_check(written, &states[x], &states[y], &states[z]);
            }
    }
    assert_int_equal(triples, 32 * 32 * 32 + 3 * 12 * 12 * 12 + 3 * 4 * 4 * 4 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merge_laws_hold_for_every_triple)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
