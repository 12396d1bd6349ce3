/* One partition being pulled: paging, answers that leave rows out, merges that fail. */
#include "sync_fixture.h"

static void test_ten_thousand_rows_in_one_partition(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 10000; i++) {
        if (i % 10 != 3)
            mesh_put_number(&mesh.peers[0], 5, i, 1);
        if (i % 10 != 7)
            mesh_put_number(&mesh.peers[1], 5, i, 1);
    }
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.differed, 1);
    assert_int_equal(mesh.peers[0].last.rows, 1000);
    assert_int_equal(mesh.peers[0].store.count, 10000);
    assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
    assert_true(mesh.peers[1].lists >= 9);
    mesh_close(&mesh);
}

static void test_an_empty_asker_lists_nothing_of_its_own(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 2500; i++)
        mesh_put_number(&mesh.peers[1], 63, i, 1);
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.rows, 2500);
    assert_true(mesh.peers[0].lists <= 2); /* only for pages after its first rows came */
    assert_true(mesh.peers[1].fetches >= 2500 / SYNC_FETCH_MAX);
    mesh_close(&mesh);
}

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

static void test_lists_that_fail(void **state)
{
    (void)state;
    for (unsigned who = 0; who < 2; who++) {
        struct mesh mesh;

        mesh_open(&mesh, 1);
        mesh_put_number(&mesh.peers[0], 1, 1, 1);
        mesh_put_number(&mesh.peers[1], 1, 2, 1);
        mesh.peers[who].list_status = STATUS_OVERLOAD;
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[0].last.status, STATUS_OVERLOAD);
        assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS - 1);
        mesh_close(&mesh);
    }
}

/* Changes what AE_ITEMS says; none of it may be taken for the answer. */
static void mesh_forge(struct mesh *mesh, unsigned from, unsigned to, const struct message *message)
{
    struct message forged = *message;
    uint8_t room[4096], key[STORE_KEY_SIZE_MAX];
    struct writer out = writer_over(room, sizeof(room));
    struct slice foreign = mesh_key(9, 999, key);

    if (message->kind != MESSAGE_AE_ITEMS)
        return;
    write_slice(&out, message->ae_items.items); /* a row that nobody asked for */
    write_u16(&out, (uint16_t)foreign.size);
    write_slice(&out, foreign);
    write_u32(&out, 0);
    forged.ae_items.items = writer_done(&out);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    out = writer_over(room, sizeof(room));
    write_slice(&out, message->ae_items.items); /* the same row twice */
    write_slice(&out, message->ae_items.items);
    forged.ae_items.items = writer_done(&out);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_items.round++; /* another round */
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
}

static void test_items_not_asked_for_are_dropped(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 10; i++)
        mesh_put_number(&mesh.peers[1], 2, i, 1);
    mesh.watch = mesh_forge;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.rows, 10);
    assert_int_equal(mesh.peers[0].store.count, 10);
    mesh_close(&mesh);
}

/* Pages in the wrong order, of another partition, empty though not the last. */
static void mesh_forge_leaf(struct mesh *mesh, unsigned from, unsigned to,
                            const struct message *message)
{
    struct message forged = *message;
    uint8_t room[8192];
    struct writer out = writer_over(room, sizeof(room));

    if (message->kind != MESSAGE_AE_LEAF)
        return;
    forged.ae_leaf.partition++;
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_leaf.is_last = 0;
    forged.ae_leaf.items = SLICE_NONE;
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    write_slice(&out, message->ae_leaf.items);
    write_slice(&out, message->ae_leaf.items);
    forged.ae_leaf.items = writer_done(&out);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
}

static void test_pages_out_of_order_are_dropped(void **state)
{
    struct mesh mesh;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 10; i++)
        mesh_put_number(&mesh.peers[1], 2, i, 1);
    mesh.watch = mesh_forge_leaf;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.rows, 10);
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_rows_in_one_partition),
        cmocka_unit_test(test_an_empty_asker_lists_nothing_of_its_own),
        cmocka_unit_test(test_rows_left_out_are_asked_for_again),
        cmocka_unit_test(test_a_failed_merge_is_not_pulled),
        cmocka_unit_test(test_many_failures_end_the_round),
        cmocka_unit_test(test_lists_that_fail),
        cmocka_unit_test(test_items_not_asked_for_are_dropped),
        cmocka_unit_test(test_pages_out_of_order_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
