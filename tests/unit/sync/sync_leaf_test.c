/* One answer below a partition: what is given at once, what is named, where an answer ends. */
#include "sync_fixture.h"

#define LEAF_ROWS 40u

static struct {
    struct mesh mesh;
    struct sync_serve serve;
    struct sync_leaf *leaf;
    uint8_t keys[LEAF_ROWS][STORE_KEY_SIZE_MAX];
    struct sync_row rows[LEAF_ROWS];
    uint8_t prints[LEAF_ROWS * SYNC_HASH_SIZE];
} leaf_of;

/* Rows in key order, and their fingerprints as an asker sends them. */
static void leaf_open(void)
{
    memset(&leaf_of, 0, sizeof(leaf_of));
    mesh_open(&leaf_of.mesh, 1);
    leaf_of.serve =
        (struct sync_serve){.is_active = true, .peer = 2, .layout = MESH_LAYOUT, .number = 1};
    leaf_of.leaf = &leaf_of.serve.leaves[SYNC_LANES - 1];
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        buffer_init(&leaf_of.serve.leaves[i].asked, 8 * SCAN_ROWS_MAX);
        buffer_init(&leaf_of.serve.leaves[i].keys, SYNC_PAGE_SIZE_MAX);
    }
    for (uint32_t i = 0; i < LEAF_ROWS; i++) {
        uint64_t front = (UINT64_C(5) << 58) + ((uint64_t)i << 24);

        leaf_of.rows[i].key =
            store_key_obj(front, slice_text("ns"), slice_text("key"), leaf_of.keys[i]);
        leaf_of.rows[i].fingerprint = hash_sip128(mesh_seed, &front, sizeof(front));
        memcpy(leaf_of.prints + i * 8, leaf_of.rows[i].fingerprint.bytes, 8);
    }
    leaf_of.mesh.peers[0].sync->sums[5].count = LEAF_ROWS;
}

static void leaf_close(void)
{
    sync_serve_end(&leaf_of.serve);
    for (unsigned i = 0; i < SYNC_LANES; i++) {
        buffer_close(&leaf_of.serve.leaves[i].asked);
        buffer_close(&leaf_of.serve.leaves[i].keys);
    }
    mesh_close(&leaf_of.mesh);
}

static struct message_ae_leaf_get leaf_question(void)
{
    return (struct message_ae_leaf_get){.round = 1, .partition = 5, .question = 9};
}

static bool leaf_asks(const struct message_ae_leaf_get *get, uint64_t layout)
{
    sync_leaf_get(leaf_of.mesh.peers[0].sync, &leaf_of.serve, layout, get);
    return leaf_of.leaf->state != LEAF_FREE;
}

/* Lets the question be listed with `page` and returns the answer, queued last. */
static const struct mesh_event *leaf_answers(const struct sync_page *page)
{
    struct sync *sync = leaf_of.mesh.peers[0].sync;
    const struct mesh_event *event;

    assert_true(sync_leaf_step(sync, &leaf_of.serve, leaf_of.leaf));
    if (leaf_of.leaf->state == LEAF_LISTING) {
        assert_false(sync_leaf_step(sync, &leaf_of.serve, leaf_of.leaf));
        sync_leaf_listed(leaf_of.leaf, page);
        assert_true(sync_leaf_step(sync, &leaf_of.serve, leaf_of.leaf));
    }
    assert_int_equal(leaf_of.leaf->state, LEAF_FREE);
    for (event = leaf_of.mesh.first; event->next;)
        event = event->next;
    return event;
}

static void test_lacking_rows_are_given(void **state)
{
    struct message_ae_leaf_get get = leaf_question();
    struct sync_page page = {STATUS_OK, leaf_of.rows, LEAF_ROWS, true};
    const struct mesh_event *answer;

    (void)state;
    leaf_open();
    memmove(leaf_of.prints + 3 * 8, leaf_of.prints + 4 * 8, (LEAF_ROWS - 4) * 8); /* not row 3 */
    get.prints = slice_of(leaf_of.prints, (LEAF_ROWS - 1) * 8);
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->output.kind, SYNC_GIVE);
    assert_int_equal(answer->output.token, 9);
    assert_int_equal(answer->output.keys.size, leaf_of.rows[3].key.size + 2);
    assert_memory_equal(answer->output.keys.data + 2, leaf_of.rows[3].key.data,
                        leaf_of.rows[3].key.size);
    leaf_close();
}

static void test_nothing_lacking_is_told(void **state)
{
    struct message_ae_leaf_get get = leaf_question();
    struct sync_page page = {STATUS_OK, leaf_of.rows, LEAF_ROWS, true};
    const struct mesh_event *answer;

    (void)state;
    leaf_open();
    get.prints = slice_of(leaf_of.prints, sizeof(leaf_of.prints));
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->message.kind, MESSAGE_AE_LEAF);
    assert_int_equal(answer->message.ae_leaf.question, 9);
    assert_int_equal(answer->message.ae_leaf.keys.size + answer->message.ae_leaf.until.size, 0);
    leaf_of.mesh.peers[0].sync->sums[5].count = 0; /* nothing here at all: not listed */
    get.prints = SLICE_NONE;
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    assert_int_equal(leaf_of.leaf->state, LEAF_READY);
    assert_int_equal(leaf_answers(&page)->message.ae_leaf.keys.size, 0);
    leaf_close();
}

