#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <semaphore.h>

#include "bytes.h"
#include "host_pool.h"

/* An engine whose scans wait at a gate; its gets answer at once. */
struct stub {
    sem_t gate, woken;
};

static enum status stub_get(void *context, enum store_family family, struct slice key,
                            struct store_pin *pin)
{
    (void)context;
    (void)family;
    pin->value = key;
    return STATUS_OK;
}

static void stub_release(void *context, struct store_pin *pin)
{
    (void)context;
    (void)pin;
}

static enum status stub_scan(void *context, const struct store_range *range, store_visit *visit,
                             void *visit_context)
{
    struct stub *stub = context;

    (void)range;
    (void)visit;
    (void)visit_context;
    assert_int_equal(sem_wait(&stub->gate), 0);
    return STATUS_END;
}

static void stub_wake(void *context)
{
    sem_post(&((struct stub *)context)->woken);
}

static struct host_pool *stub_open(struct stub *stub)
{
    struct store store = {.get = stub_get, .release = stub_release, .scan = stub_scan};
    struct host_pool *pool;

    store.context = stub;
    sem_init(&stub->gate, 0, 0);
    sem_init(&stub->woken, 0, 0);
    assert_int_equal(host_pool_open(&pool, &store, stub_wake, stub), STATUS_OK);
    return pool;
}

static struct host_read *next(struct stub *stub, struct host_pool *pool)
{
    struct host_read *read;

    while ((read = host_pool_poll(pool)) == NULL)
        assert_int_equal(sem_wait(&stub->woken), 0);
    return read;
}

/* Ranges that hang must not hold up reads of single rows. */
static void test_points_pass_ranges(void **state)
{
    struct store_range range = {.family = STORE_OBJ, .from = slice_text("key")};
    struct host_read *read;
    struct host_pool *pool;
    struct stub stub;

    (void)state;
    pool = stub_open(&stub);
    for (uint64_t i = 1; i <= 3; i++)
        host_pool_read(pool, i, false, &range);
    for (uint64_t i = 11; i <= 12; i++)
        host_pool_read(pool, i, true, &range);
    host_pool_flush(pool);
    for (uint64_t i = 11; i <= 12; i++) {
        read = next(&stub, pool);
        assert_int_equal(read->read, i);
        assert_int_equal(read->status, STATUS_OK);
        assert_true(slice_equal(read->rows[0].value, slice_text("key")));
        host_read_delete(read);
    }
    assert_null(host_pool_poll(pool));
    for (uint64_t i = 1; i <= 3; i++) {
        sem_post(&stub.gate);
        read = next(&stub, pool);
        assert_int_equal(read->read, i);
        assert_int_equal(read->status, STATUS_END);
        host_read_delete(read);
    }
    host_pool_close(pool);
}

static void test_stop_answers_everything(void **state)
{
    struct store_range range = {.family = STORE_OBJ, .from = slice_text("key")};
    struct host_pool *pool;
    struct host_read *read;
    unsigned seen = 0;
    struct stub stub;

    (void)state;
    pool = stub_open(&stub);
    for (uint64_t i = 1; i <= 10; i++) {
        host_pool_read(pool, i, i % 2 == 0, &range);
        sem_post(&stub.gate);
    }
    host_pool_stop(pool);
    while ((read = host_pool_poll(pool)) != NULL) {
        seen |= 1u << read->read;
        host_read_delete(read);
    }
    assert_int_equal(seen, 0x7fe);
    host_pool_close(pool);
}

static void test_close_drops_what_nobody_took(void **state)
{
    struct store_range range = {.family = STORE_OBJ, .from = slice_text("key")};
    struct stub stub;
    struct host_pool *pool;

    (void)state;
    pool = stub_open(&stub);
    for (uint64_t i = 1; i <= 10; i++)
        host_pool_read(pool, i, true, &range);
    host_pool_flush(pool);
    host_pool_close(pool); /* the sanitizer would see a leak */
    host_pool_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points_pass_ranges),
        cmocka_unit_test(test_stop_answers_everything),
        cmocka_unit_test(test_close_drops_what_nobody_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
