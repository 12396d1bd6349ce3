#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host_rocks_options.h"

static void test_the_settings_that_are_not_optional(void **state)
{
    struct host_rocks_settings settings;

    (void)state;
    assert_int_equal(host_rocks_settings_init(&settings, 1u << 20, true), STATUS_OK);
    host_rocks_settings_mode(&settings, HOST_ROCKS_ABSOLUTE, true);
    assert_int_equal(rocksdb_options_get_paranoid_checks(settings.plain), 1);
    assert_int_equal(rocksdb_options_get_info_log_level(settings.plain), 4);
    assert_int_equal(rocksdb_options_get_manual_wal_flush(settings.plain), 0);
    assert_int_equal(rocksdb_options_get_recycle_log_file_num(settings.plain), 0);
    assert_int_equal(rocksdb_options_get_allow_mmap_reads(settings.plain), 0);
    assert_int_equal(rocksdb_options_get_max_open_files(settings.plain), -1);
    assert_int_equal(rocksdb_options_get_wal_recovery_mode(settings.plain), 1);
    assert_int_equal(rocksdb_options_get_create_if_missing(settings.plain), 1);
    assert_int_equal(rocksdb_options_get_enable_blob_files(settings.plain), 0);
    assert_int_equal(rocksdb_options_get_enable_blob_files(settings.objects), 1);
    assert_int_equal(rocksdb_options_get_min_blob_size(settings.objects), 16384);
    host_rocks_settings_mode(&settings, HOST_ROCKS_POINT_IN_TIME, false);
    assert_int_equal(rocksdb_options_get_wal_recovery_mode(settings.plain), 2);
    assert_int_equal(rocksdb_options_get_create_if_missing(settings.plain), 0);
    assert_int_equal(rocksdb_options_get_create_missing_column_families(settings.plain), 0);
    /* choosing a mode goes through the library's text parser: nothing else may change */
    assert_int_equal(rocksdb_options_get_paranoid_checks(settings.plain), 1);
    assert_int_equal(rocksdb_options_get_info_log_level(settings.plain), 4);
    assert_int_equal(rocksdb_writeoptions_get_sync(settings.write), 1);
    assert_int_equal(rocksdb_readoptions_get_verify_checksums(settings.read_cached), 1);
    assert_int_equal(rocksdb_readoptions_get_read_tier(settings.read_cached), 1);
    assert_int_equal(rocksdb_readoptions_get_read_tier(settings.read_blocking), 0);
    host_rocks_settings_close(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_settings_that_are_not_optional)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
