#include "host_storage.h"

#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"
#include "ensure.h"
#include "host_commit.h"
#include "host_pool.h"
#include "host_rocks.h"

/* A completion of the memory engine, or one that was saved across a reopening. */
struct host_storage_done {
    struct host_storage_done *next;
    uint64_t write; /* when `read` is NULL */
    enum status status;
    struct host_read *read; /* owned */
};

struct host_storage {
    struct host_storage_config config; /* its pointers are not kept */
    char directory[HOST_PATH_SIZE];
    struct store_memory *memory;             /* owned; or the three below */
    struct host_rocks *rocks;                /* owned */
    struct host_commit *commit;              /* owned; NULL while the store could not be reopened */
    struct host_pool *pool;                  /* owned; same */
    struct store store;                      /* of the loop */
    struct host_storage_done *first, **last; /* completions that no thread will bring */
};

static void host_storage_push(struct host_storage *storage, uint64_t write, enum status status,
                              struct host_read *read)
{
    struct host_storage_done *done = malloc(sizeof *done);

    ensure(done != NULL);
    *done = (struct host_storage_done){NULL, write, status, read};
    *storage->last = done;
    storage->last = &done->next;
}

/* --- life */

static enum status host_storage_start_threads(struct host_storage *storage)
{
    const struct host_storage_config *config = &storage->config;
    struct store store = host_rocks_ports_blocking(storage->rocks);
    struct host_commit_config commit = {
        .store = store,
        .directory = storage->directory,
        .min_free = config->min_free,
        .ops_max = config->commit_ops,
        .bytes_max = config->commit_bytes,
        .wake = config->wake,
        .wake_context = config->wake_context,
    };

    if (host_commit_open(&storage->commit, &commit) != STATUS_OK)
        return STATUS_MEMORY;
    if (host_pool_open(&storage->pool, &store, config->wake, config->wake_context) == STATUS_OK)
        return STATUS_OK;
    host_commit_close(storage->commit);
    storage->commit = NULL;
    return STATUS_MEMORY;
}

static enum status host_storage_open_memory(struct host_storage *storage)
{
    storage->memory = store_memory_new(storage->config.memory_max);
    if (storage->memory == NULL)
        return STATUS_MEMORY;
    storage->store = store_memory_ports(storage->memory);
    return STATUS_OK;
}

static enum status host_storage_open_rocks(struct host_storage *storage, bool *is_recovering,
                                           char *detail)
{
    struct host_rocks_options options = {
        .cache_size = storage->config.cache_size,
        .is_compressed = storage->config.is_compressed,
        .may_refill = storage->config.may_refill,
        .mark_interval_ms = storage->config.mark_interval_ms,
    };
    enum status status =
        host_rocks_open(&storage->rocks, storage->directory, &options, is_recovering, detail);

    if (status != STATUS_OK)
        return status;
    storage->store = host_rocks_ports(storage->rocks);
    return host_storage_start_threads(storage);
}

enum status host_storage_open(struct host_storage **storage,
                              const struct host_storage_config *config, bool *is_recovering,
                              char *detail)
{
    struct host_storage *new = calloc(1, sizeof *new);
    enum status status;

    *storage = NULL;
    *is_recovering = false;
    snprintf(detail, HOST_DETAIL_SIZE, "out of memory");
    if (new == NULL)
        return STATUS_MEMORY;
    new->config = *config;
    new->last = &new->first;
    if (!config->is_memory)
        snprintf(new->directory, sizeof new->directory, "%s", config->directory);
    new->config.directory = new->directory;
    if (config->is_memory)
        status = host_storage_open_memory(new);
    else
        status = host_storage_open_rocks(new, is_recovering, detail);
    if (status != STATUS_OK) {
        host_storage_close(new);
        return status;
    }
    *storage = new;
    return STATUS_OK;
}

/* Ends the threads and keeps what they still owe. */
static void host_storage_stop_threads(struct host_storage *storage)
{
    struct host_read *read;
    enum status status;
    uint64_t write;

    if (storage->commit != NULL) {
        host_commit_stop(storage->commit);
        while (host_commit_poll(storage->commit, &write, &status))
            host_storage_push(storage, write, status, NULL);
        host_commit_close(storage->commit);
        storage->commit = NULL;
    }
    if (storage->pool != NULL) {
        host_pool_stop(storage->pool);
        while ((read = host_pool_poll(storage->pool)) != NULL)
            host_storage_push(storage, 0, STATUS_OK, read);
        host_pool_close(storage->pool);
        storage->pool = NULL;
    }
}

