#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bytes.h"
#include "prng.h"
#include "store.h"

#define NO_BOUND UINT64_MAX

static struct store_row put_row(enum store_family family, const char *key, const char *value)
{
    return (struct store_row){
        .family = family, .is_delete = false, .key = slice_text(key), .value = slice_text(value)};
}

static struct store_row delete_row(enum store_family family, const char *key)
{
    return (struct store_row){
        .family = family, .is_delete = true, .key = slice_text(key), .value = SLICE_NONE};
}

static void expect(const struct store *store, enum store_family family, const char *key,
                   const char *value)
{
    struct store_pin pin = {SLICE_NONE, NULL};
    enum status status = store->get(store->context, family, slice_text(key), &pin);

    assert_int_equal(status, value == NULL ? STATUS_MISSING : STATUS_OK);
    if (value == NULL)
        return;
    assert_true(slice_equal(pin.value, slice_text(value)));
    store->release(store->context, &pin);
    assert_null(pin.handle);
}

static void test_put_get_delete(void **state)
{
    static const enum store_family families[] = {STORE_OBJ, STORE_IDX, STORE_SYS};
    struct store_memory *memory = store_memory_new(NO_BOUND);
    struct store store = store_memory_ports(memory);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct store_row rows[] = {put_row(families[i], "a", "one"), put_row(families[i], "b", "")};
        struct store_row gone = delete_row(families[i], "a");

        expect(&store, families[i], "a", NULL);
        assert_int_equal(store.apply(store.context, rows, 2), STATUS_OK);
        expect(&store, families[i], "a", "one");
        expect(&store, families[i], "b", "");
        assert_int_equal(store.apply(store.context, &gone, 1), STATUS_OK);
        assert_int_equal(store.apply(store.context, &gone, 1), STATUS_OK);
        expect(&store, families[i], "a", NULL);
        expect(&store, families[i], "b", "");
    }
    assert_int_equal(store_memory_rows(memory), 3);
    assert_int_equal(store_memory_bytes(memory), 3);
    assert_int_equal(store.checkpoint(store.context, "/nowhere"), STATUS_UNSUPPORTED);
    store_memory_delete(memory);
}

static void test_a_pin_outlives_its_row(void **state)
{
    struct store_memory *memory = store_memory_new(NO_BOUND);
    struct store store = store_memory_ports(memory);
    struct store_row rows[] = {put_row(STORE_OBJ, "12345678", "old"),
                               put_row(STORE_OBJ, "12345678", "new"),
                               delete_row(STORE_OBJ, "12345678")};
    struct store_pin pin;

    (void)state;
    assert_int_equal(store.apply(store.context, rows, 1), STATUS_OK);
    assert_int_equal(store.get(store.context, STORE_OBJ, slice_text("12345678"), &pin), STATUS_OK);
    assert_int_equal(store.apply(store.context, rows + 1, 2), STATUS_OK);
    expect(&store, STORE_OBJ, "12345678", NULL);
    assert_true(slice_equal(pin.value, slice_text("old")));
    store_memory_delete(memory);
    assert_true(slice_equal(pin.value, slice_text("old")));
    store.release(store.context, &pin);
}

/* Every kind of step, taken back in order, leaves what was there. */
static void test_all_or_nothing(void **state)
{
    struct store_memory *memory = store_memory_new(40);
    struct store store = store_memory_ports(memory);
    struct store_row first[] = {put_row(STORE_OBJ, "replaced", "old"),
                                put_row(STORE_OBJ, "deleted", "old")};
    struct store_row batch[] = {
        put_row(STORE_OBJ, "replaced", "new"),
        put_row(STORE_OBJ, "replaced", "newer"),
        delete_row(STORE_OBJ, "deleted"),
        put_row(STORE_OBJ, "deleted", "again"),
        delete_row(STORE_OBJ, "deleted"),
        put_row(STORE_IDX, "fresh", ""),
        delete_row(STORE_IDX, "fresh"),
        delete_row(STORE_SYS, "never"),
        put_row(STORE_SYS, "big", "a value that goes beyond the bound of the engine"),
    };

    (void)state;
    assert_int_equal(store.apply(store.context, first, 2), STATUS_OK);
    assert_int_equal(store.apply(store.context, batch, 9), STATUS_NO_SPACE);
    expect(&store, STORE_OBJ, "replaced", "old");
    expect(&store, STORE_OBJ, "deleted", "old");
    expect(&store, STORE_IDX, "fresh", NULL);
    expect(&store, STORE_SYS, "big", NULL);
    assert_int_equal(store_memory_rows(memory), 2);
    assert_int_equal(store_memory_bytes(memory), 21);
    assert_int_equal(store.apply(store.context, batch, 8), STATUS_OK);
    expect(&store, STORE_OBJ, "replaced", "newer");
    expect(&store, STORE_OBJ, "deleted", NULL);
    assert_int_equal(store_memory_bytes(memory), 13);
    store_memory_delete(memory);
}

static void test_a_full_engine_takes_deletes(void **state)
{
    struct store_memory *memory = store_memory_new(10);
    struct store store = store_memory_ports(memory);
    struct store_row full = put_row(STORE_SYS, "key", "1234567");
    struct store_row more = put_row(STORE_SYS, "k", "");
    struct store_row less = put_row(STORE_SYS, "key", "1");
    struct store_row gone = delete_row(STORE_SYS, "key");

    (void)state;
    assert_int_equal(store.apply(store.context, &full, 1), STATUS_OK);
    assert_int_equal(store.apply(store.context, &more, 1), STATUS_NO_SPACE);
    assert_int_equal(store.apply(store.context, &less, 1), STATUS_OK);
    assert_int_equal(store.apply(store.context, &more, 1), STATUS_OK);
    assert_int_equal(store.apply(store.context, &gone, 1), STATUS_OK);
    assert_int_equal(store_memory_bytes(memory), 1);
    store_memory_delete(memory);
}

