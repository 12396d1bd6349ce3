/* Taking over what a former owner offers: partitions that the two do not share. */
#include "sync_fixture.h"

static bool offers_even(void *context, uint64_t peer, uint16_t partition)
{
    (void)context;
    (void)peer;
    return partition % 2 == 0;
}

static bool shares_nothing(void *context, uint64_t peer, uint16_t partition)
{
    (void)context;
    (void)peer;
    (void)partition;
    return false;
}

static void take_open(struct mesh *mesh)
{
    mesh_open(mesh, 1);
    for (unsigned i = 0; i < MESH_PEERS; i++) {
        mesh->peers[i].sync->config.is_shared = shares_nothing;
        mesh->peers[i].sync->config.is_offered = offers_even;
    }
    for (uint32_t i = 0; i < 3000; i++) {
        mesh_put_number(&mesh->peers[1], i % 8, i, 3);
        if (i % 3)
            mesh_put_number(&mesh->peers[0], i % 8, i, i % 2 ? 1 : 7);
    }
}

static enum status take(struct mesh *mesh, const uint16_t *partitions, uint32_t count)
{
    struct sync_taking taking = {
        .peer = 2, .layout = MESH_LAYOUT, .partitions = partitions, .count = count};

    return sync_take(mesh->peers[0].sync, mesh->now, &taking);
}

static void test_all_that_is_offered_is_taken(void **state)
{
    static const uint16_t partitions[] = {0, 2, 4, 6};
    struct mesh mesh;

    (void)state;
    take_open(&mesh);
    assert_int_equal(take(&mesh, partitions, 4), STATUS_OK);
    assert_int_equal(take(&mesh, partitions, 4), STATUS_BUSY);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].pulled_set[1], 0x55);
    assert_true(mesh.peers[0].last.is_taken);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[1].given[0], 0); /* the node tells, with the offer's token */
    for (uint32_t i = 0; i < 3000; i++) {
        uint8_t room[STORE_KEY_SIZE_MAX];
        struct mesh_row *row = store_find(&mesh.peers[0].store, mesh_key(i % 8, i, room));

        if (i % 2 == 0) {
            assert_non_null(row);
            assert_int_equal(row->bits & 3, 3);
        }
    }
    mesh_close(&mesh);
}

static void test_what_is_not_offered_is_not_shown(void **state)
{
    static const uint16_t partitions[] = {1, 2};
    struct mesh mesh;

    (void)state;
    take_open(&mesh);
    assert_int_equal(take(&mesh, partitions, 2), STATUS_OK);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].pulled_set[1] & 2, 0);
    sync_expire(mesh.peers[0].sync, mesh.now + 2 * MESH_TIMEOUT);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].ended, 1);
    assert_int_equal(mesh.peers[0].last.status, STATUS_DEADLINE);
    mesh_close(&mesh);
}

static void test_another_layout_refuses(void **state)
{
    static const uint16_t partitions[] = {2};
    struct mesh mesh;

    (void)state;
    take_open(&mesh);
    mesh.peers[1].layout = MESH_LAYOUT + 1;
    assert_int_equal(take(&mesh, partitions, 1), STATUS_OK);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].pulled_set[1], 0);
    assert_int_equal(mesh.peers[0].last.status, STATUS_LAYOUT);
    assert_true(mesh.peers[0].layouts > 0);
    mesh_close(&mesh);
}

static void test_a_change_of_layout_ends_what_runs(void **state)
{
    static const uint16_t partitions[] = {2};
    struct mesh mesh;

    (void)state;
    take_open(&mesh);
    assert_int_equal(take(&mesh, partitions, 1), STATUS_OK);
    sync_relayout(mesh.peers[0].sync, MESH_LAYOUT); /* the same: nothing */
    assert_int_equal(mesh.peers[0].ended, 0);
    sync_relayout(mesh.peers[0].sync, MESH_LAYOUT + 1);
    assert_int_equal(mesh.peers[0].ended, 1);
    assert_int_equal(mesh.peers[0].last.status, STATUS_LAYOUT);
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_is_offered_is_taken),
        cmocka_unit_test(test_what_is_not_offered_is_not_shown),
        cmocka_unit_test(test_another_layout_refuses),
        cmocka_unit_test(test_a_change_of_layout_ends_what_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
