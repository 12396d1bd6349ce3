/* node_mend_test.c: rows that failed their checksum: not served, not counted, mended from the other
 * owners, whoever finds them. */
#include "net.h"
#include "node_parts.h"

/* Flips a bit of a stored record. */
static void damage(struct net *net, unsigned index, enum store_family family, struct slice key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_row row = {.family = family, .key = key};
    struct store_pin pin = {0};
    uint8_t record[512];

    assert_int_equal(memory.get(memory.context, family, key, &pin), STATUS_OK);
    assert_true(pin.value.size <= sizeof(record));
    memcpy(record, pin.value.data, pin.value.size);
    row.value = slice_of(record, pin.value.size);
    memory.release(memory.context, &pin);
    record[row.value.size - 1] ^= 4;
    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
}

static struct slice object_key(struct net *net, const char *key, uint8_t *room)
{
    return node_row_key(net->peers[0].node, slice_text("n"), slice_text(key), room);
}

static bool is_sound(struct net *net, unsigned index, enum store_family family, struct slice key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_pin pin = {0};
    struct slice body;
    bool is_ok = memory.get(memory.context, family, key, &pin) == STATUS_OK &&
                 store_record_open(family, key, pin.value, &body) == STATUS_OK;

    memory.release(memory.context, &pin);
    return is_ok;
}

/* What a node says of its partitions is what its rows add up to. */
static void check_sums(struct net *net)
{
    for (uint32_t p = 0; p < 8; p++) {
        uint32_t rows[2];
        struct hash16 a = node_fingerprint(net->peers[0].node, p, &rows[0]);
        struct hash16 b = node_fingerprint(net->peers[1].node, p, &rows[1]);

        assert_memory_equal(&a, &b, sizeof(a));
        assert_int_equal(rows[0], rows[1]);
    }
}

static void fill(struct net *net)
{
    char key[16];

    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(key, sizeof(key), "k%02u", i);
        assert_int_equal(net_put(net, i % net->count, key, "v")->status, STATUS_OK);
    }
    net_run(net, 200);
}

static void test_D13_a_row_found_by_a_read_is_mended(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = object_key(net, "k03", room);
    struct op one = net_op(OP_GET, "k03", NULL);

    (void)state;
    fill(net);
    damage(net, 1, STORE_OBJ, key);
    store_recent_clear(net->peers[1].node->recent);
    one.consistency = CONSISTENCY_ONE;
    assert_int_equal(net_do(net, 1, &one)->status, STATUS_OK);
    assert_string_equal(net->reply.bodies[0], "v");
    net_run(net, 500);
    assert_true(is_sound(net, 1, STORE_OBJ, key));
    assert_int_equal(net_metric(net, 1, METRIC_STORE_CORRUPT), 1);
    assert_int_equal(net_metric(net, 1, METRIC_STORE_MENDED), 1);
    assert_int_equal(net_metric(net, 1, METRIC_STORE_BAD), 0);
    check_sums(net);
    net_delete(net);
}

static void test_what_is_written_over_it_counts_once_the_others_were_asked(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = object_key(net, "k03", room);
    struct op read = net_op(OP_GET, "k03", NULL);

    (void)state;
    fill(net);
    damage(net, 1, STORE_OBJ, key);
    net_kill(net, 2);
    net_run(net, 3000);
    store_recent_clear(net->peers[1].node->recent);
    assert_int_equal(net_put(net, 0, "k03", "newer")->status, STATUS_OK);
    net_run(net, 3000);
    assert_true(is_sound(net, 1, STORE_OBJ, key)); /* and yet: peer 2 may know more */
    assert_true(node_row_is_bad(net->peers[1].node, key));
    for (unsigned i = 0; i < 2; i++) /* neither with our copy nor with one that we show */
        assert_true(net_do(net, i, &read)->status != STATUS_OK);
    assert_true(node_is_recovering(net->peers[1].node)); /* also after a restart */
    net_boot(net, 2);
    net_run(net, 8000);
    assert_false(node_row_is_bad(net->peers[1].node, key));
    assert_string_equal(net_value(net, 1, "k03")->bodies[0], "newer");
    check_sums(net);
    net_delete(net);
}

