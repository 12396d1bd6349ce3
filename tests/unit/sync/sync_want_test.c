/* What is lacking: answers that leave rows out or bring others, merges that fail. */
#include "sync_fixture.h"

static void test_rows_left_out_are_asked_for_again(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 60; i++)
        mesh_put_number(&mesh.peers[1], 0, i, 1);
    mesh.peers[1].leave_out = 20; /* 60 asked: 40 given; 20 asked: nothing given */
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[1].fetches, 2);
    assert_int_equal(mesh.peers[0].last.rows, 40);
    assert_int_equal(mesh.peers[0].last.status, STATUS_MISSING);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS - 1);
    assert_false(mesh.peers[0].pulled_set[1] & 1);
    assert_int_equal(mesh.peers[1].given[0], MESH_PARTITIONS - 1);
    mesh.peers[1].leave_out = 0;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.rows, 20);
    mesh_close(&mesh);
}

static void test_a_failed_merge_is_not_pulled(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 3; i++)
        mesh_put_number(&mesh.peers[1], i, i, 1);
    mesh.peers[0].merge_status = STATUS_NO_SPACE;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_NO_SPACE);
    assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS - 3);
    assert_int_equal(mesh.peers[1].given[0], MESH_PARTITIONS - 3);
    mesh_close(&mesh);
}

static void test_many_failures_end_the_round(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < MESH_PARTITIONS; i++)
        mesh_put_number(&mesh.peers[1], i, i, 1);
    mesh.peers[0].merge_status = STATUS_NO_SPACE;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_in_range(mesh.peers[1].fetches, SYNC_FAILURES_MAX, SYNC_FAILURES_MAX + SYNC_LANES);
    assert_int_equal(mesh.peers[0].ended, 1);
    assert_int_equal(mesh.merges_open, 0);
    mesh.peers[0].merge_status = STATUS_OK; /* nothing stays reserved */
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.rows, MESH_PARTITIONS);
    mesh_close(&mesh);
}

/* Changes what AE_ITEMS says; none of it may be taken for the answer. */
static void mesh_forge(struct mesh *mesh, unsigned from, unsigned to, const struct message *message)
{
    static uint8_t room[1 << 16];
    struct message forged = *message;
    uint8_t key[STORE_KEY_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct slice foreign = mesh_key(9, 999, key);

    if (message->kind != MESSAGE_AE_ITEMS)
        return;
    if (mesh->watched) { /* rows were named: a row that nobody asked for */
        write_slice(&out, message->ae_items.items);
        write_u16(&out, (uint16_t)foreign.size);
        write_slice(&out, foreign);
        write_u32(&out, 1);
        write_u8(&out, 1);
        forged.ae_items.items = writer_done(&out);
        sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    }
    out = writer_over(room, sizeof(room));
    write_slice(&out, message->ae_items.items); /* the same row twice */
    write_slice(&out, message->ae_items.items);
    forged.ae_items.items = writer_done(&out);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_items.round++; /* another round */
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_items.question--; /* what was asked before */
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    if (!mesh->watched) {
        forged = *message;
        forged.ae_items.items = SLICE_NONE; /* nothing: AE_LEAF says that */
        sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    }
}

static void test_items_not_asked_for_are_dropped(void **state)
{
    static const uint32_t rows[] = {10, SYNC_FETCH_MAX + 50};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct mesh mesh;

        mesh_open(&mesh, 1);
        for (uint32_t k = 0; k < rows[i]; k++)
            mesh_put_number(&mesh.peers[1], 2, k, 1);
        mesh.watch = mesh_forge;
        mesh.watched = i ? &mesh : NULL;
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[1].fetches, i + 1);
        assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
        assert_int_equal(mesh.peers[0].last.rows, rows[i]);
        assert_int_equal(mesh.peers[0].store.count, rows[i]);
        mesh_close(&mesh);
    }
}

/* Time passes until the round ends; how long that took. */
static uint64_t run_paced(struct mesh *mesh)
{
    struct sync *sync = mesh->peers[0].sync;
    instant begun = mesh->now;

    for (mesh_run(mesh); sync_is_pulling(sync); mesh_run(mesh)) {
        mesh->now = sync_deadline(sync);
        sync_expire(sync, mesh->now);
    }
    return mesh->now - begun;
}

static void test_rows_are_asked_for_at_a_rate(void **state)
{
    struct mesh mesh;
    uint64_t took;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 1000; i++)
        mesh_put_number(&mesh.peers[1], i % 8, i, 1);
    sync_rate(mesh.peers[0].sync, 10000, 0); /* bytes a second: a page of a partition takes long */
    mesh_pull(&mesh, 0, 1);
    took = run_paced(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK); /* waiting is no timeout */
    assert_int_equal(mesh.peers[0].store.count, 1000);
    assert_in_range(took, INSTANT_S(2), INSTANT_S(20));
    mesh_close(&mesh);
}

static void test_a_gap_and_a_pause(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 8; i++)
        mesh_put_number(&mesh.peers[1], i % 8, i, 1);
    sync_rate(mesh.peers[0].sync, UINT64_MAX, 1000);
    mesh_pull(&mesh, 0, 1);
    assert_in_range(run_paced(&mesh), 7000, 9000); /* eight questions */
    assert_int_equal(mesh.peers[0].store.count, 8);
    mesh_put_number(&mesh.peers[1], 0, 100, 1);
    sync_rate(mesh.peers[0].sync, 0, 0);
    mesh_pull(&mesh, 0, 1);
    (void)run_paced(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_DEADLINE);
    assert_int_equal(mesh.peers[0].store.count, 8);
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_left_out_are_asked_for_again),
        cmocka_unit_test(test_a_failed_merge_is_not_pulled),
        cmocka_unit_test(test_many_failures_end_the_round),
        cmocka_unit_test(test_rows_are_asked_for_at_a_rate),
        cmocka_unit_test(test_a_gap_and_a_pause),
        cmocka_unit_test(test_items_not_asked_for_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
