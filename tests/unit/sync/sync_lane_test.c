/* One partition being pulled: ranges, sub-ranges, answers that are none. */
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

/* Answers in the wrong order, of another partition, beyond what was asked. */
static void mesh_forge_leaf(struct mesh *mesh, unsigned from, unsigned to,
                            const struct message *message)
{
    static uint8_t room[1 << 16], key[STORE_KEY_SIZE_MAX + 1];
    struct message forged = *message;
    struct writer out = writer_over(room, sizeof(room));

    if (message->kind != MESSAGE_AE_LEAF)
        return;
    ++*(unsigned *)mesh->watched;
    forged.ae_leaf.partition++;
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_leaf.until = slice_of(key, sizeof(key));
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    forged.ae_leaf.mask = slice_of("0123456789abcdef0", message->ae_leaf.mask.size ? 3 : 1);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
    forged = *message;
    if (message->ae_leaf.keys.size) {
        write_slice(&out, message->ae_leaf.keys);
        write_slice(&out, message->ae_leaf.keys);
    } else {
        write_u16(&out, 3);
        write_bytes(&out, "abc", 3);
    }
    forged.ae_leaf.keys = writer_done(&out);
    sync_receive(mesh->peers[to].sync, mesh->now, from + 1, MESH_LAYOUT, &forged);
}

static void test_forged_answers_are_dropped(void **state)
{
    struct mesh mesh;
    unsigned leaves = 0;

    (void)state;
    mesh_open(&mesh, 1);
    for (uint32_t i = 0; i < 600; i++) {
        mesh_put_number(&mesh.peers[1], 2, i, 1);
        if (i >= 300)
            mesh_put_number(&mesh.peers[0], 2, i, 1);
    }
    mesh.watch = mesh_forge_leaf;
    mesh.watched = &leaves;
    mesh_pull(&mesh, 0, 1);
    mesh_run(&mesh);
    assert_int_equal(leaves, 2); /* a mask, and more keys than are given at once */
    assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
    assert_int_equal(mesh.peers[0].last.rows, 300);
    assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
    mesh_close(&mesh);
}

struct counts {
    unsigned sums, prints, named;
    size_t prints_size;
};

static void mesh_count(struct mesh *mesh, unsigned from, unsigned to, const struct message *message)
{
    struct counts *counts = mesh->watched;

    (void)from;
    (void)to;
    counts->named += message->kind == MESSAGE_AE_LEAF && message->ae_leaf.keys.size > 0;
    if (message->kind != MESSAGE_AE_LEAF_GET)
        return;
    counts->sums += message->ae_leaf_get.sums.size > 0;
    counts->prints += message->ae_leaf_get.prints.size > 0;
    counts->prints_size += message->ae_leaf_get.prints.size;
}

/* Many rows, or many partitions: only rows of sub-ranges that differ are spelled. */
static void test_sub_ranges_spare_rows(void **state)
{
    static const uint32_t wide[] = {1, 1, SYNC_WHOLE_MAX, SYNC_WHOLE_MAX + 1};
    static const uint32_t rows[] = {SYNC_WHOLE_ROWS, SYNC_WHOLE_ROWS + 1, 60, 60};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct counts counts = {0};
        struct mesh mesh;

        mesh_open(&mesh, 1);
        for (uint32_t p = 0; p < wide[i]; p++) {
            for (uint32_t k = 0; k < rows[i]; k++) {
                mesh_put_number(&mesh.peers[0], p, p * 1000 + k, 1);
                mesh_put_number(&mesh.peers[1], p, p * 1000 + k, k == 5 ? 3 : 1);
            }
        }
        mesh.watch = mesh_count;
        mesh.watched = &counts;
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[0].last.rows, wide[i]);
        assert_int_equal(mesh.peers[0].pulled[1], MESH_PARTITIONS);
        assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
        assert_int_equal(counts.sums, i % 2 ? wide[i] : 0);
        assert_int_equal(counts.prints, wide[i]);
        assert_int_equal(counts.named, 0);
        if (i % 2)
            assert_true(counts.prints_size <= wide[i] * 8 * 20);
        else
            assert_int_equal(counts.prints_size, wide[i] * rows[i] * 8);
        mesh_close(&mesh);
    }
}

/* The other side's rows take many pages where ours take one. */
static void test_pages_that_do_not_match(void **state)
{
    (void)state;
    for (unsigned few = 0; few < 2; few++) {
        struct mesh mesh;

        mesh_open(&mesh, 1);
        for (uint32_t i = 0; i < 5000; i++) {
            mesh_put_number(&mesh.peers[few], 3, i, 1);
            if (i % 10 == 0)
                mesh_put_number(&mesh.peers[1 - few], 3, i, i % 20 ? 1 : 2);
        }
        mesh_pull(&mesh, 0, 1);
        mesh_run(&mesh);
        assert_int_equal(mesh.peers[0].last.status, STATUS_OK);
        assert_int_equal(mesh.peers[0].last.rows, few ? 4750 : 250);
        assert_true(store_covers(&mesh.peers[0].store, &mesh.peers[1].store));
        mesh_close(&mesh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_rows_in_one_partition),
        cmocka_unit_test(test_an_empty_asker_lists_nothing_of_its_own),
        cmocka_unit_test(test_lists_that_fail),
        cmocka_unit_test(test_forged_answers_are_dropped),
        cmocka_unit_test(test_sub_ranges_spare_rows),
        cmocka_unit_test(test_pages_that_do_not_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
