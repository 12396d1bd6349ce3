/* host_rocks_salvage_test.c: a block of a table rots. The store opens, a scan finds the hole, and a
 * reopening copies what can be read into a new store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "bytes.h"
#include "host_rocks.h"
#include "scratch.h"

#define ROWS 4000u
#define BATCH 100u /* of one synced write */

static const struct host_rocks_options options = {
    .cache_size = 1u << 20, .may_refill = true, .mark_interval_ms = 0};

static struct host_rocks *open_in(const char *directory, bool *is_recovering)
{
    char detail[HOST_DETAIL_SIZE];
    struct host_rocks *rocks;

    assert_int_equal(host_rocks_open(&rocks, directory, &options, is_recovering, detail),
                     STATUS_OK);
    return rocks;
}

static void put(const struct store *store, unsigned first, unsigned count)
{
    static uint8_t rooms[BATCH][STORE_KEY_SIZE_MAX];
    struct blob *records[BATCH];
    struct store_row rows[BATCH];
    uint8_t body[200];
    char name[16];

    assert_true(count <= BATCH);
    for (unsigned i = 0; i < count; i++) {
        unsigned number = first + i;

        snprintf(name, sizeof name, "key-%u", number);
        for (size_t at = 0; at < sizeof body; at++)
            body[at] = (uint8_t)(number * 31 + at * 7);
        rows[i] = (struct store_row){.family = STORE_OBJ};
        rows[i].key = store_key_obj(number * 0x9e3779b97f4a7c15u, slice_text("ns"),
                                    slice_text(name), rooms[i]);
        records[i] = store_record_write(STORE_OBJ, rows[i].key, slice_of(body, sizeof body));
        rows[i].value = blob_slice(records[i]);
    }
    assert_int_equal(store->apply(store->context, rows, count), STATUS_OK);
    for (unsigned i = 0; i < count; i++)
        blob_drop(&records[i]);
}

/* Fills a store and opens it again, so that its rows lie in a table. */
static void make(const char *directory)
{
    bool is_recovering;
    struct host_rocks *rocks = open_in(directory, &is_recovering);
    struct store store = host_rocks_ports_blocking(rocks);

    for (unsigned i = 0; i < ROWS; i += BATCH)
        put(&store, i, BATCH);
    host_rocks_close(rocks);
    rocks = open_in(directory, &is_recovering); /* replays its log into a table */
    assert_false(is_recovering);
    host_rocks_close(rocks);
}

/* Flips a bit in the middle of the largest table. */
static void rot(const char *directory)
{
    char path[HOST_PATH_SIZE], largest[HOST_PATH_SIZE] = "";
    struct dirent *entry;
    struct stat info;
    off_t size = 0;
    DIR *entries;
    FILE *file;
    int byte;

    snprintf(path, sizeof path, "%s/db", directory);
    entries = opendir(path);
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        snprintf(path, sizeof path, "%s/db/%.60s", directory, entry->d_name);
        if (strstr(entry->d_name, ".sst") != NULL && stat(path, &info) == 0 &&
            info.st_size > size) {
            size = info.st_size;
            memcpy(largest, path, sizeof largest);
        }
    }
    closedir(entries);
    assert_true(size > 100000);
    file = fopen(largest, "r+e");
    assert_non_null(file);
    assert_int_equal(fseek(file, size / 2, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, size / 2, SEEK_SET), 0);
    assert_true(fputc(byte ^ 1, file) != EOF);
    assert_int_equal(fclose(file), 0);
}

static bool count_row(void *context, const struct store_row *row)
{
    struct slice body;

    if (row->family == STORE_IDX)
        assert_int_equal(row->value.size, 0);
    else
        assert_int_equal(store_record_open(row->family, row->key, row->value, &body), STATUS_OK);
    ++*(unsigned *)context;
    return true;
}

static enum status count(const struct store *store, enum store_family family, unsigned *rows)
{
    struct store_range all = {
        .family = family, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX, .is_passing = true};

    *rows = 0;
    return store->scan(store->context, &all, count_row, rows);
}

static void test_what_can_be_read_is_kept(void **state)
{
    char directory[SCRATCH_SIZE], detail[HOST_DETAIL_SIZE], aside[HOST_PATH_SIZE];
    struct host_rocks *rocks;
    bool is_recovering;
    struct store store;
    unsigned rows, index;
    struct stat info;

    (void)state;
    scratch_make(directory);
    make(directory);
    rot(directory);
    rocks = open_in(directory, &is_recovering);
    assert_false(is_recovering); /* nothing has looked at the block yet */
    store = host_rocks_ports_blocking(rocks);
    assert_int_equal(count(&store, STORE_OBJ, &rows), STATUS_CORRUPT);
    assert_true(rows < ROWS);
    assert_int_equal(host_rocks_reopen(rocks, &is_recovering, detail), STATUS_OK);
    assert_true(is_recovering);
    assert_int_equal(count(&store, STORE_OBJ, &rows), STATUS_END);
    assert_int_equal(count(&store, STORE_IDX, &index), STATUS_END);
    print_message("%u of %u rows: %s\n", rows, ROWS, detail);
    assert_true(rows < ROWS && rows > ROWS * 9 / 10); /* one block, not the table */
    assert_int_equal(index, rows);
    put(&store, ROWS + 1, 1); /* and it takes writes */
    snprintf(aside, sizeof aside, "%s/db.corrupt-1", directory);
    assert_int_equal(stat(aside, &info), 0);
    host_rocks_close(rocks);
    rocks = open_in(directory, &is_recovering);
    assert_true(is_recovering); /* until it was compared with others */
    host_rocks_close(rocks);
    scratch_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_read_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
