#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bytes.h"
#include "host_rocks.h"
#include "scratch.h"

static const struct host_rocks_options refill = {
    .cache_size = 4u << 20, .is_compressed = true, .may_refill = true, .mark_interval_ms = 0};

static enum status open_in(const char *directory, struct host_rocks **rocks, bool *is_recovering)
{
    char detail[HOST_DETAIL_SIZE];

    return host_rocks_open(rocks, directory, &refill, is_recovering, detail);
}

static enum status put(struct host_rocks *rocks, const char *key, const char *value)
{
    struct store store = host_rocks_ports(rocks);
    struct store_row row = {.family = STORE_OBJ,
                            .is_delete = false,
                            .key = slice_text(key),
                            .value = slice_text(value)};

    return store.apply(store.context, &row, 1);
}

static enum status get(const struct store *store, const char *key, const char *value)
{
    struct store_pin pin = {.handle = NULL};
    enum status status = store->get(store->context, STORE_OBJ, slice_text(key), &pin);

    if (status != STATUS_OK)
        return status;
    assert_true(slice_equal(pin.value, slice_text(value)));
    store->release(store->context, &pin);
    assert_null(pin.handle);
    return STATUS_OK;
}

/* After a reopening rows lie in table files whose blocks are not cached: the loop's get says COLD
 * and not MISSING, and knows what is certainly absent. A read that waits fills the cache. */
static void test_cold_and_missing(void **state)
{
    char directory[SCRATCH_SIZE];
    struct host_rocks *rocks;
    struct store loop, thread;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_false(is_recovering);
    assert_int_equal(put(rocks, "key", "value"), STATUS_OK);
    loop = host_rocks_ports(rocks);
    assert_int_equal(get(&loop, "key", "value"), STATUS_OK);
    assert_int_equal(get(&loop, "other", ""), STATUS_MISSING);
    host_rocks_close(rocks);

    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_false(is_recovering);
    loop = host_rocks_ports(rocks);
    thread = host_rocks_ports_blocking(rocks);
    assert_int_equal(get(&loop, "key", "value"), STATUS_COLD);
    assert_int_equal(get(&loop, "absent", ""), STATUS_MISSING); /* the filter says so */
    assert_int_equal(get(&thread, "key", "value"), STATUS_OK);
    assert_int_equal(get(&loop, "key", "value"), STATUS_OK);
    host_rocks_close(rocks);
    scratch_remove(directory);
}

/* Large values lie in blob files: the same answers, and cached as a whole. */
static void test_cold_blob(void **state)
{
    char directory[SCRATCH_SIZE], *value = calloc(1, 100001);
    struct host_rocks *rocks;
    struct store loop, thread;
    bool is_recovering;

    (void)state;
    memset(value, 'v', 100000);
    scratch_make(directory);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "key", value), STATUS_OK);
    host_rocks_close(rocks);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    loop = host_rocks_ports(rocks);
    thread = host_rocks_ports_blocking(rocks);
    assert_int_equal(get(&loop, "key", value), STATUS_COLD);
    assert_int_equal(get(&thread, "key", value), STATUS_OK);
    assert_int_equal(get(&loop, "key", value), STATUS_OK);
    host_rocks_close(rocks);
    scratch_remove(directory);
    free(value);
}

static void test_checkpoint_opens(void **state)
{
    char directory[SCRATCH_SIZE], copy[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct host_rocks *rocks;
    struct store store;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    scratch_make(copy);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "key", "value"), STATUS_OK);
    store = host_rocks_ports(rocks);
    snprintf(path, sizeof path, "%s/db", copy);
    assert_int_equal(store.checkpoint(store.context, path), STATUS_OK);
    assert_int_equal(store.checkpoint(store.context, path), STATUS_IO); /* it exists */
    host_rocks_close(rocks);
    assert_int_equal(open_in(copy, &rocks, &is_recovering), STATUS_OK);
    assert_true(is_recovering); /* a copy has no mark: nobody vouches for it */
    store = host_rocks_ports_blocking(rocks);
    assert_int_equal(get(&store, "key", "value"), STATUS_OK);
    host_rocks_close(rocks);
    scratch_remove(directory);
    scratch_remove(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cold_and_missing),
        cmocka_unit_test(test_cold_blob),
        cmocka_unit_test(test_checkpoint_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
