/* node_space_test.c: settings of namespaces reach every peer, outlive it, and are acted on. */
#include "net.h"
#include "node_parts.h"

static const struct net_reply *space_set(struct net *net, unsigned index, const char *ns,
                                         struct space_settings settings)
{
    struct op op = {.kind = OP_SPACE_PUT, .ns = slice_text(ns), .space = settings};

    return net_do(net, index, &op);
}

static enum status space_do(struct net *net, unsigned index, enum op_kind kind, const char *ns)
{
    struct op op = {.kind = kind, .ns = slice_text(ns)};

    return net_do(net, index, &op)->status;
}

static struct space_settings holds(struct net *net, unsigned index, const char *ns)
{
    struct space_settings settings;

    node_space_settings(net->peers[index].node, slice_text(ns), &settings);
    return settings;
}

static const struct space_settings lww = {.set = SPACE_CONFLICT, .conflict = CONFLICT_LWW};
static const struct space_settings brief = {.set = SPACE_TTL, .ttl_ms = 2000};

static void test_settings_reach_everybody_and_who_comes_later(void **state)
{
    static const char *const seeds[] = {"", "0", "0"};
    struct net *net = net_new(3, 3, seeds);

    (void)state;
    net_opened(net, 0);
    net_opened(net, 1);
    net_run(net, 10000);
    assert_int_equal(space_do(net, 0, OP_SPACE_GET, "n"), STATUS_MISSING);
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    assert_true(net->reply.is_created);
    net_run(net, 100);
    assert_int_equal(holds(net, 1, "n").conflict, CONFLICT_LWW);
    assert_int_equal(holds(net, 1, "m").conflict, CONFLICT_SIBLINGS);
    assert_int_equal(space_do(net, 1, OP_SPACE_GET, "n"), STATUS_OK);
    net_opened(net, 2); /* was not there when it was told */
    net_run(net, 10000);
    assert_int_equal(holds(net, 2, "n").conflict, CONFLICT_LWW);
    assert_true(node_digest(net->peers[2].node) == node_digest(net->peers[0].node));
    net_delete(net);
}

static void test_cut_sides_agree_on_the_newest(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    net->cut[2][0] = net->cut[2][1] = net->cut[0][2] = net->cut[1][2] = true;
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    net_run(net, 500);
    assert_int_equal(space_set(net, 2, "n", brief)->status, STATUS_OK);
    assert_int_equal(space_set(net, 2, "m", lww)->status, STATUS_OK);
    memset(net->cut, 0, sizeof(net->cut));
    net_run(net, 20000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(holds(net, i, "n").conflict, CONFLICT_SIBLINGS);
        assert_true(holds(net, i, "n").ttl_ms == 2000);
        assert_int_equal(holds(net, i, "m").conflict, CONFLICT_LWW);
    }
    net_delete(net);
}

static void test_settings_outlive_the_process(void **state)
{
    struct net *net = net_formed(1, 3);

    (void)state;
    assert_int_equal(space_set(net, 0, "_default", brief)->status, STATUS_OK);
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    assert_int_equal(space_set(net, 0, "gone", lww)->status, STATUS_OK);
    assert_int_equal(space_do(net, 0, OP_SPACE_DELETE, "gone"), STATUS_OK);
    net_run(net, 10);
    net_kill(net, 0);
    net_boot(net, 0);
    net_run(net, 3000);
    assert_int_equal(holds(net, 0, "n").conflict, CONFLICT_LWW);
    assert_true(holds(net, 0, "n").ttl_ms == 2000);
    assert_int_equal(holds(net, 0, "gone").conflict, CONFLICT_SIBLINGS);
    assert_int_equal(space_do(net, 0, OP_SPACE_GET, "gone"), STATUS_MISSING);
    net_delete(net);
}

/* A time to live that nobody named, through an edge that forwards. */
static void test_values_get_the_life_of_their_namespace(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op own = net_op(OP_PUT, "own", "v");

    (void)state;
    assert_int_equal(space_set(net, 0, "n", brief)->status, STATUS_OK);
    net_run(net, 100);
    own.ttl_ms = 60000;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_put(net, i, "k", "v")->status, STATUS_OK);
        assert_true(net->reply.expires_ms > 0);
    }
    assert_int_equal(net_do(net, 1, &own)->status, STATUS_OK);
    net_run(net, 2100);
    assert_int_equal(net_value(net, 1, "k")->status, STATUS_MISSING);
    assert_int_equal(net_value(net, 1, "own")->status, STATUS_OK);
    net_delete(net);
}

static void test_the_consistency_of_the_namespace(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op put = net_op(OP_PUT, "k", "v");

    (void)state;
    assert_int_equal(
        space_set(net, 0, "n", (struct space_settings){SPACE_CONSISTENCY, 0, 1, 0, 0})->status,
        STATUS_OK);
    net_run(net, 100);
    net->cut[0][1] = net->cut[0][2] = net->cut[1][0] = net->cut[2][0] = true;
    assert_int_equal(net_do(net, 0, &put)->status, STATUS_OK);
    assert_int_equal(net->reply.required, 1);
    assert_int_equal(net_value(net, 0, "k")->status, STATUS_OK);
    put.consistency = CONSISTENCY_QUORUM; /* what a request names wins */
    assert_true(net_do(net, 0, &put)->status != STATUS_OK);
    net_delete(net);
}

