/* node_gc_level_test.c: copies of the time before a drop bring nothing back. */
#include "gc_net.h"

/* A PUT_OBJ of key k0 with a value of long ago, stamped `gc`. */
static void hand_old(struct net *net, unsigned index, uint32_t gc)
{
    static struct crdt_object object;
    struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("old"), .body_size = 3};
    uint8_t room[256];
    struct writer out = writer_over(room, sizeof(room));
    struct message put = {.kind = MESSAGE_PUT_OBJ};

    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, NULL, 77, 1000, &value), STATUS_OK);
    assert_int_equal(crdt_object_encode(&object, &out), STATUS_OK);
    put.put_obj = (struct message_put_obj){.layout = node_layout(net->peers[index].node),
                                           .ns = slice_text("n"),
                                           .key = slice_text("k0"),
                                           .object = writer_done(&out),
                                           .gc = gc};
    gc_hand(net, index, 0, &put);
    net_run(net, 20);
}

static void test_D4_a_copy_read_before_the_drop_is_refused(void **state)
{
    struct net *net = gc_formed(3);
    uint32_t number;

    (void)state;
    gc_deleted(net, 1);
    net_run(net, 3000);
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 6000);
    assert_int_equal(gc_left(net, 2), 0);
    number = sync_standing(net->peers[2].node->sync, gc_partition(net, "k0"))->number;
    assert_true(number > 0);
    hand_old(net, 2, number - 1);
    assert_int_equal(net->traces[TRACE_GC_STALE_COPY], 1);
    assert_int_equal(net->peers[2].node->keys, 0);
    /* Not even beside a newer row: it would come back as a sibling. */
    assert_int_equal(net_put(net, 0, "k0", "new")->status, STATUS_OK);
    net_run(net, 100);
    hand_old(net, 2, number - 1);
    assert_int_equal(net->traces[TRACE_GC_STALE_COPY], 2);
    assert_int_equal(net_value(net, 2, "k0")->values, 1);
    hand_old(net, 2, number);
    assert_int_equal(net->traces[TRACE_GC_STALE_COPY], 2);
    net_delete(net);
}

/* Two owners collected in rounds the third was no part of. */
static void others_went_on(struct net *net)
{
    for (unsigned i = 0; i < 2; i++)
        for (uint32_t p = 0; p < 8; p++) {
            struct sync_standing standing = {.number = 500, .confirmed = 500, .count = 2};

            standing.owners[0].id8 = gc_id(net, 0);
            standing.owners[1].id8 = gc_id(net, 1);
            sync_standing_set(net->peers[i].node->sync, p, &standing);
        }
}

static void test_D4_an_owner_that_missed_rounds_pulls_its_rows_anew(void **state)
{
    struct net *net = gc_formed(3);
    uint32_t partition = gc_partition(net, "kept");
    struct op get = net_op(OP_GET, "kept", NULL);

    (void)state;
    assert_int_equal(net_put(net, 0, "kept", "v")->status, STATUS_OK);
    net_run(net, 3000);
    hand_old(net, 2, 0); /* only it holds what the others dropped */
    others_went_on(net);
    net_run(net, 20000);
    assert_true(net->traces[TRACE_GC_PURGED] > 0);
    assert_false(net->peers[2].node->is_recovering);
    assert_int_equal(sync_standing(net->peers[2].node->sync, partition)->number, 500);
    get.consistency = CONSISTENCY_ONE;
    assert_int_equal(net_do(net, 2, &get)->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(net_value(net, i, "k0")->status, STATUS_MISSING);
    net_delete(net);
}

static void test_an_owner_that_missed_a_promise_is_raised(void **state)
{
    struct net *net = gc_formed(3);
    uint32_t partition = gc_partition(net, "k0");
    struct sync_standing standing = {.number = 4};

    (void)state;
    assert_int_equal(net_put(net, 0, "k0", "v")->status, STATUS_OK);
    sync_standing_set(net->peers[1].node->sync, partition, &standing);
    net_run(net, 8000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sync_standing(net->peers[i].node->sync, partition)->number, 4);
    assert_int_equal(net->traces[TRACE_GC_PURGED], 0);
    assert_int_equal(net_value(net, 2, "k0")->status, STATUS_OK);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D4_a_copy_read_before_the_drop_is_refused),
        cmocka_unit_test(test_D4_an_owner_that_missed_rounds_pulls_its_rows_anew),
        cmocka_unit_test(test_an_owner_that_missed_a_promise_is_raised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
