/* node_once_test.c: a write with an idempotency key takes effect once, whoever is asked, however
 * often; what cannot be decided is said to be so. */
#include "net.h"
#include "node_parts.h"

static struct op keyed(enum op_kind kind, const char *key, const char *body, const char *once)
{
    struct op op = net_op(kind, key, body);

    op.idempotency = slice_text(once);
    op.timeout_ms = 1000;
    return op;
}

static void test_a_retry_anywhere_gets_the_first_result(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1");
    uint64_t etag;

    (void)state;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_true(net->reply.is_created);
    etag = net->reply.etag;
    assert_int_equal(net_put(net, 1, "k", "newer")->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &op)->status, STATUS_OK);
        assert_true(net->reply.etag == etag);
        assert_true(net->reply.is_created);
        assert_true(net->reply.context_size > 0);
    }
    assert_string_equal(net_value(net, 2, "k")->bodies[0], "newer"); /* not overwritten */
    assert_int_equal(net->reply.values, 1);
    assert_int_equal(net->traces[TRACE_ONCE_REPLAYED], 3);
    net_delete(net);
}

static void test_another_body_is_refused(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1"), other = keyed(OP_PUT, "k", "w", "key-1");
    struct op elsewhere = keyed(OP_PUT, "j", "w", "key-1");

    (void)state;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &other)->status, STATUS_MISMATCH);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_string_equal(net_value(net, 2, "k")->bodies[0], "v");
    assert_int_equal(net_do(net, 1, &elsewhere)->status, STATUS_OK); /* keys are per resource */
    other.kind = OP_DELETE;
    other.body = SLICE_NONE;
    assert_int_equal(net_do(net, 1, &other)->status, STATUS_MISMATCH);
    net_delete(net);
}

static void test_a_delete_counts_once(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_DELETE, "k", NULL, "del");

    (void)state;
    (void)net_put(net, 0, "k", "v");
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    (void)net_put(net, 1, "k", "again");
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "again");
    net_delete(net);
}

/* Two peers are asked at the same moment, and both look before either has claimed. */
static void test_two_at_once_write_once(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1");
    ticket first, second;
    uint64_t etag = 0;
    unsigned answers = 0;

    (void)state;
    op.timeout_ms = 5000;
    first = net_ask(net, 0, &op);
    second = net_ask(net, 1, &op);
    for (unsigned ms = 0; ms < 5000 && answers < 2; ms++) {
        ticket before = net->reply.ticket;

        net_run(net, 1);
        if (net->reply.ticket == before ||
            (net->reply.ticket != first && net->reply.ticket != second))
            continue;
        answers++;
        assert_int_equal(net->reply.status, STATUS_OK);
        assert_true(etag == 0 || etag == net->reply.etag);
        etag = net->reply.etag;
    }
    assert_true(answers > 0);
    net_run(net, 2000);
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_true(net->reply.etag == etag);
    assert_int_equal(net_value(net, 0, "k")->values, 1);
    assert_true(net->traces[TRACE_ONCE_CONTENDED] > 0);
    net_delete(net);
}

/* The coordinator is lost between its claim and its write: nobody may decide for it. */
static void test_a_lost_coordinator_leaves_it_undecided_until_it_restarts(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1");
    uint32_t writes = net->peers[0].writes;

    (void)state;
    (void)net_ask(net, 0, &op);
    for (unsigned ms = 0; ms < 1000 && net->peers[0].writes == writes; ms++)
        net_run(net, 1);
    net_run(net, 1); /* the claim has left */
    net_kill(net, 0);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_DEADLINE);
    assert_int_equal(net->reply.outcome, OUTCOME_UNKNOWN);
    net_boot(net, 0);
    net_run(net, 20000);
    op.timeout_ms = 5000;
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK); /* it acts on its claim no more */
    assert_string_equal(net_value(net, 2, "k")->bodies[0], "v");
    net_delete(net);
}

static void test_a_refused_condition_may_be_tried_again(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1"), gone = net_op(OP_DELETE, "k", NULL);

    (void)state;
    (void)net_put(net, 0, "k", "old");
    op.condition = CONDITION_ABSENT;
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_PRECONDITION);
    (void)net_do(net, 0, &gone);
    net_run(net, 100);
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "v");
    net_delete(net);
}

static void test_it_passes_through_an_edge_and_is_not_listed(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op op = keyed(OP_PUT, "k", "v", "key-1"), list = net_op(OP_LIST, "", NULL);
    uint64_t etag = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &op)->status, STATUS_OK);
        assert_true(etag == 0 || etag == net->reply.etag);
        etag = net->reply.etag;
    }
    assert_int_equal(net_do(net, 0, &list)->items, 1);
    assert_string_equal(net->reply.names[0], "k");
    net_delete(net);
}

static void test_an_increment_counts_once(void **state)
{
    struct net *net = net_formed(3, 3);
    static const uint8_t five[8] = {0, 0, 0, 0, 0, 0, 0, 5};
    struct op op = keyed(OP_UPDATE, "hits", NULL, "key-1");

    (void)state;
    op.type = TYPE_COUNTER;
    op.body = slice_of(five, sizeof(five));
    op.shows = true;
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(net_do(net, i % 3, &op)->status, STATUS_OK);
        assert_int_equal(net->reply.number, 5);
    }
    op.idempotency = slice_text("key-2");
    assert_int_equal(net_do(net, 1, &op)->number, 10);
    op.idempotency = slice_text("key-1");
    assert_int_equal(net_do(net, 2, &op)->number, 10); /* what it comes to by now */
    net_delete(net);
}

static void test_a_record_ends_after_ten_minutes(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = keyed(OP_PUT, "k", "v", "key-1");
    uint64_t etag;

    (void)state;
    etag = net_do(net, 0, &op)->etag;
    net_run(net, 601000);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_true(net->reply.etag != etag);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_retry_anywhere_gets_the_first_result),
        cmocka_unit_test(test_another_body_is_refused),
        cmocka_unit_test(test_a_delete_counts_once),
        cmocka_unit_test(test_two_at_once_write_once),
        cmocka_unit_test(test_a_lost_coordinator_leaves_it_undecided_until_it_restarts),
        cmocka_unit_test(test_a_refused_condition_may_be_tried_again),
        cmocka_unit_test(test_it_passes_through_an_edge_and_is_not_listed),
        cmocka_unit_test(test_an_increment_counts_once),
        cmocka_unit_test(test_a_record_ends_after_ten_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
