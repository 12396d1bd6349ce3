/* Whole rounds: what is pulled, what it costs, how it ends. */
#include "sync_fixture.h"

static void test_equal_costs_little(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 500; i++) {
        mesh_put_number(&mesh.peers[0], i % MESH_PARTITIONS, i, 1);
        mesh_put_number(&mesh.peers[1], i % MESH_PARTITIONS, i, 1);
    }
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
    assert_int_equal(mesh.peers[1].given[0], MESH_PARTITIONS);
    assert_int_equal(mesh.sent, 3);
    assert_true(mesh.sent_bytes <= 100);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.compared, MESH_PARTITIONS);
    assert_int_equal(mesh.peers[0].last.differed, 0);
    assert_int_equal(sync_deadline(mesh.peers[0].sync), INSTANT_NEVER);
    assert_int_equal(sync_deadline(mesh.peers[1].sync), INSTANT_NEVER);
    mesh_close(&mesh);
}

static void test_one_difference_touches_one_partition(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 640; i++) {
        mesh_put_number(&mesh.peers[0], i % MESH_PARTITIONS, i, 1);
        mesh_put_number(&mesh.peers[1], i % MESH_PARTITIONS, i, i == 7 ? 2 : 1);
    }
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.differed, 1);
    assert_int_equal(mesh.peers[0].last.rows, 1);
    assert_int_equal(mesh.peers[1].fetches, 1);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
    assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
    assert_false(store_covers(&mesh.peers[1].store, &mesh.peers[0].store));
    mesh_close(&mesh);
}

static void mesh_scatter(struct mesh *mesh, uint32_t rows)
{
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t partition = (uint32_t)prng_below(&mesh->prng, MESH_PARTITIONS);

        for (unsigned p = 0; p < MESH_PEERS; p++)
            if (prng_chance(&mesh->prng, 3, 4))
                mesh_put_number(&mesh->peers[p], partition, i,
                                UINT64_C(1) << prng_below(&mesh->prng, 3));
    }
}

static void test_random_differences_converge(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct mesh mesh;

        mesh_open(&mesh, seed);
        mesh_scatter(&mesh, (uint32_t)prng_below(&mesh.prng, 600));
        for (unsigned a = 0; a < MESH_PEERS; a++) /* all at once */
            for (unsigned b = 0; b < MESH_PEERS; b++)
                if (a != b)
                    mesh_pull(&mesh, a, b);
        mesh_run(&mesh);
        for (unsigned a = 0; a < MESH_PEERS; a++) {
            for (unsigned b = 0; b < MESH_PEERS; b++) {
                if (a == b)
                    continue;
                assert_int_equal(mesh.peers[a].pulled[b], MESH_PARTITIONS);
                assert_int_equal(mesh.peers[b].given[a], MESH_PARTITIONS);
                assert_true(store_covers(&mesh.peers[a].store, &mesh.peers[b].store));
            }
            assert_int_equal(mesh.peers[a].ended, 2);
        }
        assert_true(mesh.merges_max <= SYNC_MERGES_MAX * MESH_PEERS);
        mesh_close(&mesh);
    }
}

static void test_pulled_means_superset_at_once(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 9);
    mesh_scatter(&mesh, 400);
    mesh_pull(&mesh, 0, 1);
    while (mesh_step(&mesh)) {
        for (uint32_t i = 0; i < mesh.peers[1].store.count; i++) {
            struct mesh_row *row = &mesh.peers[1].store.rows[i];
            struct slice key = slice_of(row->key, row->size);
            struct mesh_row *ours = store_find(&mesh.peers[0].store, key);

            if (mesh.peers[0].pulled_set[1] >> mesh_partition(key) & 1)
                assert_true(ours && (ours->bits & row->bits) == row->bits);
        }
    }
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
    mesh_close(&mesh);
}

static void test_layouts_differ(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    mesh.peers[1].layout = MESH_LAYOUT + 1;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_LAYOUT);
    assert_int_equal(mesh.peers[0].layouts, 1);
    assert_int_equal(mesh.peers[1].layouts, 1);
    assert_int_equal(mesh.peers[0].pulled[1], 0);
    assert_int_equal(mesh.peers[1].given[0], 0);
    mesh_close(&mesh);
}

static void mesh_change_layout(struct mesh *mesh, unsigned from, unsigned to,
                               const struct message *message)
{
    (void)from;
    (void)to;
    if (message->kind == MESSAGE_AE_LEAF_GET)
        mesh->peers[*(unsigned *)mesh->watched].layout = MESH_LAYOUT + 1;
}

static void test_layout_changes_meanwhile(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 2; who++) {
        struct mesh mesh;

        mesh_open(&mesh, 1);
        mesh_scatter(&mesh, 300);
        mesh.watch = mesh_change_layout;
        mesh.watched = &who;
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[0].last.status, STATUS_LAYOUT);
        assert_int_equal(mesh.peers[1].given[0], 0);
        assert_int_equal(mesh.peers[0].ended, 1);
        mesh_close(&mesh);
    }
}

