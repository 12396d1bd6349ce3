/* node_datagram_test.c: what comes by UDP: junk costs one counter, and who has not proved that it
 * hears us gets its PING answered and nothing else. */
#include "net.h"

static void feed(struct net *net, unsigned peer, const uint8_t *bytes, size_t size)
{
    struct event event = {.kind = EVENT_DATAGRAM};

    event.datagram.from = net_address(2);
    event.datagram.bytes = slice_of(bytes, size);
    net_step(net, &net->peers[peer], &event);
}

static uint64_t drops(struct net *net, unsigned peer)
{
    uint64_t sum = 0;

    for (unsigned m = METRIC_DROP_BAD_SEAL; m <= METRIC_DROP_MALFORMED; m++)
        sum += net_metric(net, peer, (enum metric)m);
    return sum;
}

static void test_junk_is_counted_and_answered_by_nothing(void **state)
{
    struct net *net = net_formed(1, 3);
    const uint8_t first = 0xc1; /* magic and version: gets past the first look */
    uint8_t junk[DATAGRAM_SIZE_MAX + 100];
    struct prng prng;
    uint64_t before = drops(net, 0);
    uint32_t queued = net->last;

    (void)state;
    prng_init(&prng, 5);
    for (unsigned i = 0; i < 2000; i++) {
        size_t size = prng_below(&prng, sizeof(junk));

        for (size_t k = 0; k < size; k++)
            junk[k] = (uint8_t)prng_next(&prng);
        if (i % 2)
            junk[0] = first;
        feed(net, 0, junk, size);
    }
    assert_int_equal(drops(net, 0), before + 2000);
    assert_int_equal(net->last, queued);
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[0].identity.id), RANK_ALIVE);
    net_delete(net);
}

/* The next datagram on its way to `peer`. */
static struct net_item *datagram_to(struct net *net, unsigned peer)
{
    for (uint32_t at = net->first; at != net->last; at++) {
        struct net_item *item = &net->items[at % NET_ITEMS];

        if (item->kind == NET_DATAGRAM && item->peer == peer)
            return item;
    }
    return NULL;
}

static struct net_item *wait_datagram(struct net *net, unsigned peer)
{
    struct net_item *item = NULL;

    for (unsigned ms = 0; ms < NET_FOREVER && !(item = datagram_to(net, peer)); ms++)
        net_run(net, 1);
    assert_non_null(item);
    return item;
}

static void test_W1_a_recorded_datagram_is_refused(void **state)
{
    struct net *net = net_formed(2, 3);
    struct net_item *item = wait_datagram(net, 0);
    uint8_t copy[DATAGRAM_SIZE_MAX];
    size_t size = item->size;
    uint64_t before;

    (void)state;
    memcpy(copy, item->bytes, size);
    net_run(net, 20);
    before = net_metric(net, 0, METRIC_DROP_REPLAY);
    feed(net, 0, copy, size);
    assert_int_equal(net_metric(net, 0, METRIC_DROP_REPLAY), before + 1);
    copy[size - 1] ^= 1;
    copy[12] ^= 0x40; /* another number, but no seal for it */
    before = net_metric(net, 0, METRIC_DROP_BAD_SEAL);
    feed(net, 0, copy, size);
    assert_int_equal(net_metric(net, 0, METRIC_DROP_BAD_SEAL), before + 1);
    net_run(net, 5000); /* neither harmed the real sender */
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[1].identity.id), RANK_ALIVE);
    assert_int_equal(net->traces[TRACE_MEMBER_SUSPECT], 0);
    net_delete(net);
}

static void test_W2_a_sender_whose_epoch_is_unproved_gets_an_ack_only(void **state)
{
    struct net *net = net_formed(2, 3);
    uint64_t before = net_metric(net, 0, METRIC_DROP_UNVERIFIED);
    const struct node_id *id = &net->peers[1].identity.id;

    (void)state;
    net_kill(net, 1);
    net_boot(net, 1);      /* a new process, so a new epoch */
    net->cut[0][1] = true; /* our challenge never reaches it */
    net_run(net, 3000);
    assert_true(net_metric(net, 0, METRIC_DROP_UNVERIFIED) > before);
    net->cut[0][1] = false;
    net_run(net, 5000);
    assert_int_equal(node_member_rank(net->peers[0].node, id), RANK_ALIVE);
    net_delete(net);
}

static void test_a_blocked_peer_is_not_heard(void **state)
{
    struct net *net = net_formed(2, 3);
    struct op op = {.kind = OP_BLOCK, .key = slice_text("peer-1")};
    uint64_t before = net_metric(net, 0, METRIC_DROP_BLOCKED);

    (void)state;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    net_run(net, 15000);
    assert_true(net_metric(net, 0, METRIC_DROP_BLOCKED) > before);
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[1].identity.id), RANK_DEAD);
    op.key = slice_text("");
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    net_run(net, 30000);
    assert_int_equal(node_member_rank(net->peers[0].node, &net->peers[1].identity.id), RANK_ALIVE);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_junk_is_counted_and_answered_by_nothing),
        cmocka_unit_test(test_W1_a_recorded_datagram_is_refused),
        cmocka_unit_test(test_W2_a_sender_whose_epoch_is_unproved_gets_an_ack_only),
        cmocka_unit_test(test_a_blocked_peer_is_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
