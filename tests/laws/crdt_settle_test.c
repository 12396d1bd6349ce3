/* crdt_settle_test.c: taking out of rows what is over changes nothing that is shown. Three owners
 * write, count, restart under new actors, and merge copies that may be old; every so often all give
 * their word and lose what they agree to (decision 0018), some of them late or never. Beside each
 * owner stands a shadow to which the same happens, but which never loses anything. After every step
 * the owner must hold the values its shadow holds, and count what it counts. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "crdt.h"
#include "prng.h"

#define HISTORIES 3000
#define ACTIONS 60
#define OWNERS 3
#define COPIES 6
#define MARKS 255
#define ROOMS 4096

/* Totals live as long as the objects that point to them. */
static uint8_t rooms[ROOMS][24];

struct copy {
    struct crdt_object object, shadow;
    unsigned level;
};

struct history {
    struct prng prng;
    struct copy owners[OWNERS], flying[COPIES];
    uint64_t actors[OWNERS], actor, stamp;
    unsigned level, room;
    bool counts;
};

static struct history history;

static unsigned below(struct history *h, unsigned bound)
{
    return (unsigned)prng_below(&h->prng, bound);
}

static uint8_t *room_next(struct history *h)
{
    assert_true(h->room < ROOMS);
    return rooms[h->room++];
}

static void object_write(struct history *h, struct crdt_object *object,
                         const struct crdt_context *context, const struct dot *dot)
{
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("v")};

    (void)h;
    assert_int_equal(crdt_object_write(object, context, dot->actor, dot->stamp, &value), STATUS_OK);
}

static void object_count(struct history *h, struct crdt_object *object, const struct dot *dot,
                         int64_t delta)
{
    uint8_t arg[8];
    static uint8_t scratch[CRDT_UPDATE_ROOM];
    struct crdt_update update = {.type = CRDT_COUNTER, .arg = slice_of(arg, 8)};
    uint8_t *room = room_next(h);

    bytes_store_u64(arg, (uint64_t)delta);
    assert_int_equal(crdt_object_update(object, NULL, dot, &update, scratch), STATUS_OK);
    for (unsigned i = 0; i < object->value_count; i++) {
        struct crdt_value *value = &object->values[i];

        if (value->actor != dot->actor || value->stamp != dot->stamp)
            continue;
        memcpy(room, value->body.data, value->body.size);
        value->body.data = room;
    }
}

static void write_somewhere(struct history *h)
{
    unsigned at = below(h, OWNERS);
    struct copy *owner = &h->owners[at];
    struct dot dot = {h->actors[at], ++h->stamp};
    struct crdt_context context = {0};
    uint16_t winner;

    if (h->counts) {
        int64_t delta = (int64_t)below(h, 9) - 4;

        object_count(h, &owner->object, &dot, delta);
        object_count(h, &owner->shadow, &dot, delta);
        return;
    }
    switch (below(h, 3)) {
    case 0: /* beside what is there */
        break;
    case 1:
        if (crdt_object_winner(&owner->shadow, &winner))
            crdt_context_of_shown(&owner->shadow, winner, &context);
        break;
    default:
        crdt_context_of_all(&owner->shadow, &context);
        break;
    }
    object_write(h, &owner->object, &context, &dot);
    object_write(h, &owner->shadow, &context, &dot);
}

static void copy_take(struct copy *into, const struct copy *from)
{
    if (from->level < into->level)
        return; /* read before a word was given */
    assert_int_equal(crdt_object_merge(&into->object, &from->object), STATUS_OK);
    assert_int_equal(crdt_object_merge(&into->shadow, &from->shadow), STATUS_OK);
}

static void copy_set(struct copy *into, const struct copy *from)
{
    crdt_object_copy(&into->object, &from->object);
    crdt_object_copy(&into->shadow, &from->shadow);
    into->level = from->level;
}

/* All owners give their word about what the first one marks; some never hear that all did. */
static void settle(struct history *h)
{
    struct crdt_mark marks[OWNERS][MARKS];
    unsigned asker = below(h, OWNERS), count;
    bool is_granted[MARKS];

    count = crdt_object_marks(&h->owners[asker].object, marks[asker], MARKS);
    for (unsigned m = 0; m < count; m++) {
        is_granted[m] = true;
        for (unsigned i = 0; i < OWNERS; i++) {
            marks[i][m] = marks[asker][m];
            is_granted[m] &= crdt_mark_holds(&h->owners[i].object, &marks[i][m]) &&
                             !(marks[i][m].is_fold && marks[i][m].actor == h->actors[i]);
        }
    }
    h->level++;
    for (unsigned i = 0; i < OWNERS; i++) {
        struct crdt_mark kept[MARKS];
        struct dot dot = {h->actors[i], h->stamp + 1};
        unsigned kept_count = 0;

        h->owners[i].level = h->level;
        for (unsigned m = 0; m < count; m++)
            if (is_granted[m] && (i == asker || !marks[i][m].is_fold))
                kept[kept_count++] = marks[i][m];
        if (i == asker || below(h, 4) > 0)
            (void)crdt_object_settle(&h->owners[i].object, kept, kept_count,
                                     i == asker ? &dot : NULL, room_next(h));
    }
    h->stamp++;
}

