/* node_scrub_test.c: what nobody reads is read by the scrubber, and what it finds is put right. */
#include "net.h"
#include "node_parts.h"

#define PERIOD_S 4

static void start(struct net *net, unsigned index)
{
    net->peers[index].node->config.scrub_period_s = PERIOD_S;
    node_scrub_start(net->peers[index].node);
}

static void damage(struct net *net, unsigned index, enum store_family family, struct slice key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_row row = {.family = family, .key = key, .value = slice_text("no record at all")};

    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
}

static bool is_sound(struct net *net, unsigned index, enum store_family family, struct slice key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_pin pin = {0};
    struct slice body;
    bool is_ok = memory.get(memory.context, family, key, &pin) == STATUS_OK;

    is_ok = is_ok &&
            (family == STORE_IDX ? pin.value.size == 0
                                 : store_record_open(family, key, pin.value, &body) == STATUS_OK);

    memory.release(memory.context, &pin);
    return is_ok;
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

static void test_D13_every_row_is_read_within_the_period(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = node_row_key(net->peers[0].node, slice_text("n"), slice_text("k07"), room);

    (void)state;
    fill(net);
    start(net, 1);
    damage(net, 1, STORE_OBJ, key);
    net_run(net, 1000 * PERIOD_S + 500);
    assert_true(net_metric(net, 1, METRIC_SCRUB_ROWS) >= 40); /* objects and their index rows */
    assert_true(net->traces[TRACE_SCRUBBED] > 0);
    assert_true(is_sound(net, 1, STORE_OBJ, key));
    assert_true(net_metric(net, 1, METRIC_SCRUB_AGE) < PERIOD_S);
    assert_int_equal(net_metric(net, 1, METRIC_STORE_CORRUPT), 1);
    net_delete(net);
}

static void test_an_index_row_is_made_again_from_its_key(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = store_key_idx(slice_text("n"), slice_text("k07"), room);
    struct op list = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    fill(net);
    start(net, 1);
    damage(net, 1, STORE_IDX, key);
    net_run(net, 1000 * PERIOD_S + 500);
    assert_true(is_sound(net, 1, STORE_IDX, key));
    assert_int_equal(net_do(net, 1, &list)->items, 20);
    net_delete(net);
}

static void lose(struct net *net, unsigned index, enum store_family family, struct slice key)
{
    struct store memory = store_memory_ports(net->peers[index].memory);
    struct store_row row = {.family = family, .is_delete = true, .key = key};

    assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
    store_recent_clear(net->peers[index].node->recent);
}

/* Either row of a pair is missed by the other. */
static void test_a_lost_row_is_found_by_its_pair(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t rooms[2][STORE_KEY_SIZE_MAX];
    struct slice object =
        node_row_key(net->peers[0].node, slice_text("n"), slice_text("k07"), rooms[0]);
    struct slice index = store_key_idx(slice_text("n"), slice_text("k11"), rooms[1]);
    struct op list = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    fill(net);
    start(net, 1);
    lose(net, 1, STORE_OBJ, object);
    lose(net, 1, STORE_IDX, index);
    net_run(net, 1000 * PERIOD_S + 500);
    assert_true(is_sound(net, 1, STORE_OBJ, object));
    assert_true(is_sound(net, 1, STORE_IDX, index));
    assert_int_equal(net_metric(net, 1, METRIC_STORE_CORRUPT), 2);
    assert_int_equal(net_do(net, 1, &list)->items, 20);
    net_delete(net);
}

/* An index row that leads nowhere goes, whoever would own its key. */
static void test_a_stray_index_row_goes(void **state)
{
    for (unsigned count = 1; count <= 3; count += 2) {
        struct net *net = net_formed(count, 3);
        uint8_t room[STORE_KEY_SIZE_MAX];
        struct store memory = store_memory_ports(net->peers[0].memory);
        struct store_row row = {.family = STORE_IDX,
                                .key = store_key_idx(slice_text("n"), slice_text("j07"), room)};
        struct op list = {.kind = OP_LIST, .ns = slice_text("n")};

        (void)state;
        fill(net);
        start(net, 0);
        assert_int_equal(memory.apply(memory.context, &row, 1), STATUS_OK);
        net_run(net, 1000 * PERIOD_S + 500);
        assert_false(is_sound(net, 0, STORE_IDX, row.key));
        assert_int_equal(net_do(net, 0, &list)->items, 20);
        net_delete(net);
    }
}

/* A listing that meets damage does not count, and what it met is put right without a scrub. */
static void test_a_listing_reports_what_is_lost(void **state)
{
    struct net *net = net_formed(3, 3);
    uint8_t room[STORE_KEY_SIZE_MAX];
    struct slice key = node_row_key(net->peers[0].node, slice_text("n"), slice_text("k07"), room);
    struct op list = {.kind = OP_LIST, .ns = slice_text("n")};

    (void)state;
    fill(net);
    lose(net, 1, STORE_OBJ, key);
    assert_int_equal(net_do(net, 1, &list)->items, 20); /* of the two other owners */
    assert_int_equal(net_metric(net, 1, METRIC_STORE_CORRUPT), 1);
    net_run(net, 2000);
    assert_true(is_sound(net, 1, STORE_OBJ, key));
    assert_int_equal(net_metric(net, 1, METRIC_STORE_MENDED), 1);
    damage(net, 1, STORE_IDX, store_key_listed(key));
    assert_int_equal(net_do(net, 1, &list)->items, 20);
    net_run(net, 2000);
    assert_true(is_sound(net, 1, STORE_IDX, store_key_listed(key)));
    net_delete(net);
}

/* What the peer knows of the cluster is written again, and so is the record of its founding. */
static void test_rows_of_our_own_are_written_again(void **state)
{
    struct net *net = net_formed(3, 3);

    (void)state;
    start(net, 1);
    damage(net, 1, STORE_SYS, slice_text("founding"));
    damage(net, 1, STORE_SYS, slice_text("hlc"));
    net_run(net, 1000 * PERIOD_S + 2000);
    assert_true(is_sound(net, 1, STORE_SYS, slice_text("founding")));
    assert_true(is_sound(net, 1, STORE_SYS, slice_text("hlc")));
    net_delete(net);
}

/* The founder knows no seeds: a damaged record must not make it found another cluster. */
static void test_a_damaged_founding_founds_nothing(void **state)
{
    struct net *net = net_formed(1, 3);

    (void)state;
    fill(net);
    net_kill(net, 0);
    damage(net, 0, STORE_SYS, slice_text("founding"));
    net_boot(net, 0);
    net_run(net, 3000);
    assert_int_equal(net->traces[TRACE_FOUNDED], 1);
    assert_string_equal(net_value(net, 0, "k07")->bodies[0], "v");
    net_kill(net, 0);
    damage(net, 0, STORE_SYS, slice_text("founding"));
    damage(net, 0, STORE_SYS, slice_text("founding/copy"));
    net_boot(net, 0);
    net_run(net, 3000);
    assert_int_equal(net->traces[TRACE_FOUNDED], 1);
    assert_false(node_is_ready(net->peers[0].node));
    net_delete(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D13_every_row_is_read_within_the_period),
        cmocka_unit_test(test_an_index_row_is_made_again_from_its_key),
        cmocka_unit_test(test_a_lost_row_is_found_by_its_pair),
        cmocka_unit_test(test_a_stray_index_row_goes),
        cmocka_unit_test(test_a_listing_reports_what_is_lost),
        cmocka_unit_test(test_rows_of_our_own_are_written_again),
        cmocka_unit_test(test_a_damaged_founding_founds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
