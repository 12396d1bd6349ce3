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
#include <sys/statvfs.h>

#include "bytes.h"
#include "host_commit.h"

#define OPS_MAX 8u
#define BYTES_MAX 100u

/* An engine that notes what it is given and answers as it is told. `gate` holds it inside apply. */
struct stub {
    sem_t gate, woken;
    enum status answer;
    unsigned fail_at; /* number of the call that answers `answer`; 0: all of them */
    unsigned calls;
    unsigned rows[64]; /* per call */
    char text[256];    /* keys and values, in order */
};

static enum status stub_apply(void *context, const struct store_row *rows, uint32_t count)
{
    struct stub *stub = context;

    assert_int_equal(sem_wait(&stub->gate), 0);
    assert_true(stub->calls < 64);
    stub->rows[stub->calls++] = count;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(stub->text);

        snprintf(stub->text + used, sizeof stub->text - used, "%s%.*s%.*s ",
                 rows[i].is_delete ? "-" : "", (int)rows[i].key.size,
                 (const char *)rows[i].key.data, (int)rows[i].value.size,
                 (const char *)rows[i].value.data);
    }
    return stub->fail_at == 0 || stub->fail_at == stub->calls ? stub->answer : STATUS_OK;
}

static void stub_wake(void *context)
{
    sem_post(&((struct stub *)context)->woken);
}

static void stub_open(struct stub *stub, struct host_commit **commit, uint64_t min_free)
{
    struct host_commit_config config = {
        .store = {.apply = stub_apply, .context = stub},
        .directory = "/tmp",
        .min_free = min_free,
        .ops_max = OPS_MAX,
        .bytes_max = BYTES_MAX,
        .wake = stub_wake,
        .wake_context = stub,
    };

    memset(stub, 0, sizeof *stub);
    sem_init(&stub->gate, 0, 0);
    sem_init(&stub->woken, 0, 0);
    stub->answer = STATUS_OK;
    assert_int_equal(host_commit_open(commit, &config), STATUS_OK);
}

static void stub_let(struct stub *stub, unsigned calls)
{
    while (calls-- > 0)
        sem_post(&stub->gate);
}

static void put(struct host_commit *commit, uint64_t write, const char *key, const char *value)
{
    struct store_row row = {.family = STORE_OBJ,
                            .is_delete = value == NULL,
                            .key = slice_text(key),
                            .value = SLICE_NONE};

    if (value != NULL)
        row.value = slice_text(value);
    host_commit_write(commit, write, &row, 1);
}

/* Takes the next completion, waiting for it. */
static void expect(struct stub *stub, struct host_commit *commit, uint64_t write,
                   enum status status)
{
    enum status found_status;
    uint64_t found_write;

    while (!host_commit_poll(commit, &found_write, &found_status))
        assert_int_equal(sem_wait(&stub->woken), 0);
    assert_int_equal(found_write, write);
    assert_int_equal(found_status, status);
}

/* While the first batch is being written everything else gathers into the next one. */
static void test_natural_group_commit(void **state)
{
    struct host_commit *commit;
    struct stub stub;
    char key[] = "k", value[] = "v";

    (void)state;
    stub_open(&stub, &commit, 0);
    for (uint64_t i = 1; i <= 6; i++) {
        key[0] = (char)('a' + i - 1);
        put(commit, i, key, i == 4 ? NULL : value);
    }
    key[0] = value[0] = '?'; /* what was queued is a copy */
    host_commit_flush(commit);
    stub_let(&stub, 1);
    for (uint64_t i = 1; i <= 6; i++)
        expect(&stub, commit, i, STATUS_OK);
    assert_int_equal(stub.calls, 1);
    assert_int_equal(stub.rows[0], 6);
    assert_string_equal(stub.text, "av bv cv -d ev fv ");
    host_commit_close(commit);
}

