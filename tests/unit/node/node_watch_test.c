/* node_watch_test.c: who watches the members hears of each change until it is cancelled. */
#include "net.h"
#include "node_parts.h"

static const struct op watch = {.kind = OP_MEMBERS, .is_watch = true};

static void cancel(struct net *net, unsigned index, ticket asker)
{
    struct event event = {.kind = EVENT_CANCEL};

    event.cancel.ticket = asker;
    net_step(net, &net->peers[index], &event);
}

static void test_a_death_is_told(void **state)
{
    struct net *net = net_formed(3, 3);
    unsigned before;
    ticket asker = net_ask(net, 0, &watch);

    (void)state;
    assert_int_equal(net->reply.members, 3);
    before = net->peers[0].replies;
    net_kill(net, 2);
    net_run(net, 5000);
    assert_true(net->peers[0].replies >= before + 2); /* suspect, dead */
    assert_int_equal(net->reply.ticket, asker);
    assert_int_equal(net->reply.members, 1);
    net_delete(net);
}

static void test_who_is_cancelled_hears_nothing(void **state)
{
    struct net *net = net_formed(3, 3);
    ticket first = net_ask(net, 0, &watch), second = net_ask(net, 0, &watch);
    unsigned before;

    (void)state;
    cancel(net, 0, first);
    before = net->peers[0].replies;
    net_kill(net, 2);
    net_run(net, 5000);
    assert_true(net->peers[0].replies > before);
    assert_int_equal(net->reply.ticket, second);
    cancel(net, 0, second);
    before = net->peers[0].replies;
    net_kill(net, 1);
    net_run(net, 5000);
    assert_int_equal(net->peers[0].replies, before);
    net_delete(net);
}

static void test_there_is_a_bound(void **state)
{
    struct net *net = net_formed(2, 2);

    (void)state;
    for (unsigned i = 0; i < NODE_WATCHERS_MAX; i++) {
        net_ask(net, 0, &watch);
        assert_int_equal(net->reply.status, STATUS_OK);
    }
    net_ask(net, 0, &watch);
    assert_int_equal(net->reply.status, STATUS_OVERLOAD);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_death_is_told),
        cmocka_unit_test(test_who_is_cancelled_hears_nothing),
        cmocka_unit_test(test_there_is_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