/* Two sides write, both are heard, one value is left, the same everywhere; a delete wins as well.
 */
static void test_of_concurrent_writes_the_newest_stays(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op put = net_op(OP_PUT, "k", "early"), all = net_op(OP_GET, "k", NULL);
    struct op gone = net_op(OP_DELETE, "d", NULL), list = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    all.has_siblings = true;
    put.consistency = gone.consistency = CONSISTENCY_ONE;
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    net_run(net, 100);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            net->cut[i][j] = i != j;
    assert_int_equal(net_do(net, 0, &put)->status, STATUS_OK);
    put.key = slice_text("d");
    assert_int_equal(net_do(net, 0, &put)->status, STATUS_OK);
    net_run(net, 50);
    put.key = slice_text("k");
    put.body = slice_text("middle");
    assert_int_equal(net_do(net, 1, &put)->status, STATUS_OK);
    net_run(net, 50);
    put.body = slice_text("late");
    assert_int_equal(net_do(net, 2, &put)->status, STATUS_OK);
    gone.context = SLICE_NONE;
    put.key = slice_text("d");
    assert_int_equal(net_do(net, 2, &put)->status, STATUS_OK);
    assert_int_equal(net_do(net, 2, &gone)->status, STATUS_OK);
    memset(net->cut, 0, sizeof(net->cut));
    net_run(net, 20000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &all)->status, STATUS_OK);
        assert_int_equal(net->reply.values, 1);
        assert_string_equal(net->reply.bodies[0], "late");
        assert_int_equal(net_value(net, i, "d")->status, STATUS_MISSING);
        assert_int_equal(net_do(net, i, &list)->status, STATUS_OK);
        assert_int_equal(net->reply.items, 1);
    }
    net_delete(net);
}

static void test_a_namespace_with_keys_keeps_its_settings(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op gone = net_op(OP_DELETE, "k", NULL);

    (void)state;
    assert_int_equal(space_do(net, 0, OP_SPACE_DELETE, "n"), STATUS_MISSING);
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    net_run(net, 100);
    assert_int_equal(space_set(net, 1, "n", lww)->status, STATUS_OK);
    assert_false(net->reply.is_created);
    assert_int_equal(net_put(net, 1, "k", "v")->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(space_do(net, i, OP_SPACE_DELETE, "n"), STATUS_CONFLICT);
    assert_int_equal(net_do(net, 1, &gone)->status, STATUS_OK);
    assert_int_equal(space_do(net, 2, OP_SPACE_DELETE, "n"), STATUS_OK);
    net_run(net, 100);
    assert_int_equal(holds(net, 1, "n").conflict, CONFLICT_SIBLINGS);
    assert_int_equal(space_do(net, 1, OP_SPACE_DELETE, "n"), STATUS_MISSING);
    assert_int_equal(space_do(net, 1, OP_SPACE_LIST, ""), STATUS_OK);
    net_delete(net);
}

static void test_what_cannot_be_done_is_refused(void **state)
{
    struct net *net = net_formed(1, 3);
    char name[16];

    (void)state;
    assert_int_equal(
        space_set(net, 0, "_default", (struct space_settings){SPACE_REPLICAS, 5, 0, 0, 0})->status,
        STATUS_UNSUPPORTED); /* fixed by the founding */
    assert_int_equal(
        space_set(net, 0, "n", (struct space_settings){SPACE_REPLICAS, 3, 0, 0, 0})->status,
        STATUS_OK);
    for (unsigned i = 1; i < NAMESPACES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(space_set(net, 0, name, lww)->status, STATUS_OK);
    }
    assert_int_equal(space_set(net, 0, "more", lww)->status, STATUS_FULL);
    net_delete(net);
}

/* Rows of elements merge by the rules of their type, whatever the namespace says. */
static void test_elements_are_not_collapsed(void **state)
{
    struct net *net = net_formed(1, 3);
    struct node *node = net->peers[0].node;

    (void)state;
    assert_int_equal(space_set(net, 0, "n", lww)->status, STATUS_OK);
    assert_true(node_space_is_lww(node, slice_text("n"), slice_text("set")));
    assert_false(node_space_is_lww(node, slice_text("n"), slice_of("set\0a", 5)));
    assert_false(node_space_is_lww(node, slice_text("m"), slice_text("set")));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_reach_everybody_and_who_comes_later),
        cmocka_unit_test(test_cut_sides_agree_on_the_newest),
        cmocka_unit_test(test_settings_outlive_the_process),
        cmocka_unit_test(test_values_get_the_life_of_their_namespace),
        cmocka_unit_test(test_the_consistency_of_the_namespace),
        cmocka_unit_test(test_of_concurrent_writes_the_newest_stays),
        cmocka_unit_test(test_a_namespace_with_keys_keeps_its_settings),
        cmocka_unit_test(test_what_cannot_be_done_is_refused),
        cmocka_unit_test(test_elements_are_not_collapsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
