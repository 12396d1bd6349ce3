/* store_index_test.c: from the index row of a key to its object, and what stands in the way. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bytes.h"
#include "store.h"

static const uint64_t front = 0x0123456789abcdefull;

struct world {
    struct store_memory *memory;
    struct store store;
    uint8_t index_room[STORE_KEY_SIZE_MAX], object_room[STORE_KEY_SIZE_MAX];
    struct store_row index, object;
    struct blob *index_record;
};

static void world_open(struct world *world)
{
    struct slice ns = slice_text("app"), key = slice_text("some/key");

    world->memory = store_memory_new(1u << 20);
    world->store = store_memory_ports(world->memory);
    world->index =
        (struct store_row){.family = STORE_IDX, .key = store_key_idx(ns, key, world->index_room)};
    world->index_record = store_index_write(world->index.key, front);
    world->index.value = blob_slice(world->index_record);
    world->object = (struct store_row){.family = STORE_OBJ,
                                       .key = store_key_obj(front, ns, key, world->object_room),
                                       .value = slice_text("the object's record")};
}

static void world_close(struct world *world)
{
    blob_drop(&world->index_record);
    store_memory_delete(world->memory);
}

static enum status follow(struct world *world, const struct store_row *index, struct slice *key,
                          struct slice *value)
{
    static uint8_t room[STORE_KEY_SIZE_MAX], copy[64];
    struct store_row found;
    struct store_pin pin = {0};
    enum status status = store_index_follow(&world->store, index, room, &found, &pin);

    if (status != STATUS_OK)
        return status;
    memcpy(copy, found.value.data, found.value.size);
    *key = found.key;
    *value = slice_of(copy, found.value.size);
    world->store.release(world->store.context, &pin);
    return STATUS_OK;
}

static void test_follows_to_the_object(void **state)
{
    struct world world;
    struct slice key, value;

    (void)state;
    world_open(&world);
    assert_int_equal(world.store.apply(world.store.context, &world.object, 1), STATUS_OK);
    assert_int_equal(follow(&world, &world.index, &key, &value), STATUS_OK);
    assert_true(slice_equal(key, world.object.key));
    assert_true(slice_equal(value, world.object.value));
    world_close(&world);
}

static void test_no_object_is_a_row_dropped_since(void **state)
{
    struct world world;
    struct slice key, value;

    (void)state;
    world_open(&world);
    assert_int_equal(follow(&world, &world.index, &key, &value), STATUS_MISSING);
    world_close(&world);
}

static void test_damaged_index_row_is_not_followed(void **state)
{
    struct world world;
    struct slice key, value;
    uint8_t bytes[64];

    (void)state;
    world_open(&world);
    assert_int_equal(world.store.apply(world.store.context, &world.object, 1), STATUS_OK);
    for (size_t i = 0; i < world.index.value.size; i++) {
        struct store_row index = world.index;

        memcpy(bytes, index.value.data, index.value.size);
        bytes[i] ^= 0x10;
        index.value = slice_of(bytes, index.value.size);
        assert_int_equal(follow(&world, &index, &key, &value), STATUS_CORRUPT);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_to_the_object),
        cmocka_unit_test(test_no_object_is_a_row_dropped_since),
        cmocka_unit_test(test_damaged_index_row_is_not_followed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
