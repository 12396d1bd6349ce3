/* store_crash_test.c: a process commits numbered batches and is killed with SIGKILL somewhere in
 * between, again and again in one directory. After each death:
 *
 *   acknowledged ⊆ recovered ⊆ attempted,   and every batch is there as a whole or not at all.
 *
 * The writer is this program started again with arguments; it tells the parent through a pipe what
 * it attempts (before) and what was acknowledged (after). SIGKILL does not lose what the kernel
 * has, so this shows the order of acknowledgements and the recovery of logs, not the syncs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bytes.h"
#include "ensure.h"
#include "host_rocks.h"
#include "host_storage.h"
#include "prng.h"
#include "scratch.h"
#include "store.h"

#define ROUNDS 30u
#define BATCHES_MAX 200000u /* over all rounds; a bound for the arrays */
#define IN_FLIGHT 40u       /* requests the writer keeps queued: group commits of many sizes */
#define ROWS_PER_BATCH 3u
#define VALUE_MAX 30000u

/* What travels through the pipe, one u64: the number, and whether it is acknowledged. */
#define SAID_ACKNOWLEDGED ((uint64_t)1 << 63)

static void wake_by_pipe(void *context)
{
    uint8_t byte = 0;

    ensure(write(*(int *)context, &byte, 1) == 1);
}

static struct host_storage *open_storage(const char *directory, int *wake_fd, bool *is_recovering)
{
    struct host_storage_config config = {
        .directory = directory,
        .cache_size = 8u << 20,
        .commit_ops = 1024,
        .commit_bytes = 4u << 20,
        .mark_interval_ms = 1000,
        .may_refill = false,
        .wake = wake_by_pipe,
        .wake_context = wake_fd,
    };
    char detail[HOST_DETAIL_SIZE];
    struct host_storage *storage;
    enum status status = host_storage_open(&storage, &config, is_recovering, detail);

    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", status_text(status), detail);
    ensure(status == STATUS_OK);
    return storage;
}

/* --- rows: everything follows from the numbers of batch and row */

static struct slice row_key(uint64_t batch, unsigned row, uint8_t room[STORE_KEY_SIZE_MAX])
{
    char name[40];

    snprintf(name, sizeof name, "%llu/%u", (unsigned long long)batch, row);
    return store_key_obj(batch * 0x9e3779b97f4a7c15u, slice_text("ns"), slice_text(name), room);
}

static struct slice row_value(uint64_t batch, unsigned row, uint8_t room[VALUE_MAX])
{
    struct prng prng;
    size_t size;

    prng_init(&prng, batch * ROWS_PER_BATCH + row);
    size = (size_t)prng_between(&prng, 8, prng_chance(&prng, 1, 30) ? VALUE_MAX - 1 : 400);
    memset(room, (int)(batch & 0xff), size);
    bytes_store_u64(room, batch);
    return slice_of(room, size);
}

/* --- the writer */

static void say(uint64_t what)
{
    ensure(write(STDOUT_FILENO, &what, sizeof what) == sizeof what);
}

static void write_batch(struct host_storage *storage, uint64_t batch)
{
    uint8_t keys[ROWS_PER_BATCH][STORE_KEY_SIZE_MAX];
    uint8_t *values = malloc(ROWS_PER_BATCH * VALUE_MAX);
    struct store_row rows[ROWS_PER_BATCH];

    ensure(values != NULL);
    for (unsigned i = 0; i < ROWS_PER_BATCH; i++) {
        rows[i] = (struct store_row){.family = STORE_OBJ};
        rows[i].key = row_key(batch, i, keys[i]);
        rows[i].value = row_value(batch, i, values + i * VALUE_MAX);
    }
    say(batch);
    host_storage_write(storage, batch, rows, ROWS_PER_BATCH);
    free(values);
}

struct writer_state {
    unsigned in_flight;
};

static void writer_stored(void *context, struct event *event)
{
    struct writer_state *state = context;

    ensure(event->kind == EVENT_STORED && event->stored.status == STATUS_OK);
    state->in_flight--;
    say(event->stored.write | SAID_ACKNOWLEDGED);
}

static int run_writer(const char *directory, uint64_t batch)
{
    struct writer_state state = {0};
    struct host_storage *storage;
    bool is_recovering;
    struct prng prng;
    int fds[2];

    ensure(pipe(fds) == 0);
    storage = open_storage(directory, &fds[1], &is_recovering);
    prng_init(&prng, batch);
    for (;;) { /* until killed */
        uint64_t burst = prng_between(&prng, 1, IN_FLIGHT);
        uint8_t bytes[64];

        while (state.in_flight < burst) {
            write_batch(storage, batch++);
            state.in_flight++;
        }
        ensure(!host_storage_flush(storage));
        ensure(read(fds[0], bytes, sizeof bytes) > 0);
        host_storage_poll(storage, UINT32_MAX, writer_stored, &state);
    }
}

/* --- the parent */

enum fate { FATE_NONE, FATE_ATTEMPTED, FATE_ACKNOWLEDGED, FATE_LOST };

