/* node_restore_test.c: everything is read out of one cluster and merged into another, of another
 * size and with another hash seed. */
#include "net.h"

static uint8_t archive[65536];
static size_t archive_size;
static unsigned archive_pages;

/* Everything there is, through one peer, in pages that go on from partition to partition. */
static void take(struct net *net, unsigned index, const char *ns, uint32_t limit)
{
    uint8_t next[STORE_KEY_SIZE_MAX];
    struct op op = {.kind = OP_SCAN, .is_onward = true, .ns = slice_text(ns), .limit = limit};

    archive_size = archive_pages = 0;
    do {
        const struct net_reply *reply = net_do(net, index, &op);

        assert_int_equal(reply->status, STATUS_OK);
        assert_true(archive_size + net->packed_size <= sizeof(archive));
        memcpy(archive + archive_size, net->packed, net->packed_size);
        archive_size += net->packed_size;
        archive_pages++;
        memcpy(next, reply->next, reply->next_size);
        op.after = slice_of(next, reply->next_size);
        op.partition = reply->partition;
    } while (net->reply.is_truncated);
}

static const struct net_reply *restore(struct net *net, unsigned index, size_t size)
{
    struct op op = {.kind = OP_RESTORE, .body = slice_of(archive, size)};

    return net_do(net, index, &op);
}

static unsigned archive_rows(void)
{
    struct reader in = reader_over(slice_of(archive, archive_size));
    struct row row;
    unsigned rows = 0;

    while (row_read(&in, &row) == STATUS_OK)
        rows++;
    return rows;
}

/* Ordinary keys, a deleted one, and an element of a collection. */
static void fill(struct net *net)
{
    struct op op = net_op(OP_DELETE, "k07", NULL);
    char key[16];

    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % net->count, key, key)->status, STATUS_OK);
    }
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    op = net_op(OP_PUT, "", "element");
    op.key = slice_of("set\0a", 5);
    assert_int_equal(net_do(net, 1 % net->count, &op)->status, STATUS_OK);
}

static void expect(struct net *net)
{
    char key[16];

    for (unsigned i = 0; i < 100; i++) {
        const struct net_reply *reply;

        (void)snprintf(key, sizeof(key), "k%02u", i);
        reply = net_value(net, i % net->count, key);
        assert_int_equal(reply->status, i == 7 ? STATUS_MISSING : STATUS_OK);
        if (i != 7)
            assert_string_equal(reply->bodies[0], key);
    }
}

static void test_a_cluster_comes_back_in_another(void **state)
{
    struct net *from = net_formed(3, 2), *into = net_formed(1, 1);

    (void)state;
    fill(from);
    take(from, 2, "", 0);
    assert_int_equal(archive_rows(), 101);
    assert_int_equal(archive_pages, 1); /* not one page per partition */
    assert_int_equal(restore(into, 0, archive_size)->status, STATUS_OK);
    assert_int_equal(into->reply.rows_stored, 101);
    expect(into);
    assert_int_equal(restore(into, 0, archive_size)->status, STATUS_OK); /* changes nothing */
    expect(into);
    net_delete(into);
    into = net_formed(3, 3);
    take(from, 1, "n", 7); /* in small pages, by name */
    assert_int_equal(archive_rows(), 101);
    assert_true(archive_pages > 8);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(restore(into, i, archive_size)->status, STATUS_OK);
    expect(into);
    net_delete(into);
    net_delete(from);
}

/* What was read by W owners stays when one of them is lost. */
static void test_a_restored_row_is_durable_at_w(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    fill(net);
    take(net, 0, "", 0);
    net_delete(net);
    net = net_formed(3, 3);
    net->cut[0][2] = net->cut[2][0] = net->cut[1][2] = net->cut[2][1] = true;
    assert_int_equal(restore(net, 0, archive_size)->status, STATUS_OK);
    memset(net->cut, 0, sizeof(net->cut));
    net_kill(net, 0);
    net_run(net, 15000);
    for (unsigned i = 10; i < 20; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_value(net, 2, key)->status, STATUS_OK);
    }
    net_kill(net, 1);
    net_run(net, 15000);
    assert_int_equal(restore(net, 2, archive_size)->status, STATUS_UNREACHABLE);
    assert_int_equal(net->reply.rows_stored, 0);
    net_delete(net);
}

