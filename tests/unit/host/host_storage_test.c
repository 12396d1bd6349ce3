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

#include "bytes.h"
#include "host_storage.h"
#include "scratch.h"

struct rig {
    char directory[SCRATCH_SIZE];
    struct host_storage *storage;
    bool is_memory, is_ready;
    sem_t woken;
    unsigned count;
    uint64_t ticket; /* of the last completion */
    enum event_kind kind;
    enum status status;
    char text[64]; /* its rows */
};

static void rig_wake(void *context)
{
    sem_post(&((struct rig *)context)->woken);
}

static void rig_open_with(struct rig *rig, bool is_memory, bool may_refill)
{
    struct host_storage_config config = {
        .is_memory = is_memory,
        .memory_max = 1u << 20,
        .directory = rig->directory,
        .cache_size = 4u << 20,
        .commit_ops = 1024,
        .commit_bytes = 4u << 20,
        .mark_interval_ms = 1000,
        .may_refill = may_refill,
        .wake = rig_wake,
        .wake_context = rig,
    };
    char detail[HOST_DETAIL_SIZE];
    bool is_recovering;

    memset(rig, 0, sizeof *rig);
    scratch_make(rig->directory);
    sem_init(&rig->woken, 0, 0);
    rig->is_memory = is_memory;
    assert_int_equal(host_storage_open(&rig->storage, &config, &is_recovering, detail), STATUS_OK);
    assert_false(is_recovering);
}

static void rig_open(struct rig *rig, bool is_memory)
{
    rig_open_with(rig, is_memory, true);
}

static void rig_close(struct rig *rig)
{
    host_storage_close(rig->storage);
    scratch_remove(rig->directory);
}

static void rig_see(void *context, struct event *event)
{
    struct rig *rig = context;

    rig->count++;
    rig->kind = event->kind;
    rig->text[0] = 0;
    if (event->kind == EVENT_STORED) {
        rig->ticket = event->stored.write;
        rig->status = event->stored.status;
        return;
    }
    assert_int_equal(event->kind, EVENT_LOADED);
    rig->ticket = event->loaded.read;
    rig->status = event->loaded.status;
    for (uint32_t i = 0; i < event->loaded.count; i++) {
        const struct store_row *row = &event->loaded.rows[i];
        size_t used = strlen(rig->text);

        snprintf(rig->text + used, sizeof rig->text - used, "%.*s=%.*s ", (int)row->key.size,
                 (const char *)row->key.data, (int)row->value.size, (const char *)row->value.data);
    }
}

static void rig_next(struct rig *rig)
{
    rig->is_ready = host_storage_flush(rig->storage);
    assert_true(!rig->is_ready || rig->is_memory);
    while (host_storage_poll(rig->storage, 1, rig_see, rig) == 0)
        assert_int_equal(sem_wait(&rig->woken), 0);
}

static void rig_put(struct rig *rig, uint64_t write, const char *key, const char *value)
{
    struct store_row row = {.family = STORE_IDX,
                            .is_delete = false,
                            .key = slice_text(key),
                            .value = slice_text(value)};

    host_storage_write(rig->storage, write, &row, 1);
    rig_next(rig);
    assert_int_equal(rig->kind, EVENT_STORED);
    assert_int_equal(rig->ticket, write);
}

static void rig_read(struct rig *rig, uint64_t read, bool is_point, const char *from)
{
    struct store_range range = {.family = STORE_IDX, .rows_max = 10, .bytes_max = 1000};

    range.from = slice_text(from);
    host_storage_read(rig->storage, read, is_point, &range);
    rig_next(rig);
    assert_int_equal(rig->kind, EVENT_LOADED);
    assert_int_equal(rig->ticket, read);
}

/* The loop sees no difference between the engines. */
static void test_both_engines(void **state)
{
    (void)state;
    for (unsigned is_memory = 0; is_memory < 2; is_memory++) {
        struct store_pin pin = {.handle = NULL};
        struct store store;
        struct rig rig;

        rig_open(&rig, is_memory != 0);
        rig_put(&rig, 1, "a", "one");
        assert_int_equal(rig.status, STATUS_OK);
        rig_put(&rig, 2, "b", "two");
        rig_read(&rig, 3, true, "a");
        assert_int_equal(rig.status, STATUS_OK);
        assert_string_equal(rig.text, "a=one ");
        rig_read(&rig, 4, true, "c");
        assert_int_equal(rig.status, STATUS_MISSING);
        rig_read(&rig, 5, false, "");
        assert_int_equal(rig.status, STATUS_END);
        assert_string_equal(rig.text, "a=one b=two ");
        store = host_storage_ports(rig.storage);
        assert_int_equal(store.get(store.context, STORE_IDX, slice_text("b"), &pin), STATUS_OK);
        assert_true(slice_equal(pin.value, slice_text("two")));
        store.release(store.context, &pin);
        assert_int_equal(rig.count, 5);
        assert_int_equal(host_storage_poll(rig.storage, 10, rig_see, &rig), 0);
        rig_close(&rig);
    }
}

