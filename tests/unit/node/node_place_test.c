/* node_place_test.c: a peer's own record on the placement list: who may change it, from what to
 * what, and who is told. */
#include "net.h"
#include "node_parts.h"

static struct place_record own_record(struct net *net, unsigned peer)
{
    struct node *node = net->peers[peer].node;

    return *place_find(node->place, node->self);
}

/* Lets a peer hear a record of itself, as it comes from another in a comparison of tables. */
static void tell(struct net *net, unsigned peer, const struct place_record *record)
{
    struct node *node = net->peers[peer].node;
    uint8_t room[PLACE_RECORD_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));

    assert_int_equal(wire_place_encode(record, &out), STATUS_OK);
    node->fx = &net->fx;
    node_place_received(node, writer_done(&out));
    effects_reset(&net->fx);
    node->fx = NULL;
}

static void test_a_joiner_that_leaves_never_counts(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 1, seeds);
    struct op leave = {.kind = OP_LEAVE};
    char key[16];

    (void)state;
    net_opened(net, 0);
    net_run(net, 3000);
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net->peers[1].is_held = true; /* it pulls, and cannot store what it pulled */
    net_opened(net, 1);
    net_run(net, 5000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_JOINING);
    (void)net_ask(net, 1, &leave);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_OUT);
    assert_int_equal(net->reply.status, STATUS_OK);
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_value(net, 0, key)->status, STATUS_OK);
    }
    net_run(net, 3000);
    assert_int_equal(net->peers[1].stops, 1);
    net_delete(net);
}

static void test_everybody_who_asks_to_leave_is_answered(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};
    char key[8];
    ticket first;

    (void)state;
    for (unsigned i = 0; i < 8; i++) { /* some of them are peer 1's to hand over */
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net->peers[0].is_held = true;
    first = net_ask(net, 1, &leave);
    net_run(net, 500);
    (void)net_ask(net, 1, &leave);
    assert_int_equal(net->reply.ticket, first);
    assert_int_equal(net->reply.status, STATUS_BUSY);
    net->peers[0].is_held = false;
    net_run(net, 5000);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_int_equal(net->peers[1].stops, 1);
    net_delete(net);
}

static void test_a_peer_that_is_out_stays_out_when_asked_again(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};

    (void)state;
    assert_int_equal(net_do(net, 1, &leave)->status, STATUS_OK);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_OUT);
    (void)net_ask(net, 1, &leave);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_OUT);
    net_run(net, 3000);
    assert_int_equal(net->peers[1].stops, 1);
    net_delete(net);
}

static void test_K7_a_record_from_a_clock_far_ahead_is_replaced(void **state)
{
    struct net *net = net_formed(2, 1);
    struct op leave = {.kind = OP_LEAVE};
    struct place_record record = own_record(net, 1);

    (void)state;
    record.stamp = crdt_stamp_of(NET_WALL_MS + 100ull * 365 * 86400 * 1000); /* a hundred years */
    record.by = net->peers[0].node->self;
    tell(net, 1, &record);
    assert_int_equal(net_do(net, 1, &leave)->status, STATUS_OK);
    net_run(net, 3000);
    assert_int_equal(net->peers[1].stops, 1);
    record.stamp = UINT64_MAX; /* nothing could follow that */
    tell(net, 0, &record);
    assert_true(place_find(net->peers[0].node->place, id_front(&record.id))->stamp != UINT64_MAX);
    net_delete(net);
}

static void test_a_peer_that_forgot_its_leaving_joins_again(void **state)
{
    struct net *net = net_formed(2, 1);
    struct place_record record = own_record(net, 1);

    (void)state;
    record.state = PLACE_OUT; /* the crash came before this was on its disk */
    record.stamp += 1u << 20;
    tell(net, 1, &record);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_JOINING);
    net_run(net, 8000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_ACTIVE);
    net_delete(net);
}

static void test_another_weight_does_not_move_base_at_once(void **state)
{
    struct net *net = net_formed(2, 1);
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, 0, key, "v")->status, STATUS_OK);
    }
    net_run(net, 2000); /* the lists are on disk */
    net_kill(net, 1);
    net_make(net, 1);
    net->peers[1].node->config.weight = 16384;
    net->peers[1].is_held = true; /* nothing is pulled meanwhile */
    net_opened(net, 1);
    net_run(net, 3000);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_value(net, 0, key)->status, STATUS_OK);
    }
    net_delete(net);
}

static void test_D11_a_peer_whose_store_was_lost_does_not_vote(void **state)
{
    struct net *net = net_formed(3, 3);
    struct net_peer *peer = &net->peers[1];

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_run(net, 2000);
    net_kill(net, 1);
    store_memory_delete(peer->memory);
    peer->memory = store_memory_new(64u << 20);
    peer->boots = 0; /* the counter was in the store: it begins as it did at first */
    peer->is_held = true;
    net_boot(net, 1);
    net_run(net, 1000);
    assert_int_equal(node_place_state(peer->node), PLACE_ACTIVE);
    assert_true(node_is_recovering(peer->node));
    peer->is_held = false;
    net_run(net, 8000);
    assert_false(node_is_recovering(peer->node));
    assert_int_equal(peer->node->keys, 1);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_joiner_that_leaves_never_counts),
        cmocka_unit_test(test_everybody_who_asks_to_leave_is_answered),
        cmocka_unit_test(test_a_peer_that_is_out_stays_out_when_asked_again),
        cmocka_unit_test(test_K7_a_record_from_a_clock_far_ahead_is_replaced),
        cmocka_unit_test(test_a_peer_that_forgot_its_leaving_joins_again),
        cmocka_unit_test(test_another_weight_does_not_move_base_at_once),
        cmocka_unit_test(test_D11_a_peer_whose_store_was_lost_does_not_vote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
