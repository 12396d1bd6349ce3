/* node_update_test.c: changes of typed rows at their coordinator: types are kept, counters commit
 * before they are sent, an element's collection is looked at first. */
#include "net.h"
#include "node_parts.h"

static struct op update_op(const char *key, enum value_type type, const char *arg, size_t size)
{
    struct op op = net_op(OP_UPDATE, key, NULL);

    op.type = (uint8_t)type;
    op.body = slice_of(arg, size);
    return op;
}

static const struct net_reply *add(struct net *net, unsigned index, const char *key, int64_t delta)
{
    uint8_t arg[8];
    struct op op = update_op(key, TYPE_COUNTER, (const char *)arg, sizeof(arg));

    bytes_store_u64(arg, (uint64_t)delta);
    return net_do(net, index, &op);
}

static const struct net_reply *element(struct net *net, unsigned index, const char *name,
                                       size_t size, enum value_type type)
{
    struct op op = update_op("", type, NULL, 0);

    op.key = slice_of(name, size);
    return net_do(net, index, &op);
}

static unsigned types_of(struct net *net, unsigned index, const char *name, size_t size)
{
    struct op op = net_op(OP_GET, "", NULL);

    op.key = slice_of(name, size);
    (void)net_do(net, index, &op);
    return net->reply.status == STATUS_OK ? net->reply.types : 0;
}

static void test_every_peer_counts(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(add(net, i % 3, "hits", i % 2 ? -1 : 10)->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_value(net, i, "hits")->status, STATUS_OK);
        assert_int_equal(net->reply.number, 46);
        assert_int_equal(net->reply.types, 1u << TYPE_COUNTER);
    }
    net_delete(net);
}

static void test_an_edge_that_owns_no_copy_counts_once(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op op;
    uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(add(net, i, "k", 1)->status, STATUS_OK);
    op = update_op("k", TYPE_COUNTER, (const char *)one, 8);
    op.shows = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &op)->status, STATUS_OK);
        assert_int_equal(net->reply.number, 4 + i); /* the new value came with the answer */
    }
    net_delete(net);
}

/* A silent owner may have counted: no other is asked to do it again. */
static void test_a_silent_owner_is_not_followed_by_another(void **state)
{
    struct net *net = net_formed(3, 2);
    struct node_id owners[REPLICAS_MAX];
    unsigned edge = 0;
    int64_t before;

    (void)state;
    assert_int_equal(add(net, 0, "k", 1)->status, STATUS_OK);
    node_owners(net->peers[0].node,
                node_partition_of(net->peers[0].node, slice_text("n"), slice_text("k")), owners);
    for (unsigned i = 0; i < 3; i++)
        if (!id_equal(&owners[0], node_self(net->peers[i].node)) &&
            !id_equal(&owners[1], node_self(net->peers[i].node)))
            edge = i;
    for (unsigned i = 0; i < 3; i++)
        net->cut[i][edge] = i != edge; /* answers are lost */
    assert_true(add(net, edge, "k", 1)->status != STATUS_OK);
    assert_int_equal(net->reply.outcome, OUTCOME_UNKNOWN);
    for (unsigned i = 0; i < 3; i++)
        net->cut[i][edge] = false;
    net_run(net, 3000);
    assert_int_equal(net_value(net, edge, "k")->status, STATUS_OK);
    before = net->reply.number;
    assert_int_equal(before, 2);
    net_delete(net);
}

/* Nothing of a counter is sent before it is durable here: a commit that finds no room leaves no
 * trace, so the next increment counts once. */
static void test_a_refused_commit_was_never_sent(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    assert_int_equal(add(net, 0, "k", 5)->status, STATUS_OK);
    net->peers[0].commit = STATUS_NO_SPACE;
    assert_int_equal(add(net, 0, "k", 100)->status, STATUS_NO_SPACE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net->peers[0].commit = STATUS_OK;
    assert_int_equal(add(net, 0, "k", 1)->status, STATUS_OK);
    net_run(net, 3000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_value(net, i, "k")->status, STATUS_OK);
        assert_int_equal(net->reply.number, 6);
    }
    net_delete(net);
}

static void test_a_counter_without_quorum_is_refused_before_it_counts(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    assert_int_equal(add(net, 0, "k", 5)->status, STATUS_OK);
    net_kill(net, 1);
    net_kill(net, 2);
    net_run(net, 15000);
    assert_int_equal(add(net, 0, "k", 1)->status, STATUS_UNREACHABLE);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net_delete(net);
}

static void test_a_key_keeps_its_type(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op flag = update_op("k", TYPE_FLAG, "\1", 1), drop = net_op(OP_DELETE, "k", NULL);

    (void)state;
    assert_int_equal(add(net, 0, "k", 5)->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &flag)->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_COUNTER);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    assert_int_equal(net_put(net, 2, "k", "v")->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_COUNTER);
    assert_int_equal(net_do(net, 1, &drop)->status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_MISSING);
    assert_int_equal(net_do(net, 1, &flag)->status, STATUS_OK);
    assert_true(net_value(net, 2, "k")->is_true);
    assert_int_equal(net_put(net, 2, "v", "v")->status, STATUS_OK);
    flag = update_op("v", TYPE_FLAG, "\1", 1);
    assert_int_equal(net_do(net, 1, &flag)->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_VALUE);
    net_delete(net);
}

/* An owner that missed the first write asks before it gives the key a second type. */
static void test_a_stale_owner_asks_before_it_gives_a_type(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op flag = update_op("k", TYPE_FLAG, "\1", 1);

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    assert_int_equal(add(net, 0, "k", 5)->status, STATUS_OK);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = false;
    assert_int_equal(net_do(net, 2, &flag)->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_COUNTER);
    net_delete(net);
}

