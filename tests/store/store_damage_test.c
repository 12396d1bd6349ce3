/* store_damage_test.c: a closed store is copied, one of its files is damaged, and the copy is
 * opened. Whatever happens: no wrong value, and no row missing while the store calls itself
 * healthy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bytes.h"
#include "ensure.h"
#include "host_rocks.h"
#include "prng.h"
#include "scratch.h"
#include "store.h"

#define CASES 100u
#define ROWS                                                                                       \
    1200u /* over SESSIONS openings: each replays the log of the one before into a file            \
           */
#define SESSIONS 4u
#define FILES_MAX 64u
#define VALUE_MAX 20000u

static const struct host_rocks_options options = {
    .cache_size = 8u << 20, .is_compressed = true, .may_refill = true, .mark_interval_ms = 1000};

enum damage { DAMAGE_FLIP, DAMAGE_TRUNCATE, DAMAGE_REMOVE, DAMAGE_KINDS };
static const char *const damages[DAMAGE_KINDS] = {"flip", "truncate", "remove"};

/* What became of the cases. */
struct tally {
    unsigned healthy, recovering, corrupt_rows;
};

static struct slice row_key(unsigned number, uint8_t room[STORE_KEY_SIZE_MAX])
{
    char name[16];

    snprintf(name, sizeof name, "%u", number);
    return store_key_obj(number * 0x9e3779b97f4a7c15u, slice_text("ns"), slice_text(name), room);
}

/* The value of a row follows from its number: repetitive, so that blocks hold many rows. */
static struct slice row_value(unsigned number, uint8_t room[VALUE_MAX])
{
    struct prng prng;
    size_t size;

    prng_init(&prng, number);
    size = number % 40 == 0 ? 17000 : prng_between(&prng, 1, 900);
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)prng_below(&prng, 4);
    return slice_of(room, size);
}

static struct host_rocks *open_store(const char *directory, bool *is_recovering)
{
    char detail[HOST_DETAIL_SIZE];
    struct host_rocks *rocks;
    enum status status = host_rocks_open(&rocks, directory, &options, is_recovering, detail);

    if (status != STATUS_OK)
        print_message("%s: %s\n", status_text(status), detail);
    assert_int_equal(status, STATUS_OK); /* with may_refill nothing damaged stops a peer */
    return rocks;
}

#define ROWS_PER_BATCH 10u

static void put_rows(const struct store *store, unsigned first, unsigned step)
{
    uint8_t key_rooms[ROWS_PER_BATCH][STORE_KEY_SIZE_MAX], value_room[VALUE_MAX];
    struct blob *records[ROWS_PER_BATCH];
    struct store_row rows[ROWS_PER_BATCH];

    for (unsigned i = 0; i < ROWS_PER_BATCH; i++) {
        unsigned number = first + i * step;

        rows[i] = (struct store_row){.family = STORE_OBJ, .key = row_key(number, key_rooms[i])};
        records[i] = store_record_write(STORE_OBJ, rows[i].key, row_value(number, value_room));
        rows[i].value = blob_slice(records[i]);
    }
    assert_int_equal(store->apply(store->context, rows, ROWS_PER_BATCH), STATUS_OK);
    for (unsigned i = 0; i < ROWS_PER_BATCH; i++)
        blob_drop(&records[i]);
}

static void make_store(const char *directory)
{
    for (unsigned session = 0; session < SESSIONS; session++) {
        bool is_recovering;
        struct host_rocks *rocks = open_store(directory, &is_recovering);
        struct store store = host_rocks_ports(rocks);

        assert_false(is_recovering);
        for (unsigned i = session; i < ROWS; i += SESSIONS * ROWS_PER_BATCH)
            put_rows(&store, i, SESSIONS);
        host_rocks_close(rocks);
    }
}

/* Lists the files that matter: not the locks and not the log for people. */
static unsigned list_files(const char *directory, char names[FILES_MAX][SCRATCH_SIZE])
{
    char path[256];
    DIR *entries;
    struct dirent *entry;
    unsigned count = 0;

    snprintf(path, sizeof path, "%s/db", directory);
    entries = opendir(path);
    ensure(entries != NULL);
    while ((entry = readdir(entries)) != NULL && count < FILES_MAX - 1) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "LO", 2) == 0)
            continue;
        snprintf(names[count++], SCRATCH_SIZE, "db/%.60s", entry->d_name);
    }
    closedir(entries);
    qsort(names, count, SCRATCH_SIZE, (int (*)(const void *, const void *))strcmp);
    snprintf(names[count++], SCRATCH_SIZE, "mark");
    return count;
}

