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
#include "host_identity.h"
#include "scratch.h"

#define NOBODY 65534 /* a user without rights; only used when the tests run as root */

static enum status open_at(struct host_directory *directory, const char *path)
{
    char detail[HOST_DETAIL_SIZE] = "";
    enum status status = host_directory_open(directory, path, detail);

    assert_true(status == STATUS_OK || detail[0] != 0); /* every refusal says why */
    return status;
}

static void test_first_and_second_start(void **state)
{
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct host_directory first, second;
    struct stat info;

    (void)state;
    scratch_make(scratch);
    snprintf(path, sizeof path, "%s/deeper/still/", scratch);
    assert_int_equal(open_at(&first, path), STATUS_OK);
    assert_true(first.is_new);
    assert_true(first.boot.counter == 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    host_directory_close(&first);

    assert_int_equal(open_at(&first, path), STATUS_OK);
    assert_false(first.is_new);
    assert_true(first.boot.counter == 2);
    assert_int_equal(open_at(&second, path), STATUS_BUSY);
    host_directory_close(&first);

    assert_int_equal(open_at(&second, path), STATUS_OK);
    assert_true(second.boot.counter == 3); /* the refused start has used no boot record */
    host_directory_close(&second);
    scratch_remove(scratch);
}

static void test_the_identity_stays_the_boot_record_does_not(void **state)
{
    char scratch[SCRATCH_SIZE], copy[SCRATCH_SIZE], detail[HOST_DETAIL_SIZE];
    struct host_directory directory, twin;
    struct node_id id;
    uint64_t nonce;

    (void)state;
    scratch_make(scratch);
    scratch_make(copy);
    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    id = directory.identity.id;
    nonce = directory.boot.nonce;
    host_directory_close(&directory);
    scratch_copy(scratch, copy);

    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    assert_int_equal(open_at(&twin, copy), STATUS_OK);
    assert_memory_equal(&directory.identity.id, &id, sizeof id);
    assert_memory_equal(&twin.identity.id, &id, sizeof id);
    assert_true(directory.boot.nonce != nonce);
    /* a copied directory counts on alike; the nonce is what makes its actor new */
    assert_true(directory.boot.counter == twin.boot.counter);
    assert_true(directory.boot.nonce != twin.boot.nonce);
    assert_int_equal(host_directory_boot(&twin, detail), STATUS_OK);
    assert_true(twin.boot.counter == directory.boot.counter + 1);
    host_directory_close(&directory);
    host_directory_close(&twin);
    scratch_remove(scratch);
    scratch_remove(copy);
}

static void spoil(const char *scratch, const char *name, struct slice bytes)
{
    assert_int_equal(host_file_replace(scratch, name, bytes), STATUS_OK);
}

static void test_damaged_files_are_refused(void **state)
{
    static const uint8_t zeros[64] = {0};
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    uint8_t key[64], boot[64];
    size_t key_size, boot_size;
    struct host_directory directory;

    (void)state;
    scratch_make(scratch);
    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    host_directory_close(&directory);
    assert_non_null(host_file_path(path, scratch, "identity.key"));
    assert_int_equal(host_file_read(path, key, sizeof key, &key_size), STATUS_OK);
    assert_int_equal(key_size, 40);
    assert_non_null(host_file_path(path, scratch, "boot"));
    assert_int_equal(host_file_read(path, boot, sizeof boot, &boot_size), STATUS_OK);

    spoil(scratch, "identity.key", slice_of(key, 39));
    assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
    spoil(scratch, "identity.key", slice_of(key, 41));
    assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
    spoil(scratch, "identity.key", slice_of(zeros, 40)); /* never written */
    assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
    for (size_t i = 0; i < key_size; i++) { /* every seed is somebody's identity */
        key[i] ^= 4;
        spoil(scratch, "identity.key", slice_of(key, key_size));
        assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
        key[i] ^= 4;
    }
    spoil(scratch, "identity.key", slice_of(key, key_size));
    for (size_t i = 0; i < boot_size; i++) {
        spoil(scratch, "boot", slice_of(boot, i));
        assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
        boot[i] ^= 1;
        spoil(scratch, "boot", slice_of(boot, boot_size));
        assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
        boot[i] ^= 1;
    }
    spoil(scratch, "boot", slice_of(boot, boot_size));
    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    host_directory_close(&directory);
    scratch_remove(scratch);
}

/* A new key over an old directory would be a stranger with another's rows. */
static void test_a_lost_key_is_not_replaced(void **state)
{
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct host_directory directory;

    (void)state;
    scratch_make(scratch);
    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    host_directory_close(&directory);
    assert_non_null(host_file_path(path, scratch, "identity.key"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_at(&directory, scratch), STATUS_CORRUPT);
    assert_int_equal(access(path, F_OK), -1);
    scratch_remove(scratch);
}

static void test_a_key_open_to_others(void **state)
{
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct host_directory directory;

    (void)state;
    scratch_make(scratch);
    assert_int_equal(open_at(&directory, scratch), STATUS_OK);
    host_directory_close(&directory);
    assert_non_null(host_file_path(path, scratch, "identity.key"));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_at(&directory, scratch), STATUS_PERMISSION);
    scratch_remove(scratch);
}

static void test_not_writable(void **state)
{
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE], detail[HOST_DETAIL_SIZE];
    bool is_root = geteuid() == 0;
    struct host_directory directory;
    enum status inside, below;

    (void)state;
    scratch_make(scratch);
    assert_non_null(host_file_path(path, scratch, "below"));
    assert_int_equal(chmod(scratch, 0555), 0);
    assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
    inside = host_directory_open(&directory, scratch, detail);
    below = host_directory_open(&directory, path, detail);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(chmod(scratch, 0700), 0);
    assert_int_equal(inside, STATUS_PERMISSION);
    assert_int_equal(below, STATUS_PERMISSION);
    assert_non_null(strstr(detail, scratch));
    assert_non_null(strstr(detail, "chown"));
    scratch_remove(scratch);
}

static void test_not_a_directory(void **state)
{
    char scratch[SCRATCH_SIZE], path[HOST_PATH_SIZE];
    struct host_directory directory;

    (void)state;
    scratch_make(scratch);
    spoil(scratch, "file", slice_text("x"));
    assert_non_null(host_file_path(path, scratch, "file"));
    assert_int_equal(open_at(&directory, path), STATUS_IO);
    assert_int_equal(open_at(&directory, ""), STATUS_IO);
    scratch_remove(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_second_start),
        cmocka_unit_test(test_the_identity_stays_the_boot_record_does_not),
        cmocka_unit_test(test_damaged_files_are_refused),
        cmocka_unit_test(test_a_lost_key_is_not_replaced),
        cmocka_unit_test(test_a_key_open_to_others),
        cmocka_unit_test(test_not_writable),
        cmocka_unit_test(test_not_a_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