static void test_only_the_range_and_the_mask_count(void **state)
{
    static const uint8_t mask[1] = {1u << 2};
    struct message_ae_leaf_get get = leaf_question();
    struct sync_page page = {STATUS_OK, leaf_of.rows + 10, LEAF_ROWS - 10, true};
    const struct mesh_event *answer;
    struct reader in;
    struct sync_item item;

    (void)state;
    leaf_open();
    get.after = leaf_of.rows[9].key;
    get.until = leaf_of.rows[26].key;
    get.mask = slice_of(mask, 1);
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->output.kind, SYNC_GIVE);
    in = reader_over(answer->output.keys);
    for (uint32_t row = 10; row <= 26; row += 8) { /* 10, 18, 26 */
        assert_true(sync_pack_next(&in, SYNC_KEYS, &item));
        assert_true(slice_equal(item.key, leaf_of.rows[row].key));
    }
    assert_true(reader_is_done(&in));
    leaf_close();
}

static void test_a_page_that_ends_early_is_told(void **state)
{
    struct message_ae_leaf_get get = leaf_question();
    struct sync_page page = {STATUS_OK, leaf_of.rows, 20, false};
    const struct mesh_event *answer;
    uint8_t sums[64] = {0};

    (void)state;
    leaf_open();
    get.prints = slice_of(leaf_of.prints, 19 * 8);
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->message.kind, MESSAGE_AE_LEAF);
    assert_true(slice_equal(answer->message.ae_leaf.until, leaf_of.rows[19].key));
    assert_int_equal(answer->message.ae_leaf.keys.size, leaf_of.rows[19].key.size + 2);
    get = leaf_question();
    get.sums = slice_of(sums, sizeof(sums));
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->message.ae_leaf.mask.size, 1);
    assert_int_equal(answer->message.ae_leaf.mask.data[0], 0xFF); /* all may differ */
    page.count = 0;
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    assert_int_equal(leaf_answers(&page)->message.ae_leaf.status, STATUS_BAD);
    leaf_close();
}

static void test_sums_give_a_mask(void **state)
{
    struct message_ae_leaf_get get = leaf_question();
    struct sync_page page = {STATUS_OK, leaf_of.rows, LEAF_ROWS, true};
    uint8_t room[64];
    uint64_t sums[8] = {0};
    struct writer out = writer_over(room, sizeof(room));
    const struct mesh_event *answer;

    (void)state;
    leaf_open();
    for (uint32_t i = 0; i < LEAF_ROWS; i++)
        if (i != 6 && i != 8)
            sync_split_add(sums, 8, i, bytes_load_u64(leaf_of.prints + i * 8));
    for (unsigned i = 0; i < 8; i++)
        write_u64(&out, sums[i]);
    get.sums = writer_done(&out);
    assert_true(leaf_asks(&get, MESH_LAYOUT));
    answer = leaf_answers(&page);
    assert_int_equal(answer->message.ae_leaf.mask.size, 1);
    assert_int_equal(answer->message.ae_leaf.mask.data[0], 1u << 6 | 1u << 0);
    leaf_close();
}

static void test_questions_that_are_none(void **state)
{
    uint8_t room[8 * 200] = {0};
    struct message_ae_leaf_get get;

    (void)state;
    leaf_open();
    for (size_t size = 1; size <= sizeof(room); size++) {
        get = leaf_question();
        get.sums = slice_of(room, size);
        if (size % 8 || !sync_split_is_count(size / 8))
            assert_false(leaf_asks(&get, MESH_LAYOUT));
        get = leaf_question();
        get.prints = slice_of(room, size);
        if (size % 8)
            assert_false(leaf_asks(&get, MESH_LAYOUT));
        get = leaf_question();
        get.mask = slice_of(room, size);
        if (size != 1 && size != 2 && size != 4 && size != 8 && size != 16)
            assert_false(leaf_asks(&get, MESH_LAYOUT));
    }
    get = leaf_question();
    get.sums = slice_of(room, 64);
    get.prints = slice_of(room, 8); /* both */
    assert_false(leaf_asks(&get, MESH_LAYOUT));
    get = leaf_question();
    get.after = leaf_of.rows[5].key;
    get.until = leaf_of.rows[5].key; /* an empty range */
    assert_false(leaf_asks(&get, MESH_LAYOUT));
    get = leaf_question();
    assert_true(leaf_asks(&get, MESH_LAYOUT + 1));
    assert_int_equal(leaf_answers(NULL)->message.ae_leaf.status, STATUS_LAYOUT);
    leaf_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lacking_rows_are_given),
        cmocka_unit_test(test_nothing_lacking_is_told),
        cmocka_unit_test(test_only_the_range_and_the_mask_count),
        cmocka_unit_test(test_a_page_that_ends_early_is_told),
        cmocka_unit_test(test_sums_give_a_mask),
        cmocka_unit_test(test_questions_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
