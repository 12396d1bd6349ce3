/* node_page_test.c: what one peer tells of its index: rows of its own partitions, under the layout
 * it was asked for. */
#include "net.h"
#include "node_parts.h"

/* Puts a row on a peer's disk behind its back, as a former owner may still have one. */
static void plant(struct net *net, unsigned index, const char *key)
{
    static struct crdt_object object;
    const struct crdt_value value = {.kind = CRDT_VALUE, .body = slice_text("old")};
    struct net_peer *peer = &net->peers[index];
    struct store memory = store_memory_ports(peer->memory);
    struct store_row rows[2] = {{.family = STORE_OBJ}, {.family = STORE_IDX}};
    uint8_t names[2][STORE_KEY_SIZE_MAX], bytes[256];
    struct writer out = writer_over(bytes, sizeof(bytes));
    struct blob *object_record;

    crdt_object_clear(&object);
    assert_int_equal(crdt_object_write(&object, NULL, 77, 1, &value), STATUS_OK);
    assert_int_equal(crdt_object_encode(&object, &out), STATUS_OK);
    rows[0].key = node_row_key(peer->node, slice_text("n"), slice_text(key), names[0]);
    rows[1].key = store_key_idx(slice_text("n"), slice_text(key), names[1]);
    object_record = store_record_write(STORE_OBJ, rows[0].key, writer_done(&out));
    rows[0].value = blob_slice(object_record);
    assert_int_equal(memory.apply(memory.context, rows, 2), STATUS_OK);
    blob_drop(&object_record);
}

static bool is_owner(struct net *net, unsigned index, const char *key)
{
    struct node *node = net->peers[index].node;
    struct node_id owners[REPLICAS_MAX];
    unsigned count =
        node_owners(node, node_partition_of(node, slice_text("n"), slice_text(key)), owners);

    for (unsigned i = 0; i < count; i++)
        if (id_equal(&owners[i], node_self(node)))
            return true;
    return false;
}

static void test_rows_of_others_are_passed_over(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op op = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    assert_int_equal(net_put(net, 0, "own", "v")->status, STATUS_OK);
    for (unsigned i = 0; i < 3; i++)
        if (!is_owner(net, i, "left"))
            plant(net, i, "left");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(net_do(net, i, &op)->status, STATUS_OK);
        assert_int_equal(net->reply.items, 1);
        assert_string_equal(net->reply.names[0], "own");
    }
    for (unsigned i = 0; i < 3; i++)
        if (is_owner(net, i, "left"))
            plant(net, i, "left");
    assert_int_equal(net_do(net, 0, &op)->status, STATUS_OK);
    assert_int_equal(net->reply.items, 2);
    net_delete(net);
}

/* The layout changes while the disk is read: the page belongs to neither. */
static void test_a_page_across_two_layouts_is_refused(void **state)
{
    struct net *net = net_formed(1, 1);
    struct node *node = net->peers[0].node;
    struct op op = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    assert_int_equal(net_put(net, 0, "own", "v")->status, STATUS_OK);
    net_ask(net, 0, &op);
    for (uint32_t i = 0; i < node->reads.capacity; i++) {
        struct node_read *read = pool_at(&node->reads, i);

        if (read->ticket && read->kind == READ_LIST) {
            assert_true(read->layout == node_layout(node));
            read->layout++;
        }
    }
    net_run(net, 500); /* refused, and asked again */
    assert_int_equal(net->reply.ticket, net->tickets);
    assert_int_equal(net->reply.status, STATUS_OK);
    assert_int_equal(net->reply.items, 1);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_others_are_passed_over),
        cmocka_unit_test(test_a_page_across_two_layouts_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
