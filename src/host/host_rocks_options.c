#include "host_rocks_options.h"

#include <stdlib.h>

#include "ensure.h"

#define INFO_LOG_FATAL 4
#define READ_TIER_CACHE 1
#define LEVELS 7

/* Bytes over all families. A peer is budgeted: idle it holds far less, and what a crash leaves to
 * be replayed from the WAL takes less than a second. */
#define MEMTABLES_SIZE (8u << 20)
/* Bytes; families that are rarely written (sys) would otherwise keep old logs for ever. */
#define WAL_SIZE_MAX (64u << 20)
/* Bytes; from here a value lies in a blob file, so that compaction does not copy it again. */
#define BLOB_SIZE_MIN (16u << 10)
#define BLOB_FILE_SIZE (64u << 20)
#define BLOCK_SIZE (8u << 10)
/* Per key: one false positive in a hundred. A new key is nearly always known to be new. */
#define FILTER_BITS 10

/* What a damaged log could hide: with this, the library notes in the MANIFEST which logs it has
 * synced and misses one that is gone. It has no setter of its own. */
#define TRACK_WALS_ON "track_and_verify_wals_in_manifest=true"
#define TRACK_WALS_OFF "track_and_verify_wals_in_manifest=false"

static enum status host_rocks_set_text(rocksdb_options_t *options, const char *text)
{
    char *error = NULL;

    rocksdb_get_options_from_string(options, text, options, &error);
    if (error == NULL)
        return STATUS_OK;
    rocksdb_free(error);
    return STATUS_UNSUPPORTED;
}

static void host_rocks_set_tables(struct host_rocks_settings *settings, rocksdb_options_t *options)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, settings->cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_SIZE);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

/* The upper levels are rewritten soon and are small: compressing them costs time and saves
 * nothing. */
static void host_rocks_set_compression(rocksdb_options_t *options, bool is_compressed)
{
    int levels[LEVELS];

    for (int i = 0; i < LEVELS; i++)
        levels[i] = is_compressed && i >= 2 ? rocksdb_zstd_compression : rocksdb_no_compression;
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_compression_per_level(options, levels, LEVELS);
}

static void host_rocks_set_common(struct host_rocks_settings *settings, rocksdb_options_t *options,
                                  bool is_compressed)
{
    /* Detection. mmap stays off: a file cut short must be an error and not a signal. */
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_allow_mmap_reads(options, 0);
    rocksdb_options_set_allow_mmap_writes(options, 0);
    /* Debian's build has asserts: its info log aborts the process on a full disk (measured). */
    rocksdb_options_set_info_log_level(options, INFO_LOG_FATAL);
    rocksdb_options_set_keep_log_file_num(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    /* The promise of 2xx. */
    rocksdb_options_set_recycle_log_file_num(options, 0);
    rocksdb_options_set_manual_wal_flush(options, 0);
    rocksdb_options_set_max_total_wal_size(options, WAL_SIZE_MAX);
    /* Bounds. Index and filter blocks stay at hand with the files open, so that a read that never
     * waits can say "certainly absent". */
    rocksdb_options_set_db_write_buffer_size(options, MEMTABLES_SIZE);
    rocksdb_options_set_write_buffer_size(options, MEMTABLES_SIZE);
    rocksdb_options_set_max_open_files(options, -1);
    rocksdb_options_set_max_file_opening_threads(options, 2);
    rocksdb_options_set_table_cache_numshardbits(options, 2);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    host_rocks_set_compression(options, is_compressed);
    host_rocks_set_tables(settings, options);
}

static void host_rocks_set_blobs(struct host_rocks_settings *settings, rocksdb_options_t *options)
{
    rocksdb_options_set_enable_blob_files(options, 1);
    rocksdb_options_set_min_blob_size(options, BLOB_SIZE_MIN);
    rocksdb_options_set_blob_file_size(options, BLOB_FILE_SIZE);
    /* Uncompressed: a cached blob is sent as it lies. */
    rocksdb_options_set_blob_compression_type(options, rocksdb_no_compression);
    rocksdb_options_set_enable_blob_gc(options, 1);
    rocksdb_options_set_blob_cache(options, settings->cache);
    /* What was just written is what is read next. */
    rocksdb_options_set_prepopulate_blob_cache(options, rocksdb_prepopulate_blob_flush_only);
}

enum status host_rocks_settings_init(struct host_rocks_settings *settings, uint64_t cache_size,
                                     bool is_compressed)
{
    *settings = (struct host_rocks_settings){
        .cache = rocksdb_cache_create_lru((size_t)cache_size),
        .plain = rocksdb_options_create(),
        .objects = rocksdb_options_create(),
        .read_cached = rocksdb_readoptions_create(),
        .read_blocking = rocksdb_readoptions_create(),
        .write = rocksdb_writeoptions_create(),
    };
    host_rocks_set_common(settings, settings->plain, is_compressed);
    host_rocks_set_common(settings, settings->objects, is_compressed);
    host_rocks_set_blobs(settings, settings->objects);
    rocksdb_readoptions_set_verify_checksums(settings->read_cached, 1);
    rocksdb_readoptions_set_read_tier(settings->read_cached, READ_TIER_CACHE);
    rocksdb_readoptions_set_verify_checksums(settings->read_blocking, 1);
    rocksdb_writeoptions_set_sync(settings->write, 1);
    return host_rocks_set_text(settings->plain, TRACK_WALS_ON);
}

void host_rocks_settings_close(struct host_rocks_settings *settings)
{
    rocksdb_writeoptions_destroy(settings->write);
    rocksdb_readoptions_destroy(settings->read_blocking);
    rocksdb_readoptions_destroy(settings->read_cached);
    rocksdb_options_destroy(settings->objects);
    rocksdb_options_destroy(settings->plain);
    rocksdb_cache_destroy(settings->cache);
}

void host_rocks_settings_mode(struct host_rocks_settings *settings, enum host_rocks_mode mode,
                              bool is_new)
{
    bool is_absolute = mode == HOST_ROCKS_ABSOLUTE;

    rocksdb_options_set_wal_recovery_mode(settings->plain, (int)mode);
    /* The second step takes what there is: a missing log must not refuse the rest. */
    ensure(host_rocks_set_text(settings->plain, is_absolute ? TRACK_WALS_ON : TRACK_WALS_OFF) ==
           STATUS_OK);
    /* Never on top of what is left of another one: without its CURRENT, a full store would be taken
     * for a new one. */
    rocksdb_options_set_create_if_missing(settings->plain, is_new);
    rocksdb_options_set_create_missing_column_families(settings->plain, is_new);
}
