/* node_gc_word_test.c: our word is durable before it is said, and said of sound questions only. */
#include "gc_net.h"

static void test_no_word_before_the_promise_is_durable(void **state)
{
    struct net *net = gc_formed(3);

    (void)state;
    gc_deleted(net, 4);
    net_run(net, 3000);
    net->peers[1].is_held = true; /* its promise stays on the way */
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    net_run(net, 4000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(gc_left(net, i), 4);
    net->peers[1].is_held = false;
    net_run(net, 20000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(gc_left(net, i), 0);
    net_delete(net);
}

static void test_questions_that_are_none_raise_no_number(void **state)
{
    struct net *net = gc_formed(3);
    struct node *node = net->peers[1].node;
    uint32_t partition = gc_partition(net, "k0");
    uint8_t room[STORE_KEY_SIZE_MAX], items[48] = {9};
    struct slice row_key = node_row_key(node, slice_text("n"), slice_text("k0"), room);
    struct message ask = {.kind = MESSAGE_GC_ASK};

    (void)state;
    ask.gc_ask = (struct message_gc_ask){.partition = (uint16_t)partition,
                                         .number = 1,
                                         .layout = node_layout(node),
                                         .from = row_key,
                                         .until = row_key,
                                         .items = slice_of(items, 48)}; /* out of order */
    gc_hand(net, 1, 0, &ask);
    ask.gc_ask.items = slice_of(items, 23); /* no whole item */
    gc_hand(net, 1, 0, &ask);
    ask.gc_ask.items = slice_of(items + 24, 24);
    ask.gc_ask.layout ^= 1; /* of another layout */
    gc_hand(net, 1, 0, &ask);
    ask.gc_ask.layout ^= 1;
    ask.gc_ask.number = 0; /* not above ours */
    gc_hand(net, 1, 0, &ask);
    ask.gc_ask.number = 1;
    ask.gc_ask.partition = 9; /* there are eight */
    gc_hand(net, 1, 0, &ask);
    net_run(net, 500);
    assert_int_equal(sync_standing(node->sync, partition)->number, 0);
    ask.gc_ask.partition = (uint16_t)partition;
    gc_hand(net, 1, 0, &ask);
    net_run(net, 500);
    assert_int_equal(sync_standing(node->sync, partition)->number, 1);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_word_before_the_promise_is_durable),
        cmocka_unit_test(test_questions_that_are_none_raise_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
