/* node_test.c: what a peer alone answers its clients: writes, reads, conditions, contexts, and what
 * happens when its store is closed, slow, cold or broken. */
#include "net.h"

static void test_a_node_that_is_not_open_yet_says_so(void **state)
{
    static const char *const seeds[] = {""};
    struct net *net = net_new(1, 3, seeds);
    struct op op = net_op(OP_PUT, "k", "v");

    (void)state;
    assert_int_equal(node_deadline(net->peers[0].node), INSTANT_NEVER);
    net_ask(net, 0, &op);
    assert_int_equal(net->reply.status, STATUS_NOT_READY);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(net->peers[0].writes, 0);
    net_delete(net);
}

static void test_a_peer_without_seeds_founds_and_serves(void **state)
{
    struct net *net = net_formed(1, 3);
    const struct net_reply *reply;

    (void)state;
    assert_int_equal(net->traces[TRACE_FOUNDED], 1);
    reply = net_put(net, 0, "k", "one");
    assert_int_equal(reply->status, STATUS_OK);
    assert_true(reply->is_created);
    assert_int_equal(reply->acks, 1);
    assert_true(reply->context_size > 0);
    reply = net_value(net, 0, "k");
    assert_int_equal(reply->status, STATUS_OK);
    assert_int_equal(reply->values, 1);
    assert_string_equal(reply->bodies[0], "one");
    assert_int_equal(net_value(net, 0, "other")->status, STATUS_MISSING);
    net_delete(net);
}

static void test_D14_a_write_is_answered_after_its_commit_only(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op op = net_op(OP_PUT, "k", "v");
    ticket asked;

    (void)state;
    net->peers[0].is_held = true;
    asked = net_ask(net, 0, &op);
    net_run(net, 500);
    assert_true(net->reply.ticket != asked);
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_MISSING); /* a crash may undo it */
    net->peers[0].is_held = false;
    net_run(net, 5);
    assert_int_equal(net->reply.ticket, asked);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "v");
    net_delete(net);
}

static void test_two_writes_in_flight_do_not_lose_each_other(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op first = net_op(OP_PUT, "k", "a"), second = net_op(OP_PUT, "k", "b");
    struct op read = net_op(OP_GET, "k", NULL);

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "old")->status, STATUS_OK);
    first.context = second.context = slice_of(net->reply.context, net->reply.context_size);
    net->peers[0].is_held = true;
    net_ask(net, 0, &first);
    net_ask(net, 0, &second);
    net->peers[0].is_held = false;
    net_run(net, 20);
    read.has_siblings = true;
    assert_int_equal(net_do(net, 0, &read)->values, 2); /* concurrent: both stay */
    assert_string_equal(net->reply.bodies[0], "b");
    assert_string_equal(net->reply.bodies[1], "a");
    net_delete(net);
}

static void test_D8_a_context_replaces_what_it_covers_and_nothing_else(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op write = net_op(OP_PUT, "k", "b"), read = net_op(OP_GET, "k", NULL);
    char context[CONTEXT_SIZE_MAX];
    size_t size;

    (void)state;
    read.has_siblings = true;
    (void)net_put(net, 0, "k", "a");
    size = net->reply.context_size;
    memcpy(context, net->reply.context, size);
    write.context = slice_of(context, size);
    assert_int_equal(net_do(net, 0, &write)->status, STATUS_OK);
    assert_false(net->reply.is_created);
    write = net_op(OP_PUT, "k", "c"); /* knows of a, not of b */
    write.context = slice_of(context, size);
    (void)net_do(net, 0, &write);
    assert_int_equal(net_do(net, 0, &read)->values, 2);
    write = net_op(OP_PUT, "k", "d");
    write.context = slice_of(net->reply.context, net->reply.context_size);
    (void)net_do(net, 0, &write);
    assert_int_equal(net_do(net, 0, &read)->values, 1);
    assert_string_equal(net->reply.bodies[0], "d");
    write.context = slice_text("AAAAnot-a-context");
    assert_int_equal(net_do(net, 0, &write)->status, STATUS_CONTEXT);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net_delete(net);
}

static void test_conditions(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op op = net_op(OP_PUT, "k", "a");
    uint64_t etag;

    (void)state;
    op.condition = CONDITION_EXISTS;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_PRECONDITION);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    op.condition = CONDITION_ABSENT;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    etag = net->reply.etag;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_PRECONDITION);
    assert_int_equal(net->reply.values, 1); /* what is there instead */
    op = net_op(OP_PUT, "k", "b");
    op.condition = CONDITION_MATCH;
    op.etag_count = 1;
    op.etags[0] = etag ^ 1;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_PRECONDITION);
    op.etags[0] = etag;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k")->values, 1);
    assert_string_equal(net->reply.bodies[0], "b");
    op.condition = CONDITION_NONE_MATCH;
    op.etags[0] = net->reply.etags[0];
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_PRECONDITION);
    net_delete(net);
}

