/* host_rocks.c: five functions over RocksDB, and the two-step open (security.md S2):
 *
 *   absolute consistency --refused--> point in time --refused--> set aside, start empty
 *            |                              |                            |
 *     mark agrees?                     in recovery                  in recovery
 *       yes: healthy    no: in recovery
 *
 * Point in time alone opened a damaged log without a word and without half of its rows (measured);
 * absolute consistency alone refuses after an ordinary power cut. Every batch carries the seal row,
 * which counts batches; the file `mark` remembers the count in a second place. */
#include "host_rocks.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"
#include "host_mark.h"
#include "host_rocks_error.h"
#include "host_rocks_options.h"

#define FAMILY_DEFAULT STORE_FAMILY_COUNT /* the library's own; it holds the seal row alone */
#define FAMILIES (STORE_FAMILY_COUNT + 1)
#define SEAL_KEY "seal"
#define SEAL_SIZE 8u    /* bytes: number of the batch */
#define ASIDE_MAX 10000 /* names tried for a store set aside; no reason but a bound */
#define ROCKS_MAGIC 0x726f636bu

static const char *const host_rocks_families[FAMILIES] = {
    [STORE_OBJ] = "obj",   [STORE_ELEM] = "elem",     [STORE_IDX] = "idx",
    [STORE_HINT] = "hint", [STORE_DUE] = "due",       [STORE_TRIE] = "trie",
    [STORE_SYS] = "sys",   [STORE_STRONG] = "strong", [FAMILY_DEFAULT] = "default",
};

struct host_rocks {
    uint32_t magic;
    rocksdb_t *db;                                      /* owned; NULL after a failed reopening */
    rocksdb_column_family_handle_t *families[FAMILIES]; /* owned with db */
    struct host_rocks_settings settings;
    struct host_rocks_options options;
    char directory[HOST_PATH_SIZE]; /* the data directory */
    char database[HOST_PATH_SIZE];  /* its db */
    struct host_mark mark;          /* as of the last commit */
    uint64_t mark_written_ms;       /* monotonic time of the last replacement */
    atomic_bool is_recovering;      /* goes into the mark */
    atomic_bool is_failed;          /* a write failed: nothing is written until reopened */
};

/* Takes over an error text of the library. */
static enum status host_rocks_take_error(char *error)
{
    enum status status = host_rocks_error(error);

    rocksdb_free(error);
    return status;
}

static uint64_t host_rocks_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- reading */

static enum status host_rocks_get_by(struct host_rocks *rocks, rocksdb_readoptions_t *options,
                                     const struct store_row *row, struct store_pin *pin)
{
    char *error = NULL;
    rocksdb_pinnableslice_t *found;
    enum status status;

    if (rocks->db == NULL)
        return STATUS_IO;
    found = rocksdb_get_pinned_cf(rocks->db, options, rocks->families[row->family],
                                  (const char *)row->key.data, row->key.size, &error);
    if (error != NULL) {
        status = host_rocks_take_error(error);
        return status == STATUS_COLD || status == STATUS_CORRUPT ? status : STATUS_IO;
    }
    if (found == NULL)
        return STATUS_MISSING;
    pin->handle = found;
    pin->value.data = (const uint8_t *)rocksdb_pinnableslice_value(found, &pin->value.size);
    return STATUS_OK;
}

static enum status host_rocks_get_cached(void *context, enum store_family family, struct slice key,
                                         struct store_pin *pin)
{
    struct host_rocks *rocks = context;
    struct store_row row = {.family = family, .key = key};

    return host_rocks_get_by(rocks, rocks->settings.read_cached, &row, pin);
}

static enum status host_rocks_get_blocking(void *context, enum store_family family,
                                           struct slice key, struct store_pin *pin)
{
    struct host_rocks *rocks = context;
    struct store_row row = {.family = family, .key = key};

    return host_rocks_get_by(rocks, rocks->settings.read_blocking, &row, pin);
}

static void host_rocks_release(void *context, struct store_pin *pin)
{
    (void)context;
    if (pin->handle != NULL)
        rocksdb_pinnableslice_destroy(pin->handle);
    *pin = (struct store_pin){.handle = NULL};
}

