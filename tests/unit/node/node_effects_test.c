/* node_effects_test.c: the list of effects and the arena behind it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "blob.h"
#include "bytes.h"
#include "effect.h"

static unsigned released;

static void release(void *context, struct store_pin *pin)
{
    assert_ptr_equal(context, &released);
    assert_ptr_equal(pin->handle, &released);
    released++;
}

static void test_an_effect_is_zeroed_and_kept_in_order(void **state)
{
    struct effects fx;

    (void)state;
    effects_init(&fx);
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 500; i++) {
            struct effect *effect = effects_push(&fx, EFFECT_CLOSE);

            assert_int_equal(effect->link.link, 0);
            assert_int_equal(effect->link.address.port, 0);
            effect->link.link = i;
            effect->link.address.port = 9;
        }
        assert_int_equal(fx.count, 500);
        for (uint32_t i = 0; i < fx.count; i++)
            assert_int_equal(fx.items[i].link.link, i);
        effects_reset(&fx);
        assert_int_equal(fx.count, 0);
    }
    effects_close(&fx);
}

static void test_the_arena_is_zeroed_aligned_and_does_not_move(void **state)
{
    struct effects fx;
    uint8_t *pieces[300];
    size_t sizes[300];

    (void)state;
    effects_init(&fx);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 300; i++) {
            sizes[i] = 1 + (size_t)i * 37 + (i % 50 == 49 ? 3u << 20 : 0);
            pieces[i] = effects_alloc(&fx, sizes[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            for (size_t k = 0; k < sizes[i]; k += 61)
                assert_int_equal(pieces[i][k], 0);
            memset(pieces[i], (int)(i + 1) & 0xff, sizes[i]);
        }
        for (unsigned i = 0; i < 300; i++) {
            assert_int_equal(pieces[i][0], (i + 1) & 0xff);
            assert_int_equal(pieces[i][sizes[i] - 1], (i + 1) & 0xff);
        }
        effects_reset(&fx);
    }
    effects_close(&fx);
}

static void test_a_copy_outlives_its_source(void **state)
{
    struct effects fx;
    char text[] = "hello";
    struct slice copy;

    (void)state;
    effects_init(&fx);
    copy = effects_copy(&fx, slice_of(text, 5));
    memset(text, 'x', 5);
    assert_int_equal(copy.size, 5);
    assert_memory_equal(copy.data, "hello", 5);
    assert_int_equal(effects_copy(&fx, SLICE_NONE).size, 0);
    effects_close(&fx);
}

static void test_pins_and_blobs_are_held_until_reset(void **state)
{
    struct store store = {.release = release, .context = &released};
    struct effects fx;
    struct blob *blob = blob_new(8);

    (void)state;
    effects_init(&fx);
    released = 0;
    for (unsigned i = 0; i < 100; i++) {
        effects_hold_pin(&fx, &store, (struct store_pin){.handle = &released});
        effects_hold_blob(&fx, blob_take(blob));
    }
    assert_int_equal(released, 0);
    effects_reset(&fx);
    assert_int_equal(released, 100);
    effects_reset(&fx);
    assert_int_equal(released, 100);
    effects_hold_blob(&fx, blob); /* the last reference goes with the list */
    effects_hold_pin(&fx, &store, (struct store_pin){.handle = &released});
    effects_close(&fx);
    assert_int_equal(released, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_effect_is_zeroed_and_kept_in_order),
        cmocka_unit_test(test_the_arena_is_zeroed_aligned_and_does_not_move),
        cmocka_unit_test(test_a_copy_outlives_its_source),
        cmocka_unit_test(test_pins_and_blobs_are_held_until_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
