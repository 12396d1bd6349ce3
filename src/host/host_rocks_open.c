/* host_rocks_open.c: the two-step open (security.md S2):
 *
 *   absolute consistency --refused--> point in time --refused--> set aside, start empty
 *            |                              |                            |
 *     mark agrees?                     in recovery                  in recovery
 *       yes: healthy    no: in recovery
 *
 * Point in time alone opened a damaged log without a word and without half of its rows (measured);
 * absolute consistency alone refuses after an ordinary power cut. */
#include "host_rocks_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "ensure.h"

#define ASIDE_SIZE (HOST_PATH_SIZE + 32)
#define ASIDE_MAX 10000 /* names tried for a store set aside; no reason but a bound */
#define ROCKS_MAGIC 0x726f636bu

const char *const host_rocks_families[FAMILIES] = {
    [STORE_OBJ] = "obj",   [STORE_ELEM] = "elem",     [STORE_IDX] = "idx",
    [STORE_HINT] = "hint", [STORE_DUE] = "due",       [STORE_TRIE] = "trie",
    [STORE_SYS] = "sys",   [STORE_STRONG] = "strong", [FAMILY_DEFAULT] = "default",
};

/* --- the mark */

static uint64_t host_rocks_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A mark that cannot be written is only older than it could be: that is no failure of a commit. */
void host_rocks_mark(struct host_rocks *rocks, bool is_now)
{
    uint64_t now = host_rocks_now_ms();

    is_now |= atomic_exchange(&rocks->is_mark_due, false);
    if (!is_now && now - rocks->mark_written_ms < rocks->options.mark_interval_ms)
        return;
    rocks->mark_written_ms = now;
    rocks->mark.is_recovering = atomic_load(&rocks->is_recovering);
    host_mark_look(rocks->database, &rocks->mark);
    if (host_mark_write(rocks->directory, &rocks->mark) != STATUS_OK)
        return; /* nothing to do about it */
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

/* Tries one step. CORRUPT means that the next step may be tried. */
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

/* A disk that fails is none to write a new store to, and what it holds may still be good. */
static bool host_rocks_is_damage(enum status status)
{
    return status == STATUS_CORRUPT;
}

/* Moves the store to db.corrupt-1, -2, ...: nothing is thrown away that an operator could want. */
static enum status host_rocks_set_aside(struct host_rocks *rocks, char *aside, char *detail)
{
    char reason[300];
    struct stat info;

    snprintf(reason, sizeof reason, "%.299s", detail);
    for (unsigned i = 1; i < ASIDE_MAX; i++) {
        snprintf(aside, ASIDE_SIZE, "%s.corrupt-%u", rocks->database, i);
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
    char aside[ASIDE_SIZE];
    enum status status = host_rocks_try(rocks, HOST_ROCKS_ABSOLUTE, detail);

    if (!host_rocks_is_damage(status))
        return status;
    *is_recovering = true;
    status = host_rocks_try(rocks, HOST_ROCKS_POINT_IN_TIME, detail);
    if (!host_rocks_is_damage(status))
        return status;
    if (!rocks->options.may_refill)
        return STATUS_CORRUPT;
    status = host_rocks_set_aside(rocks, aside, detail);
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

/* Reads the number of the last batch from the seal row. MISSING in a new store; UNSUPPORTED: its
 * rows are spelled in another format (the first one had none in its seal). */
static enum status host_rocks_read_seal(struct host_rocks *rocks, uint64_t *commit)
{
    struct store_row row = {.family = FAMILY_DEFAULT, .key = slice_text(SEAL_KEY)};
    struct store_pin pin = {.handle = NULL};
    enum status status;

    *commit = 0;
    status = host_rocks_get_by(rocks, rocks->settings.read_blocking, &row, &pin);
    if (status != STATUS_OK)
        return status;
    if (pin.value.size == SEAL_SIZE && pin.value.data[SEAL_SIZE - 1] == STORE_FORMAT)
        *commit = bytes_load_u64(pin.value.data);
    else
        status = pin.value.size == SEAL_SIZE || pin.value.size + 1 == SEAL_SIZE ? STATUS_UNSUPPORTED
                                                                                : STATUS_CORRUPT;
    host_rocks_release(rocks, &pin);
    return status;
}

/* Compares what was opened with what the mark remembers. `found` holds the manifest as it was
 * before the opening, which starts a new one. */
static bool host_rocks_is_behind(struct host_rocks *rocks, struct host_mark *found, bool had_files,
                                 enum status has_seal)
{
    struct host_mark mark;
    enum status has_mark = host_mark_read(rocks->directory, &mark);

    found->is_recovering = mark.is_recovering;
    if (has_mark == STATUS_MISSING)
        return had_files || has_seal == STATUS_CORRUPT;
    if (has_mark != STATUS_OK || (has_seal != STATUS_OK && has_seal != STATUS_MISSING))
        return true;
    return mark.is_recovering || host_mark_is_ahead(&mark, found);
}

/* A store that opens but has a hole: what can be read goes into a new one. */
static enum status host_rocks_rebuild(struct host_rocks *rocks, char *detail)
{
    char aside[ASIDE_SIZE];
    enum status status;

    snprintf(detail, HOST_DETAIL_SIZE, "a block cannot be read");
    if (!rocks->options.may_refill)
        return STATUS_CORRUPT;
    status = host_rocks_set_aside(rocks, aside, detail);
    if (status == STATUS_OK)
        status = host_rocks_try(rocks, HOST_ROCKS_ABSOLUTE, detail);
    if (status == STATUS_OK)
        status = host_rocks_salvage(rocks, aside, detail);
    return status;
}

static void host_rocks_shut(struct host_rocks *rocks)
{
    if (rocks->db == NULL)
        return;
    for (unsigned i = 0; i < FAMILIES; i++)
        rocksdb_column_family_handle_destroy(rocks->families[i]);
    rocksdb_close(rocks->db);
    rocks->db = NULL;
}

static enum status host_rocks_start(struct host_rocks *rocks, bool *is_recovering, char *detail)
{
    bool had_files = host_rocks_has_files(rocks->database);
    struct host_mark found = {.commit = 0};
    enum status status, has_seal;

    detail[0] = 0;
    *is_recovering = false;
    host_mark_look(rocks->database, &found);
    *is_recovering = atomic_exchange(&rocks->is_damaged, false);
    if (*is_recovering)
        status = host_rocks_rebuild(rocks, detail);
    else
        status = host_rocks_steps(rocks, is_recovering, detail);
    if (status != STATUS_OK)
        return status;
    has_seal = host_rocks_read_seal(rocks, &found.commit);
    if (has_seal == STATUS_UNSUPPORTED) {
        host_rocks_shut(rocks);
        snprintf(
            detail, HOST_DETAIL_SIZE,
            "%.500s was written in another format than %d; start the version of gossamerd that "
            "wrote it, or with a directory that holds only identity.key: the others then "
            "refill this peer",
            rocks->database, STORE_FORMAT);
        return STATUS_UNSUPPORTED;
    }
    if (host_rocks_is_behind(rocks, &found, had_files, has_seal)) {
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

void host_rocks_settle(struct host_rocks *rocks, bool is_sound)
{
    atomic_store(&rocks->is_recovering, !is_sound);
    atomic_store(&rocks->is_mark_due, true);
}
