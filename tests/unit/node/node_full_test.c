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
        cmocka_unit_test(test_lists_that_found_no_room_are_written_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
