/* store_index_test.c: from the index row of a key to its object, and what stands in the way. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bytes.h"
#include "store.h"

static const uint8_t seed[HASH_SEED_SIZE] = {7, 1, 2};
static const struct front_cut cut = {.bits = 14};

/* An engine whose rows may go while a scan is under way. */
struct world {
    struct store_memory *memory;
    struct store store, inner;
    uint8_t index_room[STORE_KEY_SIZE_MAX], object_room[STORE_KEY_SIZE_MAX];
    struct store_row index, object;
    unsigned drops_at; /* both rows are dropped before this get; 0: never */
    unsigned gets;
};

static void change(struct world *world, struct store_row row, bool is_delete)
{
    row.is_delete = is_delete;
    assert_int_equal(world->inner.apply(world->inner.context, &row, 1), STATUS_OK);
}

static enum status world_get(void *context, enum store_family family, struct slice key,
                             struct store_pin *pin)
{
    struct world *world = context;

    if (++world->gets == world->drops_at) {
        change(world, world->object, true);
        change(world, world->index, true);
    }
    return world->inner.get(world->inner.context, family, key, pin);
}

static void world_release(void *context, struct store_pin *pin)
{
    struct world *world = context;

    world->inner.release(world->inner.context, pin);
}

/* The scan of an iterator: rows that are dropped meanwhile are still seen. */
static enum status world_scan(void *context, const struct store_range *range, store_visit *visit,
                              void *visit_context)
{
    struct world *world = context;
    const struct store_row *row = range->family == STORE_IDX ? &world->index : &world->object;
    struct store_pin pin;

    if (world->inner.get(world->inner.context, row->family, row->key, &pin) != STATUS_OK)
        return STATUS_END;
    world->inner.release(world->inner.context, &pin);
    return visit(visit_context, row) ? STATUS_END : STATUS_OK;
}

static void world_open(struct world *world)
{
    struct slice ns = slice_text("app"), key = slice_text("some/key");
    struct hash16 hash = hash_key(seed, ns, key);

    *world = (struct world){.memory = store_memory_new(1u << 20)};
    world->inner = store_memory_ports(world->memory);
    world->store = (struct store){
        .get = world_get, .release = world_release, .scan = world_scan, .context = world};
    world->index =
        (struct store_row){.family = STORE_IDX, .key = store_key_idx(ns, key, world->index_room)};
    world->object =
        (struct store_row){.family = STORE_OBJ,
                           .key = store_key_obj(hash_key_front(&hash), ns, key, world->object_room),
                           .value = slice_text("the object's record")};
    change(world, world->index, false);
    change(world, world->object, false);
}

static void world_close(struct world *world)
{
    store_memory_delete(world->memory);
}

struct found {
    uint32_t count;
    enum store_family family;
    size_t value_size;
    uint8_t key[STORE_KEY_SIZE_MAX];
    size_t key_size;
};

static bool see(void *context, const struct store_row *row)
{
    struct found *found = context;

    found->count++;
    found->family = row->family;
    found->value_size = row->value.size;
    memcpy(found->key, row->key.data, row->key.size);
    found->key_size = row->key.size;
    return true;
}

/* Scans one family and tells the last row seen. */
static struct found scan(struct world *world, enum store_family family)
{
    struct store_range range = {.family = family,
                                .rows_max = 10,
                                .bytes_max = 1000,
                                .is_joined = family == STORE_IDX,
                                .is_paired = family == STORE_OBJ};
    struct found found = {0};

    memcpy(range.hash_seed, seed, sizeof(seed));
    range.cut = cut;
    assert_int_equal(store_index_scan(&world->store, &range, see, &found), STATUS_END);
    return found;
}

static void expect(const struct found *found, uint32_t count, const struct store_row *last)
{
    assert_int_equal(found->count, count);
    assert_int_equal(found->family, last->family);
    assert_true(slice_equal(slice_of(found->key, found->key_size), last->key));
}

static void test_joins_to_the_object(void **state)
{
    struct world world;
    struct found found;

    (void)state;
    world_open(&world);
    found = scan(&world, STORE_IDX);
    expect(&found, 1, &world.object);
    assert_int_equal(found.value_size, world.object.value.size);
    world_close(&world);
}

static void test_a_lost_object_is_given_empty(void **state)
{
    struct world world;
    struct found found;

    (void)state;
    world_open(&world);
    change(&world, world.object, true);
    found = scan(&world, STORE_IDX);
    expect(&found, 1, &world.object);
    assert_int_equal(found.value_size, 0);
    world_close(&world);
}

/* Before the object is looked up, and before the index row is looked up again. */
static void test_rows_dropped_since_are_passed_over(void **state)
{
    struct world world;

    (void)state;
    world_open(&world);
    world.drops_at = 1;
    assert_int_equal(scan(&world, STORE_IDX).count, 0);
    world_close(&world);
    world_open(&world);
    change(&world, world.object, true);
    world.drops_at = 2;
    assert_int_equal(scan(&world, STORE_IDX).count, 0);
    world_close(&world);
    world_open(&world);
    world.drops_at = 1;
    assert_int_equal(scan(&world, STORE_OBJ).count, 1); /* the object as it was; no damage */
    world_close(&world);
}

static void test_a_damaged_index_row_is_given_as_it_is(void **state)
{
    static const char *const keys[] = {"no end of the namespace", "app\0", "app\0key\0path"};
    static const size_t sizes[] = {23, 4, 12};
    struct world world;
    struct found found;

    (void)state;
    world_open(&world);
    world.index.value = slice_text("it has none");
    change(&world, world.index, false);
    found = scan(&world, STORE_IDX);
    expect(&found, 1, &world.index);
    world.index.value = SLICE_NONE;
    assert_true(store_index_is_sound(world.index.key, &cut));
    for (unsigned i = 0; i < 3; i++) {
        world.index.key = slice_of((const uint8_t *)keys[i], sizes[i]);
        assert_false(store_index_is_sound(world.index.key, &cut));
        change(&world, world.index, false);
        found = scan(&world, STORE_IDX);
        expect(&found, 1, &world.index);
    }
    world_close(&world);
}

/* A flipped bit leads to no object. */
static void test_a_damaged_key_leads_nowhere(void **state)
{
    struct world world;

    (void)state;
    world_open(&world);
    for (size_t i = 0; i < 8 * world.index.key.size; i++) {
        struct found found;

        world.index_room[i / 8] ^= (uint8_t)(1u << i % 8);
        change(&world, world.index, false);
        found = scan(&world, STORE_IDX);
        assert_int_equal(found.count, 1);
        assert_int_equal(found.value_size, 0);
        world.index_room[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    world_close(&world);
}

static void test_an_object_misses_its_index_row(void **state)
{
    struct world world;
    struct found found;

    (void)state;
    world_open(&world);
    found = scan(&world, STORE_OBJ);
    expect(&found, 1, &world.object);
    change(&world, world.index, true);
    found = scan(&world, STORE_OBJ);
    expect(&found, 2, &world.index);
    assert_int_equal(found.value_size, 0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins_to_the_object),
        cmocka_unit_test(test_a_lost_object_is_given_empty),
        cmocka_unit_test(test_rows_dropped_since_are_passed_over),
        cmocka_unit_test(test_a_damaged_index_row_is_given_as_it_is),
        cmocka_unit_test(test_a_damaged_key_leads_nowhere),
        cmocka_unit_test(test_an_object_misses_its_index_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
