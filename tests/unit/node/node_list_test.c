/* node_list_test.c: listing a namespace: order, pages, what is deleted, and no short list when
 * peers are missing. */
#include "net.h"

static struct op list_op(const char *prefix, const char *after, uint32_t limit)
{
    struct op op = {.kind = OP_LIST,
                    .ns = slice_text("n"),
                    .prefix = slice_text(prefix),
                    .after = slice_text(after),
                    .limit = limit};

    return op;
}

static void fill(struct net *net)
{
    char key[16];

    for (unsigned i = 0; i < 25; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", 24 - i);
        assert_int_equal(net_put(net, i % 2, key, "v")->status, STATUS_OK);
    }
    assert_int_equal(net_put(net, 0, "other", "v")->status, STATUS_OK);
}

static void test_keys_of_all_peers_come_in_byte_order_and_pages(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op op = list_op("k", "", 10);
    char after[32] = "", expected[16];
    unsigned seen = 0;

    (void)state;
    fill(net);
    do {
        op = list_op("k", after, 10);
        assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
        for (unsigned i = 0; i < net->reply.items; i++) {
            (void)snprintf(expected, sizeof(expected), "k%02u", seen++);
            assert_string_equal(net->reply.names[i], expected);
        }
        assert_true(net->reply.items > 0);
        memcpy(after, net->reply.names[net->reply.items - 1], sizeof(after));
    } while (net->reply.is_truncated);
    assert_int_equal(seen, 25);
    net_delete(net);
}

static void test_a_deleted_key_is_not_listed(void **state)
{
    struct net *net = net_formed(2, 3);
    struct op gone = net_op(OP_DELETE, "k07", NULL), op = list_op("k0", "", 100);

    (void)state;
    fill(net);
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.items, 9);
    assert_string_equal(net->reply.names[6], "k06");
    assert_string_equal(net->reply.names[7], "k08");
    net_delete(net);
}

static void test_a_list_that_would_lack_keys_is_refused(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op op = list_op("", "", 100);

    (void)state;
    fill(net);
    net_kill(net, 2);
    net_run(net, 15000);
    assert_true(net_do(net, 0, &op)->status != STATUS_OK);
    assert_int_equal(net->reply.items, 0);
    net_delete(net);
}

/* Lists all the time while a third peer joins and the layout changes twice: nobody is refused, and
 * no key is missing or comes twice. */
static void test_listings_go_on_while_a_peer_joins(void **state)
{
    static const char *const seeds[] = {"", "0", "0"};
    struct net *net = net_new(3, 1, seeds);
    struct op op = list_op("", "", 100);

    (void)state;
    net_opened(net, 0);
    net_opened(net, 1);
    net_run(net, 10000);
    fill(net);
    net_opened(net, 2);
    for (unsigned i = 0; i < 400; i++) {
        assert_int_equal(net_do(net, i % 2, &op)->status, STATUS_OK);
        assert_int_equal(net->reply.items, 26);
        net_run(net, 1 + i % 7);
    }
    net_run(net, 10000);
    assert_int_equal(node_place_state(net->peers[2].node), PLACE_ACTIVE);
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.items, 26);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_all_peers_come_in_byte_order_and_pages),
        cmocka_unit_test(test_a_deleted_key_is_not_listed),
        cmocka_unit_test(test_a_list_that_would_lack_keys_is_refused),
        cmocka_unit_test(test_listings_go_on_while_a_peer_joins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
