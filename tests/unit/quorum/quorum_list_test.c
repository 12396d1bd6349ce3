/* quorum_list_test.c: pages of several peers become one. */
#include "quorum_bench.h"

static struct bench bench;
static uint8_t page_bytes[8192];
static struct writer page;
static struct crdt_object scratch;

static void page_begin(void)
{
    page = writer_over(page_bytes, sizeof(page_bytes));
}

/* A row whose object was written by `actor` at `stamp`; no body: a tombstone. */
static void row_with(const char *key, uint64_t actor, uint64_t stamp, const char *body)
{
    struct crdt_value value = {.kind = CRDT_TOMBSTONE};
    size_t size;

    if (body != NULL)
        value = (struct crdt_value){.kind = CRDT_VALUE, .body = slice_text(body)};
    crdt_object_clear(&scratch);
    assert_int_equal(crdt_object_write(&scratch, NULL, actor, stamp, &value), STATUS_OK);
    crdt_object_strip(&scratch);
    size = crdt_object_size(&scratch);
    write_u16(&page, (uint16_t)strlen(key));
    write_slice(&page, slice_text(key));
    write_u32(&page, (uint32_t)size);
    assert_int_equal(crdt_object_encode(&scratch, &page), STATUS_OK);
}

static void row(const char *key)
{
    row_with(key, 7, 1, "body");
}

static void give_status(uint64_t from, bool is_last, enum status status)
{
    const struct quorum_answer answer = {
        .from = from, .status = status, .items = writer_done(&page), .is_last = is_last};

    assert_false(page.is_full);
    quorum_rows(bench.quorum, 1, 1, &answer);
}

static void give(uint64_t from, bool is_last)
{
    give_status(from, is_last, STATUS_OK);
}

static const uint64_t peers[] = {1, 2, 3, 4, 5};

static enum status begin(uint16_t count, uint16_t may_miss, uint32_t limit, unsigned reachable)
{
    bool is_reachable[5];
    const struct quorum_list_request request = {.id = 1,
                                                .deadline = INSTANT_S(2),
                                                .ns = slice_text("ns"),
                                                .limit = limit,
                                                .peers = peers,
                                                .is_reachable = is_reachable,
                                                .peer_count = count,
                                                .may_miss = may_miss};

    for (unsigned i = 0; i < 5; i++)
        is_reachable[i] = (reachable >> i & 1) != 0;
    page_begin();
    return quorum_list(bench.quorum, 0, &request);
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

static void test_pages_are_merged_by_key(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 1, 10, 7), STATUS_OK);
    bench_expect(&bench, "list:1 list:2 list:3"); /* this peer scans its own keys as well */
    row("a");
    row("c");
    give(1, true);
    bench_expect(&bench, "");
    page_begin();
    row("b");
    row("c");
    give(3, true);
    bench_expect(&bench, "done:0");
    assert_string_equal(bench.items, "a/1/4 b/1/4 c/1/4 ");
    assert_int_equal(bench.acks, 2);
    assert_int_equal(bench.required, 2);
    give(2, true); /* a straggler */
    bench_expect(&bench, "");
}

static void test_copies_of_a_key_are_merged(void **state)
{
    (void)state;
    assert_int_equal(begin(2, 0, 10, 3), STATUS_OK);
    row_with("conflict", 7, 1, "one");
    row_with("deleted", 7, 1, NULL);
    row_with("kept", 7, 2, NULL); /* a concurrent delete does not hide a value */
    give(1, true);
    page_begin();
    row_with("conflict", 8, 2, "winner");
    row_with("kept", 8, 1, "value");
    give(2, true);
    assert_string_equal(bench.items, "conflict/2/6 kept/1/5 ");
}

static void test_a_page_ends_where_the_shortest_one_ends(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 0, 10, 7), STATUS_OK);
    row("a");
    row("c");
    row("d");
    row("f");
    give(1, false);
    page_begin();
    row("a");
    row("b");
    row("c");
    give(2, false);
    page_begin();
    row("b");
    row("d");
    row("e");
    give(3, true);
    assert_string_equal(bench.items, "a/1/4 b/1/4 c/1/4 ...");
}

static void test_the_limit_ends_a_page(void **state)
{
    (void)state;
    assert_int_equal(begin(1, 0, 2, 1), STATUS_OK);
    row("a");
    row("b");
    give(1, true);
    assert_string_equal(bench.items, "a/1/4 b/1/4 ");
    assert_int_equal(begin(1, 0, 2, 1), STATUS_OK);
    row("a");
    row("b");
    row("c");
    give(1, true);
    assert_string_equal(bench.items, "a/1/4 b/1/4 ...");
}

static void test_an_empty_namespace(void **state)
{
    (void)state;
    assert_int_equal(begin(2, 0, 10, 3), STATUS_OK);
    give(1, true);
    give(2, true);
    bench_expect(&bench, "list:1 list:2 done:0");
    assert_string_equal(bench.items, "");
}

/* Pages of nothing but tombstones are walked over, also by a peer that answers late. */
static void test_tombstones_do_not_end_a_listing(void **state)
{
    (void)state;
    assert_int_equal(begin(3, 1, 2, 7), STATUS_OK);
    bench_expect(&bench, "list:1 list:2 list:3");
    row_with("a", 7, 1, NULL);
    row_with("b", 7, 1, NULL);
    give(1, false);
    give(2, false);
    bench_expect(&bench, "list:1>b list:2>b");
    give(3, false); /* a page of the first round: of no use, so it is asked again */
    bench_expect(&bench, "list:3>b");
    page_begin();
    row("a"); /* behind the start already: skipped */
    row("c");
    give(3, true);
    page_begin();
    row("c");
    give(1, true);
    bench_expect(&bench, "done:0");
    assert_string_equal(bench.items, "c/1/4 ");
}

