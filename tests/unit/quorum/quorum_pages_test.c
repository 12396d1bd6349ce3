/* quorum_pages_test.c: pages of rows by themselves: where they end, and what lies in front. */
#include "quorum_bench.h"
#include "quorum_room.h"

static struct bench bench;
static struct quorum_page pages[3];
static uint8_t room[1024];
static struct writer out;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench, 2);
    memset(pages, 0, sizeof(pages));
    out = writer_over(room, sizeof(room));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    quorum_pages_drop(bench.quorum, pages, 3);
    assert_int_equal(bench.quorum->list_bytes, 0);
    quorum_delete(bench.quorum);
    return 0;
}

static void row(const char *key, uint64_t actor, const char *body)
{
    static struct crdt_object object;
    struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text(body)};

    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, NULL, actor, 1, &value), STATUS_OK);
    write_u16(&out, (uint16_t)strlen(key));
    write_slice(&out, slice_text(key));
    write_u32(&out, (uint32_t)crdt_object_size(&object));
    assert_int_equal(crdt_object_encode(&object, &out), STATUS_OK);
}

/* Keeps what was written as a page that was read up to `last`; NULL: to the end. */
static enum status keep(unsigned at, const char *last)
{
    struct quorum_answer answer = {.items = writer_done(&out), .is_last = last == NULL};
    enum status status = quorum_page_keep(bench.quorum, &pages[at], &answer,
                                          last != NULL ? slice_text(last) : SLICE_NONE);

    out = writer_over(room, sizeof(room));
    return status;
}

static void test_the_smallest_end_is_the_bound(void **state)
{
    struct slice bound = SLICE_NONE;

    (void)state;
    assert_false(quorum_pages_bound(pages, 3, &bound));
    assert_int_equal(keep(0, NULL), STATUS_OK);
    assert_false(quorum_pages_bound(pages, 3, &bound));
    assert_int_equal(keep(1, "m"), STATUS_OK);
    assert_int_equal(keep(2, "g"), STATUS_OK);
    assert_true(quorum_pages_bound(pages, 3, &bound));
    assert_true(slice_equal(bound, slice_text("g")));
}

static void test_rows_come_in_order_and_merge(void **state)
{
    struct slice key;

    (void)state;
    row("a", 1, "one");
    row("b", 1, "one");
    assert_int_equal(keep(0, NULL), STATUS_OK);
    row("b", 2, "two");
    row("c", 2, "two");
    assert_int_equal(keep(2, NULL), STATUS_OK);
    quorum_pages_rewind(pages, 3, slice_text("a"));
    assert_true(quorum_pages_first(pages, 3, &key));
    assert_true(slice_equal(key, slice_text("b")));
    assert_int_equal(quorum_pages_merge(bench.quorum, pages, 3, key), STATUS_OK);
    assert_int_equal(bench.quorum->a.value_count, 2);
    assert_true(quorum_pages_first(pages, 3, &key));
    assert_true(slice_equal(key, slice_text("c")));
    assert_int_equal(quorum_pages_merge(bench.quorum, pages, 3, key), STATUS_OK);
    assert_int_equal(bench.quorum->a.value_count, 1);
    assert_false(quorum_pages_first(pages, 3, &key));
}

static void test_a_contradiction_is_told(void **state)
{
    (void)state;
    row("a", 1, "one");
    assert_int_equal(keep(0, NULL), STATUS_OK);
    row("a", 1, "another");
    assert_int_equal(keep(1, NULL), STATUS_OK);
    quorum_pages_rewind(pages, 3, SLICE_NONE);
    assert_int_equal(quorum_pages_merge(bench.quorum, pages, 3, slice_text("a")), STATUS_CORRUPT);
    assert_true(slice_equal(bench.quorum->a.values[0].body, slice_text("one")));
}

static void test_bytes_are_bounded(void **state)
{
    (void)state;
    bench.quorum->list_bytes = LIST_BYTES_MAX - 2;
    assert_int_equal(keep(0, "abc"), STATUS_OVERLOAD);
    assert_null(pages[0].bytes);
    assert_int_equal(keep(0, "ab"), STATUS_OK);
    bench.quorum->list_bytes = 2;
}

int main(void)
{
#define PAGES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        PAGES_TEST(test_the_smallest_end_is_the_bound),
        PAGES_TEST(test_rows_come_in_order_and_merge),
        PAGES_TEST(test_a_contradiction_is_told),
        PAGES_TEST(test_bytes_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
