/* The answerer: who is answered, and what counts as given. */
#include "sync_fixture.h"

static struct message begin(uint32_t round, uint64_t layout)
{
    static const uint8_t root[SYNC_ROOT_SIZE] = "no such root";

    return (struct message){
        .kind = MESSAGE_AE_ROOT,
        .ae_root = {.layout = layout, .round = round, .root = slice_of(root, sizeof(root))}};
}

static void tell(struct mesh *mesh, unsigned from, const struct message *message)
{
    sync_receive(mesh->peers[0].sync, mesh->now, from + 1, mesh->peers[0].layout, message);
}

static struct message last_answer;
static uint32_t answers;

static void catch_answer(struct mesh *mesh, unsigned from, unsigned to,
                         const struct message *message)
{
    (void)mesh;
    (void)to;
    if (from == 0) {
        last_answer = *message;
        answers++;
    }
}

static void begin_round(struct mesh *mesh, uint32_t round)
{
    struct message root = begin(round, MESH_LAYOUT);

    mesh_open(mesh, 1);
    mesh->watch = catch_answer;
    answers = 0;
    tell(mesh, 1, &root);
    mesh_run(mesh);
    assert_int_equal(answers, 1);
    assert_int_equal(last_answer.kind, MESSAGE_AE_DIFF);
    assert_int_equal(last_answer.ae_diff.status, STATUS_OK);
    assert_int_equal(last_answer.ae_diff.nodes.size, 2 + 4 * SYNC_HASH_SIZE);
}

static void test_done_counts_only_for_a_round(void **state)
{
    static const uint8_t two[] = {0, 1, 0, 5};
    struct message done = {
        .kind = MESSAGE_AE_DONE,
        .ae_done = {.layout = MESH_LAYOUT, .round = 7, .partitions = slice_of(two, sizeof(two))}};
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 6);
    tell(&mesh, 1, &done); /* of another round */
    done.ae_done.round = 6;
    tell(&mesh, 2, &done); /* of another peer */
    assert_int_equal(mesh.peers[0].given[1] + mesh.peers[0].given[2], 0);
    tell(&mesh, 1, &done);
    assert_int_equal(mesh.peers[0].given_set[1], 1u << 1 | 1u << 5);
    tell(&mesh, 1, &done); /* the round is over */
    assert_int_equal(mesh.peers[0].given[1], 2);
    mesh_close(&mesh);
}

static void test_done_under_another_layout_counts_nothing(void **state)
{
    struct message done = {.kind = MESSAGE_AE_DONE, .ae_done = {.layout = MESH_LAYOUT, .round = 6}};
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 6);
    mesh.peers[0].layout++;
    tell(&mesh, 1, &done);
    assert_int_equal(mesh.peers[0].given[1], 0);
    mesh_close(&mesh);
    begin_round(&mesh, 6);
    done.ae_done.layout = 0; /* given up */
    tell(&mesh, 1, &done);
    assert_int_equal(mesh.peers[0].given[1], 0);
    assert_int_equal(sync_deadline(mesh.peers[0].sync), INSTANT_NEVER);
    mesh_close(&mesh);
}

static void test_a_damaged_done_is_dropped(void **state)
{
    static const uint8_t bad[] = {0, 1, 0, 1, 0};
    struct message done = {.kind = MESSAGE_AE_DONE, .ae_done = {.layout = MESH_LAYOUT, .round = 6}};
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 6);
    done.ae_done.partitions = slice_of(bad, 4);
    tell(&mesh, 1, &done);
    done.ae_done.partitions = slice_of(bad, 1);
    tell(&mesh, 1, &done);
    assert_int_equal(mesh.peers[0].given[1], 0);
    assert_int_not_equal(sync_deadline(mesh.peers[0].sync), INSTANT_NEVER);
    mesh_close(&mesh);
}

static void test_rows_need_a_round(void **state)
{
    uint8_t key[STORE_KEY_SIZE_MAX + 2];
    struct slice row = mesh_key(1, 1, key + 2);
    struct message get = {.kind = MESSAGE_AE_LEAF_GET, .ae_leaf_get = {.round = 6, .partition = 1}};
    struct message fetch = {.kind = MESSAGE_AE_FETCH, .ae_fetch = {.round = 6}};
    struct mesh mesh;

    (void)state;
    key[0] = 0;
    key[1] = (uint8_t)row.size;
    fetch.ae_fetch.keys = slice_of(key, row.size + 2);
    begin_round(&mesh, 6);
    mesh_put(&mesh.peers[0], row, 1);
    tell(&mesh, 2, &get);
    tell(&mesh, 2, &fetch);
    mesh_run(&mesh);
    assert_int_equal(answers, 1);
    tell(&mesh, 1, &get);
    mesh_run(&mesh);
    assert_int_equal(last_answer.kind, MESSAGE_AE_ITEMS); /* few are given at once */
    assert_int_equal(answers, 2);
    tell(&mesh, 1, &fetch);
    mesh_run(&mesh);
    assert_int_equal(last_answer.kind, MESSAGE_AE_ITEMS);
    assert_int_equal(answers, 3);
    mesh_close(&mesh);
}

