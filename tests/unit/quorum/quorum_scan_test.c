/* quorum_scan_test.c: rows with their objects, read at R owners. */
#include "quorum_bench.h"

#define OPERATION 9

static struct bench bench;
static uint8_t page_bytes[1u << 16];
static struct writer page;
static struct crdt_object scratch;
static struct quorum_owner owners[SET_MAX];

static void page_begin(void)
{
    page = writer_over(page_bytes, sizeof(page_bytes));
}

/* A row written by `actor` at `stamp`; no body: a tombstone. */
static void row_with(const char *key, uint64_t actor, uint64_t stamp, const char *body)
{
    struct crdt_value value = {.kind = CRDT_TOMBSTONE};

    if (body != NULL)
        value = (struct crdt_value){.kind = CRDT_VALUE, .body = slice_text(body)};
    crdt_object_clear(&scratch);
    assert_int_equal(crdt_object_write(&scratch, NULL, actor, stamp, &value), STATUS_OK);
    write_u16(&page, (uint16_t)strlen(key));
    write_slice(&page, slice_text(key));
    write_u32(&page, (uint32_t)crdt_object_size(&scratch));
    assert_int_equal(crdt_object_encode(&scratch, &page), STATUS_OK);
}

static void row(const char *key)
{
    row_with(key, 7, 1, "body");
}

/* The page of an owner; `reach` NULL: the end of the range. */
static void give_status(uint64_t from, const char *reach, enum status status)
{
    const struct quorum_answer answer = {.from = from,
                                         .status = status,
                                         .items = writer_done(&page),
                                         .is_last = reach == NULL,
                                         .reach = slice_text(reach != NULL ? reach : "")};

    assert_false(page.is_full);
    quorum_scanned(bench.quorum, 1, OPERATION, &answer);
    page_begin();
}

static void give(uint64_t from, const char *reach)
{
    give_status(from, reach, STATUS_OK);
}

static struct quorum_request scan_request(uint8_t count, uint32_t limit)
{
    struct quorum_request request = bench_request(OPERATION, count, owners);

    request.key = request.ns = SLICE_NONE;
    request.from = slice_text("b");
    request.until = slice_text("x");
    request.limit = limit;
    request.bytes_max = sizeof(page_bytes);
    page_begin();
    return request;
}

static enum status begin(uint8_t count, uint32_t limit)
{
    const struct quorum_request request = scan_request(count, limit);

    return quorum_scan(bench.quorum, 0, &request);
}

/* What DONE brought: "key/values " of each row. */
static const char *rows(void)
{
    static char text[512];
    struct reader in = reader_over(slice_of(bench.object, bench.object_size));
    size_t at = 0;

    text[0] = 0;
    while (reader_left(&in) > 0) {
        struct slice key = read_slice(&in, read_u16(&in)), object = read_slice(&in, read_u32(&in));

        assert_false(in.is_bad);
        assert_int_equal(crdt_object_decode(object, &scratch), STATUS_OK);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s/%u ", (int)key.size,
                               (const char *)key.data, scratch.value_count);
    }
    if (bench.reach[0])
        (void)snprintf(text + at, sizeof(text) - at, "...%s", bench.reach);
    return text;
}

static int setup(void **state)
{
    (void)state;
    bench_init(&bench, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(quorum_count(bench.quorum), 0);
    quorum_delete(bench.quorum);
    return 0;
}

static void test_every_row_is_read_at_a_quorum(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 10), STATUS_OK);
    bench_expect(&bench, "scan:1 scan:2"); /* the third is not needed */
    row("c");
    row_with("e", 7, 1, "one");
    row_with("gone", 7, 1, NULL);
    give(1, NULL);
    bench_expect(&bench, "");
    row("d");
    row_with("e", 8, 2, "two");
    give(2, NULL);
    bench_expect(&bench, "done:0");
    assert_string_equal(rows(), "c/1 d/1 e/2 gone/1 "); /* tombstones are rows too */
    assert_int_equal(bench.apart, 15);                  /* none of them is alike at both */
    assert_int_equal(bench.acks, 2);
    assert_int_equal(bench.required, 2);
}

static void test_rows_that_owners_hold_alike_are_told(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 10), STATUS_OK);
    row("c");
    row("d");
    row_with("e", 7, 1, NULL);
    row_with("f", 7, 1, NULL);
    give(1, NULL);
    row("c");
    row_with("d", 8, 2, NULL);
    row_with("e", 7, 1, NULL);
    give(2, NULL);
    assert_int_equal(bench.apart, 1u << 1 | 1u << 3);
}

static void test_the_page_ends_where_the_shortest_one_ends(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 10), STATUS_OK);
    row("c");
    row("d");
    row("f");
    give(1, "f");
    row("c");
    row("e");
    give(2, "ee"); /* rows of other namespaces were passed over */
    assert_string_equal(rows(), "c/1 d/1 e/1 ...ee");
    assert_int_equal(begin(3, 10), STATUS_OK);
    give(1, "k");
    row("m");
    give(2, NULL);
    assert_string_equal(rows(), "...k"); /* nothing so far, and more to come */
}

static void test_limits_end_a_page(void **state)
{
    struct quorum_request request;

    (void)state;
    assert_int_equal(begin(1, 2), STATUS_OK);
    row("c");
    row("d");
    row("e");
    give(1, NULL);
    assert_string_equal(rows(), "c/1 d/1 ...d");
    assert_int_equal(begin(1, 2), STATUS_OK);
    row("c");
    row("d");
    give(1, NULL);
    assert_string_equal(rows(), "c/1 d/1 "); /* exactly full is the end */
    request = scan_request(1, 10);
    request.bytes_max = 1;
    assert_int_equal(quorum_scan(bench.quorum, 0, &request), STATUS_OK);
    row("c");
    row("d");
    give(1, NULL);
    assert_string_equal(rows(), "c/1 ...c"); /* one row always */
}

