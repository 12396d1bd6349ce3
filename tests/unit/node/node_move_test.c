/* node_move_test.c: coming and going: who counts when, and that nothing is left behind. */
#include "net.h"
#include "node_parts.h"

static void test_a_joiner_counts_only_after_it_has_pulled(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 3, seeds);
    char key[16];

    (void)state;
    net_opened(net, 0);
    net_run(net, 3000);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net->peers[1].is_held = true; /* it pulls, and cannot store what it pulled */
    net_opened(net, 1);
    net_run(net, 8000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_JOINING);
    net->peers[1].is_held = false;
    net_run(net, 8000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_ACTIVE);
    assert_int_equal(net->peers[1].node->keys, 40);
    net_delete(net);
}

static void test_B9_a_leaver_hands_over_before_it_stops(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op leave = {.kind = OP_LEAVE};
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, i % 3, key, "v")->status, STATUS_OK);
    }
    assert_true(net->peers[2].node->keys > 0);
    assert_int_equal(net_do(net, 2, &leave)->status, STATUS_OK);
    net_run(net, 3000);
    assert_int_equal(net->traces[TRACE_HANDED_OVER], 1);
    assert_int_equal(net->peers[2].stops, 1);
    assert_int_equal(node_deadline(net->peers[2].node), INSTANT_NEVER);
    net_kill(net, 2);
    net_run(net, 3000);
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[2].identity.id), RANK_LEFT);
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_value(net, i % 2, key)->status, STATUS_OK);
    }
    net_delete(net);
}

static void test_a_leaver_waits_for_an_heir_that_cannot_store(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net->peers[0].is_held = true;
    (void)net_ask(net, 1, &leave);
    net_run(net, 10000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_LEAVING);
    assert_int_equal(net->peers[1].stops, 0);
    net->peers[0].is_held = false;
    net_run(net, 10000);
    assert_int_equal(net->peers[1].stops, 1);
    assert_int_equal(net->peers[0].node->keys, 30);
    net_delete(net);
}

static void test_the_last_peer_may_leave_at_once(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op leave = {.kind = OP_LEAVE};

    (void)state;
    assert_int_equal(net_do(net, 0, &leave)->status, STATUS_OK);
    net_run(net, 3000);
    assert_int_equal(net->peers[0].stops, 1);
    net_delete(net);
}

static void test_D11_a_peer_in_recovery_does_not_vote(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op one = net_op(OP_GET, "k", NULL);

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_run(net, 100);
    net->peers[1].node->is_recovering = true; /* as after a torn log */
    net->peers[1].is_cold = false;
    net_kill(net, 2);
    net_run(net, 1000); /* one other copy is not enough to be compared with */
    one.consistency = CONSISTENCY_QUORUM;
    assert_true(net_do(net, 0, &one)->status != STATUS_OK); /* one sound copy of three */
    net_boot(net, 2);
    net_run(net, 8000);
    assert_false(net->peers[1].node->is_recovering);
    assert_true(net->traces[TRACE_RECOVERED] > 0);
    assert_int_equal(net_do(net, 0, &one)->status, STATUS_OK);
    net_delete(net);
}

static void test_D3_a_peer_that_was_away_is_brought_up_to_date(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op gone = net_op(OP_DELETE, "k1", NULL), near = net_op(OP_GET, "k2", NULL);
    uint32_t rows;

    (void)state;
    assert_int_equal(net_put(net, 0, "k1", "v")->status, STATUS_OK);
    assert_int_equal(net_put(net, 0, "k2", "v")->status, STATUS_OK);
    net_run(net, 100);
    net_kill(net, 2);
    net_run(net, 10000);
    assert_int_equal(net_put(net, 0, "k2", "newer")->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &gone)->status, STATUS_OK);
    net_boot(net, 2);
    net_run(net, 10000);
    for (uint32_t p = 0; p < 8; p++) {
        struct hash16 a = node_fingerprint(net->peers[0].node, p, &rows);
        struct hash16 b = node_fingerprint(net->peers[2].node, p, &rows);

        assert_memory_equal(&a, &b, sizeof(a));
    }
    assert_true(net->traces[TRACE_SYNC_REPAIRED] > 0);
    near.consistency = CONSISTENCY_ONE;
    assert_string_equal(net_do(net, 2, &near)->bodies[0], "newer"); /* its own copy */
    net_kill(net, 0);
    assert_string_equal(net_value(net, 2, "k2")->bodies[0], "newer");
    assert_int_equal(net_value(net, 2, "k1")->status, STATUS_MISSING);
    net_delete(net);
}

/* Hands a PUT_OBJ to a node, and tells whether it begins to store it. */
static bool stores(struct net *net, struct node *node, uint64_t from, const struct message *put)
{
    struct frame frame = {.request = 77};
    bool is_written = false;

    node->fx = &net->fx; /* as within a step */
    node_replica_asked(node, from, &frame, put);
    node_settle(node);
    for (uint32_t i = 0; i < net->fx.count; i++)
        is_written |= net->fx.items[i].kind == EFFECT_WRITE;
    effects_reset(&net->fx);
    return is_written;
}

static void test_K7_a_write_counted_under_another_layout_is_refused(void **state)
{
    struct net *net = net_formed(2, 3);
    struct node *node = net->peers[1].node;
    uint64_t from = id_front(node_self(net->peers[0].node));
    struct crdt_object *object = calloc(1, sizeof(*object));
    struct crdt_value value = {.kind = CRDT_VALUE};
    uint8_t room[256];
    struct writer out = writer_over(room, sizeof(room));
    struct message put = {.kind = MESSAGE_PUT_OBJ,
                          .put_obj = {.ns = slice_text("n"), .key = slice_text("k")}};

    (void)state;
    assert_int_equal(crdt_object_write(object, NULL, 5, 10, &value), STATUS_OK);
    assert_int_equal(crdt_object_encode(object, &out), STATUS_OK);
    put.put_obj.object = writer_done(&out);
    put.put_obj.layout = node_layout(node) ^ 1;
    assert_false(stores(net, node, from, &put));
    assert_int_equal(pool_used(&node->tasks), 0);
    put.put_obj.layout = node_layout(node);
    assert_true(stores(net, node, from, &put));
    free(object);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_joiner_counts_only_after_it_has_pulled),
        cmocka_unit_test(test_B9_a_leaver_hands_over_before_it_stops),
        cmocka_unit_test(test_a_leaver_waits_for_an_heir_that_cannot_store),
        cmocka_unit_test(test_the_last_peer_may_leave_at_once),
        cmocka_unit_test(test_D11_a_peer_in_recovery_does_not_vote),
        cmocka_unit_test(test_K7_a_write_counted_under_another_layout_is_refused),
        cmocka_unit_test(test_D3_a_peer_that_was_away_is_brought_up_to_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