static void test_batches_are_bounded(void **state)
{
    char large[BYTES_MAX + 50] = {0};
    struct host_commit *commit;
    struct stub stub;

    (void)state;
    memset(large, 'x', sizeof large - 1);
    stub_open(&stub, &commit, 0);
    for (uint64_t i = 1; i <= OPS_MAX + 1; i++)
        put(commit, i, "k", "v");
    put(commit, 10, "k", large); /* larger than a batch: alone */
    put(commit, 11, "k", "v");
    host_commit_flush(commit);
    stub_let(&stub, 10);
    for (uint64_t i = 1; i <= 11; i++)
        expect(&stub, commit, i, STATUS_OK);
    assert_int_equal(stub.calls, 4);
    assert_int_equal(stub.rows[0], OPS_MAX);
    assert_int_equal(stub.rows[1], 1);
    assert_int_equal(stub.rows[2], 1);
    assert_int_equal(stub.rows[3], 1);
    host_commit_close(commit);
}

/* One failed write ends everything after it, untried. */
static void test_failure_is_for_good(void **state)
{
    struct host_commit *commit;
    struct stub stub;

    (void)state;
    stub_open(&stub, &commit, 0);
    stub.answer = STATUS_IO;
    stub.fail_at = 2;
    stub_let(&stub, 10);
    for (uint64_t i = 1; i <= 4; i++) {
        put(commit, i, "k", "v");
        host_commit_flush(commit);
        expect(&stub, commit, i, i == 1 ? STATUS_OK : STATUS_UNKNOWN_OUTCOME);
    }
    assert_int_equal(stub.calls, 2);
    host_commit_close(commit);
}

/* NO_SPACE from the engine is certain, so it is no failure. */
static void test_a_full_engine_is_no_failure(void **state)
{
    struct host_commit *commit;
    struct stub stub;

    (void)state;
    stub_open(&stub, &commit, 0);
    stub.answer = STATUS_NO_SPACE;
    stub.fail_at = 1;
    stub_let(&stub, 10);
    for (uint64_t i = 1; i <= 2; i++) {
        put(commit, i, "k", "v");
        host_commit_flush(commit);
        expect(&stub, commit, i, i == 1 ? STATUS_NO_SPACE : STATUS_OK);
    }
    host_commit_close(commit);
}

/* No disk has this much room: puts are refused before anything is written, and the engine is never
 * called. */
static void test_the_reserve_is_kept(void **state)
{
    struct host_commit *commit;
    struct stub stub;

    (void)state;
    stub_open(&stub, &commit, UINT64_MAX);
    put(commit, 1, "k", "v");
    host_commit_flush(commit);
    expect(&stub, commit, 1, STATUS_NO_SPACE);
    assert_int_equal(stub.calls, 0);
    host_commit_close(commit);
}

/* Half of what is to be kept free: a delete and a repair may use it, a new value may not. */
static void test_relief_may_use_half_of_the_reserve(void **state)
{
    struct host_commit *commit;
    struct store_row relief = {.family = STORE_OBJ,
                               .may_use_reserve = true,
                               .key = slice_text("k"),
                               .value = slice_text("tombstone")};
    struct statvfs info;
    struct stub stub;

    (void)state;
    assert_int_equal(statvfs("/tmp", &info), 0);
    stub_open(&stub, &commit, (uint64_t)info.f_bavail * info.f_frsize / 2 * 3);
    stub_let(&stub, 10);
    put(commit, 1, "k", "v");
    put(commit, 2, "k", NULL);
    host_commit_write(commit, 3, &relief, 1);
    host_commit_flush(commit);
    expect(&stub, commit, 1, STATUS_NO_SPACE);
    expect(&stub, commit, 2, STATUS_OK);
    expect(&stub, commit, 3, STATUS_OK);
    host_commit_close(commit);
}

static void test_stop_finishes_what_is_queued(void **state)
{
    struct host_commit *commit;
    struct stub stub;

    (void)state;
    stub_open(&stub, &commit, 0);
    stub_let(&stub, 10);
    put(commit, 1, "k", "v");
    put(commit, 2, "k", "w");
    host_commit_stop(commit); /* never flushed: stop does */
    expect(&stub, commit, 1, STATUS_OK);
    expect(&stub, commit, 2, STATUS_OK);
    host_commit_close(commit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural_group_commit),
        cmocka_unit_test(test_batches_are_bounded),
        cmocka_unit_test(test_failure_is_for_good),
        cmocka_unit_test(test_a_full_engine_is_no_failure),
        cmocka_unit_test(test_the_reserve_is_kept),
        cmocka_unit_test(test_relief_may_use_half_of_the_reserve),
        cmocka_unit_test(test_stop_finishes_what_is_queued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
