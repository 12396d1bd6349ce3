/* The door: bounds, fingerprints, forgetting, and a node that calls back in the middle. */
#include "sync_fixture.h"

static void test_rounds_are_bounded(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    mesh_pull(&mesh, 0, 1);
    assert_int_equal(sync_pull(mesh.peers[0].sync, mesh.now, 2, MESH_LAYOUT), STATUS_BUSY);
    for (unsigned i = 1; i < SYNC_ROUNDS_MAX; i++)
        mesh.peers[0].sync->rounds[i].state = ROUND_ROOT;
    assert_int_equal(sync_pull(mesh.peers[0].sync, mesh.now, 3, MESH_LAYOUT), STATUS_FULL);
    mesh_close(&mesh);
}

static void test_changes_show_in_the_fingerprint(void **state)
{
    static const struct hash16 none;
    struct hash16 print = {{1}}, other = {{2}};
    struct mesh mesh;
    uint32_t count;

    (void)state;
    mesh_open(&mesh, 1);
    sync_change(mesh.peers[0].sync, 3, &none, &print);
    print = sync_fingerprint(mesh.peers[0].sync, 3, &count);
    assert_int_equal(count, 1);
    assert_int_equal(print.bytes[0], 1);
    sync_change(mesh.peers[0].sync, 3, &print, &other);
    print = sync_fingerprint(mesh.peers[0].sync, 3, &count);
    assert_int_equal(count, 1);
    assert_int_equal(print.bytes[0], 2);
    sync_change(mesh.peers[0].sync, 3, &other, &none);
    print = sync_fingerprint(mesh.peers[0].sync, 3, &count);
    assert_int_equal(count, 0);
    assert_true(sync_print_is_none(&print));
    mesh_close(&mesh);
}

static void test_reset_ends_rounds_and_forgets(void **state)
{
    struct mesh mesh;
    uint32_t count;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 100; i++)
        mesh_put_number(&mesh.peers[1], i % 4, i, 1);
    mesh_pull(&mesh, 0, 1);
    for (unsigned i = 0; i < 12; i++)
        assert_true(mesh_step(&mesh));
    sync_reset(mesh.peers[0].sync);
    assert_int_equal(mesh.peers[0].last.status, STATUS_CLOSED);
    (void)sync_fingerprint(mesh.peers[0].sync, 0, &count);
    assert_int_equal(count, 0);
    sync_reset(mesh.peers[1].sync);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].ended, 1);
    mesh_close(&mesh);
}

/* A node that answers from within the output it is handed. */
static void hasty_emit(void *context, const struct sync_output *output)
{
    struct mesh_ear *ear = context;
    struct sync *sync = ear->mesh->peers[ear->self].sync;

    if (output->kind == SYNC_LIST)
        sync_listed(sync, ear->mesh->now, output->token,
                    &(struct sync_page){.status = STATUS_OVERLOAD, .is_last = true});
    else if (output->kind == SYNC_PULLED && output->partition == 1)
        sync_peer_lost(sync, output->peer);
    else
        mesh_emit(context, output);
}

static void test_calls_from_within_an_output(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 8; i++) {
        mesh_put_number(&mesh.peers[0], 10 + i, i, 1);
        mesh_put_number(&mesh.peers[1], 10 + i, i, 2);
    }
    mesh.peers[1].sync->config.emit = hasty_emit;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OVERLOAD);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS - 8);
    mesh.peers[0].sync->config.emit = hasty_emit;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_UNREACHABLE);
    assert_int_equal(mesh.peers[0].pulled[1], 32 + 1); /* below equal nodes; partition 0 */
    mesh_close(&mesh);
}

static bool share_nothing(void *context, uint64_t peer, uint16_t partition)
{
    (void)context;
    (void)peer;
    (void)partition;
    return false;
}

static void test_nothing_shared_ends_at_once(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    mesh.peers[0].sync->config.is_shared = share_nothing;
    mesh_pull(&mesh, 0, 1);
    assert_int_equal(mesh.peers[0].ended, 1);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_null(mesh.first);
    mesh_close(&mesh);
}

static void test_messages_of_others_are_dropped(void **state)
{
    struct mesh mesh;
    struct message message = {.kind = MESSAGE_PING};

    (void)state;
    mesh_open(&mesh, 1);
    sync_receive(mesh.peers[0].sync, mesh.now, 2, MESH_LAYOUT, &message);
    for (unsigned kind = MESSAGE_AE_DIFF; kind <= MESSAGE_AE_NODES; kind++) {
        message = (struct message){.kind = (enum message_kind)kind};
        sync_receive(mesh.peers[0].sync, mesh.now, 2, MESH_LAYOUT, &message);
    }
    sync_listed(mesh.peers[0].sync, mesh.now, 5, &(struct sync_page){.is_last = true});
    sync_merged(mesh.peers[0].sync, mesh.now, 5, STATUS_OK);
    assert_null(mesh.first);
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds_are_bounded),
        cmocka_unit_test(test_changes_show_in_the_fingerprint),
        cmocka_unit_test(test_reset_ends_rounds_and_forgets),
        cmocka_unit_test(test_calls_from_within_an_output),
        cmocka_unit_test(test_nothing_shared_ends_at_once),
        cmocka_unit_test(test_messages_of_others_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