static void test_reopen_answers_what_was_open(void **state)
{
    char detail[HOST_DETAIL_SIZE];
    struct store_row row = {.family = STORE_IDX,
                            .is_delete = false,
                            .key = slice_text("a"),
                            .value = slice_text("one")};
    bool is_recovering;
    struct rig rig;

    (void)state;
    rig_open(&rig, false);
    for (uint64_t i = 1; i <= 5; i++)
        host_storage_write(rig.storage, i, &row, 1);
    assert_int_equal(host_storage_reopen(rig.storage, &is_recovering, detail), STATUS_OK);
    assert_false(is_recovering);
    assert_true(host_storage_flush(rig.storage)); /* the answers are here already */
    assert_int_equal(host_storage_poll(rig.storage, 3, rig_see, &rig), 3);
    assert_int_equal(rig.ticket, 3);
    assert_int_equal(host_storage_poll(rig.storage, 30, rig_see, &rig), 2);
    assert_int_equal(rig.count, 5);
    assert_int_equal(rig.status, STATUS_OK);
    rig_put(&rig, 6, "b", "two");
    rig_read(&rig, 7, false, "");
    assert_string_equal(rig.text, "a=one b=two ");
    rig_close(&rig);
}

/* Puts a file in the place of the database. */
static void rig_break(struct rig *rig)
{
    char path[HOST_PATH_SIZE], away[HOST_PATH_SIZE];

    assert_non_null(host_file_path(path, rig->directory, "db"));
    assert_non_null(host_file_path(away, rig->directory, "away"));
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(host_file_replace(rig->directory, "db", slice_text("a file")), STATUS_OK);
}

static void test_a_broken_store_is_set_aside(void **state)
{
    char detail[HOST_DETAIL_SIZE];
    bool is_recovering;
    struct rig rig;

    (void)state;
    rig_open_with(&rig, false, true);
    rig_break(&rig);
    assert_int_equal(host_storage_reopen(rig.storage, &is_recovering, detail), STATUS_OK);
    assert_true(is_recovering);
    rig_put(&rig, 1, "a", "one");
    assert_int_equal(rig.status, STATUS_OK);
    rig_close(&rig);
}

/* A store that does not come back answers every ticket all the same. */
static void test_without_a_store(void **state)
{
    char detail[HOST_DETAIL_SIZE];
    struct store_row row = {.family = STORE_IDX,
                            .is_delete = false,
                            .key = slice_text("a"),
                            .value = slice_text("one")};
    struct store_range range = {.family = STORE_IDX, .from = slice_text("a")};
    struct store_pin pin = {.handle = NULL};
    struct store store;
    bool is_recovering;
    struct rig rig;

    (void)state;
    rig_open_with(&rig, false, false);
    rig_break(&rig);
    assert_int_equal(host_storage_reopen(rig.storage, &is_recovering, detail), STATUS_CORRUPT);
    store = host_storage_ports(rig.storage);
    assert_int_equal(store.get(store.context, STORE_IDX, slice_text("a"), &pin), STATUS_IO);
    host_storage_write(rig.storage, 1, &row, 1);
    host_storage_read(rig.storage, 2, true, &range);
    assert_true(host_storage_flush(rig.storage));
    assert_int_equal(host_storage_poll(rig.storage, 1, rig_see, &rig), 1);
    assert_int_equal(rig.status, STATUS_UNKNOWN_OUTCOME);
    assert_int_equal(host_storage_poll(rig.storage, 1, rig_see, &rig), 1);
    assert_int_equal(rig.status, STATUS_IO);
    rig_close(&rig);
}

static void test_memory_is_bounded(void **state)
{
    struct store_row row = {
        .family = STORE_IDX, .is_delete = false, .key = slice_text("a"), .value = SLICE_NONE};
    uint8_t *large = calloc(1, 2u << 20);
    struct rig rig;

    (void)state;
    rig_open(&rig, true);
    row.value = slice_of(large, 2u << 20);
    host_storage_write(rig.storage, 1, &row, 1);
    rig_next(&rig);
    assert_int_equal(rig.status, STATUS_NO_SPACE);
    rig_close(&rig);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_engines),
        cmocka_unit_test(test_reopen_answers_what_was_open),
        cmocka_unit_test(test_a_broken_store_is_set_aside),
        cmocka_unit_test(test_without_a_store),
        cmocka_unit_test(test_memory_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
