/* node_stray_test.c: namespaces with replicas of their own: as many peers hold their keys, rows of
 * before a change are carried to where they are kept now, and nothing is collected before everybody
 * has done so. */
#include "gc_net.h"

static enum status set_replicas(struct net *net, unsigned index, const char *ns, uint8_t replicas)
{
    struct op op = {.kind = OP_SPACE_PUT,
                    .ns = slice_text(ns),
                    .space = {.set = SPACE_REPLICAS, .replicas = replicas}};
    enum status status = net_do(net, index, &op)->status;

    net_run(net, 200);
    return status;
}

static bool holds(struct net *net, unsigned index, struct slice row_key)
{
    struct store store = store_memory_ports(net->peers[index].memory);
    struct store_pin pin;

    if (store.get(store.context, STORE_OBJ, row_key, &pin) != STATUS_OK)
        return false;
    store.release(store.context, &pin);
    return true;
}

static unsigned holders(struct net *net, struct slice row_key)
{
    unsigned count = 0;

    for (unsigned i = 0; i < net->count; i++)
        count += holds(net, i, row_key);
    return count;
}

static struct slice row_of(struct net *net, const char *key, uint8_t room[STORE_KEY_SIZE_MAX])
{
    return node_row_key(net->peers[0].node, slice_text("n"), slice_text(key), room);
}

static void test_as_many_peers_hold_a_key(void **state)
{
    struct net *net = net_formed(5, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];

    (void)state;
    for (uint8_t replicas = 1; replicas <= 5; replicas++) {
        assert_int_equal(set_replicas(net, replicas % 5, "n", replicas), STATUS_OK);
        assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
        net_run(net, 100);
        assert_int_equal(holders(net, row_of(net, "k", room)), replicas);
        for (unsigned i = 0; i < 5; i++)
            assert_string_equal(net_value(net, i, "k")->bodies[0], "v");
        assert_int_equal(set_replicas(net, 1, "n", replicas % 5 + 1), STATUS_CONFLICT);
        assert_int_equal(set_replicas(net, 1, "n", replicas), STATUS_OK); /* said again */
        gc_delete(net, 3, "k");
    }
    assert_int_equal(set_replicas(net, 0, "_default", 5), STATUS_UNSUPPORTED);
    assert_int_equal(set_replicas(net, 0, "_default", 3), STATUS_OK);
    net_delete(net);
}

static void test_other_settings_keep_the_replicas(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op brief = {
        .kind = OP_SPACE_PUT, .ns = slice_text("n"), .space = {.set = SPACE_TTL, .ttl_ms = 60000}};
    struct op gone = {.kind = OP_SPACE_DELETE, .ns = slice_text("n")};

    (void)state;
    assert_int_equal(set_replicas(net, 0, "n", 2), STATUS_OK);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &brief)->status, STATUS_OK);
    net_run(net, 100);
    assert_int_equal(node_class(net->peers[2].node, slice_text("n")), 2);
    assert_string_equal(net_value(net, 2, "k")->bodies[0], "v");
    assert_int_equal(net_do(net, 1, &gone)->status, STATUS_CONFLICT);
    gc_delete(net, 0, "k");
    assert_int_equal(net_do(net, 1, &gone)->status, STATUS_OK);
    net_run(net, 100);
    assert_int_equal(node_class(net->peers[2].node, slice_text("n")), 0);
    net_delete(net);
}

/* What is left of before, here tombstones, goes to the owners of now; nobody keeps a stray. */
static void test_rows_of_before_are_carried(void **state)
{
    struct net *net = net_formed(5, 3);
    uint8_t before[STORE_KEY_SIZE_MAX], now[STORE_KEY_SIZE_MAX];
    struct slice was, is;

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    gc_delete(net, 0, "k");
    net_run(net, 100);
    was = row_of(net, "k", before);
    assert_int_equal(holders(net, was), 3);
    assert_int_equal(set_replicas(net, 0, "n", 5), STATUS_OK);
    net_run(net, 3000);
    is = row_of(net, "k", now);
    assert_false(slice_equal(is, was));
    assert_int_equal(holders(net, was), 0);
    assert_int_equal(holders(net, is), 5);
    assert_true(net->traces[TRACE_STRAY_CARRIED] >= 3);
    assert_int_equal(net_value(net, 4, "k")->status, STATUS_MISSING);
    net_delete(net);
}

/* A peer that was away at the change holds what the tombstone deletes: it must not go before. */
static void test_nothing_is_collected_before_all_have_swept(void **state)
{
    struct net *net = net_formed(5, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct node_id owners[REPLICAS_MAX];
    unsigned away = 0;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        gc_on(net, i);
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_run(net, 100);
    assert_int_equal(node_owners(net->peers[0].node, gc_partition(net, "k"), owners), 3);
    while (away == 0 || !holds(net, away, row_of(net, "k", room)))
        away++;
    for (unsigned i = 0; i < 5; i++)
        net->cut[i][away] = net->cut[away][i] = i != away;
    net_run(net, 20);
    gc_delete(net, 0, "k");
    assert_int_equal(set_replicas(net, 0, "n", 1), STATUS_OK);
    net_run(net, 8000);
    assert_true(holders(net, row_of(net, "k", room)) >= 1);
    memset(net->cut, 0, sizeof(net->cut));
    net_run(net, 30000);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(net_value(net, i, "k")->status, STATUS_MISSING);
        assert_int_equal(node_class(net->peers[i].node, slice_text("n")), 1);
        assert_true(node_stray_is_clean(net->peers[i].node));
    }
    assert_int_equal(holders(net, row_of(net, "k", room)), 0); /* collected at last */
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_peers_hold_a_key),
        cmocka_unit_test(test_other_settings_keep_the_replicas),
        cmocka_unit_test(test_rows_of_before_are_carried),
        cmocka_unit_test(test_nothing_is_collected_before_all_have_swept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
