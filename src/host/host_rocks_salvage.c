/* host_rocks_salvage.c: a store with a hole. A block that the library refuses stays in the way of
 * every scan and of the compaction that meets it, which ends all writing. So what can be read is
 * copied into a new store, beside the old one, which is kept:
 *
 *   db -> db.corrupt-N, opened for reading --rows that pass both checksums--> db, new
 *
 * Nobody knows which rows were in the hole; the peer is in recovery until it has compared itself.
 * Behind a hole the walk goes on at the next of 2^14 ranges of key hashes, the usual partitions.
 * Index rows are made from the objects. A store too large to be copied while the peer stands still
 * is left aside: the others refill this peer. */
#include "host_rocks_impl.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "ensure.h"

#define SALVAGE_MAX (2ull << 30) /* bytes of files: some ten seconds of copying */
#define SALVAGE_BATCH (1u << 20) /* bytes of one batch */
#define RANGE_BITS 14            /* granularity behind a hole */
#define RANGE_STEP ((uint64_t)1 << (64 - RANGE_BITS))

struct salvage {
    struct host_rocks *rocks; /* the new store is open in it */
    rocksdb_t *old;
    rocksdb_column_family_handle_t *families[FAMILIES];
    rocksdb_writeoptions_t *unsynced; /* flushed at the end */
    rocksdb_writebatch_t *batch;
    size_t batch_size;
    uint64_t rows, holes;
    bool is_failed;
};

/* Bytes of all files of a store. */
static uint64_t salvage_size(const char *database)
{
    DIR *entries = opendir(database);
    struct dirent *entry;
    char path[HOST_PATH_SIZE];
    struct stat info;
    uint64_t size = 0;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (host_file_path(path, database, entry->d_name) != NULL && stat(path, &info) == 0 &&
            S_ISREG(info.st_mode))
            size += (uint64_t)info.st_size;
    if (entries != NULL)
        closedir(entries);
    return size;
}

static void salvage_write(struct salvage *salvage)
{
    char *error = NULL;

    rocksdb_write(salvage->rocks->db, salvage->unsynced, salvage->batch, &error);
    rocksdb_writebatch_clear(salvage->batch);
    salvage->batch_size = 0;
    if (error != NULL)
        salvage->is_failed = true;
    rocksdb_free(error);
}

static void salvage_put(struct salvage *salvage, unsigned family, struct slice key,
                        struct slice value)
{
    rocksdb_writebatch_put_cf(salvage->batch, salvage->rocks->families[family],
                              (const char *)key.data, key.size, (const char *)value.data,
                              value.size);
    salvage->batch_size += key.size + value.size;
    if (salvage->batch_size >= SALVAGE_BATCH)
        salvage_write(salvage);
}

static void salvage_row(struct salvage *salvage, unsigned family, struct slice key,
                        struct slice value)
{
    struct slice body, index_key = family == STORE_OBJ ? store_key_listed(key) : SLICE_NONE;

    if (store_record_open((enum store_family)family, key, value, &body) != STATUS_OK)
        return;
    salvage_put(salvage, family, key, value);
    salvage->rows++;
    if (index_key.size > 0)
        salvage_put(salvage, STORE_IDX, index_key, SLICE_NONE);
}

/* Moves the iterator behind a hole. `front` is where the last row, or the last try, began. False:
 * there is nothing behind it. */
static bool salvage_skip(struct salvage *salvage, rocksdb_iterator_t *at, uint64_t *front)
{
    uint8_t next[8];

    salvage->holes++;
    if (*front / RANGE_STEP == (UINT64_MAX / RANGE_STEP))
        return false;
    *front = (*front / RANGE_STEP + 1) * RANGE_STEP;
    bytes_store_u64(next, *front);
    rocksdb_iter_seek(at, (const char *)next, sizeof next);
    return true;
}

