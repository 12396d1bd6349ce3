/* pool_test.c: items are zeroed, aligned, distinct and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "pool.h"

static void test_full_pool_is_an_answer(void **state)
{
    struct pool pool;
    void *items[3];

    (void)state;
    assert_int_equal(pool_init(&pool, 20, 3), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        items[i] = pool_take(&pool);
        assert_non_null(items[i]);
        assert_int_equal((uintptr_t)items[i] % 16, 0);
        assert_int_equal(pool_index(&pool, items[i]), i);
        assert_ptr_equal(pool_at(&pool, (uint32_t)i), items[i]);
        memset(items[i], 0xff, 20);
    }
    assert_null(pool_take(&pool));
    assert_int_equal(pool_used(&pool), 3);
    pool_give(&pool, items[1]);
    assert_int_equal(pool_used(&pool), 2);
    assert_ptr_equal(pool_take(&pool), items[1]);
    pool_close(&pool);
}

static void test_taken_item_is_zeroed(void **state)
{
    struct pool pool;
    uint8_t *item, zero[33] = {0};

    (void)state;
    assert_int_equal(pool_init(&pool, sizeof zero, 1), STATUS_OK);
    item = pool_take(&pool);
    memset(item, 0xff, sizeof zero);
    pool_give(&pool, item);
    item = pool_take(&pool);
    assert_memory_equal(item, zero, sizeof zero);
    pool_close(&pool);
}

static void test_pool_of_none(void **state)
{
    struct pool pool;

    (void)state;
    assert_int_equal(pool_init(&pool, 8, 0), STATUS_OK);
    assert_null(pool_take(&pool));
    assert_int_equal(pool_used(&pool), 0);
    pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_pool_is_an_answer),
        cmocka_unit_test(test_taken_item_is_zeroed),
        cmocka_unit_test(test_pool_of_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
