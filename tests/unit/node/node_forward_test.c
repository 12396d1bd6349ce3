/* node_forward_test.c: an edge that owns no copy lets one owner do the work. With one replica and
 * three peers every key has one owner, so two of three edges forward. */
#include "net.h"
#include "node_parts.h"

/* A peer that does not own the key. */
static unsigned edge_of(struct net *net, const char *key, unsigned *owner)
{
    struct node_id owners[REPLICAS_MAX];
    struct node *node = net->peers[0].node;
    unsigned count =
        node_owners(node, node_partition_of(node, slice_text("n"), slice_text(key)), owners);

    assert_int_equal(count, 1);
    for (unsigned i = 0; i < net->count; i++)
        if (id_equal(&owners[0], node_self(net->peers[i].node)))
            *owner = i;
    return *owner == 0 ? 1 : 0;
}

static void test_an_edge_forwards_and_brings_the_answer_back(void **state)
{
    struct net *net = net_formed(3, 1);
    unsigned owner, edge = edge_of(net, "k", &owner);
    struct op op = net_op(OP_PUT, "k", "again");
    uint32_t writes = net->peers[edge].writes;

    (void)state;
    assert_int_equal(net_put(net, edge, "k", "v")->status, STATUS_OK);
    assert_true(net->reply.is_created);
    assert_int_equal(net_metric(net, edge, METRIC_FORWARDED), 1);
    op.context = slice_of(net->reply.context, net->reply.context_size);
    assert_int_equal(net_do(net, edge, &op)->status, STATUS_OK); /* the context came back, too */
    assert_string_equal(net_value(net, edge, "k")->bodies[0], "again");
    assert_int_equal(net->reply.values, 1);
    assert_int_equal(net->peers[edge].node->keys, 0);
    assert_int_equal(net->peers[owner].node->keys, 1);
    assert_in_range(net->peers[edge].writes, writes, writes + 3); /* of its own lists only */
    net_delete(net);
}

static void test_conditions_are_judged_at_the_owner(void **state)
{
    struct net *net = net_formed(3, 1);
    unsigned owner, edge = edge_of(net, "k", &owner);
    struct op op = net_op(OP_PUT, "k", "v");

    (void)state;
    op.condition = CONDITION_ABSENT;
    assert_int_equal(net_do(net, edge, &op)->status, STATUS_OK);
    assert_int_equal(net_do(net, edge, &op)->status, STATUS_PRECONDITION);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net_delete(net);
}

static void test_D14_a_silent_owner_leaves_the_outcome_unknown(void **state)
{
    struct net *net = net_formed(3, 1);
    unsigned owner, edge = edge_of(net, "k", &owner);

    (void)state;
    net->cut[edge][owner] = true; /* the question is lost on its way, the link stands */
    assert_true(net_put(net, edge, "k", "v")->status != STATUS_OK);
    assert_int_equal(net->reply.outcome, OUTCOME_UNKNOWN);
    net_delete(net);
}

static void test_D14_a_dead_owner_leaves_nothing_stored(void **state)
{
    struct net *net = net_formed(3, 1);
    unsigned owner, edge = edge_of(net, "k", &owner);

    (void)state;
    net_kill(net, owner);
    net_run(net, 15000);
    assert_int_equal(node_member_rank(net->peers[edge].node, &net->peers[owner].identity.id),
                     RANK_DEAD);
    assert_int_equal(net_put(net, edge, "k", "v")->status, STATUS_UNREACHABLE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(net_value(net, edge, "k")->status, STATUS_UNREACHABLE); /* not "missing" */
    net_delete(net);
}

/* The edge is heard by one of the two owners only. Returns how many the route calls failed. */
static unsigned put_heard_by(unsigned chosen)
{
    struct net *net = net_formed(3, 2);
    struct node *node = net->peers[0].node;
    struct node_id owners[REPLICAS_MAX];
    uint32_t partition = node_partition_of(node, slice_text("n"), slice_text("k"));
    unsigned edge = 0, failed = 0, coordinators = 0;

    assert_int_equal(node_owners(node, partition, owners), 2);
    while (id_equal(&owners[0], node_self(net->peers[edge].node)) ||
           id_equal(&owners[1], node_self(net->peers[edge].node)))
        edge++;
    for (unsigned i = 0; i < net->count; i++)
        net->cut[edge][i] = id_equal(&owners[1 - chosen], node_self(net->peers[i].node));
    assert_int_equal(net_put(net, edge, "k", "v")->status, STATUS_OK);
    for (uint8_t i = 1; i < net->reply.route_count; i++) {
        failed += (net->reply.route[i] & ROLE_FAILED) != 0;
        coordinators += (net->reply.route[i] & ROLE_COORD) != 0;
    }
    assert_int_equal(coordinators, 1);
    assert_int_equal(failed, net_metric(net, edge, METRIC_FORWARDED) - 1);
    net_delete(net);
    return failed;
}

static void test_the_route_names_owners_that_were_silent(void **state)
{
    (void)state;
    assert_true(put_heard_by(0) + put_heard_by(1) > 0); /* the first choice was wrong once */
}

static void test_B6_what_was_forwarded_is_not_forwarded_again(void **state)
{
    struct net *net = net_formed(3, 1);
    unsigned owner, edge = edge_of(net, "k", &owner), third = 3 - edge - owner;
    struct node *node = net->peers[third].node;
    struct message asked = {.kind = MESSAGE_OP,
                            .op = {.kind = OP_GET,
                                   .layout = node_layout(node),
                                   .ns = slice_text("n"),
                                   .key = slice_text("k")}};
    struct frame frame = {.request = 77, .deadline_ms = 500};

    (void)state;
    net_run(net, 1);
    node->fx = &net->fx; /* as within a step */
    node_task_asked(node, id_front(node_self(net->peers[edge].node)), &frame, &asked);
    node_settle(node);
    assert_int_equal(pool_used(&node->tasks), 0); /* answered NOT_OWNER at once */
    assert_int_equal(net_metric(net, third, METRIC_FORWARDED), 0);
    effects_reset(&net->fx);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_edge_forwards_and_brings_the_answer_back),
        cmocka_unit_test(test_conditions_are_judged_at_the_owner),
        cmocka_unit_test(test_D14_a_silent_owner_leaves_the_outcome_unknown),
        cmocka_unit_test(test_D14_a_dead_owner_leaves_nothing_stored),
        cmocka_unit_test(test_the_route_names_owners_that_were_silent),
        cmocka_unit_test(test_B6_what_was_forwarded_is_not_forwarded_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