/* Newer data survives, and what is known to be deleted stays so. */
static void test_rows_that_exist_are_merged(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op gone = net_op(OP_DELETE, "k02", NULL);

    (void)state;
    fill(net);
    take(net, 0, "", 0);
    assert_int_equal(net_put(net, 0, "k01", "newer")->status, STATUS_OK);
    assert_int_equal(net_put(net, 0, "new", "newer")->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK);
    assert_int_equal(restore(net, 1, archive_size)->status, STATUS_OK);
    assert_string_equal(net_value(net, 2, "k01")->bodies[0], "newer");
    assert_int_equal(net->reply.values, 1);
    assert_string_equal(net_value(net, 2, "new")->bodies[0], "newer");
    assert_int_equal(net_value(net, 2, "k02")->status, STATUS_MISSING);
    assert_string_equal(net_value(net, 2, "k03")->bodies[0], "k03");
    net_delete(net);
}

/* With a number what is there is superseded, also what was deleted since; rows that are not in the
 * archive stay; and the same number again changes nothing. */
static void test_rows_may_be_superseded(void **state)
{
    struct net *net = net_formed(3, 3);
    struct op gone = net_op(OP_DELETE, "k02", NULL), op = {.kind = OP_RESTORE, .replace = 77};
    uint64_t etag;

    (void)state;
    fill(net);
    take(net, 0, "", 0);
    op.body = slice_of(archive, archive_size);
    assert_int_equal(net_put(net, 0, "k01", "newer")->status, STATUS_OK);
    assert_int_equal(net_put(net, 0, "k07", "deleted in the archive")->status, STATUS_OK);
    assert_int_equal(net_put(net, 0, "new", "newer")->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK);
    assert_int_equal(net_do(net, 1, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.rows_stored, 101);
    expect(net);
    assert_string_equal(net_value(net, 2, "new")->bodies[0], "newer");
    assert_string_equal(net_value(net, 2, "k01")->bodies[0], "k01");
    assert_int_equal(net->reply.values, 1);
    etag = net->reply.etag;
    assert_int_equal(net_do(net, 2, &op)->status, STATUS_OK);
    assert_int_equal(net_value(net, 0, "k01")->etag, etag);
    assert_int_equal(net->reply.values, 1);
    assert_int_equal(net_put(net, 1, "k01", "after")->status, STATUS_OK);
    assert_string_equal(net_value(net, 0, "k01")->bodies[0], "after");
    assert_int_equal(net->reply.values, 1);
    op.replace = 78; /* another restore of the same archive */
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    expect(net);
    net_delete(net);
}

/* Nothing is written before all of it is known to be rows. */
static void test_a_damaged_page_writes_nothing(void **state)
{
    struct net *net = net_formed(1, 1);
    uint32_t writes;

    (void)state;
    fill(net);
    take(net, 0, "", 0);
    net_delete(net);
    net = net_formed(1, 1);
    writes = net->peers[0].writes;
    for (size_t cut = 1; cut < 16; cut++) /* less than a row */
        assert_int_equal(restore(net, 0, archive_size - cut)->status, STATUS_BAD);
    assert_int_equal(net_value(net, 0, "k01")->status, STATUS_MISSING);
    assert_int_equal(net->peers[0].writes, writes);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cluster_comes_back_in_another),
        cmocka_unit_test(test_a_restored_row_is_durable_at_w),
        cmocka_unit_test(test_rows_that_exist_are_merged),
        cmocka_unit_test(test_rows_may_be_superseded),
        cmocka_unit_test(test_a_damaged_page_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
