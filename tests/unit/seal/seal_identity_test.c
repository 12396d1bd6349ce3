/* Identities: one secret, everything else follows. */
#include "pair.h"

static void follows_from_the_seed(void **state)
{
    (void)state;
    struct seal_identity a, b;
    uint8_t seed[SEAL_SEED_SIZE] = {0}, converted[32];
    assert_int_equal(seal_identity_from_seed(&a, seed), STATUS_BAD);
    seed[31] = 1;
    assert_int_equal(seal_identity_from_seed(&a, seed), STATUS_OK);
    assert_int_equal(seal_identity_from_seed(&b, seed), STATUS_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(converted, a.public_key), 0);
    assert_memory_equal(converted, a.x_public, 32);
    struct node_id id = hash_node_id(a.public_key);
    assert_true(id_equal(&a.id, &id));
    seed[31] = 2;
    assert_int_equal(seal_identity_from_seed(&b, seed), STATUS_OK);
    assert_false(id_equal(&a.id, &b.id));
    seal_identity_wipe(&a);
    assert_true(sodium_is_zero((const uint8_t *)&a, sizeof a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_from_the_seed)};
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
