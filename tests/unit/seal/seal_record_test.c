/* Signatures of records. */
#include "pair.h"

static void only_the_same_bytes_and_key(void **state)
{
    (void)state;
    struct seal_identity a, b;
    uint8_t seed[SEAL_SEED_SIZE] = {1}, bytes[] = "a record", signature[SIGNATURE_SIZE];
    assert_int_equal(seal_identity_from_seed(&a, seed), STATUS_OK);
    seed[0] = 2;
    assert_int_equal(seal_identity_from_seed(&b, seed), STATUS_OK);
    struct slice record = slice_of(bytes, sizeof bytes);
    seal_record_sign(&a, record, signature);
    assert_int_equal(seal_record_verify(a.public_key, record, signature), STATUS_OK);
    assert_int_equal(seal_record_verify(b.public_key, record, signature), STATUS_BAD_SEAL);
    for (size_t i = 0; i < SIGNATURE_SIZE * 8; i++) {
        signature[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(seal_record_verify(a.public_key, record, signature), STATUS_BAD_SEAL);
        signature[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    bytes[3] ^= 1;
    assert_int_equal(seal_record_verify(a.public_key, record, signature), STATUS_BAD_SEAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_same_bytes_and_key)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