static void test_a_row_nobody_else_has_goes(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX], name[STORE_KEY_SIZE_MAX];
    struct slice index = store_key_idx(slice_text("n"), slice_text("ghost"), name);
    struct store_row rows[2] = {{.family = STORE_OBJ, .value = slice_text("never acknowledged")},
                                {.family = STORE_IDX, .key = index}};
    struct store memory = store_memory_ports(net->peers[1].memory);
    struct op read = net_op(OP_GET, "ghost", NULL);

    (void)state;
    fill(net);
    rows[0].key = object_key(net, "ghost", room);
    assert_int_equal(memory.apply(memory.context, rows, 2), STATUS_OK);
    assert_int_equal(net_do(net, 1, &read)->status, STATUS_MISSING);
    net_run(net, 500);
    assert_int_equal(net_metric(net, 1, METRIC_STORE_BAD), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct store_pin pin = {0};

        assert_int_equal(memory.get(memory.context, rows[i].family, rows[i].key, &pin),
                         STATUS_MISSING);
    }
    check_sums(net);
    net_delete(net);
}

static void test_a_row_damaged_at_two_owners_comes_from_the_third(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = object_key(net, "k03", room);
    struct op one = net_op(OP_GET, "k03", NULL);

    (void)state;
    fill(net);
    one.consistency = CONSISTENCY_ONE;
    for (unsigned i = 0; i < 2; i++) {
        damage(net, i, STORE_OBJ, key);
        store_recent_clear(net->peers[i].node->recent);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_string_equal(net_do(net, i, &one)->bodies[0], "v");
    net_run(net, 8000);
    for (unsigned i = 0; i < 2; i++)
        assert_true(is_sound(net, i, STORE_OBJ, key));
    assert_string_equal(net_value(net, 0, "k03")->bodies[0], "v");
    net_delete(net);
}

static void test_an_only_copy_is_lost_until_it_is_written_again(void **state)
{
    struct net *net = net_formed(1, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = object_key(net, "k03", room);
    struct op read = net_op(OP_GET, "k03", NULL);

    (void)state;
    fill(net);
    damage(net, 0, STORE_OBJ, key);
    store_recent_clear(net->peers[0].node->recent);
    assert_true(net_do(net, 0, &read)->status != STATUS_OK);
    net_run(net, 3000);
    assert_int_equal(net_put(net, 0, "k03", "again")->status, STATUS_OK);
    net_run(net, 3000);
    assert_string_equal(net_value(net, 0, "k03")->bodies[0], "again");
    net_delete(net);
}

/* A block the engine refuses: what is on its way is let through, then the store is opened again. */
static void test_a_block_that_cannot_be_read_reopens_the_store(void **state)
{
    struct net *net = net_formed(3, 3);
    struct node *node = net->peers[1].node;
    struct event loaded = {.kind = EVENT_LOADED};

    (void)state;
    fill(net);
    node->config.scrub_period_s = 1;
    node_scrub_start(node);
    for (unsigned ms = 0; ms < 2000 && !node->scrub.is_reading; ms++) {
        struct event timer = {.kind = EVENT_TIMER};

        net->now += INSTANT_MS(1);
        net_step(net, &net->peers[1], &timer);
    }
    assert_true(node->scrub.is_reading);
    for (uint32_t i = 0; i < node->reads.capacity; i++) {
        const struct node_read *read = pool_at(&node->reads, i);

        if (read->kind == READ_SCRUB)
            loaded.loaded.read = read->ticket;
    }
    loaded.loaded.status = STATUS_CORRUPT;
    net_step(net, &net->peers[1], &loaded);
    assert_int_equal(net->peers[1].reopens, 1);
    assert_true(node->is_read_only);
    net_opened(net, 1);
    assert_false(node->is_read_only);
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D13_a_row_found_by_a_read_is_mended),
        cmocka_unit_test(test_what_is_written_over_it_counts_once_the_others_were_asked),
        cmocka_unit_test(test_a_row_nobody_else_has_goes),
        cmocka_unit_test(test_a_row_damaged_at_two_owners_comes_from_the_third),
        cmocka_unit_test(test_an_only_copy_is_lost_until_it_is_written_again),
        cmocka_unit_test(test_a_block_that_cannot_be_read_reopens_the_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
