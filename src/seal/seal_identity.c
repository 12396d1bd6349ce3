/* seal_identity.c: one Ed25519 key is the whole identity. The X25519 key for agreeing on pair keys
 * is libsodium's conversion of it, so that there is one secret to keep, and the NodeID is a hash of
 * the public key, so that nobody can claim an id without the key. */
#include "seal.h"
#include "hash.h"
#include <sodium.h>

_Static_assert(SEAL_SEED_SIZE == crypto_sign_SEEDBYTES, "the seed is Ed25519's");
_Static_assert(PUBLIC_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "so is the public key");

enum status seal_identity_from_seed(struct seal_identity *identity,
                                    const uint8_t seed[SEAL_SEED_SIZE])
{
    if (sodium_is_zero(seed, SEAL_SEED_SIZE) ||
        crypto_sign_seed_keypair(identity->public_key, identity->secret, seed) != 0 ||
        crypto_sign_ed25519_sk_to_curve25519(identity->x_secret, identity->secret) != 0 ||
        crypto_scalarmult_base(identity->x_public, identity->x_secret) != 0)
        return STATUS_BAD;
    identity->id = hash_node_id(identity->public_key);
    return STATUS_OK;
}

void seal_identity_wipe(struct seal_identity *identity)
{
    sodium_memzero(identity, sizeof *identity);
}
