/* hash_test.c: published vectors, so that a peer of any build names keys and nodes alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "bytes.h"
#include "hash.h"

static void fill(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)i;
}

/* Aumasson and Bernstein, "SipHash" (2012), appendix A: key 00..0f, input 00..0e. The paper prints
 * the number a129ca6149be45e5, whose little-endian bytes are read here as a big-endian number. */
static void test_siphash_vector_of_the_paper(void **state)
{
    uint8_t key[16], data[15];

    (void)state;
    fill(key, sizeof key);
    fill(data, sizeof data);
    assert_true(hash_sip64(key, data, sizeof data) == 0xe545be4961ca29a1u);
    assert_true(hash_sip64(key, NULL, 0) == 0x310e0edd47db6f72u);
}

/* The 128-bit vector of the reference implementation for no input. */
static void test_siphash_128_vector(void **state)
{
    static const uint8_t expected[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                         0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    uint8_t key[16];
    struct hash16 hash;

    (void)state;
    fill(key, sizeof key);
    hash = hash_sip128(key, NULL, 0);
    assert_memory_equal(hash.bytes, expected, sizeof expected);
}

static struct hash16 key_hash(const char *ns, const char *key)
{
    uint8_t seed[16] = {9};

    return hash_key(seed, slice_text(ns), slice_text(key));
}

static void test_key_hash_separates_namespace_and_key(void **state)
{
    struct hash16 a = key_hash("app", "key"), b = key_hash("app", "key"),
                  c = key_hash("ap", "pkey");
    uint8_t other_seed[16] = {8};
    struct hash16 d = hash_key(other_seed, slice_text("app"), slice_text("key"));

    (void)state;
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
    assert_memory_not_equal(&a, &d, sizeof a);
    assert_true(hash_key_front(&a) == bytes_load_u64(a.bytes) >> 24 << 24);
}

/* Elements of a collection lie in the partition of their key. */
static void test_a_row_name_hashes_as_its_key(void **state)
{
    uint8_t seed[16] = {9};
    struct hash16 key = hash_key(seed, slice_text("app"), slice_text("set"));
    struct hash16 element = hash_key(seed, slice_text("app"), slice_of("set\0a\0b", 7));
    struct hash16 other = hash_key(seed, slice_text("app"), slice_of("se\0ta", 5));

    (void)state;
    assert_memory_equal(&key, &element, sizeof key);
    assert_memory_not_equal(&key, &other, sizeof key);
}

/* Golden value: a change would move every stored key. Computed apart, by the algorithm of the
 * paper in Python: siphash-2-4-128(bytes(range(16)), b"app\0some/key"). */
static void test_key_hash_is_what_it_was(void **state)
{
    static const uint8_t expected[16] = {0xd8, 0x7f, 0x4d, 0xa8, 0x8b, 0xd8, 0x6f, 0xc6,
                                         0x8b, 0x1f, 0x39, 0x11, 0xe9, 0x5a, 0xa3, 0xaf};
    uint8_t seed[16];
    struct hash16 hash;

    (void)state;
    fill(seed, sizeof seed);
    hash = hash_key(seed, slice_text("app"), slice_text("some/key"));
    assert_memory_equal(hash.bytes, expected, sizeof expected);
}

/* Computed apart by hashlib: blake2b(bytes(range(32)), digest_size=32). */
static void test_node_id_is_blake2b(void **state)
{
    static const uint8_t expected[8] = {0xcb, 0x2f, 0x51, 0x60, 0xfc, 0x1f, 0x7e, 0x05};
    uint8_t key[PUBLIC_KEY_SIZE];
    struct node_id id;

    (void)state;
    fill(key, sizeof key);
    id = hash_node_id(key);
    assert_memory_equal(id.bytes, expected, sizeof expected);
}

/* Computed apart likewise, over id, counter 1 and nonce 2: the first 6 of 16 bytes. */
static void test_actor_depends_on_everything(void **state)
{
    struct node_id a, b = {{1}};
    uint64_t actor;

    (void)state;
    fill(a.bytes, sizeof a.bytes);
    actor = hash_actor(&a, 1, 2);
    assert_true(actor == 0x2ada2aaf66bbu);
    assert_true(actor != hash_actor(&a, 2, 2));
    assert_true(actor != hash_actor(&a, 1, 3));
    assert_true(actor != hash_actor(&b, 1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_vector_of_the_paper),
        cmocka_unit_test(test_siphash_128_vector),
        cmocka_unit_test(test_key_hash_separates_namespace_and_key),
        cmocka_unit_test(test_a_row_name_hashes_as_its_key),
        cmocka_unit_test(test_key_hash_is_what_it_was),
        cmocka_unit_test(test_node_id_is_blake2b),
        cmocka_unit_test(test_actor_depends_on_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
