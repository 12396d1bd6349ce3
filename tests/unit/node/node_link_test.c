/* node_link_test.c: connections between peers: junk, wrong keys, silence and closing. */
#include "net.h"

#define STRANGER (LINK_INBOUND | 0x7000u)

static void dial(struct net *net, link_id link)
{
    struct event up = {.kind = EVENT_LINK_UP};

    up.link.link = link;
    up.link.address = net_address(2);
    net_step(net, &net->peers[0], &up);
}

static void feed(struct net *net, link_id link, const uint8_t *bytes, size_t size)
{
    struct event stream = {.kind = EVENT_STREAM};

    stream.stream.link = link;
    stream.stream.bytes = slice_of(bytes, size);
    net_step(net, &net->peers[0], &stream);
}

static void test_junk_ends_the_connection_only(void **state)
{
    struct net *net = net_formed(2, 3);
    uint32_t links = pool_used(&net->peers[0].node->links);
    uint8_t junk[4096];
    struct prng prng;

    (void)state;
    prng_init(&prng, 3);
    for (unsigned i = 0; i < 50; i++) {
        uint64_t before =
            net_metric(net, 0, METRIC_DROP_HANDSHAKE) + net_metric(net, 0, METRIC_DROP_UNKNOWN_KEY);

        dial(net, STRANGER + i);
        assert_int_equal(pool_used(&net->peers[0].node->links), links + 1);
        for (size_t k = 0; k < sizeof(junk); k++)
            junk[k] = (uint8_t)prng_next(&prng);
        feed(net, STRANGER + i, junk, sizeof(junk));
        assert_int_equal(pool_used(&net->peers[0].node->links), links);
        assert_int_equal(net_metric(net, 0, METRIC_DROP_HANDSHAKE) +
                             net_metric(net, 0, METRIC_DROP_UNKNOWN_KEY),
                         before + 1);
        feed(net, STRANGER + i, junk, sizeof(junk)); /* what was still under way is ignored */
    }
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK);
    net_delete(net);
}

static void test_a_silent_stranger_is_closed_after_five_seconds(void **state)
{
    struct net *net = net_formed(1, 3);
    uint32_t links = pool_used(&net->peers[0].node->links);

    (void)state;
    dial(net, STRANGER);
    net_run(net, 4900);
    assert_int_equal(pool_used(&net->peers[0].node->links), links + 1);
    net_run(net, 200);
    assert_int_equal(pool_used(&net->peers[0].node->links), links);
    net_delete(net);
}

static void test_connections_above_the_bound_are_refused(void **state)
{
    struct net *net = net_formed(1, 3);

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        dial(net, STRANGER + i);
    assert_int_equal(pool_used(&net->peers[0].node->links), 32); /* links_max of net.h */
    net_run(net, 6000);
    assert_int_equal(pool_used(&net->peers[0].node->links), 0);
    net_delete(net);
}

/* Connections to a peer whose part of the handshake was damaged on the way. */
static void test_W4_another_cluster_key_does_not_get_in(void **state)
{
    static const char *const seeds[] = {"", "0"};
    struct net *net = net_new(2, 3, seeds);

    (void)state;
    net_opened(net, 0);
    net_run(net, 3000);
    node_delete(net->peers[1].node);
    net->peers[1].keyring.keys[0].id = 99; /* the second peer was given another key */
    memset(net->peers[1].keyring.keys[0].key, 9, SEAL_KEY_SIZE);
    net_boot(net, 1);
    net_run(net, 10000);
    assert_false(node_is_ready(net->peers[1].node));
    assert_true(net_metric(net, 0, METRIC_DROP_UNKNOWN_KEY) > 0);
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[1].identity.id), -1);
    assert_true(net->traces[TRACE_WRONG_KEY] > 0);
    net_delete(net);
}

static void test_a_broken_connection_is_dialled_again(void **state)
{
    struct net *net = net_formed(2, 3);

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "a")->status, STATUS_OK);
    for (int at = 0; at < NET_LINKS; at++)
        for (unsigned side = 0; side < 2; side++)
            if (net->links[at].is_open[side]) {
                net_push(net, NET_DOWN, net->links[at].peer[side], SLICE_NONE)->link =
                    net->links[at].link[side];
            }
    net_run(net, 5);
    assert_int_equal(net_put(net, 0, "k", "b")->status, STATUS_OK);
    assert_string_equal(net_value(net, 1, "k")->bodies[0], "b");
    net_delete(net);
}

static void test_a_large_value_travels_in_chunks(void **state)
{
    struct net *net = net_formed(2, 3);
    size_t size = 700000; /* more than one frame */
    char *body = malloc(size);
    struct op op = net_op(OP_PUT, "k", NULL);

    (void)state;
    memset(body, 'x', size);
    op.body = slice_of(body, size);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.acks, 2);
    net_run(net, 100);
    assert_int_equal(net_value(net, 1, "k")->values, 1);
    assert_int_equal(net->reply.bodies[0][0], 'x');
    free(body);
    net_delete(net);
}

static unsigned streams(const struct net *net)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < net->fx.count; i++)
        count += net->fx.items[i].kind == EFFECT_STREAM;
    return count;
}

static void test_messages_of_one_turn_share_a_record(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f"};
    struct net *net = net_formed(3, 3);
    struct net_peer *peer = &net->peers[0];

    (void)state;
    assert_int_equal(net_put(net, 0, "k", "v")->status, STATUS_OK); /* both links stand */
    net_run(net, 100);
    for (unsigned i = 0; i < 6; i++) {
        struct event request = {
            .kind = EVENT_REQUEST, .now = net->now, .wall_ms = NET_WALL_MS + net->now / 1000u};

        request.request.ticket = ++net->tickets;
        request.request.op = net_op(OP_PUT, keys[i], "v");
        node_step(peer->node, &request, &net->fx);
        assert_int_equal(streams(net), 0);
    }
    node_flush(peer->node, &net->fx);
    assert_int_equal(streams(net), 2); /* one record to each other owner, of six messages */
    node_flush(peer->node, &net->fx);
    assert_int_equal(streams(net), 2);
    for (uint32_t i = 0; i < net->fx.count; i++)
        net_effect(net, peer, &net->fx.items[i]);
    effects_reset(&net->fx);
    net_run(net, 100);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(net_value(net, 1, keys[i])->values, 1);
        assert_int_equal(net->reply.acks, 2);
    }
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_junk_ends_the_connection_only),
        cmocka_unit_test(test_a_silent_stranger_is_closed_after_five_seconds),
        cmocka_unit_test(test_connections_above_the_bound_are_refused),
        cmocka_unit_test(test_W4_another_cluster_key_does_not_get_in),
        cmocka_unit_test(test_a_broken_connection_is_dialled_again),
        cmocka_unit_test(test_a_large_value_travels_in_chunks),
        cmocka_unit_test(test_messages_of_one_turn_share_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