static enum status host_rocks_walk(rocksdb_iterator_t *at, const struct store_range *range,
                                   store_visit *visit, void *visit_context)
{
    uint64_t bytes = 0;

    for (uint32_t rows = 0;; rows++, rocksdb_iter_next(at)) {
        struct store_row row = {.family = range->family};
        char *error = NULL;
        uint64_t size;

        if (!rocksdb_iter_valid(at)) {
            rocksdb_iter_get_error(at, &error);
            if (error == NULL)
                return STATUS_END;
            return host_rocks_take_error(error) == STATUS_CORRUPT ? STATUS_CORRUPT : STATUS_IO;
        }
        row.key.data = (const uint8_t *)rocksdb_iter_key(at, &row.key.size);
        if (!range->is_keys_only)
            row.value.data = (const uint8_t *)rocksdb_iter_value(at, &row.value.size);
        size = row.key.size + row.value.size;
        if (rows == range->rows_max || (rows > 0 && bytes + size > range->bytes_max))
            return STATUS_OK;
        bytes += size;
        if (!visit(visit_context, &row))
            return STATUS_OK;
    }
}

static enum status host_rocks_scan(void *context, const struct store_range *range,
                                   store_visit *visit, void *visit_context)
{
    struct host_rocks *rocks = context;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *at;
    enum status status;

    if (rocks->db == NULL)
        return STATUS_IO;
    options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(options, 1);
    if (range->until.size > 0)
        rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)range->until.data,
                                                    range->until.size);
    at = rocksdb_create_iterator_cf(rocks->db, options, rocks->families[range->family]);
    rocksdb_iter_seek(at, (const char *)range->from.data, range->from.size);
    status = host_rocks_walk(at, range, visit, visit_context);
    rocksdb_iter_destroy(at);
    rocksdb_readoptions_destroy(options);
    return status;
}

/* --- writing */

static rocksdb_writebatch_t *host_rocks_batch(struct host_rocks *rocks,
                                              const struct store_row *rows, uint32_t count)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    uint8_t seal[SEAL_SIZE];

    for (uint32_t i = 0; i < count; i++) {
        rocksdb_column_family_handle_t *family = rocks->families[rows[i].family];
        const char *key = (const char *)rows[i].key.data;

        if (rows[i].is_delete)
            rocksdb_writebatch_delete_cf(batch, family, key, rows[i].key.size);
        else
            rocksdb_writebatch_put_cf(batch, family, key, rows[i].key.size,
                                      (const char *)rows[i].value.data, rows[i].value.size);
    }
    bytes_store_u64(seal, rocks->mark.commit + 1);
    rocksdb_writebatch_put_cf(batch, rocks->families[FAMILY_DEFAULT], SEAL_KEY, sizeof SEAL_KEY - 1,
                              (const char *)seal, sizeof seal);
    return batch;
}

/* A mark that cannot be written is only older than it could be: that is no failure of a commit. */
static void host_rocks_mark(struct host_rocks *rocks, bool is_now)
{
    uint64_t now = host_rocks_now_ms();

    if (!is_now && now - rocks->mark_written_ms < rocks->options.mark_interval_ms)
        return;
    rocks->mark_written_ms = now;
    rocks->mark.is_recovering = atomic_load(&rocks->is_recovering);
    host_mark_look(rocks->database, &rocks->mark);
    if (host_mark_write(rocks->directory, &rocks->mark) != STATUS_OK)
        return; /* nothing to do about it */
}

static enum status host_rocks_apply(void *context, const struct store_row *rows, uint32_t count)
{
    struct host_rocks *rocks = context;
    rocksdb_writebatch_t *batch;
    char *error = NULL;

    if (rocks->db == NULL || atomic_load(&rocks->is_failed))
        return STATUS_UNKNOWN_OUTCOME;
    batch = host_rocks_batch(rocks, rows, count);
    rocksdb_write(rocks->db, rocks->settings.write, batch, &error);
    rocksdb_writebatch_destroy(batch);
    if (error != NULL) {
        /* Measured: a batch whose sync failed was there after reopening. So nobody knows. */
        rocksdb_free(error);
        atomic_store(&rocks->is_failed, true);
        return STATUS_UNKNOWN_OUTCOME;
    }
    rocks->mark.commit++;
    host_rocks_mark(rocks, false);
    return STATUS_OK;
}

static enum status host_rocks_checkpoint(void *context, const char *directory)
{
    struct host_rocks *rocks = context;
    rocksdb_checkpoint_t *checkpoint;
    char *error = NULL;