static struct host_storage_done *host_storage_pop(struct host_storage *storage)
{
    struct host_storage_done *done = storage->first;

    if (done == NULL)
        return NULL;
    storage->first = done->next;
    if (storage->first == NULL)
        storage->last = &storage->first;
    return done;
}

void host_storage_close(struct host_storage *storage)
{
    struct host_storage_done *done;

    if (storage == NULL)
        return;
    host_storage_stop_threads(storage);
    while ((done = host_storage_pop(storage)) != NULL) {
        if (done->read != NULL)
            host_read_delete(done->read);
        free(done);
    }
    host_rocks_close(storage->rocks);
    store_memory_delete(storage->memory);
    free(storage);
}

enum status host_storage_reopen(struct host_storage *storage, bool *is_recovering, char *detail)
{
    enum status status;

    *is_recovering = false;
    detail[0] = 0;
    if (storage->memory != NULL)
        return STATUS_OK;
    host_storage_stop_threads(storage);
    status = host_rocks_reopen(storage->rocks, is_recovering, detail);
    if (status != STATUS_OK)
        return status;
    status = host_storage_start_threads(storage);
    if (status != STATUS_OK)
        snprintf(detail, HOST_DETAIL_SIZE, "cannot start the threads of the store");
    return status;
}

struct store host_storage_ports(struct host_storage *storage)
{
    return storage->store;
}

/* --- work */

void host_storage_write(struct host_storage *storage, uint64_t write, const struct store_row *rows,
                        uint32_t count)
{
    enum status status = STATUS_UNKNOWN_OUTCOME;

    if (storage->commit != NULL) {
        host_commit_write(storage->commit, write, rows, count);
        return;
    }
    if (storage->memory != NULL)
        status = storage->store.apply(storage->store.context, rows, count);
    host_storage_push(storage, write, status, NULL);
}

void host_storage_read(struct host_storage *storage, uint64_t read, bool is_point,
                       const struct store_range *range)
{
    struct host_read *found;

    if (storage->pool != NULL) {
        host_pool_read(storage->pool, read, is_point, range);
        return;
    }
    found = host_read_new(read, is_point, range);
    if (storage->memory != NULL)
        host_read_run(found, &storage->store);
    host_storage_push(storage, 0, STATUS_OK, found);
}

bool host_storage_flush(struct host_storage *storage)
{
    if (storage->commit != NULL)
        host_commit_flush(storage->commit);
    if (storage->pool != NULL)
        host_pool_flush(storage->pool);
    return storage->first != NULL;
}

static void host_storage_stored(uint64_t write, enum status status, host_storage_visit *visit,
                                void *context)
{
    struct event event = {.kind = EVENT_STORED};

    event.stored.write = write;
    event.stored.status = status;
    visit(context, &event);
}

static void host_storage_loaded(struct host_read *read, host_storage_visit *visit, void *context)
{
    struct event event = {.kind = EVENT_LOADED};

    event.loaded.read = read->read;
    event.loaded.status = read->status;
    event.loaded.rows = read->rows;
    event.loaded.count = read->count;
    visit(context, &event);
    host_read_delete(read);
}

static bool host_storage_poll_one(struct host_storage *storage, host_storage_visit *visit,
                                  void *context)
{
    struct host_storage_done *done = host_storage_pop(storage);
    struct host_read *read = NULL;
    enum status status;
    uint64_t write;

    if (done != NULL) {
        read = done->read;
        write = done->write;
        status = done->status;
        free(done);
    } else if (storage->commit == NULL || !host_commit_poll(storage->commit, &write, &status)) {
        read = storage->pool == NULL ? NULL : host_pool_poll(storage->pool);
        if (read == NULL)
            return false;
    }
    if (read != NULL)
        host_storage_loaded(read, visit, context);
    else
        host_storage_stored(write, status, visit, context);
    return true;
}

uint32_t host_storage_poll(struct host_storage *storage, uint32_t max, host_storage_visit *visit,
                           void *context)
{
    uint32_t count = 0;

    while (count < max && host_storage_poll_one(storage, visit, context))
        count++;
    return count;
}

void host_storage_settle(struct host_storage *storage, bool is_sound)
{
    if (storage->rocks != NULL)
        host_rocks_settle(storage->rocks, is_sound);
}