struct seen {
    char text[128]; /* keys and values in the order they came */
    unsigned stop_after;
};

static bool see(void *context, const struct store_row *row)
{
    struct seen *seen = context;
    size_t used = strlen(seen->text);

    snprintf(seen->text + used, sizeof seen->text - used, "%.*s=%.*s ", (int)row->key.size,
             (const char *)row->key.data, (int)row->value.size, (const char *)row->value.data);
    return seen->stop_after == 0 || --seen->stop_after > 0;
}

static void scan_gives(const struct store *store, const struct store_range *range,
                       enum status status, const char *text)
{
    struct seen seen = {"", 0};

    assert_int_equal(store->scan(store->context, range, see, &seen), status);
    assert_string_equal(seen.text, text);
}

static void test_scan_ranges_and_bounds(void **state)
{
    struct store_memory *memory = store_memory_new(NO_BOUND);
    struct store store = store_memory_ports(memory);
    struct store_row rows[] = {put_row(STORE_IDX, "c", "3"), put_row(STORE_IDX, "a", "1"),
                               put_row(STORE_IDX, "b", "2"), put_row(STORE_IDX, "ab", "4"),
                               put_row(STORE_SYS, "b", "other")};
    struct store_range range = {.family = STORE_IDX, .rows_max = 100, .bytes_max = 100};
    struct seen seen = {"", 2};

    (void)state;
    assert_int_equal(store.apply(store.context, rows, 5), STATUS_OK);
    scan_gives(&store, &range, STATUS_END, "a=1 ab=4 b=2 c=3 ");
    assert_int_equal(store.scan(store.context, &range, see, &seen), STATUS_OK);
    assert_string_equal(seen.text, "a=1 ab=4 ");
    range.from = slice_text("ab");
    scan_gives(&store, &range, STATUS_END, "ab=4 b=2 c=3 ");
    range.until = slice_text("c");
    scan_gives(&store, &range, STATUS_END, "ab=4 b=2 ");
    range.from = slice_text("aa");
    range.rows_max = 1;
    scan_gives(&store, &range, STATUS_OK, "ab=4 ");
    range.rows_max = 2; /* exactly what there is */
    scan_gives(&store, &range, STATUS_END, "ab=4 b=2 ");
    range.rows_max = 100;
    range.bytes_max = 4;
    scan_gives(&store, &range, STATUS_OK, "ab=4 ");
    range.bytes_max = 0; /* one row is always given */
    scan_gives(&store, &range, STATUS_OK, "ab=4 ");
    range.from = slice_text("x");
    range.until = SLICE_NONE;
    scan_gives(&store, &range, STATUS_END, "");
    store_memory_delete(memory);
}

struct order {
    const char *last;
    unsigned count;
    char copies[2][24];
};

static bool see_order(void *context, const struct store_row *row)
{
    struct order *order = context;
    char *copy = order->copies[order->count % 2];

    assert_true(row->key.size < 24);
    memcpy(copy, row->key.data, row->key.size);
    copy[row->key.size] = 0;
    assert_true(order->last == NULL || strcmp(order->last, copy) < 0);
    order->last = copy;
    order->count++;
    return true;
}

/* Enough rows for the hash table to grow and the skip list to have levels, against a plain array.
 */
static void test_many_rows_against_a_model(void **state)
{
    enum { KEYS = 3000 };
    struct store_memory *memory = store_memory_new(NO_BOUND);
    struct store store = store_memory_ports(memory);
    struct store_range all = {.family = STORE_OBJ, .rows_max = KEYS, .bytes_max = UINT32_MAX};
    struct order order = {NULL, 0, {"", ""}};
    unsigned *model = calloc(KEYS, sizeof *model), present = 0;
    struct prng prng;

    (void)state;
    prng_init(&prng, 42);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned at = (unsigned)prng_below(&prng, KEYS);
        char key[24], value[24];
        struct store_row row;

        snprintf(key, sizeof key, "%08x/%u", at * 2654435761u, at);
        snprintf(value, sizeof value, "%u", i + 1);
        model[at] = prng_chance(&prng, 3, 4) ? i + 1 : 0;
        row = model[at] == 0 ? delete_row(STORE_OBJ, key) : put_row(STORE_OBJ, key, value);
        assert_int_equal(store.apply(store.context, &row, 1), STATUS_OK);
    }
    for (unsigned at = 0; at < KEYS; at++) {
        char key[24], value[24];

        snprintf(key, sizeof key, "%08x/%u", at * 2654435761u, at);
        snprintf(value, sizeof value, "%u", model[at]);
        expect(&store, STORE_OBJ, key, model[at] == 0 ? NULL : value);
        present += model[at] != 0;
    }
    assert_true(present > 2000);
    assert_int_equal(store.scan(store.context, &all, see_order, &order), STATUS_END);
    assert_int_equal(order.count, present);
    assert_int_equal(store_memory_rows(memory), present);
    free(model);
    store_memory_delete(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_delete),
        cmocka_unit_test(test_a_pin_outlives_its_row),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_a_full_engine_takes_deletes),
        cmocka_unit_test(test_scan_ranges_and_bounds),
        cmocka_unit_test(test_many_rows_against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
