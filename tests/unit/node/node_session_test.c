/* node_session_test.c: a session at any peer sees what it wrote and read, or is told that it has to
 * wait; its writes go above what it has seen. */
#include "net.h"
#include "node_parts.h"

/* A client with one session. */
struct client {
    struct net *net;
    char token[SESSION_SIZE_MAX];
    size_t size;
};

static void client_open(struct client *client, struct net *net)
{
    *client = (struct client){.net = net, .token = "new", .size = 3};
}

static const struct net_reply *client_do(struct client *client, unsigned peer, struct op op)
{
    const struct net_reply *reply;

    op.session = slice_of((const uint8_t *)client->token, client->size);
    reply = net_do(client->net, peer, &op);
    assert_true(reply->session_size > 3); /* every reply of a session carries the next token */
    memcpy(client->token, reply->session, reply->session_size);
    client->size = reply->session_size;
    return reply;
}

static struct op one(enum op_kind kind, const char *key, const char *body)
{
    struct op op = net_op(kind, key, body);

    op.consistency = CONSISTENCY_ONE;
    op.timeout_ms = 500;
    return op;
}

/* Peer 0 commits, the others hold their commits back: only it shows what is written. */
static struct net *apart(void)
{
    struct net *net = net_formed(3, 3);

    net->peers[1].is_held = net->peers[2].is_held = true;
    return net;
}

static void test_D9_reads_its_own_write_elsewhere(void **state)
{
    struct net *net = apart();
    struct client client;
    struct op plain = one(OP_GET, "k", NULL);

    (void)state;
    client_open(&client, net);
    assert_int_equal(client_do(&client, 0, one(OP_PUT, "k", "mine"))->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &plain)->status, STATUS_MISSING);
    assert_int_equal(client_do(&client, 1, plain)->status, STATUS_OK);
    assert_string_equal(net->reply.bodies[0], "mine");
    assert_true(net->traces[TRACE_SESSION_SEARCHED] > 0);
    net_delete(net);
}

static void test_D9_monotonic_reads(void **state)
{
    struct net *net = apart();
    struct client writer, reader;
    struct op put = one(OP_PUT, "k", "one");

    (void)state;
    client_open(&writer, net);
    client_open(&reader, net);
    (void)client_do(&writer, 0, put);
    assert_string_equal(client_do(&reader, 0, one(OP_GET, "k", NULL))->bodies[0], "one");
    assert_string_equal(client_do(&reader, 2, one(OP_GET, "k", NULL))->bodies[0], "one");
    net_delete(net);
}

static void test_D9_a_delete_is_seen_as_well(void **state)
{
    struct net *net = net_formed(3, 3);
    struct client client;
    struct op all = net_op(OP_PUT, "k", "old");

    (void)state;
    client_open(&client, net);
    all.consistency = CONSISTENCY_ALL;
    (void)net_do(net, 0, &all);
    net->peers[1].is_held = net->peers[2].is_held = true;
    assert_int_equal(client_do(&client, 0, one(OP_DELETE, "k", NULL))->status, STATUS_OK);
    all = one(OP_GET, "k", NULL);
    assert_int_equal(net_do(net, 1, &all)->status, STATUS_OK);
    assert_int_equal(client_do(&client, 1, all)->status, STATUS_MISSING);
    net_delete(net);
}

static void test_D9_behind_is_told(void **state)
{
    struct net *net = apart();
    struct client client;

    (void)state;
    client_open(&client, net);
    (void)client_do(&client, 0, one(OP_PUT, "k", "mine"));
    for (unsigned i = 1; i < 3; i++)
        net->cut[0][i] = net->cut[i][0] = true;
    assert_int_equal(client_do(&client, 1, one(OP_GET, "k", NULL))->status, STATUS_SESSION_BEHIND);
    assert_true(net->traces[TRACE_SESSION_BEHIND] > 0);
    /* what is read first by a write counts as a read */
    assert_int_equal(client_do(&client, 1, one(OP_DELETE, "k", NULL))->status,
                     STATUS_SESSION_BEHIND);
    assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
    net_delete(net);
}

static void test_D9_who_waits_is_served_when_it_comes(void **state)
{
    struct net *net = apart();
    struct client client;
    struct op op = one(OP_GET, "k", NULL);
    ticket asked;

    (void)state;
    client_open(&client, net);
    (void)client_do(&client, 0, one(OP_PUT, "k", "mine"));
    net_kill(net, 0);
    op.session = slice_of((const uint8_t *)client.token, client.size);
    op.timeout_ms = 2000;
    asked = net_ask(net, 1, &op);
    net_run(net, 100);
    assert_true(net->reply.ticket != asked);
    net->peers[2].is_held = false; /* the write arrives at last */
    net_run(net, 1000);
    assert_int_equal(net->reply.ticket, asked);
    assert_string_equal(net->reply.bodies[0], "mine");
    assert_true(net->traces[TRACE_SESSION_WAITS] > 0);
    net_delete(net);
}

