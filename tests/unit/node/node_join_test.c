/* node_join_test.c: who founds, who joins, and that two clusters do not become one. */
#include "node_parts.h"
#include "net.h"

static void test_a_peer_with_a_silent_seed_never_founds(void **state)
{
    static const char *const seeds[] = {"2"};
    struct net *net = net_new(1, 3, seeds);

    (void)state;
    net_opened(net, 0);
    net_run(net, 40000);
    assert_int_equal(net->traces[TRACE_FOUNDED], 0);
    assert_false(node_is_ready(net->peers[0].node));
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_NOT_READY);
    net_delete(net);
}

static void test_of_two_new_peers_the_smaller_id_founds(void **state)
{
    static const char *const seeds[] = {"01", "01"};
    struct net *net = net_new(2, 3, seeds);
    const struct node *first, *second;
    unsigned smaller;

    (void)state;
    first = net->peers[0].node;
    second = net->peers[1].node;
    smaller = id_compare(node_self(first), node_self(second)) < 0 ? 0 : 1;
    net_opened(net, 0);
    net_opened(net, 1);
    net_run(net, 10000);
    assert_int_equal(net->traces[TRACE_FOUNDED], 1);
    assert_true(id_equal(&first->founding.founder, node_self(net->peers[smaller].node)));
    assert_true(id_equal(&second->founding.founder, &first->founding.founder));
    assert_true(node_is_ready(first) && node_is_ready(second));
    assert_int_equal(node_digest(first), node_digest(second));
    net_delete(net);
}

static void test_a_newcomer_becomes_active_and_sees_what_is_there(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 3, seeds);

    (void)state;
    net_opened(net, 0);
    net_run(net, 3000);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_opened(net, 1);
    net_run(net, 200);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_JOINING);
    net_run(net, 10000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_ACTIVE);
    assert_int_equal(net->peers[1].node->keys, 1); /* pulled before it counted */
    assert_string_equal(net_value(net, 1, "k")->bodies[0], "v");
    net_delete(net);
}

/* Rows that come before it would be counted in no sum by a start that finds them without it. */
static void test_the_founding_is_written_before_any_row(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 3, seeds);
    const struct node *joiner;
    struct store_pin pin;

    (void)state;
    joiner = net->peers[1].node;
    net_opened(net, 0);
    net_run(net, 3000);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_opened(net, 1);
    for (unsigned i = 0; i < 10000 && joiner->keys == 0; i++)
        net_run(net, 1);
    assert_int_equal(joiner->keys, 1);
    assert_int_equal(net_get(&net->peers[1], STORE_SYS, slice_text("founding"), &pin), STATUS_OK);
    net_unpin(&net->peers[1], &pin);
    net_delete(net);
}

static void test_M13_clusters_born_apart_are_not_merged(void **state)
{
    static const char *const seeds[] = {"", ""};
    struct net *net = net_new(2, 3, seeds);
    struct op join = {.kind = OP_JOIN, .key = slice_text("seeds")};
    uint64_t layouts[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        net_opened(net, i);
        net_run(net, 3000);
        assert_int_equal(net_put(net, i, "k", i ? "theirs" : "ours")->status, STATUS_OK);
        layouts[i] = node_layout(net->peers[i].node);
    }
    assert_int_equal(net->traces[TRACE_FOUNDED], 2);
    net->peers[1].seeds = "0"; /* the operator points one at the other */
    (void)net_do(net, 1, &join);
    net_run(net, 15000);
    assert_true(net->traces[TRACE_FOUNDING_CONFLICT] > 0);
    assert_true(net_metric(net, 0, METRIC_INCIDENTS) + net_metric(net, 1, METRIC_INCIDENTS) > 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(node_layout(net->peers[i].node), layouts[i]);
    assert_string_equal(net_value(net, 0, "k")->bodies[0], "ours");
    assert_string_equal(net_value(net, 1, "k")->bodies[0], "theirs");
    net_delete(net);
}

static void test_an_empty_cluster_of_one_gives_way(void **state)
{
    static const char *const seeds[] = {"", ""};
    struct net *net = net_new(2, 3, seeds);
    struct op join = {.kind = OP_JOIN, .key = slice_text("seeds")};

    (void)state;
    net_opened(net, 0);
    net_run(net, 3000);
    net_opened(net, 1); /* founds later: the earlier founding stays */
    net_run(net, 500);
    net->peers[1].seeds = "0";
    (void)net_do(net, 1, &join);
    net_run(net, 15000);
    assert_true(id_equal(&net->peers[1].node->founding.founder, node_self(net->peers[0].node)));
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_ACTIVE);
    net_delete(net);
}