static void test_somebody_must_answer(void **state)
{
    (void)state;
    assert_int_equal(begin(2, 2, 10, 3), STATUS_OK);
    bench_expect(&bench, "list:1 list:2");
    give(2, true);
    bench_expect(&bench, "done:0");
    assert_int_equal(bench.required, 1);
}

static void test_too_few_peers_are_refused_or_told(void **state)
{
    (void)state;
    assert_int_equal(begin(5, 1, 10, 7), STATUS_UNREACHABLE);
    bench_expect(&bench, "");
    assert_int_equal(begin(3, 1, 10, 3), STATUS_OK);
    bench_expect(&bench, "list:1 list:2");
    quorum_peer_lost(bench.quorum, 1, 2);
    bench_expect(&bench, "done:26");
    assert_string_equal(bench.roles, "1-17 2-36 3-26 ");
    assert_int_equal(begin(3, 0, 10, 7), STATUS_OK);
    give_status(2, true, STATUS_LAYOUT);
    bench_expect(&bench, "list:1 list:2 list:3 done:15");
    assert_int_equal(begin(3, 1, 10, 7), STATUS_OK);
    quorum_expire(bench.quorum, INSTANT_S(2));
    bench_expect(&bench, "list:1 list:2 list:3 done:17");
}

static void test_a_bad_page_is_not_counted(void **state)
{
    size_t good;

    (void)state;
    assert_int_equal(begin(1, 0, 10, 1), STATUS_OK);
    give(1, false); /* says that more follows nothing */
    bench_expect(&bench, "list:1 done:26");
    assert_int_equal(begin(1, 0, 10, 1), STATUS_OK);
    row("b");
    row("a");
    give(1, true);
    bench_expect(&bench, "list:1 done:26");
    assert_int_equal(begin(1, 0, 10, 1), STATUS_OK);
    row("a");
    row("a");
    give(1, true);
    bench_expect(&bench, "list:1 done:26");
    /* Every prefix that cuts a row. */
    page_begin();
    row("a");
    good = page.size;
    for (size_t size = 1; size < good; size++) {
        assert_int_equal(begin(1, 0, 10, 1), STATUS_OK);
        page = writer_over(page_bytes, sizeof(page_bytes));
        row("a");
        page.size = size;
        give(1, true);
        bench_expect(&bench, "list:1 done:26");
    }
}

static void test_a_prefix_is_a_promise(void **state)
{
    bool is_reachable[] = {true};
    const struct quorum_list_request request = {.id = 1,
                                                .deadline = INSTANT_S(2),
                                                .ns = slice_text("ns"),
                                                .prefix = slice_text("img/"),
                                                .after = slice_text("img/3"),
                                                .limit = 5,
                                                .peers = peers,
                                                .is_reachable = is_reachable,
                                                .peer_count = 1};

    (void)state;
    assert_int_equal(quorum_list(bench.quorum, 0, &request), STATUS_OK);
    bench_expect(&bench, "list:1>img/3");
    page_begin();
    row("img/3"); /* exclusive */
    row("img/4");
    give(1, true);
    assert_string_equal(bench.items, "img/4/1/4 ");
    assert_int_equal(quorum_list(bench.quorum, 0, &request), STATUS_OK);
    page_begin();
    row("other");
    give(1, true);
    bench_expect(&bench, "done:0 list:1>img/3 done:26");
}

static void test_listings_are_bounded(void **state)
{
    bool is_reachable[] = {true};
    struct quorum_list_request request = {.deadline = INSTANT_S(2),
                                          .ns = slice_text("ns"),
                                          .limit = 5,
                                          .peers = peers,
                                          .is_reachable = is_reachable,
                                          .peer_count = 1};
    struct bench wide;

    (void)state;
    bench_init(&wide, LISTS_MAX + 1);
    for (uint32_t id = 1; id <= LISTS_MAX + 1; id++) {
        request.id = id;
        assert_int_equal(quorum_list(wide.quorum, 0, &request),
                         id <= LISTS_MAX ? STATUS_OK : STATUS_OVERLOAD);
    }
    request.limit = LIST_LIMIT_MAX + 1;
    assert_int_equal(quorum_list(wide.quorum, 0, &request), STATUS_TOO_LARGE);
    request.limit = LIST_LIMIT_MAX;
    quorum_cancel(wide.quorum, 1);
    assert_int_equal(quorum_list(wide.quorum, 0, &request), STATUS_OK);
    quorum_delete(wide.quorum);
}

int main(void)
{
#define LIST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        LIST_TEST(test_pages_are_merged_by_key),
        LIST_TEST(test_copies_of_a_key_are_merged),
        LIST_TEST(test_a_page_ends_where_the_shortest_one_ends),
        LIST_TEST(test_the_limit_ends_a_page),
        LIST_TEST(test_an_empty_namespace),
        LIST_TEST(test_tombstones_do_not_end_a_listing),
        LIST_TEST(test_somebody_must_answer),
        LIST_TEST(test_too_few_peers_are_refused_or_told),
        LIST_TEST(test_a_bad_page_is_not_counted),
        LIST_TEST(test_a_prefix_is_a_promise),
        LIST_TEST(test_listings_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