static void test_bad_questions_are_dropped(void **state)
{
    uint8_t keys[300] = {0};
    struct message get = {.kind = MESSAGE_AE_LEAF_GET,
                          .ae_leaf_get = {.round = 6, .partition = 64}};
    struct message fetch = {.kind = MESSAGE_AE_FETCH, .ae_fetch = {.round = 6}};
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 6);
    tell(&mesh, 1, &get);
    get.ae_leaf_get.partition = 1;
    get.ae_leaf_get.after = slice_of(mesh_seed, STORE_KEY_SIZE_MAX + 1);
    tell(&mesh, 1, &get);
    for (size_t size = 0; size < sizeof(keys); size++) {
        fetch.ae_fetch.keys = slice_of(keys, size);
        tell(&mesh, 1, &fetch);
    }
    mesh_run(&mesh);
    assert_int_equal(answers, 1);
    mesh_close(&mesh);
}

static void test_serves_are_bounded_and_expire(void **state)
{
    struct message root = begin(1, MESH_LAYOUT);
    struct sync *sync;
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 1);
    sync = mesh.peers[0].sync;
    tell(&mesh, 2, &root);
    mesh_run(&mesh);
    assert_int_equal(last_answer.ae_diff.status, STATUS_OK);
    root.ae_root.round = 2; /* in place of the first */
    tell(&mesh, 1, &root);
    mesh_run(&mesh);
    assert_int_equal(last_answer.ae_diff.status, STATUS_OK);
    sync->serves[0].peer = 100; /* two others are served: no room for peer 1 */
    tell(&mesh, 1, &root);
    mesh_run(&mesh);
    assert_int_equal(last_answer.ae_diff.status, STATUS_OVERLOAD);
    sync_expire(sync, sync_deadline(sync));
    assert_int_equal(sync_deadline(sync), INSTANT_NEVER);
    tell(&mesh, 1, &root);
    mesh_run(&mesh);
    assert_int_equal(last_answer.ae_diff.status, STATUS_OK);
    mesh_close(&mesh);
}

static void test_damaged_nodes_are_dropped(void **state)
{
    uint8_t room[4 * 66] = {0};
    struct message root = begin(1, MESH_LAYOUT);
    struct message nodes = {.kind = MESSAGE_AE_NODES, .ae_nodes = {.round = 2}};
    struct mesh mesh;

    (void)state;
    begin_round(&mesh, 2);
    for (size_t size = 0; size < SYNC_ROOT_SIZE; size++) {
        root.ae_root.root.size = size;
        tell(&mesh, 2, &root);
    }
    for (size_t size = 0; size < 66; size++) {
        nodes.ae_nodes.nodes = slice_of(room, size);
        tell(&mesh, 1, &nodes);
    }
    nodes.ae_nodes.nodes = slice_of(room, 132);
    tell(&mesh, 1, &nodes); /* not ascending */
    room[67] = 4;
    tell(&mesh, 1, &nodes); /* no such node */
    nodes.ae_nodes.nodes.size = 66;
    tell(&mesh, 2, &nodes); /* of another peer */
    mesh_run(&mesh);
    assert_int_equal(answers, 1);
    tell(&mesh, 1, &nodes);
    mesh_run(&mesh);
    assert_int_equal(answers, 2);
    assert_int_equal(last_answer.ae_diff.nodes.size, 8 * (2 + 2 * SYNC_HASH_SIZE));
    mesh_close(&mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done_counts_only_for_a_round),
        cmocka_unit_test(test_done_under_another_layout_counts_nothing),
        cmocka_unit_test(test_a_damaged_done_is_dropped),
        cmocka_unit_test(test_rows_need_a_round),
        cmocka_unit_test(test_bad_questions_are_dropped),
        cmocka_unit_test(test_serves_are_bounded_and_expire),
        cmocka_unit_test(test_damaged_nodes_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