static void test_D9_writes_go_above_what_was_seen(void **state)
{
    struct net *net = net_formed(3, 3);
    struct client client;
    struct crdt_session session = {.clock = crdt_stamp_of(NET_WALL_MS + 40000)};
    struct writer out = writer_over((uint8_t *)client.token, sizeof(client.token));

    (void)state;
    client_open(&client, net);
    assert_int_equal(crdt_session_encode(&session, net->peers[0].node->founding.hash_seed, &out),
                     STATUS_OK);
    client.size = out.size;
    (void)client_do(&client, 0, net_op(OP_PUT, "k", "later"));
    (void)client_do(&client, 1, net_op(OP_GET, "k", NULL));
    assert_true(net->reply.modified_ms >= NET_WALL_MS + 40000);
    net_delete(net);
}

static void test_a_collected_row_is_no_reason_to_wait(void **state)
{
    struct net *net = net_formed(3, 3);
    struct client client;
    struct node *node = net->peers[0].node;
    struct crdt_session session = {.count = 1};
    struct writer out;

    (void)state;
    client_open(&client, net);
    session.entries[0] = (struct crdt_session_entry){
        .row = crdt_session_row(node->founding.hash_seed, slice_text("n"), slice_text("k")),
        .dot = {99, 7}};
    out = writer_over((uint8_t *)client.token, sizeof(client.token));
    assert_int_equal(crdt_session_encode(&session, node->founding.hash_seed, &out), STATUS_OK);
    client.size = out.size;
    assert_int_equal(client_do(&client, 2, one(OP_GET, "k", NULL))->status, STATUS_MISSING);
    assert_int_equal(net->traces[TRACE_SESSION_COLLECTED], 1);
    assert_int_equal(client_do(&client, 2, one(OP_GET, "k", NULL))->status, STATUS_MISSING);
    assert_int_equal(net->traces[TRACE_SESSION_COLLECTED], 1); /* it is not wanted any more */
    net_delete(net);
}

static void test_a_full_session_reads_stricter(void **state)
{
    struct net *net = apart();
    struct client client;
    char key[16];

    (void)state;
    client_open(&client, net);
    for (unsigned i = 0; i <= SESSION_ENTRIES_MAX; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        (void)client_do(&client, 0, one(OP_PUT, key, "v"));
    }
    assert_int_equal(net->traces[TRACE_SESSION_FULL], 1);
    /* k0 is not listed any more, and is found all the same */
    assert_int_equal(client_do(&client, 1, one(OP_GET, "k0", NULL))->status, STATUS_OK);
    net_kill(net, 2);
    net_run(net, 15000);
    assert_int_equal(client_do(&client, 1, one(OP_GET, "unseen", NULL))->status,
                     STATUS_SESSION_BEHIND);
    net_delete(net);
}

static void test_a_foreign_token_is_refused(void **state)
{
    struct net *net = net_formed(3, 1);
    static const enum op_kind kinds[] = {OP_GET, OP_PUT, OP_DELETE, OP_LIST};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct op op = net_op(kinds[i], "k", "v");

        op.session = slice_text("AQIDBAUGBwg");
        assert_int_equal(net_do(net, 0, &op)->status, STATUS_SESSION);
        assert_int_equal(net->reply.outcome, OUTCOME_NOT_STORED);
        assert_int_equal(net->reply.session_size, 0);
    }
    net_delete(net);
}

/* With one replica two of three peers forward; the token travels both ways. */
static void test_sessions_pass_through_an_edge(void **state)
{
    struct net *net = net_formed(3, 1);
    struct client client;
    struct crdt_session session;

    (void)state;
    client_open(&client, net);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(client_do(&client, i, net_op(OP_PUT, "k", "v"))->status, STATUS_OK);
        assert_int_equal(client_do(&client, (i + 1) % 3, net_op(OP_GET, "k", NULL))->status,
                         STATUS_OK);
    }
    assert_int_equal(client_do(&client, 0, net_op(OP_LIST, "", NULL))->status, STATUS_OK);
    assert_int_equal(crdt_session_decode(slice_of((const uint8_t *)client.token, client.size),
                                         net->peers[0].node->founding.hash_seed, &session),
                     STATUS_OK);
    assert_int_equal(session.count, 1);
    assert_false(session.entries[0].is_weak);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D9_reads_its_own_write_elsewhere),
        cmocka_unit_test(test_D9_monotonic_reads),
        cmocka_unit_test(test_D9_a_delete_is_seen_as_well),
        cmocka_unit_test(test_D9_behind_is_told),
        cmocka_unit_test(test_D9_who_waits_is_served_when_it_comes),
        cmocka_unit_test(test_D9_writes_go_above_what_was_seen),
        cmocka_unit_test(test_a_collected_row_is_no_reason_to_wait),
        cmocka_unit_test(test_a_full_session_reads_stricter),
        cmocka_unit_test(test_a_foreign_token_is_refused),
        cmocka_unit_test(test_sessions_pass_through_an_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
