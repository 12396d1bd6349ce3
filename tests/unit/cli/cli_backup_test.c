/* cli_backup_test.c: pages become a file; a page that does not come leaves none. */
#include "cli_fixture.h"

static char name[40];

static void name_make(void)
{
    int fd;

    snprintf(name, sizeof(name), "/tmp/gossamer-bak-XXXXXX");
    fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    unlink(name);
}

static void test_pages_become_a_file(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    name_make();
    stub_open(&stub);
    tool(&told, "backup", name, "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, ": 2 rows, ");
    assert_has(told.err, "2 rows");
    tool(&told, "backup", "--verify", name, NULL); /* no peer is needed */
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, "is whole: 2 rows");
    assert_has(told.out, "of cluster c1, taken 2");
    tool(&told, "backup", name, "-o", "json", "--addr", stub.addr, NULL);
    assert_has(told.out, "\"rows\":2,");
    stub_close(&stub);
    unlink(name);
}

static void test_a_refused_page_leaves_no_file(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    name_make();
    stub_open(&stub);
    tool(&told, "backup", name, "--ns", "locked", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_REFUSED);
    assert_has(told.err, "No token");
    assert_int_not_equal(access(name, F_OK), 0);
    tool(&told, "backup", name, "--ns", "garbage", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "no row");
    assert_int_not_equal(access(name, F_OK), 0);
    tool(&told, "backup", name, "--ns", "circle", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "does not get on");
    stub_close(&stub);
}

/* A quorum that comes back in time costs a pause, not the backup. */
static void test_a_page_is_asked_for_again(void **state)
{
    struct stub stub;
    struct told told;

    (void)state;
    name_make();
    stub_open(&stub);
    tool(&told, "backup", name, "--ns", "later", "--addr", stub.addr, NULL);
    assert_int_equal(told.code, CLI_DONE);
    assert_has(told.out, ": 2 rows, ");
    stub_close(&stub);
    unlink(name);
}

static void test_damage_is_told(void **state)
{
    struct told told;
    FILE *file;

    (void)state;
    name_make();
    file = fopen(name, "wb");
    fputs("something else", file);
    fclose(file);
    tool(&told, "backup", name, "--verify", NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "is no archive of gossamer");
    unlink(name);
    tool(&told, "backup", name, "--verify", NULL);
    assert_int_equal(told.code, CLI_FAILURE);
    assert_has(told.err, "cannot read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_become_a_file),
        cmocka_unit_test(test_a_refused_page_leaves_no_file),
        cmocka_unit_test(test_a_page_is_asked_for_again),
        cmocka_unit_test(test_damage_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
