/* seal_record.c: records that travel by gossip are believed for their signature, not for the peer
 * that passed them on (security.md W12). What is signed is the fixed layout of wire_record, which
 * names its own kind and the cluster, so that one record cannot stand for another. */
#include "seal.h"
#include "ensure.h"
#include <sodium.h>

_Static_assert(SIGNATURE_SIZE == crypto_sign_BYTES, "signatures are Ed25519's");

void seal_record_sign(const struct seal_identity *identity, struct slice bytes,
                      uint8_t signature[SIGNATURE_SIZE])
{
    ensure(crypto_sign_detached(signature, NULL, bytes.data, bytes.size, identity->secret) == 0);
}

enum status seal_record_verify(const uint8_t public_key[PUBLIC_KEY_SIZE], struct slice bytes,
                               const uint8_t signature[SIGNATURE_SIZE])
{
    if (crypto_sign_verify_detached(signature, bytes.data, bytes.size, public_key) != 0)
        return STATUS_BAD_SEAL;
    return STATUS_OK;
}