struct history {
    uint8_t *fates; /* per batch */
    uint64_t next;  /* number of the first batch never attempted */
    uint64_t acknowledged;
};

static void hear(struct history *history, uint64_t said)
{
    uint64_t batch = said & ~SAID_ACKNOWLEDGED;

    assert_true(batch < BATCHES_MAX);
    if (said & SAID_ACKNOWLEDGED) {
        assert_int_equal(history->fates[batch], FATE_ATTEMPTED);
        history->fates[batch] = FATE_ACKNOWLEDGED;
        history->acknowledged++;
        return;
    }
    assert_int_equal(history->fates[batch], FATE_NONE);
    history->fates[batch] = FATE_ATTEMPTED;
    history->next = batch + 1;
}

/* Lets a writer run until it has acknowledged `enough` batches, kills it, hears the rest. */
static void run_round(const char *directory, struct history *history, uint64_t enough)
{
    char self[] = "/proc/self/exe", at[32], path[SCRATCH_SIZE];
    char *arguments[] = {self, path, at, NULL};
    posix_spawn_file_actions_t actions;
    uint64_t before = history->acknowledged, said;
    int fds[2], how;
    pid_t child;

    snprintf(path, sizeof path, "%s", directory);
    snprintf(at, sizeof at, "%llu", (unsigned long long)history->next);
    assert_int_equal(pipe2(fds, 0), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    assert_int_equal(posix_spawn(&child, self, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    while (read(fds[0], &said, sizeof said) == sizeof said) {
        hear(history, said);
        if (history->acknowledged - before == enough)
            kill(child, SIGKILL);
    }
    close(fds[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL); /* it did not die by itself */
    assert_true(history->acknowledged - before >= enough);
}

/* Counts the rows of a batch that are there, and fails the test when one is wrong. */
static unsigned rows_found(const struct store *store, uint64_t batch)
{
    uint8_t key_room[STORE_KEY_SIZE_MAX], value_room[VALUE_MAX];
    unsigned found = 0;

    for (unsigned i = 0; i < ROWS_PER_BATCH; i++) {
        struct store_pin pin = {.handle = NULL};
        enum status status =
            store->get(store->context, STORE_OBJ, row_key(batch, i, key_room), &pin);

        assert_true(status == STATUS_OK || status == STATUS_MISSING);
        if (status == STATUS_MISSING)
            continue;
        assert_true(slice_equal(pin.value, row_value(batch, i, value_room)));
        store->release(store->context, &pin);
        found++;
    }
    return found;
}

static bool count_row(void *context, const struct store_row *row)
{
    (void)row;
    ++*(uint64_t *)context;
    return true;
}

/* A killed process leaves no gap: what the kernel has is all there. */
static struct host_rocks *open_rocks(const char *directory)
{
    static const struct host_rocks_options options = {.cache_size = 8u << 20};
    char detail[HOST_DETAIL_SIZE];
    struct host_rocks *rocks;
    bool is_recovering;
    enum status status = host_rocks_open(&rocks, directory, &options, &is_recovering, detail);

    if (status != STATUS_OK || is_recovering)
        print_message("%s: %s\n", status_text(status), detail);
    assert_int_equal(status, STATUS_OK);
    return rocks;
}

/* Batches that were not acknowledged are settled by the first opening: there, or lost for ever. */
static void check_round(const char *directory, struct history *history)
{
    struct store_range all = {.family = STORE_OBJ, .rows_max = UINT32_MAX, .bytes_max = UINT32_MAX};
    uint64_t rows = 0, scanned = 0;
    struct host_rocks *rocks = open_rocks(directory);
    struct store store = host_rocks_ports_blocking(rocks);

    for (uint64_t i = 0; i < history->next; i++) {
        unsigned found = rows_found(&store, i);

        assert_true(found == 0 || found == ROWS_PER_BATCH);
        assert_true(found > 0 || history->fates[i] != FATE_ACKNOWLEDGED);
        assert_true(found == 0 || history->fates[i] != FATE_LOST);
        history->fates[i] = found > 0 ? FATE_ACKNOWLEDGED : FATE_LOST;
        rows += found;
    }
    assert_int_equal(store.scan(store.context, &all, count_row, &scanned), STATUS_END);
    assert_true(scanned == rows); /* nothing that was never attempted */
    host_rocks_close(rocks);
}

static void test_acknowledged_recovered_attempted(void **state)
{
    struct history history = {calloc(BATCHES_MAX, 1), 0, 0};
    char directory[SCRATCH_SIZE];
    struct prng prng;

    (void)state;
    prng_init(&prng, 3);
    scratch_make(directory);
    for (unsigned round = 0; round < ROUNDS; round++) {
        run_round(directory, &history, prng_between(&prng, 1, 120));
        check_round(directory, &history);
    }
    print_message("%u deaths, %llu batches attempted, %llu acknowledged\n", ROUNDS,
                  (unsigned long long)history.next, (unsigned long long)history.acknowledged);
    scratch_remove(directory);
    free(history.fates);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acknowledged_recovered_attempted),
    };

    if (count == 3)
        return run_writer(arguments[1], strtoull(arguments[2], NULL, 10));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