static bool salvage_is_hole(rocksdb_iterator_t *at)
{
    char *error = NULL;

    rocksdb_iter_get_error(at, &error);
    if (error == NULL)
        return false;
    rocksdb_free(error);
    return true;
}

static void salvage_family(struct salvage *salvage, unsigned family)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    rocksdb_iterator_t *at;
    uint64_t front = 0;

    rocksdb_readoptions_set_verify_checksums(options, 1);
    rocksdb_readoptions_set_fill_cache(options, 0);
    at = rocksdb_create_iterator_cf(salvage->old, options, salvage->families[family]);
    rocksdb_iter_seek_to_first(at);
    while (!salvage->is_failed) {
        struct slice key, value;

        if (!rocksdb_iter_valid(at)) {
            if (!salvage_is_hole(at) || family != STORE_OBJ || !salvage_skip(salvage, at, &front))
                break;
            continue;
        }
        key.data = (const uint8_t *)rocksdb_iter_key(at, &key.size);
        value.data = (const uint8_t *)rocksdb_iter_value(at, &value.size);
        if (key.size >= sizeof front)
            front = bytes_load_u64(key.data);
        salvage_row(salvage, family, key, value);
        rocksdb_iter_next(at);
    }
    rocksdb_iter_destroy(at);
    rocksdb_readoptions_destroy(options);
}

static bool salvage_open(struct salvage *salvage, const char *aside)
{
    const rocksdb_options_t *options[FAMILIES];
    struct host_rocks_settings *settings = &salvage->rocks->settings;
    char *error = NULL;

    host_rocks_settings_mode(settings, HOST_ROCKS_POINT_IN_TIME, false);
    for (unsigned i = 0; i < FAMILIES; i++)
        options[i] = i == STORE_OBJ ? settings->objects : settings->plain;
    salvage->old = rocksdb_open_for_read_only_column_families(settings->plain, aside, FAMILIES,
                                                              host_rocks_families, options,
                                                              salvage->families, 0, &error);
    if (error == NULL)
        return true;
    rocksdb_free(error);
    return false;
}

static void salvage_close(struct salvage *salvage)
{
    for (unsigned i = 0; i < FAMILIES; i++)
        rocksdb_column_family_handle_destroy(salvage->families[i]);
    rocksdb_close(salvage->old);
}

/* Makes what was copied durable. */
static void salvage_flush(struct salvage *salvage)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();

    rocksdb_flushoptions_set_wait(options, 1);
    for (unsigned i = 0; i < FAMILIES && !salvage->is_failed; i++) {
        char *error = NULL;

        rocksdb_flush_cf(salvage->rocks->db, options, salvage->rocks->families[i], &error);
        salvage->is_failed = error != NULL;
        rocksdb_free(error);
    }
    rocksdb_flushoptions_destroy(options);
}

enum status host_rocks_salvage(struct host_rocks *rocks, const char *aside, char *detail)
{
    struct salvage salvage = {.rocks = rocks};

    if (salvage_size(aside) > SALVAGE_MAX || !salvage_open(&salvage, aside)) {
        snprintf(detail, HOST_DETAIL_SIZE,
                 "the store was damaged and is kept as %.500s; the others refill this peer", aside);
        return STATUS_OK;
    }
    salvage.unsynced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(salvage.unsynced, 1);
    salvage.batch = rocksdb_writebatch_create();
    for (unsigned family = 0; family < STORE_FAMILY_COUNT; family++)
        if (family != STORE_IDX)
            salvage_family(&salvage, family);
    salvage_write(&salvage);
    salvage_flush(&salvage);
    rocksdb_writebatch_destroy(salvage.batch);
    rocksdb_writeoptions_destroy(salvage.unsynced);
    salvage_close(&salvage);
    snprintf(detail, HOST_DETAIL_SIZE,
             "a block of the store cannot be read; %llu rows were copied into a new one, the old "
             "one is kept as %.500s",
             (unsigned long long)salvage.rows, aside);
    return salvage.is_failed ? STATUS_IO : STATUS_OK;
}
