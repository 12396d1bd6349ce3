/* node_hand_test.c: a former owner hands its rows over and drops them, and not before everybody who
 * owns them now has told that it holds them. */
#include "net.h"
#include "node_parts.h"

#define KEYS 40u

static void put_keys(struct net *net, unsigned peers)
{
    char key[16];

    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_put(net, i % peers, key, "v")->status, STATUS_OK);
    }
}

static void assert_keys(struct net *net, unsigned peers)
{
    char key[16];

    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_string_equal(net_value(net, i % peers, key)->bodies[0], "v");
    }
}

static uint64_t rows_of_memory(const struct net *net, unsigned index)
{
    return store_memory_rows(net->peers[index].memory);
}

/* Two peers with data; the third is made, and opened by the test. */
static struct net *two_and_one(uint8_t replicas)
{
    static const char *const seeds[] = {"", "0", "0"};
    struct net *net = net_new(3, replicas, seeds);

    net_opened(net, 0);
    net_opened(net, 1);
    net_run(net, 8000);
    assert_int_equal(node_place_state(net->peers[1].node), PLACE_ACTIVE);
    put_keys(net, 2);
    return net;
}

static void test_who_owns_a_row_no_more_drops_it(void **state)
{
    struct net *net = two_and_one(1);
    uint64_t rows = 0;

    (void)state;
    net_opened(net, 2);
    net_run(net, 15000);
    assert_int_equal(node_place_state(net->peers[2].node), PLACE_ACTIVE);
    for (unsigned i = 0; i < 3; i++)
        rows += net->peers[i].node->keys;
    assert_int_equal(rows, KEYS); /* each at one peer, and nowhere else */
    assert_true(net->peers[2].node->keys > 0);
    assert_true(net->traces[TRACE_LEFTOVER_DROPPED] > 0);
    assert_keys(net, 3);
    for (unsigned i = 0; i < 3; i++) { /* the index rows have gone with them */
        net_kill(net, i);
        net_boot(net, i);
    }
    net_run(net, 8000);
    rows = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rows_of_memory(net, i) >= 2 * net->peers[i].node->keys);
        rows += net->peers[i].node->keys;
    }
    assert_int_equal(rows, KEYS);
    net_delete(net);
}

struct emptied {
    struct store_row rows[256];
    uint8_t keys[256][STORE_KEY_SIZE_MAX];
    uint32_t count;
};

static bool empty_row(void *context, const struct store_row *row)
{
    struct emptied *emptied = context;
    uint8_t *key = emptied->keys[emptied->count];

    memcpy(key, row->key.data, row->key.size);
    emptied->rows[emptied->count++] = (struct store_row){
        .family = row->family, .is_delete = true, .key = slice_of(key, row->key.size)};
    return emptied->count < 256;
}

/* Takes every object from a peer's disk; what it knows of the cluster stays. */
static void empty_disk(struct net *net, unsigned index)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct emptied *emptied = calloc(1, sizeof(*emptied));
    struct store_range all = {.rows_max = 1000, .bytes_max = 1u << 20};

    all.family = STORE_OBJ;
    (void)memory.scan(memory.context, &all, empty_row, emptied);
    all.family = STORE_IDX;
    (void)memory.scan(memory.context, &all, empty_row, emptied);
    assert_int_equal(memory.apply(memory.context, emptied->rows, emptied->count), STATUS_OK);
    free(emptied);
}

static void test_D1_nothing_is_dropped_while_an_owner_cannot_store(void **state)
{
    struct net *net = two_and_one(2);
    uint64_t rows;

    (void)state;
    net_opened(net, 2);
    for (unsigned ms = 0; ms < 20000 && node_place_state(net->peers[2].node) != PLACE_ACTIVE; ms++)
        net_run(net, 1);
    rows = net->peers[0].node->keys + net->peers[1].node->keys;
    assert_true(rows == 2 * KEYS);
    net_kill(net, 2); /* it loses what it had pulled, and cannot store it again */
    empty_disk(net, 2);
    net->peers[2].commit = STATUS_NO_SPACE;
    net_boot(net, 2);
    net_run(net, 10000);
    assert_int_equal(net->peers[2].node->keys, 0);
    assert_true(net->traces[TRACE_LEFTOVER_TAKEN] > 0); /* it tried */
    assert_int_equal(net->traces[TRACE_LEFTOVER_DROPPED], 0);
    assert_int_equal(net->peers[0].node->keys + net->peers[1].node->keys, rows);
    net_delete(net);
}

/* The only copy is where nobody looks for it: at a peer that left and comes back. */
static void test_D1_who_was_out_gives_back_what_only_it_holds(void **state)
{
    struct net *net = net_formed(3, 1);
    struct op leave = {.kind = OP_LEAVE};
    bool is_at_2[KEYS] = {false};
    char key[16];

    (void)state;
    put_keys(net, 3);
    for (unsigned i = 0; i < KEYS; i++) {
        struct node_id owner;

        (void)snprintf(key, sizeof(key), "k%u", i);
        (void)node_owners(net->peers[0].node,
                          node_partition_of(net->peers[0].node, slice_text("n"), slice_text(key)),
                          &owner);
        is_at_2[i] = id_equal(&owner, &net->peers[2].identity.id);
    }
    assert_int_equal(net_do(net, 2, &leave)->status, STATUS_OK);
    net_run(net, 3000);
    for (unsigned i = 0; i < 3; i++)
        net_kill(net, i);
    empty_disk(net, 0);
    empty_disk(net, 1);
    for (unsigned i = 0; i < 3; i++)
        net_boot(net, i);
    net_run(net, 1500);
    assert_int_equal(node_place_state(net->peers[2].node), PLACE_OUT); /* first things first */
    net_run(net, 20000);
    assert_int_equal(node_place_state(net->peers[2].node), PLACE_ACTIVE);
    assert_true(net->traces[TRACE_LEFTOVER_TAKEN] > 0);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(net_value(net, i % 3, key)->status,
                         is_at_2[i] ? STATUS_OK : STATUS_MISSING);
    }
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_owns_a_row_no_more_drops_it),
        cmocka_unit_test(test_D1_nothing_is_dropped_while_an_owner_cannot_store),
        cmocka_unit_test(test_D1_who_was_out_gives_back_what_only_it_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
