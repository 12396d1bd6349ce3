/* edge_problem_test.c: every answer of the core is a problem with words and a sound status. */
#include "edge_client.h"
#include "edge_problem.h"

static void test_rows(void **state)
{
    (void)state;
    for (enum edge_problem i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct edge_problem_row *row = edge_problem_row(i);

        assert_true(row->status >= 400 && row->status <= 599);
        assert_int_equal(edge_problem_find(slice_text(row->slug)), i);
        assert_true(row->title[0] && row->text[0]);
    }
    assert_int_equal(edge_problem_find(slice_text("nothing")), PROBLEM_NONE);
}

static void test_statuses(void **state)
{
    static const struct {
        enum status status;
        unsigned http;
        const char *slug;
    } rows[] = {
        {STATUS_UNREACHABLE, 503, "quorum-unreachable"},
        {STATUS_DEADLINE, 503, "quorum-timeout"},
        {STATUS_NOT_READY, 503, "not-ready"},
        {STATUS_OVERLOAD, 503, "overloaded"},
        {STATUS_NO_SPACE, 507, "storage-full"},
        {STATUS_READ_ONLY, 503, "read-only"},
        {STATUS_SIBLING_LIMIT, 409, "sibling-limit"},
        {STATUS_CONTEXT, 400, "invalid-context"},
        {STATUS_UNKNOWN_OUTCOME, 500, "storage-failed"},
        {STATUS_IO, 500, "storage-failed"},
        {STATUS_PRECONDITION, 412, "precondition-failed"},
        {STATUS_TYPE, 409, "type-mismatch"},
        {STATUS_CONFLICT, 409, "conflict"},
        {STATUS_MISSING, 404, "not-found"},
        {STATUS_REPLAY, 500, "internal"},
        {(enum status)200, 500, "internal"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct edge_problem_row *row = edge_problem_row(edge_problem_of(rows[i].status));

        assert_int_equal(row->status, rows[i].http);
        assert_string_equal(row->slug, rows[i].slug);
    }
}

static void test_words_of_a_quorum(void **state)
{
    struct result result = {.kind = OP_PUT,
                            .status = STATUS_DEADLINE,
                            .acks = 1,
                            .required = 2,
                            .total = 3,
                            .took_ms = 2000,
                            .absent_rank = RANK_DEAD};
    struct edge_fault fault;

    (void)state;
    result.absent = label_make(slice_text("peer-3"));
    edge_fault_of_result(&fault, &result);
    assert_string_equal(fault.detail, "1 of 2 required owners (3 in all) answered within 2000 ms; "
                                      "peer-3 is dead");
    assert_string_equal(fault.hint, "repeat the same PUT, or write with consistency=one");
}

static void test_words_of_a_full_disk(void **state)
{
    struct result result = {.kind = OP_PUT,
                            .status = STATUS_NO_SPACE,
                            .acks = 1,
                            .required = 2,
                            .total = 3,
                            .took_ms = 4,
                            .absent_rank = RANK_ALIVE};
    struct edge_fault fault;

    (void)state;
    result.absent = label_make(slice_text("peer-3"));
    edge_fault_of_result(&fault, &result);
    assert_string_equal(fault.detail, "1 of 2 required owners (3 in all) answered within 4 ms; "
                                      "peer-3 has less free disk than its storage.min_free");
}

static void test_long_words_are_cut(void **state)
{
    char text[1000];
    struct edge_fault fault;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    edge_fault_set(&fault, PROBLEM_CONFLICT, text, text, NULL);
    assert_int_equal(strlen(fault.detail), EDGE_DETAIL_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_words_of_a_quorum),
        cmocka_unit_test(test_words_of_a_full_disk),
        cmocka_unit_test(test_long_words_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
