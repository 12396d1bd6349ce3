/* node_scan_test.c: pages of rows with their objects, of partitions and of collections. */
#include "net.h"

#define PARTITIONS 8

/* Rows seen while all partitions were paged through. */
static struct seen {
    unsigned rows, gone, values, pages;
    char names[64][32];
} seen;

static bool has(const char *name)
{
    for (unsigned i = 0; i < seen.rows; i++)
        if (!strcmp(seen.names[i], name))
            return true;
    return false;
}

/* Pages through every partition by way of one peer. Gives the first status that is not OK. */
static enum status scan_all(struct net *net, unsigned index, const char *ns, uint32_t limit)
{
    uint8_t next[STORE_KEY_SIZE_MAX];
    struct op op = {.kind = OP_SCAN, .ns = slice_text(ns), .limit = limit};

    memset(&seen, 0, sizeof(seen));
    for (op.partition = 0; op.partition < PARTITIONS; op.partition++) {
        op.after = SLICE_NONE;
        do {
            const struct net_reply *reply = net_do(net, index, &op);

            if (reply->status != STATUS_OK)
                return reply->status;
            seen.pages++;
            for (uint32_t i = 0; i < reply->items; i++) {
                memcpy(seen.names[seen.rows++], reply->names[i], 32);
                seen.gone += reply->rows[i].is_gone;
                seen.values += reply->rows[i].values;
            }
            memcpy(next, reply->next, reply->next_size);
            op.after = slice_of(next, reply->next_size);
        } while (net->reply.is_truncated);
    }
    return STATUS_OK;
}

static void fill(struct net *net)
{
    struct op other = {.kind = OP_PUT,
                       .ns = slice_text("other"),
                       .key = slice_text("elsewhere"),
                       .body = slice_text("v")};
    struct op gone = net_op(OP_DELETE, "k07", NULL);
    char key[16];

    for (unsigned i = 0; i < 25; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % net->count, key, "v")->status, STATUS_OK);
    }
    assert_int_equal(net_do(net, 0, &other)->status, STATUS_OK);
    assert_int_equal(net_do(net, 0, &gone)->status, STATUS_OK);
}

static void test_every_row_is_seen_once_through_any_peer(void **state)
{
    struct net *net = net_formed(3, 1);

    (void)state;
    fill(net);
    for (unsigned i = 0; i < 3; i++) {
        net->peers[i].is_cold = true; /* pages come from the disk whether cold or not */
        assert_int_equal(scan_all(net, i, "", 1 + i), STATUS_OK);
        assert_int_equal(seen.rows, 26);
        assert_int_equal(seen.gone, 1);
        assert_int_equal(seen.values, 26);
        assert_true(has("k00") && has("k07") && has("k24") && has("elsewhere"));
    }
    assert_true(seen.pages >= 9);
    net_delete(net);
}

static void test_rows_of_one_namespace(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    fill(net);
    assert_int_equal(scan_all(net, 1, "other", 2), STATUS_OK);
    assert_int_equal(seen.rows, 1);
    assert_true(has("elsewhere"));
    assert_int_equal(scan_all(net, 1, "empty", 2), STATUS_OK);
    assert_int_equal(seen.rows, 0);
    assert_true(seen.pages >= PARTITIONS + 5); /* pages of other rows are empty, not the end */
    net_delete(net);
}

/* What one owner missed is there all the same, and concurrent values are both there. */
static void test_copies_are_merged(void **state)
{
    struct net *net = net_formed(3, 3);
    char key[16];

    (void)state;
    fill(net);
    for (unsigned i = 0; i < 2; i++)
        net->cut[i][2] = net->cut[2][i] = true;
    for (unsigned i = 25; i < 30; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, 0, key, "late")->status, STATUS_OK);
    }
    net->cut[1][2] = net->cut[2][1] = false;
    net->cut[0][1] = net->cut[1][0] = true; /* peer 2, which lacks them, and peer 1 */
    assert_int_equal(scan_all(net, 2, "n", 4), STATUS_OK);
    assert_int_equal(seen.rows, 30);
    assert_true(has("k25") && has("k29"));
    net_delete(net);
}

