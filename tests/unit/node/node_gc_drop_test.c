/* node_gc_drop_test.c: rows go in batches, and sums stay true whatever becomes of a batch. */
#include "gc_net.h"

static void sums_are_true(struct net *net, unsigned index)
{
    struct hash16 counted[8], scanned;
    uint32_t count;

    for (uint32_t p = 0; p < 8; p++)
        counted[p] = node_fingerprint(net->peers[index].node, p, &count);
    net_kill(net, index);
    net_boot(net, index);
    net_run(net, 50);
    for (uint32_t p = 0; p < 8; p++) {
        scanned = node_fingerprint(net->peers[index].node, p, &count);
        assert_memory_equal(&counted[p], &scanned, sizeof(scanned));
    }
}

static void test_a_drop_that_found_no_room_is_made_later(void **state)
{
    struct net *net = gc_formed(1);

    (void)state;
    gc_deleted(net, 5);
    net_run(net, 3000);
    net->peers[0].commit = STATUS_NO_SPACE;
    gc_on(net, 0);
    net_run(net, 3000);
    assert_int_equal(gc_left(net, 0), 5);
    net->peers[0].commit = STATUS_OK;
    net_run(net, 20000);
    assert_int_equal(gc_left(net, 0), 0);
    assert_int_equal(net->peers[0].node->keys, 0);
    sums_are_true(net, 0);
    net_delete(net);
}

static void test_a_write_behind_a_drop_finds_no_row(void **state)
{
    struct net *net = gc_formed(1);

    (void)state;
    gc_deleted(net, 1);
    net_run(net, 3000);
    net->peers[0].is_held = true;
    gc_on(net, 0);
    net_run(net, 1000); /* the drop is queued */

    struct op put = net_op(OP_PUT, "k0", "new");
    ticket asked = net_ask(net, 0, &put);

    net->peers[0].is_held = false;
    net_run(net, 1000);
    assert_int_equal(net->reply.ticket, asked);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k0")->values, 1);
    assert_int_equal(net->peers[0].node->keys, 1);
    sums_are_true(net, 0);
    net_delete(net);
}

static void test_a_purge_cut_short_leaves_the_peer_in_recovery(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    uint8_t body[SYNC_STANDING_SIZE_MAX + 1];
    struct writer out = writer_over(body, sizeof(body));
    struct sync_standing standing = {.number = 9, .confirmed = 9};

    (void)state;
    write_u8(&out, 1);
    sync_standing_write(&standing, &out);
    node_gc_boot_row(node, slice_of((const uint8_t *)"gc/\0\3", 5), writer_done(&out));
    assert_true(node->is_recovering);
    assert_int_equal(sync_standing(node->sync, 3)->number, 9);
    node->is_recovering = false;
    node_gc_boot_row(node, slice_of((const uint8_t *)"gc/\0\x63", 5), writer_done(&out));
    assert_false(node->is_recovering); /* no such partition */
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_drop_that_found_no_room_is_made_later),
        cmocka_unit_test(test_a_write_behind_a_drop_finds_no_row),
        cmocka_unit_test(test_a_purge_cut_short_leaves_the_peer_in_recovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