static void test_who_fails_or_is_slow_is_followed_by_the_next(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 10), STATUS_OK);
    bench_expect(&bench, "scan:1 scan:2");
    give_status(2, NULL, STATUS_CORRUPT);
    bench_expect(&bench, "scan:3");
    give(1, NULL);
    row("c");
    give(3, NULL);
    bench_expect(&bench, "done:0");
    assert_string_equal(rows(), "c/1 ");
    assert_int_equal(begin(3, 10), STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(2) / 8);
    bench_expect(&bench, "scan:1 scan:2 scan:3");
    quorum_peer_lost(bench.quorum, 1, 1);
    quorum_peer_lost(bench.quorum, 1, 3);
    bench_expect(&bench, "done:26");
    assert_int_equal(begin(3, 10), STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(2));
    bench_expect(&bench, "scan:1 scan:2 done:17");
    assert_int_equal(begin(3, 10), STATUS_OK);
    give_status(1, NULL, STATUS_LAYOUT);
    give_status(2, NULL, STATUS_LAYOUT);
    bench_expect(&bench, "scan:1 scan:2 scan:3 done:15");
    give(3, NULL); /* a straggler */
    bench_expect(&bench, "");
}

/* While a partition moves a row must be read at a quorum of both sets. */
static void test_both_sets_count(void **state)
{
    struct quorum_request request = scan_request(5, 10);

    (void)state;
    request.base_count = request.target_count = 3;
    for (unsigned i = 0; i < 5; i++) {
        owners[i].is_base = i < 3;
        owners[i].is_target = i == 2 || i > 2;
    }
    assert_int_equal(quorum_scan(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "scan:1 scan:2 scan:3 scan:4");
    give(1, NULL);
    give(2, NULL);
    give(3, NULL);
    bench_expect(&bench, "");
    give(4, NULL);
    bench_expect(&bench, "done:0");
    owners[3].is_reachable = owners[4].is_reachable = false;
    assert_int_equal(quorum_scan(bench.quorum, 0, &request), STATUS_UNREACHABLE);
}

static void expect_bad(const char *reach)
{
    give(1, reach);
    bench_expect(&bench, "scan:1 done:26");
}

static void test_a_bad_page_is_not_counted(void **state)
{
    (void)state;
    assert_int_equal(begin(1, 10), STATUS_OK);
    row("a"); /* before the range */
    expect_bad(NULL);
    assert_int_equal(begin(1, 10), STATUS_OK);
    row("x"); /* behind it */
    expect_bad(NULL);
    assert_int_equal(begin(1, 10), STATUS_OK);
    row("d");
    row("c");
    expect_bad(NULL);
    assert_int_equal(begin(1, 10), STATUS_OK);
    row("d");
    expect_bad("c"); /* more than it says to have read */
    assert_int_equal(begin(1, 10), STATUS_OK);
    expect_bad(""); /* no end and no progress */
    assert_int_equal(begin(1, 10), STATUS_OK);
    expect_bad("x");
    for (size_t size = 1, whole = 2; size < whole; size++) {
        assert_int_equal(begin(1, 10), STATUS_OK);
        row("c");
        whole = page.size;
        page.size = size;
        expect_bad(NULL);
    }
}

/* Two contents under one dot: no choice would be right, and leaving the row out would be silent. */
static void test_copies_that_contradict_fail_the_scan(void **state)
{
    (void)state;
    assert_int_equal(begin(2, 10), STATUS_OK);
    row_with("c", 7, 1, "one");
    give(1, NULL);
    row_with("c", 7, 1, "two");
    give(2, NULL);
    assert_int_equal(bench.object_size, 0);
    assert_string_not_equal(bench.log, "scan:1 scan:2 done:0");
    assert_int_equal(bench.status, STATUS_CORRUPT);
}

static void test_scans_are_bounded(void **state)
{
    struct quorum_request request = scan_request(1, 10);
    struct bench wide;

    (void)state;
    bench_init(&wide, SCANS_MAX + 1);
    for (uint32_t id = 1; id <= SCANS_MAX + 1; id++) {
        wide.log[wide.log_size = 0] = 0;
        request.id = id;
        assert_int_equal(quorum_scan(wide.quorum, 0, &request),
                         id <= SCANS_MAX ? STATUS_OK : STATUS_OVERLOAD);
    }
    quorum_cancel(wide.quorum, 1);
    assert_int_equal(quorum_scan(wide.quorum, 0, &request), STATUS_OK);
    quorum_delete(wide.quorum);
}

int main(void)
{
#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SCAN_TEST(test_every_row_is_read_at_a_quorum),
        SCAN_TEST(test_rows_that_owners_hold_alike_are_told),
        SCAN_TEST(test_the_page_ends_where_the_shortest_one_ends),
        SCAN_TEST(test_limits_end_a_page),
        SCAN_TEST(test_who_fails_or_is_slow_is_followed_by_the_next),
        SCAN_TEST(test_both_sets_count),
        SCAN_TEST(test_a_bad_page_is_not_counted),
        SCAN_TEST(test_copies_that_contradict_fail_the_scan),
        SCAN_TEST(test_scans_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
