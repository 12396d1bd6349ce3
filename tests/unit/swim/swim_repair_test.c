/* swim_repair_test.c: two tables that differ are equal after one exchange. */
#include "network.h"

static void test_one_exchange_makes_two_tables_equal(void **state)
{
    struct network *network = network_new(6, 1);
    struct swim_output start = {.id8 = network->peers[1].id8};

    (void)state;
    network_introduce(network, 0, 2);
    network_introduce(network, 0, 3);
    network_introduce(network, 1, 3);
    swim_leave(network->peers[3].swim, network->now);
    network_introduce(network, 1, 3);
    network_introduce(network, 1, 4);
    swim_declare(network->peers[1].swim, network->now,
                 swim_slot(network->peers[1].swim, network->peers[4].id8), 0, 7);
    network->peers[2].is_up = network->peers[3].is_up = network->peers[4].is_up = false;
    peer_send_table(&network->peers[0], &start);
    network_run_for(network, INSTANT_MS(100));
    assert_int_equal(swim_digest(network->peers[0].swim), swim_digest(network->peers[1].swim));
    assert_int_equal(network_rank(network, 0, 3), RANK_LEFT);
    assert_int_equal(network_rank(network, 0, 4), RANK_DEAD);
    assert_int_equal(network_rank(network, 1, 2), RANK_ALIVE);
    network_delete(network);
}

static void test_a_malformed_table_is_ignored(void **state)
{
    struct network *network = network_new(2, 1);
    struct swim_from from = {.id8 = network->peers[1].id8, .is_stream = true};
    uint8_t rows[35] = {0};
    struct message table = {.kind = MESSAGE_TABLE,
                            .table = {.members = slice_of(rows, sizeof(rows))}};

    (void)state;
    swim_receive(network->peers[0].swim, network->now, &from, &table);
    assert_int_equal(network->peers[0].sent, 0);
    rows[16] = 200; /* a rank that does not exist */
    table.table.members.size = SWIM_TABLE_ROW_SIZE;
    swim_receive(network->peers[0].swim, network->now, &from, &table);
    assert_int_equal(swim_count(network->peers[0].swim), 1);
    network_delete(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_exchange_makes_two_tables_equal),
        cmocka_unit_test(test_a_malformed_table_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