static void test_a_scan_that_would_lack_rows_is_refused(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    fill(net);
    net_kill(net, 1);
    assert_int_equal(scan_all(net, 0, "", 100), STATUS_OK);
    assert_int_equal(seen.rows, 26);
    net_kill(net, 2);
    net_run(net, 15000);
    assert_int_equal(scan_all(net, 0, "", 100), STATUS_UNREACHABLE);
    assert_int_equal(seen.rows, 0);
    net_delete(net);
}

/* A row that cannot be read is no missing row: its owner does not count, and alone it fails. */
static void test_a_damaged_row_is_not_left_out(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct store_row bad = {.family = STORE_OBJ, .value = slice_text("no record of a row")};
    struct store memory;

    (void)state;
    fill(net);
    bad.key = node_row_key(net->peers[0].node, slice_text("n"), slice_text("k03"), room);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned owner = 0; owner <= i; owner++) { /* the first was mended meanwhile */
            memory = store_memory_ports(net->peers[owner].memory);
            assert_int_equal(memory.apply(memory.context, &bad, 1), STATUS_OK);
        }
        assert_int_equal(scan_all(net, 0, "", 100), i == 0 ? STATUS_OK : STATUS_UNREACHABLE);
        assert_true(i > 0 || (seen.rows == 26 && has("k03")));
        assert_int_equal(net_metric(net, i, METRIC_STORE_CORRUPT) > 0, true);
    }
    net_delete(net);
}

static void test_rows_of_a_collection_lie_beside_each_other(void **state)
{
    struct net *net = net_formed(3, 1);
    static const char *const names[] = {"set\0b", "set\0a", "set\0c", "set\0a\1", "set2\0x", "set"};
    static const size_t sizes[] = {5, 5, 5, 7, 6, 3};
    struct op op = net_op(OP_PUT, "", "element"), scan = net_op(OP_SCAN, "set", NULL);

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        op.key = slice_of(names[i], sizes[i]);
        assert_int_equal(net_do(net, i % 3, &op)->status, STATUS_OK);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &scan)->status, STATUS_OK);
        assert_int_equal(net->reply.items, 4);
        assert_memory_equal(net->reply.names[0], "set\0a", 6);
        assert_memory_equal(net->reply.names[1], "set\0a\1", 8);
        assert_memory_equal(net->reply.names[3], "set\0c", 6);
    }
    scan.after = slice_of("set\0a", 5);
    scan.limit = 2;
    assert_int_equal(net_do(net, 0, &scan)->items, 2);
    assert_memory_equal(net->reply.names[0], "set\0a\1", 8);
    assert_memory_equal(net->reply.names[1], "set\0b", 6);
    assert_true(net->reply.is_truncated);
    scan.after = slice_of("set\0c", 5);
    assert_int_equal(net_do(net, 0, &scan)->status, STATUS_OK);
    assert_int_equal(net->reply.items, 0);
    assert_false(net->reply.is_truncated);
    scan.after = slice_text("sex"); /* no row of this collection */
    assert_int_equal(net_do(net, 0, &scan)->status, STATUS_BAD);
    net_delete(net);
}

static void test_what_is_no_partition_is_refused(void **state)
{
    struct net *net = net_formed(1, 1);
    struct op op = {.kind = OP_SCAN, .partition = PARTITIONS};

    (void)state;
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_BAD);
    op.partition = 1;
    op.after = slice_text("\x7f"); /* behind its last row */
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_BAD);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_seen_once_through_any_peer),
        cmocka_unit_test(test_rows_of_one_namespace),
        cmocka_unit_test(test_copies_are_merged),
        cmocka_unit_test(test_a_scan_that_would_lack_rows_is_refused),
        cmocka_unit_test(test_a_damaged_row_is_not_left_out),
        cmocka_unit_test(test_rows_of_a_collection_lie_beside_each_other),
        cmocka_unit_test(test_what_is_no_partition_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