static void flip_bits(const char *path, uint64_t size, struct prng *prng)
{
    int fd = open(path, O_RDWR);

    ensure(fd >= 0);
    for (uint64_t left = prng_between(prng, 1, 8); left > 0; left--) {
        off_t at = (off_t)prng_below(prng, size);
        uint8_t byte;

        ensure(pread(fd, &byte, 1, at) == 1);
        byte ^= (uint8_t)(1u << prng_below(prng, 8));
        ensure(pwrite(fd, &byte, 1, at) == 1);
    }
    close(fd);
}

static void damage_file(const char *path, enum damage damage, struct prng *prng)
{
    struct stat info;

    ensure(stat(path, &info) == 0);
    if (damage == DAMAGE_REMOVE || info.st_size == 0)
        ensure(unlink(path) == 0);
    else if (damage == DAMAGE_TRUNCATE)
        ensure(truncate(path, (off_t)prng_below(prng, (uint64_t)info.st_size)) == 0);
    else
        flip_bits(path, (uint64_t)info.st_size, prng);
}

/* Reads one row: returns whether it is missing, counts it when the damage was found, fails the test
 * when it is wrong. */
static bool is_missing(const struct store *store, unsigned number, struct tally *tally)
{
    uint8_t key_room[STORE_KEY_SIZE_MAX], value_room[VALUE_MAX];
    struct slice key = row_key(number, key_room), body;
    struct store_pin pin = {.handle = NULL};
    enum status status = store->get(store->context, STORE_OBJ, key, &pin);

    if (status == STATUS_MISSING)
        return true;
    if (status != STATUS_OK) {
        assert_true(status == STATUS_CORRUPT || status == STATUS_IO);
        tally->corrupt_rows++;
        return false;
    }
    if (store_record_open(STORE_OBJ, key, pin.value, &body) == STATUS_OK)
        assert_true(slice_equal(body, row_value(number, value_room)));
    else
        tally->corrupt_rows++;
    store->release(store->context, &pin);
    return false;
}

static bool count_row(void *context, const struct store_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return true;
}

static void check_store(const char *directory, const char *what, struct tally *tally)
{
    bool is_recovering;
    struct host_rocks *rocks = open_store(directory, &is_recovering);
    struct store store = host_rocks_ports_blocking(rocks);
    struct store_range all = {.family = STORE_OBJ, .rows_max = ROWS + 1, .bytes_max = UINT32_MAX};
    unsigned missing = 0, scanned = 0;
    enum status status = store.scan(store.context, &all, count_row, &scanned);

    for (unsigned i = 0; i < ROWS; i++)
        missing += is_missing(&store, i, tally);
    if (!is_recovering && (missing > 0 || (status == STATUS_END && scanned < ROWS)))
        print_message("%s: healthy, but %u rows are missing, %u of %u scanned\n", what, missing,
                      scanned, ROWS);
    assert_true(is_recovering || missing == 0);
    assert_true(is_recovering || status != STATUS_END || scanned == ROWS);
    tally->healthy += !is_recovering;
    tally->recovering += is_recovering;
    host_rocks_close(rocks);
}

static void test_damage_is_never_silent(void **state)
{
    char original[SCRATCH_SIZE], names[FILES_MAX][SCRATCH_SIZE];
    struct tally tally = {0, 0, 0};
    struct prng prng;
    unsigned files;

    (void)state;
    prng_init(&prng, 2);
    scratch_make(original);
    make_store(original);
    files = list_files(original, names);
    assert_true(files >= 6); /* tables, log, MANIFEST, CURRENT, OPTIONS, mark */
    for (unsigned i = 0; i < CASES; i++) {
        char copy[SCRATCH_SIZE], path[2 * SCRATCH_SIZE + 1], what[2 * SCRATCH_SIZE];
        enum damage damage = (enum damage)(i % DAMAGE_KINDS);
        const char *name = names[i / DAMAGE_KINDS % files];

        scratch_make(copy);
        scratch_copy(original, copy);
        snprintf(path, sizeof path, "%s/%s", copy, name);
        snprintf(what, sizeof what, "case %u: %s %s", i, damages[damage], name);
        damage_file(path, damage, &prng);
        check_store(copy, what, &tally);
        scratch_remove(copy);
    }
    print_message("%u cases: %u healthy, %u in recovery, %u rows found damaged\n", CASES,
                  tally.healthy, tally.recovering, tally.corrupt_rows);
    assert_true(tally.recovering > 0 && tally.healthy > 0);
    scratch_remove(original);
}

static void test_an_undamaged_copy_is_healthy(void **state)
{
    char original[SCRATCH_SIZE], copy[SCRATCH_SIZE];
    struct tally tally = {0, 0, 0};

    (void)state;
    scratch_make(original);
    scratch_make(copy);
    make_store(original);
    scratch_copy(original, copy);
    check_store(copy, "undamaged", &tally);
    assert_int_equal(tally.healthy, 1);
    assert_int_equal(tally.corrupt_rows, 0);
    scratch_remove(original);
    scratch_remove(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_undamaged_copy_is_healthy),
        cmocka_unit_test(test_damage_is_never_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
