#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <rocksdb/c.h>

#include "bytes.h"
#include "host_rocks_impl.h"
#include "scratch.h"

static const struct host_rocks_options refill = {
    .cache_size = 4u << 20, .is_compressed = true, .may_refill = true, .mark_interval_ms = 0};
static const struct host_rocks_options no_refill = {
    .cache_size = 4u << 20, .is_compressed = true, .may_refill = false, .mark_interval_ms = 0};

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

static void test_one_opener(void **state)
{
    char directory[SCRATCH_SIZE];
    struct host_rocks *rocks, *second;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(open_in(directory, &second, &is_recovering), STATUS_BUSY);
    assert_null(second);
    host_rocks_close(rocks);
    scratch_remove(directory);
}

static void overwrite(const char *directory, const char *name, const char *bytes)
{
    char path[HOST_PATH_SIZE];

    snprintf(path, sizeof path, "%s/db", directory);
    assert_int_equal(host_file_replace(path, name, slice_text(bytes)), STATUS_OK);
}

static void test_damage_is_refused_or_set_aside(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    struct host_rocks *rocks;
    struct store store;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "key", "value"), STATUS_OK);
    host_rocks_close(rocks);
    overwrite(directory, "CURRENT", "MANIFEST-999999\n");

    assert_int_equal(host_rocks_open(&rocks, directory, &no_refill, &is_recovering, detail),
                     STATUS_CORRUPT);
    assert_int_equal(host_rocks_open(&rocks, directory, &refill, &is_recovering, detail),
                     STATUS_OK);
    assert_true(is_recovering);
    assert_non_null(strstr(detail, "db.corrupt-1"));
    snprintf(path, sizeof path, "%s/db.corrupt-1/CURRENT", directory);
    assert_int_equal(access(path, F_OK), 0);
    store = host_rocks_ports(rocks);
    assert_int_equal(get(&store, "key", ""), STATUS_MISSING);
    host_rocks_close(rocks);

    /* it stays in recovery until somebody says that it was compared with others */
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_true(is_recovering);
    host_rocks_settle(rocks, true);
    assert_int_equal(put(rocks, "key", "again"), STATUS_OK);
    host_rocks_close(rocks);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_false(is_recovering);
    host_rocks_close(rocks);
    scratch_remove(directory);
}

/* A directory whose db was put back from yesterday: the mark remembers more. */
static void test_an_older_copy_is_noticed(void **state)
{
    char directory[SCRATCH_SIZE], copy[SCRATCH_SIZE], path[HOST_PATH_SIZE], from[HOST_PATH_SIZE];
    struct host_rocks *rocks;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    scratch_make(copy);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "one", "1"), STATUS_OK);
    host_rocks_close(rocks);
    scratch_copy(directory, copy);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "two", "2"), STATUS_OK);
    host_rocks_close(rocks);
    snprintf(path, sizeof path, "%s/mark", copy);
    snprintf(from, sizeof from, "%s/mark", directory);
    assert_int_equal(rename(from, path), 0);
    assert_int_equal(open_in(copy, &rocks, &is_recovering), STATUS_OK);
    assert_true(is_recovering);
    host_rocks_close(rocks);
    scratch_remove(directory);
    scratch_remove(copy);
}

/* Written by a later version with one more family: not damage, nothing is set aside. */
static void test_a_newer_store_is_refused(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_column_family_handle_t *family;
    struct host_rocks *rocks;
    rocksdb_t *db;
    char *error = NULL;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    snprintf(path, sizeof path, "%s/db", directory);
    rocksdb_options_set_create_if_missing(options, 1);
    db = rocksdb_open(options, path, &error);
    assert_null(error);
    family = rocksdb_create_column_family(db, options, "later", &error);
    assert_null(error);
    rocksdb_column_family_handle_destroy(family);
    rocksdb_close(db);
    rocksdb_options_destroy(options);
    assert_int_equal(host_rocks_open(&rocks, directory, &refill, &is_recovering, detail),
                     STATUS_UNSUPPORTED);
    snprintf(path, sizeof path, "%s/db.corrupt-1", directory);
    assert_int_equal(access(path, F_OK), -1);
    scratch_remove(directory);
}

static void test_reopen_keeps_ports_and_pins(void **state)
{
    char directory[SCRATCH_SIZE], detail[HOST_DETAIL_SIZE];
    struct store_pin pin = {.handle = NULL};
    struct host_rocks *rocks;
    struct store store;
    bool is_recovering;

    (void)state;
    scratch_make(directory);
    assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
    assert_int_equal(put(rocks, "key", "value"), STATUS_OK);
    assert_int_equal(host_rocks_reopen(rocks, &is_recovering, detail), STATUS_OK);
    assert_false(is_recovering);
    store = host_rocks_ports_blocking(rocks);
    assert_int_equal(store.get(store.context, STORE_OBJ, slice_text("key"), &pin), STATUS_OK);
    assert_int_equal(host_rocks_reopen(rocks, &is_recovering, detail), STATUS_OK);
    assert_true(slice_equal(pin.value, slice_text("value")));
    store.release(store.context, &pin);
    assert_int_equal(get(&store, "key", "value"), STATUS_OK);
    assert_int_equal(put(rocks, "key", "other"), STATUS_OK);
    host_rocks_close(rocks);
    scratch_remove(directory);
}

/* Rows are spelled by the format of the whole store; the first one had no number in its seal. */
static void test_another_format_is_refused(void **state)
{
    static const char seals[][SEAL_SIZE] = {{0, 0, 0, 0, 0, 0, 0, 7},
                                            {0, 0, 0, 0, 0, 0, 0, 7, STORE_FORMAT + 1}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char directory[SCRATCH_SIZE], detail[HOST_DETAIL_SIZE], *error = NULL;
        struct host_rocks *rocks;
        bool is_recovering;

        scratch_make(directory);
        assert_int_equal(open_in(directory, &rocks, &is_recovering), STATUS_OK);
        assert_int_equal(put(rocks, "a", "one"), STATUS_OK);
        rocksdb_put_cf(rocks->db, rocks->settings.write, rocks->families[FAMILY_DEFAULT], SEAL_KEY,
                       sizeof SEAL_KEY - 1, seals[i], 8 + i, &error);
        assert_null(error);
        host_rocks_close(rocks);
        assert_int_equal(host_rocks_open(&rocks, directory, &refill, &is_recovering, detail),
                         STATUS_UNSUPPORTED);
        assert_non_null(strstr(detail, "another format"));
        scratch_remove(directory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_opener),
        cmocka_unit_test(test_damage_is_refused_or_set_aside),
        cmocka_unit_test(test_an_older_copy_is_noticed),
        cmocka_unit_test(test_a_newer_store_is_refused),
        cmocka_unit_test(test_another_format_is_refused),
        cmocka_unit_test(test_reopen_keeps_ports_and_pins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
