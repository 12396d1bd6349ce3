/* The ring and its file. */
#include "pair.h"
#include <stdio.h>

static void text_round_trip(void **state)
{
    (void)state;
    struct seal_keyring ring = test_ring(1), back;
    uint8_t key[32] = {1}, room[SEAL_KEYRING_TEXT_MAX];
    for (; ring.count < SEAL_KEYS_MAX; key[0]++) {
        assert_int_equal(seal_keyring_add(&ring, key), STATUS_OK);
        assert_int_equal(seal_keyring_add(&ring, key), STATUS_OK);
    }
    assert_int_equal(seal_keyring_add(&ring, key), STATUS_FULL);
    struct writer out = writer_over(room, sizeof room);
    assert_int_equal(seal_keyring_write(&ring, &out), STATUS_OK);
    memset(&back, 0xff, sizeof back);
    assert_int_equal(seal_keyring_parse(&back, writer_done(&out)), STATUS_OK);
    assert_int_equal(back.count, SEAL_KEYS_MAX);
    assert_memory_equal(back.cluster_id, ring.cluster_id, CLUSTER_ID_SIZE);
    for (int i = 0; i < SEAL_KEYS_MAX; i++) {
        assert_memory_equal(back.keys[i].key, ring.keys[i].key, 32);
        assert_int_equal(seal_keyring_find(&back, ring.keys[i].id), i);
    }
    assert_int_equal(back.keys[1].key[0], 1);
}

/* A file cut anywhere but at the end of a key line is refused; what is refused changes nothing. */
static void every_cut_and_change(void **state)
{
    (void)state;
    struct seal_keyring ring = test_ring(1), back = test_ring(2), before = back;
    uint8_t room[SEAL_KEYRING_TEXT_MAX];
    struct writer out = writer_over(room, sizeof room);
    assert_int_equal(seal_keyring_write(&ring, &out), STATUS_OK);
    for (size_t size = 0; size < out.size; size++)
        assert_int_equal(seal_keyring_parse(&back, slice_of(room, size)), STATUS_BAD);
    for (size_t i = 0; i < out.size; i++) {
        uint8_t byte = room[i];
        room[i] = '!';
        assert_int_not_equal(seal_keyring_parse(&back, writer_done(&out)), STATUS_OK);
        room[i] = byte;
    }
    assert_memory_equal(&back, &before, sizeof back);
    room[21] = '2';
    assert_int_equal(seal_keyring_parse(&back, writer_done(&out)), STATUS_FOREIGN);
    struct writer small = writer_over(room, 40);
    assert_int_equal(seal_keyring_write(&ring, &small), STATUS_FULL);
}

static void steps_of_a_rotation(void **state)
{
    (void)state;
    struct seal_keyring ring = test_ring(1), fresh = test_ring(2), back;
    uint16_t old = ring.keys[0].id, new = fresh.keys[0].id;
    uint8_t room[SEAL_KEYRING_TEXT_MAX];
    struct writer out = writer_over(room, sizeof room);
    assert_int_equal(seal_keyring_add(&ring, fresh.keys[0].key), STATUS_OK);
    assert_int_equal(seal_keyring_drop(&ring, old), STATUS_CONFLICT);
    assert_int_equal(seal_keyring_use(&ring, new), STATUS_OK);
    assert_int_equal(seal_keyring_find(&ring, new), 0);
    assert_int_equal(seal_keyring_find(&ring, old), 1);
    assert_int_equal(seal_keyring_drop(&ring, old), STATUS_OK);
    assert_int_equal(ring.count, 1);
    assert_int_equal(seal_keyring_drop(&ring, old), STATUS_MISSING);
    assert_int_equal(seal_keyring_use(&ring, old), STATUS_MISSING);
    back = ring;
    ring.stamp = 0x123456789abcdef0, ring.by = 9; /* the change travels with the file */
    assert_true(seal_keyring_newer(&ring, &back) && !seal_keyring_newer(&back, &ring));
    assert_int_equal(seal_keyring_write(&ring, &out), STATUS_OK);
    assert_int_equal(seal_keyring_parse(&back, writer_done(&out)), STATUS_OK);
    assert_false(seal_keyring_newer(&ring, &back) || seal_keyring_newer(&back, &ring));
    back.by++;
    assert_true(seal_keyring_newer(&back, &ring));
}

static void same_key_twice(void **state)
{
    (void)state;
    static const char line[] =
        "key 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    char text[400];
    struct seal_keyring ring;
    snprintf(text, sizeof text, "gossamer-cluster-key 1\ncluster %032x\n%s", 7, line);
    assert_int_equal(seal_keyring_parse(&ring, slice_text(text)), STATUS_OK);
    snprintf(text, sizeof text, "gossamer-cluster-key 1\ncluster %032x\n%s%s", 7, line, line);
    assert_int_equal(seal_keyring_parse(&ring, slice_text(text)), STATUS_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_round_trip), cmocka_unit_test(every_cut_and_change),
        cmocka_unit_test(steps_of_a_rotation), cmocka_unit_test(same_key_twice)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
