/* node_expire_test.c: a value with a time to live, seen from everywhere: there until its expiry and
 * nowhere afterwards, and nothing is repaired because of it. */
#include "net.h"
#include "node_parts.h"

static const struct net_reply *put_for(struct net *net, unsigned index, const char *key,
                                       uint64_t ttl_ms)
{
    struct op op = net_op(OP_PUT, key, "short");

    op.ttl_ms = ttl_ms;
    return net_do(net, index, &op);
}

static uint32_t listed(struct net *net, unsigned index)
{
    struct op op = {.kind = OP_LIST, .ns = slice_text("n")};

    assert_int_equal(net_do(net, index, &op)->status, STATUS_OK);
    return net->reply.items;
}

/* One owner per key: two of the three edges forward, so the time to live crosses the mesh. */
static void test_a_value_is_there_until_it_expires(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op only_new = net_op(OP_PUT, "k", "again");
    uint64_t expires, wall = NET_WALL_MS + net->now / 1000u;

    (void)state;
    assert_int_equal(net_put(net, 0, "stays", "v")->status, STATUS_OK);
    assert_int_equal(net->reply.expires_ms, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(put_for(net, i, "k", 2000)->status, STATUS_OK);
        expires = net->reply.expires_ms;
        assert_in_range(expires, wall + 2000, wall + 2200);
        assert_int_equal(net_value(net, (i + 1) % 3, "k")->status, STATUS_OK);
        assert_true(net->reply.expires_ms == expires);
    }
    assert_int_equal(listed(net, 0), 2);
    net_run(net, 2100);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_value(net, i, "k")->status, STATUS_MISSING);
        assert_int_equal(net_value(net, i, "stays")->status, STATUS_OK);
        assert_int_equal(listed(net, i), 1);
    }
    /* A condition sees what a read sees. */
    only_new.condition = CONDITION_EXISTS;
    assert_int_equal(net_do(net, 1, &only_new)->status, STATUS_PRECONDITION);
    only_new.condition = CONDITION_ABSENT;
    assert_int_equal(net_do(net, 1, &only_new)->status, STATUS_OK);
    assert_true(net->reply.is_created);
    assert_int_equal(net_value(net, 2, "k")->status, STATUS_OK);
    net_delete(net);
}

/* Whatever an owner missed, an expired value covers what it replaced. */
static void test_no_older_value_returns(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op all = net_op(OP_GET, "k", NULL);

    (void)state;
    all.has_siblings = true;
    assert_int_equal(net_put(net, 0, "k", "old")->status, STATUS_OK);
    net_run(net, 100);
    net_kill(net, 2);
    net_run(net, 8000);
    assert_int_equal(put_for(net, 0, "k", 1000)->status, STATUS_OK);
    net_run(net, 1200);
    net_boot(net, 2);
    net_run(net, 10000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &all)->status, STATUS_MISSING);
        assert_int_equal(net->reply.values, 1); /* a tombstone */
    }
    net_delete(net);
}

/* Drops the bytes of a row of one peer, as collection may once everybody sees it expired. */
static void strip(struct net *net, unsigned index, const char *key, uint64_t wall_ms)
{
    static struct crdt_object object;
    struct net_peer *peer = &net->peers[index];
    struct store memory = store_memory_ports(peer->memory);
    struct store_row row = {.family = STORE_OBJ};
    struct store_pin pin = {0};
    uint8_t name[STORE_KEY_SIZE_MAX], bytes[256];
    struct writer out = writer_over(bytes, sizeof(bytes));
    struct blob *record;
    struct slice body;

    row.key = node_row_key(peer->node, slice_text("n"), slice_text(key), name);
    assert_int_equal(memory.get(memory.context, STORE_OBJ, row.key, &pin), STATUS_OK);
    assert_int_equal(store_record_open(STORE_OBJ, row.key, pin.value, &body), STATUS_OK);
    assert_int_equal(crdt_object_decode(body, &object), STATUS_OK);
    assert_int_equal(crdt_object_expire(&object, wall_ms), 1);
    assert_int_equal(crdt_object_encode(&object, &out), STATUS_OK);
    memory.release(memory.context, &pin);
    record = store_record_write(STORE_OBJ, row.key, writer_done(&out));
    row.value = blob_slice(record);
    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
    blob_drop(&record);
}

static void test_expiry_causes_no_repair(void **state)
{
    struct net *net = net_formed(3, 3);
    uint64_t repaired = 0, reads = 0;
    struct hash16 before[8];
    uint32_t rows;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(put_for(net, i % 3, key, 1000)->status, STATUS_OK);
    }
    net_run(net, 500);
    for (uint32_t p = 0; p < 8; p++)
        before[p] = node_fingerprint(net->peers[0].node, p, &rows);
    for (unsigned i = 0; i < 3; i++)
        repaired +=
            net_metric(net, i, METRIC_SYNC_REPAIRED) + net_metric(net, i, METRIC_READ_REPAIRS);
    net_run(net, 1000);
    strip(net, 1, "k3", NET_WALL_MS + net->now / 1000u);
    strip(net, 2, "k4", NET_WALL_MS + net->now / 1000u);
    net_run(net, 10000); /* many rounds */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_value(net, i, "k3")->status, STATUS_MISSING);
        assert_int_equal(net_value(net, i, "k4")->status, STATUS_MISSING);
        reads += net_metric(net, i, METRIC_SYNC_REPAIRED) + net_metric(net, i, METRIC_READ_REPAIRS);
        assert_int_equal(net_metric(net, i, METRIC_INCIDENTS), 0);
        for (uint32_t p = 0; p < 8; p++) {
            struct hash16 after = node_fingerprint(net->peers[i].node, p, &rows);

            assert_memory_equal(&after, &before[p], sizeof(after));
        }
    }
    assert_int_equal(reads, repaired);
    net_delete(net);
}

/* Between the expiry at a peer whose clock is ahead and that at the others the two may disagree,
 * and the value is only hidden: the peer's clock is put right and it is there again. */
static void test_a_clock_that_is_ahead_destroys_nothing(void **state)
{
    struct net *net = net_formed(3, 3);
    struct node *node = net->peers[1].node;
    struct op again = net_op(OP_PUT, "k", "beside");

    (void)state;
    assert_int_equal(put_for(net, 0, "k", 60000)->status, STATUS_OK);
    assert_int_equal(node_wall_ms(node), node->wall_ms);
    net->wall_ahead_ms[1] = 3600000;
    assert_int_equal(net_value(net, 1, "k")->status, STATUS_MISSING);
    again.condition = CONDITION_EXISTS;
    assert_int_equal(net_do(net, 1, &again)->status, STATUS_PRECONDITION);
    assert_int_equal(net_value(net, 2, "k")->status, STATUS_OK);
    net->wall_ahead_ms[1] = 0;
    assert_int_equal(net_value(net, 1, "k")->status, STATUS_OK);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_is_there_until_it_expires),
        cmocka_unit_test(test_no_older_value_returns),
        cmocka_unit_test(test_expiry_causes_no_repair),
        cmocka_unit_test(test_a_clock_that_is_ahead_destroys_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