static void check(const struct history *h)
{
    for (unsigned i = 0; i < OWNERS; i++) {
        const struct crdt_object *object = &h->owners[i].object, *shadow = &h->owners[i].shadow;
        int64_t found, expected;

        if (h->counts) {
            assert_int_equal(crdt_counter_value(object, &found), STATUS_OK);
            assert_int_equal(crdt_counter_value(shadow, &expected), STATUS_OK);
            assert_int_equal(found, expected);
            continue;
        }
        assert_int_equal(object->value_count, shadow->value_count);
        for (unsigned v = 0; v < object->value_count; v++) {
            assert_int_equal(object->values[v].actor, shadow->values[v].actor);
            assert_int_equal(object->values[v].stamp, shadow->values[v].stamp);
        }
    }
}

static void act(struct history *h)
{
    unsigned at = below(h, OWNERS);

    switch (below(h, 8)) {
    case 0:
    case 1:
    case 2:
        write_somewhere(h);
        break;
    case 3: /* an actor for every opening */
        h->actors[at] = ++h->actor;
        break;
    case 4:
        copy_set(&h->flying[below(h, COPIES)], &h->owners[at]);
        break;
    case 5:
        copy_take(&h->owners[at], &h->flying[below(h, COPIES)]);
        break;
    case 6:
        copy_take(&h->owners[at], &h->owners[below(h, OWNERS)]);
        break;
    default:
        settle(h);
        break;
    }
}

static void test_what_is_shown_stays(void **state)
{
    struct history *h = &history;

    (void)state;
    for (unsigned n = 0; n < HISTORIES; n++) {
        memset(h, 0, sizeof(*h));
        prng_init(&h->prng, n);
        h->counts = n % 2 == 1;
        for (unsigned i = 0; i < OWNERS; i++)
            h->actors[i] = ++h->actor;
        for (unsigned i = 0; i < ACTIONS; i++) {
            act(h);
            check(h);
        }
    }
}

static size_t metadata(const struct crdt_object *object)
{
    size_t size = crdt_object_size(object);

    for (unsigned i = 0; i < object->value_count; i++)
        size -= object->values[i].body.size;
    return size;
}

/* protocols.md part 5, "Reach": clients that write on top of what they last saw, while owners
 * restart and rounds go on: never more siblings than clients, and a row that stays small. */
static void test_ten_thousand_interleaved_writers(void **state)
{
    enum { WRITERS = 16, WRITES = 10000 };
    struct history *h = &history;
    struct crdt_context seen[WRITERS] = {{0}};

    (void)state;
    memset(h, 0, sizeof(*h));
    prng_init(&h->prng, 7);
    for (unsigned i = 0; i < OWNERS; i++)
        h->actors[i] = ++h->actor;
    for (unsigned n = 0; n < WRITES; n++) {
        unsigned at = below(h, OWNERS), writer = below(h, WRITERS);
        struct crdt_object *object = &h->owners[at].object;

        if (n % 100 == 99)
            h->actors[at] = ++h->actor;
        for (unsigned i = 0; i < OWNERS; i++)
            assert_int_equal(crdt_object_merge(object, &h->owners[i].object), STATUS_OK);
        object_write(h, object, &seen[writer], &(struct dot){h->actors[at], ++h->stamp});
        assert_in_range(object->value_count, 1, WRITERS);
        crdt_context_of_write(object, h->actors[at], h->stamp, &seen[writer]);
        h->room = 0;
        if (n % 50 == 0)
            settle(h);
    }
    object_write(h, &h->owners[0].object, NULL, &(struct dot){h->actors[0], ++h->stamp});
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 1; k < OWNERS; k++) {
            copy_take(&h->owners[k], &h->owners[0]);
            copy_take(&h->owners[0], &h->owners[k]);
        }
        settle(h);
    }
    for (unsigned i = 0; i < OWNERS; i++)
        if (i == 0)
            assert_in_range(metadata(&h->owners[i].object), 1, 64);
}

/* A counter written through a hundred restarts of its owners: the same sum, few totals. */
static void test_a_hundred_restarts(void **state)
{
    struct history *h = &history;
    int64_t value, expected = 0;

    (void)state;
    memset(h, 0, sizeof(*h));
    prng_init(&h->prng, 9);
    for (unsigned n = 0; n < 100; n++) {
        for (unsigned i = 0; i < OWNERS; i++) {
            struct crdt_object *object = &h->owners[i].object;

            h->actors[i] = ++h->actor;
            object_count(h, object, &(struct dot){h->actors[i], ++h->stamp}, (int64_t)n);
            expected += (int64_t)n;
            for (unsigned k = 0; k < OWNERS; k++)
                assert_int_equal(crdt_object_merge(&h->owners[k].object, object), STATUS_OK);
        }
        settle(h);
        for (unsigned k = 0; k < 2 * OWNERS; k++)
            assert_int_equal(crdt_object_merge(&h->owners[k % OWNERS].object,
                                               &h->owners[(k + 1) % OWNERS].object),
                             STATUS_OK);
        for (unsigned k = 0; k < OWNERS; k++) {
            assert_int_equal(crdt_counter_value(&h->owners[k].object, &value), STATUS_OK);
            assert_int_equal(value, expected);
            assert_in_range(h->owners[k].object.value_count, 1, CRDT_TOTALS_MAX + 2 * OWNERS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shown_stays),
        cmocka_unit_test(test_ten_thousand_interleaved_writers),
        cmocka_unit_test(test_a_hundred_restarts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
