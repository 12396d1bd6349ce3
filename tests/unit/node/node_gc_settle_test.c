/* node_gc_settle_test.c: actors that ended leave rows that live on, totals and values stay, and
 * nobody's word is taken for granted. */
#include "gc_net.h"

#define RESTARTS 12

static const struct net_reply *add(struct net *net, unsigned index, int64_t delta)
{
    uint8_t arg[8];
    struct op op = net_op(OP_UPDATE, "hits", NULL);

    op.type = TYPE_COUNTER;
    op.body = slice_of(arg, sizeof(arg));
    bytes_store_u64(arg, (uint64_t)delta);
    return net_do(net, index, &op);
}

/* What a peer's disk holds of a key, in object_a of its node. */
static const struct crdt_object *held(struct net *net, unsigned index, const char *key)
{
    struct node *node = net->peers[index].node;
    struct store ports = store_memory_ports(net->peers[index].memory);
    struct store_pin pin = {0};
    struct slice body, row_key;
    uint8_t room[STORE_KEY_SIZE_MAX];

    row_key = node_row_key(node, slice_text("n"), slice_text(key), room);
    assert_int_equal(ports.get(ports.context, STORE_OBJ, row_key, &pin), STATUS_OK);
    assert_int_equal(store_record_open(STORE_OBJ, row_key, pin.value, &body), STATUS_OK);
    assert_int_equal(crdt_object_decode(body, &node->object_a), STATUS_OK);
    ports.release(ports.context, &pin);
    return &node->object_a;
}

static void test_D7_actors_that_ended_leave_rows(void **state)
{
    struct net *net = gc_formed(3);

    (void)state;
    for (unsigned n = 0; n < RESTARTS; n++) {
        unsigned index = n % 3;

        assert_int_equal(add(net, index, 10 + n)->status, STATUS_OK);
        assert_int_equal(net_put(net, index, "k", "v")->status, STATUS_OK);
        net_run(net, 200);
        net_kill(net, index);
        net_boot(net, index);
        net_run(net, 3000);
    }
    assert_int_equal(held(net, 0, "hits")->value_count, RESTARTS);
    assert_int_equal(held(net, 0, "k")->entry_count, RESTARTS);
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 60000);
    for (unsigned i = 0; i < 3; i++) {
        assert_in_range(held(net, i, "hits")->entry_count, 1, 3);
        assert_in_range(held(net, i, "k")->entry_count, 1, 3);
        assert_int_equal(net_value(net, i, "hits")->number, 10 * RESTARTS + 66);
        assert_int_equal(net_value(net, i, "k")->values, 1);
    }
    assert_int_equal(add(net, 1, 4)->status, STATUS_OK);
    assert_int_equal(net_value(net, 2, "hits")->number, 10 * RESTARTS + 70);
    net_delete(net);
}

static void test_an_actor_that_writes_is_not_folded(void **state)
{
    struct net *net = gc_formed(1);
    struct node *node = net->peers[0].node;
    uint32_t partition = gc_partition(net, "hits");
    struct gc_round *round = node_gc_begin(node, partition, gc_id(net, 0));
    uint8_t bytes[2 * 19];
    struct writer out = writer_over(bytes, sizeof(bytes));
    const struct crdt_object *object;

    (void)state;
    assert_int_equal(add(net, 0, 5)->status, STATUS_OK);
    object = held(net, 0, "hits");
    for (unsigned i = 0; i < 2; i++) {
        write_u16(&out, 0);
        write_u64(&out, i == 0 ? node_actor(node, partition) : 1);
        write_u64(&out, object->values[0].stamp);
        write_u8(&out, i == 0);
    }
    round->item_count = 1;
    assert_true(node_gc_marks_read(round, writer_done(&out)));
    assert_true(round->marks[0].is_refused && !round->marks[1].is_refused);
    node_gc_marks_check(node, round, 0);
    assert_true(round->marks[0].is_refused);  /* the totals are these, but they will grow */
    assert_false(round->marks[1].is_refused); /* nothing of actor 1 is here */
    node_actor_end(node, partition);
    node_gc_marks_check(node, round, 0);
    assert_false(round->marks[0].is_refused);
    assert_false(node_gc_marks_read(round, slice_of(bytes, 18)));
    round->item_count = 0;
    assert_false(node_gc_marks_read(round, writer_done(&out)));
    node_gc_end(round);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D7_actors_that_ended_leave_rows),
        cmocka_unit_test(test_an_actor_that_writes_is_not_folded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