static void test_D4_a_delete_hides_what_it_saw(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op gone = net_op(OP_DELETE, "k", NULL);

    (void)state;
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK); /* nothing there: done already */
    assert_int_equal(net->peers[0].node->keys, 0);
    (void)net_put(net, 0, "k", "a");
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_MISSING);
    assert_true(net->reply.context_size > 0); /* of the tombstone: a later write covers it */
    assert_true(net_put(net, 0, "k", "b")->is_created);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "b");
    net_delete(net);
}

static void test_rows_come_from_the_disk_when_they_are_cold(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op op = net_op(OP_GET, "k", NULL);
    ticket last;

    (void)state;
    (void)net_put(net, 0, "k", "a");
    (void)net_put(net, 0, "other", "x"); /* the one row that is kept after its commit */
    net->peers[0].is_cold = true;
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "a");
    assert_int_equal(net_put(net, 0, "k", "b")->status, STATUS_OK);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "b");
    (void)net_put(net, 0, "other", "y");
    (void)net_ask(net, 0, &op); /* two readers of one row share one read */
    last = net_ask(net, 0, &op);
    assert_int_equal(pool_used(&net->peers[0].node->reads), 1);
    net_run(net, 5);
    assert_int_equal(net->reply.ticket, last);
    assert_int_equal(pool_used(&net->peers[0].node->tasks), 0);
    net_delete(net);
}

static void test_D6_an_unknown_commit_ends_the_actor(void **state)
{
    struct net *net = net_formed(1, 3);
    struct net_peer *peer = &net->peers[0];
    uint64_t actor = peer->node->actor;

    (void)state;
    peer->commit = STATUS_UNKNOWN_OUTCOME;
    assert_true(net_put(net, 0, "k", "a")->status != STATUS_OK);
    assert_int_equal(net->reply.outcome, OUTCOME_UNKNOWN);
    assert_int_equal(peer->reopens, 1);
    assert_true(net_put(net, 0, "k", "b")->status !=
                STATUS_OK); /* read-only until it is reopened */
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(peer->reopens, 1);
    peer->commit = STATUS_OK;
    net_opened(net, 0);
    net_run(net, 50);
    assert_true(peer->node->actor != actor);
    assert_int_equal(net_put(net, 0, "k", "c")->status, STATUS_OK);
    net_delete(net);
}

static void test_a_full_disk_refuses_and_goes_on(void **state)
{
    struct net *net = net_formed(1, 3);

    (void)state;
    net->peers[0].commit = STATUS_NO_SPACE;
    assert_int_equal(net_put(net, 0, "k", "a")->status, STATUS_NO_SPACE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(net->peers[0].reopens, 0);
    net->peers[0].commit = STATUS_OK;
    assert_int_equal(net_put(net, 0, "k", "b")->status, STATUS_OK);
    net_delete(net);
}

static void test_a_cancelled_write_goes_on_in_silence(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op op = net_op(OP_PUT, "k", "v");
    struct event cancel = {.kind = EVENT_CANCEL};
    uint32_t replies = net->peers[0].replies;

    (void)state;
    net->peers[0].is_held = true;
    cancel.cancel.ticket = net_ask(net, 0, &op);
    net_step(net, &net->peers[0], &cancel);
    net->peers[0].is_held = false;
    net_run(net, 10);
    assert_int_equal(net->peers[0].replies, replies);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "v");
    net_delete(net);
}

static void test_operations_above_the_bound_are_shed(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op op = net_op(OP_PUT, "k", "v");
    uint32_t asked = 0;

    (void)state;
    net->peers[0].is_held = true;
    net->reply.status = STATUS_OK;
    while (net->reply.status != STATUS_OVERLOAD && ++asked < 4096)
        net_ask(net, 0, &op);
    assert_in_range(asked, 2, 4095);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net->peers[0].is_held = false;
    net_run(net, 100);
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_OK);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_that_is_not_open_yet_says_so),
        cmocka_unit_test(test_a_peer_without_seeds_founds_and_serves),
        cmocka_unit_test(test_D14_a_write_is_answered_after_its_commit_only),
        cmocka_unit_test(test_two_writes_in_flight_do_not_lose_each_other),
        cmocka_unit_test(test_D8_a_context_replaces_what_it_covers_and_nothing_else),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_D4_a_delete_hides_what_it_saw),
        cmocka_unit_test(test_rows_come_from_the_disk_when_they_are_cold),
        cmocka_unit_test(test_D6_an_unknown_commit_ends_the_actor),
        cmocka_unit_test(test_a_full_disk_refuses_and_goes_on),
        cmocka_unit_test(test_a_cancelled_write_goes_on_in_silence),
        cmocka_unit_test(test_operations_above_the_bound_are_shed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
