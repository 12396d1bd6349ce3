/* node_full_test.c: what clients are told, and what is written later, when the disk is full. */
#include "net.h"
#include "node_parts.h"

/* Lets everything due happen but in steps, until the ticket is answered. */
static void turn_until(struct net *net, ticket asked)
{
    for (unsigned ms = 0; ms < NET_FOREVER && net->reply.ticket != asked; ms++) {
        net->now += INSTANT_MS(1);
        while (net->reply.ticket != asked && net_turn(net))
            ;
    }
    assert_int_equal(net->reply.ticket, asked);
}

static void test_D8_a_write_that_found_no_room_may_come_with_the_next(void **state)
{
    struct net *net = net_formed(1, 3);
    struct net_peer *peer = &net->peers[0];
    struct op first = net_op(OP_PUT, "k", "a"), second = net_op(OP_PUT, "k", "b");
    uint32_t count, partition = node_partition_of(peer->node, first.ns, first.key);
    struct hash16 counted, scanned;
    ticket asked, last;

    (void)state;
    peer->is_held = true;
    asked = net_ask(net, 0, &first);
    last = net_ask(net, 0, &second);
    peer->is_held = false;
    peer->commit = STATUS_NO_SPACE;
    turn_until(net, asked);
    assert_true(net->reply.status != STATUS_OK);
    assert_int_equal(net->reply.outcome, OUTCOME_UNKNOWN); /* the second holds it as well */
    peer->commit = STATUS_OK;
    turn_until(net, last);
    assert_int_equal(net->reply.status, STATUS_OK);
    counted = node_fingerprint(peer->node, partition, &count);
    assert_int_equal(count, 1);
    net_run(net, 2000);
    net_kill(net, 0);
    net_boot(net, 0);
    net_run(net, 100);
    scanned = node_fingerprint(peer->node, partition, &count);
    assert_memory_equal(&counted, &scanned, sizeof(counted));
    net_delete(net);
}

/* The rows a peer asks to be written may use what is kept free only for deletes. */
static bool uses_reserve(struct net *net, const struct op *op)
{
    const struct net_item *item = NULL;

    net->peers[0].is_held = true;
    (void)net_ask(net, 0, op);
    for (uint32_t at = net->first; at != net->last; at++)
        if (net->items[at % NET_ITEMS].kind == NET_STORED)
            item = &net->items[at % NET_ITEMS];
    assert_non_null(item);
    net->peers[0].is_held = false;
    for (uint32_t i = 1; i < item->count; i++)
        assert_int_equal(item->rows[i].may_use_reserve, item->rows[0].may_use_reserve);
    return item->rows[0].may_use_reserve;
}

static void test_S4_deletes_may_use_the_reserve(void **state)
{
    struct net *net = net_formed(1, 3);
    struct op put = net_op(OP_PUT, "k", "v"), gone = net_op(OP_DELETE, "k", NULL);

    (void)state;
    net_run(net, 2000);
    assert_false(uses_reserve(net, &put));
    net_run(net, 100);
    gone.context = slice_of(net->reply.context, net->reply.context_size);
    assert_true(gone.context.size > 0);
    assert_true(uses_reserve(net, &gone));
    net_delete(net);
}

static void test_lists_that_found_no_room_are_written_later(void **state)
{
    struct net *net = net_formed(1, 3);
    struct net_peer *peer = &net->peers[0];
    struct store memory = store_memory_ports(peer->memory);
    struct store_pin pin = {0};

    (void)state;
    net_run(net, 3000);
    peer->node->incarnation_kept = 77;
    node_persist_soon(peer->node);
    peer->commit = STATUS_NO_SPACE;
    net_run(net, 3000);
    peer->commit = STATUS_OK;
    net_run(net, 3000);
    assert_int_equal(memory.get(memory.context, STORE_SYS, slice_text("incarnation"), &pin),
                     STATUS_OK);
    assert_int_equal(pin.value.data[pin.value.size - 1], 77);
    memory.release(memory.context, &pin);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D8_a_write_that_found_no_room_may_come_with_the_next),
        cmocka_unit_test(test_S4_deletes_may_use_the_reserve),
        cmocka_unit_test(test_lists_that_found_no_room_are_written_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
