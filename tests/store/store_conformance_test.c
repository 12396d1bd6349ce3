/* store_conformance_test.c: RocksDB and the memory engine are one store with two bodies. Random
 * batches go to both; every read and every scan must agree, across reopenings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bytes.h"
#include "host_rocks.h"
#include "prng.h"
#include "scratch.h"
#include "store.h"

#define OPERATIONS 10000u
#define OPERATIONS_PER_OPENING 1000u
#define KEYS 400u /* few, so that rows are replaced and deleted often */
#define BATCH_MAX 8u
#define VALUE_MAX 40000u /* bytes; above 16 KiB values lie in blob files */

static const struct host_rocks_options options = {
    .cache_size = 8u << 20, .is_compressed = true, .may_refill = false, .mark_interval_ms = 1000};

struct pair {
    char directory[SCRATCH_SIZE];
    struct host_rocks *rocks;
    struct store_memory *memory;
    struct store one, other;
    struct prng prng;
    uint8_t *value; /* VALUE_MAX random bytes, values are cut from it */
};

static void pair_open(struct pair *pair)
{
    char detail[HOST_DETAIL_SIZE];
    bool is_recovering;
    enum status status =
        host_rocks_open(&pair->rocks, pair->directory, &options, &is_recovering, detail);

    if (status != STATUS_OK || is_recovering)
        print_message("%s: %s\n", status_text(status), detail);
    assert_int_equal(status, STATUS_OK);
    assert_false(is_recovering);
    pair->one = host_rocks_ports_blocking(pair->rocks);
}

static struct slice pair_key(struct pair *pair, uint8_t room[STORE_KEY_SIZE_MAX])
{
    uint64_t number = prng_below(&pair->prng, KEYS);
    char name[16];

    snprintf(name, sizeof name, "%u", (unsigned)number);
    return store_key_obj(number * 0x9e3779b97f4a7c15u, slice_text("ns"), slice_text(name), room);
}

static enum store_family pair_family(struct pair *pair)
{
    return (enum store_family)prng_below(&pair->prng, STORE_FAMILY_COUNT);
}

static void pair_write(struct pair *pair)
{
    uint8_t rooms[BATCH_MAX][STORE_KEY_SIZE_MAX];
    struct store_row rows[BATCH_MAX];
    uint32_t count = (uint32_t)prng_between(&pair->prng, 1, BATCH_MAX);

    for (uint32_t i = 0; i < count; i++) {
        size_t max = prng_chance(&pair->prng, 1, 50) ? VALUE_MAX : 300;

        rows[i] = (struct store_row){.family = pair_family(pair)};
        rows[i].key = pair_key(pair, rooms[i]);
        rows[i].is_delete = prng_chance(&pair->prng, 1, 4);
        if (!rows[i].is_delete)
            rows[i].value = slice_of(pair->value, prng_below(&pair->prng, max));
        pair->value[prng_below(&pair->prng, VALUE_MAX)]++;
    }
    assert_int_equal(pair->one.apply(pair->one.context, rows, count), STATUS_OK);
    assert_int_equal(pair->other.apply(pair->other.context, rows, count), STATUS_OK);
}

static void pair_read(struct pair *pair)
{
    uint8_t room[STORE_KEY_SIZE_MAX];
    enum store_family family = pair_family(pair);
    struct slice key = pair_key(pair, room);
    struct store_pin one = {.handle = NULL}, other = {.handle = NULL};
    enum status status = pair->one.get(pair->one.context, family, key, &one);

    assert_int_equal(status, pair->other.get(pair->other.context, family, key, &other));
    if (status != STATUS_OK)
        return;
    assert_true(slice_equal(one.value, other.value));
    pair->one.release(pair->one.context, &one);
    pair->other.release(pair->other.context, &other);
}

/* Everything a scan shows, as one number. */
struct sum {
    uint64_t value;
    uint32_t rows;
    uint32_t stop_after; /* 0: never */
};

static void sum_bytes(struct sum *sum, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        sum->value = (sum->value ^ bytes.data[i]) * 0x100000001b3u;
    sum->value = (sum->value ^ bytes.size) * 0x100000001b3u;
}

static bool sum_visit(void *context, const struct store_row *row)
{
    struct sum *sum = context;

    assert_false(row->is_delete);
    sum_bytes(sum, row->key);
    sum_bytes(sum, row->value);
    return ++sum->rows != sum->stop_after;
}

static void pair_scan(struct pair *pair, bool is_all)
{
    uint8_t from[STORE_KEY_SIZE_MAX], until[STORE_KEY_SIZE_MAX];
    struct store_range range = {.family = pair_family(pair), .rows_max = 1000};
    struct sum one = {0, 0, 0}, other = {0, 0, 0};
    enum status status;

    range.bytes_max = UINT32_MAX;
    if (!is_all) {
        range.from = pair_key(pair, from);
        if (prng_chance(&pair->prng, 1, 2))
            range.until = pair_key(pair, until);
        if (prng_chance(&pair->prng, 1, 2))
            range.rows_max = (uint32_t)prng_between(&pair->prng, 1, 100);
        if (prng_chance(&pair->prng, 1, 2))
            range.bytes_max = (uint32_t)prng_below(&pair->prng, 20000);
        one.stop_after = other.stop_after = (uint32_t)prng_below(&pair->prng, 50);
    }
    status = pair->one.scan(pair->one.context, &range, sum_visit, &one);
    assert_int_equal(status, pair->other.scan(pair->other.context, &range, sum_visit, &other));
    assert_int_equal(one.rows, other.rows);
    assert_true(one.value == other.value);
    assert_true(!is_all || status == STATUS_END);
}

static void pair_step(struct pair *pair)
{
    switch (prng_below(&pair->prng, 8)) {
    case 0:
        pair_scan(pair, false);
        break;
    case 1:
    case 2:
    case 3:
        pair_read(pair);
        break;
    default:
        pair_write(pair);
    }
}

static void test_rocks_is_memory(void **state)
{
    struct pair pair = {.memory = store_memory_new(UINT64_MAX), .value = calloc(1, VALUE_MAX)};

    (void)state;
    prng_init(&pair.prng, 9);
    scratch_make(pair.directory);
    pair.other = store_memory_ports(pair.memory);
    for (unsigned opening = 0; opening < OPERATIONS / OPERATIONS_PER_OPENING; opening++) {
        pair_open(&pair);
        for (unsigned i = 0; i < OPERATIONS_PER_OPENING; i++)
            pair_step(&pair);
        for (unsigned i = 0; i < 4 * STORE_FAMILY_COUNT; i++)
            pair_scan(&pair, true);
        host_rocks_close(pair.rocks);
    }
    assert_true(store_memory_rows(pair.memory) > KEYS);
    store_memory_delete(pair.memory);
    free(pair.value);
    scratch_remove(pair.directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rocks_is_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