static void test_an_answer_nobody_asked_for_is_ignored(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 3, seeds);
    struct message joined = {.kind = MESSAGE_JOINED, .joined = {.boot_seen = UINT64_MAX}};
    struct node *node;
    struct node_link link = {.peer = 0};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        net_opened(net, i);
        net_run(net, 3000);
    }
    node = net->peers[0].node;
    link.peer = net->peers[1].node->self;
    joined.joined.record = swim_own_record(net->peers[1].node->swim);
    assert_int_equal(node_peer(node, link.peer)->join_at, 0);
    node_join_message(node, &link, &joined);
    assert_false(node->is_recovering); /* what it says of our boots would have made us doubt */
    net_delete(net);
}

static void test_M3_a_restart_announces_a_higher_incarnation(void **state)
{
    struct net *net = net_formed(2, 3);
    const struct node_id *id = &net->peers[1].identity.id;
    uint64_t before = node_member_incarnation(net->peers[1].node, id);
    uint64_t epoch = net->peers[1].node->epoch;

    (void)state;
    net_kill(net, 1);
    net_boot(net, 1);
    net_run(net, 3000);
    assert_true(node_member_incarnation(net->peers[1].node, id) > before);
    assert_true(net->peers[1].node->epoch != epoch); /* W2: no nonce is used again */
    assert_int_equal(node_member_incarnation(net->peers[0].node, id),
                     node_member_incarnation(net->peers[1].node, id));
    assert_int_equal(node_member_rank(net->peers[0].node, id), RANK_ALIVE);
    assert_int_equal(net->traces[TRACE_FOUNDED], 1); /* it remembers where it belongs */
    net_delete(net);
}

/* A peer without seeds asks members what they remember of it. Its own number is no news to it. */
static void test_M14_an_incarnation_comes_to_rest(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* without a seed, and with one */
        uint64_t before;

        net_kill(net, i);
        net_boot(net, i);
        net_run(net, 5000);
        before = node_own_incarnation(net->peers[i].node);
        net_run(net, 60000);
        assert_int_equal(node_own_incarnation(net->peers[i].node), before);
    }
    net_delete(net);
}

/* A copy that is one opening old begins with the boot counter of the opening that is lost. */
static void test_S5_a_boot_counter_used_twice_is_noticed(void **state)
{
    struct net *net = net_formed(2, 3);

    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* with a seed, and without */
        net_kill(net, i);
        net_boot(net, i);
        net_run(net, 5000);
        assert_int_equal(net->traces[TRACE_IDENTITY_BEHIND], i);
        net_kill(net, i);
        net->peers[i].boots--;
        net_boot(net, i);
        net_run(net, 5000);
        assert_int_equal(net->traces[TRACE_IDENTITY_BEHIND], i + 1);
        assert_false(node_is_recovering(net->peers[i].node)); /* compared by now */
    }
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_peer_with_a_silent_seed_never_founds),
        cmocka_unit_test(test_of_two_new_peers_the_smaller_id_founds),
        cmocka_unit_test(test_a_newcomer_becomes_active_and_sees_what_is_there),
        cmocka_unit_test(test_the_founding_is_written_before_any_row),
        cmocka_unit_test(test_M13_clusters_born_apart_are_not_merged),
        cmocka_unit_test(test_an_empty_cluster_of_one_gives_way),
        cmocka_unit_test(test_an_answer_nobody_asked_for_is_ignored),
        cmocka_unit_test(test_S5_a_boot_counter_used_twice_is_noticed),
        cmocka_unit_test(test_M14_an_incarnation_comes_to_rest),
        cmocka_unit_test(test_M3_a_restart_announces_a_higher_incarnation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