    if (rocks->db == NULL)
        return STATUS_IO;
    checkpoint = rocksdb_checkpoint_object_create(rocks->db, &error);
    if (error == NULL) {
        rocksdb_checkpoint_create(checkpoint, directory, 0, &error);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    if (error == NULL)
        return chmod(directory, S_IRWXU) == 0 ? STATUS_OK : STATUS_IO;
    rocksdb_free(error);
    return STATUS_IO;
}

/* --- opening */

static bool host_rocks_has_files(const char *directory)
{
    DIR *entries = opendir(directory);
    unsigned count = 0;

    if (entries == NULL)
        return false;
    while (count < 3 && readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count == 3; /* more than . and .. */
}

/* Tries one step. CORRUPT and IO mean that the next step may be tried. */
static enum status host_rocks_try(struct host_rocks *rocks, enum host_rocks_mode mode, char *detail)
{
    const rocksdb_options_t *options[FAMILIES];
    bool is_new = !host_rocks_has_files(rocks->database);
    char *error = NULL;
    enum status status;

    if (mkdir(rocks->database, S_IRWXU) != 0 && errno != EEXIST) {
        status = host_file_status(errno);
        snprintf(detail, HOST_DETAIL_SIZE, "cannot create %.500s: %s", rocks->database,
                 status_text(status));
        return status == STATUS_IO || status == STATUS_MISSING ? STATUS_PERMISSION : status;
    }
    host_rocks_settings_mode(&rocks->settings, mode, is_new);
    for (unsigned i = 0; i < FAMILIES; i++)
        options[i] = i == STORE_OBJ ? rocks->settings.objects : rocks->settings.plain;
    rocks->db = rocksdb_open_column_families(rocks->settings.plain, rocks->database, FAMILIES,
                                             host_rocks_families, options, rocks->families, &error);
    if (error == NULL)
        return STATUS_OK;
    rocks->db = NULL;
    snprintf(detail, HOST_DETAIL_SIZE, "%.900s", error);
    return host_rocks_take_error(error);
}

static bool host_rocks_is_damage(enum status status)
{
    return status == STATUS_CORRUPT || status == STATUS_IO;
}

/* Moves the store to db.corrupt-1, -2, ...: nothing is thrown away that an operator could want. */
static enum status host_rocks_set_aside(struct host_rocks *rocks, char *detail)
{
    char aside[HOST_PATH_SIZE + 32], reason[300];
    struct stat info;

    snprintf(reason, sizeof reason, "%.299s", detail);
    for (unsigned i = 1; i < ASIDE_MAX; i++) {
        snprintf(aside, sizeof aside, "%s.corrupt-%u", rocks->database, i);
        if (lstat(aside, &info) == 0)
            continue;
        if (rename(rocks->database, aside) != 0)
            break;
        snprintf(detail, HOST_DETAIL_SIZE,
                 "the store was damaged and is kept as %.500s; starting empty (%s)", aside, reason);
        return host_file_sync_directory(rocks->directory);
    }
    snprintf(detail, HOST_DETAIL_SIZE, "cannot set %.500s aside (%s)", rocks->database, reason);
    return STATUS_CORRUPT;
}

static enum status host_rocks_steps(struct host_rocks *rocks, bool *is_recovering, char *detail)
{
    enum status status = host_rocks_try(rocks, HOST_ROCKS_ABSOLUTE, detail);

    if (!host_rocks_is_damage(status))
        return status;
    *is_recovering = true;
    status = host_rocks_try(rocks, HOST_ROCKS_POINT_IN_TIME, detail);
    if (!host_rocks_is_damage(status))
        return status;
    if (!rocks->options.may_refill)
        return STATUS_CORRUPT;
    status = host_rocks_set_aside(rocks, detail);
    if (status != STATUS_OK)
        return status;
    {
        char ignored[HOST_DETAIL_SIZE];

        status = host_rocks_try(rocks, HOST_ROCKS_ABSOLUTE, ignored);
        if (status != STATUS_OK)
            memcpy(detail, ignored, sizeof ignored);
    }
    return status;
}

/* Reads the number of the last batch from the seal row. MISSING in a new store. */
static enum status host_rocks_read_seal(struct host_rocks *rocks, uint64_t *commit)
{
    struct store_row row = {.family = FAMILY_DEFAULT, .key = slice_text(SEAL_KEY)};
    struct store_pin pin = {.handle = NULL};
    enum status status;

    *commit = 0;
    status = host_rocks_get_by(rocks, rocks->settings.read_blocking, &row, &pin);
    if (status != STATUS_OK)
        return status;
    if (pin.value.size == SEAL_SIZE)
        *commit = bytes_load_u64(pin.value.data);
    else
        status = STATUS_CORRUPT;
    host_rocks_release(rocks, &pin);
    return status;
}

/* Compares what was opened with what the mark remembers. `found` holds the manifest as it was
 * before the opening, which starts a new one. */
static bool host_rocks_is_behind(struct host_rocks *rocks, struct host_mark *found, bool had_files)
{
    struct host_mark mark;
    enum status has_mark = host_mark_read(rocks->directory, &mark);
    enum status has_seal = host_rocks_read_seal(rocks, &found->commit);

    found->is_recovering = mark.is_recovering;
    if (has_mark == STATUS_MISSING)
        return had_files || has_seal == STATUS_CORRUPT;
    if (has_mark != STATUS_OK || (has_seal != STATUS_OK && has_seal != STATUS_MISSING))
        return true;
    return mark.is_recovering || host_mark_is_ahead(&mark, found);
}

static enum status host_rocks_start(struct host_rocks *rocks, bool *is_recovering, char *detail)
{
    bool had_files = host_rocks_has_files(rocks->database);
    struct host_mark found = {.commit = 0};
    enum status status;

    detail[0] = 0;
    *is_recovering = false;
    host_mark_look(rocks->database, &found);
    status = host_rocks_steps(rocks, is_recovering, detail);
    if (status != STATUS_OK)
        return status;
    if (host_rocks_is_behind(rocks, &found, had_files)) {
        if (!*is_recovering)
            snprintf(detail, HOST_DETAIL_SIZE,
                     "the store in %.500s is behind its mark: rows may be missing",
                     rocks->database);
        *is_recovering = true;
    }
    rocks->mark.commit = found.commit;
    atomic_store(&rocks->is_recovering, *is_recovering);
    atomic_store(&rocks->is_failed, false);
    host_rocks_mark(rocks, true);
    return STATUS_OK;
}

/* --- life */

static void host_rocks_shut(struct host_rocks *rocks)
{
    if (rocks->db == NULL)
        return;
    for (unsigned i = 0; i < FAMILIES; i++)
        rocksdb_column_family_handle_destroy(rocks->families[i]);
    rocksdb_close(rocks->db);
    rocks->db = NULL;
}

enum status host_rocks_open(struct host_rocks **rocks, const char *directory,
                            const struct host_rocks_options *options, bool *is_recovering,
                            char *detail)
{
    struct host_rocks *new = calloc(1, sizeof *new);
    enum status status;

    *rocks = NULL;
    *is_recovering = false;
    snprintf(detail, HOST_DETAIL_SIZE, "out of memory");
    if (new == NULL)
        return STATUS_MEMORY;
    new->magic = ROCKS_MAGIC;
    new->options = *options;
    snprintf(new->directory, sizeof new->directory, "%s", directory);
    snprintf(detail, HOST_DETAIL_SIZE, "the installed RocksDB lacks a setting");
    status = host_rocks_settings_init(&new->settings, options->cache_size, options->is_compressed);
    if (status == STATUS_OK && host_file_path(new->database, directory, "db") == NULL)
        status = STATUS_IO;
    if (status == STATUS_OK)
        status = host_rocks_start(new, is_recovering, detail);
    if (status == STATUS_OK) {
        *rocks = new;
        return STATUS_OK;
    }
    host_rocks_settings_close(&new->settings);
    free(new);
    return status;
}

enum status host_rocks_reopen(struct host_rocks *rocks, bool *is_recovering, char *detail)
{
    ensure(rocks->magic == ROCKS_MAGIC);
    host_rocks_shut(rocks);
    return host_rocks_start(rocks, is_recovering, detail);
}

void host_rocks_close(struct host_rocks *rocks)
{
    if (rocks == NULL)
        return;
    ensure(rocks->magic == ROCKS_MAGIC);
    if (rocks->db != NULL && !atomic_load(&rocks->is_failed))
        host_rocks_mark(rocks, true);
    host_rocks_shut(rocks);
    host_rocks_settings_close(&rocks->settings);
    rocks->magic = 0;
    free(rocks);
}

void host_rocks_settle(struct host_rocks *rocks)
{
    atomic_store(&rocks->is_recovering, false);
}

struct store host_rocks_ports(struct host_rocks *rocks)
{
    return (struct store){
        .get = host_rocks_get_cached,
        .release = host_rocks_release,
        .apply = host_rocks_apply,
        .scan = host_rocks_scan,
        .checkpoint = host_rocks_checkpoint,
        .context = rocks,
    };
}

struct store host_rocks_ports_blocking(struct host_rocks *rocks)
{
    struct store store = host_rocks_ports(rocks);

    store.get = host_rocks_get_blocking;
    return store;
}
