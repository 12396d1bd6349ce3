/* node_hint_give_test.c: pages, refusals, silence, and owners that are none any more. */
#include "hint_net.h"

static void test_a_returning_owner_is_not_flooded(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct hint_owner *owner;
    uint32_t most = 0;

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 200, "v");
    owner = hint_owner_find(net->peers[0].node->hints->books, id_front(&net->peers[2].identity.id));
    net_boot(net, 2);
    for (unsigned ms = 0; ms < 6000 && hint_count(net, 0) > 0; ms++) {
        hint_run(net, 1);
        if (hint_count(net, 0) > 0 && owner->sending_count > most)
            most = owner->sending_count;
    }
    assert_int_equal(hint_count(net, 0), 0);
    assert_true(most > 8 && most <= 64);
    net_delete(net);
}

static void test_D12_a_hint_that_is_refused_or_not_answered_is_kept(void **state)
{
    struct net *net = hint_formed(3, 3);

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 3, "v");
    net_boot(net, 2);
    net->peers[2].is_held = true; /* it takes them, and its disk does not answer */
    hint_run(net, 12000);
    assert_true(net->traces[TRACE_HINT_KEPT] > 0);
    assert_int_equal(hint_count(net, 0), 3);
    assert_int_equal(hint_rows(net, 0), 3);
    net->peers[2].is_held = false;
    hint_run(net, 12000);
    assert_int_equal(hint_count(net, 0), 0);
    net_delete(net);
}

static void test_D12_a_row_that_is_gone_needs_no_hint(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct node *node = net->peers[0].node;
    struct hint_row row = {.owner = id_front(&net->peers[2].identity.id), .made_ms = NET_WALL_MS};
    uint8_t room[STORE_KEY_SIZE_MAX];

    (void)state;
    row.key = node_row_key(node, slice_text("n"), slice_text("nothing"), room);
    row.partition = node_partition_of(node, slice_text("n"), slice_text("nothing"));
    node_hint_add(node, &row);
    hint_run(net, 1000);
    assert_int_equal(hint_count(net, 0), 0);
    assert_false(hint_has(net, 2, "nothing"));
    net_delete(net);
}

static void test_D12_what_a_lost_owner_missed_goes_to_the_owner_in_its_place(void **state)
{
    struct net *net = hint_formed(4, 3);
    struct op forget = {.kind = OP_FORGET};
    char key[16];
    unsigned owned = 0;

    (void)state;
    hint_kill(net, 2);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, i % 2, key, "v")->status, STATUS_OK);
    }
    assert_true(hint_count(net, 0) + hint_count(net, 1) + hint_count(net, 3) > 0);
    forget.key = slice_of(net->peers[2].identity.id.bytes, NODE_ID_SIZE);
    assert_int_equal(net_do(net, 0, &forget)->status, STATUS_OK);
    net_run(net, 20000);
    assert_int_equal(node_place_of(net->peers[0].node, &net->peers[2].identity.id), PLACE_OUT);
    assert_true(net->traces[TRACE_HINT_MOVED] > 0);
    assert_int_equal(hint_count(net, 0) + hint_count(net, 1) + hint_count(net, 3), 0);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        owned += hint_has(net, 0, key) && hint_has(net, 1, key) && hint_has(net, 3, key);
    }
    assert_int_equal(owned, 40); /* three peers, three replicas */
    net_delete(net);
}

static void test_a_wiped_owner_takes_what_it_missed(void **state)
{
    struct net *net = hint_formed(3, 3);
    struct event opened = {.kind = EVENT_OPENED};

    (void)state;
    hint_kill(net, 2);
    hint_write(net, 5, "v");
    store_memory_delete(net->peers[2].memory);
    net->peers[2].memory = store_memory_new(64u << 20);
    net_make(net, 2);
    opened.opened.boot_counter = ++net->peers[2].boots;
    opened.opened.actor = 4711;
    opened.opened.is_recovering = true;
    net_step(net, &net->peers[2], &opened);
    for (unsigned ms = 0; ms < 9000 && hint_count(net, 0) > 0; ms += 5) {
        net->peers[2].node->is_recovering = true; /* long enough */
        hint_run(net, 5);
    }
    assert_int_equal(hint_count(net, 0), 0);
    assert_true(net->traces[TRACE_HINT_MENDS] > 0);
    assert_true(hint_has(net, 2, "k0") && hint_has(net, 2, "k4"));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_returning_owner_is_not_flooded),
        cmocka_unit_test(test_D12_a_hint_that_is_refused_or_not_answered_is_kept),
        cmocka_unit_test(test_D12_a_row_that_is_gone_needs_no_hint),
        cmocka_unit_test(test_D12_what_a_lost_owner_missed_goes_to_the_owner_in_its_place),
        cmocka_unit_test(test_a_wiped_owner_takes_what_it_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
