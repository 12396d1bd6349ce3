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
#include "host_keyring.h"
#include "scratch.h"

static enum status open_ring(struct seal_keyring *ring, const char *directory, const char *secret,
                             bool has_seeds)
{
    char detail[HOST_DETAIL_SIZE] = "";
    enum status status = host_keyring_open(ring, directory, secret, has_seeds, detail);

    assert_true(status == STATUS_OK || detail[0] != 0);
    return status;
}

static void test_a_founder_draws_a_key(void **state)
{
    char directory[SCRATCH_SIZE], other[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct seal_keyring drawn, again, copied;
    struct stat info;

    (void)state;
    scratch_make(directory);
    scratch_make(other);
    assert_int_equal(open_ring(&drawn, directory, NULL, false), STATUS_OK);
    assert_int_equal(drawn.count, 1);
    assert_non_null(host_file_path(path, directory, "cluster.key"));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(open_ring(&again, directory, "", false), STATUS_OK);
    assert_memory_equal(again.cluster_id, drawn.cluster_id, sizeof drawn.cluster_id);
    assert_memory_equal(again.keys[0].key, drawn.keys[0].key, SEAL_KEY_SIZE);

    /* another peer is given the file, and from then on has its own */
    assert_int_equal(open_ring(&copied, other, path, true), STATUS_OK);
    assert_memory_equal(copied.keys[0].key, drawn.keys[0].key, SEAL_KEY_SIZE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_ring(&copied, other, path, true), STATUS_OK);
    assert_memory_equal(copied.cluster_id, drawn.cluster_id, sizeof drawn.cluster_id);
    scratch_remove(directory);
    scratch_remove(other);
}

static void test_seeds_without_a_key(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct seal_keyring ring;

    (void)state;
    scratch_make(directory);
    assert_int_equal(open_ring(&ring, directory, NULL, true), STATUS_MISSING);
    assert_int_equal(open_ring(&ring, directory, "/nowhere/key", false), STATUS_MISSING);
    assert_non_null(host_file_path(path, directory, "cluster.key"));
    assert_int_equal(access(path, F_OK), -1); /* no cluster was founded by mistake */
    scratch_remove(directory);
}

static void test_bad_files(void **state)
{
    char directory[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct seal_keyring ring;

    (void)state;
    scratch_make(directory);
    assert_int_equal(host_file_replace(directory, "cluster.key", slice_text("nonsense\n")),
                     STATUS_OK);
    assert_int_equal(open_ring(&ring, directory, NULL, false), STATUS_CORRUPT);
    assert_int_equal(host_file_replace(directory, "cluster.key", SLICE_NONE), STATUS_OK);
    assert_int_equal(open_ring(&ring, directory, NULL, false), STATUS_CORRUPT);
    assert_int_equal(
        host_file_replace(directory, "cluster.key", slice_text("gossamer-cluster-key 2\n")),
        STATUS_OK);
    assert_int_equal(open_ring(&ring, directory, NULL, false), STATUS_UNSUPPORTED);
    assert_non_null(host_file_path(path, directory, "cluster.key"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_ring(&ring, directory, NULL, false), STATUS_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(open_ring(&ring, directory, NULL, false), STATUS_PERMISSION);
    scratch_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_founder_draws_a_key),
        cmocka_unit_test(test_seeds_without_a_key),
        cmocka_unit_test(test_bad_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