static void test_silence_ends_the_round(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    mesh.peers[1].is_deaf = true;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(sync_deadline(mesh.peers[0].sync), mesh.now + MESH_TIMEOUT);
    sync_expire(mesh.peers[0].sync, mesh.now + MESH_TIMEOUT - 1);
    assert_int_equal(mesh.peers[0].ended, 0);
    sync_expire(mesh.peers[0].sync, mesh.now + MESH_TIMEOUT);
    assert_int_equal(mesh.peers[0].ended, 1);
    assert_int_equal(mesh.peers[0].last.status, STATUS_DEADLINE);
    assert_int_equal(sync_deadline(mesh.peers[0].sync), INSTANT_NEVER);
    mesh_close(&mesh);
}

static void test_lost_at_any_point(void **state)
{
    uint32_t steps = 0;
    bool is_over = false;

    (void)state;
    while (!is_over) {
        struct mesh mesh;

        mesh_open(&mesh, 4);
        mesh_scatter(&mesh, 60);
        mesh_pull(&mesh, 0, 1);
        for (uint32_t i = 0; i < steps && !is_over; i++)
            is_over = !mesh_step(&mesh);
        if (!is_over && mesh.peers[0].ended == 0) {
            sync_peer_lost(mesh.peers[0].sync, 2);
            assert_int_equal(mesh.peers[0].last.status, STATUS_UNREACHABLE);
        }
        sync_peer_lost(mesh.peers[1].sync, 1);
        assert_int_equal(mesh.peers[0].ended, 1);
        mesh_run(&mesh); /* what is under way finds nobody */
        assert_int_equal(mesh.peers[0].ended, 1);
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
        assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
        mesh_close(&mesh);
        steps++;
    }
    assert_true(steps > 20);
}

static void mesh_repeat(struct mesh *mesh, unsigned from, unsigned to,
                        const struct message *message)
{
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, mesh->peers[to].layout, message);
    for (unsigned other = 0; other < MESH_PEERS; other++) /* from somebody else too */
        if (other != to && other != from && message->kind != MESSAGE_AE_ROOT)
            sync_receive(mesh->peers[to].sync, mesh->now, other + 1, mesh->peers[to].layout,
                         message);
}

static void test_repeated_and_foreign_messages(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 5);
    mesh_scatter(&mesh, 200);
    mesh.watch = mesh_repeat;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
    assert_int_equal(mesh.peers[1].given[0], MESH_PARTITIONS);
    assert_int_equal(mesh.peers[1].given[2], 0);
    assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
    mesh_close(&mesh);
}

static void mesh_cut(struct mesh *mesh, unsigned from, unsigned to, const struct message *message)
{
    struct message cut = *message;
    struct slice *slice = mesh_slice(&cut);
    size_t whole = slice->size;

    for (size_t size = 0; size < whole && size < 300; size++) {
        if (message->kind == MESSAGE_AE_DONE && size % 2 == 0)
            continue; /* a shorter list of partitions is a good list, or means all */
        if ((message->kind == MESSAGE_AE_DIFF || message->kind == MESSAGE_AE_NODES) &&
            (size % 34 == 0 || size % 66 == 0 || size % 18 == 0))
            continue; /* a shorter list of whole nodes */
        if (message->kind == MESSAGE_AE_LEAF_GET || message->kind == MESSAGE_AE_FETCH)
            continue; /* a shorter one asks for something else; answers follow to each */
        if (size == 0)
            continue; /* empty answers have a meaning */
        slice->data = malloc(size);
        memcpy((void *)(uintptr_t)slice->data, mesh_slice((void *)(uintptr_t)message)->data, size);
        slice->size = size;
        struct reader in = reader_over(*slice);
        struct sync_item item;

        while (
            sync_pack_next(&in, message->kind == MESSAGE_AE_LEAF ? SYNC_KEYS : SYNC_OBJECTS, &item))
            continue;
        if (in.is_bad || message->kind < MESSAGE_AE_LEAF || message->kind == MESSAGE_AE_NODES)
            sync_receive(mesh->peers[to].sync, mesh->now, from + 1, mesh->peers[to].layout, &cut);
        free((void *)(uintptr_t)slice->data);
    }
}

static void test_every_prefix_is_dropped(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 6);
    mesh_scatter(&mesh, 100);
    mesh.watch = mesh_cut;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
    assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_costs_little),
        cmocka_unit_test(test_one_difference_touches_one_partition),
        cmocka_unit_test(test_random_differences_converge),
        cmocka_unit_test(test_pulled_means_superset_at_once),
        cmocka_unit_test(test_layouts_differ),
        cmocka_unit_test(test_layout_changes_meanwhile),
        cmocka_unit_test(test_silence_ends_the_round),
        cmocka_unit_test(test_lost_at_any_point),
        cmocka_unit_test(test_repeated_and_foreign_messages),
        cmocka_unit_test(test_every_prefix_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
