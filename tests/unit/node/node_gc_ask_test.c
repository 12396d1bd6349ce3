/* node_gc_ask_test.c: a round needs the word of every owner, and asks the doubtful ones first. */
#include "gc_net.h"

static void test_D5_an_owner_in_recovery_gives_no_word_and_the_rest_is_not_asked(void **state)
{
    struct net *net = gc_formed(3);
    uint32_t partition = gc_partition(net, "k0"), before, first = 0;

    (void)state;
    gc_deleted(net, 1);
    net_run(net, 3000);
    net->peers[2].node->config.sync_interval_ms = 1u << 30;
    for (unsigned i = 0; i < 3; i++)
        gc_on(net, i);
    for (unsigned ms = 0; ms < 20000; ms += 10) {
        net->peers[2].node->is_recovering = true;
        net_run(net, 10);
        if (ms == 7000)
            first = sync_standing(net->peers[0].node->sync, partition)->number +
                    sync_standing(net->peers[1].node->sync, partition)->number;
    }
    assert_int_equal(gc_left(net, 0), 1);
    assert_true(net->traces[TRACE_GC_REFUSED] > 0);
    before = sync_standing(net->peers[0].node->sync, partition)->number +
             sync_standing(net->peers[1].node->sync, partition)->number;
    assert_int_equal(before, first); /* nobody promised for nothing again */
    net->peers[2].node->is_recovering = false;
    net_run(net, 15000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(gc_left(net, i), 0);
    net_delete(net);
}

static void test_an_answer_nobody_asked_for_drops_nothing(void **state)
{
    struct net *net = gc_formed(3);
    struct message answer = {.kind = MESSAGE_GC_ANSWER};

    (void)state;
    gc_deleted(net, 3);
    net_run(net, 3000);
    for (uint16_t p = 0; p < 8; p++)
        for (uint32_t number = 0; number < 3; number++) {
            answer.gc_answer = (struct message_gc_answer){
                .partition = p, .number = number, .bits = slice_text("\xFF")};
            gc_hand(net, 0, 1, &answer);
        }
    net_run(net, 1000);
    assert_int_equal(gc_left(net, 0), 3);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D5_an_owner_in_recovery_gives_no_word_and_the_rest_is_not_asked),
        cmocka_unit_test(test_an_answer_nobody_asked_for_drops_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