/* Two types after a partition: both are shown, each can be removed, then writes go on. */
static void test_one_of_two_types_is_removed(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op flag = update_op("k", TYPE_FLAG, "\1", 1), drop = net_op(OP_DELETE, "k", NULL);
    uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    struct op count = update_op("k", TYPE_COUNTER, (const char *)one, 8);

    (void)state;
    flag.consistency = count.consistency = CONSISTENCY_ONE;
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    assert_int_equal(net_do(net, 2, &flag)->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &count)->status, STATUS_OK);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = false;
    net_run(net, 10000);
    assert_int_equal(net_value(net, 1, "k")->status, STATUS_OK);
    assert_int_equal(net->reply.types, 1u << TYPE_COUNTER | 1u << TYPE_FLAG);
    assert_int_equal(add(net, 1, "k", 1)->status, STATUS_TYPE);
    drop.type = TYPE_FLAG;
    assert_int_equal(net_do(net, 1, &drop)->status, STATUS_OK);
    assert_int_equal(add(net, 1, "k", 1)->status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k")->number, 2);
    net_delete(net);
}

static void test_registers_and_sketches(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op op = update_op("r", TYPE_REGISTER, "one", 3);

    (void)state;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    op = update_op("r", TYPE_REGISTER, "two", 3);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
    assert_string_equal(net_value(net, 2, "r")->bodies[0], "two");
    op = update_op("m", TYPE_MVREGISTER, "x", 1);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    (void)net_value(net, 1, "m");
    op = update_op("m", TYPE_MVREGISTER, "y", 1);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    op.context = slice_of(net->reply.context, 1);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_CONTEXT);
    op = update_op("h", TYPE_HLL, "\0\1a\0\1b\0\1a", 9);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    op = update_op("h", TYPE_HLL, "\0\1c\0\1b", 6);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
    assert_int_equal(net_value(net, 2, "h")->number, 3);
    net_delete(net);
}

/* --- elements */

#define IN_SET(member) "s\0\3" member, sizeof("s\0\3" member) - 1

static void test_an_element_makes_its_head_once(void **state)
{
    struct net *net = net_formed(3, 3);
    uint32_t writes;

    (void)state;
    assert_int_equal(element(net, 0, IN_SET("a"), TYPE_VALUE)->status, STATUS_OK);
    assert_int_equal(types_of(net, 1, "s", 1), 1u << TYPE_SET);
    assert_int_equal(types_of(net, 2, IN_SET("a")), 1u << TYPE_VALUE);
    net_run(net, 3000);
    writes = net->peers[0].writes;
    assert_int_equal(element(net, 0, IN_SET("b"), TYPE_VALUE)->status, STATUS_OK);
    assert_int_equal(net->peers[0].writes, writes + 1); /* one row */
    assert_int_equal(types_of(net, 1, IN_SET("b")), 1u << TYPE_VALUE);
    net_delete(net);
}

static void test_an_element_of_another_type_is_refused(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    assert_int_equal(add(net, 0, "s", 1)->status, STATUS_OK);
    assert_int_equal(element(net, 1, IN_SET("a"), TYPE_VALUE)->status, STATUS_TYPE);
    assert_int_equal(net->reply.types, 1u << TYPE_COUNTER);
    assert_int_equal(types_of(net, 1, IN_SET("a")), 0);
    net_delete(net);
}

static void test_a_removal_takes_what_was_observed(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    assert_int_equal(element(net, 0, IN_SET("a"), TYPE_TOMBSTONE)->status, STATUS_OK);
    assert_int_equal(types_of(net, 1, "s", 1), 0); /* nothing to remove, nothing made */
    assert_int_equal(element(net, 0, IN_SET("a"), TYPE_VALUE)->status, STATUS_OK);
    assert_int_equal(element(net, 1, IN_SET("a"), TYPE_TOMBSTONE)->status, STATUS_OK);
    assert_int_equal(types_of(net, 2, IN_SET("a")), 0);
    assert_int_equal(types_of(net, 2, "s", 1), 1u << TYPE_SET);
    assert_int_equal(element(net, 2, IN_SET("a"), TYPE_VALUE)->status, STATUS_OK);
    assert_int_equal(types_of(net, 0, IN_SET("a")), 1u << TYPE_VALUE);
    net_delete(net);
}

/* The owner that coordinates has not heard of the head: it asks, and does not make another. */
static void test_a_stale_owner_finds_the_head_elsewhere(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    assert_int_equal(element(net, 0, IN_SET("a"), TYPE_VALUE)->status, STATUS_OK);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = false;
    assert_int_equal(element(net, 2, IN_SET("b"), TYPE_VALUE)->status, STATUS_OK);
    net_run(net, 5000);
    assert_int_equal(net_value(net, 2, "s")->values, 1);
    assert_int_equal(types_of(net, 0, IN_SET("b")), 1u << TYPE_VALUE);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_peer_counts),
        cmocka_unit_test(test_an_edge_that_owns_no_copy_counts_once),
        cmocka_unit_test(test_a_silent_owner_is_not_followed_by_another),
        cmocka_unit_test(test_a_refused_commit_was_never_sent),
        cmocka_unit_test(test_a_counter_without_quorum_is_refused_before_it_counts),
        cmocka_unit_test(test_a_key_keeps_its_type),
        cmocka_unit_test(test_a_stale_owner_asks_before_it_gives_a_type),
        cmocka_unit_test(test_one_of_two_types_is_removed),
        cmocka_unit_test(test_registers_and_sketches),
        cmocka_unit_test(test_an_element_makes_its_head_once),
        cmocka_unit_test(test_an_element_of_another_type_is_refused),
        cmocka_unit_test(test_a_removal_takes_what_was_observed),
        cmocka_unit_test(test_a_stale_owner_finds_the_head_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
